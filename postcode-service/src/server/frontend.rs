//! From a request to its answer: everything around the API that is not a socket.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::MatchedPath;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::FutureExt;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Body as HttpBody;
use postcode_core::ErrorKind;
use postcode_core::wire::REQUEST_ID_HEADER;
use postcode_edge::{Need, Scope};
use tokio::sync::Semaphore;

use super::metrics::{Counted, Metrics};
use super::{Options, deadline, trace};
use crate::api::{Api, Failure, RequestId};

/// For requests that keep their own time: nothing hangs for ever.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Answers requests: sheds load, keeps deadlines, catches panics, counts and logs.
#[derive(Debug)]
pub struct Frontend {
    pub(super) api: Api,
    pub(super) metrics: Metrics,
    slots: Semaphore,
    request_timeout: Duration,
}

impl Frontend {
    /// Around an API.
    pub fn new(api: Api, options: &Options) -> Self {
        let metrics = Metrics::new(api.jobs().gauges());
        Self {
            api,
            metrics,
            slots: Semaphore::new(options.max_in_flight.min(Semaphore::MAX_PERMITS)),
            request_timeout: options.request_timeout,
        }
    }

    /// The API inside.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Answers a request.
    pub async fn call<B>(&self, request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let began = Instant::now();
        let _in_flight = Counted::new(&self.metrics.in_flight);
        let id = trace::request_id(request.headers());
        let trace = trace::Trace::of(request.headers());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());

        let mut response = self.admit(request.map(Body::new), &id).await;

        let took = began.elapsed();
        let (status, route) = (response.status(), response.extensions_mut().remove::<MatchedPath>());
        self.metrics.observe(route.as_ref(), &method, status, took);
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&id.0) {
            headers.insert(REQUEST_ID_HEADER, value);
        }
        if let Some(value) = trace.header() {
            headers.insert("traceparent", value);
        }
        let log = Access { method: &method, path: &path, status, took, id: &id, trace: &trace.id };
        log.write(route.as_ref());
        response
    }

    async fn admit(&self, request: Request<Body>, id: &RequestId) -> Response {
        let path = request.uri().path().trim_end_matches('/');
        let is = |name: &str| path.eq_ignore_ascii_case(name);
        if is("/metrics") && matches!(*request.method(), Method::GET | Method::HEAD) {
            let need = Some(Need::Scope(Scope::Metrics));
            let allowed = self.api.access().authorise(request.headers(), request.extensions(), need);
            if let Err(denied) = allowed {
                return Failure::from(denied).respond(Some(id));
            }
            const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            return ([(CONTENT_TYPE, TEXT)], self.metrics.render()).into_response();
        }
        // Who asks whether we are well must hear it most of all when we have too much to do.
        if is("/ping") || is("/ready") {
            return self.answer(request, id).await;
        }
        let Ok(_slot) = self.slots.try_acquire() else {
            self.metrics.shed.inc();
            let text = "Too many requests at once. Try again in a moment";
            let code = ErrorKind::Overloaded.code();
            let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, code).retryable(Some(1));
            return failure.respond(Some(id));
        };
        self.answer(request, id).await
    }

    async fn answer(&self, mut request: Request<Body>, id: &RequestId) -> Response {
        let usual = if Api::takes_its_time(&request) { LONGEST } else { self.request_timeout };
        let limit = match deadline::of(request.headers(), usual) {
            Ok(limit) => limit,
            Err(failure) => return failure.respond(Some(id)),
        };
        request.extensions_mut().insert(id.clone());
        let answer = AssertUnwindSafe(self.api.call(request)).catch_unwind();
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => {
                let why = panic.downcast_ref::<&str>().copied();
                let why = why.or(panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("?");
                tracing::error!(request_id = %id.0, panic = why, "a handler panicked: this is a bug");
                Failure::internal("Internal error. Quote the request_id in a report").respond(Some(id))
            }
            Err(_) => deadline::passed().respond(Some(id)),
        }
    }
}

/// One line of the access log.
struct Access<'a> {
    method: &'a Method,
    path: &'a str,
    status: StatusCode,
    took: Duration,
    id: &'a RequestId,
    trace: &'a str,
}

impl Access<'_> {
    /// What the server is to blame for is always seen; the rest with `--log access=debug`, because a line for each
    /// of many thousand requests a second costs more than their answers. The query is not logged: it may say where
    /// somebody is.
    fn write(&self, route: Option<&MatchedPath>) {
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "access",
                    method = %self.method,
                    path = self.path,
                    route = route.map_or("none", MatchedPath::as_str),
                    status = self.status.as_u16(),
                    micros = self.took.as_micros() as u64,
                    request_id = %self.id.0,
                    trace_id = self.trace,
                )
            };
        }
        if self.status.is_server_error() {
            line!(warn);
        } else {
            line!(debug);
        }
    }
}
