//! Everything around the API except sockets, from a request to its answer.

use postcode_core::wire::path;
use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::FutureExt;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_TYPE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use hyper::body::Body as HttpBody;
use postcode_core::wire::{COMPARISON, PURPOSE_HEADER, REQUEST_ID_HEADER, TRACE_HEADER};
use postcode_edge::cut;
use postcode_edge::refused::{Kind, count};
use postcode_edge::{Accepted, Compression, Gate, Hosts, Need, Refused, Scope, Sheddable};

use super::metrics::{Counted, Metrics};
use super::{Options, deadline, trace};
use crate::api::{Api, Failure, OwnTime, RequestId};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The headers that scripts of other origins may read: all of ours that browsers hide otherwise.
const EXPOSED: &str = "Accept-Encoding, Accept-Ranges, Content-Disposition, Content-Encoding, Content-Range, ETag, Link, \
                       Location, Postcode-Edition, Postcode-Notes, Repr-Digest, Retry-After, Traceparent, Vary, \
                       WWW-Authenticate, X-Request-Id";

/// Answers requests: sheds load, keeps deadlines, catches panics, counts and logs.
#[derive(Debug)]
pub struct Frontend {
    pub(super) api: Api,
    pub(super) metrics: Metrics,
    gate: Arc<Gate>,
    compression: Compression,
    request_timeout: Duration,
    /// The accepted host names; `None` accepts any, and skips the check of the origin.
    hosts: Option<Hosts>,
}

impl Frontend {
    /// Around an API.
    pub fn new(api: Api, options: &Options) -> Self {
        let metrics = Metrics::new(api.jobs());
        Self {
            api,
            metrics,
            gate: Gate::new(options.gate()),
            compression: Compression::default(),
            request_timeout: options.request_timeout,
            hosts: None,
        }
    }

    /// Answers only to these names, and refuses private routes to pages of other sites. Without
    /// this the caller must do it.
    #[must_use]
    pub fn answering_to(self, hosts: Hosts) -> Self {
        Self { hosts: Some(hosts), ..self }
    }

    /// Returns the API inside.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Answers a request.
    pub async fn call<B>(&self, mut request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let began = Instant::now();
        let _in_flight = Counted::new(&self.metrics.in_flight);
        let id = trace::request_id(request.headers());
        let trace = trace::Trace::of(request.headers());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());

        let purpose = request.headers().get(PURPOSE_HEADER);
        let comparison = purpose.is_some_and(|purpose| purpose.as_bytes() == COMPARISON.as_bytes());
        if comparison {
            request.extensions_mut().insert(Sheddable);
        }

        let private = Api::is_private(&path);
        let accepted = Accepted::of(&mut request);

        let (response, route) = match self.not_allowed(&request, private) {
            Some(failure) => (failure.respond(Some(&id)), None),
            None => self.admit(request.map(Body::new), &id).await,
        };
        let route = route.as_deref();
        let mut response = self.compressed(accepted, response, &id).await;

