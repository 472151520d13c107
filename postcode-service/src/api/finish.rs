//! The last step of every answer: CORS, ETag, JSONP, and the body of an error.

use std::convert::Infallible;

use axum::body::{Body, to_bytes};
use axum::extract::MatchedPath;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_LENGTH,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use postcode_core::wire::{EDITION_HEADER, IF_EDITION_HEADER};
use postcode_core::{Error, ErrorKind};

use super::description::has_jsonp;
use super::failure::{Failure, JSON, RequestId};
use super::params::Params;

const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");

/// Answers OPTIONS on any path.
pub(super) fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET,POST,OPTIONS"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "X-Requested-With, Content-Type, Accept, Origin"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Marks the answers of a route that are not for pages of other origins.
#[derive(Clone, Copy, Debug)]
struct Private;

/// Marks the routes of a layer as private.
pub(super) async fn private(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.extensions_mut().insert(Private);
    response
}

/// The parts of a request that finishing its answer needs.
pub(super) struct Finish {
    request_id: Option<RequestId>,
    if_none_match: Option<HeaderValue>,
    if_edition: Option<HeaderValue>,
    method: Method,
    callback: Option<String>,
}

impl Finish {
    pub(super) fn of(request: &Request<Body>) -> Self {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let query = request.uri().query().filter(|query| query.contains("callback="));
        let callback = query.and_then(|query| {
            let params = Params::parse(Some(query));
            params.first("callback").filter(|name| !name.is_empty()).map(str::to_owned)
        });
        Self {
            request_id: request.extensions().get().cloned(),
            if_edition: request.headers().get(IF_EDITION_HEADER).cloned(),
            if_none_match: request.headers().get(IF_NONE_MATCH).filter(|_| reads).cloned(),
            method: request.method().clone(),
            callback,
        }
    }

    pub(super) async fn apply(self, mut response: Response) -> Response {
        let private = response.extensions_mut().remove::<Private>().is_some();
        let mut response = self.applied(response).await;
        if private {
            let headers = response.headers_mut();
            headers.remove(ACCESS_CONTROL_ALLOW_ORIGIN);
            headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        }
        response
    }

    /// Refuses an answer from another edition than the client demands. Checked on the answer, because
    /// the data may be replaced until then.
    fn of_edition(&self, response: Response) -> Response {
        let Some(demanded) = &self.if_edition else { return response };
        let failure = response.extensions().get::<Failure>();
        let actual = match failure {
            Some(failure) => failure.edition(),
            None => response.headers().get(EDITION_HEADER),
        };
        match actual {
            Some(actual) if actual != demanded => {
                let text = "The data has another edition now. Ask for the edition again, and begin anew";
                let failure = Failure::from(Error::new(ErrorKind::EditionMoved, text)).by(actual);
                let mut moved = failure.into_response();
                if let Some(route) = response.extensions().get::<MatchedPath>() {
                    moved.extensions_mut().insert(route.clone());
                }
                moved
            }
            _ => response,
        }
    }

    async fn applied(self, response: Response) -> Response {
        let mut response = self.of_edition(response);
        if let Some(failure) = response.extensions_mut().remove::<Failure>() {
            let extensions = std::mem::take(response.extensions_mut());
            let mut response = failure.respond(self.request_id.as_ref());
            response.extensions_mut().extend(extensions);
            return response;
        }
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if response.status() != StatusCode::OK {
            return response;
        }
        if let Some(known) = &self.if_none_match
            && let Some(etag) = response.headers().get(ETAG)
            && matches(known, etag)
        {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(CONTENT_TYPE);
            *response.body_mut() = Body::empty();
            return response;
        }
        match self.callback {
            Some(name) if response.headers().get(CONTENT_TYPE) == Some(&JSON) => {
                // Any page can read a script, so only public answers are sent as JSONP.
                let route = response.extensions().get::<MatchedPath>();
                match route.is_some_and(|route| has_jsonp(route.as_str(), &self.method)) {
                    true => wrap(&name, response).await,
                    false => response,
                }
            }
            _ => response,
        }
    }
}

/// Shows an answer only to pages of the allowed origin, besides those of this server.
pub(super) fn show_to(allowed: Option<HeaderValue>, headers: &mut HeaderMap) {
    match allowed {
        Some(origin) => headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        None => {
            headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
            headers.remove(ACCESS_CONTROL_ALLOW_ORIGIN)
        }
    };
    headers.append(VARY, HeaderValue::from_static("Origin"));
}

/// Weak comparison (RFC 9110, section 13.1.2).
pub(super) fn matches(known: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(etag), Ok(known)) = (etag.to_str(), known.to_str()) else { return false };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.trim() == "*" || known.split(',').any(|tag| opaque(tag) == opaque(etag))
}

/// Wraps a body as JSONP, as Express does: drops from the name all that is not part of a member
/// expression, escapes the two line separators that are valid in JSON and were not in JavaScript,
/// and forbids guessing the type.
async fn wrap(name: &str, response: Response) -> Response {
    let name: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '[' | ']' | '_' | '$' | '.'))
        .collect();
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Failure::internal("the answer could not be wrapped").respond(None);
    };
    let separators = |text: &[u8]| text.windows(3).any(|it| matches!(it, [0xe2, 0x80, 0xa8 | 0xa9]));
    let json = match separators(&body) {
        true => {
            let json = String::from_utf8_lossy(&body);
            Bytes::from(json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
        }
        false => body,
    };
    // The answer itself is not copied.
    let chunks =
        [format!("/**/ typeof {name} === 'function' && {name}(").into(), json, Bytes::from_static(b");")];
    let len: usize = chunks.iter().map(Bytes::len).sum();
    parts.headers.insert(CONTENT_TYPE, JAVASCRIPT);
    parts.headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    parts.headers.insert(CONTENT_LENGTH, len.into());
    let body = Body::from_stream(stream::iter(chunks.map(Ok::<_, Infallible>)));
    Response::from_parts(parts, body)
}
