//! Requests of clients, and which of them are refused.

use axum::body::Body;
use futures::StreamExt;
use futures::future::{self, Either};
use futures::stream;
use http::Method;
use postcode_service::jobs::Limits;
use tokio::sync::Semaphore;

use crate::jobs::database::{Bench, Database, id};

on_both! {
    a_key_is_one_job
    what_makes_no_sense_is_refused_and_leaves_nothing
    tenants_do_not_see_each_other
    a_job_is_cancelled
    a_job_has_its_time
    there_are_limits
    slow_uploads_of_json_leave_memory_to_others
    events_tell_how_it_goes_on
    a_wait_ends
    a_job_has_notes
}

const CSV: (&str, &str) = ("content-type", "text/csv");
const JSON: (&str, &str) = ("content-type", "application/json");

async fn a_key_is_one_job(database: Database) {
    let bench = Bench::new(database).await;
    let key = ("idempotency-key", "k 1");
    let first = bench.csv("", &[key], "postcode\nM1 1AE\n").await;
    assert_eq!(bench.csv("", &[key], "postcode\nM1 1AE\n").await, first);
    for (path, body) in [("/jobs", "postcode\nM1 1AD\n"), ("/jobs?priority=6", "postcode\nM1 1AE\n")] {
        let other = bench.ask(Method::POST, path, &[CSV, key], body).await;
        assert_eq!((other.status.as_u16(), &other.json()["code"]), (422, &"idempotency_key_reused".into()));
    }
    let json =
        bench.ask(Method::POST, "/jobs", &[JSON, ("idempotency-key", "k2")], "{\"postcodes\":[\"x\"]}").await;
    // The meaning counts, not the spelling.
    let written = "\u{feff}{ \"priority\": null, \"postcodes\" : [ \"\\u0078\" ] }";
    let again = bench.ask(Method::POST, "/jobs", &[JSON, ("idempotency-key", "k2")], written).await;
    assert_eq!(id(&json), id(&again));
    assert_ne!(bench.csv("", &[], "postcode\nM1 1AE\n").await, first, "without a key it is another");
    let tenant = [key, ("postcode-tenant", "other")];
    assert_ne!(bench.csv("", &tenant, "postcode\nM1 1AE\n").await, first, "keys are the tenant's own");
    // The same at the same time: one of them makes the job.
    let key = [("idempotency-key", "k3")];
    let ids = futures::future::join_all((0..8).map(|_| bench.csv("", &key, "postcode\nM1 1AE\n"))).await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    bench.end().await;
}

async fn a_job_has_notes(database: Database) {
    let small = std::sync::Arc::new(crate::common::small());
    let bench = Bench::over(small, database, Limits::default(), None).await;
    let table = b"name,home\nCaf\xe9,AB10 1AB\n".to_vec();
    let job = bench.csv("", &[], table).await;
    let notes = bench.get(&format!("/jobs/{job}")).await.json()["result"]["notes"].take();
    let notes: Vec<&str> = notes.as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect();
    assert_eq!(notes[0], "left out, because the data has no values in them: region, country");
    assert!(notes[1].contains("Windows-1252") && notes[2].contains("the column \"home\""), "{notes:?}");
    let job = bench.csv("?columns=status", &[], "postcode\nAB10 1AB\n").await;
    assert_eq!(bench.get(&format!("/jobs/{job}")).await.json()["result"]["notes"], serde_json::json!([]));
    bench.end().await;
}

