//! The headers of a change: its actor, the expected revisions, and the idempotency key.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use postcode_edge::MediaType;

use super::App;
use super::problem::Problem;
use crate::service::check_key;
use crate::{Customers, Error};

/// Names who makes a change. With tokens it is set from the caller's token. Without tokens the
/// operator's proxy sets it, and clients must not be able to bypass that proxy.
pub(super) const ACTOR: &str = "customers-actor";
const KEY: &str = "idempotency-key";

/// The customers as this request may change them, and its idempotency key.
pub(super) struct Given {
    /// Bound to the actor and to the revisions in `If-Match`.
    pub(super) customers: Customers,
    pub(super) key: Option<String>,
    /// Whether the request states the expected revision, or does not have to.
    conditional: bool,
    /// Whether the request has a header that a page can send only to its own site.
    deliberate: bool,
}

impl Given {
    /// Returns the customers for a change of an existing one.
    pub(super) fn into_changing(self) -> Result<Customers, Problem> {
        if self.conditional {
            return Ok(self.customers);
        }
        let detail = "send If-Match with the ETag of the customer as you read it, so that nobody's change is overwritten";
        Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "precondition_required", detail))
    }
}

impl Given {
    /// Checks a request without a body, which a form on another site could send.
    pub(super) fn deliberate(self) -> Result<Self, Problem> {
        if self.deliberate {
            return Ok(self);
        }
        let detail = "send If-Match with the ETag of the customer as you read it, or If-Match: * for any revision: no form of \
                      another site can send that";
        Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "precondition_required", detail))
    }
}

impl FromRequestParts<App> for Given {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let mut customers = app.customers.clone();
        if let Some(actor) = text(&parts.headers, ACTOR)? {
            customers = customers.by(&actor).map_err(|error| in_header(ACTOR, error))?;
        }
        let condition = text(&parts.headers, header::IF_MATCH.as_str())?;
        let conditional = condition.is_some() || !app.options.require_if_match;
        let json = MediaType::of(&parts.headers).is_some_and(|media| media.name() == "application/json");
        let deliberate = condition.is_some() || json;
        match condition.as_deref().map(str::trim) {
            None | Some("*") => {}
            Some(tags) => customers = customers.at(&revisions(header::IF_MATCH.as_str(), tags)?),
        }
        let key = text(&parts.headers, KEY)?;
        if let Some(key) = &key {
            check_key(key).map_err(|error| in_header(KEY, error))?;
        }
        Ok(Self { customers, key, conditional, deliberate })
    }
}

/// Returns the `ETag` header of a customer, which its parts share.
pub(super) fn etag(revision: i64) -> (HeaderName, HeaderValue) {
    // Digits between quotes are always a valid header value.
    let value = HeaderValue::from_str(&format!("\"{revision}\"")).unwrap_or(HeaderValue::from_static("\"\""));
    (header::ETAG, value)
}

/// Returns whether `If-None-Match` names this revision.
pub(super) fn has(headers: &HeaderMap, revision: i64) -> Result<bool, Problem> {
    let name = header::IF_NONE_MATCH;
    let Some(tags) = text(headers, name.as_str())? else { return Ok(false) };
    if tags.trim() == "*" {
        return Ok(true);
    }
    // Compared weakly: RFC 9110 section 13.1.2.
    Ok(revisions(name.as_str(), &tags.replace("W/", ""))?.contains(&revision))
}

/// Parses the revisions in a list of entity tags. Weak and unknown tags match nothing.
fn revisions(name: &str, tags: &str) -> Result<Vec<i64>, Problem> {
    let mut revisions = Vec::new();
    for tag in tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        let strong = tag.strip_prefix("W/").unwrap_or(tag);
        let Some(opaque) = strong.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
            let what =
                format!("{name}: {tag:?} is not an entity tag: send the ETag unchanged, with its quotes");
            return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_header", what));
        };
        if !tag.starts_with("W/") {
            revisions.extend(opaque.parse::<i64>());
        }
    }
    Ok(revisions)
}

/// Returns the value of a header, with several lines joined.
fn text(headers: &HeaderMap, name: &str) -> Result<Option<String>, Problem> {
    let mut all: Vec<&str> = Vec::new();
    for value in headers.get_all(name) {
        let text = std::str::from_utf8(value.as_bytes()).map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "invalid_header", format!("{name}: is not UTF-8"))
        })?;
        all.push(text);
    }
    Ok((!all.is_empty()).then(|| all.join(",")))
}

/// Turns a domain error into a problem with that header.
fn in_header(name: &str, error: Error) -> Problem {
    match error {
        Error::Invalid(invalid) => {
            let what = invalid.errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>();
            let detail = format!("{name}: {}", what.join("; "));
            Problem::new(StatusCode::BAD_REQUEST, "invalid_header", detail)
        }
        error => error.into(),
    }
}
