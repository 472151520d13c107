//! The advice: predictions from costs that are known exactly, and the verdict.

use std::time::Duration;

use super::Fake;
use crate::layers::advice::{
    Deployment, Echo, Memory, Place, PlaceCosts, Work, WorkCost, advise, echo, known_places, predict, probe,
};
use crate::layers::{CacheEstimate, CohortSnapshot, JoinEstimate, LedgerSnapshot, MethodSnapshot};
use crate::{ErrorKind, Postcode};

const MIB: f64 = 1_048_576.0;

fn work(method: &str, items: f64, us: f64) -> WorkCost {
    WorkCost { method: method.into(), items, p50_us: us, p99_us: us * 2.0, cpu_us: us }
}

fn place(place: Place, call: f64, item: f64, memory: Memory) -> PlaceCosts {
    let works = vec![
        work("lookup_one", 1.0, call + item),
        work("lookup", 10.0, call + item * 10.0),
        work("lookup", 100.0, call + item * 100.0),
        work("nearest", 10.0, call + item * 50.0),
    ];
    PlaceCosts { place, works, cold_us: 0.0, memory, measured: true }
}

fn embedded() -> PlaceCosts {
    place(Place::Embedded, 0.1, 0.1, Memory { private: 200.0 * MIB, ..Memory::default() })
}

fn tcp() -> PlaceCosts {
    place(Place::Tcp, 100.0, 2.0, Memory { private: 20.0 * MIB, shared: 0.0, service: 160.0 * MIB })
}

fn method(name: &str, calls: u64, least: u64, items: u64) -> MethodSnapshot {
    MethodSnapshot { method: name.into(), calls, items, sizes: vec![(least, calls)], ..Default::default() }
}

fn ledger(seconds: f64, methods: Vec<MethodSnapshot>) -> LedgerSnapshot {
    let cohort = CohortSnapshot {
        methods,
        caches: vec![
            CacheEstimate { entries: 1 << 10, bytes: 1 << 18, hits: 0.6 },
            CacheEstimate { entries: 1 << 19, bytes: 1 << 27, hits: 0.62 },
        ],
        joins: vec![JoinEstimate { window_us: 1_000.0, saved: 0.4 }],
        ..Default::default()
    };
    LedgerSnapshot { seconds, cohorts: vec![cohort] }
}

fn close(got: f64, expected: f64) {
    assert!((got / expected - 1.0).abs() < 0.01, "{got} is not {expected}");
}

#[test]
fn batch_between_two_probed_sizes_costs_what_lies_between_them() {
    let asked = ledger(1_000.0, vec![method("lookup", 10, 32, 10 * 55)]);
    let seen = predict(&asked, &tcp(), &Deployment::default()).unwrap();
    close(seen.p50_us, 210.0);
    close(seen.p99_us, 420.0);
    close(seen.cpu_us, 210.0);
    close(seen.memory_bytes, 180.0 * MIB);
}

#[test]
fn median_of_a_mixture_is_that_of_its_calls() {
    let asked = ledger(1e6, vec![method("lookup_one", 90, 1, 90), method("nearest", 10, 8, 100)]);
    let seen = predict(&asked, &embedded(), &Deployment::default()).unwrap();
    close(seen.p50_us, 0.2);
    close(seen.p99_us, 5.1);
    close(seen.cpu_us, 0.9 * 0.2 + 0.1 * 5.1);
}

#[test]
fn calls_with_pauses_between_them_find_caches_cold() {
    let costs = PlaceCosts { cold_us: 2.0, ..embedded() };
    let at = |rate: f64| {
        let asked = ledger(1_000.0 / rate, vec![method("lookup_one", 1_000, 1, 1_000)]);
        predict(&asked, &costs, &Deployment::default()).unwrap().p50_us
    };
    close(at(10.0), 2.2);
    close(at(1_000.0), 1.2);
}

#[test]
fn one_process_that_asks_often_stays() {
    let asked = ledger(1.0, vec![method("lookup_one", 1_000, 1, 1_000)]);
    let advice = advise(&asked, Place::Embedded, &[embedded(), tcp()], &Deployment::default());
    assert!(advice.stay && advice.best == Place::Embedded, "{advice:?}");
    assert!(advice.reason.starts_with("Stay: nothing is gained"), "{}", advice.reason);
    assert_eq!(advice.savings[0].cache, Some((1 << 18, 0.6)));
    assert_eq!(advice.savings[0].joined, Some(0.4));
}

