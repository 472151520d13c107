//! Callbacks tell the caller about the end of a job.

use std::time::Duration;

use http::Method;
use postcode_service::jobs::callback::Manner;
use postcode_service::jobs::{Callbacks, Limits};
use serde_json::Value;

use crate::jobs::database::{Bench, Database};
use crate::jobs::receiver::{Receiver, SECRET};

on_both! {
    a_message_is_signed_and_sent_until_it_is_taken
    what_nobody_takes_is_kept_and_can_be_tried_again
    a_receiver_that_is_gone_is_not_asked_again
    no_redirect_is_followed
    only_public_addresses_are_called
    host_that_never_answers_has_four_places_and_others_are_not_kept_waiting
    silent_host_is_left_alone_and_its_callbacks_wait_without_attempts
    tenant_is_told_only_that_an_address_could_not_be_reached
    message_of_a_tenant_with_two_secrets_is_signed_with_both
}

async fn bench(database: Database, attempts: u32, allow: &[&str]) -> Bench {
    let allow = allow.iter().map(|text| text.parse().unwrap()).collect();
    let timeout = postcode_testing::GENEROUS;
    let manner = Manner { allow, attempts, first_delay: Duration::ZERO, timeout, ..Manner::default() };
    let callbacks = Callbacks::new(SECRET, manner).unwrap();
    let mut bench = Bench::with(database, Limits::default(), Some(callbacks)).await;
    bench.work(1);
    bench
}

/// Waits until the callback of a job has that state, and returns it.
async fn callback(bench: &Bench, job: &str, state: &str) -> Value {
    loop {
        let callback = bench.get(&format!("/jobs/{job}?wait=1s")).await.json()["result"]["callback"].take();
        if callback["state"] == state {
            return callback;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_message_is_signed_and_sent_until_it_is_taken(database: Database) {
    let bench = bench(database, 10, &["127.0.0.1"]).await;
    let receiver = Receiver::start(&[500, 503]).await;
    let job = bench.csv(&format!("?callback_url={}", receiver.url), &[], "postcode\nM1 1AE\n").await;
    let callback = callback(&bench, &job, "delivered").await;
    assert_eq!((&callback["attempts"], &callback["error"]), (&3.into(), &Value::Null));
    let messages = receiver.messages();
    assert_eq!(messages.len(), 3);
    assert!(messages.iter().all(|message| message.id == format!("msg_{job}")), "one id, however often");
    let body = &messages[2].body;
    assert_eq!((&body["type"], &body["data"]["id"]), (&"job.succeeded".into(), &job.clone().into()));
    assert_eq!(bench.get(body["data"]["result"].as_str().unwrap()).await.status, 200);
    bench.end().await;
}

async fn what_nobody_takes_is_kept_and_can_be_tried_again(database: Database) {
    let bench = bench(database, 2, &["127.0.0.0/8"]).await;
    let receiver = Receiver::start(&[500, 500]).await;
    let job = bench.csv(&format!("?callback_url={}", receiver.url), &[], "postcode\nM1 1AE\n").await;
    let dead = callback(&bench, &job, "dead").await;
    assert!(dead["error"].as_str().unwrap().contains("500"), "{dead}");
    let listed = bench.get("/jobs/callbacks?state=dead&limit=1").await.json();
    assert_eq!((&listed["result"][0], &listed["next"]), (&dead, &Value::Null));
    assert_eq!(bench.get("/jobs/callbacks?state=pending").await.json()["result"], serde_json::json!([]));
    assert_eq!(bench.get("/jobs/callbacks?state=x").await.status, 400);
    let path = format!("/jobs/callbacks/{}/retry", dead["id"].as_str().unwrap());
    let stranger = bench.ask(Method::POST, &path, &[("postcode-tenant", "x")], "").await;
    assert_eq!(stranger.status, 404);
    assert_eq!(bench.ask(Method::POST, &path, &[], "").await.status, 202);
    callback(&bench, &job, "delivered").await;
    let again = bench.ask(Method::POST, &path, &[], "").await;
    assert_eq!((again.status.as_u16(), &again.json()["code"]), (409, &"callback_not_dead".into()));
    assert_eq!(receiver.messages().len(), 3);
    bench.end().await;
}

async fn a_receiver_that_is_gone_is_not_asked_again(database: Database) {
    let bench = bench(database, 10, &["127.0.0.1"]).await;
    let receiver = Receiver::start(&[410]).await;
    let job = bench.csv(&format!("?callback_url={}", receiver.url), &[], "postcode\nM1 1AE\n").await;
    assert_eq!(callback(&bench, &job, "dead").await["attempts"], 1);
    bench.end().await;
}

async fn no_redirect_is_followed(database: Database) {
    let bench = bench(database, 1, &["127.0.0.1"]).await;
    let receiver = Receiver::start(&[307]).await;
    let job = bench.csv(&format!("?callback_url={}", receiver.url), &[], "postcode\nM1 1AE\n").await;
    callback(&bench, &job, "dead").await;
    assert!(receiver.messages().iter().all(|message| message.path == "/hook"));
    bench.end().await;
}

async fn only_public_addresses_are_called(database: Database) {
    let bench = bench(database, 1, &["127.0.0.2"]).await;
    for url in
        ["http://127.0.0.1:1/", "http://localhost/", "http://[::ffff:10.0.0.1]/", "ftp://example.com/", "x"]
    {
        let path = format!("/jobs?callback_url={url}");
        let answer = bench.ask(Method::POST, &path, &[("content-type", "text/csv")], "postcode\n").await;
        assert_eq!(answer.status, 400, "{url}");
        assert!(answer.json()["error"].as_str().unwrap().contains("callback_url"));
    }
    bench.end().await;
    for secret in ["", "whsec_", "whsec_c2hvcnQ=", "bm90IHZlcnkgc2VjcmV0LCBmb3IgdGVzdHMgb25seQ=="] {
        assert!(Callbacks::new(secret, Manner::default()).is_err(), "{secret}");
    }
}

/// Takes connections and never answers. How many there are is in the number.
async fn tarpit() -> (u16, std::sync::Arc<std::sync::Mutex<Vec<tokio::net::TcpStream>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let held = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = held.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            kept.lock().unwrap().push(stream);
        }
    });
    (port, held)
}

