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
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use postcode_core::layers::{Around, call::Call};
    /// # use postcode_core::{PostcodeLookup, Result};
    /// # /// Answers after 20 ms.
    /// # #[derive(Debug)]
    /// # struct Slow<L>(L);
    /// # impl<L: PostcodeLookup> Around for Slow<L> {
    /// #     type Inner = L;
    /// #     async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
    /// #         tokio::time::sleep(Duration::from_millis(20)).await;
    /// #         call.on(&self.0).await
    /// #     }
    /// # }
    /// # postcode_core::layer!([L: PostcodeLookup] Slow<L>);
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::Timeout;
    /// use postcode_core::{ErrorKind, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// let slow = Slow(MockPostcodeLookup::new()); // answers after 20 ms
    /// let error = Timeout::new(slow, Duration::from_millis(10)).get_str("SW1A 1AA").await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Timeout);
    /// assert!(error.is_transient()); // another attempt may be faster
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
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
