//! The routes of imports.

use std::io::{Cursor, ErrorKind, Read};
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use postcode_edge::{ClientKey, Place};
use postcode_tables::header_named;
use postcode_tables::packed::{self, Options, Origin, Packing};
use serde::{Deserialize, Serialize};

use super::conditions::Given;
use super::pieces::{self, Asker, Piece};
use super::problem::Problem;
use super::query::{self, Asked};
use super::{Answer, App, json};
use crate::import::{self, ADDED};
use crate::{Customers, FailedRow, Import, ImportId, ImportRow, MAX_IMPORT, Mapping, Preview};

/// Rows read from the database at a time.
const ROWS: usize = 1_000;
/// The same of rows that failed, each of which may have 128 KiB.
const FAILED_ROWS: usize = 50;

/// Returns the routes.
///
/// | | | |
/// |---|---|---|
/// | `POST /imports?map=HEADING=COLUMN&others=ignore&header=none&sheet=NAME&name=new.csv` | `text/csv`, 64 MiB and 200,000 rows at most | 202, `Location`, the import |
/// | `POST /imports/preview` | the same, or its beginning | its headings, their meanings and its first rows |
/// | `GET /imports` | | `{"items":[…]}`, the newest first |
/// | `GET /imports/{id}` | | the import |
/// | `GET /imports/{id}/report?outcome=failed` | | CSV: `line,outcome,customer_id,message` |
/// | `GET /imports/{id}/failed` | | CSV: the rows that failed, with `import_line` and `import_reason` |
/// | `DELETE /imports/{id}/failed` | | 204; what is kept of the rows that failed is removed |
/// | `DELETE /imports/{id}` | | the import, cancelled |
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/imports", get(list).post(create))
        .route("/imports/preview", post(preview))
        .route("/imports/{id}", get(read).delete(cancel))
        .route("/imports/{id}/report", get(report))
        .route("/imports/{id}/failed", get(failed).delete(delete_failed))
}

/// An import's id in a path. An invalid id is answered like an unknown one.
struct Id(ImportId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(text)| text.parse().ok());
        id.map(Self)
            .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "import_not_found", "there is no such import"))
    }
}

/// Lists the media types that clients send for CSV, for workbooks, of which one sheet is read, and for packed files.
const TYPES: [&str; 11] = [
    "text/csv",
    "application/csv",
    "application/vnd.ms-excel",
    "text/tab-separated-values",
    "text/comma-separated-values",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.spreadsheet",
    // Their content is recognised by its first bytes.
    "application/gzip",
    "application/zip",
    "application/zstd",
    "application/octet-stream",
];

/// Unpacks a file (gzip, zstd, zip), or takes a sheet out of a workbook, the first visible one if none is named, within the
/// bound of a file. Keeps the place until that is done, even if the client has gone. Returns also what was done.
pub(super) async fn unpacked(
    file: Vec<u8>,
    coding: Packing,
    sheet: Option<String>,
    place: Arc<Place>,
) -> Answer<(Vec<u8>, Vec<String>)> {
    let packed = coding != Packing::Plain || Packing::of(&file) != Packing::Plain;
    if !packed {
        return Ok((file, Vec::new()));
    }
    let waiting = Arc::new(());
    let origin = Origin::Client(place.client().name());
    let options = Options { sheet, origin, wanted: Some(Arc::downgrade(&waiting)), ..Options::default() };
    let unpack = move || {
        let _place = place;
        let raw = packed::unpack(Cursor::new(file), coding)?;
        let mut all = Vec::new();
        let opened = packed::open(raw, &options)?;
        opened.reader.take(MAX_IMPORT as u64 + 1).read_to_end(&mut all)?;
        Ok::<_, std::io::Error>((all, opened.said))
    };
    let done = tokio::task::spawn_blocking(unpack).await.map_err(std::io::Error::other);
    done.and_then(|read| read).map_err(|error| not_unpacked(&error))
}

fn not_unpacked(error: &std::io::Error) -> Problem {
    let (status, code) = match error.kind() {
        ErrorKind::StorageFull => (StatusCode::INSUFFICIENT_STORAGE, "insufficient_storage"),
        ErrorKind::QuotaExceeded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
        _ => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_import"),
    };
    Problem::new(status, code, format!("the file can't be unpacked: {error}"))
}

/// The statements of a query about a file.
#[derive(Default)]
struct About {
    name: Option<String>,
    mapping: Mapping,
    sheet: Option<String>,
}

