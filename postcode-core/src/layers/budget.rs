//! How much more than it was asked a client may send.

use crate::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Thousandths of a token: one extra request costs [`ONE`].
const ONE: u32 = 1_000;

/// A token bucket that pays for extra requests: each call puts a share of a token in, each extra request takes
/// a whole one out. So retries and hedges add at most that share to the load of a service that is in trouble,
/// whatever each single call would like (Google's *Site Reliability Engineering*, chapter 21, and gRPC's retry
/// throttling do the same).
///
/// It starts full, so that the first calls have something to spend, and never holds more than that.
#[derive(Debug)]
pub struct Budget {
    share: u32,
    burst: u32,
    tokens: AtomicU32,
}

impl Budget {
    /// `share` of extra requests per call (0.2 is one for five calls), and `burst` of them saved at most.
    /// A share outside of 0 to 1 is taken as the nearer of the two.
    pub fn new(share: f64, burst: u16) -> Self {
        let burst = u32::from(burst) * ONE;
        // The cast turns NaN to 0.
        let share = (share.clamp(0.0, 1.0) * f64::from(ONE)).round() as u32;
        Self { share, burst, tokens: burst.into() }
    }

    /// For one call.
    pub(crate) fn deposit(&self) {
        // Full nearly always, and then nothing need be written.
        if self.tokens.load(Relaxed) < self.burst {
            let _ = self
                .tokens
                .fetch_update(Relaxed, Relaxed, |tokens| Some((tokens + self.share).min(self.burst)));
        }
    }

    /// For one extra request; false if there is not enough.
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
