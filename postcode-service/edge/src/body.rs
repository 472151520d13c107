//! Bodies: of requests, which have a least speed, and of responses, which keep their connection
//! from being closed.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::BoxError;
use crate::pace::Pace;
use crate::places::State;
use crate::rest::Rest;

/// The body came more slowly than is waited for.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body came too slowly")]
pub struct TooSlow;

/// The body of a request. A client that sends it too slowly gets [`TooSlow`] as its error.
#[derive(Debug)]
pub struct RequestBody {
    /// `None` when it is dropped.
    inner: Option<Incoming>,
    pace: Pace,
    state: Arc<State>,
    rest: Arc<Rest>,
    /// The client waits for `100 Continue`, which reading sends.
    waits_for_continue: bool,
    broken: bool,
}

impl RequestBody {
    pub(crate) fn new(
        inner: Incoming,
        pace: Pace,
        state: Arc<State>,
        rest: Arc<Rest>,
        waits_for_continue: bool,
    ) -> Self {
        rest.begin();
        Self { inner: Some(inner), pace, state, rest, waits_for_continue, broken: false }
    }
}

impl Drop for RequestBody {
    /// Hands the rest of a body over that the program did not read.
    fn drop(&mut self) {
        let Some(inner) = self.inner.take().filter(|inner| !inner.is_end_stream()) else { return };
        if self.broken || self.waits_for_continue {
            self.rest.give_up();
        } else {
            self.rest.hand_over(inner);
        }
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
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        this.waits_for_continue = false;
        let Poll::Ready(frame) = Pin::new(&mut *inner).poll_frame(cx) else {
            ready!(this.pace.poll_late(cx));
            this.broken = true;
            return Poll::Ready(Some(Err(TooSlow.into())));
        };
        match &frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                this.pace.moved(bytes);
                this.state.received(bytes);
                if inner.is_end_stream() {
                    this.state.body_is_there();
                }
            }
            Some(Err(_)) => {
                this.broken = true;
                this.state.body_is_there();
            }
            None => {
                // Its end is not always seen from outside.
                this.inner = None;
                this.state.body_is_there();
            }
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or(SizeHint::with_exact(0), Incoming::size_hint)
    }
}

/// Marks a request as in progress until the last byte of its answer.
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

/// The body of a response, which keeps its request marked as in progress.
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
