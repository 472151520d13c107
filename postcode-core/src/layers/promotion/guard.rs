//! What steps back by itself.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Stage;
use crate::layers::window::Window;

/// When a promotion steps back by itself: a share of the calls to the new implementation, over a sliding window.
///
/// It steps back to where the caller gets the old one's answers again: from `canary`, `remote-with-fallback` and
/// `remote` to `shadow`, which goes on measuring, and from `shadow` to `local`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Guard {
    /// How far back it looks (30 s).
    pub window: Duration,
    /// How many calls, or comparisons, there must be in the window before they say anything (20).
    pub min_calls: u32,
    /// The share of calls that may fail (0.05).
    pub max_errors: f64,
    /// The share of comparisons that may differ (0.01).
    pub max_mismatches: f64,
    /// What is slow (500 ms).
    pub slow: Duration,
    /// The share of calls that may be slow (0.05).
    pub max_slow: f64,
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
        }
    }
}

/// What was seen of the new implementation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// It was asked, and took so long.
    pub(super) asked: Option<Duration>,
    /// It failed.
    pub(super) failed: bool,
    /// It was compared, and did it match?
    pub(super) matched: Option<bool>,
}

/// A guard on duty.
#[derive(Debug)]
pub(super) struct Watch {
    guard: Guard,
    window: Mutex<Window<5>>,
}

impl Watch {
    pub(super) fn new(guard: Guard) -> Self {
        Self { guard, window: Mutex::new(Window::new(guard.window)) }
    }

    /// Begins anew.
    pub(super) fn clear(&self) {
        self.window.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Takes note; the reason to step back, if there is one now.
    pub(super) fn note(&self, seen: Seen) -> Option<String> {
        let Guard { min_calls, slow, .. } = self.guard;
        let is_slow = seen.asked.is_some_and(|took| took > slow);
        let [asked, failed, slow_ones, compared, mismatched] =
            self.window.lock().unwrap_or_else(PoisonError::into_inner).add([
                seen.asked.is_some(),
                seen.failed,
                is_slow,
                seen.matched.is_some(),
                seen.matched == Some(false),
            ]);
        let reason = |what: &str, part: u32, whole: u32, limit: f64| {
            let share = f64::from(part) / f64::from(whole);
            (whole >= min_calls && share > limit).then(|| {
                format!(
                    "{part} of the last {whole} {what} ({:.1} %, limit {} %)",
                    share * 100.0,
                    limit * 100.0
                )
            })
        };
        reason("calls to the new implementation failed", failed, asked, self.guard.max_errors)
            .or_else(|| reason("comparisons differed", mismatched, compared, self.guard.max_mismatches))
            .or_else(|| {
                let what = format!("calls to the new implementation took longer than {slow:?}");
                reason(&what, slow_ones, asked, self.guard.max_slow)
            })
    }
}

/// Where to step back to.
pub(super) fn before(stage: Stage) -> Option<Stage> {
    match stage {
        Stage::Local => None,
        Stage::Shadow => Some(Stage::Local),
        Stage::Canary | Stage::RemoteWithFallback | Stage::Remote => Some(Stage::Shadow),
    }
}