async fn with(database: Database, secrets: &str, manner: Manner) -> Bench {
    let allow = ["127.0.0.1", "localhost"].map(|text| text.parse().unwrap()).to_vec();
    let callbacks = Callbacks::new(secrets, Manner { allow, ..manner }).unwrap();
    let mut bench = Bench::with(database, Limits::default(), Some(callbacks)).await;
    bench.work(2);
    bench
}

/// An attempt may take an hour here, so callbacks that wait for one to end are never delivered.
async fn host_that_never_answers_has_four_places_and_others_are_not_kept_waiting(database: Database) {
    let hour = Duration::from_secs(60 * 60);
    let bench = with(database, SECRET, Manner { timeout: hour, ..Manner::default() }).await;
    let (port, held) = tarpit().await;
    let hangs = format!("?callback_url=http://localhost:{port}/");
    let mut last = String::new();
    for _ in 0..60 {
        last = bench.csv(&hangs, &[("postcode-tenant", "hostile")], "postcode\nM1 1AE\n").await;
    }
    // All of them are due.
    let hostile = [("postcode-tenant", "hostile")];
    loop {
        let job = bench.ask(Method::GET, &format!("/jobs/{last}?wait=1s"), &hostile, "").await.json();
        if job["result"]["callback"]["state"] == "pending" && held.lock().unwrap().len() == 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let receiver = Receiver::start(&[]).await;
    let query = format!("?callback_url={}", receiver.url);
    let job = bench.csv(&query, &[], "postcode\nM1 1AE\n").await;
    callback(&bench, &job, "delivered").await;
    // Also one of the same tenant to another host.
    let job = bench.csv(&query, &hostile, "postcode\nM1 1AE\n").await;
    loop {
        let job = bench.ask(Method::GET, &format!("/jobs/{job}?wait=1s"), &hostile, "").await.json();
        if job["result"]["callback"]["state"] == "delivered" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(held.lock().unwrap().len(), 4);
}

async fn silent_host_is_left_alone_and_its_callbacks_wait_without_attempts(database: Database) {
    let manner = Manner { timeout: Duration::from_millis(50), attempts: 1, ..Manner::default() };
    let bench = with(database, SECRET, manner).await;
    let (port, _held) = tarpit().await;
    let query = format!("?callback_url=http://localhost:{port}/");
    let count = |state: &'static str| {
        let path = format!("/jobs/callbacks?state={state}");
        let bench = &bench;
        async move { bench.get(&path).await.json()["result"].as_array().unwrap().len() }
    };
    for _ in 0..5 {
        bench.csv(&query, &[], "postcode\nM1 1AE\n").await;
    }
    while count("dead").await < 5 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Each that is due from now on is put off, and none is tried in the half minute.
    let job = bench.csv(&query, &[], "postcode\nM1 1AE\n").await;
    loop {
        let waiting = bench.get(&format!("/jobs/{job}?wait=1s")).await.json()["result"]["callback"].take();
        if waiting["state"] == "pending" && waiting["next_at"].as_str() > waiting["created_at"].as_str() {
            assert_eq!(waiting["attempts"], 0, "{waiting}");
            break;
        }
        assert_ne!(waiting["state"], "dead", "{waiting}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Of another tenant it has heard nothing, so that one's message is tried.
    let other = [("postcode-tenant", "other")];
    let job = bench.csv(&query, &other, "postcode\nM1 1AE\n").await;
    loop {
        let answer = bench.ask(Method::GET, &format!("/jobs/{job}?wait=1s"), &other, "").await;
        let tried = answer.json()["result"]["callback"].take();
        if tried["state"] == "dead" {
            assert_eq!(tried["attempts"], 1, "{tried}");
            break;
        }
        assert!(tried["next_at"].as_str() <= tried["created_at"].as_str(), "it was put off: {tried}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bench.end().await;
}

async fn tenant_is_told_only_that_an_address_could_not_be_reached(database: Database) {
    let bench = with(database, SECRET, Manner { attempts: 1, ..Manner::default() }).await;
    // One port has no listener; the other name has no address.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for url in [format!("http://{free}/"), "http://nowhere.invalid/".to_owned()] {
        let job = bench.csv(&format!("?callback_url={url}"), &[], "postcode\nM1 1AE\n").await;
        let dead = callback(&bench, &job, "dead").await;
        assert_eq!(dead["error"], "it could not be reached", "{url}");
    }
    bench.end().await;
}

async fn message_of_a_tenant_with_two_secrets_is_signed_with_both(database: Database) {
    use base64::Engine;
    let other = |n: u8| format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode([n; 32]));
    // The receiver has the old secret, which comes second here.
    let secrets = format!("acme {} {SECRET}\n{}\n", other(1), other(2));
    let bench = with(database, &secrets, Manner { attempts: 1, ..Manner::default() }).await;
    let receiver = Receiver::start(&[]).await;
    let query = format!("?callback_url={}", receiver.url);
    let of = |tenant: &'static str, state: &'static str| {
        let (bench, query) = (&bench, &query);
        async move {
            let headers = [("postcode-tenant", tenant)];
            let job = bench.csv(query, &headers, "postcode\nM1 1AE\n").await;
            loop {
                let path = format!("/jobs/{job}?wait=1s");
                let job = bench.ask(Method::GET, &path, &headers, "").await.json();
                if job["result"]["callback"]["state"] == state {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    of("acme", "delivered").await;
    // Another tenant's are signed with another secret, which this receiver does not know.
    of("other", "dead").await;
    assert_eq!(receiver.messages().len(), 1);
    bench.end().await;
}
