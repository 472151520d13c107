//! A stream that measures the client's speed by its reads and writes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::pace::Pace;
use crate::places::State;

#[derive(Debug)]
pub(crate) struct Watched<T> {
    inner: T,
    state: Arc<State>,
    header: Pace,
    answer: Pace,
}

impl<T> Watched<T> {
    pub(crate) fn new(inner: T, state: Arc<State>, header: Pace, answer: Pace) -> Self {
        Self { inner, state, header, answer }
    }

    /// Notes how much a write has written.
    fn written(&mut self, cx: &mut Context<'_>, write: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &write {
            Poll::Ready(Ok(bytes)) => {
                self.answer.moved(*bytes);
                self.state.unstuck();
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                self.state.stuck();
                ready!(self.answer.poll_late(cx));
                let text = "the client takes its answer too slowly";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)));
            }
        }
        write
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = Pin::new(&mut this.inner).poll_read(cx, buf);
        let bytes = buf.filled().len() - before;
        if bytes > 0 && this.state.bytes_came() {
            this.header.restart();
            this.answer.restart();
        }
        // Only a header that has begun is hurried here: bodies have their own pace, and an idle
        // connection its time.
        if !this.state.in_header() {
            return read;
        }
        if read.is_pending() {
            ready!(this.header.poll_late(cx));
            let text = "the request's header came too slowly";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)));
        }
        this.header.moved(bytes);
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let write = Pin::new(&mut this.inner).poll_write(cx, buf);
        this.written(cx, write)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let write = Pin::new(&mut this.inner).poll_write_vectored(cx, bufs);
        this.written(cx, write)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.inner).poll_flush(cx);
        ready!(this.written(cx, flushed.map_ok(|()| 0)))?;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.inner).poll_shutdown(cx);
        ready!(this.written(cx, shut.map_ok(|()| 0)))?;
        Poll::Ready(Ok(()))
    }
}
