//! Breaker, failover, fallback.

use futures::future::join_all;
use tokio::time::{advance, timeout};

use super::*;
use crate::layers::{Breaker, BreakerConfig, Failover, Fallback, Order};

const DOWN: Act = Act::Fail(ErrorKind::Unavailable);

async fn open(lookup: &Breaker<Arc<Fake>>) {
    while lookup.is_closed() {
        assert!(ask(lookup).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn it_opens_after_failures_in_a_row_and_then_asks_no_more() {
    let fake = Fake::new([DOWN, DOWN, DOWN, DOWN, Act::Answer, DOWN, DOWN, DOWN, DOWN, DOWN]);
    let lookup = Breaker::new(fake.clone());
    for _ in 0..10 {
        assert!(lookup.is_closed());
        let _ = ask(&lookup).await;
    }
    assert!(!lookup.is_closed(), "five in a row");
    advance(400 * MS).await;
    let error = lookup.get(postcode("M1 1AD")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Unavailable, Some(600 * MS)));
    assert!(error.to_string().starts_with("lookup of M1 1AD: not sent"), "{error}");
    assert_eq!(fake.calls(), 10);
}

#[tokio::test(start_paused = true)]
async fn it_opens_when_too_large_a_share_failed() {
    let fake = Fake::new([]);
    let lookup = Breaker::new(fake.clone());
    // Two of three, never five in a row; the twentieth call decides.
    for n in 0..20 {
        assert!(lookup.is_closed(), "after {n} calls");
        fake.set(if n % 3 == 0 { Act::Answer } else { DOWN });
        let _ = ask(&lookup).await;
    }
    assert!(!lookup.is_closed());
}

#[tokio::test(start_paused = true)]
async fn answers_to_bad_questions_and_dropped_calls_are_no_failures() {
    let fake = Fake::always(Act::Fail(ErrorKind::InvalidInput));
    let lookup = Breaker::new(fake.clone());
    for act in [Act::Fail(ErrorKind::InvalidInput), Act::Fail(ErrorKind::NotSupported), Act::Hang] {
        fake.set(act);
        for _ in 0..50 {
            let _ = timeout(MS, ask(&lookup)).await;
        }
        assert!(lookup.is_closed());
    }
    for kind in [ErrorKind::Timeout, ErrorKind::Overloaded, ErrorKind::Protocol, ErrorKind::Internal] {
        fake.set(Act::Fail(kind));
        let lookup = Breaker::new(fake.clone());
        open(&lookup).await;
    }
}

#[tokio::test(start_paused = true)]
async fn half_open_lets_exactly_one_probe_through_and_closes_on_its_success() {
    let fake = Fake::always(DOWN);
    let lookup = Breaker::new(fake.clone());
    open(&lookup).await;
    fake.set(Act::Slow(10 * MS));
    advance(SECOND).await;
    let before = fake.calls();
    let results = join_all((0..20).map(|_| ask(&lookup))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(fake.calls(), before + 1);
    assert!(lookup.is_closed());
    let results = join_all((0..20).map(|_| ask(&lookup))).await;
    assert!(results.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_opens_again_and_a_dropped_one_leaves_its_place() {
    let fake = Fake::always(DOWN);
    let lookup = Breaker::new(fake.clone());
    open(&lookup).await;
    advance(SECOND).await;
    let before = fake.calls();
    for _ in 0..10 {
        assert!(ask(&lookup).await.is_err());
    }
    assert_eq!(fake.calls(), before + 1, "the probe failed, and it is open for another second");
    advance(SECOND).await;
    fake.set(Act::Hang);
    for n in 2..5 {
        assert!(timeout(MS, ask(&lookup)).await.is_err());
        assert_eq!(fake.calls(), before + n, "the next call is the probe");
    }
    fake.set(Act::Answer);
    assert_eq!(ask(&lookup).await, Ok(()));
    assert!(lookup.is_closed());
}

#[tokio::test(start_paused = true)]
async fn what_began_before_it_opened_does_not_count_after() {
    let fake = Fake::new([Act::Slow(3 * SECOND)]);
    let lookup = Breaker::new(fake.clone());
    fake.set(DOWN);
    let late = ask(&lookup);
    let others = async {
        tokio::task::yield_now().await;
        open(&lookup).await;
        sleep(1_500 * MS).await;
        assert!(ask(&lookup).await.is_err(), "the probe fails");
        sleep(1_400 * MS).await;
    };
    let (late, ()) = futures::join!(late, others);
    assert_eq!(late, Ok(()));
    assert!(!lookup.is_closed());
}

#[tokio::test(start_paused = true)]
async fn failover_goes_on_to_the_next_and_passes_over_what_is_down() {
    let (one, other) = (Fake::always(DOWN), Fake::new([]));
    let lookup =
        Failover::new([one.clone(), other.clone()], Order::AsGiven, BreakerConfig::default()).unwrap();
    for _ in 0..50 {
        assert_eq!(ask(&lookup).await, Ok(()));
    }
    assert_eq!((one.calls(), other.calls()), (5, 50));
    assert_eq!(lookup.healthy(), (1, 2));
    one.set(Act::Answer);
    advance(SECOND).await;
    for _ in 0..10 {
        assert_eq!(ask(&lookup).await, Ok(()));
    }
    assert_eq!((one.calls(), other.calls()), (15, 50), "the first again");
}

#[tokio::test(start_paused = true)]
async fn round_robin_shares_the_load_of_those_that_are_up() {
    let fakes = [Fake::new([]), Fake::new([]), Fake::new([])];
    let lookup = Failover::new(fakes.clone(), Order::RoundRobin, BreakerConfig::default()).unwrap();
    for _ in 0..30 {
        assert_eq!(ask(&lookup).await, Ok(()));
    }
    assert_eq!(fakes.each_ref().map(|fake| fake.calls()), [10, 10, 10]);
    fakes[1].set(DOWN);
    for _ in 0..90 {
        assert_eq!(ask(&lookup).await, Ok(()));
    }
    assert_eq!(fakes[1].calls(), 15);
}

#[tokio::test(start_paused = true)]
async fn failover_does_not_ask_others_a_bad_question_and_shows_a_real_fault() {
    let fakes = [Fake::always(Act::Fail(ErrorKind::InvalidInput)), Fake::new([])];
    let lookup = Failover::new(fakes.clone(), Order::AsGiven, BreakerConfig::default()).unwrap();
    assert_eq!(ask(&lookup).await, Err(ErrorKind::InvalidInput));
    assert_eq!(fakes[1].calls(), 0);
    let fakes = [Fake::always(DOWN), Fake::always(Act::Fail(ErrorKind::Protocol))];
    let lookup = Failover::new(fakes, Order::AsGiven, BreakerConfig::default()).unwrap();
    assert_eq!(ask(&lookup).await, Err(ErrorKind::Protocol));
    for _ in 0..10 {
        let _ = ask(&lookup).await;
    }
    let error = lookup.get(postcode("M1 1AD")).await.unwrap_err();
    assert!(error.to_string().contains("not sent"), "{error}");
    let none = Failover::<Arc<Fake>>::new([], Order::AsGiven, BreakerConfig::default());
    assert_eq!(none.unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_answers_what_the_first_could_not_and_counts() {
    let (first, second) = (Fake::new([Act::Answer, DOWN, Act::Fail(ErrorKind::NotSupported)]), Fake::new([]));
    let lookup = Fallback::new(first.clone(), second.clone());
    for _ in 0..3 {
        assert_eq!(ask(&lookup).await, Ok(()));
    }
    assert_eq!((lookup.fallbacks(), second.calls()), (2, 2));
    first.set(Act::Fail(ErrorKind::InvalidInput));
    assert_eq!(ask(&lookup).await, Err(ErrorKind::InvalidInput));
    assert_eq!(second.calls(), 2);
    first.set(Act::Fail(ErrorKind::Timeout));
    second.set(DOWN);
    assert_eq!(ask(&lookup).await, Err(ErrorKind::Timeout), "the first one's error");
}
