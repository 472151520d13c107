//! Request bodies: from bytes to a JSON object.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::body::Bytes;
use postcode_edge::{MediaType, Place, ReadError};
use postcode_tables::packed::{self, Packing};
use serde_json::{Map, Value};

use super::problem::Problem;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);
/// How long a file may take.
const FILE_TIME: Duration = Duration::from_secs(300);

/// The body that a route expects.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The accepted content types.
    pub types: &'a [&'a str],
    /// The largest size in bytes.
    pub max: usize,
    /// The `code` of the error if the JSON is not an object.
    pub code: &'static str,
    /// The expected form, for the message of that error.
    pub form: &'a str,
}

/// Reads the JSON object in a request's body.
///
/// # Errors
/// 415 for another content type or coding; 413 for too many bytes; 408 if they don't arrive
/// within ten seconds; 400 if the body is cut off or is not JSON; 422 with `expected.code` if the
/// JSON is not an object.
pub async fn object(request: Request, expected: Expected<'_>) -> Result<Map<String, Value>, Problem> {
    check_type(request.headers(), expected.types)?;
    let coding = coding(request.headers())?;
    let bytes = read(request, expected.max, BODY_TIME).await?;
    let bytes = match coding {
        Packing::Plain => bytes,
        packing => unpacked(bytes, packing, expected.max).await?,
    };
    match serde_json::from_slice(without_mark(&bytes)) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => {
            let detail = format!("the body is {}: give {}", kind(&other), expected.form);
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, expected.code, detail))
        }
        Err(error) => {
            let detail = format!("the body is not valid JSON: {error}");
            Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_json", detail))
        }
    }
}

/// Reads a file from a request's body, with more time.
///
/// # Errors
/// As [`object`], except for the errors about JSON.
pub(super) async fn file(
    request: Request,
    types: &[&str],
    max: usize,
    place: &Arc<Place>,
) -> Result<Vec<u8>, Problem> {
    check_type(request.headers(), types)?;
    if request.body().size_hint().lower() > max as u64 {
        return Err(too_large(max));
    }
    let counted = request.map(|body| Body::from_stream(place.counted(body.into_data_stream())));
    let bytes = read(counted, max, FILE_TIME).await?;
    // The rest of the work is the server's. If the place was lost at the last moment, another client has it.
    if !place.keep() {
        let detail = "the file came too slowly while others waited: send it again";
        return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail));
    }
    Ok(bytes.into())
}

/// Reads the fields of an HTML form from a request's body, in their order.
///
/// # Errors
/// As [`object`], except for the errors about JSON.
pub(super) async fn form(request: Request, max: usize) -> Result<Vec<(String, String)>, Problem> {
    check_type(request.headers(), &["application/x-www-form-urlencoded"])?;
    let bytes = read(request, max, BODY_TIME).await?;
    Ok(form_urlencoded::parse(&bytes).into_owned().collect())
}

/// Names the type of a JSON value, for errors.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn check_type(headers: &HeaderMap, allowed: &[&str]) -> Result<(), Problem> {
    let unsupported = |detail: String| {
        Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
    };
    let media = MediaType::of(headers).unwrap_or(MediaType::parse(""));
    if !allowed.contains(&media.name()) {
        let given: String = media.name().chars().take(80).collect();
        return unsupported(format!("a Content-Type of {given:?}: give {}", allowed.join(" or ")));
    }
    // The encoding of a table is found by what stands in it.
    if media.name().ends_with("json") && !media.is_utf8() {
        let charset: String = media.charset().unwrap_or_default().chars().take(40).collect();
        return unsupported(format!("JSON in the charset {charset:?}: send it in UTF-8"));
    }
    Ok(())
}

/// Returns how a request's body is packed.
pub(super) fn coding(headers: &HeaderMap) -> Result<Packing, Problem> {
    let codings = headers.get_all(header::CONTENT_ENCODING).iter().map(HeaderValue::as_bytes);
    Packing::of_codings(codings).map_err(|coding| Problem::unknown_coding(&coding))
}

/// Unpacks a body within the bound of the plain one.
async fn unpacked(bytes: Bytes, packing: Packing, max: usize) -> Result<Bytes, Problem> {
    let unpack = move || packed::unpack_body(&bytes, packing, max);
    let broken = |error: String| {
        let detail = format!("the body can't be unpacked as its Content-Encoding says: {error}");
        Problem::new(StatusCode::BAD_REQUEST, "invalid_body", detail)
    };
    match tokio::task::spawn_blocking(unpack).await {
        Ok(Ok(plain)) => Ok(plain.into()),
        Ok(Err(error)) if error.kind() == ErrorKind::FileTooLarge => Err(too_large(max)),
        Ok(Err(error)) => Err(broken(error.to_string())),
        Err(error) => Err(broken(error.to_string())),
    }
}

/// Takes off the byte order mark that some programs put before JSON.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

/// Reads the body. The request counts as in progress once the body has arrived.
async fn read(request: Request, max: usize, time: Duration) -> Result<Bytes, Problem> {
    let late = |detail: String| Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail);
    match tokio::time::timeout(time, postcode_edge::read(request, max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(ReadError::TooLarge)) => Err(too_large(max)),
        Ok(Err(ReadError::TooSlow)) => Err(late("the body came too slowly: send it faster".to_owned())),
        Ok(Err(ReadError::Broken(error))) => {
            let detail = format!("the body was cut off: {error}");
            Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_body", detail))
        }
        Ok(Err(ReadError::Refused(refused))) => Err(refused.into()),
        Err(_) => Err(late(format!("the body did not arrive within {time:?}"))),
    }
}

fn too_large(max: usize) -> Problem {
    let detail = format!("the body is too large: give at most {max} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}
