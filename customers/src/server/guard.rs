//! Checks before every route: host, origin, time limit and response headers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use postcode_core::unit;
use postcode_core::wire::TRACE_HEADER;
use postcode_edge::{Hosts, NotAllowed};

use super::problem::{Problem, too_long};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Adds the checks and headers that all private routes need. Refuses requests for other host names,
/// and requests from pages of other sites except links to `/`. Without names nothing is refused.
pub fn guarded(router: Router, hosts: Option<Hosts>) -> Router {
    router.layer(from_fn_with_state(hosts.map(Arc::new), guard))
}

async fn guard(State(hosts): State<Option<Arc<Hosts>>>, request: Request, next: Next) -> Response {
    let mut response = match hosts.and_then(|hosts| check(&hosts, &request).err()) {
        Some(refused) => Problem::new(refused.status(), refused.code(), refused.to_string()).into_response(),
        None => next.run(request).await,
    };
    keep_private(response.headers_mut());
    response
}

/// Sets the headers of a response that is private to the caller.
pub(super) fn keep_private(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    // On a shared computer nothing stays in the browser's cache.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

fn check(hosts: &Hosts, request: &Request) -> Result<(), NotAllowed> {
    hosts.check(request)?;
    let opens_page = request.uri().path() == "/" && matches!(*request.method(), Method::GET | Method::HEAD);
    if opens_page { Ok(()) } else { hosts.check_same_site(request) }
}

/// Continues the trace of the request in all lookups that are made to answer it.
pub(super) async fn traced(request: Request, next: Next) -> Response {
    let trace = request.headers().get(TRACE_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    match trace {
        Some(trace) => unit::traced(&trace, next.run(request)).await,
        None => next.run(request).await,
    }
}

/// Answers 504 if a request takes longer than the limit. Its work is dropped, and a running query
/// is interrupted.
///
/// Uploads have a separate limit. Exports and reports answer at once and are written piece by
/// piece.
pub(super) async fn deadline(
    State(limit): State<Duration>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    if route.as_str() == "/imports" && request.method() == Method::POST {
        return next.run(request).await;
    }
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => too_long(format!("the request took longer than {limit:?}")).into_response(),
    }
}
