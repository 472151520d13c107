//! How much is stored: rows and results, of a job, of a tenant, in all, and on the disk.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use postcode_edge::{Caller, Client};
use postcode_service::jobs::Limits;
use serde_json::Value;

use crate::common::send;
use crate::jobs::database::{Bench, Database};

on_both! {
    result_beyond_the_limit_of_a_job_fails_it_with_a_reason_and_gives_the_bytes_back
    results_count_for_their_tenant_and_refuse_its_next_rows
    upload_beyond_the_sum_is_refused_while_it_comes
    open_jobs_in_all_are_bounded_whatever_the_tenant
    tenants_with_many_open_jobs_leave_places_to_others
    tenants_with_many_stored_bytes_leave_room_to_others
    open_jobs_of_an_address_are_bounded_whatever_the_tenant
    open_jobs_of_requests_at_once_are_counted_exactly
    header_of_a_job_counts_among_its_stored_bytes
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn postcodes(count: usize) -> String {
    format!("{{\"postcodes\":[{}]}}", vec!["\"M1 1AE\""; count].join(","))
}

async fn submit(bench: &Bench, path: &str, tenant: &str, count: usize) -> (u16, Value) {
    let headers = [JSON, ("postcode-tenant", tenant)];
    let answer = bench.ask(Method::POST, path, &headers, postcodes(count)).await;
    (answer.status.as_u16(), answer.json())
}

async fn ended(bench: &Bench, tenant: &str, submitted: &Value) -> Value {
    let id = submitted["result"]["id"].as_str().unwrap();
    loop {
        let path = format!("/jobs/{id}?wait=10s");
        let job = bench.ask(Method::GET, &path, &[("postcode-tenant", tenant)], "").await.json();
        if !job["result"]["finished_at"].is_null() {
            return job["result"].clone();
        }
    }
}

/// 8,000 bytes of rows become more than a megabyte.
async fn result_beyond_the_limit_of_a_job_fails_it_with_a_reason_and_gives_the_bytes_back(
    database: Database,
) {
    let limits = Limits { result: 100_000, stored: 400_000, stored_of_tenant: 400_000, ..Limits::default() };
    let mut bench = Bench::with(database, limits, None).await;
    bench.work(2);
    let (status, large) = submit(&bench, "/jobs?extended=true", "a", 1_000).await;
    assert_eq!(status, 202, "{large}");
    let job = ended(&bench, "a", &large).await;
    assert_eq!(job["state"], "failed");
    assert!(job["reason"].as_str().unwrap().contains("more than 100000 bytes"), "{job}");
    // Others are not failed for it, also before its bytes are cleared.
    let (status, small) = submit(&bench, "/jobs?extended=true", "a", 10).await;
    assert_eq!(status, 202, "{small}");
    assert_eq!(ended(&bench, "a", &small).await["state"], "succeeded");
    bench.end().await;
}

async fn results_count_for_their_tenant_and_refuse_its_next_rows(database: Database) {
    let limits = Limits { stored: 1 << 30, stored_of_tenant: 200_000, ..Limits::default() };
    let mut bench = Bench::with(database, limits, None).await;
    bench.work(1);
    // Each is about 20 kB, of 90 bytes of rows, and counts 16 KiB more.
    let mut last = Value::Null;
    for _ in 0..50 {
        let (status, job) = submit(&bench, "/jobs?extended=true", "a", 10).await;
        assert_eq!(status, 202, "{job}");
        last = ended(&bench, "a", &job).await;
        if last["state"] == "failed" {
            break;
        }
    }
    assert!(last["reason"].as_str().unwrap().contains("your jobs would hold more than 200000"), "{last}");
    // 90 kB of rows would fit if results did not count, as they do for another tenant.
    let (status, body) = submit(&bench, "/jobs", "a", 10_000).await;
    assert_eq!((status, &body["code"]), (507, &"storage_full".into()), "{body}");
    assert!(body["error"].as_str().unwrap().contains("your jobs hold"), "{body}");
    let (status, other) = submit(&bench, "/jobs", "b", 10_000).await;
    assert_eq!(status, 202, "{other}");
    bench.end().await;
}

async fn upload_beyond_the_sum_is_refused_while_it_comes(database: Database) {
    let limits = Limits { stored: 50_000, stored_of_tenant: 50_000, ..Limits::default() };
    let bench = Bench::with(database, limits, None).await;
    // Nothing is stored when it begins, so it is not refused then.
    let headers = [("content-type", "text/csv")];
    let rows = "postcode\n".to_owned() + &"M1 1AE\n".repeat(20_000);
    let answer = bench.ask(Method::POST, "/jobs", &headers, rows).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (507, &"storage_full".into()));
    // What had come is forgotten in a moment.
    let mut tries = 0;
    while bench
        .ask(Method::POST, "/jobs", &headers, "postcode\n".to_owned() + &"M1 1AE\n".repeat(1_900))
        .await
        .status
        != 202
    {
        tries += 1;
        assert!(tries < 600, "the upload that was refused is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bench.end().await;
}

async fn open_jobs_in_all_are_bounded_whatever_the_tenant(database: Database) {
    let bench = Bench::with(database, Limits { open_jobs_in_all: 3, ..Limits::default() }, None).await;
    for tenant in ["a", "b", "c"] {
        assert_eq!(submit(&bench, "/jobs", tenant, 1).await.0, 202);
    }
    let (status, body) = submit(&bench, "/jobs", "d", 1).await;
    assert_eq!((status, &body["code"]), (503, &"too_many_jobs".into()), "{body}");
    bench.end().await;
}

/// Without tokens a caller may invent tenants. A few of them with as many jobs as they get must not take all places.
async fn tenants_with_many_open_jobs_leave_places_to_others(database: Database) {
    let limits = Limits { open_jobs: 20, open_jobs_in_all: 32, ..Limits::default() };
    let bench = Bench::with(database, limits, None).await;
    let fill = async |tenant: &str| {
        let mut open = 0;
        loop {
            let (status, body) = submit(&bench, "/jobs", tenant, 1).await;
            if status != 202 {
                assert_eq!((status, &body["code"]), (429, &"too_many_jobs".into()), "{body}");
                assert!(body["error"].as_str().unwrap().contains("are for others"), "{body}");
                return open;
            }
            open += 1;
        }
    };
    let mut filled = Vec::new();
    for tenant in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        filled.push(fill(tenant).await);
    }
    assert_eq!(filled, [16, 6, 2, 1, 1, 1, 1, 1]);
    let (status, body) = submit(&bench, "/jobs", "honest", 1).await;
    assert_eq!(status, 202, "{body}");
    bench.end().await;
}

/// Fills with jobs of 900 bytes, which count 17,284.
async fn tenants_with_many_stored_bytes_leave_room_to_others(database: Database) {
    const JOB: u64 = 16_384 + 900;
    let limits = Limits { stored: 64 * JOB, stored_of_tenant: 32 * JOB, ..Limits::default() };
    let bench = Bench::with(database, limits, None).await;
    let mut stored = Vec::new();
    for tenant in ["a", "b", "c", "d", "e"] {
        let mut jobs = 0;
        loop {
            let (status, body) = submit(&bench, "/jobs", tenant, 100).await;
            if status != 202 {
                assert_eq!((status, &body["code"]), (507, &"storage_full".into()), "{body}");
                break;
            }
            jobs += 1;
        }
        stored.push(jobs);
    }
    assert_eq!(stored, [32, 10, 4, 1, 1]);
    let (status, body) = submit(&bench, "/jobs", "honest", 100).await;
    assert_eq!(status, 202, "{body}");
    bench.end().await;
}

async fn open_jobs_of_an_address_are_bounded_whatever_the_tenant(database: Database) {
    let bench = Bench::with(database, Limits { open_jobs_in_all: 8, ..Limits::default() }, None).await;
    let submit = async |address: &str, caller: Option<&str>, tenant: &str| {
        let request = Request::post("/jobs").header(JSON.0, JSON.1).header("postcode-tenant", tenant);
        let client = Client::new((!address.is_empty()).then(|| address.parse().unwrap()));
        let mut request = request.extension(client).body(Body::from(postcodes(1))).unwrap();
        if let Some(caller) = caller {
            request.extensions_mut().insert(Caller(caller.into()));
        }
        let answer = send(&bench.api, request).await;
        (answer.status.as_u16(), answer.json())
    };
    let mut job = Value::Null;
    for tenant in ["a", "b"] {
        let (status, body) = submit("192.0.2.1", None, tenant).await;
        assert_eq!(status, 202, "{body}");
        job = body["result"]["id"].clone();
    }
    let (status, body) = submit("192.0.2.1", None, "c").await;
    assert_eq!((status, &body["code"]), (429, &"too_many_jobs".into()), "{body}");
    // Others have theirs, and who has a token is not counted by address.
    for (address, caller, tenant) in [
        ("192.0.2.2", None, "d"),
        ("192.0.2.1", Some("shop"), "e"),
        ("127.0.0.1", None, "f"),
        ("", None, "g"),
    ] {
        let (status, body) = submit(address, caller, tenant).await;
        assert_eq!(status, 202, "{tenant}: {body}");
    }
    // A job that has ended does not count.
    let path = format!("/jobs/{}", job.as_str().unwrap());
    assert_eq!(bench.ask(Method::DELETE, &path, &[("postcode-tenant", "b")], "").await.status.as_u16(), 200);
    let (status, body) = submit("192.0.2.1", None, "h").await;
    assert_eq!(status, 202, "{body}");
    bench.end().await;
}

async fn open_jobs_of_requests_at_once_are_counted_exactly(database: Database) {
    let bench = Bench::with(database, Limits { open_jobs: 3, ..Limits::default() }, None).await;
    for _ in 0..5 {
        let tenant = uuid::Uuid::now_v7().to_string();
        let all = futures::future::join_all((0..12).map(|_| submit(&bench, "/jobs", &tenant, 1))).await;
        let statuses: Vec<u16> = all.iter().map(|(status, _)| *status).collect();
        let taken = statuses.iter().filter(|status| **status == 202).count();
        assert_eq!(taken, 3, "{statuses:?}");
        assert!(statuses.iter().all(|status| [202, 429].contains(status)), "{statuses:?}");
    }
    bench.end().await;
}

/// Sends one short row below a long header.
async fn header_of_a_job_counts_among_its_stored_bytes(database: Database) {
    let bench = Bench::with(database, Limits { stored: 80_000, ..Limits::default() }, None).await;
    let csv = [("content-type", "text/csv"), ("postcode-tenant", "a")];
    let long = |bytes: usize| format!("postcode,{}\nM1 1AE,1\n", "x".repeat(bytes));
    let refused = bench.ask(Method::POST, "/jobs", &csv, long(100_000)).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (507, &"storage_full".into()));
    let (status, body) = submit(&bench, "/jobs", "b", 1).await;
    assert_eq!(status, 202, "{body}");
    // The job that was refused is forgotten in a moment.
    while bench.ask(Method::POST, "/jobs", &csv, long(45_000)).await.status != 202 {
        tokio::task::yield_now().await;
    }
    let (status, body) = submit(&bench, "/jobs", "b", 1).await;
    assert_eq!((status, &body["code"]), (507, &"storage_full".into()), "{body}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_on_a_disk_that_is_nearly_full_are_refused() {
    // No disk has all of it free.
    let Some(database) = Database::file() else { return };
    let bench = Bench::with(database, Limits { min_free: 100, ..Limits::default() }, None).await;
    let answer = bench.ask(Method::POST, "/jobs", &[JSON], postcodes(1)).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (507, &"insufficient_storage".into()));
    assert_eq!(answer.header("retry-after"), "60");
    bench.end().await;
}