/// Reads what a query says about a file.
fn about(query: Option<&str>) -> Answer<About> {
    let About { mut name, mut mapping, mut sheet } = About::default();
    for (parameter, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match (&*parameter, &*value) {
            ("name", value) => name = import::name(value),
            ("map", value) => {
                // A heading may contain an equals sign. The name of a column does not.
                let (heading, column) = value.rsplit_once('=').unwrap_or((value, ""));
                mapping.set(heading, column)?;
            }
            ("others", "ignore") => mapping.ignore_others(),
            ("others", "refuse" | "") => {}
            ("others", other) => {
                let shown: String = other.chars().take(40).collect();
                return Err(query::wrong(format!("others: {shown:?}: give ignore or refuse")));
            }
            ("header", value) => {
                let has_header = header_named(value).map_err(|why| query::wrong(format!("header: {why}")))?;
                if !has_header {
                    mapping.without_header();
                }
            }
            ("sheet", name) => sheet = Some(name.to_owned()).filter(|name| !name.is_empty()),
            (other, _) => {
                let shown: String = other.chars().take(40).collect();
                return Err(query::wrong(format!(
                    "{shown:?} is not a parameter here: give map, others, header, sheet and name"
                )));
            }
        }
    }
    Ok(About { name, mapping, sheet })
}

/// Enters the pool of uploads, which limits how many files are held in memory.
pub(super) fn enter(app: &App, request: &Request) -> Answer<Arc<Place>> {
    let place = app.uploads.enter(ClientKey::of(request.extensions())).map_err(|_| {
        let detail = "too many files are being uploaded: send this one again in a few seconds";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_imports", detail)
    })?;
    Ok(Arc::new(place))
}

/// A file that was sent, and what its query says about it.
struct Sent {
    file: Vec<u8>,
    name: Option<String>,
    mapping: Mapping,
    /// The steps that unpacked it.
    notes: Vec<String>,
    place: Arc<Place>,
}

/// Reads the file of a request.
async fn sent(app: &App, request: Request) -> Answer<Sent> {
    let About { name, mapping, sheet } = about(request.uri().query())?;
    // Check before reading the body, which takes most of the time.
    let place = enter(app, &request)?;
    let coding = json::coding(request.headers())?;
    let file = json::file(request, &TYPES, MAX_IMPORT, &place).await?;
    let (file, notes) = unpacked(file, coding, sheet, place.clone()).await?;
    Ok(Sent { file, name, mapping, notes, place })
}

async fn preview(State(app): State<App>, request: Request) -> Answer<Json<Preview>> {
    let Sent { file, mapping, notes, place, .. } = sent(&app, request).await?;
    let preview = app.customers.preview_holding(file, mapping, place).await?;
    Ok(Json(Preview { notes, ..preview }))
}

async fn create(given: Given, State(app): State<App>, request: Request) -> Answer<Response> {
    // The place is held until the file is stored.
    let Sent { file, name, mapping, place, .. } = sent(&app, request).await?;
    let import = given
        .customers
        .import_holding(
            file,
            name,
            mapping,
            given.key.as_deref(),
            &place.client().name().unwrap_or_default(),
            place.clone(),
        )
        .await?;
    let location = [(header::LOCATION, format!("/imports/{}", import.id))];
    Ok((StatusCode::ACCEPTED, location, Json(import)).into_response())
}

#[derive(Serialize)]
struct Items {
    items: Vec<Import>,
}

async fn list(State(app): State<App>) -> Answer<Json<Items>> {
    Ok(Json(Items { items: app.customers.imports().await? }))
}

async fn read(State(app): State<App>, Id(id): Id) -> Answer<Json<Import>> {
    Ok(Json(app.customers.get_import(id).await?))
}

