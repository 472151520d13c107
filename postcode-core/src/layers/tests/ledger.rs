//! The ledger: what it counts, what it estimates, and that it stays bounded.

use std::sync::Arc;

use tokio::time::advance;

use super::{Act, Fake, MS, SECOND};
use crate::layers::{Ledger, unit};
use crate::{ErrorKind, Nearest, Postcode, PostcodeLookup};

fn postcode(number: usize) -> Postcode {
    let letter = |at: usize| char::from(b"ABDEFGHJLN"[at % 10]);
    let [one, two, three, four] = [1, 10, 100, 1_000].map(|unit| number / unit);
    let text = format!("M{} {}{}{}", two % 10 + four % 10 * 10, one % 10, letter(three), letter(four / 10));
    text.parse().unwrap()
}

fn ledger(acts: impl IntoIterator<Item = Act>) -> Ledger<Arc<Fake>> {
    Ledger::new(Fake::new(acts))
}

#[tokio::test(start_paused = true)]
async fn ledger_counts_by_cohort_and_method() {
    let ledger = ledger([Act::Answer, Act::Fail(ErrorKind::Unavailable), Act::Answer]);
    let postcodes = [postcode(1), postcode(2), postcode(3)];
    ledger.lookup(&postcodes).await.unwrap();
    ledger.lookup_one(postcodes[0]).await.unwrap_err();
    unit::cohort("import", ledger.lookup(&postcodes)).await.unwrap();
    unit::cohort("import", ledger.clone().nearest(&Nearest::to("M1 1AD".parse::<Postcode>().unwrap())))
        .await
        .unwrap();
    advance(SECOND).await;
    let seen = ledger.snapshot();
    assert_eq!((seen.seconds, seen.calls()), (1.0, 4));
    let names: Vec<_> = seen.cohorts.iter().map(|cohort| &*cohort.cohort).collect();
    assert_eq!(names, ["", "import"]);
    let methods: Vec<_> =
        seen.cohorts[0].methods.iter().map(|m| (&*m.method, m.calls, m.items, m.failed)).collect();
    assert_eq!(methods, [("lookup", 1, 3, 0), ("lookup_one", 1, 0, 1)]);
    assert_eq!(seen.cohorts[0].methods[0].sizes, [(2, 1)]);
    let import: Vec<_> = seen.cohorts[1].methods.iter().map(|m| (&*m.method, m.calls)).collect();
    assert_eq!(import, [("lookup", 1), ("nearest", 1)]);
    // Three answers as JSON are some hundred bytes.
    let bytes = seen.cohorts[1].methods[0].bytes;
    let whole = serde_json::to_vec(&ledger.inner().reference.lookup(&postcodes).await.unwrap()).unwrap();
    assert_eq!(bytes, whole.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn waiting_counts_as_time_and_not_as_work() {
    let ledger = ledger([Act::Slow(5 * MS)]);
    ledger.lookup_one(postcode(1)).await.unwrap();
    let method = &ledger.snapshot().cohorts[0].methods[0];
    assert!(method.p50_us.is_some_and(|us| (us / 5_000.0 - 1.0).abs() < 0.07), "{method:?}");
    assert_eq!(method.worked_us, 0.0);
}

#[tokio::test(start_paused = true)]
async fn cohorts_beyond_the_limit_share_an_account() {
    let ledger = ledger([Act::Answer]);
    for number in 0..40 {
        unit::cohort(&format!("c{number}"), ledger.lookup_one(postcode(1))).await.unwrap();
    }
    let seen = ledger.snapshot();
    assert_eq!(seen.cohorts.len(), 17);
    let other = seen.cohorts.last().unwrap();
    assert_eq!((&*other.cohort, other.methods[0].calls), ("other", 24));
}

#[tokio::test(start_paused = true)]
async fn cache_estimate_of_a_cycle_is_all_or_nothing() {
    // A cycle over more keys than a cache has places is never answered by it.
    let ledger = ledger([Act::Answer]);
    for round in 0..6 {
        for number in 0..3_000 {
            ledger.lookup_one(postcode(number)).await.unwrap();
        }
        assert_eq!(ledger.snapshot().calls(), (round + 1) * 3_000);
    }
    let caches = &ledger.snapshot().cohorts[0].caches;
    assert_eq!(
        caches.iter().map(|cache| cache.entries).collect::<Vec<_>>(),
        [1 << 10, 1 << 13, 1 << 16, 1 << 19]
    );
    assert!(caches[0].hits < 0.05, "{caches:?}");
    // Five of six rounds.
    assert!((caches[1].hits - 5.0 / 6.0).abs() < 0.05, "{caches:?}");
}

#[tokio::test(start_paused = true)]
async fn cache_estimate_counts_no_repeat_after_the_age_limit() {
    let ledger = ledger([Act::Answer]);
    for _ in 0..10 {
        ledger.lookup_one(postcode(1)).await.unwrap();
        ledger.lookup_one(postcode(1)).await.unwrap();
        advance(301 * SECOND).await;
    }
    assert_eq!(ledger.snapshot().cohorts[0].caches[0].hits, 0.5);
}

#[tokio::test(start_paused = true)]
async fn join_estimate_is_the_share_that_arrives_within_the_window() {
    let ledger = ledger([Act::Answer]);
    for _ in 0..10 {
        // Four at once, and the next four 5 ms later.
        for number in 0..4 {
            ledger.lookup_one(postcode(number)).await.unwrap();
        }
        advance(5 * MS).await;
    }
    let joins = &ledger.snapshot().cohorts[0].joins;
    let saved: Vec<_> = joins.iter().map(|join| (join.window_us, (join.saved * 1e3).round())).collect();
    // Within 10 ms three groups arrive: 0, 5 and 10 ms.
    assert_eq!(saved, [(100.0, 750.0), (1_000.0, 750.0), (10_000.0, 900.0)]);
}
