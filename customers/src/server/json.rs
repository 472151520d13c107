//! Request bodies: from bytes to a JSON object.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};

use super::problem::Problem;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);
/// How long a file may take.
const FILE_TIME: Duration = Duration::from_secs(300);

/// What a route takes for a body.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The content types.
    pub types: &'a [&'a str],
    /// The most bytes.
    pub max: usize,
    /// The `code` of a body that is JSON and no object.
    pub code: &'static str,
    /// What to give instead of that, for its message.
    pub form: &'a str,
}

/// The object in a request's body.
///
/// # Errors
/// 415 for another content type, or an encoding; 413 for too many bytes; 408 if they don't come within ten seconds; 400 if
/// they break off or are no JSON; 422 with `expected.code` for JSON that is no object.
pub async fn object(request: Request, expected: Expected<'_>) -> Result<Map<String, Value>, Problem> {
    let (head, body) = request.into_parts();
    check_type(&head.headers, expected.types)?;
    match serde_json::from_slice(&read(body, expected.max, BODY_TIME).await?) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => {
            let detail = format!("the body is {}: give {}", kind(&other), expected.form);
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, expected.code, detail))
        }
        Err(error) => {
            let detail = format!("the body is no JSON: {error}");
            Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_json", detail))
        }
    }
}

/// A file in a request's body, which may take its time.
///
/// # Errors
/// As [`object`], but for what JSON is.
pub(super) async fn file(request: Request, types: &[&str], max: usize) -> Result<Vec<u8>, Problem> {
    let (head, body) = request.into_parts();
    check_type(&head.headers, types)?;
    read(body, max, FILE_TIME).await
}

/// What a value in JSON is, for errors.
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
    let given = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    // Parameters, such as a charset that JSON does not have, say nothing here.
    let given = given.as_deref().and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if !allowed.iter().any(|allowed| given.eq_ignore_ascii_case(allowed)) {
        return unsupported(format!("a Content-Type of {given:?}: give {}", allowed.join(" or ")));
    }
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return unsupported("a Content-Encoding: send the body as it is".into());
    }
    Ok(())
}

async fn read(body: Body, max: usize, time: Duration) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        let detail = format!("the body is too large: give at most {max} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    };
    // Said beforehand, it need not be read.
    if body.size_hint().lower() > max as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(time, Limited::new(body, max).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes().into()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => {
            let detail = format!("the body broke off: {error}");
            Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_body", detail))
        }
        Err(_) => {
            let detail = format!("the body did not arrive within {time:?}");
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail))
        }
    }
}
