//! The guard that steps a promotion back automatically.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Stage;
use crate::layers::window::Window;

/// When a promotion steps back automatically. Every limit is a share of the calls to the new
/// implementation, in a sliding window.
///
/// It steps back to a stage where the caller gets the old implementation's answers: from `canary`,
/// `remote-with-fallback` and `remote` to `shadow`, which still measures, and from `shadow` to
/// `local`.
#[derive(Clone, Copy, Debug, PartialEq)]
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

/// A guard with its window of observations.
#[derive(Debug)]
pub(super) struct Watch {
    guard: Guard,
    window: Mutex<Window<5>>,
}

impl Watch {
    pub(super) fn new(guard: Guard) -> Self {
        Self { guard, window: Mutex::new(Window::new(guard.window)) }
    }

    /// Forgets all observations.
    pub(super) fn clear(&self) {
        self.window.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Records an observation. Returns the reason to step back, if there is one now.
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

/// Returns the stage to step back to.
pub(super) fn before(stage: Stage) -> Option<Stage> {
    match stage {
        Stage::Local => None,
        Stage::Shadow => Some(Stage::Local),
        Stage::Canary | Stage::RemoteWithFallback | Stage::Remote => Some(Stage::Shadow),
    }
}
