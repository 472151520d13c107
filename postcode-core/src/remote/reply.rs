//! Turns an HTTP response into an answer or the right error.

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::retry_after;
use crate::wire::compact::{self, CompactBody};
use crate::wire::{EDITION_HEADER, ErrorBody, REQUEST_ID_HEADER, Success, code};
use crate::{Error, ErrorKind, Result};

/// A response whose meaning depends on the operation.
pub(super) struct Reply {
    /// Method and URL, for errors.
    place: String,
    /// The fingerprint of the dataset that answered; missing from a postcodes.io server.
    pub(super) edition: Option<Box<str>>,
    request_id: Option<String>,
    /// The most records that were asked for.
    most: usize,
    said: Said,
}

enum Said {
    /// 2xx with JSON.
    Success(Bytes),
    /// 2xx in the compact encoding.
    Compact(Bytes),
    /// 404 with an error body, which is an answer for some operations.
    Missing(Box<ErrorBody>),
    /// 400 with an error body: a postcode without a location is reported this way.
    Refused(Box<ErrorBody>),
}

/// Separates responses that an operation has to look at from those that are always an error. The request
/// was for at most `most` records.
pub(super) fn read(place: String, response: http::Response<Bytes>, most: usize) -> Result<Reply> {
    let (parts, body) = response.into_parts();
    let (status, headers) = (parts.status, parts.headers);
    let request_id = text(&headers, REQUEST_ID_HEADER);
    let edition = text(&headers, EDITION_HEADER).map(String::into_boxed_str);
    let reply = |said| Reply { place: place.clone(), edition, request_id: request_id.clone(), most, said };
    let json = is_json(&headers);
    if status.is_success() && is_compact(&headers) {
        return Ok(reply(Said::Compact(body)));
    }
    if status.is_success() && json {
        return Ok(reply(Said::Success(body)));
    }
    let error_body = if json { serde_json::from_slice::<ErrorBody>(&body).ok() } else { None };
    match error_body {
        Some(body) if status == StatusCode::NOT_FOUND => Ok(reply(Said::Missing(Box::new(body)))),
        Some(body) if status == StatusCode::BAD_REQUEST => Ok(reply(Said::Refused(Box::new(body)))),
        Some(body) if !status.is_success() => Err(failure(status, body, request_id)
            .with_retry_after(retry_after::parse(&headers, SystemTime::now()))
            .at(place)),
        _ => Err(foreign(status, &headers, &body)
            .with_request_id(request_id)
            .with_retry_after(retry_after::parse(&headers, SystemTime::now()))
            .at(place)),
    }
}

impl Reply {
    /// Returns the result of a success; anything else is an error.
    pub(super) fn result<T: DeserializeOwned>(&self) -> Result<T> {
        self.body::<Success<T>>().map(|success| success.result)
    }

    /// Returns the whole body of a success.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T> {
        match &self.said {
            Said::Success(body) => serde_json::from_slice(body).map_err(|e| self.unreadable(body, e)),
            Said::Compact(_) => Err(self.protocol("a compact answer, which was not asked for")),
            Said::Missing(body) => {
                Err(failure(StatusCode::NOT_FOUND, (**body).clone(), self.request_id.clone()).at(&self.place))
            }
            Said::Refused(body) => {
                Err(failure(StatusCode::BAD_REQUEST, (**body).clone(), self.request_id.clone())
                    .at(&self.place))
            }
        }
    }

    /// Returns a success in the compact encoding; `None` for anything else.
    pub(super) fn compact(&self) -> Option<Result<CompactBody<'_>>> {
        let Said::Compact(body) = &self.said else { return None };
        Some(CompactBody::read(body, self.most).map_err(|error| self.place(error)))
    }

    /// Returns the error of a compact answer to another question.
    pub(super) fn other_form(&self) -> Error {
        self.protocol("a compact answer of another form than was asked for")
    }

    /// Returns the result of a success, or `None` for a 404 with one of these codes. Postcodes.io
    /// servers send no codes, so their messages are compared.
    pub(super) fn result_unless<T: DeserializeOwned>(
        &self,
        codes: &[&str],
        messages: &[&str],
    ) -> Result<Option<T>> {
        if self.says(codes, messages) { Ok(None) } else { self.result().map(Some) }
    }

    /// Returns whether it is a 404 or 400 with one of these codes or messages.
    pub(super) fn says(&self, codes: &[&str], messages: &[&str]) -> bool {
        let (Said::Missing(body) | Said::Refused(body)) = &self.said else { return false };
        match &body.code {
            Some(code) => codes.contains(&code.as_str()),
            None => messages.contains(&body.error.as_str()),
        }
    }

    /// Returns an error if the server has no such route: it is postcodes.io, or an older
    /// postcode-service.
    pub(super) fn has_route(&self, operation: &str) -> Result<()> {
        if !self.says(&[code::RESOURCE_NOT_FOUND], &["Resource not found"]) {
            return Ok(());
        }
        let message = format!(
            "the server does not support the {operation}: it is not a postcode-service, or an old one, or the base URL is wrong"
        );
        Err(self.place(Error::new(ErrorKind::NotSupported, message)))
    }

    /// Returns the body of a 404.
    pub(super) fn missing(&self) -> Option<&ErrorBody> {
        match &self.said {
            Said::Missing(body) => Some(body),
            _ => None,
        }
    }

    /// Creates the error of an answer that makes no sense.
    pub(super) fn protocol(&self, message: impl Into<String>) -> Error {
        self.place(Error::new(ErrorKind::Protocol, message.into()))
    }

    /// Adds method and URL before an error.
    pub(super) fn place(&self, error: Error) -> Error {
        error.with_request_id(self.request_id.clone()).at(&self.place)
    }

    fn unreadable(&self, body: &[u8], error: serde_json::Error) -> Error {
        let what = match error.classify() {
            Category::Eof => "the JSON is cut off",
            Category::Syntax => "the response is not valid JSON",
            Category::Data | Category::Io => "the JSON does not have the expected fields",
        };
        self.protocol(format!("{what} ({error}): {}", excerpt(body))).with_source(error)
    }
}

