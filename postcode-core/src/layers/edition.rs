//! Finds out which edition of the dataset an answer comes from, as far as a client can tell.
//!
//! An answer does not carry its edition; only `info` does. But if `info` gives the same fingerprint
//! twice, everything asked after the first and answered before the second comes from that edition.
//! This assumes that fingerprints don't return: a service that changed its edition and went back
//! between the two would be missed.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When a call began and ended, in ticks of [`Edition::tick`]. No two moments have the same tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    began: u64,
    ended: u64,
}

/// The result of comparing a fingerprint with the previous one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// The edition has not changed.
    Same,
    /// The edition is different, or the first one seen.
    New,
    /// The implementation does not tell its edition.
    Untold,
}

#[derive(Debug)]
pub(super) struct Edition {
    clock: AtomicU64,
    /// The tick from which answers come from the current edition.
    since: AtomicU64,
    /// The tick until which this is known.
    certain: AtomicU64,
    recheck: Duration,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    fingerprint: Option<String>,
    checked: Option<Instant>,
}

impl Edition {
    pub(super) fn new(recheck: Duration) -> Self {
        Self {
            clock: AtomicU64::new(1),
            since: AtomicU64::new(0),
            certain: AtomicU64::new(0),
            recheck,
            seen: Mutex::default(),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the current moment as a tick.
    pub(super) fn tick(&self) -> u64 {
        self.clock.fetch_add(1, SeqCst)
    }

    /// Returns the span from that tick to now.
    pub(super) fn since(&self, began: u64) -> Span {
        Span { began, ended: self.tick() }
    }

    /// Returns whether the edition should be checked now. Only one caller gets true.
    pub(super) fn is_due(&self) -> bool {
        let mut seen = self.seen();
        let due = seen.checked.is_none_or(|checked| checked.elapsed() >= self.recheck);
        if due {
            seen.checked = Some(Instant::now());
        }
        due
    }

    /// Records a fingerprint that was asked for at `began`.
    pub(super) fn observe(&self, began: u64, fingerprint: &str) -> Sight {
        let mut seen = self.seen();
        seen.checked = Some(Instant::now());
        match seen.fingerprint.as_deref() {
            Some(known) if known == fingerprint => {
                self.certain.fetch_max(began, SeqCst);
                Sight::Same
            }
            None if fingerprint.is_empty() => Sight::Untold,
            _ => {
                seen.fingerprint = (!fingerprint.is_empty()).then(|| fingerprint.to_owned());
                self.since.store(self.tick(), SeqCst);
                Sight::New
            }
        }
    }

    /// Returns whether the implementation has told its edition.
    pub(super) fn is_known(&self) -> bool {
        self.seen().fingerprint.is_some()
    }

    /// Returns whether the answer may come from the current edition: nothing says otherwise.
    pub(super) fn is_current(&self, asked: Span) -> bool {
        asked.began >= self.since.load(SeqCst)
    }

    /// Returns whether the answer is known to come from the current edition.
    pub(super) fn is_certain(&self, asked: Span) -> bool {
        self.is_current(asked) && asked.ended <= self.certain.load(SeqCst)
    }
}
