//! Limits how many calls run at once.

use std::fmt::Debug;
use tokio::sync::Semaphore;

use super::Around;
use super::call::Call;
use crate::{Error, ErrorKind, PostcodeLookup, Result, layer};

/// Limits how many calls run at once. One more fails at once with
/// [`Overloaded`](ErrorKind::Overloaded).
///
/// No call waits in a queue. So a service that has become slow can't fill its callers with waiting
/// calls, and the rest of their work goes on.
///
/// ```
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::Bulkhead;
///
/// fn limited(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
///     Bulkhead::new(lookup, 64)
/// }
/// ```
#[derive(Debug)]
pub struct Bulkhead<L> {
    inner: L,
    limit: usize,
    free: Semaphore,
}

impl<L> Bulkhead<L> {
    /// Wraps a lookup and lets this many calls run at once: 1 to 2^61 − 1. A number outside this
    /// range becomes the nearest one inside.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let library = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::{PostcodeLookupExt, layers::Bulkhead};
    ///
    /// let limited = Bulkhead::new(library, 1);
    /// assert!(limited.validate("SW1A 1AA").await?); // alone, so it is not refused
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    pub fn new(inner: L, limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self { inner, limit, free: Semaphore::new(limit) }
    }
}

impl<L: Debug + Send + Sync + 'static> Around for Bulkhead<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        let Ok(_permit) = self.free.try_acquire() else {
            return Err(Error::new(
                ErrorKind::Overloaded,
                format!("{call}: {} calls are already running, which is the limit", self.limit),
            ));
        };
        call.on(&self.inner).await
    }
}

layer!([L: PostcodeLookup] Bulkhead<L>);
