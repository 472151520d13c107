//! Measures what the layers that save calls or time buy, in paused time. Their documentation states these numbers.

use futures::future::join_all;
use tokio::sync::Semaphore;

use super::*;
use crate::layers::{Batcher, Hedge, HedgeAfter, SingleFlight};
use crate::lookup::call::LookupCall;

/// A service with two cores. A request costs what docs/BENCHMARKS.md measured, times a hundred, because timers count in
/// milliseconds: 180 µs, and 22 µs for each postcode.
#[derive(Debug)]
struct Service {
    reference: Reference,
    cores: Semaphore,
    calls: AtomicUsize,
    /// Adds time to a request, by its number.
    delay: fn(usize) -> Duration,
    base: Duration,
    each: Duration,
}

impl Service {
    fn new(cores: usize, base: Duration, each: Duration, delay: fn(usize) -> Duration) -> Arc<Self> {
        let reference = Reference::new(Fixture::small());
        Arc::new(Self {
            reference,
            cores: Semaphore::new(cores),
            calls: AtomicUsize::new(0),
            delay,
            base,
            each,
        })
    }

    fn calls(&self) -> usize {
        self.calls.load(SeqCst)
    }
}

impl Around for Service {
    type Inner = Reference;

    async fn around<C: Call<Reference>>(&self, call: C) -> Result<C::Reply> {
        call.on(&self.reference).await
    }

    async fn around_lookup<C: LookupCall<Reference>>(&self, call: C) -> Result<C::Reply> {
        let number = self.calls.fetch_add(1, SeqCst);
        let _core = self.cores.acquire().await;
        let count = u32::try_from(call.postcodes().len()).unwrap();
        sleep(self.base + self.each * count + (self.delay)(number)).await;
        call.on(&self.reference).await
    }
}

layer!([] Service);

fn postcodes() -> Vec<Postcode> {
    Fixture::small().records().map(|record| record.postcode).collect()
}

/// Asks again and again from `callers` tasks at once, `rounds` times each. Returns the time.
async fn load(
    lookup: &dyn Lookups,
    callers: usize,
    rounds: usize,
    pick: impl Fn(usize, usize) -> Postcode,
) -> Duration {
    let began = Instant::now();
    let (lookup, pick) = (&lookup, &pick);
    let caller = async |caller| {
        for round in 0..rounds {
            lookup.get(pick(caller, round)).await.unwrap();
        }
    };
    join_all((0..callers).map(caller)).await;
    began.elapsed()
}

/// One request in fifty takes 200 ms, the others 5 ms.
fn sometimes_slow(number: usize) -> Duration {
    if number % 50 == 49 { 195 * MS } else { Duration::ZERO }
}

#[tokio::test(start_paused = true)]
async fn hedge_of_a_service_with_rare_pauses_shortens_the_slowest_calls() {
    async fn slowest(lookup: &dyn Lookups) -> Duration {
        let mut times = Vec::new();
        for _ in 0..5_000 {
            let began = Instant::now();
            ask(lookup).await.unwrap();
            times.push(began.elapsed());
        }
        times.drain(..500);
        times.sort_unstable();
        times[times.len() * 99 / 100]
    }
    let service = || Service::new(1_000, 5 * MS, Duration::ZERO, sometimes_slow);
    let plain = service();
    assert_eq!(slowest(&plain).await, 200 * MS);
    let hedged = service();
    let p99 = slowest(&Hedge::new(hedged.clone(), HedgeAfter::Quantile(0.95))).await;
    assert!((10 * MS..=13 * MS).contains(&p99), "{p99:?}");
    let more = hedged.calls() - 5_000;
    assert!((75..=125).contains(&more), "{more}");
}

#[tokio::test(start_paused = true)]
async fn single_flight_of_popular_postcodes_saves_calls_and_of_random_ones_none() {
    let all = postcodes();
    let service = || Service::new(1_000, 5 * MS, Duration::ZERO, |_| Duration::ZERO);
    // Half of the calls ask for one postcode, as when a page is shared.
    let popular = |caller: usize, round: usize| match caller % 2 {
        0 => all[0],
        _ => all[(caller * 31 + round * 17) % all.len()],
    };
    let plain = service();
    load(&plain, 64, 100, popular).await;
    assert_eq!(plain.calls(), 6_400);
    let shared = service();
    load(&SingleFlight::new(shared.clone()), 64, 100, popular).await;
    assert!((3_000..=3_400).contains(&shared.calls()), "{}", shared.calls());
}

#[tokio::test(start_paused = true)]
async fn batcher_under_load_multiplies_what_a_service_can_do() {
    let all = postcodes();
    let pick = |caller: usize, round: usize| all[(caller * 31 + round * 17) % all.len()];
    let service = || Service::new(2, 18 * MS, Duration::from_micros(2_200), |_| Duration::ZERO);
    let plain = service();
    let alone = load(&plain, 64, 100, pick).await;
    let batched = service();
    let joined = load(&Batcher::new(batched.clone()).in_flight(2), 64, 100, pick).await;
    let times = alone.as_secs_f64() / joined.as_secs_f64();
    assert!((5.0..=8.0).contains(&times), "{times} times as fast, {} calls", batched.calls());
    assert!(batched.calls() * 20 <= plain.calls(), "{}", batched.calls());
    // Without load it changes nothing.
    let (plain, batched) = (service(), service());
    let one = load(&plain, 1, 100, pick).await;
    assert_eq!(load(&Batcher::new(batched.clone()), 1, 100, pick).await, one);
}
