//! Measures how long calls take.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Buckets per power of two: a quantile is exact to within a sixteenth.
const STEPS: u64 = 8;
pub(super) const BUCKETS: usize = 8 * 40;
/// All counts are halved when there are this many, so that the histogram describes recent calls.
const MANY: u64 = 1 << 17;

/// A histogram of durations, 1 ns to an hour, that any number of threads add to without waiting.
///
/// It describes about the last hundred thousand calls: older ones count half, a quarter, and so on.
pub(super) struct Latencies {
    buckets: Box<[AtomicU64; BUCKETS]>,
    count: AtomicU64,
}

impl Latencies {
    pub(super) fn new() -> Self {
        Self { buckets: Box::new([const { AtomicU64::new(0) }; BUCKETS]), count: AtomicU64::new(0) }
    }

    pub(super) fn add(&self, latency: Duration) {
        self.buckets[bucket(latency)].fetch_add(1, Relaxed);
        if self.count.fetch_add(1, Relaxed) == MANY {
            // Other threads may add meanwhile. A few more or less do not change a quantile.
            let mut count = 0;
            for bucket in &*self.buckets {
                let half = bucket.load(Relaxed) / 2;
                bucket.fetch_sub(half, Relaxed);
                count += half;
            }
            self.count.store(count, Relaxed);
        }
    }

    /// Returns the sum of several histograms.
    pub(super) fn sum<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let sum = Self::new();
        for one in all {
            for (bucket, add) in sum.buckets.iter().zip(&*one.buckets) {
                bucket.fetch_add(add.load(Relaxed), Relaxed);
            }
        }
        sum
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Relaxed)).sum()
    }

    /// Returns the latency that `quantile` (0 to 1) of the calls don't exceed, or `None` before
    /// the first call.
    pub(super) fn quantile(&self, quantile: f64) -> Option<Duration> {
        let count = self.count();
        let rank = ((count as f64 * quantile).ceil() as u64).clamp(1, count.max(1));
        let mut seen = 0;
        self.buckets
            .iter()
            .position(|bucket| {
                seen += bucket.load(Relaxed);
                seen >= rank
            })
            .map(middle)
    }
}

/// Returns the bucket of a latency. Below 16 ns there is one for each, and above that `STEPS` for
/// each power of two.
pub(super) fn bucket(latency: Duration) -> usize {
    let ns = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
    if ns < 2 * STEPS {
        return ns as usize;
    }
    let shift = u64::from(ns.ilog2()) - 3;
    ((shift * STEPS + (ns >> shift)) as usize).min(BUCKETS - 1)
}

/// Returns the shortest duration of a bucket. The longest of the last one has no limit.
pub(super) fn lowest(bucket: usize) -> Duration {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return Duration::from_nanos(bucket);
    }
    let shift = bucket / STEPS - 1;
    Duration::from_nanos((bucket % STEPS + STEPS) << shift)
}

/// Returns the middle of a bucket.
fn middle(bucket: usize) -> Duration {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return Duration::from_nanos(bucket);
    }
    let shift = bucket / STEPS - 1;
    let lowest = (bucket % STEPS + STEPS) << shift;
    Duration::from_nanos(lowest + (1 << shift) / 2)
}

impl std::fmt::Debug for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Latencies")
            .field("count", &self.count())
            .field("p50", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_within_a_sixteenth_of_the_middle_of_its_bucket() {
        let mut before = 0;
        for exponent in 0..40 {
            for step in 0..64_u64 {
                let ns = (1_u64 << exponent) + ((step << exponent) >> 6);
                let at = bucket(Duration::from_nanos(ns));
                assert!(at >= before, "buckets are in order");
                before = at;
                let off = middle(at).as_nanos().abs_diff(u128::from(ns));
                assert!(off * 16 <= u128::from(ns), "{ns} ns is in a bucket around {:?}", middle(at));
            }
        }
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
        for at in 0..BUCKETS {
            assert_eq!(bucket(lowest(at)), at);
        }
    }

    #[test]
    fn quantiles() {
        let latencies = Latencies::new();
        assert_eq!(latencies.quantile(0.5), None);
        for ms in 1..=100 {
            latencies.add(Duration::from_millis(ms));
        }
        for (quantile, ms) in [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0)] {
            let got = latencies.quantile(quantile).unwrap().as_secs_f64() * 1e3;
            assert!((got / ms - 1.0).abs() <= 1.0 / 16.0, "{quantile}: {got} ms");
        }
    }

    #[test]
    fn sum_has_the_calls_of_all() {
        let all = [1, 100].map(|ms| {
            let latencies = Latencies::new();
            (0..ms).for_each(|_| latencies.add(Duration::from_millis(ms)));
            latencies
        });
        let sum = Latencies::sum(all.iter());
        assert_eq!(sum.count(), 101);
        assert!(sum.quantile(0.001).unwrap() < Duration::from_millis(2));
        assert!(sum.quantile(0.5).unwrap() > Duration::from_millis(90));
    }

    #[test]
    fn the_past_fades() {
        let latencies = Latencies::new();
        for ms in [1, 100, 100] {
            for _ in 0..MANY {
                latencies.add(Duration::from_millis(ms));
            }
        }
        assert!(latencies.count() <= MANY + 1);
        assert!(latencies.quantile(0.3).unwrap() > Duration::from_millis(90));
    }
}
