//! Tests each sentence of the layers' documentation, with a scripted lookup in tokio's paused time.

mod advice;
mod breaker;
mod cache;
mod conformance;
mod difference;
mod fleet;
mod ledger;
mod promotion;
mod recorder;
mod rows;
mod sharing;
mod stack;
mod time;
#[cfg(all(feature = "dataset", feature = "http"))]
mod trace;
mod units;
mod walk;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::call::Call;
use super::{Around, deadline};
use crate::conformance::{Fixture, Reference};
use crate::{Answer, Error, ErrorKind, Lookups, Postcode, PostcodeLookup, PostcodeLookupExt, Result, layer};

pub(super) const MS: Duration = Duration::from_millis(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// The behaviour of a [`Fake`] for one call.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Answer,
    Fail(ErrorKind),
    Error(Error),
    SlowError(Duration, Error),
    /// Answers after this time.
    Slow(Duration),
    /// Never answers.
    Hang,
}

/// A lookup that answers correctly or as scripted: first the listed acts in order, then the last
/// one for all further calls.
#[derive(Debug)]
pub(super) struct Fake {
    pub(super) reference: Reference,
    acts: Mutex<VecDeque<Act>>,
    always: Mutex<Act>,
    under_way: AtomicUsize,
    most: AtomicUsize,
    seen: Mutex<Vec<Seen>>,
}

/// A call that a [`Fake`] received.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) call: String,
    pub(super) at: Instant,
    pub(super) remaining: Option<Duration>,
}

impl Fake {
    pub(super) fn new(acts: impl IntoIterator<Item = Act>) -> Arc<Self> {
        Arc::new(Self {
            reference: Reference::new(Fixture::small()),
            acts: Mutex::new(acts.into_iter().collect()),
            always: Mutex::new(Act::Answer),
            under_way: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            seen: Mutex::default(),
        })
    }

    pub(super) fn always(act: Act) -> Arc<Self> {
        let fake = Self::new([]);
        fake.set(act);
        fake
    }

    pub(super) fn set(&self, act: Act) {
        *self.always.lock().unwrap() = act;
    }

    pub(super) fn calls(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(SeqCst)
    }

    /// Returns the most calls that ran at once.
    pub(super) fn most(&self) -> usize {
        self.most.load(SeqCst)
    }
}

struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Around for Fake {
    type Inner = Reference;

    async fn around<C: Call<Reference>>(&self, call: C) -> Result<C::Reply> {
        let seen = Seen { call: call.to_string(), at: Instant::now(), remaining: deadline::remaining() };
        self.seen.lock().unwrap().push(seen);
        let now = self.under_way.fetch_add(1, SeqCst) + 1;
        let _under_way = UnderWay(&self.under_way);
        self.most.fetch_max(now, SeqCst);
        let act = self.acts.lock().unwrap().pop_front();
        let act = act.unwrap_or_else(|| self.always.lock().unwrap().clone());
        match act {
            Act::Answer => {}
            Act::Fail(kind) => return Err(Error::new(kind, format!("told to fail with {kind:?}"))),
            Act::Error(error) => return Err(error),
            Act::SlowError(wait, error) => {
                sleep(wait).await;
                return Err(error);
            }
            Act::Slow(wait) => sleep(wait).await,
            Act::Hang => std::future::pending().await,
        }
        call.on(&self.reference).await
    }
}

layer!([] Fake);

/// Returns the small fixture's edition with other answers: a fault of the code.
pub(super) fn wrong() -> Fixture {
    let (right, next) = (Fixture::small(), Fixture::small().next_edition());
    Fixture::new(right.info().clone(), next.records().cloned())
        .with(right.places().cloned(), right.scottish().cloned())
        .with_wider(right.wider_places().cloned())
}

pub(super) fn postcode(text: &str) -> Postcode {
    text.parse().unwrap()
}

/// Looks up one live postcode. Returns the kind of the error if it fails.
pub(super) async fn ask(lookup: &dyn Lookups) -> Result<(), ErrorKind> {
    match lookup.get(postcode("M1 1AD")).await {
        Ok(answer) => {
            assert!(answer.is_live());
            Ok(())
        }
        Err(error) => Err(error.kind()),
    }
}
