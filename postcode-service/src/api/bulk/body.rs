//! Bodies of bulk requests: JSON, or a form.

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as HttpBody;
use postcode_core::ErrorKind;
use postcode_edge::{MediaType, ReadError};
use postcode_tables::packed::{self, Packing};
use serde_json::{Map, Value};

use super::{form, surrogates, values};
use crate::api::Limits;
use crate::api::enrich::coding;
use crate::api::failure::Failure;
use crate::enrich::short;

macro_rules! advice {
    ($start:literal) => {
        concat!(
            $start,
            "\nYou need to submit a JSON object with an array of postcodes or geolocation objects.",
            "\nAlso ensure that Content-Type is set to application/json\n"
        )
    };
}

/// Neither postcodes nor geolocations (the space is the peer's).
pub(super) const NO_QUERY: &str = advice!("Invalid JSON query submitted. ");
const NO_JSON: &str = advice!("Invalid JSON submitted.");

enum Kind {
    Json,
    Form,
}

/// The media type of GeoJSON (RFC 7946, section 12).
const GEO_JSON: &str = "application/geo+json";

fn kind(headers: &HeaderMap) -> Option<Kind> {
    let media = MediaType::of(headers)?;
    let kind = match media.name() {
        "application/json" => Kind::Json,
        "application/x-www-form-urlencoded" => Kind::Form,
        _ => return None,
    };
    media.is_utf8().then_some(kind)
}

/// Checks that a body is JSON and nothing else: a page of another site can send other types without asking.
pub(in crate::api) fn is_json(headers: &HeaderMap) -> Result<(), Failure> {
    match kind(headers) {
        Some(Kind::Json) => Ok(()),
        _ => {
            let text = "Content-Type is not application/json in UTF-8";
            Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text, "unsupported_media_type"))
        }
    }
}

/// Returns the object that was sent, which may be GeoJSON by its media type.
pub(in crate::api) async fn read_geo(
    request: Request,
    limits: Limits,
) -> Result<Map<String, Value>, Failure> {
    let media = MediaType::of(request.headers()).filter(|media| media.name() == GEO_JSON);
    match media.is_some_and(|media| media.is_utf8()) {
        true => json(&whole(request, limits.max_body).await?, limits.max_batch),
        false => read(request, limits).await,
    }
}

/// Returns the object that was sent. An array counts as an empty object.
pub(in crate::api) async fn read(request: Request, limits: Limits) -> Result<Map<String, Value>, Failure> {
    let Some(kind) = kind(request.headers()) else {
        let error = Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, NO_QUERY, "unsupported_media_type");
        let given =
            request.headers().get(CONTENT_TYPE).map(|given| String::from_utf8_lossy(given.as_bytes()));
        let given = given.map_or_else(|| "not given".to_owned(), |given| short(&given));
        return Err(error.advise(format!(
            "Content-Type is {given}: send application/json or application/x-www-form-urlencoded, in UTF-8"
        )));
    };
    let bytes = whole(request, limits.max_body).await?;
    match kind {
        Kind::Json => json(&bytes, limits.max_batch),
        Kind::Form => Ok(form::parse(&bytes, limits.max_batch)),
    }
}

/// Checks, for a method that a path does not have, whether the JSON that came with the request's
/// head is broken. Does not wait for more of the body, and does not judge an incomplete one.
pub(in crate::api) async fn check_what_came(request: Request, limits: Limits) -> Result<(), Failure> {
    let Some(Kind::Json) = kind(request.headers()) else { return Ok(()) };
    if request.headers().contains_key(CONTENT_ENCODING) {
        return Ok(());
    }
    let mut body = std::pin::pin!(collect(request.into_body(), limits.max_body));
    // Received data arrives within a few polls.
    for _ in 0..3 {
        if let std::task::Poll::Ready(bytes) = futures::poll!(body.as_mut()) {
            return json(&bytes?, limits.max_batch).map(drop);
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Reads the bytes of a body, whatever they are, and unpacks them. Neither the packed nor the
/// unpacked ones may be more than `max`. The request counts as in progress from then on.
pub(in crate::api) async fn whole(request: Request, max: usize) -> Result<Bytes, Failure> {
    let coding = coding(request.headers())?;
    unpacked(received(request, max).await?, coding, max).await
}

/// Unpacks a body on another thread, to at most `max` bytes.
pub(in crate::api) async fn unpacked(bytes: Bytes, coding: Packing, max: usize) -> Result<Bytes, Failure> {
    if coding == Packing::Plain {
        return Ok(bytes);
    }
    let unpack = move || packed::unpack_body(&bytes, coding, max);
    let unpacked =
        tokio::task::spawn_blocking(unpack).await.map_err(|error| Failure::internal(error.to_string()))?;
    unpacked.map(Bytes::from).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => too_large(max),
        _ => Failure::bad_request("The body can't be unpacked as its Content-Encoding says")
            .advise(error.to_string()),
    })
}

/// Reads the bytes of a body as they are sent, of which there may be `max`. The request counts as in
/// progress from then on.
pub(in crate::api) async fn received(request: Request, max: usize) -> Result<Bytes, Failure> {
    postcode_edge::read(request, max).await.map_err(|error| match error {
        ReadError::TooLarge => too_large(max),
        ReadError::TooSlow => {
            let text = "The body came too slowly: send it faster, or less of it";
            Failure::new(StatusCode::REQUEST_TIMEOUT, text, ErrorKind::Timeout.code()).retryable(None)
        }
        ReadError::Broken(_) => Failure::bad_request("The body ended before it was complete"),
        ReadError::Refused(refused) => refused.into(),
    })
}

async fn collect(body: Body, max: usize) -> Result<Bytes, Failure> {
    // A body whose announced length is too large is not read at all.
    if body.size_hint().lower() > max as u64 {
        return Err(too_large(max));
    }
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(e) if e.is::<LengthLimitError>() => Err(too_large(max)),
        Err(_) => Err(Failure::bad_request("The body ended before it was complete")),
    }
}

fn too_large(max: usize) -> Failure {
    let text =
        format!("The body is too large: send at most {max} bytes, and more postcodes in several requests");
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, text, "payload_too_large")
}

fn json(bytes: &[u8], most: usize) -> Result<Map<String, Value>, Failure> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    let read = values::read(bytes, most).or_else(|error| match surrogates::replaced(bytes) {
        Some(replaced) => values::read(&replaced, most),
        None => Err(error),
    });
    match read {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Array(_)) => Ok(Map::new()),
        // A bare value gets the same error as invalid JSON.
        Ok(_) => Err(Failure::bad_request(NO_JSON).advise("The body is JSON, but not an object")),
        Err(e) => Err(Failure::bad_request(NO_JSON).advise(format!("The body is not valid JSON: {e}"))),
    }
}

/// Returns whether JavaScript treats the value as false.
pub(super) fn is_falsy(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// Takes the value under a key, unless JavaScript treats it as false.
pub(super) fn take(body: &mut Map<String, Value>, key: &str) -> Option<Value> {
    body.get_mut(key).map(Value::take).filter(|value| !is_falsy(value))
}

pub(super) fn list(value: Value, what: &str, max: usize) -> Result<Vec<Value>, Failure> {
    match value {
        Value::Array(items) if items.len() > max => Err(Failure::bad_request(format!(
            "Too many {what} submitted. Up to {max} {what} can be bulk requested at a time"
        ))),
        Value::Array(items) => Ok(items),
        _ => Err(Failure::bad_request("Invalid data submitted. You need to provide a JSON array")),
    }
}
