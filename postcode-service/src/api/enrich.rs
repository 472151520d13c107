//! `/enrich`: adds columns to rows by their postcodes, while the rows arrive. Not part of
//! postcodes.io.
//!
//! An error in the first rows gets its proper status. A later error (a row that is not valid CSV, a
//! lookup that fails, a client that sends too slowly) comes after `200 OK` has been sent. Then the
//! connection is closed and the chunked body has no end, neither the last chunk nor a trailer.
//! Clients see an incomplete answer: curl ends with status 18, reqwest and hyper with "error
//! reading a body", Python's requests with `ChunkedEncodingError`. All rows before that are whole,
//! except perhaps the last. The server's log has the reason, with the request's id.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use postcode_core::wire::EDITION_HEADER;
use postcode_edge::ClientKey;
use tokio::time::Instant;

use super::App;
use super::dataset_file::PATIENCE;
use super::params::Params;
use super::reply::{Failure, Outcome};
use crate::enrich::{Column, Error, Format, Plan, enrich, short};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/enrich", post(rows))
}

/// Looks the first rows up before it answers, so that an error in the header gets its proper
/// status.
async fn rows(State(app): State<App>, params: Params, request: Request) -> Outcome {
    let format = format(request.headers())?;
    let edition = app.edition();
    let plan = plan(format, &params)?;
    let place = Arc::new(app.downloads.place(ClientKey::of(request.extensions()))?);
    let input = place.counted(limited(request.into_body().into_data_stream(), app.limits.max_upload));
    let input = input.map(|bytes| bytes.map_err(std::io::Error::other));
    let mut parts = Box::pin(enrich(input, edition.lookup.clone(), plan));
    let first = parts.next().await.transpose()?.map_or(Bytes::new(), |part| part.bytes);
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
        Format::Csv => "text/csv; charset=utf-8",
        Format::Ndjson => "application/x-ndjson",
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (HeaderName::from_static(EDITION_HEADER), edition.fingerprint.clone()),
    ];
    Ok((headers, body).into_response())
}

/// Reads the columns to add from the parameters.
pub(super) fn plan(format: Format, params: &Params) -> Result<Plan, Failure> {
    let columns = params.get("columns").unwrap_or(Column::USUAL.into());
    Ok(Plan {
        format,
        columns: Column::list(&columns).map_err(|why| Failure::bad_request(format!("columns: {why}")))?,
        postcode: params.get("postcode_column").map(Into::into),
        prefix: params.get("prefix").unwrap_or_default().into(),
    })
}

pub(super) fn format(headers: &HeaderMap) -> Result<Format, Failure> {
    let given = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let essence = given.as_deref().and_then(|given| given.split(';').next()).unwrap_or_default().trim();
    match &*essence.to_ascii_lowercase() {
        "text/csv" => Ok(Format::Csv),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Format::Ndjson),
        other => {
            let text = format!(
                "Rows of Content-Type {} can't be enriched: send text/csv or application/x-ndjson",
                short(other)
            );
            Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text, "unsupported_media_type"))
        }
    }
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
            Error::Read(why) => Self::bad_request(format!("The rows could not be read: {why}")),
            Error::Lookup(error) => error.into(),
        }
    }
}
