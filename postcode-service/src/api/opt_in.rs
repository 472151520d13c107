//! Routes of our own beneath paths of postcodes.io, where it has none and says so: they are there
//! with `?extended=true`.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;
use postcode_core::wire::Shape;

use super::params::Params;
use super::reply::Failure;

/// A layer of such routes.
pub(super) async fn extended_only(request: Request, next: Next) -> Response {
    match Params::parse(request.uri().query()).shape() {
        Shape::Extended => next.run(request).await,
        // Answered on any path.
        Shape::Compatible if *request.method() == Method::OPTIONS => next.run(request).await,
        Shape::Compatible => Failure::no_route().into_response(),
    }
}