async fn what_makes_no_sense_is_refused_and_leaves_nothing(database: Database) {
    let bench = Bench::with(database, Limits { open_jobs: 5, ..Limits::default() }, None).await;
    let late = "a,postcode\n".to_owned() + &"1,M1 1AE\n".repeat(5_000) + "1,2,3\n";
    for (path, kind, body, status, says) in [
        ("/jobs", CSV, "a,b\n1,2\n", 422, "which column is the postcode"),
        ("/jobs", CSV, "", 422, "empty"),
        ("/jobs", CSV, &*late, 422, "line 5002"),
        ("/jobs?columns=lattitude", CSV, "postcode\n", 400, "lattitude"),
        ("/jobs?columns=ttwa", CSV, "postcode\n", 422, "ttwa (import ONSPD or NSPL)"),
        ("/jobs?priority=10", CSV, "postcode\n", 400, "priority"),
        ("/jobs?run_at=tomorrow", CSV, "postcode\n", 400, "run_at"),
        ("/jobs?run_at=2999-01-01T00:00:00Z", CSV, "postcode\n", 400, "later than"),
        ("/jobs?callback_url=http://example.com/", CSV, "postcode\n", 400, "no secret"),
        ("/jobs", ("content-type", "text/plain"), "x", 415, "text/plain"),
        ("/jobs", ("content-type", "application/x-ndjson"), "no json\n", 422, "line 1"),
        ("/jobs", JSON, "{", 400, "JSON"),
        ("/jobs", JSON, "{}", 400, "postcodes"),
        ("/jobs", JSON, "{\"postcodes\":[1]}", 400, "expected a string"),
        ("/jobs", JSON, "{\"postcodes\":[],\"prioritty\":1}", 400, "prioritty"),
        ("/jobs?priority=1", JSON, "{\"postcodes\":[],\"priority\":1}", 400, "once"),
    ] {
        let answer = bench.ask(Method::POST, path, &[kind], body.to_owned()).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, status, "{path} {body:.20}: {text}");
        assert!(text.contains(says), "{text}");
    }
    for (name, value) in
        [("postcode-tenant", "é"), ("idempotency-key", ""), ("postcode-tenant", &"x".repeat(65))]
    {
        let answer = bench.ask(Method::POST, "/jobs", &[CSV, (name, value)], "postcode\n").await;
        assert_eq!(answer.status, 400, "{name}");
    }
    for (method, path) in [
        (Method::GET, "/jobs/x"),
        (Method::DELETE, "/jobs/x"),
        (Method::GET, "/jobs/x/result"),
        (Method::GET, "/jobs/x/events"),
    ] {
        let answer = bench.ask(method, path, &[], "").await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (404, &"job_not_found".into()));
    }
    // The refused jobs do not count as open once they are forgotten.
    for _ in 0..5 {
        while bench.ask(Method::POST, "/jobs", &[CSV], "postcode\nx\n").await.status != 202 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(bench.ask(Method::POST, "/jobs", &[CSV], "postcode\nx\n").await.status, 429);
    bench.end().await;
}

async fn tenants_do_not_see_each_other(database: Database) {
    let bench = Bench::new(database).await;
    let mine = bench.csv("", &[("postcode-tenant", "me")], "postcode\nM1 1AE\n").await;
    for (tenant, status) in [("me", 200), ("you", 404)] {
        let headers = [("postcode-tenant", tenant)];
        assert_eq!(bench.ask(Method::GET, &format!("/jobs/{mine}"), &headers, "").await.status, status);
    }
    assert_eq!(bench.get(&format!("/jobs/{mine}")).await.status, 404);
    assert_eq!(bench.ask(Method::DELETE, &format!("/jobs/{mine}"), &[], "").await.status, 404);
    let job = bench
        .ask(Method::GET, &format!("/jobs/{mine}"), &[("origin", "x"), ("postcode-tenant", "me")], "")
        .await;
    assert_eq!(job.header("access-control-allow-origin"), "", "no page of another origin reads it");
    bench.end().await;
}

async fn a_job_is_cancelled(database: Database) {
    let mut bench = Bench::new(database).await;
    let job = bench.csv("", &[], "postcode\nM1 1AE\n").await;
    let path = format!("/jobs/{job}");
    let early = bench.get(&format!("{path}/result")).await;
    assert_eq!((early.status.as_u16(), &early.json()["code"]), (409, &"job_not_ended".into()));
    for _ in 0..2 {
        let cancelled = bench.ask(Method::DELETE, &path, &[], "").await;
        assert_eq!(
            (cancelled.status.as_u16(), &cancelled.json()["result"]["state"]),
            (200, &"cancelled".into())
        );
    }
    let other = bench.csv("", &[], "postcode\nM1 1AE\n").await;
    bench.work(1);
    assert_eq!(bench.ended(&other).await["state"], "succeeded");
    assert_eq!(bench.ended(&job).await["done"], 0, "its task finds it cancelled");
    assert_eq!(bench.get(&format!("{path}/result")).await.json()["code"], "job_cancelled");
    let ended = bench.ask(Method::DELETE, &format!("/jobs/{other}"), &[], "").await;
    assert_eq!((ended.status.as_u16(), &ended.json()["code"]), (409, &"job_ended".into()));
    bench.end().await;
}

async fn a_job_has_its_time(database: Database) {
    let mut bench = Bench::new(database).await;
    bench.work(1);
    let soon = jiff::Timestamp::now() + std::time::Duration::from_secs(2);
    let later = bench.csv(&format!("?run_at={soon}"), &[], "postcode\nM1 1AE\n").await;
    let now = bench.csv("", &[], "postcode\nM1 1AE\n").await;
    bench.ended(&now).await;
    let job = bench.ended(&later).await;
    assert_eq!(job["state"], "succeeded");
    let started: jiff::Timestamp = job["started_at"].as_str().unwrap().parse().unwrap();
    assert!(started >= soon, "{started} is before {soon}");
    bench.end().await;
}

