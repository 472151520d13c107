//! The guard over several processes: it is told counts, and not one call after the other.

use super::evidence::{Evidence, Test};
use super::limits::{FOR_EACH_LIMIT, FOR_RISE, Guard, LOOKED_FOR};
use crate::layers::window::Window;

/// The observations of one row in all processes, with the tests of the guard.
///
/// The order of the calls is lost in the counts. The tests take the order that says least against the
/// new implementation, so they step back by chance no more often than the guard of one process.
#[derive(Debug)]
pub(in crate::layers) struct Summed {
    guard: Guard,
    seen: Evidence,
    window: Window<5>,
    errors: Test,
    differences: Test,
    slow: Test,
    rise: Test,
}

impl Summed {
    pub(in crate::layers) fn new(guard: Guard) -> Self {
        Self {
            guard,
            seen: Evidence::default(),
            window: Window::new(guard.window),
            errors: Test::of_share(guard.max_errors),
            differences: Test::of_share(guard.max_mismatches),
            slow: Test::of_share(guard.max_slow),
            rise: Test::of_differences(guard.max_rise, LOOKED_FOR),
        }
    }

    /// Returns the sums since the plan was changed.
    pub(in crate::layers) fn seen(&self) -> Evidence {
        self.seen
    }

    /// Adds what the processes have observed lately. Returns the reason to step back, if there is one now.
    pub(in crate::layers) fn add(&mut self, new: &Evidence) -> Option<String> {
        let Evidence { asked, failed, slow, old_asked, old_failed, compared, mismatched, .. } = *new;
        self.seen = self.seen.plus(new);
        let share = |part: u64, whole: u64| [(1.0, part as f64), (0.0, whole.saturating_sub(part) as f64)];
        self.errors.add_many(&share(failed, asked));
        self.slow.add_many(&share(slow, asked));
        self.differences.add_many(&share(mismatched, compared));
        self.rise.add_many(&pairs([asked, failed], [old_asked, old_failed]));
        let counts = [asked, failed, slow, compared, mismatched];
        let sums = self.window.add_counts(counts.map(|count| u32::try_from(count).unwrap_or(u32::MAX)));
        self.reason(sums)
    }

    fn reason(&self, [asked, failed, slow_ones, compared, mismatched]: [u32; 5]) -> Option<String> {
        let Guard { min_calls, max_errors, max_mismatches, max_slow, max_rise, .. } = self.guard;
        let chance = self.guard.chance.clamp(1e-12, 1.0);
        let exceeded = |what: &str, part: u32, whole: u32, limit: f64, test: &Test| {
            let share = f64::from(part) / f64::from(whole);
            (whole >= min_calls && share > limit && test.evidence() * chance * FOR_EACH_LIMIT >= 1.0).then(
                || {
                    let (share, limit) = (share * 100.0, limit * 100.0);
                    format!(
                        "{part} of the last {whole} {what} in all processes ({share:.1} %, limit {limit} %)"
                    )
                },
            )
        };
        let of_all = || {
            let seen = &self.seen;
            let is_shown = self.rise.evidence() * chance * FOR_RISE >= 1.0;
            (seen.asked >= u64::from(min_calls) && is_shown).then(|| {
                format!(
                    "in all processes {} of {} calls to the new implementation failed and {} of {} to the old \
                     (more than {} points apart; by chance in less than {:.1} % of all walks)",
                    seen.failed,
                    seen.asked,
                    seen.old_failed,
                    seen.old_asked,
                    max_rise * 100.0,
                    chance * FOR_RISE * 100.0
                )
            })
        };
        exceeded("calls to the new implementation failed", failed, asked, max_errors, &self.errors)
            .or_else(|| {
                exceeded("comparisons differed", mismatched, compared, max_mismatches, &self.differences)
            })
            .or_else(|| {
                // Each process has its own limit for the time of a call.
                exceeded("calls to the new implementation were slow", slow_ones, asked, max_slow, &self.slow)
            })
            .or_else(of_all)
    }
}

