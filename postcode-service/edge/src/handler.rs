//! The program behind a listener.

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Body;

use crate::{BoxError, RequestBody};

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

    /// Answers a request. Its extensions have the [`Peer`](crate::Peer) and the [`Client`](crate::Client).
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
