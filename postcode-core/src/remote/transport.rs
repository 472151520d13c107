//! The part of the client that touches the network, which can be replaced.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;

/// Sends one HTTP request and reads the whole response.
///
/// The transport of [`Remote`](super::Remote) uses TCP, TLS or a Unix socket. A test can replace it
/// with a server in its own process, or with faults: see
/// [`RemoteBuilder::transport`](super::RemoteBuilder::transport).
#[async_trait]
pub trait Transport: Debug + Send + Sync + 'static {
    /// Returns the response, whatever its status; the client interprets it and follows no
    /// redirects. The client also limits the time: a transport may wait for ever, and is dropped
    /// when time is up.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if nothing answered or the connection broke;
    /// [`Timeout`](crate::ErrorKind::Timeout) if a time limit of the transport ran out;
    /// [`Protocol`](crate::ErrorKind::Protocol) if the response is not HTTP, or if the body is
    /// longer than `limit` bytes: stop reading then. Messages need not name method or URL, because
    /// the client adds them.
    async fn send(&self, request: http::Request<Bytes>, limit: usize) -> Result<http::Response<Bytes>>;
}
