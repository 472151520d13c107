//! A token bucket that limits retries and hedges to a share of all calls.

use crate::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Thousandths of a token: one extra request costs [`ONE`].
const ONE: u32 = 1_000;

/// Limits retries and hedges to a share of all calls, with a token bucket. Each call adds a fraction
/// of a token, and each extra request takes a whole one. So extra requests add at most that share to
/// the load of a service that is in trouble. Google's *Site Reliability Engineering*, chapter 21, and
/// gRPC's retry throttling do the same.
///
/// The bucket starts full, so the first calls may already be retried, and never holds more than
/// `burst` tokens.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::{Budget, Retry};
///
/// fn retried(lookup: impl PostcodeLookup) -> impl PostcodeLookup {
///     Retry::new(lookup).budget(Budget::new(0.1, 5)) // one retry for ten calls, and five saved
/// }
/// ```
#[derive(Debug)]
pub struct Budget {
    share: u32,
    burst: u32,
    tokens: AtomicU32,
}

impl Budget {
    /// Creates a full budget. It allows `share` extra requests per call (0.2 is one for every five calls)
    /// and saves at most `burst` of them. A share outside 0 to 1 becomes the nearer of the two.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::layers::{Budget, Retry};
    /// use postcode_core::{Error, ErrorKind, MockPostcodeLookup, PostcodeLookupExt};
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// lookup.expect_lookup_one().times(2).returning(|_| Err(Error::new(ErrorKind::Timeout, "no answer")));
    /// let retried = Retry::new(lookup).retries(10).budget(Budget::new(0.0, 1));
    /// // One retry is saved, and none is added.
    /// assert!(retried.get_str("SW1A 1AA").await.is_err());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn new(share: f64, burst: u16) -> Self {
        let burst = u32::from(burst) * ONE;
        // The cast turns NaN to 0.
        let share = (share.clamp(0.0, 1.0) * f64::from(ONE)).round() as u32;
        Self { share, burst, tokens: burst.into() }
    }

    /// Adds the share of one call.
    pub(crate) fn deposit(&self) {
        // The bucket is nearly always full, and then nothing needs to be written.
        if self.tokens.load(Relaxed) < self.burst {
            let _ = self
                .tokens
                .fetch_update(Relaxed, Relaxed, |tokens| Some((tokens + self.share).min(self.burst)));
        }
    }

    /// Takes one token for an extra request. Returns false if there are not enough.
    pub(crate) fn withdraw(&self) -> bool {
        self.tokens.fetch_update(Relaxed, Relaxed, |tokens| tokens.checked_sub(ONE)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burst_and_then_the_share() {
        let budget = Budget::new(0.2, 3);
        assert_eq!((0..10).filter(|_| budget.withdraw()).count(), 3);
        let spent = (0..100)
            .filter(|_| {
                budget.deposit();
                budget.withdraw()
            })
            .count();
        assert_eq!(spent, 20);
        (0..1_000).for_each(|_| budget.deposit());
        assert_eq!((0..10).filter(|_| budget.withdraw()).count(), 3, "never more than the burst is saved");
    }

    #[test]
    fn a_share_out_of_range_is_the_nearest_in_range() {
        for (share, spent) in [(-1.0, 0), (f64::NAN, 0), (7.0, 10)] {
            let budget = Budget::new(share, 1);
            assert!(budget.withdraw());
            let count = (0..10)
                .filter(|_| {
                    budget.deposit();
                    budget.withdraw()
                })
                .count();
            assert_eq!(count, spent, "{share}");
        }
    }
}