/// Returns differences between calls to the new and the old implementation, in pairs of one call to the
/// one and about as many to the other, for the order that shows the smallest rise: failures of the two
/// never in one pair.
fn pairs([asked, failed]: [u64; 2], [old_asked, old_failed]: [u64; 2]) -> [(f64, f64); 3] {
    let count = asked.min(old_asked);
    if count == 0 {
        return [(0.0, 0.0); 3];
    }
    // A group of several calls fails as much as its failures are of it. The groups differ by one in
    // size: those of the new implementation count as the larger, those of the old as the smaller.
    let above = failed.min(asked) as f64 / asked.div_ceil(count) as f64;
    let below = old_failed.min(old_asked) as f64 / (old_asked / count) as f64;
    [(1.0, above), (-1.0, below), (0.0, count as f64 - above - below)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(asked: u64, failed: u64, old_asked: u64, old_failed: u64) -> Evidence {
        Evidence { asked, failed, old_asked, old_failed, ..Evidence::default() }
    }

    fn guard() -> Guard {
        Guard { max_errors: 0.01, ..Guard::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn few_faults_of_one_process_are_chance_and_those_of_fifty_are_not() {
        for each in [counts(50, 2, 0, 0), counts(50, 2, 50, 0)] {
            let mut one = Summed::new(guard());
            assert_eq!(one.add(&each), None);
            let mut all = Summed::new(guard());
            let reason = (0..50).find_map(|_| all.add(&each)).unwrap();
            assert!(reason.contains("in all processes"), "{reason}");
        }
        // By default 4 % of failures are below the limit, and still a rise.
        let mut all = Summed::new(Guard::default());
        assert!((0..50).all(|_| all.add(&counts(50, 2, 0, 0)).is_none()));
        let mut all = Summed::new(Guard::default());
        let reason = (0..50).find_map(|_| all.add(&counts(50, 2, 50, 0))).unwrap();
        assert!(reason.contains("more than 0.1 points apart"), "{reason}");
    }

    #[test]
    fn bets_on_counts_win_as_much_as_those_on_the_calls_in_any_order() {
        let mut random = fastrand::Rng::with_seed(7);
        let wealth = |test: &Test| test.evidence();
        for _ in 0..100 {
            let (mut one_by_one, mut counted) = (Test::of_share(0.05), Test::of_share(0.05));
            let (mut hits, of) = (0, random.u64(1..400));
            for _ in 0..of {
                let hit = random.f64() < 0.06;
                hits += u64::from(hit);
                one_by_one.add(f64::from(u8::from(hit)));
            }
            counted.add_many(&[(1.0, hits as f64), (0.0, (of - hits) as f64)]);
            // All but a fifth is bet from the first call on. Only the beginnings in between differ.
            let (one, many) = (wealth(&one_by_one), wealth(&counted));
            assert!((one - many).abs() <= 0.2 * one.max(many) + 0.2, "{hits} of {of}: {one} {many}");
        }
    }

    #[test]
    fn equal_sides_step_back_no_more_often_than_the_chance() {
        let mut random = fastrand::Rng::with_seed(11);
        let mut back = 0;
        for _ in 0..200 {
            let mut rise = Test::of_differences(0.001, LOOKED_FOR);
            let mut errors = Test::of_share(0.05);
            let mut stepped = false;
            for _ in 0..500 {
                let mut of = |calls: u64| (0..calls).filter(|_| random.f64() < 0.05).count() as u64;
                let (failed, old_failed) = (of(60), of(47));
                rise.add_many(&pairs([60, failed], [47, old_failed]));
                errors.add_many(&[(1.0, failed as f64), (0.0, (60 - failed) as f64)]);
                stepped |= rise.evidence() >= 1.0 / (0.01 * FOR_RISE);
                stepped |= errors.evidence() >= 1.0 / (0.01 * FOR_EACH_LIMIT);
            }
            back += u32::from(stepped);
        }
        // One in a hundred of 200 is two; eight have a chance of less than one in a thousand.
        assert!(back < 8, "{back}");
    }

    #[tokio::test(start_paused = true)]
    async fn counts_of_any_size_are_taken() {
        let mut summed = Summed::new(Guard { max_errors: 0.0, ..Guard::default() });
        assert_eq!(summed.add(&counts(0, 0, 0, 0)), None);
        for count in [u64::MAX, 1, u64::MAX] {
            let reason = summed.add(&counts(count, count, count, 0));
            assert!(reason.is_some() || count == 1, "{count}");
            let good = summed.add(&counts(count, 0, count, count));
            assert!(summed.errors.evidence().is_finite() && summed.rise.evidence().is_finite(), "{good:?}");
        }
        assert_eq!(summed.seen().asked, u64::MAX);
    }
}
