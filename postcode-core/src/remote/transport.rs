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
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use async_trait::async_trait;
/// use bytes::Bytes;
/// use postcode_core::remote::Transport;
/// use postcode_core::{PostcodeLookup, Remote, Result};
///
/// /// Answers every request with this text.
/// #[derive(Debug)]
/// struct Fixed(&'static str);
///
/// #[async_trait]
/// impl Transport for Fixed {
///     async fn send(&self, _request: http::Request<Bytes>, _limit: usize) -> Result<http::Response<Bytes>> {
///         let mut response = http::Response::new(Bytes::from_static(self.0.as_bytes()));
///         response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
///         Ok(response)
///     }
/// }
///
/// let server = Fixed(r#"{"status":200,"result":["SW1A 1AA"]}"#);
/// let remote = Remote::builder("http://in.process").transport(server).build()?;
/// assert_eq!(remote.autocomplete("SW1A 1A", 1).await?, ["SW1A 1AA".parse()?]);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Transport: Debug + Send + Sync + 'static {
    /// Returns the response, whatever its status; the client interprets it and follows no
    /// redirects. The client also limits the time: a transport may wait for ever, and is dropped
    /// when time is up.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use async_trait::async_trait;
    /// use bytes::Bytes;
    /// use postcode_core::remote::Transport;
    /// use postcode_core::{Error, ErrorKind, Result};
    ///
    /// /// Answers every request with this text, if it may be that long.
    /// #[derive(Debug)]
    /// struct Fixed(&'static str);
    ///
    /// #[async_trait]
    /// impl Transport for Fixed {
    ///     async fn send(&self, _request: http::Request<Bytes>, limit: usize) -> Result<http::Response<Bytes>> {
    ///         match self.0.len() <= limit {
    ///             true => Ok(http::Response::new(Bytes::from_static(self.0.as_bytes()))),
    ///             false => Err(Error::new(ErrorKind::Protocol, format!("the body has more than {limit} bytes"))),
    ///         }
    ///     }
    /// }
    ///
    /// let request = || http::Request::new(Bytes::new());
    /// assert_eq!(Fixed("pong").send(request(), 4).await?.body(), "pong");
    /// assert_eq!(Fixed("pong").send(request(), 3).await.unwrap_err().kind(), ErrorKind::Protocol);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if nothing answered or the connection broke;
    /// [`Timeout`](crate::ErrorKind::Timeout) if a time limit of the transport ran out;
    /// [`Protocol`](crate::ErrorKind::Protocol) if the response is not HTTP, or if the body is
    /// longer than `limit` bytes: stop reading then. Messages need not name method or URL, because
    /// the client adds them.
    async fn send(&self, request: http::Request<Bytes>, limit: usize) -> Result<http::Response<Bytes>>;
}
