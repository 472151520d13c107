//! The one thing beneath the client that touches a network, so that another can be put in its place.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;

/// Sends one HTTP request and reads its whole answer.
///
/// The one that comes with [`Remote`](super::Remote) goes over TCP, TLS or a Unix socket. A test can put a server
/// of its own process here, or faults: see [`RemoteBuilder::transport`](super::RemoteBuilder::transport).
#[async_trait]
pub trait Transport: Debug + Send + Sync + 'static {
    /// The answer, whatever its status, redirects and all; the client makes sense of it. The client also limits
    /// the time: a transport may wait for ever, and is dropped when time is up.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if nothing answered or the connection broke,
    /// [`Timeout`](crate::ErrorKind::Timeout) if a limit of the transport's own ran out,
    /// [`Protocol`](crate::ErrorKind::Protocol) if what answered does not speak HTTP or the body is longer than
    /// `limit` bytes: stop reading then. Messages need not name method or URL: the client adds them.
    async fn send(&self, request: http::Request<Bytes>, limit: usize) -> Result<http::Response<Bytes>>;
}
