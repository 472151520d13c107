//! Measures what joining, sharing and repeating calls buys, each next to the same calls without it, in turn:
//!
//! - `join`: 256 callers look up postcodes at random in a service in another process, over TCP;
//! - `single_flight`: 256 callers look up the same ten postcodes there;
//! - `hedge`: 32 callers, and one call in a hundred takes 20 ms longer, as behind a pause of a collector or a lost packet;
//! - `alone`: one caller in this process, where each layer only costs.
//!
//! `cargo bench -p benches --bench layers`. With `-- --test` each is run for a moment.

#![allow(clippy::unwrap_used)] // A benchmark that can't continue may panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use benches::{Questions, Service, serve_if_asked};
use hdrhistogram::Histogram;
use postcode_core::layers::call::Call;
use postcode_core::layers::{Around, Batcher, Hedge, HedgeAfter, SingleFlight};
use postcode_core::{Local, Postcode, PostcodeLookup, Result, connect, layer};
use tokio::runtime::Runtime;

/// The lookups are measured in turn this many times, so that a short disturbance does not decide the comparison.
const ROUNDS: u32 = 5;

fn main() {
    serve_if_asked().unwrap();
    let each = if std::env::args().any(|argument| argument == "--test") {
        Duration::from_millis(20)
    } else {
        Duration::from_secs(2)
    };
    let runtime = Runtime::new().unwrap();
    let local = Arc::new(Local::embedded().unwrap());
    let questions = Questions::draw(&local.dataset());
    let service = Service::start("127.0.0.1:0").unwrap();
    let over = |options: &str| {
        runtime.block_on(connect(&format!("{}?deadline=30s&timeout=30s{options}", service.url)))
    };

    println!(
        "| workload | layer | calls a second | p50, µs | p99, µs | p99.9, µs | calls of the inner lookup for 100 |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
    for (workload, option, postcodes) in [
        ("join", "&join=100", &questions.random[..]),
        ("single_flight", "&single_flight=on", &questions.random[..10]),
    ] {
        let lookups = [("none", over("").unwrap()), (workload, over(option).unwrap())];
        compare(&runtime, workload, &lookups, postcodes, 256, each, |_| None);
    }

    let slow = || Slow { inner: local.clone(), calls: AtomicU64::new(0) };
    let plain = Arc::new(slow());
    let hedged = Arc::new(Hedge::new(slow(), HedgeAfter::Quantile(0.95)));
    let lookups: [(&str, Arc<dyn PostcodeLookup>); 2] = [("none", plain), ("hedge", hedged.clone())];
    compare(&runtime, "hedge", &lookups, &questions.random, 32, each, |name| {
        (name == "hedge").then(|| hedged.hedges())
    });

    let lookups: [(&str, Arc<dyn PostcodeLookup>); 4] = [
        ("none", local.clone()),
        ("join", Arc::new(Batcher::new(local.clone()))),
        ("single_flight", Arc::new(SingleFlight::new(local.clone()))),
        ("hedge", Arc::new(Hedge::new(local, HedgeAfter::Quantile(0.95)))),
    ];
    compare(&runtime, "alone", &lookups, &questions.random, 1, each, |_| None);
}

/// Answers after 20 ms in one call of a hundred, and at once in the others.
#[derive(Debug)]
struct Slow<L> {
    inner: L,
    calls: AtomicU64,
}

impl<L: PostcodeLookup> Around for Slow<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        if self.calls.fetch_add(1, Relaxed).is_multiple_of(100) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        call.on(&self.inner).await
    }
}

layer!([L: PostcodeLookup] Slow<L>);

/// Lets callers ask as fast as they are answered, each lookup in turn, and prints a row for each.
fn compare<L: PostcodeLookup + ?Sized>(
    runtime: &Runtime,
    workload: &str,
    lookups: &[(&str, Arc<L>)],
    postcodes: &[Postcode],
    callers: usize,
    each: Duration,
    more: impl Fn(&str) -> Option<u64>,
) {
    let mut times = vec![Histogram::<u64>::new(3).unwrap(); lookups.len()];
    for _ in 0..ROUNDS {
        for ((_, lookup), times) in lookups.iter().zip(&mut times) {
            for of in runtime.block_on(ask(lookup, postcodes, callers, each)) {
                times.add(of).unwrap();
            }
        }
    }
    for ((name, _), times) in lookups.iter().zip(&times) {
        let rate = times.len() as f64 / (each * ROUNDS).as_secs_f64();
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|at| times.value_at_quantile(at) as f64 / 1_000.0);
        let inner = more(name).map(|more| format!("{:.1}", 100.0 + 100.0 * more as f64 / times.len() as f64));
        let inner = inner.unwrap_or_default();
        println!("| {workload} | {name} | {rate:.0} | {p50:.1} | {p99:.1} | {p999:.1} | {inner} |");
    }
}

/// Returns the times of each caller's calls, in nanoseconds.
async fn ask<L: PostcodeLookup + ?Sized>(
    lookup: &Arc<L>,
    postcodes: &[Postcode],
    callers: usize,
    each: Duration,
) -> Vec<Histogram<u64>> {
    let postcodes: Arc<[Postcode]> = postcodes.into();
    let end = Instant::now() + each;
    let callers: Vec<_> = (0..callers)
        .map(|caller| {
            let (lookup, postcodes) = (lookup.clone(), postcodes.clone());
            tokio::spawn(async move {
                let mut rng = fastrand::Rng::with_seed(caller as u64);
                let mut times = Histogram::new(3).unwrap();
                loop {
                    let start = Instant::now();
                    if start >= end {
                        return times;
                    }
                    lookup.lookup_one(postcodes[rng.usize(..postcodes.len())]).await.unwrap();
                    times.record(start.elapsed().as_nanos() as u64).unwrap();
                    if rng.u8(..) == 0 {
                        // A lookup in this process never waits, and the others want a turn.
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for caller in callers {
        all.push(caller.await.unwrap());
    }
    all
}
