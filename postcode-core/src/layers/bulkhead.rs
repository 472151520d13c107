//! A limit on what is under way at once.

use tokio::sync::Semaphore;

use super::Around;
use super::call::Call;
use crate::{Error, ErrorKind, PostcodeLookup, Result, layer};

/// A limit on the calls under way at once: one more fails at once with [`Overloaded`](ErrorKind::Overloaded).
///
/// Nothing waits here, so that a service that has become slow can't fill its callers with waiting calls, and the
/// rest of their work goes on.
#[derive(Debug)]
pub struct Bulkhead<L> {
    inner: L,
    limit: usize,
    free: Semaphore,
}

impl<L> Bulkhead<L> {
    /// Around a lookup, that many calls at once, 1 to 2^61 − 1; a number outside is the nearest inside.
    pub fn new(inner: L, limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self { inner, limit, free: Semaphore::new(limit) }
    }
}

impl<L: PostcodeLookup> Around for Bulkhead<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        let Ok(_permit) = self.free.try_acquire() else {
            return Err(Error::new(
                ErrorKind::Overloaded,
                format!("{call}: {} calls are under way already, which is the limit", self.limit),
            ));
        };
        call.on(&self.inner).await
    }
}

layer!([L: PostcodeLookup] Bulkhead<L>);
