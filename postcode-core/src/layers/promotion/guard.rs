//! The guard that steps a promotion back automatically.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Stage;
use super::evidence::{Evidence, Interval, Test};
use crate::layers::window::Window;

/// When a promotion steps back automatically. Every limit is a share of the calls to the new
/// implementation, in a sliding window.
///
/// A share above its limit may be chance. So a limit counts only if all observations since the plan
/// was changed show as well that it is exceeded. That test holds at every look, like the one that
/// compares the new implementation's failures with the old one's: all of them together step back
/// from a plan without cause with at most [`chance`](Self::chance), however long it lasts.
///
/// It steps back to a stage where the caller gets the old implementation's answers: from `canary`,
/// `remote-with-fallback` and `remote` to `shadow`, which still measures, and from `shadow` to
/// `local`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Guard {
    /// The length of the window. Default: 30 s.
    pub window: Duration,
    /// The number of calls, or comparisons, that the window must hold before the limits apply.
    /// Default: 20.
    pub min_calls: u32,
    /// The share of calls that may fail, 0 to 1. Default: 0.05.
    pub max_errors: f64,
    /// The share of comparisons that may differ because of the code, 0 to 1. Default: 0.01.
    pub max_mismatches: f64,
    /// The time from which a call counts as slow. Default: 500 ms.
    pub slow: Duration,
    /// The share of calls that may be slow, 0 to 1. Default: 0.05.
    pub max_slow: f64,
    /// By how much the share of failed calls may be above that of the old implementation, 0 to 1.
    /// Tested in the stages that call both. Default: 0.001.
    pub max_rise: f64,
    /// The chance of ever stepping back from a plan although no limit is exceeded. Default: 0.01.
    pub chance: f64,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(30),
            min_calls: 20,
            max_errors: 0.05,
            max_mismatches: 0.01,
            slow: Duration::from_millis(500),
            max_slow: 0.05,
            max_rise: 0.001,
            chance: 0.01,
        }
    }
}

/// One observation of the new implementation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// How long the call took, if one was made.
    pub(super) asked: Option<Duration>,
    /// Whether the call failed.
    pub(super) failed: bool,
    /// Whether the answers matched, or differ for another [cause](super::Cause) than the code, if they
    /// were compared.
    pub(super) matched: Option<bool>,
}

/// The rise of the share of failed calls that the guard finds soonest: one point.
pub(super) const LOOKED_FOR: f64 = 0.01;
/// The parts of the guard's chance: most of it for the rise, which is the hardest to see.
pub(super) const FOR_RISE: f64 = 0.85;
pub(super) const FOR_EACH_LIMIT: f64 = 0.05;

/// A guard with its observations.
#[derive(Debug)]
pub(super) struct Watch {
    guard: Guard,
    state: Mutex<State>,
    /// Calls to the old implementation since the last one to the new: their number above 32 bits for
    /// those that failed. Apart from the rest, because calls in this process must not wait for a lock.
    old: AtomicU64,
}

#[derive(Debug)]
struct State {
    window: Window<5>,
    gathered: Gathered,
    /// The observations of the plan before this one.
    before: Evidence,
}

impl Watch {
    pub(super) fn new(guard: Guard) -> Self {
        let (window, gathered) = (Window::new(guard.window), Gathered::new(&guard));
        let state = Mutex::new(State { window, gathered, before: Evidence::default() });
        Self { guard, state, old: AtomicU64::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets all observations.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        state.window.clear();
        self.old.store(0, Relaxed);
        let gathered = std::mem::replace(&mut state.gathered, Gathered::new(&self.guard));
        state.before = gathered.seen;
    }

    /// Returns the observations since the plan was changed, and those of the plan before.
    pub(super) fn evidence(&self) -> (Evidence, Evidence) {
        let state = self.state();
        (state.gathered.seen, state.before)
    }

    /// Records a call that the old implementation answered because of the plan, and not because the
    /// new one failed.
    pub(super) fn note_old(&self, failed: bool) {
        self.old.fetch_add(1 << 32 | u64::from(failed), Relaxed);
    }

    /// Records an observation. Returns the reason to step back, if there is one now.
    pub(super) fn note(&self, seen: Seen) -> Option<String> {
        let Guard { min_calls, slow, .. } = self.guard;
        let is_slow = seen.asked.is_some_and(|took| took > slow);
        let mut state = self.state();
        let State { window, gathered, .. } = &mut *state;
        let [asked, failed, slow_ones, compared, mismatched] = window.add([
            seen.asked.is_some(),
            seen.failed,
            is_slow,
            seen.matched.is_some(),
            seen.matched == Some(false),
        ]);
        if seen.asked.is_some() {
            gathered.add_call(seen.failed, is_slow, self.old.swap(0, Relaxed));
        }
        if let Some(matched) = seen.matched {
            gathered.add_comparison(matched);
        }
        let needed = 1.0 / (self.guard.chance.clamp(1e-12, 1.0) * FOR_EACH_LIMIT);
        let reason = |what: &str, part: u32, whole: u32, limit: f64, test: &Test| {
            let share = f64::from(part) / f64::from(whole);
            (whole >= min_calls && share > limit && test.evidence() >= needed).then(|| {
                format!(
                    "{part} of the last {whole} {what} ({:.1} %, limit {} %)",
                    share * 100.0,
                    limit * 100.0
                )
            })
        };
        let Guard { max_errors, max_mismatches, max_slow, .. } = self.guard;
        let calls = "calls to the new implementation failed";
        reason(calls, failed, asked, max_errors, &gathered.errors)
            .or_else(|| {
                let what = "comparisons differed";
                reason(what, mismatched, compared, max_mismatches, &gathered.differences)
            })
            .or_else(|| {
                let what = format!("calls to the new implementation took longer than {slow:?}");
                reason(&what, slow_ones, asked, max_slow, &gathered.slow)
            })
            .or_else(|| gathered.rise(&self.guard))
    }
}

/// The observations of one plan, with the tests of the limits.
#[derive(Debug)]
struct Gathered {
    seen: Evidence,
    errors: Test,
    differences: Test,
    slow: Test,
    rise: Test,
    interval: Interval,
    /// Calls to the new implementation since the last one to the old, and those of them that failed.
    new: [u64; 2],
}

impl Gathered {
    fn new(guard: &Guard) -> Self {
        Self {
            seen: Evidence::default(),
            errors: Test::of_share(guard.max_errors),
            differences: Test::of_share(guard.max_mismatches),
            slow: Test::of_share(guard.max_slow),
            rise: Test::of_differences(guard.max_rise, LOOKED_FOR),
            interval: Interval::new(guard.chance.clamp(1e-12, 1.0)),
            new: [0; 2],
        }
    }

