//! Errors as RFC 9457 problem details.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use postcode_core::{ErrorKind, Postcode};
use postcode_edge::Refused;
use postcode_tables::packed::CODINGS;
use serde::Serialize;
use tracing::{error, warn};

use crate::{Error, FieldError, Invalid};

/// The most bytes of a message: some name a part of the request, which may be long.
const MAX_DETAIL: usize = 1_000;

/// The body of every error response: `application/problem+json`.
#[derive(Debug, Serialize)]
pub struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    /// The stable code that clients decide by.
    code: &'static str,
    detail: Box<str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// The value of `WWW-Authenticate`.
    #[serde(skip)]
    challenge: Option<Box<HeaderValue>>,
    /// The value of `Accept-Encoding`.
    #[serde(skip)]
    codings: Option<Box<HeaderValue>>,
    /// The seconds after which to try again, if known.
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    /// Creates a problem from its status, its stable code, and a message for people, of which at most 1,000 bytes are kept.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if detail.len() > MAX_DETAIL {
            detail.truncate(detail.floor_char_boundary(MAX_DETAIL));
            detail.push('…');
        }
        Self {
            // The title is the status's: RFC 9457 section 4.2.1.
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code,
            detail: detail.into_boxed_str(),
            errors: Vec::new(),
            challenge: None,
            codings: None,
            retry_after: None,
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Returns the message: what is wrong, and what to do.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// Adds an error in one field.
    pub(super) fn about(mut self, error: FieldError) -> Self {
        self.errors.push(error);
        self
    }

    /// Adds the `WWW-Authenticate` header.
    pub fn challenge(mut self, challenge: HeaderValue) -> Self {
        self.challenge = Some(Box::new(challenge));
        self
    }

    /// Builds the refusal of a coding. Says in `Accept-Encoding` which codings are read (RFC 9110,
    /// section 15.5.16).
    pub(super) fn unknown_coding(coding: &str) -> Self {
        let coding: String = coding.chars().take(40).collect();
        let detail = format!("the Content-Encoding {coding:?} is not supported: send {CODINGS}, or none");
        let problem = Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail);
        Self { codings: Some(Box::new(HeaderValue::from_static(CODINGS))), ..problem }
    }

    pub(super) fn no_customer(id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "customer_not_found", format!("there is no customer {id}"))
    }

    pub(super) fn no_map(postcode: Postcode) -> Self {
        let detail = format!("{postcode} has no location, so there is no map of it");
        Self::new(StatusCode::NOT_FOUND, "no_location", detail)
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_customer", invalid.to_string());
        Self { errors: invalid.errors, ..problem }
    }
}

/// Maps a reached request limit.
impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let problem = match refused {
            Refused::Shed => {
                let detail = "too many requests at once: try again in a moment";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
            }
            Refused::Client => {
                let detail = "too many of your requests at once: wait for some to be answered";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail)
            }
            Refused::Rate(_) => {
                let detail = "too many of your requests in a short time: Retry-After says when to try again";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail)
            }
        };
        Self { retry_after: Some(refused.retry_after()), ..problem }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(invalid) => invalid.into(),
            Error::Listing(detail) => Self::new(StatusCode::BAD_REQUEST, "invalid_query", detail),
            Error::NotFound(id) => Self::no_customer(&id.to_string()),
            Error::NoAddress(..) => Self::new(StatusCode::NOT_FOUND, "address_not_found", error.to_string()),
            Error::MainAddress(..) => Self::new(StatusCode::CONFLICT, "main_address", error.to_string()),
            Error::EmailTaken(_) => Self::new(StatusCode::CONFLICT, "email_taken", error.to_string()),
            Error::Precondition(..) => {
                Self::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", error.to_string())
            }
            Error::KeyReused => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", error.to_string())
            }
            Error::Lookup(lookup) => match lookup.kind() {
                ErrorKind::InvalidInput => {
                    Self::new(StatusCode::BAD_REQUEST, "invalid_query", lookup.to_string())
                }
                ErrorKind::NotSupported => {
                    Self::new(StatusCode::NOT_IMPLEMENTED, "not_supported", lookup.to_string())
                }
                _ => {
                    warn!(error = %lookup, "the postcode lookup failed");
                    let detail = "the postcode lookup does not answer: try again later. Accounts are accepted without it";
                    Self::new(StatusCode::SERVICE_UNAVAILABLE, "lookup_unavailable", detail)
                }
            },
            Error::Addresses(lookup) if lookup.kind() == ErrorKind::NotSupported => {
                Self::new(StatusCode::NOT_IMPLEMENTED, "not_supported", lookup.to_string())
            }
            Error::Addresses(lookup) => {
                warn!(error = %lookup, "the address lookup failed");
                let detail = "the address lookup does not answer: type the address, or try again later";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "lookup_unavailable", detail)
            }
            Error::BadImport(detail) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_import", detail),
            Error::NoImport(_) => Self::new(StatusCode::NOT_FOUND, "import_not_found", error.to_string()),
            Error::TooManyImports => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_imports", error.to_string())
            }
            Error::ImportsFull | Error::ImportShareFull => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "insufficient_storage", error.to_string())
            }
            Error::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", error.to_string()),
            Error::Store(error) if error.is_timeout() => too_long(error.to_string()),
            Error::Store(error) => {
                error!(%error, "the store failed");
                if error.is_no_room() {
                    let detail = "the disk of the account database is full: nothing was stored. Try again when there is room";
                    Self::new(StatusCode::INSUFFICIENT_STORAGE, "insufficient_storage", detail)
                } else if error.is_busy() {
                    let detail = "the account database is overloaded or does not answer: try again";
                    Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_busy", detail)
                } else if error.is_unavailable() {
                    let detail = "the account database can't be reached; the server's log says why";
                    Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail)
                } else {
                    // The message may name files and data, so it goes to the log only.
                    let detail = "the account database failed; the server's log says why";
                    Self::new(StatusCode::INTERNAL_SERVER_ERROR, "store_failed", detail)
                }
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let challenge = self.challenge.take();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (known, codings) = (self.retry_after, self.codings.take());
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, *challenge);
        }
        if let Some(codings) = codings {
            headers.insert(header::ACCEPT_ENCODING, *codings);
        }
        let again = match status {
            StatusCode::SERVICE_UNAVAILABLE => Some(1),
            // An import takes a while, and so does freeing disk space.
            StatusCode::TOO_MANY_REQUESTS | StatusCode::INSUFFICIENT_STORAGE => Some(5),
            _ => None,
        };
        if let Some(seconds) = known.or(again) {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Builds the response for a request that took too long. `what` says what took too long.
pub(super) fn too_long(what: String) -> Problem {
    let detail =
        format!("{what}: ask for less, such as a smaller radius or a more exact filter, or try again");
    Problem::new(StatusCode::GATEWAY_TIMEOUT, "timeout", detail)
}
