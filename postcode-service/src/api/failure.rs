//! Errors as answers.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderValue, StatusCode};
use postcode_core::wire::{EDITION_HEADER, ErrorBody, RecordView, Shape, TerminatedBody, code};
use postcode_core::{Error, ErrorKind, ParseError, Record};
use postcode_edge::{Full, Refused};
use postcode_tables::packed::CODINGS;
use serde::Serialize;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// The result of a handler.
pub(super) type Outcome = Result<Response, Failure>;

/// The id of a request, as a request extension: error bodies name it.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// An error to answer with. Its body is written last, when the request's id is known.
#[derive(Clone, Debug)]
pub struct Failure {
    status: StatusCode,
    error: Cow<'static, str>,
    code: &'static str,
    retry_after: Option<u32>,
    retryable: bool,
    terminated: Option<Box<(Record, Shape)>>,
    advice: Option<Box<str>>,
    edition: Option<Box<HeaderValue>>,
    /// A header that the status requires: a challenge, the codings that are read, the methods that are allowed.
    header: Option<Box<(HeaderName, HeaderValue)>>,
    refused: Option<Refused>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, error: impl Into<Cow<'static, str>>, code: &'static str) -> Self {
        Self {
            status,
            error: error.into(),
            code,
            retry_after: None,
            retryable: false,
            terminated: None,
            advice: None,
            edition: None,
            header: None,
            refused: None,
        }
    }

    /// Builds the refusal of a coding. Says in `Accept-Encoding` which codings are read (RFC 9110,
    /// section 15.5.16).
    pub(super) fn unknown_coding(coding: &str) -> Self {
        let text = format!(
            "The Content-Encoding {} is not supported: send {CODINGS}, or none",
            crate::enrich::short(coding)
        );
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text, "unsupported_media_type")
            .with_header(ACCEPT_ENCODING, HeaderValue::from_static(CODINGS))
    }

    /// Builds the refusal of a method. Says in `Allow` which ones there are (RFC 9110, section 15.5.6).
    #[cfg(feature = "mcp")]
    pub(super) fn method_not_allowed(error: &'static str, allowed: &'static str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, error, "method_not_allowed")
            .with_header(http::header::ALLOW, HeaderValue::from_static(allowed))
    }

    /// Sets `WWW-Authenticate`.
    pub(super) fn challenge(self, challenge: HeaderValue) -> Self {
        self.with_header(WWW_AUTHENTICATE, challenge)
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    pub(super) fn bad_request(error: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, code::INVALID_INPUT)
    }

    pub(super) fn not_found(error: &'static str, code: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, error, code)
    }

    pub(super) fn no_route() -> Self {
        Self::not_found("Resource not found", code::RESOURCE_NOT_FOUND)
    }

    pub(crate) fn internal(error: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error, ErrorKind::Internal.code())
    }

    /// Marks the failure as retryable, after that many seconds if known.
    pub(crate) fn retryable(mut self, after: Option<u32>) -> Self {
        self.retryable = true;
        self.retry_after = after;
        self
    }

    /// Adds the fingerprint of the edition that the failure is based on.
    pub(super) fn by(mut self, fingerprint: &HeaderValue) -> Self {
        self.edition = Some(Box::new(fingerprint.clone()));
        self
    }

    /// Returns the fingerprint of the edition that the failure is based on.
    pub(super) fn edition(&self) -> Option<&HeaderValue> {
        self.edition.as_deref()
    }

    /// Marks a postcode whose area the data does not cover, so that not finding it proves nothing.
    pub(super) fn not_covered(mut self, advice: &str) -> Self {
        self.code = code::NOT_COVERED;
        self.advise(advice)
    }

    /// Adds what was wrong or what to do to the text of postcodes.io.
    pub(super) fn advise(mut self, advice: impl Into<Box<str>>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Builds "Invalid postcode", with the reason if the text was read by our own rules.
    pub(super) fn invalid_postcode(error: Option<ParseError>) -> Self {
        let failure = Self::not_found("Invalid postcode", code::INVALID_POSTCODE);
        match error {
            Some(error) => failure.explain(&error),
            None => failure,
        }
    }

    /// Adds what is wrong with a text, what it is instead, or what was probably meant.
    pub(super) fn explain(self, error: &ParseError) -> Self {
        self.advise(error.to_string())
    }

    pub(super) fn terminated(mut self, record: Record, shape: Shape) -> Self {
        self.terminated = Some(Box::new((record, shape)));
        self
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Builds the response with the JSON body.
    pub(crate) fn respond(self, request_id: Option<&RequestId>) -> Response {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Terminated<'a> {
            Compatible(TerminatedBody),
            Full(RecordView<'a>),
        }
        #[derive(Serialize)]
        struct Advised<'a> {
            #[serde(flatten)]
            body: ErrorBody<Terminated<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            advice: Option<&'a str>,
        }
        let mut body = ErrorBody::new(self.status.as_u16(), self.error, self.code);
        body.request_id = request_id.map(|id| id.0.clone());
        body.retryable = Some(self.retryable);
        body.terminated = self.terminated.as_deref().map(|(record, shape)| match shape {
            Shape::Compatible => Terminated::Compatible(record.into()),
            Shape::Extended => Terminated::Full(RecordView::new(record, Shape::Extended)),
        });
        let body = Advised { body, advice: self.advice.as_deref() };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (self.status, [(CONTENT_TYPE, JSON)], body).into_response();
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(edition) = self.edition {
            headers.insert(EDITION_HEADER, *edition);
        }
        if let Some((name, value)) = self.header.map(|header| *header) {
            headers.insert(name, value);
        }
        if let Some(refused) = self.refused {
            response.extensions_mut().insert(refused);
        }
        response
    }
}

/// The text tells the client what to do; causes go to the log only.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::InvalidInput => StatusCode::BAD_REQUEST,
            ErrorKind::NotSupported => StatusCode::NOT_IMPLEMENTED,
            ErrorKind::Unavailable | ErrorKind::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
            ErrorKind::Protocol => StatusCode::BAD_GATEWAY,
            ErrorKind::EditionMoved => StatusCode::PRECONDITION_FAILED,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() && error.kind() != ErrorKind::NotSupported {
            tracing::error!(error = ?error, "a lookup failed");
        }
        let failure = Self::new(status, error.message().to_owned(), error.kind().code());
        if error.is_transient() {
            let seconds = |after: Duration| u32::try_from(after.as_secs().max(1)).unwrap_or(u32::MAX);
            failure.retryable(error.retry_after().map(seconds))
        } else {
            failure
        }
    }
}

/// A limit of requests is reached.
impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let (status, text) = match refused {
            Refused::Shed => {
                (StatusCode::SERVICE_UNAVAILABLE, "Too many requests at once. Try again in a moment")
            }
            Refused::Client => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many of your requests at once. Wait for some to be answered",
            ),
            Refused::Rate(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many of your requests in a short time. Retry-After says when to try again",
            ),
        };
        let failure = Self::new(status, text, ErrorKind::Overloaded.code());
        Self { refused: Some(refused), ..failure.retryable(Some(refused.retry_after())) }
    }
}

/// A pool of places is full.
impl From<Full> for Failure {
    fn from(_: Full) -> Self {
        Self::from(Refused::Shed)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
