//! Tests the options of a service's URL, with transports in place of a network and tokio's clock
//! paused.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use http::{Request, Response};
use tokio::time::Instant;

use super::*;
use crate::Error;
use crate::layers::{HedgeAfter, Promotion, PromotionConfig, Stage, deadline};
use crate::remote::Transport;
use crate::{Answer, ErrorKind, Postcode, PostcodeLookupExt};

const MS: Duration = Duration::from_millis(1);

/// The behaviour of a host for one request.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Answers that it knows no postcode.
    Answer,
    Refuse,
    Hang,
}

/// A fake network: how `http://a`, `http://b` and so on behave.
#[derive(Clone, Debug, Default)]
struct Net(Arc<State>);

#[derive(Debug, Default)]
struct State {
    acts: Mutex<Vec<(&'static str, Act)>>,
    /// The host and the remaining milliseconds of each request.
    seen: Mutex<Vec<(String, u64)>>,
    slow: AtomicUsize,
}

impl Net {
    fn new(acts: &[(&'static str, Act)]) -> Self {
        let net = Self::default();
        net.set(acts);
        net
    }

    fn set(&self, acts: &[(&'static str, Act)]) {
        *self.0.acts.lock().unwrap() = acts.to_vec();
    }

    fn hosts(&self) -> String {
        self.0.seen.lock().unwrap().drain(..).map(|(host, _)| host).collect()
    }

    async fn open(&self, url: &str) -> Arc<dyn Lookups> {
        self.on(Connector::new(url).unwrap()).await
    }

    async fn on(&self, connector: Connector) -> Arc<dyn Lookups> {
        connector.remote(|client| client.transport(self.clone())).connect().await.unwrap()
    }
}

#[async_trait::async_trait]
impl Transport for Net {
    async fn send(&self, request: Request<Bytes>, _limit: usize) -> Result<Response<Bytes>> {
        let host = request.uri().host().unwrap().to_owned();
        let told = request.headers()[crate::wire::DEADLINE_HEADER].to_str().unwrap().parse().unwrap();
        let act = self.0.acts.lock().unwrap().iter().find(|(name, _)| *name == host).unwrap().1;
        self.0.seen.lock().unwrap().push((host, told));
        let slow = self.0.slow.load(SeqCst) as u32;
        tokio::time::sleep(MS * slow).await;
        match act {
            Act::Refuse => return Err(Error::new(ErrorKind::Unavailable, "refused")),
            Act::Hang => std::future::pending().await,
            Act::Answer => {}
        }
        let asked: serde_json::Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let items = asked["postcodes"].as_array().unwrap().iter();
        let items: Vec<_> = items
            .map(|text| serde_json::json!({ "query": text, "status": "unknown", "result": null }))
            .collect();
        let body = serde_json::json!({ "status": 200, "result": items }).to_string();
        Ok(Response::builder().header("content-type", "application/json").body(body.into()).unwrap())
    }
}

fn postcode() -> Postcode {
    "AB10 1AB".parse().unwrap()
}

async fn ask(lookup: &dyn Lookups) -> Result<()> {
    assert_eq!(lookup.get(postcode()).await?, Answer::Unknown);
    Ok(())
}

#[test]
fn a_connector_says_all_that_is_in_effect_and_no_secret() {
    let usual = "timeout=1s retries=2 backoff=20ms retry_budget=0.2 deadline=2s breaker=5/1s bulkhead=256 hedge=off \
                 join=off single_flight=off cache=off connect_timeout=500ms batch=100 concurrency=4 encoding=compact proxy=none";
    for (url, shown) in [
        ("embedded:", "embedded:".to_owned()),
        ("file:/data/uk%20.postcodes", "file:/data/uk .postcodes verify=checksums".to_owned()),
        ("http://user:hunter2@a:8080/", format!("http://a:8080 {usual}")),
        ("unix:/run/s", format!("unix:/run/s {usual}")),
        ("http://a?timeout=3s", format!("http://a {usual}").replace("=1s retries", "=3s retries").replace("deadline=2s", "deadline=6s")),
        (
            "http://a?order=round_robin&failover=http://user:hunter2@b&fallback=embedded:",
            format!("http://a {usual} failover=http://b order=round_robin fallback=(embedded:)"),
        ),
        (
            "https://a?breaker=9/250ms&bulkhead=off&hedge=p95&join=50&cache=2048&cache_ttl=1m&single_flight=on\
             &batch=1000&concurrency=8&proxy=env&retries=0&backoff=1s&retry_budget=1&connect_timeout=1m",
            "https://a timeout=1s retries=0 backoff=1s retry_budget=1 deadline=2s breaker=9/250ms bulkhead=off \
             hedge=p95 join=50 single_flight=on cache=2048B/60s connect_timeout=60s batch=1000 concurrency=8 encoding=compact proxy=env"
                .to_owned(),
        ),
    ] {
        let connector = Connector::new(url).unwrap();
        assert_eq!(connector.to_string(), shown, "{url}");
        assert!(!format!("{connector:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn what_is_in_this_process_has_nothing_to_set() {
    let connector = Connector::new("embedded:").unwrap().bulkhead(None).cache_ttl(MS);
    let error = connector.connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("embedded: is in this process"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn one_mechanism_repeats_and_what_it_gives_up_on_is_marked() {
    for (url, asked) in [
        ("http://a?breaker=off", "aaa"),
        ("http://a?hedge=10s&breaker=off", "aaa"),
        ("http://a?failover=http://b", "ababab"),
        ("http://a?retries=4&join=10&single_flight=on&cache=2048&deadline=1m", "aaaaa"),
    ] {
        let net = Net::new(&[("a", Act::Refuse), ("b", Act::Refuse)]);
        let lookup = net.open(url).await;
        let error = ask(&*lookup).await.unwrap_err();
        assert_eq!((error.kind(), error.is_persistent()), (ErrorKind::Unavailable, true), "{url}");
        // The cache asks for the edition first, which this network does not know.
        assert!(net.hosts().ends_with(asked), "{url}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_down_is_soon_not_asked_and_then_tried_again() {
    let net = Net::new(&[("a", Act::Refuse)]);
    let lookup = net.open("http://a?retries=0").await;
    for _ in 0..20 {
        ask(&*lookup).await.unwrap_err();
    }
    assert_eq!(net.hosts(), "aaaaa");
    net.set(&[("a", Act::Answer)]);
    tokio::time::sleep(1001 * MS).await;
    ask(&*lookup).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn retries_are_on_a_budget_of_all_calls() {
    let net = Net::new(&[("a", Act::Refuse)]);
    let lookup = net.open("http://a?breaker=off&retry_budget=0.5").await;
    for _ in 0..100 {
        ask(&*lookup).await.unwrap_err();
    }
    let asked = net.hosts().len();
    assert!((150..=161).contains(&asked), "100 calls, retries for half of them, and ten saved: {asked}");
}

#[tokio::test(start_paused = true)]
async fn one_more_than_the_bulkhead_holds_fails_at_once() {
    let net = Net::new(&[("a", Act::Hang)]);
    let lookup = net.open("http://a?bulkhead=3").await;
    let start = Instant::now();
    let calls = (0..5).map(|_| async { (ask(&*lookup).await.unwrap_err().kind(), start.elapsed()) });
    let ended = join_all(calls).await;
    assert_eq!(ended[3..], [(ErrorKind::Overloaded, Duration::ZERO); 2]);
    assert!(ended[..3].iter().all(|(kind, after)| *kind == ErrorKind::Timeout && *after <= 2001 * MS));
}

#[tokio::test(start_paused = true)]
async fn the_callers_own_deadline_is_kept_and_told() {
    let net = Net::new(&[("a", Act::Hang), ("b", Act::Hang)]);
    for url in ["http://a", "http://a?failover=http://b", "http://a?hedge=p95"] {
        let lookup = net.open(url).await;
        let start = Instant::now();
        let error = deadline::scope(start + 300 * MS, ask(&*lookup)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{url}");
        assert!(error.is_persistent(), "{url}");
        assert!(start.elapsed() <= 301 * MS, "{url}: {:?}", start.elapsed());
        let told = net.0.seen.lock().unwrap().drain(..).next().unwrap().1;
        assert!((299..=300).contains(&told), "{url}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_is_told_how_long_a_promotion_waits_for_it() {
    let net = Net::new(&[("old", Act::Answer), ("new", Act::Hang)]);
    let config = PromotionConfig { patience: 300 * MS, ..PromotionConfig::default() };
    let promotion = Promotion::with(net.open("http://old").await, net.open("http://new").await, config);
    promotion.set(Stage::RemoteWithFallback, None).unwrap();
    let start = Instant::now();
    ask(&promotion).await.unwrap();
    assert!(start.elapsed() <= 301 * MS, "{:?}", start.elapsed());
    let seen = net.0.seen.lock().unwrap();
    assert!(matches!(&seen[0], (host, 299..=300) if host == "new"), "{seen:?}");
    assert!(matches!(&seen[1], (host, 1000) if host == "old"), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn another_endpoint_answers_for_one_that_is_down_or_hangs() {
    for act in [Act::Refuse, Act::Hang] {
        let net = Net::new(&[("a", act), ("b", Act::Answer)]);
        let lookup = net.open("http://a?failover=http://b&timeout=100ms").await;
        let start = Instant::now();
        for _ in 0..20 {
            ask(&*lookup).await.unwrap();
        }
        assert_eq!(net.hosts(), "ab".repeat(5) + &"b".repeat(15), "{act:?}");
        assert!(start.elapsed() <= 5 * 101 * MS);
        net.set(&[("a", Act::Answer), ("b", Act::Refuse)]);
        tokio::time::sleep(1001 * MS).await;
        ask(&*lookup).await.unwrap();
        assert_eq!(net.hosts(), "a");
    }
    let net = Net::new(&[("a", Act::Answer), ("b", Act::Answer)]);
    let lookup = net.open("http://a?failover=http://b&order=round_robin").await;
    for _ in 0..4 {
        ask(&*lookup).await.unwrap();
    }
    assert_eq!(net.hosts(), "abab");
}

#[cfg(feature = "embedded")]
#[tokio::test(start_paused = true)]
async fn the_fallback_answers_what_the_service_can_not() {
    let net = Net::new(&[("a", Act::Refuse)]);
    let lookup = net.open("http://a?fallback=embedded:").await;
    for _ in 0..10 {
        assert!(lookup.get(postcode()).await.unwrap().record().is_some(), "the country knows it");
    }
    net.set(&[("a", Act::Answer)]);
    tokio::time::sleep(1001 * MS).await;
    ask(&*lookup).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_second_attempt_overtakes_one_that_hangs() {
    let net = Net::new(&[("a", Act::Hang)]);
    let lookup = net.on(Connector::new("http://a").unwrap().hedge(Some(HedgeAfter::Fixed(30 * MS)))).await;
    let start = Instant::now();
    let (answer, ()) = tokio::join!(ask(&*lookup), async {
        tokio::time::sleep(20 * MS).await;
        net.set(&[("a", Act::Answer)]);
    });
    answer.unwrap();
    assert!(start.elapsed() <= 31 * MS, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_saves_calls_saves_them() {
    for (url, at_most) in [
        ("http://a", 50),
        // Four are sent at once; while they run the others gather.
        ("http://a?join=100", 5),
        ("http://a?single_flight=on", 1),
    ] {
        let net = Net::new(&[("a", Act::Answer)]);
        net.0.slow.store(10, SeqCst);
        let lookup = net.open(url).await;
        join_all((0..50).map(|_| async { ask(&*lookup).await.unwrap() })).await;
        assert_eq!(net.hosts().len(), at_most, "{url}");
    }
}
