//! Spans of calls, trace headers of requests, and comparisons that a busy service refuses.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use super::*;
use crate::layers::{
    Breaker, Guard, Hedge, HedgeAfter, Promotion, PromotionConfig, Retry, Snapshot, Stage, unit,
};
use crate::lookup::trace::TraceParent;
use crate::remote::Transport;
use crate::{Local, Nearest, Remote, Within};

/// A span that was created.
#[derive(Clone, Debug, Default)]
struct Spanned {
    id: u64,
    name: &'static str,
    parent: Option<u64>,
    follows: Vec<u64>,
    fields: BTreeMap<&'static str, String>,
}

impl Spanned {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// Keeps the spans of the seam.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<Spanned>>>);

struct Fields<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Spans {
    /// Subscribes this thread until the guard is dropped.
    fn subscribe() -> (Self, DefaultGuard) {
        let spans = Self::default();
        (spans.clone(), tracing_subscriber::registry().with(spans).set_default())
    }

    fn change(&self, id: &Id, change: impl FnOnce(&mut Spanned)) {
        // Spans of other targets are not kept.
        if let Some(span) = self.0.lock().unwrap().iter_mut().find(|span| span.id == id.into_u64()) {
            change(span);
        }
    }

    /// Returns the spans of this name.
    fn named(&self, name: &str) -> Vec<Spanned> {
        self.0.lock().unwrap().iter().filter(|span| span.name == name).cloned().collect()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        if metadata.target() != "postcode_core::seam" {
            return;
        }
        let parent = context.span(id).and_then(|span| Some(span.parent()?.id().into_u64()));
        let mut span = Spanned {
            id: id.into_u64(),
            name: metadata.name(),
            parent,
            follows: Vec::new(),
            fields: BTreeMap::new(),
        };
        attributes.record(&mut Fields(&mut span.fields));
        self.0.lock().unwrap().push(span);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.change(id, |span| values.record(&mut Fields(&mut span.fields)));
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, _: Context<'_, S>) {
        self.change(id, |span| span.follows.push(follows.into_u64()));
    }
}

/// A service that is always busy, and keeps the requests.
#[derive(Debug, Default)]
struct Busy(Mutex<Vec<http::HeaderMap>>);

impl Busy {
    /// Returns the values of a header, one for each request.
    fn header(&self, name: &str) -> Vec<Option<String>> {
        let requests = self.0.lock().unwrap();
        requests.iter().map(|it| it.get(name).map(|value| value.to_str().unwrap().to_owned())).collect()
    }

    fn traces(&self) -> Vec<TraceParent> {
        let headers = self.header("traceparent").into_iter();
        headers.map(|header| TraceParent::parse(&header.unwrap()).unwrap()).collect()
    }
}

#[async_trait::async_trait]
impl Transport for Arc<Busy> {
    async fn send(&self, request: http::Request<Bytes>, _: usize) -> Result<http::Response<Bytes>> {
        self.0.lock().unwrap().push(request.headers().clone());
        let body = r#"{"status":503,"error":"Too many requests at once","code":"overloaded"}"#;
        let response = http::Response::builder().status(503).header("content-type", "application/json");
        Ok(response.body(body.into()).unwrap())
    }
}

fn busy() -> (Arc<Busy>, Remote) {
    let server = Arc::new(Busy::default());
    let remote = Remote::builder("http://a?retries=2&backoff=1ms").transport(server.clone()).build().unwrap();
    (server, remote)
}

const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test(start_paused = true)]
async fn call_in_this_process_has_a_span_with_its_edition() {
    let local = Local::new(Fixture::small().dataset().unwrap());
    ask(&local).await.unwrap();
    let (spans, _subscribed) = Spans::subscribe();
    ask(&local).await.unwrap();
    local.nearest(&Nearest::to(postcode("M1 1AD"))).await.unwrap();
    local.within(&Within::of(crate::Region::Outcode("M1".parse().unwrap()))).await.unwrap();
    let calls = spans.named("call");
    let methods: Vec<_> = calls.iter().map(|call| call.field("method")).collect();
    assert_eq!(methods, ["lookup_one", "nearest", "within"]);
    let edition = local.info().await.unwrap().fingerprint;
    assert!(calls.iter().all(|call| call.field("edition") == edition && call.field("side") == "local"));
}