async fn there_are_limits(database: Database) {
    let limits =
        Limits { open_jobs: 2, rows: 10, upload: 2_000, stored: 2_700 + 2 * 16_384, ..Limits::default() };
    let bench = Bench::with(database, limits, None).await;
    let rows = |count: usize| Body::from("postcode\n".to_owned() + &"M1 1AE\n".repeat(count));
    let refused = async |rows: Body| {
        let answer = bench.ask(Method::POST, "/jobs", &[CSV], rows).await;
        (answer.status.as_u16(), answer.json()["code"].as_str().unwrap().to_owned())
    };
    assert_eq!(refused(rows(11)).await, (413, "payload_too_large".to_owned()));
    assert_eq!(refused(rows(1_000)).await.0, 400, "too many bytes");
    let large = "postcode,x\n".to_owned() + &("M1 1AE,".to_owned() + &"x".repeat(700) + "\n").repeat(2);
    // Until those refused are forgotten, they count.
    let mut first = bench.ask(Method::POST, "/jobs", &[CSV], large.clone()).await;
    while [429, 507].contains(&first.status.as_u16()) {
        first = bench.ask(Method::POST, "/jobs", &[CSV], large.clone()).await;
    }
    id(&first);
    let mut last = refused(large.clone().into()).await;
    while last.0 == 429 {
        last = refused(large.clone().into()).await;
    }
    assert_eq!(last, (507, "storage_full".to_owned()));
    bench.end().await;
}

/// Each of them could send 16 MiB, and all of those are together what JSON may take.
async fn slow_uploads_of_json_leave_memory_to_others(database: Database) {
    const SLOW: u32 = 4;
    let bench = Bench::new(database).await;
    let begun = std::sync::Arc::new(Semaphore::new(0));
    let slow = || {
        let begun = begun.clone();
        let first = stream::once(async move {
            begun.add_permits(1);
            Ok::<_, std::io::Error>("{\"postcodes\":[")
        });
        let body = Body::from_stream(first.chain(stream::pending()));
        bench.ask(Method::POST, "/jobs", &[JSON], body)
    };
    let all = future::join_all((0..SLOW).map(|_| slow()));
    let other = async {
        begun.acquire_many(SLOW).await.unwrap().forget();
        bench.ask(Method::POST, "/jobs", &[JSON], "{\"postcodes\":[\"M1 1AE\"]}").await
    };
    match future::select(std::pin::pin!(all), std::pin::pin!(other)).await {
        Either::Left(_) => panic!("the slow uploads have ended"),
        Either::Right((other, _)) => assert_eq!(other.status.as_u16(), 202),
    }
    bench.end().await;
}

async fn events_tell_how_it_goes_on(database: Database) {
    let mut bench = Bench::new(database).await;
    let job = bench.csv("", &[], "postcode\n".to_owned() + &"M1 1AE\n".repeat(9_000)).await;
    let path = format!("/jobs/{job}/events");
    bench.work(1);
    let events = bench.get(&path).await;
    assert_eq!(events.header("content-type"), "text/event-stream");
    let text = String::from_utf8(events.body).unwrap();
    let last = text.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.contains("event: end") && last.contains("\"state\":\"succeeded\""), "{last}");
    assert_eq!(text.matches("event: end").count(), 1);
    let again = bench.ask(Method::GET, &path, &[("last-event-id", "end")], "").await;
    assert_eq!(again.status, 204, "nothing more to come");
    bench.end().await;
}

async fn a_wait_ends(database: Database) {
    let bench = Bench::new(database).await;
    let job = bench.csv("", &[], "postcode\nM1 1AE\n").await;
    let waited = bench.get(&format!("/jobs/{job}?wait=1s")).await;
    assert_eq!(waited.json()["result"]["state"], "queued");
    for wait in ["61s", "-1", "x"] {
        assert_eq!(bench.get(&format!("/jobs/{job}?wait={wait}")).await.status, 400, "{wait}");
    }
    let path = format!("/jobs/{job}?wait=60s");
    let (waited, ()) = tokio::join!(bench.get(&path), async { bench.api.set_ready(false) });
    assert_eq!(waited.status, 200, "a server that ends does not wait");
    bench.end().await;
}
