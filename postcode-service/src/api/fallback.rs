//! Requests that no route answers.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::Method;

use super::App;
use super::bulk::body;
use super::failure::Failure;
use super::finish::preflight;

/// Answers every path without a route, at once and without reading a body.
pub(super) async fn no_route(method: Method) -> Response {
    match method {
        Method::OPTIONS => preflight(),
        _ => Failure::no_route().into_response(),
    }
}

/// Answers every method that a path does not have. Express reads the body before it routes, so
/// broken JSON comes first.
pub(super) async fn no_method(State(app): State<App>, request: Request) -> Response {
    if *request.method() == Method::OPTIONS {
        return preflight();
    }
    if *request.method() == Method::POST
        && let Err(broken) = body::check_what_came(request, app.limits).await
    {
        return broken.into_response();
    }
    Failure::no_route().into_response()
}
