//! `/mcp` in a program that was built without the feature `mcp`.

use axum::Router;
use axum::routing::post;
use http::StatusCode;
use postcode_core::ErrorKind;
use postcode_core::wire::path;

use super::App;
use super::failure::Failure;
use super::fallback::no_method;

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::MCP, post(off)).method_not_allowed_fallback(no_method)
}

async fn off() -> Failure {
    Failure::new(
        StatusCode::NOT_IMPLEMENTED,
        "Tools for assistants are not part of this server",
        ErrorKind::NotSupported.code(),
    )
}
