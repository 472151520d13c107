//! Compares a quantile of the latencies of the two implementations, at any number of looks.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::evidence::{evidence_above, evidence_below};
use crate::layers::latency::{BUCKETS, bucket, lowest};

/// How many calls took how long, since the plan was changed. Any number of threads add without waiting.
pub(super) struct Times(Box<[AtomicU64; BUCKETS]>);

impl Times {
    pub(super) fn new() -> Self {
        Self(Box::new([const { AtomicU64::new(0) }; BUCKETS]))
    }

    pub(super) fn add(&self, took: Duration) {
        self.0[bucket(took)].fetch_add(1, Relaxed);
    }

    pub(super) fn clear(&self) {
        self.0.iter().for_each(|count| count.store(0, Relaxed));
    }

    /// Returns the buckets that are not empty with their counts.
    pub(super) fn counts(&self) -> Counts {
        let counts = self.0.iter().enumerate().map(|(at, count)| (at as u16, count.load(Relaxed)));
        counts.filter(|(_, count)| *count > 0).collect()
    }
}

impl std::fmt::Debug for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Times").field(&self.counts().len()).finish()
    }
}

/// The buckets of a histogram that are not empty, in order, with their counts.
pub(super) type Counts = Vec<(u16, u64)>;

/// A time that a quantile is shown to be at least, or at most, with the counts that show it.
///
/// ```
/// use postcode_core::layers::LatencyBound;
///
/// let bound = LatencyBound { ns: 2_000_000, longer: 50, of: 200, evidence: 120.0 };
/// assert_eq!(bound.ns as f64 / 1e6, 2.0); // milliseconds
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyBound {
    /// The time, in nanoseconds.
    pub ns: u64,
    /// Calls that took at least as long.
    pub longer: u64,
    /// All calls.
    pub of: u64,
    /// The evidence: how many to one.
    pub evidence: f64,
}

impl LatencyBound {
    pub(super) fn time(&self) -> Duration {
        Duration::from_nanos(self.ns)
    }
}

/// Returns the greatest time that a quantile is shown to be at least. Wrong at any look with at most this
/// chance.
///
/// If the quantile is `q`, at most `1 − quantile` of the calls are longer than `q`. So for every longer time
/// the counts show no more evidence than for `q` itself, and no chance is lost by testing all times.
pub(super) fn at_least(counts: &[(u16, u64)], quantile: f64, chance: f64) -> Option<LatencyBound> {
    let of = sum(counts);
    let found = |longer| evidence_above(1.0 - quantile, longer, of);
    let longer = longer(counts, of);
    let shown = longer.partition_point(|(_, longer)| found(*longer) >= 1.0 / chance);
    let (bucket, longer) = *longer.get(shown.checked_sub(1)?)?;
    Some(LatencyBound { ns: nanos(bucket), longer, of, evidence: found(longer) })
}

/// Returns the smallest time that a quantile is shown to be at most. Wrong at any look with at most this chance.
pub(super) fn at_most(counts: &[(u16, u64)], quantile: f64, chance: f64) -> Option<LatencyBound> {
    let of = sum(counts);
    let found = |longer| evidence_below(1.0 - quantile, longer, of);
    let longer = longer(counts, of);
    // The calls that are longer than those of a bucket are those of the next one that is not empty.
    let after = |at: usize| longer.get(at + 1).map_or(0, |(_, longer)| *longer);
    let places: Vec<usize> = (0..longer.len()).collect();
    let at = places.partition_point(|at| found(after(*at)) < 1.0 / chance);
    let bucket = usize::from(longer.get(at)?.0) + 1;
    // The times in the last bucket have no limit.
    (bucket < BUCKETS).then(|| {
        let longer = after(at);
        LatencyBound { ns: nanos(bucket as u16), longer, of, evidence: found(longer) }
    })
}

/// Returns for each bucket how many calls took at least as long as its shortest time.
fn longer(counts: &[(u16, u64)], of: u64) -> Vec<(u16, u64)> {
    let each = counts.iter().scan(of, |rest, (bucket, count)| {
        let longer = *rest;
        *rest = rest.saturating_sub(*count);
        Some((*bucket, longer))
    });
    each.collect()
}

fn sum(counts: &[(u16, u64)]) -> u64 {
    counts.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count))
}

fn nanos(bucket: u16) -> u64 {
    u64::try_from(lowest(usize::from(bucket)).as_nanos()).unwrap_or(u64::MAX)
}

/// Returns the least and the greatest difference between a quantile of the new and the old latencies, in
/// microseconds. It is wrong at any look with at most this chance. `None` until both are known.
pub(super) fn difference_us(new: &Counts, old: &Counts, quantile: f64, chance: f64) -> Option<[f64; 2]> {
    let part = chance / 4.0;
    let low = |counts| at_least(counts, quantile, part).map_or(0, |bound| bound.ns) as f64;
    let high = |counts| at_most(counts, quantile, part).map(|bound| bound.ns as f64);
    let (new_high, old_high) = (high(new)?, high(old)?);
    Some([(low(new) - old_high) / 1e3, (new_high - low(old)) / 1e3])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: impl IntoIterator<Item = Duration>) -> Counts {
        let all = Times::new();
        times.into_iter().for_each(|took| all.add(took));
        all.counts()
    }

    #[test]
    fn bounds_of_a_quantile_enclose_it_and_narrow() {
        let ms = |ms: u64| Duration::from_millis(ms);
        let bounds = |counts: &Counts, quantile| {
            let low = at_least(counts, quantile, 0.01).map_or(Duration::ZERO, |bound| bound.time());
            [low, at_most(counts, quantile, 0.01).map_or(Duration::MAX, |bound| bound.time())]
        };
        assert_eq!(bounds(&Vec::new(), 0.95), [Duration::ZERO, Duration::MAX]);
        assert_eq!(bounds(&of([ms(5)]), 0.95), [Duration::ZERO, Duration::MAX]);
        let counts = of((0..10_000).map(|n| ms(n % 100 + 1)));
        let [low, high] = bounds(&counts, 0.5);
        assert!(low <= ms(50) && ms(51) <= high && high - low < ms(20), "{low:?} {high:?}");
        let [low, high] = bounds(&counts, 0.95);
        assert!(low <= ms(95) && ms(96) <= high && high - low < ms(30), "{low:?} {high:?}");
        // All in the last bucket: the longest time has no limit.
        assert_eq!(bounds(&of((0..1_000).map(|_| Duration::MAX)), 0.5)[1], Duration::MAX);
    }

    #[test]
    fn difference_needs_both_sides() {
        let times = |ms| of((0..1_000).map(|_| Duration::from_millis(ms)));
        assert_eq!(difference_us(&times(9), &Vec::new(), 0.95, 0.01), None);
        let [low, high] = difference_us(&times(100), &times(10), 0.95, 0.01).unwrap();
        assert!(low > 80_000.0 && low <= 90_000.0 && (90_000.0..110_000.0).contains(&high), "{low} {high}");
    }
}
