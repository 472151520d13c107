//! `/jobs` in a program that was built without the feature `jobs`.

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use postcode_core::ErrorKind;
use postcode_core::wire::path;

use super::App;
use super::failure::Failure;
use super::fallback::no_method;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(path::JOBS, post(off))
        .route(path::JOB, get(off).delete(off))
        .route(path::JOB_EVENTS, get(off))
        .route(path::JOB_RESULT, get(off))
        .route(path::CALLBACKS, get(off))
        .route(path::CALLBACK_RETRY, post(off))
        .method_not_allowed_fallback(no_method)
}

async fn off() -> Failure {
    Failure::new(
        StatusCode::NOT_IMPLEMENTED,
        "Jobs are not part of this server",
        ErrorKind::NotSupported.code(),
    )
}
