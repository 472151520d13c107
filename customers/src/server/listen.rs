//! Serves the API on TCP or a Unix socket.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use postcode_edge::{
    Accepted, Compression, Gate, GateLimits, Handler, Limits, Listener, Refusal, RequestBody,
};
use tower::ServiceExt;

use super::Problem;
use super::guard::keep_private;

/// Serves until `stop` resolves. Then it accepts no more, lets requests in flight finish within the
/// limit, and cuts off the others.
pub async fn serve(listener: Listener, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
    serve_with(listener, router, limits, GateLimits::default(), stop).await;
}

/// Serves with limits on requests; otherwise like [`serve`].
pub async fn serve_with(
    listener: Listener,
    router: Router,
    limits: Limits,
    requests: GateLimits,
    stop: impl Future<Output = ()>,
) {
    let routed = Routed { router, gate: Gate::new(requests), compression: Compression::default() };
    postcode_edge::serve(listener, Arc::new(routed), limits, stop).await;
}

/// A router that is being served.
struct Routed {
    router: Router,
    gate: Arc<Gate>,
    compression: Compression,
}

/// Builds the response for a problem found before any route.
fn private(problem: Problem) -> Response {
    let mut response = problem.into_response();
    keep_private(response.headers_mut());
    response
}

impl Handler for Routed {
    type Body = Body;

    async fn handle(&self, mut request: Request<RequestBody>) -> Response {
        let accepted = Accepted::of(&mut request);
        let path = request.uri().path();
        let _admitted = if self.is_vital(path) {
            None
        } else {
            // A request with a body counts as in progress once the body has arrived.
            let writes = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
            let unread = path.ends_with("/restore") || path.ends_with("/erase");
            let reads = writes && !unread && !request.body().is_end_stream();
            match self.gate.admit(request.extensions_mut(), reads) {
                Ok(admitted) => Some(admitted),
                Err(refused) => return private(Problem::from(refused)),
            }
        };
        let answered = self.router.clone().oneshot(request.map(Body::new)).await;
        let response = answered.unwrap_or_else(|never| match never {});
        self.compression.apply(accepted, response).await.0
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        let problem = match refusal {
            Refusal::BadHost(why) => Problem::new(StatusCode::BAD_REQUEST, "invalid_host", why),
            _ => {
                let detail = "all connections are in use: try again in a moment";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
            }
        };
        private(problem)
    }

    fn is_vital(&self, path: &str) -> bool {
        ["/health", "/ready", "/metrics"].contains(&path)
    }
}
