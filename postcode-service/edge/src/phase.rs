//! How far a connection is, and since when: written by its task, read by all that look for a place.

use crate::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// A phase and the time when it began. The two are not one word: a reader may see the time of the next phase already, but
/// never a time before the phase began. `testing/interleavings` runs all orders.
#[derive(Debug)]
pub(crate) struct Phase {
    phase: AtomicU8,
    since: AtomicU64,
}

impl Phase {
    pub(crate) fn new(phase: u8, since: u64) -> Self {
        Self { phase: AtomicU8::new(phase), since: AtomicU64::new(since) }
    }

    /// Begins a phase. Only the task of the connection does.
    pub(crate) fn enter(&self, phase: u8, now: u64) {
        self.since.store(now, Ordering::Relaxed);
        // After the time, for all who read the phase before it.
        self.phase.store(phase, Ordering::Release);
    }

    pub(crate) fn current(&self) -> u8 {
        self.phase.load(Ordering::Acquire)
    }

    /// Returns the phase, and since when.
    pub(crate) fn get(&self) -> (u8, u64) {
        let phase = self.phase.load(Ordering::Acquire);
        (phase, self.since.load(Ordering::Relaxed))
    }
}
