//! Who asked for it is told.

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
}

async fn bench(database: Database, attempts: u32, allow: &[&str]) -> Bench {
    let allow = allow.iter().map(|text| text.parse().unwrap()).collect();
    let timeout = postcode_testing::GENEROUS;
    let manner = Manner { allow, attempts, first_delay: Duration::ZERO, timeout };
    let callbacks = Callbacks::new(SECRET, manner).unwrap();
    let mut bench = Bench::with(database, Limits::default(), Some(callbacks)).await;
    bench.work(1);
    bench
}

/// The callback of a job, when it has that state.
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
