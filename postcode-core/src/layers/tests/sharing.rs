//! Single flight and batcher.

use futures::FutureExt;
use futures::future::{join_all, try_join_all};
use tokio::time::timeout;

use super::*;
use crate::layers::{Batcher, SingleFlight};

#[tokio::test(start_paused = true)]
async fn equal_lookups_at_once_share_a_call_and_later_ones_ask_anew() {
    let fake = Fake::always(Act::Slow(10 * MS));
    let lookup = SingleFlight::new(fake.clone());
    let results = join_all((0..50).map(|_| ask(&lookup))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(fake.calls(), 1);
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!(fake.calls(), 2);
    let others = ["M1 1AD", "M1 1AE", "M1 1AF"].map(postcode);
    try_join_all(others.map(|postcode| lookup.get(postcode))).await.unwrap();
    assert_eq!(fake.calls(), 5, "different ones do not");
    try_join_all([lookup.lookup(&others), lookup.lookup(&others)]).await.unwrap();
    assert_eq!(fake.calls(), 7, "and batches pass");
    assert!(format!("{lookup:?}").contains("flights: 0"), "nothing is left");
}

#[tokio::test(start_paused = true)]
async fn any_caller_of_a_shared_call_may_go_the_first_too() {
    let fake = Fake::always(Act::Slow(10 * MS));
    let lookup = SingleFlight::new(fake.clone());
    let first = timeout(5 * MS, ask(&lookup));
    let (first, second, third) = futures::join!(first, ask(&lookup), timeout(7 * MS, ask(&lookup)));
    assert!(first.is_err() && third.is_err());
    assert_eq!((second, fake.calls()), (Ok(()), 1));
    // One that was never polled after it had joined.
    let mut never = Box::pin(ask(&lookup));
    assert!((&mut never).now_or_never().is_none());
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!(fake.calls(), 2);
    drop(never);
    // All callers are gone, so the call is too.
    assert!(timeout(5 * MS, join_all([ask(&lookup), ask(&lookup)])).await.is_err());
    assert_eq!((fake.under_way(), fake.calls()), (0, 3));
    assert!(format!("{lookup:?}").contains("flights: 0"));
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_fails_all_that_share_it_with_the_same_error() {
    let cause = std::io::Error::other("the cause");
    let error = Error::new(ErrorKind::Unavailable, "down").with_source(cause).with_retry_after(Some(SECOND));
    for lookup in [
        |fake| Box::new(SingleFlight::new(fake)) as Box<dyn PostcodeLookup>,
        |fake| Box::new(Batcher::new(fake).linger(MS)) as Box<dyn PostcodeLookup>,
    ] {
        let fake: Arc<Fake> = Fake::new([Act::SlowError(MS, error.clone())]);
        let lookup = lookup(fake.clone());
        let results = join_all((0..3).map(|_| lookup.get(postcode("M1 1AD")))).await;
        let errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        assert_eq!((errors.len(), fake.calls()), (3, 1));
        for error in errors {
            assert_eq!((error.to_string().as_str(), error.retry_after()), ("down", Some(SECOND)));
            assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the cause");
        }
        assert_eq!(ask(&lookup).await, Ok(()), "and the next one asks anew");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shared_call_has_no_ones_deadline() {
    for lookup in [
        |fake| Box::new(SingleFlight::new(fake)) as Box<dyn PostcodeLookup>,
        |fake| Box::new(Batcher::new(fake)) as Box<dyn PostcodeLookup>,
    ] {
        let fake: Arc<Fake> = Fake::always(Act::Slow(10 * MS));
        let lookup = lookup(fake.clone());
        let at = Instant::now() + 50 * MS;
        assert_eq!(deadline::scope(at, ask(&lookup)).await, Ok(()));
        assert_eq!(fake.seen()[0].remaining, None);
    }
}

#[tokio::test(start_paused = true)]
async fn single_lookups_gather_while_batches_are_under_way() {
    let fake = Fake::always(Act::Slow(10 * MS));
    let lookup = Batcher::new(fake.clone()).in_flight(2).max_size(50);
    let fixture = Fixture::small();
    let start = Instant::now();
    let calls = fixture.records().take(120).map(|record| lookup.get(record.postcode));
    let answers = try_join_all(calls).await.unwrap();
    assert!(answers.iter().zip(fixture.records()).all(|(answer, record)| answer.record() == Some(record)));
    let calls: Vec<_> = fake.seen().into_iter().map(|seen| seen.call).collect();
    let due = ["lookup of 50 postcodes", "lookup of 50 postcodes", "lookup of 18 postcodes"];
    assert_eq!(calls.len(), 5, "{calls:?}");
    assert_eq!(calls[2..], due);
    assert!(calls[..2].iter().all(|call| !call.contains("postcodes")), "the first two left alone, at once");
    assert_eq!((fake.most(), start.elapsed()), (2, 30 * MS));
}

#[tokio::test(start_paused = true)]
async fn without_load_a_lookup_leaves_at_once_and_with_linger_it_waits() {
    let fake = Fake::new([]);
    let start = Instant::now();
    let lookup = Batcher::new(fake.clone());
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!(start.elapsed(), Duration::ZERO);
    let lookup = Batcher::new(fake.clone()).linger(2 * MS);
    let late = async {
        sleep(MS).await;
        ask(&lookup).await
    };
    let results = futures::join!(ask(&lookup), ask(&lookup), late);
    assert_eq!((results, fake.calls()), ((Ok(()), Ok(()), Ok(())), 2), "three in one");
    let batch = ["M1 1AD", "M1 1AE"].map(postcode);
    assert_eq!(lookup.lookup(&batch).await.unwrap().len(), 2);
    assert_eq!(fake.seen()[2].call, "lookup of 2 postcodes", "a caller's own batch passes");
}

#[tokio::test(start_paused = true)]
async fn callers_may_go_and_a_batch_without_any_is_never_made() {
    let fake = Fake::always(Act::Slow(10 * MS));
    let lookup = Batcher::new(fake.clone()).in_flight(1);
    // The first is sent alone; the second opens a batch and is dropped; the third has joined it.
    let first = ask(&lookup);
    let second = timeout(5 * MS, ask(&lookup));
    let third = ask(&lookup);
    let (first, second, third) = futures::join!(first, second, third);
    assert!(second.is_err());
    assert_eq!((first, third, fake.calls()), (Ok(()), Ok(()), 2));

    let first = ask(&lookup);
    let gone = timeout(5 * MS, join_all((0..9).map(|_| ask(&lookup))));
    let (first, gone) = futures::join!(first, gone);
    assert!(first.is_ok() && gone.is_err());
    sleep(SECOND).await;
    assert_eq!((fake.calls(), fake.under_way()), (3, 0));
    assert_eq!(ask(&lookup).await, Ok(()));
    assert_eq!(fake.seen()[3].call, "lookup of M1 1AD", "a dropped caller's postcode is not asked for");
}

/// Drops callers at every point: the others get their answers, and nothing is left.
#[tokio::test(start_paused = true)]
async fn dropped_anywhere_nothing_is_stuck() {
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for steps in 0..12 {
        let fake = Fake::always(Act::Slow(3 * MS));
        let lookup = Batcher::new(SingleFlight::new(fake.clone())).in_flight(2).max_size(3);
        let fixture = Fixture::small();
        let some: Vec<_> = fixture.records().map(|record| record.postcode).take(20).collect();
        let dropped = some.iter().map(|postcode| timeout(steps * MS, lookup.get(*postcode)));
        let kept = some.iter().map(|postcode| lookup.get(*postcode));
        let (_, kept) = futures::join!(join_all(dropped), try_join_all(kept));
        assert_eq!(kept.unwrap().len(), 20);
        assert_eq!(fake.under_way(), 0);
        assert_eq!(ask(&lookup).await, Ok(()));
    }
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), tasks, "no task was started");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_threads_at_once() {
    let fake = Fake::new([]);
    let lookup = Arc::new(Batcher::new(SingleFlight::new(fake.clone())).in_flight(2).max_size(7));
    let postcodes: Vec<_> = Fixture::small().records().map(|record| record.postcode).collect();
    let tasks = (0..8).map(|n| {
        let (lookup, postcodes) = (lookup.clone(), postcodes.clone());
        tokio::spawn(async move {
            for postcode in postcodes.iter().cycle().skip(n * 17).take(500) {
                let answer = lookup.get(*postcode).await.unwrap();
                assert_eq!(answer.record().map(|record| record.postcode), Some(*postcode));
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}
