//! What a request says beside its body: who it is from, which revision it is about, and that it is to be done once.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::App;
use super::problem::Problem;
use crate::service::check_key;
use crate::{Customers, Error};

/// Who makes a change. With tokens it is the caller's, which the guard has seen to; without, the operator's proxy sets it,
/// and clients must not reach this server past it.
pub(super) const ACTOR: &str = "customers-actor";
const KEY: &str = "idempotency-key";

/// The customers as this request may change them, and its idempotency key.
pub(super) struct Given {
    /// By the actor, and at the revisions of `If-Match`.
    pub(super) customers: Customers,
    pub(super) key: Option<String>,
    /// Whether a change of what is there has said which revision it is about, or need not.
    conditional: bool,
    /// Whether it has a header that a page can only send to its own site.
    deliberate: bool,
}

impl Given {
    /// For a change of what is there.
    pub(super) fn into_changing(self) -> Result<Customers, Problem> {
        if self.conditional {
            return Ok(self.customers);
        }
        let detail = "send If-Match with the ETag of the customer as you read it, so that nobody's change is overwritten";
        Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "precondition_required", detail))
    }
}

impl Given {
    /// For what takes no body, so that a form could send it.
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
        let json = text(&parts.headers, header::CONTENT_TYPE.as_str())?
            .and_then(|kind| Some(kind.split(';').next()?.trim().eq_ignore_ascii_case("application/json")))
            .unwrap_or_default();
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

/// The entity tag of a customer at a revision, and of all that is part of it.
pub(super) fn etag(revision: i64) -> (HeaderName, HeaderValue) {
    // Digits between quotes are a header's value.
    let value = HeaderValue::from_str(&format!("\"{revision}\"")).unwrap_or(HeaderValue::from_static("\"\""));
    (header::ETAG, value)
}

/// Whether `If-None-Match` says that the caller has this revision.
pub(super) fn has(headers: &HeaderMap, revision: i64) -> Result<bool, Problem> {
    let name = header::IF_NONE_MATCH;
    let Some(tags) = text(headers, name.as_str())? else { return Ok(false) };
    if tags.trim() == "*" {
        return Ok(true);
    }
    // Compared weakly: RFC 9110 section 13.1.2.
    Ok(revisions(name.as_str(), &tags.replace("W/", ""))?.contains(&revision))
}

/// The revisions in a list of entity tags. A weak one, and one that no customer ever had, is none: it matches nothing.
fn revisions(name: &str, tags: &str) -> Result<Vec<i64>, Problem> {
    let mut revisions = Vec::new();
    for tag in tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        let strong = tag.strip_prefix("W/").unwrap_or(tag);
        let Some(opaque) = strong.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
            let what = format!("{name}: {tag:?} is no entity tag: give an ETag as it was, with its quotes");
            return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_header", what));
        };
        if !tag.starts_with("W/") {
            revisions.extend(opaque.parse::<i64>());
        }
    }
    Ok(revisions)
}

/// The value of a header, those of several lines in one.
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

/// An error of the domain about what came in a header.
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
