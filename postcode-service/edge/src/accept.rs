//! Steps between a socket and HTTP.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Peer, Stream};

/// A step between a socket and HTTP, such as TLS.
pub trait Accept: Send + Sync + 'static {
    /// The stream that HTTP is spoken on.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Prepares a stream, and may add to the peer. The time limit of a header applies.
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
