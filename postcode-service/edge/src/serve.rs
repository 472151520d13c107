//! The accept loop, and its end.
//!
//! Written on hyper's connections and not on `axum::serve` (axum 0.8.9), where a half-sent header
//! keeps a graceful shutdown waiting for ever.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::connection::until;
use crate::places::Places;
use crate::refused::{Kind, count};
use crate::{Accept, Handler, Limits, Listener, Plain, connection, files};

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
