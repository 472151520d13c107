//! The accept loop, and its end.
//!
//! Written on hyper's connections and not on `axum::serve` (axum 0.8.9), where a half-sent header
//! keeps a graceful shutdown waiting for ever.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Body;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::places::Places;
use crate::refused::{Kind, count};
use crate::{BoxError, Listener, Peer, Proxies, RequestBody, Stream, connection, files};

/// The limits of connections.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The most connections at once. When there are more, the one that has been idle longest is
    /// closed, then slow ones. Lowered to fit the limit of open files.
    pub connections: usize,
    /// Connections beyond those, on which only vital requests are answered ([`Handler::is_vital`]).
    pub reserved: usize,
    /// The most connections of one address, or /64 of IPv6, at once; 0 for no limit. `None` is a
    /// quarter of [`connections`](Self::connections), and no limit for this machine's own
    /// addresses. Never applies to Unix sockets and trusted proxies.
    pub per_address: Option<usize>,
    /// Bytes of a request's line and headers.
    pub max_header: usize,
    /// How long a connection may be idle, and a request's header take.
    pub header: Duration,
    /// How long a client may read nothing of an answer in transmission before its connection is
    /// closed.
    pub send: Duration,
    /// How long a client that sends a header or a body may be below the least speed.
    pub patience: Duration,
    /// Bytes a second: a client that sends or reads more slowly, in the long run, loses its
    /// connection. It doubles with each minute up to 64 times. 0 for any speed.
    pub least_speed: u64,
    /// How long requests in flight may take to finish at the end.
    pub drain: Duration,
    /// The proxies that are believed when they name a client.
    pub proxies: Proxies,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            reserved: 16,
            per_address: None,
            max_header: 16 * 1024,
            header: Duration::from_secs(30),
            send: Duration::from_secs(30),
            patience: Duration::from_secs(10),
            least_speed: 1024,
            drain: Duration::from_secs(10),
            proxies: Proxies::default(),
        }
    }
}

/// Why a request is refused before the program sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// 400: its Host header is missing, there twice, or invalid. The text says which.
    BadHost(&'static str),
    /// 503: all places for connections are taken by requests in progress.
    NoPlace,
}

/// The program that answers the requests.
pub trait Handler: Send + Sync + 'static {
    /// The body of its responses.
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static;

    /// Answers a request. Its extensions have the [`Peer`] and the [`Client`](crate::Client).
    fn handle(&self, request: Request<RequestBody>) -> impl Future<Output = Response<Self::Body>> + Send;

    /// Builds the response to a refused request, in the program's form.
    fn refuse(&self, refusal: Refusal) -> Response<Self::Body>;

    /// Returns whether the path is answered in a reserved place too, so that operators can check
    /// the program's health.
    fn is_vital(&self, path: &str) -> bool;

    /// Called with the number of open connections when it changes.
    fn connections(&self, _open: usize) {}

    /// Called after the listener stops accepting and before open connections end.
    fn stopping(&self) {}
}

/// A step between a socket and HTTP, such as TLS.
pub trait Accept: Send + Sync + 'static {
    /// The stream that HTTP is spoken on.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Prepares a stream, and may say more of the peer. It has the time of a header.
    fn accept(
        &self,
        stream: Stream,
        peer: Peer,
    ) -> impl Future<Output = io::Result<(Self::Stream, Peer)>> + Send;
}

/// An [`Accept`] that changes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Accept for Plain {
    type Stream = Stream;

    async fn accept(&self, stream: Stream, peer: Peer) -> io::Result<(Stream, Peer)> {
        Ok((stream, peer))
    }
}

/// Serves until `stop` is done. Then accepts no more connections, lets requests in flight finish
/// within [`Limits::drain`], their bodies and answers to the last byte, and drops the others. Uses
/// TLS if the listener [does](Listener::with_tls).
pub async fn serve<H: Handler>(
    listener: Listener,
    handler: Arc<H>,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    match listener.tls().cloned() {
        Some(tls) => serve_with(listener, tls, handler, limits, stop).await,
        None => serve_with(listener, Plain, handler, limits, stop).await,
    }
}

/// Serves with an additional step between the socket and HTTP.
pub async fn serve_with<H: Handler, A: Accept>(
    listener: Listener,
    accept: A,
    handler: Arc<H>,
    mut limits: Limits,
    stop: impl Future<Output = ()>,
) {
    files::fit(&mut limits);
    let places = Places::new(&limits);
    let (limits, accept, access) = (Arc::new(limits), Arc::new(accept), listener.access().clone());
    let (close, closing) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.as_mut() => break,
            // Ended connections are let go of.
            Some(_) = connections.join_next() => {
                handler.connections(places.len());
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                let of_one =
                    [ErrorKind::ConnectionAborted, ErrorKind::ConnectionReset, ErrorKind::ConnectionRefused];
                if !of_one.contains(&error.kind()) {
                    // No more files, mostly: that passes when connections end.
                    places.make_room();
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                continue;
            }
        };
        let Some(place) = places.take(&peer, limits.proxies.trusts(&peer)) else {
            count(Kind::NoPlace);
            tracing::debug!(?peer, "a connection was closed: there is no place for it");
            continue;
        };
        handler.connections(places.len());
        let (accept, handler, limits, closing) =
            (accept.clone(), handler.clone(), limits.clone(), closing.clone());
        let access = access.clone();
        connections.spawn(async move {
            let place = Arc::new(place);
            let prepared = tokio::select! {
                prepared = tokio::time::timeout(limits.header, accept.accept(stream, peer)) => prepared,
                () = place.state.lost() => return,
                // It has no request to lose.
                () = until(closing.clone()) => return,
            };
            match prepared {
                Ok(Ok((stream, peer))) => {
                    connection::serve(stream, peer, place, (handler, access), limits, closing).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "a connection ended before its first request"),
                Err(_) => tracing::debug!("a connection was not ready for its first request in time"),
            }
        });
    }
    handler.stopping();
    drop(listener);
    let _ = close.send(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, drained).await.is_err() {
        tracing::warn!(open = connections.len(), "requests did not end in time and were dropped");
        connections.shutdown().await;
    }
}

/// Waits until the value is true, or its sender is gone.
pub(crate) async fn until(mut closing: watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}
