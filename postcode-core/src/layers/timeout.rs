//! Limits one attempt.

use std::fmt::Debug;
use std::time::Duration;

use super::call::Call;
use super::{Around, deadline};
use crate::{Error, ErrorKind, PostcodeLookup, Result, layer};

/// Limits each attempt. An attempt without an answer after `limit` is dropped and fails with
/// [`Timeout`](ErrorKind::Timeout).
///
/// Always put it inside [`Retry`](super::Retry). Without it, a server that accepts and never answers
/// holds the first attempt until the [`Deadline`](super::Deadline), and no time is left to retry.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use std::time::Duration;
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::Timeout;
///
/// fn limited(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
///     Timeout::new(lookup, Duration::from_millis(200))
/// }
/// ```
#[derive(Debug)]
pub struct Timeout<L> {
    inner: L,
    limit: Duration,
}

impl<L> Timeout<L> {
    /// Wraps a lookup and limits each attempt to this time.
    pub fn new(inner: L, limit: Duration) -> Self {
        Self { inner, limit }
    }
}

impl<L: Debug + Send + Sync + 'static> Around for Timeout<L> {
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
