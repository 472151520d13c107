//! `/enrich`: rows in, the same rows with what is known of their postcodes out, while they come. Not in postcodes.io.
//!
//! An error in the first rows gets a response with an error status. An error in a later row (a row that is not CSV, a lookup that
//! fails, a client that sends too slowly) comes after `200 OK` has been sent: the connection is closed and the chunked body has no
//! end, neither the last chunk nor a trailer. Clients see an incomplete answer: curl ends with status 18, reqwest
//! and hyper with "error reading a body", Python's requests with `ChunkedEncodingError`. What came before is whole rows but the last; the reason is
//! in the server's log, under the request's id.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use postcode_core::DatasetInfo;
use postcode_core::wire::EDITION_HEADER;
use postcode_core::wire::path;
use postcode_edge::{ClientKey, MediaType};
use postcode_tables::packed::{Origin, Packing};
use postcode_tables::{Encoding, delimiter_named, header_named, quoting_named};
use tokio::time::Instant;

use super::App;
use super::failure::{Failure, Outcome};
use super::params::{Params, truth};
use super::state::PATIENCE;
use crate::enrich::{AbsentColumns, Column, Error, Format, Plan, decoded, enrich, short};

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::ENRICH, post(rows))
}

/// The first rows are looked up before anything is answered, so that an error in the header gets an error status.
async fn rows(State(app): State<App>, params: Params, request: Request) -> Outcome {
    let kind = Kind::of(request.headers())?;
    let coding = coding(request.headers())?;
    let edition = app.edition();
    let (plan, left_out) = plan(kind, &params, app.limits.max_upload, edition.info())?;
    let format = plan.format;
    let place = Arc::new(app.downloads.place(ClientKey::of(request.extensions()))?);
    let input = place.counted(limited(request.into_body().into_data_stream(), app.limits.max_upload));
    let input = decoded(input.map(|bytes| bytes.map_err(std::io::Error::other)).boxed(), coding);
    let mut parts = Box::pin(enrich(input, edition.lookup.clone(), plan));
    let first = parts.next().await.transpose()?;
    let (first, encoding, mut notes) = first
        .map_or((Bytes::new(), Encoding::Utf8, Vec::new()), |part| (part.bytes, part.encoding, part.notes));
    notes.extend(left_out);
    let csv = csv_in(encoding, &first);
    let rest = parts.map(move |part| {
        let _place = &place;
        // A body that breaks off is an error to the client; one that just ends would look complete.
        part.map(|part| part.bytes).map_err(|error| {
            tracing::warn!(%error, "rows were not enriched to their end");
            std::io::Error::other(error)
        })
    });
    let body = Body::from_stream(stream::once(async { Ok(first) }).chain(rest));
    let kind = match format {
        Format::Csv => csv,
        Format::Ndjson => "application/x-ndjson",
        Format::Json => "application/json",
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (HeaderName::from_static(EDITION_HEADER), edition.fingerprint.clone()),
    ];
    let mut response = (headers, body).into_response();
    if let Some(notes) = noted(&notes) {
        response.headers_mut().insert(HeaderName::from_static(NOTES), notes);
    }
    Ok(response)
}

/// Says what was found out about the file and not told by the request.
const NOTES: &str = "postcode-notes";

/// Notes as a header, in ASCII.
fn noted(notes: &[String]) -> Option<HeaderValue> {
    let text: String = notes.join("; ").chars().flat_map(char::escape_default).collect();
    let text = text.replace("\\\"", "\"").replace("\\'", "'");
    HeaderValue::try_from(text).ok().filter(|value| !value.is_empty())
}

/// Returns the type of CSV that goes out in the encoding in which it came, and begins with these bytes. `utf-16` is for
/// text with a byte order mark (RFC 2781).
pub(super) fn csv_in(encoding: Encoding, first: &[u8]) -> &'static str {
    match encoding {
        Encoding::Utf8 => "text/csv; charset=utf-8",
        Encoding::Utf16Le | Encoding::Utf16Be if matches!(first, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) => {
            "text/csv; charset=utf-16"
        }
        Encoding::Utf16Le => "text/csv; charset=utf-16le",
        Encoding::Utf16Be => "text/csv; charset=utf-16be",
        Encoding::Windows1252 => "text/csv; charset=windows-1252",
    }
}

/// Reads the parameters that say what to add. Returns also a note, if usual columns are left out because the data does not
/// have them.
pub(super) fn plan(
    kind: Kind,
    params: &Params,
    most: u64,
    info: &DatasetInfo,
) -> Result<(Plan, Option<String>), Failure> {
    let allow_empty = flag(params, "allow_empty")?;
    let asked = params.get("columns").map(|names| Column::list(&names)).transpose();
    let asked = asked.map_err(|why| Failure::bad_request(format!("columns: {why}")))?;
    let (columns, left_out) = match asked {
        Some(columns) if allow_empty => (columns, None),
        Some(columns) => {
            AbsentColumns::check(&columns, info).map_err(Error::from)?;
            (columns, None)
        }
        None => Column::usual_of(info, allow_empty),
    };
    let delimiter = params.get("delimiter").map(|text| delimiter_named(&text)).transpose();
    let quoting = params.get("quote").map(|text| quoting_named(&text)).transpose();
    let header = params.get("header").map_or(Ok(true), |text| header_named(&text));
    let encoding = match params.get("encoding") {
        None => kind.encoding,
        Some(name) => Some(Encoding::named(&name).ok_or_else(|| {
            Failure::bad_request(format!(
                "encoding: {} is not known: give utf-8, utf-16le, utf-16be or windows-1252",
                short(&name)
            ))
        })?),
    };
    let plan = Plan {
        postcode: params.get("postcode_column").map(Into::into),
        prefix: params.get("prefix").unwrap_or_default().into(),
        delimiter: delimiter.map_err(|why| Failure::bad_request(format!("delimiter: {why}")))?,
        quoting: quoting.map_err(|why| Failure::bad_request(format!("quote: {why}")))?,
        no_header: !header.map_err(|why| Failure::bad_request(format!("header: {why}")))?,
        encoding,
        find: flag(params, "find")?,
        allow_empty,
        sheet: params.get("sheet").map(Into::into),
        most,
        origin: Origin::Client(params.client().name()),
        ..Plan::new(kind.format, columns)
    };
    let plan = if flag(params, "repair")? { plan.repairing() } else { plan };
    Ok((plan, left_out))
}

