//! Timeout, deadline, retry, hedge, bulkhead.

use futures::future::join_all;
use tokio::time::timeout;

use super::*;
use crate::layers::{Budget, Bulkhead, Deadline, Hedge, HedgeAfter, Retry, Timeout};

#[tokio::test(start_paused = true)]
async fn a_timeout_limits_an_attempt_and_drops_it() {
    let fake = Fake::new([Act::Hang, Act::Slow(99 * MS), Act::Slow(101 * MS)]);
    let lookup = Timeout::new(fake.clone(), 100 * MS);
    let start = Instant::now();
    let error = lookup.get(postcode("M1 1AD")).await.unwrap_err();
    assert_eq!((error.kind(), start.elapsed()), (ErrorKind::Timeout, 100 * MS));
    assert!(error.is_transient());
    assert_eq!(error.to_string(), "lookup of M1 1AD: no answer within 100ms");
    assert_eq!(fake.under_way(), 0);
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!(ask(&lookup).await, Err(ErrorKind::Timeout));
    assert_eq!(fake.seen()[0].remaining, Some(100 * MS), "the attempt knows how long it has");
}

#[tokio::test(start_paused = true)]
async fn a_time_that_no_clock_can_tell_is_no_panic() {
    for limit in [Duration::MAX, Duration::ZERO] {
        let lookup = Deadline::new(Timeout::new(Fake::new([]), limit), limit);
        let _ = ask(&lookup).await;
    }
    assert_eq!(ask(&Timeout::new(Fake::new([]), Duration::MAX)).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_holds_for_the_whole_call_and_is_known_inside() {
    let fake = Fake::always(Act::Slow(70 * MS));
    let lookup = Deadline::new(fake.clone(), 100 * MS);
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!(fake.seen()[0].remaining, Some(100 * MS));
    fake.set(Act::Hang);
    let start = Instant::now();
    let error = lookup.get(postcode("M1 1AD")).await.unwrap_err();
    assert_eq!((error.kind(), start.elapsed()), (ErrorKind::Timeout, 100 * MS));
    assert!(error.is_persistent() && !error.is_transient());
    assert_eq!(fake.under_way(), 0);
    assert_eq!(deadline::current(), None, "it ends with the call");
}

#[tokio::test(start_paused = true)]
async fn the_earlier_of_two_deadlines_counts() {
    let fake = Fake::always(Act::Hang);
    let lookup = Deadline::new(Deadline::new(fake.clone(), 100 * MS), 30 * MS);
    let start = Instant::now();
    assert_eq!(ask(&lookup).await, Err(ErrorKind::Timeout));
    assert_eq!((start.elapsed(), fake.seen()[0].remaining), (30 * MS, Some(30 * MS)));
    let lookup = Deadline::new(fake.clone(), 100 * MS);
    let start = Instant::now();
    let at = start + 20 * MS;
    assert_eq!(deadline::scope(at, ask(&lookup)).await, Err(ErrorKind::Timeout));
    assert_eq!(start.elapsed(), 20 * MS);
    let calls = fake.calls();
    assert_eq!(deadline::scope(at, ask(&lookup)).await, Err(ErrorKind::Timeout));
    assert_eq!(fake.calls(), calls, "a call that is already late is not made");
}

#[tokio::test(start_paused = true)]
async fn a_retry_asks_again_what_failed_for_a_moment() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::Overloaded] {
        let fake = Fake::new([Act::Fail(kind), Act::Fail(kind)]);
        assert_eq!(ask(&Retry::new(fake.clone())).await, Ok(()));
        assert_eq!(fake.calls(), 3);
    }
    for kind in [
        ErrorKind::InvalidInput,
        ErrorKind::NotSupported,
        ErrorKind::Dataset,
        ErrorKind::Protocol,
        ErrorKind::Internal,
    ] {
        let fake = Fake::always(Act::Fail(kind));
        assert_eq!(ask(&Retry::new(fake.clone())).await, Err(kind));
        assert_eq!(fake.calls(), 1, "{kind:?} would be the same again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_gives_up_after_its_retries_and_says_so() {
    let fake = Fake::always(Act::Fail(ErrorKind::Unavailable));
    // The outer retry sees that the inner one has tried.
    let lookup = Retry::new(Retry::new(fake.clone()).retries(3));
    let error = lookup.get(postcode("M1 1AD")).await.unwrap_err();
    assert!(error.is_persistent() && !error.is_transient());
    assert_eq!((error.kind(), fake.calls()), (ErrorKind::Unavailable, 4));
}

#[tokio::test(start_paused = true)]
async fn waits_have_full_jitter_below_a_doubling_ceiling() {
    let mut waits: Vec<Vec<f64>> = vec![Vec::new(); 4];
    for seed in 0..200 {
        let fake = Fake::always(Act::Fail(ErrorKind::Unavailable));
        let lookup = Retry::new(fake.clone()).retries(4).backoff(100 * MS).longest(300 * MS).seed(seed);
        let _ = ask(&lookup).await;
        let at: Vec<_> = fake.seen().iter().map(|seen| seen.at).collect();
        for (n, pair) in at.windows(2).enumerate() {
            waits[n].push((pair[1] - pair[0]).as_secs_f64() * 1e3);
        }
    }
    for (waits, ceiling) in waits.iter().zip([100.0, 200.0, 300.0, 300.0]) {
        // The timer rounds up to the next millisecond.
        assert!(waits.iter().all(|wait| *wait <= ceiling + 1.0));
        let mean = waits.iter().sum::<f64>() / waits.len() as f64;
        assert!((mean / ceiling - 0.5).abs() < 0.1, "{mean} of {ceiling}: waits are spread evenly from zero");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_other_side_asks_for_is_obeyed() {
    let busy = |wait| Error::new(ErrorKind::Overloaded, "busy").with_retry_after(Some(wait));
    let fake = Fake::new([Act::Error(busy(SECOND))]);
    let start = Instant::now();
    assert_eq!(ask(&Retry::new(fake.clone())).await, Ok(()));
    assert_eq!(start.elapsed(), SECOND);

    let fake = Fake::new([Act::Error(busy(2 * SECOND))]);
    let start = Instant::now();
    let error = Retry::new(fake.clone()).get(postcode("M1 1AD")).await.unwrap_err();
    assert_eq!((start.elapsed(), fake.calls()), (Duration::ZERO, 1), "longer than `longest`: no retry");
    assert_eq!(error.retry_after(), Some(2 * SECOND), "the caller sees the requested wait");
}

#[tokio::test(start_paused = true)]
async fn no_retry_starts_that_can_not_end_in_time() {
    let busy = Error::new(ErrorKind::Overloaded, "busy").with_retry_after(Some(500 * MS));
    let fake = Fake::always(Act::Error(busy));
    let lookup = Deadline::new(Retry::new(fake.clone()), 500 * MS);
    let start = Instant::now();
    assert_eq!(ask(&lookup).await, Err(ErrorKind::Overloaded), "what went wrong, not just that it was late");
    assert_eq!((start.elapsed(), fake.calls()), (Duration::ZERO, 1));
}

#[tokio::test(start_paused = true)]
async fn retries_are_a_fifth_of_the_calls_at_most() {
    let fake = Fake::always(Act::Fail(ErrorKind::Unavailable));
    let lookup = Retry::new(fake.clone()).budget(Budget::new(0.2, 10));
    for _ in 0..1_000 {
        let _ = ask(&lookup).await;
    }
    assert!((1_200..=1_210).contains(&fake.calls()), "{} calls", fake.calls());
}

#[tokio::test(start_paused = true)]
async fn a_tarpit_does_not_hold_a_retrying_call() {
    let fake = Fake::new([Act::Hang]);
    let lookup = Deadline::new(Retry::new(Timeout::new(fake.clone(), 100 * MS)), SECOND);
    let start = Instant::now();
    assert_eq!(ask(&lookup).await, Ok(()));
    assert!(start.elapsed() < 130 * MS);
    let lookup = Deadline::new(Retry::new(fake.clone()), SECOND);
    fake.set(Act::Hang);
    assert_eq!(
        ask(&lookup).await,
        Err(ErrorKind::Timeout),
        "without a timeout inside, one attempt takes the whole deadline"
    );
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_refuses_at_once_what_is_too_much_and_only_that() {
    let fake = Fake::always(Act::Slow(SECOND));
    let lookup = Bulkhead::new(fake.clone(), 3);
    let start = Instant::now();
    let one = |_| async { (ask(&lookup).await, start.elapsed()) };
    let results = join_all((0..5).map(one)).await;
    assert_eq!(results[..3], [(Ok(()), SECOND); 3]);
    assert_eq!(results[3..], [(Err(ErrorKind::Overloaded), Duration::ZERO); 2]);
    assert_eq!(fake.most(), 3);
    for _ in 0..10 {
        assert!(timeout(MS, ask(&lookup)).await.is_err(), "dropped");
    }
    assert_eq!(ask(&lookup).await, Ok(()), "dropped calls free their places");
}

#[tokio::test(start_paused = true)]
async fn a_hedge_takes_the_first_answer_of_two() {
    let fake = Fake::new([Act::Hang, Act::Slow(10 * MS)]);
    let lookup = Hedge::new(fake.clone(), HedgeAfter::Fixed(50 * MS));
    let start = Instant::now();
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!((start.elapsed(), lookup.hedges(), fake.under_way()), (60 * MS, 1, 0));
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!((lookup.hedges(), fake.calls()), (1, 3), "a fast call has no second attempt");
}

#[tokio::test(start_paused = true)]
async fn a_hedge_fails_only_if_both_attempts_do() {
    for acts in [[Act::Slow(80 * MS), Act::Fail(ErrorKind::Unavailable)], [Act::Hang, Act::Slow(MS)]] {
        let lookup = Hedge::new(Fake::new(acts), HedgeAfter::Fixed(50 * MS));
        assert_eq!(ask(&lookup).await, Ok(()));
    }
    let fake = Fake::always(Act::Fail(ErrorKind::Unavailable));
    let lookup = Hedge::new(fake.clone(), HedgeAfter::Fixed(50 * MS));
    assert_eq!(ask(&lookup).await, Err(ErrorKind::Unavailable));
    assert_eq!(fake.calls(), 1, "a failure before the delay is not hedged");
}

#[tokio::test(start_paused = true)]
async fn hedges_are_a_tenth_of_the_calls_at_most() {
    let fake = Fake::always(Act::Slow(SECOND));
    let lookup = Hedge::new(fake.clone(), HedgeAfter::Fixed(50 * MS));
    for _ in 0..1_000 {
        assert_eq!(ask(&lookup).await, Ok(()));
    }
    assert!((100..=110).contains(&lookup.hedges()), "{}", lookup.hedges());
}

#[tokio::test(start_paused = true)]
async fn a_hedge_by_quantile_learns_when_a_call_is_slow() {
    let fake = Fake::always(Act::Slow(10 * MS));
    let lookup = Hedge::new(fake.clone(), HedgeAfter::Quantile(0.95));
    for _ in 0..100 {
        assert_eq!(ask(&lookup).await, Ok(()));
    }
    assert_eq!(lookup.hedges(), 0);
    let fast = Fake::new([Act::Hang]);
    assert!(timeout(SECOND, ask(&Hedge::new(fast, HedgeAfter::Quantile(0.95)))).await.is_err(), "not yet");
    fake.set(Act::Slow(20 * MS));
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!(lookup.hedges(), 1);
}
