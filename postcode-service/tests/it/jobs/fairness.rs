//! Fairness, tested by the order in which rows are looked up, and not by the clock.

use std::sync::{Arc, Mutex};

use postcode_core::{Answer, DatasetInfo, MockPostcodeLookup, Postcode, PostcodeLookup};
use postcode_service::jobs::Limits;

use crate::jobs::database::{Bench, Database};

on_both! {
    a_small_job_is_not_behind_a_large_one
    a_higher_priority_has_more_turns_and_a_lower_one_has_some
}

const FIRST: &str = "M1 1AE";
const SECOND: &str = "SW1A 1AA";

/// Finds nothing, and remembers which job each part was of: by its first postcode.
fn remembering() -> (Arc<Mutex<Vec<Postcode>>>, Arc<dyn PostcodeLookup>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut lookup = MockPostcodeLookup::new();
    lookup.expect_info().returning(|| Ok(DatasetInfo::new("of a test")));
    let remember = seen.clone();
    lookup.expect_lookup().returning(move |postcodes| {
        remember.lock().unwrap().push(postcodes[0]);
        Ok(vec![Answer::Unknown; postcodes.len()])
    });
    (seen, Arc::new(lookup))
}

fn rows(postcode: &str, count: usize) -> String {
    "postcode\n".to_owned() + &format!("{postcode}\n").repeat(count)
}

/// Returns the order in which parts were worked on: a whole part is two lookups.
fn turns(seen: &Mutex<Vec<Postcode>>, of: &str) -> Vec<bool> {
    let of: Postcode = of.parse().unwrap();
    seen.lock().unwrap().iter().map(|postcode| *postcode == of).collect()
}

async fn a_small_job_is_not_behind_a_large_one(database: Database) {
    let mut bench = Bench::new(database).await;
    let (seen, lookup) = remembering();
    // 1,000 rows in a lookup, so that one is a part.
    let large = bench.csv("", &[("postcode-tenant", "large")], rows(FIRST, 60_000)).await;
    let small = bench.csv("", &[("postcode-tenant", "small")], rows(SECOND, 10)).await;
    bench.work_by(1, lookup);
    let headers = [("postcode-tenant", "large")];
    while bench.ask(http::Method::GET, &format!("/jobs/{large}?wait=10s"), &headers, "").await.json()["result"]
        ["state"]
        != "succeeded"
    {}
    let turns = turns(&seen, SECOND);
    let at = turns.iter().position(|mine| *mine).unwrap();
    assert_eq!(turns.len(), 61);
    assert!(at <= 4, "the ten rows of {small} had their turn after {at} lookups of the other's");
    bench.end().await;
}

async fn a_higher_priority_has_more_turns_and_a_lower_one_has_some(database: Database) {
    let mut bench = Bench::with(database, Limits { open_jobs: 200, ..Limits::default() }, None).await;
    let (seen, lookup) = remembering();
    // A whole part of priority 4 costs 32 turns of priority 9, and the smallest of those one.
    let low = bench.csv("?priority=4", &[], rows(FIRST, 4_000)).await;
    let mut high = Vec::new();
    for _ in 0..80 {
        high.push(bench.csv("?priority=9", &[], rows(SECOND, 1)).await);
    }
    bench.work_by(1, lookup);
    for id in high.iter().chain([&low]) {
        bench.ended(id).await;
    }
    let turns = turns(&seen, FIRST);
    let low: Vec<usize> = turns.iter().enumerate().filter(|(_, low)| **low).map(|(at, _)| at).collect();
    assert_eq!((turns.len(), low.len()), (84, 4), "two parts of two lookups");
    assert!(low[0] <= 2, "one that has had nothing begins: {low:?}");
    assert!((25..=45).contains(&low[2]), "then others have 32 turns, and not all: {low:?}");
    bench.end().await;
}
