//! Extension routes beneath paths of postcodes.io. They need `?extended=true`; without it the
//! answer is that of postcodes.io, 404.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;
use postcode_core::wire::Shape;

use super::failure::Failure;
use super::params::Params;

/// Answers 404 to requests without `?extended=true`.
pub(super) async fn extended_only(request: Request, next: Next) -> Response {
    match Params::parse(request.uri().query()).shape() {
        Shape::Extended => next.run(request).await,
        // Answered on any path.
        Shape::Compatible if *request.method() == Method::OPTIONS => next.run(request).await,
        Shape::Compatible => Failure::no_route().into_response(),
    }
}
