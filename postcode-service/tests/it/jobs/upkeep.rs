//! Faults, and the maintenance that repairs them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use postcode_core::{Answer, DatasetInfo, Error, ErrorKind, MockPostcodeLookup, PostcodeLookup};
use postcode_service::jobs::Limits;

use crate::jobs::database::{Bench, Database};

on_both! {
    a_task_that_was_lost_is_put_back
    what_is_old_is_cleared
    the_virtual_time_is_set_back_before_it_is_too_late
    a_source_that_is_away_is_waited_for
    a_source_that_refuses_fails_the_job
}

fn rows(count: usize) -> String {
    "postcode\n".to_owned() + &"M1 1AE\n".repeat(count)
}

async fn a_task_that_was_lost_is_put_back(database: Database) {
    let mut bench = Bench::new(database).await;
    let now = bench.csv("", &[], rows(9_000)).await;
    let later = bench.csv("?run_at=2000-01-01T00:00:00Z", &[], rows(1)).await;
    // As if an operator had emptied the queue.
    bench.database.execute_in("DELETE FROM Jobs", "DELETE FROM apalis.jobs").await;
    let long_ago = "UPDATE postcode_jobs SET touched_at = 0, run_at = 0";
    bench.database.execute_in(long_ago, long_ago).await;
    bench.work(1);
    for id in [now, later] {
        assert_eq!(bench.ended(&id).await["state"], "succeeded");
    }
    bench.end().await;
}

async fn what_is_old_is_cleared(database: Database) {
    let mut bench = Bench::with(database, Limits { keep: Duration::ZERO, ..Limits::default() }, None).await;
    let key = [("idempotency-key", "k")];
    let id = bench.csv("", &key, rows(3)).await;
    bench.work(1);
    while bench.get(&format!("/jobs/{id}?wait=1s")).await.status == 200 {
        // Workers run maintenance first, and then at intervals.
        bench.work(0);
    }
    bench.rest().await;
    assert_eq!(bench.get(&format!("/jobs/{id}/result")).await.status, 404);
    assert_ne!(bench.csv("", &key, rows(3)).await, id, "its key is free again");
    bench.end().await;
}

async fn the_virtual_time_is_set_back_before_it_is_too_late(database: Database) {
    let mut bench = Bench::new(database).await;
    let before = bench.csv("", &[], rows(9_000)).await;
    let late = format!("UPDATE job_clock SET now = {}", (1_i64 << 30) + 7);
    bench.database.execute_in(&late, &late).await;
    let after = bench.csv("", &[("postcode-tenant", "other")], rows(1)).await;
    let (now, epoch) = bench.database.clock().await;
    assert_eq!((now, epoch), (0, 1));
    bench.work(2);
    assert_eq!(bench.ended(&before).await["state"], "succeeded");
    let headers = [("postcode-tenant", "other")];
    let path = format!("/jobs/{after}?wait=20s");
    postcode_testing::until("the job of the other tenant", async || {
        let job = bench.ask(http::Method::GET, &path, &headers, "").await.json();
        job["result"]["state"] == "succeeded"
    })
    .await;
    let (now, epoch) = bench.database.clock().await;
    assert!((0..1_000).contains(&now) && epoch == 1, "{now} {epoch}");
    bench.end().await;
}

fn failing(times: usize, kind: ErrorKind) -> Arc<dyn PostcodeLookup> {
    let mut lookup = MockPostcodeLookup::new();
    lookup.expect_info().returning(|| Ok(DatasetInfo::new("of a test")));
    let failed = AtomicUsize::new(0);
    lookup.expect_lookup().returning(move |postcodes| {
        if failed.fetch_add(1, Ordering::Relaxed) < times {
            // As a client says it that has tried some times.
            return Err(Error::new(kind, "the source is at 10.0.0.5").into_persistent());
        }
        Ok(vec![Answer::Unknown; postcodes.len()])
    });
    Arc::new(lookup)
}

async fn a_source_that_is_away_is_waited_for(database: Database) {
    let mut bench = Bench::new(database).await;
    let id = bench.csv("?columns=status", &[], rows(2)).await;
    bench.work_by(1, failing(2, ErrorKind::Unavailable));
    let job = bench.ended(&id).await;
    assert_eq!((&job["state"], &job["done"]), (&"succeeded".into(), &2.into()));
    assert!(job["reason"].is_null(), "{job}");
    bench.end().await;
}

async fn a_source_that_refuses_fails_the_job(database: Database) {
    let mut bench = Bench::new(database).await;
    let id = bench.csv("", &[], rows(5_000)).await;
    bench.work_by(1, failing(usize::MAX, ErrorKind::NotSupported));
    let job = bench.ended(&id).await;
    assert_eq!(
        (&job["state"], &job["reason"]),
        (&"failed".into(), &"the lookup failed: not_supported; the log of the worker says why".into())
    );
    let result = bench.get(&format!("/jobs/{id}/result")).await;
    assert_eq!((result.status.as_u16(), &result.json()["code"]), (409, &"job_failed".into()));
    bench.end().await;
}
