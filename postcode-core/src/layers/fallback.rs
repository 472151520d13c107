//! Answers from a second implementation when the first has a fault.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::call::Call;
use super::{Around, is_fault};
use crate::{AnyLookup, ErrorKind, Lookups, Result, layer};

/// Calls a second implementation when the first one fails, and counts how often.
///
/// Any error causes a fallback except [`InvalidInput`](ErrorKind::InvalidInput), which the second
/// implementation would return too. If both have a fault, the caller gets the error of the first,
/// because that is the one to fix.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use postcode_core::Lookups;
/// use postcode_core::layers::Fallback;
///
/// fn dependable(service: impl Lookups, library: impl Lookups) -> impl Lookups {
///     Fallback::new(service, library)
/// }
/// ```
#[derive(Debug)]
pub struct Fallback<L = AnyLookup> {
    first: L,
    second: L,
    fallbacks: AtomicU64,
}

impl Fallback {
    /// Creates a fallback: `second` is called when `first` has any error but
    /// [`InvalidInput`](ErrorKind::InvalidInput).
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::Fallback;
    /// use postcode_core::{Answer, Error, ErrorKind, MockLookups, PostcodeLookupExt};
    ///
    /// let (mut service, mut library) = (MockLookups::default(), MockLookups::default());
    /// service.postcodes.expect_lookup_one().returning(|_| Err(Error::new(ErrorKind::Unavailable, "refused")));
    /// library.postcodes.expect_lookup_one().returning(|_| Ok(Answer::Unknown));
    /// let dependable = Fallback::new(service, library);
    /// assert_eq!(dependable.get_str("SW1A 9ZZ").await?, Answer::Unknown); // the library's answer
    /// assert_eq!(dependable.fallbacks(), 1);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn new(first: impl Lookups, second: impl Lookups) -> Self {
        Self::of(AnyLookup::new(first), AnyLookup::new(second))
    }
}

impl<L> Fallback<L> {
    /// Creates a fallback between two lookups of one type, such as `Arc<dyn AddressLookup>`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use postcode_core::Lookups;
    /// use postcode_core::layers::Fallback;
    ///
    /// fn dependable(service: Arc<dyn Lookups>, library: Arc<dyn Lookups>) -> Fallback<Arc<dyn Lookups>> {
    ///     Fallback::of(service, library)
    /// }
    /// ```
    pub fn of(first: L, second: L) -> Self {
        Self { first, second, fallbacks: AtomicU64::new(0) }
    }

    /// Returns how often the second implementation was called.
    ///
    /// ```
    /// use postcode_core::layers::Fallback;
    ///
    /// # let (service, library) = ((), ());
    /// assert_eq!(Fallback::of(service, library).fallbacks(), 0); // nothing was asked yet
    /// ```
    pub fn fallbacks(&self) -> u64 {
        self.fallbacks.load(Relaxed)
    }
}

impl<L: Debug + Send + Sync + 'static> Around for Fallback<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        match call.on(&self.first).await {
            Err(error) if error.kind() != ErrorKind::InvalidInput => {
                self.fallbacks.fetch_add(1, Relaxed);
                call.on(&self.second).await.map_err(|second| if is_fault(&second) { error } else { second })
            }
            answer => answer,
        }
    }
}

layer!([] Fallback<AnyLookup>);