async fn cancel(State(app): State<App>, Id(id): Id) -> Answer<Json<Import>> {
    Ok(Json(app.customers.cancel_import(id).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    outcome: Option<String>,
}

async fn report(State(app): State<App>, Id(id): Id, asker: Asker, query: Asked<Which>) -> Answer<Response> {
    let Query(Which { outcome }) = query.map_err(query::refused)?;
    if let Some(other) = outcome.as_deref().filter(|outcome| !matches!(*outcome, "created" | "failed")) {
        return Err(query::wrong(format!("an outcome of {other:?}: give created or failed")));
    }
    // Check now, so that an unknown import is answered 404.
    app.customers.get_import(id).await?;
    let turn = app.turn(asker)?;
    let reporting = Reporting { customers: app.customers, id, outcome, after: 0 };
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
    Ok((headers, pieces::body(turn, reporting, Reporting::next)).into_response())
}

/// The rows that failed, as they were sent: to be mended and sent again.
async fn failed(State(app): State<App>, Id(id): Id, asker: Asker) -> Answer<Response> {
    // Read now, so that an unknown import is answered 404.
    let headings = app.customers.import_headings(id).await?;
    let turn = app.turn(asker)?;
    let failing = Failing { customers: app.customers, id, headings, after: 0 };
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
    Ok((headers, pieces::body(turn, failing, Failing::next)).into_response())
}

async fn delete_failed(State(app): State<App>, Id(id): Id) -> Answer<StatusCode> {
    app.customers.delete_failed_rows(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The progress of a list of rows that failed.
struct Failing {
    customers: Customers,
    id: ImportId,
    headings: Vec<String>,
    /// The last line that has been written.
    after: i64,
}

impl Failing {
    async fn next(mut self) -> Piece<Self> {
        let rows = self.customers.failed_rows(self.id, self.after, FAILED_ROWS).await?;
        let added: Vec<usize> = added(&self.headings).collect();
        let kept = |n: &usize| !added.contains(n);
        // A row with too many cells has them behind the reason.
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        if self.after == 0 {
            let headings = (0..self.headings.len()).filter(kept).filter_map(|n| self.headings.get(n));
            writer.write_record(headings.map(String::as_str).chain(ADDED)).map_err(unwritten)?;
        }
        for FailedRow { line, cells, reason, .. } in &rows {
            let (columns, line) = (self.headings.len(), line.to_string());
            let cell = |n: usize| cells.get(n).map_or("", String::as_str);
            let beyond = cells.iter().skip(columns).map(String::as_str);
            let row = (0..columns).filter(kept).map(cell).chain([&*line, &**reason]).chain(beyond);
            writer.write_record(row).map_err(unwritten)?;
        }
        let piece = writer.into_inner().map_err(unwritten)?;
        match rows.last() {
            Some(last) if rows.len() == FAILED_ROWS => {
                self.after = last.line;
                Ok((piece, Some(self)))
            }
            _ => Ok((piece, None)),
        }
    }
}

/// The columns that an earlier list of failed rows added.
fn added(headings: &[String]) -> impl Iterator<Item = usize> {
    (0..).zip(headings).filter(|(_, heading)| ADDED.contains(&heading.trim())).map(|(n, _)| n)
}

fn unwritten(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "the report could not be written");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "report_failed", "the report could not be written")
}

/// The progress of a report.
struct Reporting {
    customers: Customers,
    id: ImportId,
    outcome: Option<String>,
    /// The last line that has been written.
    after: i64,
}

impl Reporting {
    async fn next(mut self) -> Piece<Self> {
        let rows = self.customers.import_rows(self.id, self.outcome.as_deref(), self.after, ROWS).await?;
        let mut writer = csv::Writer::from_writer(Vec::new());
        if self.after == 0 {
            let names = ["line", "outcome", "customer_id", "message"];
            writer.write_record(names).map_err(unwritten)?;
        }
        for ImportRow { line, outcome, customer_id, message } in &rows {
            let line = line.to_string();
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let record = [line, text(outcome), text(customer_id), text(message)];
            writer.write_record(record).map_err(unwritten)?;
        }
        let piece = writer.into_inner().map_err(unwritten)?;
        match rows.last() {
            Some(last) if rows.len() == ROWS => {
                self.after = last.line;
                Ok((piece, Some(self)))
            }
            _ => Ok((piece, None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_that_finds_no_room_on_disk_is_to_be_sent_again() {
        for (kind, status) in [
            (ErrorKind::StorageFull, StatusCode::INSUFFICIENT_STORAGE),
            (ErrorKind::QuotaExceeded, StatusCode::SERVICE_UNAVAILABLE),
        ] {
            let response = not_unpacked(&kind.into()).into_response();
            assert_eq!(response.status(), status);
            assert!(response.headers().contains_key(header::RETRY_AFTER), "{kind}");
        }
        let damaged = not_unpacked(&ErrorKind::InvalidData.into()).into_response();
        assert_eq!(damaged.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
}
