//! Estimates how many single lookups arrive so close together that they could be one batch.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use super::snapshot::JoinEstimate;

/// The length of a cycle in lookups.
const EVERY: u64 = 1024;
/// The lookups at the beginning of a cycle that are observed. The clock is read for those only.
const RUN: u64 = 64;
/// The windows within which lookups could be joined.
const WINDOWS: [Duration; 3] =
    [Duration::from_micros(100), Duration::from_millis(1), Duration::from_millis(10)];

/// Observes when single lookups arrive.
#[derive(Default)]
pub(super) struct Arrivals {
    lookups: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    run: u64,
    seen: u64,
    groups: [u64; WINDOWS.len()],
    /// When the group that a lookup may join began.
    began: [Option<Instant>; WINDOWS.len()],
}

impl Arrivals {
    pub(super) fn note(&self) {
        let number = self.lookups.fetch_add(1, Relaxed);
        if number % EVERY >= RUN {
            return;
        }
        // A lookup must not wait for another one to be counted.
        let Ok(mut state) = self.state.try_lock() else { return };
        let now = Instant::now();
        let run = number / EVERY;
        if run != state.run {
            state.run = run;
            state.began = Default::default();
        }
        state.seen += 1;
        for (at, window) in WINDOWS.into_iter().enumerate() {
            if state.began[at].is_none_or(|began| now.saturating_duration_since(began) > window) {
                state.began[at] = Some(now);
                state.groups[at] += 1;
            }
        }
    }

    pub(super) fn estimates(&self) -> Vec<JoinEstimate> {
        let Ok(state) = self.state.lock() else { return Vec::new() };
        if state.seen == 0 {
            return Vec::new();
        }
        let estimate = |(window, groups): (Duration, u64)| JoinEstimate {
            window_us: window.as_secs_f64() * 1e6,
            saved: 1.0 - groups as f64 / state.seen as f64,
        };
        WINDOWS.into_iter().zip(state.groups).map(estimate).collect()
    }
}