fn flag(params: &Params, name: &str) -> Result<bool, Failure> {
    let Some(text) = params.get(name) else { return Ok(false) };
    truth(&text)
        .ok_or_else(|| Failure::bad_request(format!("{name}: {} is neither true nor false", short(&text))))
}

/// The kind of a request's body, by its headers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) format: Format,
    /// The charset, if it is one that the bytes themselves may not tell.
    encoding: Option<Encoding>,
}

impl Kind {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        let media = MediaType::of(headers).unwrap_or_else(|| MediaType::parse(""));
        let format = match media.name() {
            // Browsers on Windows say that a .csv is Excel's.
            "text/csv"
            | "application/csv"
            | "text/x-csv"
            | "application/vnd.ms-excel"
            | "text/tab-separated-values"
            | "text/comma-separated-values"
            | XLSX
            | ODS
            // What is in it is found out by its first bytes.
            | "application/gzip"
            | "application/zip"
            | "application/zstd"
            | "application/octet-stream" => Format::Csv,
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines" => Format::Ndjson,
            "application/json" => Format::Json,
            other => {
                let text = format!(
                    "Rows of Content-Type {} can't be enriched: send text/csv or application/x-ndjson, a workbook, or \
                     application/json with an array of objects",
                    short(other)
                );
                return Err(unsupported(text));
            }
        };
        let encoding = media.charset().map(|name| {
            let unknown = || {
                let text =
                    format!("The charset {} is not known: send UTF-8, UTF-16 or Windows-1252", short(name));
                unsupported(text)
            };
            Encoding::named(name).ok_or_else(unknown)
        });
        // Clients say UTF-8 without having looked.
        Ok(Self { format, encoding: encoding.transpose()?.filter(|encoding| *encoding != Encoding::Utf8) })
    }
}

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";

fn unsupported(text: String) -> Failure {
    Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text, "unsupported_media_type")
}

/// How a request's body is packed.
pub(super) fn coding(headers: &HeaderMap) -> Result<Packing, Failure> {
    let codings = headers.get_all(CONTENT_ENCODING).iter().map(HeaderValue::as_bytes);
    Packing::of_codings(codings).map_err(|coding| Failure::unknown_coding(&coding))
}

/// A client that sends less than this within [`PATIENCE`] does not keep its place.
const SLOWEST: u64 = 64 * 1024;

/// The longest pause of a client that was fast before.
const IDLE: Duration = Duration::from_secs(300);

/// Limits the size of a body and enforces a least speed.
pub(super) fn limited(
    body: BodyDataStream,
    most: u64,
) -> impl Stream<Item = std::io::Result<Bytes>> + Unpin + Send {
    let began = Instant::now();
    let bytes = stream::unfold((body, most), move |(mut body, left)| async move {
        let windows = u32::try_from((most - left) / SLOWEST).unwrap_or(u32::MAX);
        // A fast start gives the client more time later, but at most this much at once.
        let due = (began + PATIENCE.saturating_mul(windows.saturating_add(1))).min(Instant::now() + IDLE);
        let next = match tokio::time::timeout_at(due, body.next()).await {
            Ok(next) => next?.map_err(std::io::Error::other),
            Err(_) => Err(std::io::Error::other("the rows came too slowly")),
        };
        let len = next.as_ref().map_or(0, |bytes| bytes.len() as u64);
        Some(match left.checked_sub(len) {
            Some(left) => (next, (body, left)),
            None => {
                let text = "more bytes than this server accepts: send the rows in several requests";
                (Err(std::io::Error::other(text)), (body, 0))
            }
        })
    });
    Box::pin(bytes)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(why) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, why, "invalid_rows"),
            Error::Absent(absent) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, absent.to_string(), "column_not_in_data")
            }
            Error::Read(why) if why.kind() == ErrorKind::StorageFull => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, why.to_string(), "insufficient_storage")
                    .retryable(Some(60))
            }
            Error::Read(why) if why.kind() == ErrorKind::QuotaExceeded => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                why.to_string(),
                postcode_core::ErrorKind::Overloaded.code(),
            )
            .retryable(Some(10)),
            Error::Read(why) => Self::bad_request(format!("The rows could not be read: {why}")),
            Error::Lookup(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn file_that_finds_no_room_on_disk_is_to_be_sent_again() {
        for (kind, status, code) in [
            (ErrorKind::StorageFull, StatusCode::INSUFFICIENT_STORAGE, "insufficient_storage"),
            (ErrorKind::QuotaExceeded, StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
        ] {
            let response = Failure::from(Error::Read(kind.into())).respond(None);
            assert_eq!(response.status(), status);
            assert!(response.headers().contains_key("retry-after"), "{kind}");
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).now_or_never();
            let body: serde_json::Value = serde_json::from_slice(&body.unwrap().unwrap()).unwrap();
            assert_eq!(body["code"], code);
        }
    }
}