#[tokio::test(start_paused = true)]
async fn promotion_tells_the_stage_the_side_and_the_fallback() {
    let (old, new) = (Fake::new([]), Fake::new([]));
    let config = PromotionConfig { guard: None, ..PromotionConfig::default() };
    let promotion = Promotion::with(old, new.clone(), config);
    promotion.apply(&"canary:100%,nearest=shadow:0%".parse().unwrap()).unwrap();
    let (spans, _subscribed) = Spans::subscribe();
    ask(&promotion).await.unwrap();
    sleep(SECOND).await;
    new.set(Act::Fail(ErrorKind::Unavailable));
    ask(&promotion).await.unwrap();
    promotion.nearest(&Nearest::to(postcode("M1 1AD"))).await.unwrap();
    let edition = Fixture::small().info().fingerprint.clone();
    let seen = spans.named("promotion");
    let fields = |span: &Spanned| {
        ["method", "row", "stage", "side", "fell_back", "edition"].map(|name| span.field(name).to_owned())
    };
    assert_eq!(fields(&seen[0]), ["lookup_one", "default", "canary", "new", "false", &edition]);
    assert_eq!(fields(&seen[1]), ["lookup_one", "default", "canary", "old", "true", &edition]);
    assert_eq!(fields(&seen[2]), ["nearest", "nearest", "shadow", "old", "false", &edition]);
    // The comparison of the first is a trace apart, linked to it.
    let comparisons = spans.named("comparison");
    assert_eq!(comparisons.len(), 1);
    assert_eq!((comparisons[0].parent, &comparisons[0].follows), (None, &vec![seen[0].id]));
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_a_span_of_the_callers_trace() {
    let (server, remote) = busy();
    let (spans, _subscribed) = Spans::subscribe();
    assert!(unit::traced(GIVEN, remote.lookup_one(postcode("M1 1AD"))).await.is_err());
    let given = TraceParent::parse(GIVEN).unwrap();
    let sent = server.traces();
    assert_eq!(sent.len(), 3);
    assert!(
        sent.iter().all(|it| it.trace == given.trace && it.flags == 1 && it.span != given.span),
        "{sent:?}"
    );
    let requests = spans.named("request");
    let call = spans.named("call").remove(0);
    for (n, (request, sent)) in requests.iter().zip(&sent).enumerate() {
        assert_eq!(request.parent, Some(call.id));
        assert_eq!(request.field("attempt"), (n + 1).to_string());
        assert_eq!(request.field("trace_id"), format!("{:032x}", sent.trace));
        assert_eq!(request.field("span_id"), format!("{:016x}", sent.span));
        assert_eq!(request.field("parent_id"), format!("{:016x}", given.span));
    }
    let mut ids: Vec<_> = sent.iter().map(|it| it.span).collect();
    ids.dedup();
    assert_eq!((ids.len(), requests.len()), (3, 3));
    // Without a trace of the caller, each call begins one.
    for _ in 0..2 {
        let _ = unit::traced("nonsense", remote.outcodes("M", 1)).await;
    }
    let sent = server.traces();
    assert_eq!(sent[3].trace, sent[5].trace);
    assert_ne!(sent[5].trace, sent[6].trace);
}

#[tokio::test(start_paused = true)]
async fn hedges_and_retries_are_attempts() {
    let (spans, _subscribed) = Spans::subscribe();
    let hedged = Hedge::new(Fake::always(Act::Slow(9 * MS)), HedgeAfter::Fixed(MS));
    ask(&hedged).await.unwrap();
    let retried =
        Retry::new(Fake::new([Act::Fail(ErrorKind::Unavailable), Act::Fail(ErrorKind::Unavailable)]));
    ask(&retried).await.unwrap();
    let attempts: Vec<_> = spans.named("attempt").iter().map(|it| it.field("attempt").to_owned()).collect();
    assert_eq!(attempts, ["2", "2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn shared_call_is_in_the_trace_of_the_first_caller_and_linked_to_the_others() {
    let (spans, _subscribed) = Spans::subscribe();
    for single in [true, false] {
        let (server, remote) = busy();
        let lookup: Arc<dyn Lookups> = match single {
            true => Arc::new(crate::layers::SingleFlight::new(remote)),
            false => Arc::new(crate::layers::Batcher::new(remote).linger(MS)),
        };
        let other = GIVEN.replacen("4bf9", "5555", 1);
        let asks = [GIVEN, &other, &other].map(|trace| unit::traced(trace, ask(&*lookup)));
        for answer in futures::future::join_all(asks).await {
            assert!(answer.is_err());
        }
        let given = TraceParent::parse(GIVEN).unwrap().trace;
        let sent = server.traces();
        assert!(sent.len() == 3 && sent.iter().all(|it| it.trace == given), "{sent:?}");
        let (shared, joined) = (spans.named("shared").pop().unwrap(), spans.named("joined"));
        let last: Vec<u64> = joined.iter().rev().take(2).rev().map(|it| it.id).collect();
        assert_eq!((joined.len(), shared.follows), (if single { 2 } else { 4 }, last));
        assert_eq!(spans.named("call").pop().unwrap().parent, Some(shared.id));
    }
    assert_eq!(spans.named("shared").len(), 2);
}

/// Compares with a busy service until the answers are there.
async fn compared(stage: Stage) -> (Arc<Busy>, Snapshot) {
    let (server, remote) = busy();
    let new = Breaker::new(remote);
    let config = PromotionConfig { guard: Some(Guard::default()), ..PromotionConfig::default() };
    let promotion = Promotion::with(Fake::new([]), Arc::new(new), config);
    promotion.set(stage, Some(1.0)).unwrap();
    for _ in 0..30 {
        ask(&promotion).await.unwrap();
        sleep(SECOND).await;
    }
    (server, promotion.snapshot())
}

#[tokio::test(start_paused = true)]
async fn comparison_is_marked_and_a_refused_one_is_no_error() {
    let (server, seen) = compared(Stage::Shadow).await;
    assert_eq!(
        server.header("postcode-purpose"),
        vec![Some("comparison".to_owned()); 30],
        "and none is retried"
    );
    assert_eq!((seen.refused, seen.errors, seen.step_backs, seen.compared), (30, 0, 0, 0));
    assert_eq!(seen.latency.new.count, 0);
    // A call that somebody waits for is.
    let (server, seen) = compared(Stage::RemoteWithFallback).await;
    assert_eq!(server.header("postcode-purpose")[..3], [None, None, None], "and is retried");
    assert!(seen.errors >= 20 && seen.step_backs == 1, "{seen:?}");
}
