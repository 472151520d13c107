//! The limits of a guard, and how its chance is spent on them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// When a promotion steps back automatically. Every limit is a share of the calls to the new
/// implementation, in a sliding window.
///
/// A share above its limit may be chance. So a limit counts only if all observations since the plan
/// was changed show as well that it is exceeded. That test holds at every look, like those that
/// compare the new implementation's failures and latencies with the old one's: all of them together step back
/// from a plan without cause with at most [`chance`](Self::chance), however long it lasts.
///
/// It steps back to a stage where the caller gets the old implementation's answers: from `canary`,
/// `remote-with-fallback` and `remote` to `shadow`, which still measures, and from `shadow` to
/// `local`.
///
/// ```
/// use postcode_core::layers::{Guard, PromotionConfig};
///
/// let mut guard = Guard::default();
/// guard.max_errors = 0.01; // one call in a hundred
/// let mut config = PromotionConfig::default();
/// config.guard = Some(guard);
/// ```
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
    /// The quantile of the latencies that is compared with that of the old implementation, 0 to 1.
    /// Default: 0.95.
    pub quantile: f64,
    /// By how much that quantile may be longer than that of the old implementation. Tested in the stages that
    /// call both. Default: 250 ms.
    pub max_slower: Duration,
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
            quantile: 0.95,
            max_slower: Duration::from_millis(250),
            chance: 0.01,
        }
    }
}

/// The rise of the share of failed calls that the guard finds soonest: one point.
pub(super) const LOOKED_FOR: f64 = 0.01;
/// The parts of the guard's chance: most of it for the rise, which is the hardest to see.
pub(super) const FOR_RISE: f64 = 0.85;
pub(super) const FOR_EACH_LIMIT: f64 = 0.0375;