#[test]
fn many_machines_that_ask_seldom_share_one_service_unless_it_is_too_slow() {
    let asked = ledger(1_000.0, vec![method("lookup_one", 1_000, 1, 1_000)]);
    let many = Deployment { processes: 1.0, machines: 50.0, cores: 2.0, ..Deployment::default() };
    let places = [embedded(), tcp()];
    let advice = advise(&asked, Place::Embedded, &places, &many);
    assert_eq!((advice.stay, advice.best), (false, Place::Tcp), "{advice:?}");
    assert!(advice.reason.starts_with("Move to tcp: it saves "), "{}", advice.reason);
    let hurried = Deployment { max_p99_us: Some(50.0), ..many };
    let advice = advise(&asked, Place::Embedded, &places, &hurried);
    assert!(advice.stay, "{advice:?}");
    assert!(advice.predictions[1].refused.as_ref().is_some_and(|why| why.contains("p99")), "{advice:?}");
    // Who is in the service already and in a hurry has to leave it.
    let advice = advise(&asked, Place::Tcp, &places, &hurried);
    assert_eq!(advice.best, Place::Embedded, "{advice:?}");
}

#[test]
fn service_that_can_not_carry_the_load_is_refused() {
    let asked = ledger(1.0, vec![method("lookup_one", 5_000, 1, 5_000)]);
    let many = Deployment { machines: 50.0, cores: 2.0, ..Deployment::default() };
    let seen = predict(&asked, &tcp(), &many).unwrap();
    assert!(seen.refused.is_some_and(|why| why.contains("cores")));
}

#[test]
fn without_calls_the_advice_is_to_stay() {
    let advice = advise(&ledger(1.0, vec![]), Place::Embedded, &[embedded(), tcp()], &Deployment::default());
    assert!(advice.stay && advice.predictions.is_empty(), "{advice:?}");
}

#[test]
fn other_places_are_derived_from_the_probed_ones() {
    let bare = Echo { unix_us: Some(10.0), tcp_us: 25.0 };
    let places = known_places(&[embedded(), tcp()], 20.0 * MIB, Some(bare));
    assert_eq!(places.iter().map(|costs| costs.place).collect::<Vec<_>>(), Place::ALL);
    let measured: Vec<bool> = places.iter().map(|costs| costs.measured).collect();
    assert_eq!(measured, [true, false, false, false, true]);
    let [_, file, _, unix, _] = &places[..] else { unreachable!() };
    assert_eq!(file.works, embedded().works);
    assert_eq!((file.memory.private, file.memory.shared), (20.0 * MIB, 180.0 * MIB));
    close(unix.works[0].p50_us, 102.0 - 15.0);
    // Without a service its places are unknown.
    assert_eq!(known_places(&[embedded()], 0.0, Some(bare)).len(), 3);
}

#[test]
fn place_is_that_of_the_url() {
    for (url, expected) in [
        ("embedded:", Some(Place::Embedded)),
        ("file:/x", Some(Place::File)),
        ("replica:http://x", Some(Place::Replica)),
        ("unix:/x", Some(Place::Unix)),
        ("https://x", Some(Place::Tcp)),
        ("x", None),
    ] {
        assert_eq!(Place::of_url(url), expected, "{url}");
    }
}

#[tokio::test]
async fn probe_measures_each_kind_of_call() {
    let fake = Fake::new([super::Act::Answer]);
    let (works, _) = probe(&fake, Duration::from_millis(20), || None).await.unwrap();
    let methods: Vec<_> = works.iter().map(|work| &*work.method).collect();
    assert_eq!(methods, Work::PROBED.map(Work::method));
    assert!(works.iter().all(|work| work.p50_us > 0.0 && work.p99_us >= work.p50_us && work.cpu_us > 0.0));
    let failing = Fake::new([super::Act::Fail(ErrorKind::Unavailable)]);
    assert_eq!(
        probe(&failing, Duration::from_millis(20), || None).await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    let none: [Postcode; 0] = [];
    assert_eq!(Work::Lookup.ask(&fake, &none, 0).await.unwrap(), 0);
}

#[test]
fn bare_round_trips_are_measured() {
    let bare = echo().unwrap();
    assert!(bare.tcp_us > 0.0 && bare.unix_us.is_none_or(|us| us > 0.0), "{bare:?}");
}
