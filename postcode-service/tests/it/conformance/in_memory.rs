//! HTTP without a network: a client's transport whose other end is a server in this process, and
//! transports that add faults in between.

use std::collections::HashSet;
use std::convert::Infallible;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::to_bytes;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use postcode_core::remote::Transport;
use postcode_core::wire::REQUEST_ID_HEADER;
use postcode_core::{Error, ErrorKind, Lookups, Remote, Result};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Frontend, Options};

/// A time limit that only a hanging call reaches.
pub(crate) const PATIENT: &str = "timeout=60s&deadline=120s";

/// Opens a separate in-memory connection for each request, with the same bytes as over a socket.
#[derive(Clone)]
pub(crate) struct Duplex(Arc<Frontend>);

impl Duplex {
    pub(crate) async fn over(lookup: Arc<dyn Lookups>) -> Self {
        Self::serving(Edition::of(lookup).await.unwrap())
    }

    pub(crate) fn serving(edition: Edition) -> Self {
        let api = Api::new(edition, Limits::default());
        Self(Arc::new(Frontend::new(api, &Options::default())))
    }

    pub(crate) fn api(&self) -> &Api {
        self.0.api()
    }

    /// Returns a client of the server.
    pub(crate) fn remote(&self) -> Remote {
        remote(self.clone())
    }
}

/// Returns a client over that transport.
pub(crate) fn remote(transport: impl Transport) -> Remote {
    Remote::builder(&format!("http://in-memory?{PATIENT}")).transport(transport).build().unwrap()
}

/// Returns a client over that transport that asks for nothing but JSON.
pub(crate) fn remote_in_json(transport: impl Transport) -> Remote {
    Remote::builder(&format!("http://in-memory?encoding=json&{PATIENT}"))
        .transport(transport)
        .build()
        .unwrap()
}

impl fmt::Debug for Duplex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Duplex")
    }
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Unavailable, "the connection in memory broke").with_source(error)
}

#[async_trait]
impl Transport for Duplex {
    async fn send(&self, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>> {
        let (ours, theirs) = tokio::io::duplex(16 << 10);
        let frontend = self.0.clone();
        let service = service_fn(move |request| {
            let frontend = frontend.clone();
            async move { Ok::<_, Infallible>(frontend.call(request).await) }
        });
        let mut request = request.map(Full::new);
        let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        request.headers_mut().insert(http::header::HOST, host.parse().map_err(broken)?);
        let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        *request.uri_mut() = target.parse().map_err(broken)?;

        let serving = server::Builder::new().serve_connection(TokioIo::new(theirs), service);
        let (mut sender, connection) = client::handshake(TokioIo::new(ours)).await.map_err(broken)?;
        let asking = async {
            let (parts, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
            let body = to_bytes(axum::body::Body::new(body), limit).await.map_err(broken)?;
            drop(sender);
            Ok(Response::from_parts(parts, body))
        };
        // All in this task, so that dropping the call drops both ends.
        let (answer, _, _) = futures::join!(asking, connection, serving);
        answer
    }
}

/// Delivers every request twice, as a network may, and answers with what the second delivery was
/// answered.
#[derive(Debug)]
pub(crate) struct Twice<T>(pub(crate) T);

#[async_trait]
impl<T: Transport> Transport for Twice<T> {
    async fn send(&self, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>> {
        let first = self.0.send(request.clone(), limit).await?;
        let second = self.0.send(request, limit).await?;
        assert_eq!(first.status(), second.status());
        Ok(second)
    }
}

/// A transport that fails every ninth request, at most once a call: the request is lost, its answer
/// is lost, or the service answers that it is busy.
#[derive(Debug)]
pub(crate) struct Flaky<T> {
    inner: T,
    sent: AtomicUsize,
    /// The ids of the calls that have had their loss: no call is to lose all its attempts by
    /// chance.
    hit: Mutex<HashSet<String>>,
}

impl<T> Flaky<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, sent: AtomicUsize::new(0), hit: Mutex::default() }
    }
}

#[async_trait]
impl<T: Transport> Transport for Flaky<T> {
    async fn send(&self, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>> {
        let id = request.headers().get(REQUEST_ID_HEADER).unwrap().to_str().unwrap().to_owned();
        let n = self.sent.fetch_add(1, SeqCst);
        if n % 9 != 8 || !self.hit.lock().unwrap().insert(id) {
            return self.inner.send(request, limit).await;
        }
        match n / 9 % 3 {
            0 => Err(broken("the request was lost")),
            1 => {
                self.inner.send(request, limit).await?;
                Err(broken("the answer was lost"))
            }
            _ => Ok(Response::builder().status(503).body(Bytes::new()).map_err(broken)?),
        }
    }
}

/// A request and its answer.
pub(crate) type Exchange = (Request<Bytes>, Response<Bytes>);

/// A transport that records requests and answers.
#[derive(Clone, Debug)]
pub(crate) struct Recorder<T> {
    inner: T,
    pub(crate) kept: Arc<Mutex<Vec<Exchange>>>,
}

impl<T> Recorder<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, kept: Arc::default() }
    }
}

#[async_trait]
impl<T: Transport> Transport for Recorder<T> {
    async fn send(&self, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>> {
        let response = self.inner.send(request.clone(), limit).await?;
        self.kept.lock().unwrap().push((request, response.clone()));
        Ok(response)
    }
}
