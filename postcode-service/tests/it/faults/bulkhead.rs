//! A dead service uses only its share of places, and the rest of the application is not affected.

use std::sync::Arc;
use std::time::Duration;

use postcode_core::layers::{Bulkhead, Resilience, resilient};
use postcode_core::{ErrorKind, PostcodeLookupExt, Remote};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::faults::proxy::{Fault, Proxy};
use crate::faults::service::{GENEROUS, InProcess, local, postcode};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_service_does_not_slow_other_work() {
    const PLACES: usize = 16;
    let service = InProcess::start();
    let dead = Proxy::before(&service.url);
    dead.set(Fault::Tarpit);
    // Practically for ever: calls here wait until the end of the test.
    let remote = Remote::new(&format!("{}?timeout=10m&deadline=10m", dead.url)).unwrap();
    let behind = Arc::new(Bulkhead::new(remote, PLACES));

    let mut calls = JoinSet::new();
    for _ in 0..500 {
        let behind = behind.clone();
        calls.spawn(async move { behind.get(postcode()).await });
    }
    // All but those that found a place are back at once, with an error that says why.
    for _ in 0..500 - PLACES {
        let call = timeout(GENEROUS, calls.join_next()).await.expect("a call that waits without a place");
        assert_eq!(call.unwrap().unwrap().unwrap_err().kind(), ErrorKind::Overloaded);
    }
    assert_eq!(calls.len(), PLACES);
    assert!(dead.open() <= PLACES);

    // While these hang, everything else is as ever: in this process, and with a service that is
    // well.
    let well = Remote::new(&format!("{}?timeout=30s&deadline=60s", service.url)).unwrap();
    let local = local();
    for _ in 0..200 {
        assert!(local.get(postcode()).await.unwrap().is_live());
        assert!(timeout(GENEROUS, well.get(postcode())).await.expect("slowed down").unwrap().is_live());
    }
    assert_eq!(calls.len(), PLACES, "still hanging");

    // And when they are given up, the places are free again.
    calls.shutdown().await;
    dead.set(Fault::None);
    assert!(timeout(GENEROUS, behind.get(postcode())).await.expect("no place").unwrap().is_live());
}

/// Checks the default layers: callers of a dead service are soon refused without a request, because
/// the breaker is open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_service_is_soon_not_asked_any_more() {
    let service = InProcess::start();
    let dead = Proxy::before(&service.url);
    dead.set(Fault::Tarpit);
    let bare = Remote::new(&format!("{}?timeout=10m&deadline=10m&retries=0", dead.url)).unwrap();
    let mut layers = Resilience::default();
    (layers.timeout, layers.deadline) = (Duration::from_millis(50), Duration::from_millis(200));
    // Once it is open it stays so: how often it tries again is a matter of time.
    if let Some(breaker) = &mut layers.breaker {
        breaker.open_for = Duration::from_secs(3600);
    }
    let lookup = resilient(bare, &layers);
    for _ in 0..2_000 {
        let call = timeout(GENEROUS, lookup.get(postcode())).await.expect("a call that hangs");
        let kind = call.unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::Timeout | ErrorKind::Unavailable), "{kind:?}");
    }
    assert!(dead.requests() < 200, "{} requests of 2000 calls", dead.requests());
}
