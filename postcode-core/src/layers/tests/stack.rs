//! Tests the layers together, as a client of a service has them.

use futures::future::join_all;
use tokio::time::advance;

use super::*;
use crate::layers::{HedgeAfter, Resilience, resilient};

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Returns a configuration with everything switched on.
fn everything() -> Resilience {
    Resilience {
        hedge: Some(HedgeAfter::Fixed(300 * MS)),
        join: Some(50),
        single_flight: true,
        cache: Some(1 << 20),
        ..Resilience::default()
    }
}

#[tokio::test(start_paused = true)]
async fn no_call_takes_longer_than_its_deadline_whatever_the_service_does() {
    let busy = Error::new(ErrorKind::Overloaded, "busy").with_retry_after(Some(900 * MS));
    for config in [Resilience::default(), everything()] {
        for act in
            [Act::Hang, Act::Slow(5 * SECOND), Act::Fail(ErrorKind::Unavailable), Act::Error(busy.clone())]
        {
            let fake = Fake::always(act.clone());
            let lookup = resilient(fake.clone(), &config);
            let before = tasks();
            let start = Instant::now();
            let results = join_all((0..50).map(|_| ask(&*lookup))).await;
            assert!(results.iter().all(Result::is_err));
            let longest = if config.join.is_some() { 2 * config.deadline } else { config.deadline };
            assert!(start.elapsed() <= longest, "{act:?}: {:?}", start.elapsed());
            assert_eq!((fake.under_way(), tasks()), (0, before));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_service_soon_costs_nothing_and_recovery_is_by_itself() {
    for config in [Resilience::default(), everything()] {
        let fake = Fake::always(Act::Hang);
        let lookup = resilient(fake.clone(), &config);
        for _ in 0..10 {
            let _ = ask(&*lookup).await;
        }
        let start = Instant::now();
        for _ in 0..100 {
            assert!(ask(&*lookup).await.is_err());
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        fake.set(Act::Answer);
        advance(2 * SECOND).await;
        assert_eq!(ask(&*lookup).await, Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hiccup_is_not_seen() {
    for config in [Resilience::default(), everything()] {
        for act in [Act::Hang, Act::Fail(ErrorKind::Unavailable)] {
            let lookup = resilient(Fake::new([act]), &config);
            assert_eq!(ask(&*lookup).await, Ok(()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_layers_gave_up_on_is_marked() {
    let lookup = resilient(Fake::always(Act::Fail(ErrorKind::Unavailable)), &Resilience::default());
    assert!(lookup.get(postcode("M1 1AD")).await.unwrap_err().is_persistent());
}

#[test]
fn the_configuration_says_all_of_itself() {
    let text = everything().to_string();
    assert!(text.ends_with("hedge=300ms join=50 single_flight=on cache=1048576B/300s"), "{text}");
    let hedge = Some(HedgeAfter::Quantile(0.95));
    let none = Resilience { breaker: None, bulkhead: None, hedge, ..Resilience::default() };
    assert!(none.to_string().contains("breaker=off bulkhead=off hedge=p95"), "{none}");
    let lookup = resilient(Fake::new([]), &everything());
    let shown = format!("{lookup:?}");
    for layer in
        ["Cache", "SingleFlight", "Batcher", "Bulkhead", "Breaker", "Deadline", "Retry", "Hedge", "Timeout"]
    {
        assert!(shown.contains(&format!("{layer} {{")), "{layer} in {shown}");
    }
}
