//! The guard that steps a promotion back automatically.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Stage;
use super::evidence::{Evidence, Interval, Test};
use super::grounds::{Grounds, Limit, Recorded, latency_reason, rise_reason, share_reason};
use super::limits::{FOR_EACH_LIMIT, FOR_RISE, Guard, LOOKED_FOR};
use super::quantile::{Times, at_least, at_most, difference_us};
use crate::layers::window::Window;

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

/// The latencies are compared after so many calls to the new implementation. The bounds hold at any look, and
/// take some microseconds.
const BETWEEN_LOOKS: u64 = 32;

/// A step back that a guard demands.
#[derive(Clone, Debug)]
pub(super) struct Tripped {
    pub(super) reason: String,
    /// The observations until then.
    pub(super) evidence: Evidence,
    pub(super) grounds: Grounds,
}

/// A guard with its observations.
#[derive(Debug)]
pub(super) struct Watch {
    guard: Guard,
    state: Mutex<State>,
    /// Calls to the old implementation since the last one to the new: their number above 32 bits for
    /// those that failed. Apart from the rest, because calls in this process must not wait for a lock.
    old: AtomicU64,
    /// How long the calls to the new implementation took.
    new_times: Times,
    /// How long the timed calls to the old one took.
    old_times: Times,
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
        Self { guard, state, old: AtomicU64::new(0), new_times: Times::new(), old_times: Times::new() }
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
        state.before = Evidence { slower_us: self.slower_us(), ..gathered.seen };
        self.new_times.clear();
        self.old_times.clear();
    }

    fn slower_us(&self) -> Option<[f64; 2]> {
        let (new, old) = (self.new_times.counts(), self.old_times.counts());
        difference_us(&new, &old, self.guard.quantile, self.guard.chance.clamp(1e-12, 1.0))
    }

    /// Returns the observations since the plan was changed, and those of the plan before.
    pub(super) fn evidence(&self) -> (Evidence, Evidence) {
        let state = self.state();
        (Evidence { slower_us: self.slower_us(), ..state.gathered.seen }, state.before)
    }

    /// Records how long a call to the old implementation took.
    pub(super) fn note_old_time(&self, took: Duration) {
        self.old_times.add(took);
    }

    /// Records a call that the old implementation answered because of the plan, and not because the
    /// new one failed.
    pub(super) fn note_old(&self, failed: bool) {
        self.old.fetch_add(1 << 32 | u64::from(failed), Relaxed);
    }

    /// Records an observation. Returns the step back that it demands.
    pub(super) fn note(&self, seen: Seen) -> Option<Box<Tripped>> {
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
        if let Some(took) = seen.asked {
            gathered.add_call(seen.failed, is_slow, self.old.swap(0, Relaxed));
            self.new_times.add(took);
        }
        if let Some(matched) = seen.matched {
            gathered.add_comparison(matched);
        }
        let guard = &self.guard;
        let needed = 1.0 / (guard.chance.clamp(1e-12, 1.0) * FOR_EACH_LIMIT);
        let exceeded = |limit: Limit, window: [u32; 2], share: f64, test: &Recorded| {
            let [part, whole] = window;
            let is_over = whole >= min_calls && f64::from(part) > share * f64::from(whole);
            let reason = (is_over && test.evidence() >= needed).then(|| share_reason(limit, guard, window));
            Some((reason.flatten()?, test.grounds(limit, Some(window))))
        };
        let Gathered { errors, differences, slow, .. } = &*gathered;
        let (reason, grounds) = exceeded(Limit::Errors, [failed, asked], guard.max_errors, errors)
            .or_else(|| {
                exceeded(Limit::Differences, [mismatched, compared], guard.max_mismatches, differences)
            })
            .or_else(|| exceeded(Limit::Slow, [slow_ones, asked], guard.max_slow, slow))
            .or_else(|| gathered.rise(guard))
            .or_else(|| seen.asked.and_then(|_| self.slower(&gathered.seen)))?;
        let evidence = Evidence { slower_us: self.slower_us(), ..gathered.seen };
        Some(Box::new(Tripped { reason, evidence, grounds }))
    }

    /// Returns the reason to step back if a quantile of the latencies is too far above the old one.
    fn slower(&self, seen: &Evidence) -> Option<(String, Grounds)> {
        let Guard { quantile, max_slower, min_calls, chance, .. } = self.guard;
        if !seen.asked.is_multiple_of(BETWEEN_LOOKS) || seen.asked < u64::from(min_calls) {
            return None;
        }
        let part = chance.clamp(1e-12, 1.0) * FOR_EACH_LIMIT / 2.0;
        let new = at_least(&self.new_times.counts(), quantile, part)?;
        if new.time() <= max_slower {
            return None;
        }
        let old = at_most(&self.old_times.counts(), quantile, part)?;
        (new.time().saturating_sub(old.time()) > max_slower)
            .then(|| (latency_reason(&self.guard, [&new, &old]), Grounds::of_latency([new, old])))
    }
}

/// The observations of one plan, with the tests of the limits.
#[derive(Debug)]
struct Gathered {
    seen: Evidence,
    errors: Recorded,
    differences: Recorded,
    slow: Recorded,
    rise: Recorded,
    interval: Interval,
    /// Calls to the new implementation since the last one to the old, and those of them that failed.
    new: [u32; 2],
}

impl Gathered {
    fn new(guard: &Guard) -> Self {
        Self {
            seen: Evidence::default(),
            errors: Recorded::new(Test::of_share(guard.max_errors)),
            differences: Recorded::new(Test::of_share(guard.max_mismatches)),
            slow: Recorded::new(Test::of_share(guard.max_slow)),
            rise: Recorded::new(Test::of_differences(guard.max_rise, LOOKED_FOR)),
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
        self.errors.add_one(failed);
        self.slow.add_one(slow);
        self.new[0] = self.new[0].saturating_add(1);
        self.new[1] = self.new[1].saturating_add(u32::from(failed));
        // Pairs are formed by the order of the calls, and not by their results.
        if old_asked > 0 {
            let [asked, failed] = std::mem::take(&mut self.new);
            let difference = f64::from(failed) / f64::from(asked) - old_failed as f64 / old_asked as f64;
            // Both are halves of a word of 64 bits.
            self.rise.add([asked, failed, old_asked as u32, old_failed as u32]);
            self.interval.add(difference);
            self.seen.rise = self.interval.bounds();
        }
    }

    fn add_comparison(&mut self, matched: bool) {
        self.seen.compared += 1;
        self.seen.mismatched += u64::from(!matched);
        self.differences.add_one(!matched);
    }

    /// Returns the reason to step back if the new implementation fails more often than the old one.
    fn rise(&self, guard: &Guard) -> Option<(String, Grounds)> {
        let chance = guard.chance.clamp(1e-12, 1.0) * FOR_RISE;
        let seen = &self.seen;
        (seen.asked >= u64::from(guard.min_calls) && self.rise.evidence() >= 1.0 / chance)
            .then(|| (rise_reason(guard, seen), self.rise.grounds(Limit::Rise, None)))
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
