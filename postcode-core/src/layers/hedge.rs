//! A second attempt when the first is slow.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures::future::{Either, select};
use tokio::time::{Instant, timeout};

use super::call::Call;
use super::latency::Latencies;
use super::{Around, Budget, is_fault};
use crate::{PostcodeLookup, Result, layer};

/// When the second attempt starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HedgeAfter {
    /// After so long.
    Fixed(Duration),
    /// When the first has taken longer than that share (0 to 1) of the calls before it; 0.95 means about one
    /// call in twenty. Until a hundred calls are measured there is no second attempt.
    Quantile(f64),
}

/// Starts a second attempt when the first has not answered for a while, and takes the first answer of the two.
/// The slower one is dropped.
///
/// It cuts the tail of the latencies where that comes from single slow requests (Dean and Barroso, *The Tail at
/// Scale*, 2013). A [`Budget`] of 10 % keeps it from doubling the load of a service that is slow altogether.
/// A fault of one attempt is only the call's if the other one has a fault too.
#[derive(Debug)]
pub struct Hedge<L> {
    inner: L,
    after: HedgeAfter,
    budget: Budget,
    latencies: Latencies,
    /// The quantile in ns, worked out now and then; 0 until then.
    quantile: AtomicU64,
    calls: AtomicU64,
    hedges: AtomicU64,
}

/// Calls between two looks at the quantile.
const LOOK: u64 = 100;

impl<L> Hedge<L> {
    /// Around a lookup, with a budget of 10 %.
    pub fn new(inner: L, after: HedgeAfter) -> Self {
        Self {
            inner,
            after,
            budget: Budget::new(0.1, 10),
            latencies: Latencies::new(),
            quantile: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            hedges: AtomicU64::new(0),
        }
    }

    /// How many second attempts for how many calls.
    #[must_use]
    pub fn budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// How many second attempts there were.
    pub fn hedges(&self) -> u64 {
        self.hedges.load(Relaxed)
    }

    fn delay(&self) -> Option<Duration> {
        match self.after {
            HedgeAfter::Fixed(delay) => Some(delay),
            HedgeAfter::Quantile(quantile) => {
                if self.calls.fetch_add(1, Relaxed) % LOOK == LOOK - 1
                    && let Some(delay) = self.latencies.quantile(quantile)
                {
                    self.quantile.store(delay.as_nanos() as u64, Relaxed);
                }
                let ns = self.quantile.load(Relaxed);
                (ns > 0).then(|| Duration::from_nanos(ns))
            }
        }
    }

    /// Keeps how long an answer took.
    fn note<T>(&self, started: Instant, answer: Result<T>) -> Result<T> {
        if answer.is_ok() {
            self.latencies.add(started.elapsed());
        }
        answer
    }
}

impl<L: PostcodeLookup> Around for Hedge<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        self.budget.deposit();
        let started = Instant::now();
        let mut first = pin!(call.on(&self.inner));
        let Some(delay) = self.delay() else { return self.note(started, first.await) };
        if let Ok(answer) = timeout(delay, first.as_mut()).await {
            return self.note(started, answer);
        }
        if !self.budget.withdraw() {
            return self.note(started, first.await);
        }
        self.hedges.fetch_add(1, Relaxed);
        let second = pin!(call.on(&self.inner));
        let answer = match select(first, second).await {
            Either::Left((Err(error), second)) if is_fault(&error) => second.await,
            Either::Right((Err(error), first)) if is_fault(&error) => first.await,
            Either::Left((answer, _)) | Either::Right((answer, _)) => answer,
        };
        self.note(started, answer)
    }
}

layer!([L: PostcodeLookup] Hedge<L>);
