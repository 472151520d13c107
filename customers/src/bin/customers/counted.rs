//! Counts the calls of the postcode lookup for `/metrics`.

use std::time::Instant;

use customers::server::Metrics;
use postcode_core::layers::Around;
use postcode_core::layers::call::Call;
use postcode_core::{PostcodeLookup, Result, layer};

/// A lookup whose calls are counted.
#[derive(Debug)]
pub(crate) struct Counted<L> {
    inner: L,
    metrics: Metrics,
}

impl<L> Counted<L> {
    pub(crate) fn new(inner: L, metrics: Metrics) -> Self {
        Self { inner, metrics }
    }
}

impl<L: PostcodeLookup> Around for Counted<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        let begun = Instant::now();
        let reply = call.on(&self.inner).await;
        self.metrics.lookup(reply.is_ok(), begun.elapsed());
        reply
    }
}

layer!([L: PostcodeLookup] Counted<L>: PostcodeLookup);