/// Creates the error of a body in our or postcodes.io's format: its kind comes from the code, or
/// else from the status.
fn failure(status: StatusCode, body: ErrorBody, request_id: Option<String>) -> Error {
    let by_code = body.code.as_deref().and_then(kind_of_code);
    let kind = by_code.unwrap_or_else(|| kind_of_status(status));
    let mut message = format!("the server answers {}: {}", status.as_u16(), one_line(&body.error));
    if let (Some(code), None) = (&body.code, by_code) {
        message += &format!(" (code {:?})", one_line(code));
    }
    if status == StatusCode::NOT_FOUND && kind == ErrorKind::Protocol {
        message += ": is the base URL right?";
    }
    let error = Error::new(kind, message).with_request_id(body.request_id.or(request_id));
    // The server knows better than the kind whether the error is permanent.
    if body.retryable == Some(false) && error.is_transient() { error.into_persistent() } else { error }
}

/// Creates the error of a response that neither we nor postcodes.io would send.
fn foreign(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let kind = match kind_of_status(status) {
        kind if kind == ErrorKind::Timeout || status.is_server_error() => kind,
        ErrorKind::Overloaded => ErrorKind::Overloaded,
        _ => ErrorKind::Protocol,
    };
    let number = status.as_u16();
    let content = match headers.get(header::CONTENT_TYPE) {
        Some(content) => format!("{} in place of JSON", excerpt(content.as_bytes())),
        None => "no content type in place of JSON".to_owned(),
    };
    let message = match (status, headers.get(header::LOCATION)) {
        (status, Some(location)) if status.is_redirection() => format!(
            "the server answers {number} and redirects to {}: redirects are not followed, so give the address of the service",
            excerpt(location.as_bytes())
        ),
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED, _) => {
            format!("the server answers {number}: check the user and password, or the token")
        }
        _ if is_json(headers) => {
            format!("the server answers {number} with unknown JSON: {}", excerpt(body))
        }
        _ => format!("the server answers {number} with {content}, is the base URL right? {}", excerpt(body)),
    };
    Error::new(kind, message)
}

fn kind_of_code(text: &str) -> Option<ErrorKind> {
    ErrorKind::from_code(text).or(match text {
        code::INVALID_POSTCODE => Some(ErrorKind::InvalidInput),
        // Each of these answers some operation. Anywhere else the server misunderstood the request.
        code::RESOURCE_NOT_FOUND
        | code::POSTCODE_NOT_FOUND
        | code::NOT_COVERED
        | code::TERMINATED_NOT_FOUND
        | code::OUTCODE_NOT_FOUND
        | code::AREA_NOT_FOUND
        | code::SECTOR_NOT_FOUND
        | code::PLACE_NOT_FOUND
        | code::NOT_SCOTTISH
        | code::NO_LOCATION => Some(ErrorKind::Protocol),
        _ => None,
    })
}

fn kind_of_status(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        400 | 413..=415 | 422 => ErrorKind::InvalidInput,
        408 | 504 => ErrorKind::Timeout,
        429 | 503 => ErrorKind::Overloaded,
        501 => ErrorKind::NotSupported,
        502 => ErrorKind::Unavailable,
        500..=599 => ErrorKind::Internal,
        _ => ErrorKind::Protocol,
    }
}

/// Returns whether the content type is `application/json` or `application/…+json`, with any
/// parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(content) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = content.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Returns whether the content type is the compact encoding.
fn is_compact(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(compact::is_compact)
}

/// Returns a header of printable characters and of sensible length.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (!value.is_empty() && value.len() <= 256).then(|| value.to_owned())
}

/// Returns the start of the body, in quotes, printable.
fn excerpt(bytes: &[u8]) -> String {
    const LONGEST: usize = 120;
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]);
    let more = if bytes.len() > LONGEST { "…" } else { "" };
    format!("{:?}{more}", start.trim())
}

/// Returns a server's message on one line, shortened to a sensible length.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 500;
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}