        let took = began.elapsed();
        let status = response.status();
        self.metrics.observe(route, &method, status, took, comparison);
        let refused = response.extensions_mut().remove::<Refused>();
        match refused {
            Some(Refused::Shed) if comparison => self.metrics.comparisons_shed.inc(),
            Some(Refused::Shed) => self.metrics.shed.inc(),
            Some(Refused::Client | Refused::Rate(_)) => self.metrics.limited.inc(),
            None => 0,
        };
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&id.0) {
            headers.insert(REQUEST_ID_HEADER, value);
        }
        if let Some(value) = trace.header() {
            headers.insert(TRACE_HEADER, value);
        }
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
        if private {
            headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
            headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        }
        let path = cut(Api::logged(&path, route));
        let log = Access { method: &method, path, status, took, id: &id, trace: trace.id() };
        log.write(route, refused.is_some());
        response
    }

    /// Returns why a request must be refused: it is for another host name, or from a page that may
    /// not ask.
    fn not_allowed<B>(&self, request: &Request<B>, private: bool) -> Option<Failure> {
        let hosts = self.hosts.as_ref()?;
        let same_site = || if private { hosts.check_same_site(request) } else { Ok(()) };
        let why = hosts.check(request).and_then(|()| same_site()).err()?;
        Some(Failure::new(why.status(), why.to_string(), why.code()))
    }

    /// Compresses a response. A long one counts again, by what is left of it, until it is sent.
    async fn compressed(&self, accepted: Accepted, response: Response, id: &RequestId) -> Response {
        let (response, done) = self.compression.apply(accepted, response).await;
        if !done {
            return response;
        }
        let mut response = self.api.hold(response).await;
        match response.extensions_mut().remove::<Failure>() {
            Some(failure) => {
                let extensions = std::mem::take(response.extensions_mut());
                let mut refused = failure.respond(Some(id));
                refused.extensions_mut().extend(extensions);
                refused
            }
            None => response,
        }
    }

    async fn admit(&self, mut request: Request<Body>, id: &RequestId) -> Routed {
        let path = request.uri().path().trim_end_matches('/');
        let is = |name: &str| path.eq_ignore_ascii_case(name);
        if is(path::METRICS) && matches!(*request.method(), Method::GET | Method::HEAD) {
            let need = Some(Need::Scope(Scope::Metrics));
            let allowed = self.api.access().authorise(request.headers(), request.extensions(), need);
            if let Err(denied) = allowed {
                return (Failure::from(denied).respond(Some(id)), None);
            }
            const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            return (([(CONTENT_TYPE, TEXT)], self.metrics.render(&self.api)).into_response(), None);
        }
        // Health checks must be answered most of all when the server is overloaded.
        if is(path::PING) || is(path::READY) {
            return self.answer(request, id).await;
        }
        // A request with a body counts as in progress once the body has arrived. Streamed bodies
        // have separate places.
        let reads = matches!(*request.method(), Method::POST | Method::PUT)
            && !request.body().is_end_stream()
            && !path.to_ascii_lowercase().ends_with("/retry");
        match self.gate.admit(request.extensions_mut(), reads) {
            Ok(_admitted) => self.answer(request, id).await,
            Err(refused) => (Failure::from(refused).respond(Some(id)), None),
        }
    }

    async fn answer(&self, mut request: Request<Body>, id: &RequestId) -> Routed {
        let callers = match deadline::of(request.headers(), Duration::MAX) {
            Ok(limit) => limit,
            Err(failure) => return (failure.respond(Some(id)), None),
        };
        request.extensions_mut().insert(id.clone());
        let time = OwnTime::default();
        request.extensions_mut().insert(time.clone());
        let mut answer = pin!(AssertUnwindSafe(self.api.routed(request)).catch_unwind());
        let usual = callers.min(self.request_timeout);
        let mut answered = tokio::time::timeout(usual, answer.as_mut()).await;
        // A handler that keeps its own time has said so by now.
        let more = callers.min(time.allowed()).saturating_sub(usual);
        if answered.is_err() && !more.is_zero() {
            answered = tokio::time::timeout(more, answer).await;
        }
        match answered {
            Ok(Ok(routed)) => routed,
            Ok(Err(panic)) => {
                let why = panic.downcast_ref::<&str>().copied();
                let why = why.or(panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("?");
                tracing::error!(request_id = %id.0, panic = why, "a handler panicked: this is a bug");
                let failure = Failure::internal("Internal error. Quote the request_id in a report");
                (failure.respond(Some(id)), None)
            }
            Err(_) => (deadline::passed().respond(Some(id)), None),
        }
    }
}

/// A response, and its route if there was one.
type Routed = (Response, Option<Cow<'static, str>>);

/// A line of the access log.
struct Access<'a> {
    method: &'a Method,
    path: &'a str,
    status: StatusCode,
    took: Duration,
    id: &'a RequestId,
    trace: &'a str,
}

impl Access<'_> {
    /// Logs the request. Server errors are always logged, and the rest with `--log access=debug`,
    /// because a line for each of many thousand requests a second costs more than their answers.
    /// Errors that clients can cause at will are counted and logged once a second. The query is
    /// never logged: it may contain a person's location.
    fn write(&self, route: Option<&str>, refused: bool) {
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "access",
                    method = %self.method,
                    path = self.path,
                    route = route.unwrap_or("none"),
                    status = self.status.as_u16(),
                    micros = self.took.as_micros() as u64,
                    request_id = %self.id.0,
                    trace_id = self.trace,
                )
            };
        }
        let passing = [
            StatusCode::NOT_IMPLEMENTED,
            StatusCode::BAD_GATEWAY,
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::GATEWAY_TIMEOUT,
            StatusCode::INSUFFICIENT_STORAGE,
        ];
        let passing = passing.contains(&self.status);
        if passing && !refused {
            count(Kind::Unavailable);
        }
        if self.status.is_server_error() && !passing && !refused {
            line!(warn);
        } else {
            line!(debug);
        }
    }
}
