//! `/dataset`: the dataset file itself, for a replica to download, whole or a range of it. Not in
//! postcodes.io.

pub(super) mod range;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_MATCH,
    IF_NONE_MATCH, IF_RANGE, LINK, RANGE,
};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use postcode_core::ErrorKind;
use postcode_core::wire::path::{DATASET, DATASET_SIGNATURE};
use postcode_core::wire::{EDITION_HEADER, REPR_DIGEST_HEADER};
use postcode_edge::ClientKey;

use super::failure::{Failure, Outcome};
use super::finish::matches;
use super::state::File;
use super::{App, Edition};
use range::Wanted;

const TYPE: HeaderValue = HeaderValue::from_static("application/octet-stream");
const NAME: HeaderValue = HeaderValue::from_static("attachment; filename=\"uk.postcodes\"");
/// A link to the source, licence and attribution, which must accompany the data.
const ABOUT: HeaderValue = HeaderValue::from_static("<dataset/info>; rel=\"describedby\"");

pub(super) fn routes() -> Router<App> {
    Router::new().route(DATASET, get(file)).route(DATASET_SIGNATURE, get(signature))
}

/// Answers with the signature of the file.
async fn signature(State(app): State<App>) -> Outcome {
    let edition = app.edition();
    let file = offered(&edition)?;
    let Some(signature) = &file.signature else {
        let text = "The dataset file of this server is not signed";
        return Err(Failure::not_found(text, "dataset_not_signed"));
    };
    let mut response = described(&edition, StatusCode::OK, &file.etag);
    response.headers_mut().remove(ACCEPT_RANGES);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    *response.body_mut() = Body::from(signature.clone());
    Ok(response)
}

fn offered(edition: &Edition) -> Result<&File, Failure> {
    let text = "This server has no dataset file to give. It may be in front of another one";
    let none = || Failure::new(StatusCode::NOT_IMPLEMENTED, text, ErrorKind::NotSupported.code());
    edition.file.as_ref().ok_or_else(none)
}

async fn file(State(app): State<App>, extensions: Extensions, method: Method, headers: HeaderMap) -> Outcome {
    let edition = app.edition();
    let file = offered(&edition)?;
    if headers.get(IF_NONE_MATCH).is_some_and(|known| matches(known, &file.etag)) {
        return Ok(described(&edition, StatusCode::NOT_MODIFIED, &file.etag));
    }
    // A client that resumes a download does not want another edition.
    if headers.get(IF_MATCH).is_some_and(|due| !holds(due, &file.etag)) {
        return Ok(described(&edition, StatusCode::PRECONDITION_FAILED, &file.etag));
    }
    let len = file.dataset.as_bytes().len();
    // Otherwise the client would join a range of another edition to its part of this one.
    let same = headers.get(IF_RANGE).is_none_or(|known| *known == file.etag);
    let wanted = headers.get(RANGE).filter(|_| same).map_or(Wanted::All, |range| range::parse(range, len));
    let (status, part) = match wanted {
        Wanted::All => (StatusCode::OK, 0..len),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Nothing => {
            let mut response = described(&edition, StatusCode::RANGE_NOT_SATISFIABLE, &file.etag);
            response.headers_mut().insert(CONTENT_RANGE, value(format!("bytes */{len}"))?);
            return Ok(response);
        }
    };
    let digest = file.digest().await?;
    let mut response = described(&edition, status, &file.etag);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, TYPE);
    headers.insert(CONTENT_DISPOSITION, NAME);
    headers.insert(LINK, ABOUT);
    headers.insert(HeaderName::from_static(REPR_DIGEST_HEADER), digest);
    headers.insert(CONTENT_LENGTH, part.len().into());
    if status == StatusCode::PARTIAL_CONTENT {
        let last = part.end.saturating_sub(1);
        headers.insert(CONTENT_RANGE, value(format!("bytes {}-{last}/{len}", part.start))?);
    }
    if method != Method::HEAD {
        *response.body_mut() = app.downloads.send(ClientKey::of(&extensions), file.dataset.clone(), part)?;
    }
    Ok(response)
}

/// Strong comparison (RFC 9110, section 13.1.1); ours is a strong tag.
fn holds(due: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(due), Ok(etag)) = (due.to_str(), etag.to_str()) else { return false };
    due.trim() == "*" || due.split(',').any(|tag| tag.trim() == etag)
}

/// Starts a response with the headers that every answer about the file has.
fn described(edition: &Edition, status: StatusCode, etag: &HeaderValue) -> Response {
    let headers = [
        (ETAG, etag.clone()),
        (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (HeaderName::from_static(EDITION_HEADER), edition.fingerprint.clone()),
    ];
    (status, headers, Body::empty()).into_response()
}

fn value(text: String) -> Result<HeaderValue, Failure> {
    HeaderValue::try_from(text).map_err(|e| Failure::internal(format!("a header could not be written: {e}")))
}
