//! The tools over HTTP: one message in, one answer out. Nothing is kept between two messages.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use http_body_util::combinators::BoxBody;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use super::{LONGEST_MESSAGE, Server};

/// The tools for clients over HTTP, without sessions.
#[derive(Clone)]
pub(crate) struct Endpoint(StreamableHttpService<Server, NeverSessionManager>);

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Endpoint")
    }
}

impl Endpoint {
    pub(crate) fn new(server: Server) -> Self {
        // Host and Origin are checked before, for all routes.
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_sse_keep_alive(None)
            .with_max_request_body_bytes(LONGEST_MESSAGE)
            .disable_allowed_hosts();
        Self(StreamableHttpService::new(move || Ok(server.clone()), Arc::default(), config))
    }

    /// Answers a message. Only the protocol's headers are passed on, so no token is.
    pub(crate) async fn answer(
        &self,
        headers: &HeaderMap,
        message: Bytes,
    ) -> Response<BoxBody<Bytes, Infallible>> {
        let mut request = Request::new(Full::new(message));
        *request.method_mut() = Method::POST;
        let seen = request.headers_mut();
        for (name, value) in headers.iter().filter(|(name, _)| name.as_str().starts_with("mcp-")) {
            seen.append(name, value.clone());
        }
        seen.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // The SDK refuses clients that don't accept both, but what it sends is JSON.
        seen.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        // The SDK requires a Host. The client's was checked before.
        seen.insert(HOST, HeaderValue::from_static("localhost"));
        self.0.handle(request).await
    }
}
