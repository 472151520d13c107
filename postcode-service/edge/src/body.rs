//! Bodies: of requests, which have a least speed, and of responses, which keep their connection from being closed.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::BoxError;
use crate::pace::Pace;
use crate::places::State;

/// The body came more slowly than is waited for.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body came too slowly")]
pub struct TooSlow;

/// The body of a request. A client that sends it too slowly gets [`TooSlow`] as its error.
#[derive(Debug)]
pub struct RequestBody {
    inner: Incoming,
    pace: Pace,
    state: Arc<State>,
}

impl RequestBody {
    pub(crate) fn new(inner: Incoming, pace: Pace, state: Arc<State>) -> Self {
        Self { inner, pace, state }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) else {
            ready!(this.pace.poll_late(cx));
            return Poll::Ready(Some(Err(TooSlow.into())));
        };
        match &frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                this.pace.moved(bytes);
                this.state.received(bytes);
                if this.inner.is_end_stream() {
                    this.state.body_is_there();
                }
            }
            Some(Err(_)) | None => this.state.body_is_there(),
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A request is being answered, to the last byte of the answer.
#[derive(Debug)]
pub(crate) struct Answering(Arc<State>);

impl Answering {
    pub(crate) fn begin(state: Arc<State>, has_body: bool) -> Self {
        state.begin(has_body);
        Self(state)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The body of a response, which holds that it is being answered.
#[derive(Debug)]
pub(crate) struct ResponseBody<B> {
    pub(crate) inner: B,
    pub(crate) _answering: Answering,
}

impl<B: Body + Unpin> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.get_mut().inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
