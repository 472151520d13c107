//! A limit on one attempt.

use std::time::Duration;

use super::call::Call;
use super::{Around, deadline};
use crate::{Error, ErrorKind, PostcodeLookup, Result, layer};

/// A limit on each attempt: one that has no answer after `limit` is a [`Timeout`](ErrorKind::Timeout), and
/// the attempt is dropped.
///
/// It belongs inside [`Retry`](super::Retry), always: without it a server that accepts and never answers
/// holds the first attempt until the [`Deadline`](super::Deadline), and none is left to try again.
#[derive(Debug)]
pub struct Timeout<L> {
    inner: L,
    limit: Duration,
}

impl<L> Timeout<L> {
    /// Around a lookup, that long for each attempt.
    pub fn new(inner: L, limit: Duration) -> Self {
        Self { inner, limit }
    }
}

impl<L: PostcodeLookup> Around for Timeout<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        let limit = self.limit;
        deadline::until(deadline::after(limit), call.on(&self.inner), || {
            Error::new(ErrorKind::Timeout, format!("{call}: no answer within {limit:?}"))
        })
        .await
    }
}

layer!([L: PostcodeLookup] Timeout<L>);