    /// Adds a call to the new implementation, and those to the old one before it.
    fn add_call(&mut self, failed: bool, slow: bool, old: u64) {
        let [old_asked, old_failed] = [old >> 32, old & u64::from(u32::MAX)];
        let seen = &mut self.seen;
        seen.asked += 1;
        seen.failed += u64::from(failed);
        seen.slow += u64::from(slow);
        seen.old_asked += old_asked;
        seen.old_failed += old_failed;
        self.errors.add(f64::from(u8::from(failed)));
        self.slow.add(f64::from(u8::from(slow)));
        self.new[0] += 1;
        self.new[1] += u64::from(failed);
        // Pairs are formed by the order of the calls, and not by their results.
        if old_asked > 0 {
            let [asked, failed] = std::mem::take(&mut self.new).map(|count| count as f64);
            let difference = failed / asked - old_failed as f64 / old_asked as f64;
            self.rise.add(difference);
            self.interval.add(difference);
            self.seen.rise = self.interval.bounds();
        }
    }

    fn add_comparison(&mut self, matched: bool) {
        self.seen.compared += 1;
        self.seen.mismatched += u64::from(!matched);
        self.differences.add(f64::from(u8::from(!matched)));
    }

    /// Returns the reason to step back if the new implementation fails more often than the old one.
    fn rise(&self, guard: &Guard) -> Option<String> {
        let chance = guard.chance.clamp(1e-12, 1.0) * FOR_RISE;
        let seen = &self.seen;
        (seen.asked >= u64::from(guard.min_calls) && self.rise.evidence() >= 1.0 / chance).then(|| {
            format!(
                "{} of {} calls to the new implementation failed and {} of {} to the old (more than {} points \
                 apart; by chance in less than {:.1} % of all walks)",
                seen.failed,
                seen.asked,
                seen.old_failed,
                seen.old_asked,
                guard.max_rise * 100.0,
                chance * 100.0
            )
        })
    }
}

/// Returns the stage to step back to.
pub(in crate::layers) fn before(stage: Stage) -> Option<Stage> {
    match stage {
        Stage::Local => None,
        Stage::Shadow => Some(Stage::Local),
        Stage::Canary | Stage::RemoteWithFallback | Stage::Remote => Some(Stage::Shadow),
    }
}

/// The tests of a guard without its window, for simulations.
#[cfg(test)]
pub(super) struct Simulated {
    guard: Guard,
    gathered: Gathered,
}

#[cfg(test)]
impl Default for Simulated {
    fn default() -> Self {
        let guard = Guard::default();
        Self { guard, gathered: Gathered::new(&guard) }
    }
}

#[cfg(test)]
impl Simulated {
    /// Adds a call to the new implementation, and those to the old one before it. Returns whether the
    /// tests say to step back. The window could only delay that.
    pub(super) fn steps_back(&mut self, failed: bool, old: u32, old_failed: u32) -> bool {
        self.gathered.add_call(failed, false, u64::from(old) << 32 | u64::from(old_failed));
        self.gathered.errors.evidence() >= 1.0 / (self.guard.chance * FOR_EACH_LIMIT)
            || self.gathered.rise(&self.guard).is_some()
    }
}
