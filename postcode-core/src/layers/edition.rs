//! Which edition of the dataset an answer comes from, as far as one can tell from outside.
//!
//! An answer does not say its edition; only `info` does. But when `info` gives one fingerprint twice, all that was
//! asked after the first and answered before the second comes from that edition. (Fingerprints
//! don't come back: a service that went back to an edition between the two would be missed.)

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When something was asked and when it was answered, by the count of [`Edition::tick`]: a clock on which no two
/// moments are the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    began: u64,
    ended: u64,
}

/// What a look at the fingerprint says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// The edition is the one that it was.
    Same,
    /// It is another, or the first that was seen.
    New,
    /// The implementation does not tell.
    Untold,
}

#[derive(Debug)]
pub(super) struct Edition {
    clock: AtomicU64,
    /// From when on answers are of the present edition.
    since: AtomicU64,
    /// Until when they are known to be.
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

    /// This moment.
    pub(super) fn tick(&self) -> u64 {
        self.clock.fetch_add(1, SeqCst)
    }

    /// From that moment to this.
    pub(super) fn since(&self, began: u64) -> Span {
        Span { began, ended: self.tick() }
    }

    /// Whether it is time to ask for the edition. Only one who asks gets true.
    pub(super) fn is_due(&self) -> bool {
        let mut seen = self.seen();
        let due = seen.checked.is_none_or(|checked| checked.elapsed() >= self.recheck);
        if due {
            seen.checked = Some(Instant::now());
        }
        due
    }

    /// Takes note of a fingerprint that was asked for at `began`.
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

    /// Whether the implementation has told its edition.
    pub(super) fn is_known(&self) -> bool {
        self.seen().fingerprint.is_some()
    }

    /// Whether nothing is known against its being of the present edition.
    pub(super) fn is_current(&self, asked: Span) -> bool {
        asked.began >= self.since.load(SeqCst)
    }

    /// Whether it is known to be of the present edition.
    pub(super) fn is_certain(&self, asked: Span) -> bool {
        self.is_current(asked) && asked.ended <= self.certain.load(SeqCst)
    }
}
