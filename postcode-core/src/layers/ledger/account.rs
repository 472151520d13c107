//! The account of one method, and the accounts of one cohort.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use super::arrivals::Arrivals;
use super::reuse::Reuse;
use super::snapshot::{CohortSnapshot, MethodSnapshot};
use crate::layers::latency::Latencies;

/// The most methods of a cohort. There are fewer; a method beyond them shares the last account.
const METHODS: usize = 32;
/// The buckets of items, each for twice as many as the one before.
const SIZES: usize = 20;

/// The counts of one method.
pub(super) struct Account {
    name: &'static str,
    pub(super) calls: AtomicU64,
    pub(super) failed: AtomicU64,
    items: AtomicU64,
    /// Calls by the number of items in their answers: none, 1, 2 and 3, 4 to 7, …
    sizes: [AtomicU64; SIZES],
    bytes: AtomicU64,
    weighed: AtomicU64,
    times: Latencies,
    worked: AtomicU64,
    timed: AtomicU64,
}

impl Account {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            calls: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            items: AtomicU64::new(0),
            sizes: [const { AtomicU64::new(0) }; SIZES],
            bytes: AtomicU64::new(0),
            weighed: AtomicU64::new(0),
            times: Latencies::new(),
            worked: AtomicU64::new(0),
            timed: AtomicU64::new(0),
        }
    }

    pub(super) fn timed(&self, took: Duration, worked: Duration) {
        self.times.add(took);
        self.worked.fetch_add(u64::try_from(worked.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        self.timed.fetch_add(1, Relaxed);
    }

    pub(super) fn items(&self, items: usize) {
        self.items.fetch_add(items as u64, Relaxed);
        let bucket = items.checked_ilog2().map_or(0, |log| log as usize + 1);
        self.sizes[bucket.min(SIZES - 1)].fetch_add(1, Relaxed);
    }

    pub(super) fn weighed(&self, bytes: u64, items: usize) {
        self.bytes.fetch_add(bytes, Relaxed);
        self.weighed.fetch_add(items as u64, Relaxed);
    }

    fn snapshot(&self) -> MethodSnapshot {
        let (items, weighed) = (self.items.load(Relaxed), self.weighed.load(Relaxed));
        let each = |sum: u64, of: u64| if of == 0 { 0.0 } else { sum as f64 / of as f64 };
        let us = |quantile| self.times.quantile(quantile).map(|time| time.as_secs_f64() * 1e6);
        let sizes = self.sizes.iter().enumerate();
        MethodSnapshot {
            method: self.name.to_owned(),
            calls: self.calls.load(Relaxed),
            failed: self.failed.load(Relaxed),
            items,
            bytes: (each(self.bytes.load(Relaxed), weighed) * items as f64) as u64,
            p50_us: us(0.5),
            p99_us: us(0.99),
            worked_us: each(self.worked.load(Relaxed), self.timed.load(Relaxed)) / 1e3,
            sizes: sizes
                .map(|(bucket, calls)| ((1_u64 << bucket) >> 1, calls.load(Relaxed)))
                .filter(|(_, calls)| *calls > 0)
                .collect(),
        }
    }
}

/// The accounts of one cohort, and the estimates for its lookups of postcodes.
pub(super) struct Cohort {
    methods: [OnceLock<Box<Account>>; METHODS],
    pub(super) reuse: Reuse,
    pub(super) arrivals: Arrivals,
}

impl Cohort {
    pub(super) fn new() -> Self {
        Self {
            methods: [const { OnceLock::new() }; METHODS],
            reuse: Reuse::default(),
            arrivals: Arrivals::default(),
        }
    }

    /// Returns the account of a method.
    pub(super) fn account(&self, name: &'static str) -> &Account {
        let (last, others) = self.methods.split_last().unwrap_or_else(|| unreachable!("it has 32 places"));
        for place in others {
            let account = place.get_or_init(|| Box::new(Account::new(name)));
            if account.name == name {
                return account;
            }
        }
        last.get_or_init(|| Box::new(Account::new("other")))
    }

    pub(super) fn snapshot(&self, name: &str) -> CohortSnapshot {
        CohortSnapshot {
            cohort: name.to_owned(),
            methods: self
                .methods
                .iter()
                .filter_map(OnceLock::get)
                .map(|account| account.snapshot())
                .collect(),
            caches: self.reuse.estimates(),
            joins: self.arrivals.estimates(),
        }
    }
}

/// Runs a future, and returns with its output the time in which it was polled: what it worked, and not
/// what it waited.
pub(super) async fn polled<F: Future>(future: F) -> (F::Output, Duration) {
    let mut future = pin!(future);
    let mut worked = Duration::ZERO;
    let output = poll_fn(|task| {
        let begun = Instant::now();
        let poll = future.as_mut().poll(task);
        worked += begun.elapsed();
        poll
    })
    .await;
    (output, worked)
}
