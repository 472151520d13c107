//! The server over real sockets.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::header::X_CONTENT_TYPE_OPTIONS;
use http::{HeaderValue, Request, StatusCode};
use postcode_core::ErrorKind;
use postcode_edge::{Handler, Refusal, RequestBody};

use super::{Frontend, Listener, Options};
use crate::api::Failure;

/// Serves until `stop` is done. Then accepts no more connections, lets requests in flight finish
/// within [`Options::drain`], and drops the others.
///
/// To tell a load balancer first, call [`Api::set_ready`](crate::api::Api::set_ready) and wait
/// before `stop`.
pub async fn run(
    listener: Listener,
    frontend: Arc<Frontend>,
    options: Options,
    stop: impl Future<Output = ()>,
) {
    postcode_edge::serve(listener, frontend, options.limits(), stop).await;
}

impl Handler for Frontend {
    type Body = Body;

    async fn handle(&self, request: Request<RequestBody>) -> Response {
        self.call(request).await
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        let failure = match refusal {
            Refusal::BadHost(why) => Failure::new(StatusCode::BAD_REQUEST, why, "invalid_host"),
            _ => {
                self.metrics.shed.inc();
                let text = "All connections are in use. Try again in a moment";
                let code = ErrorKind::Overloaded.code();
                Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, code).retryable(Some(1))
            }
        };
        let mut response = failure.respond(None);
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }

    fn is_vital(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        ["/ping", "/ready", "/health", "/metrics"].iter().any(|vital| path.eq_ignore_ascii_case(vital))
    }

    fn connections(&self, open: usize) {
        self.metrics.connections.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    fn stopping(&self) {
        self.api().set_ready(false);
    }
}
