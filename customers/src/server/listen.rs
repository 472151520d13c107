//! The API served on TCP or a Unix socket.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use postcode_edge::{Handler, Limits, Listener, Refusal, RequestBody};
use tower::ServiceExt;

use super::Problem;

/// Serves until `stop`, then accepts no more, lets requests in flight finish within the limit,
/// and cuts off those that don't.
pub async fn serve(listener: Listener, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
    postcode_edge::serve(listener, Arc::new(Routed { router }), limits, stop).await;
}

/// A router that is served.
struct Routed {
    router: Router,
}

impl Handler for Routed {
    type Body = Body;

    async fn handle(&self, request: Request<RequestBody>) -> Response {
        let answered = self.router.clone().oneshot(request.map(Body::new)).await;
        answered.unwrap_or_else(|never| match never {})
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        let problem = match refusal {
            Refusal::BadHost(why) => Problem::new(StatusCode::BAD_REQUEST, "invalid_header", why),
            _ => {
                let detail = "all connections are in use: try again in a moment";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
            }
        };
        problem.into_response()
    }

    fn is_vital(&self, path: &str) -> bool {
        ["/health", "/ready", "/metrics"].contains(&path)
    }
}
