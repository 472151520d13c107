//! Tests of the cost of one request: the size of its answer, its time, and that it ends when its
//! client stops waiting. Counted in answers, bytes and calls, never by the clock.
#![allow(clippy::unwrap_used, clippy::expect_used)] // In a test it is the failure.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request};
use postcode_core::conformance::Fixture;
use postcode_core::dataset::Dataset;
use postcode_core::layers::{Around, call::Call};
use postcode_core::wire::{RecordView, Shape};
use postcode_core::{Local, MAX_LIMIT, Outcode, PostcodeLookup, Result, Status};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Frontend, Options};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::common::{api_over, get, post, small};
use crate::jobs::database::Database;

const JSON: &str = "application/json";
/// A limit far longer than needed: a hang fails the test instead of blocking it.
const GENEROUS: Duration = Duration::from_secs(120);

/// Counts calls, and never ends the search of a circle of one metre, though it yields all the time.
#[derive(Debug)]
struct Watched {
    inner: Local,
    calls: Arc<AtomicUsize>,
    polls: Arc<AtomicUsize>,
    /// Told when a search is dropped that never ends.
    dropped: Arc<Notify>,
}

struct TellsWhenDropped(Arc<Notify>);

impl Drop for TellsWhenDropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Around for Watched {
    async fn around<C: Call>(&self, call: C) -> Result<C::Reply> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if call.to_string().contains("1 m around") {
            let _dropped = TellsWhenDropped(self.dropped.clone());
            loop {
                self.polls.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        }
        call.on(&self.inner).await
    }
}

postcode_core::layer!([] Watched);

impl Watched {
    fn new() -> Self {
        Self {
            inner: Local::new(Fixture::small().dataset().unwrap()),
            calls: Arc::default(),
            polls: Arc::default(),
            dropped: Arc::default(),
        }
    }
}

async fn api_with(lookup: impl PostcodeLookup, limits: Limits) -> Api {
    Api::new(Edition::of(Arc::new(lookup)).await.unwrap(), limits)
}

/// A body that announces its length and never sends a byte.
struct Silent {
    asked: Arc<AtomicBool>,
}

impl hyper::body::Body for Silent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        self.asked.store(true, Ordering::SeqCst);
        Poll::Pending
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(1_000)
    }
}

fn geolocations(count: usize, rest: &Value) -> String {
    let mut one = json!({"longitude": -2.2, "latitude": 53.48});
    one.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    json!({ "geolocations": vec![one; count] }).to_string()
}

#[tokio::test]
async fn bulk_reverse_geocoding_beyond_the_bound_is_refused_with_the_bound() {
    let lookup = Watched::new();
    let calls = lookup.calls.clone();
    let api = api_with(lookup, Limits::default()).await;
    let before = calls.load(Ordering::SeqCst);
    // Five kilobytes that asked for 164 megabytes.
    let far = json!({"radius": 20_000});
    for (path, body) in [
        ("/postcodes?extended=true&limit=1000&radius=20000", geolocations(100, &json!({}))),
        ("/postcodes?extended=true&limit=101", geolocations(100, &far)),
        ("/postcodes?extended=true", geolocations(11, &json!({"limit": 1_000}))),
    ] {
        let refused = post(&api, path, JSON, body).await;
        let error = refused.json()["error"].as_str().unwrap().to_owned();
        assert!(refused.status == 400 && error.contains("up to 10000 in one answer"), "{path}: {error}");
    }
    assert_eq!(calls.load(Ordering::SeqCst), before, "nothing was looked up for them");
    // What postcodes.io answers is answered: all its items, each with its limit and with its most.
    for (path, body) in [
        ("/postcodes", geolocations(100, &json!({}))),
        ("/postcodes?limit=100&radius=2000", geolocations(100, &json!({}))),
        ("/postcodes?limit=1000000", geolocations(100, &far)),
        ("/postcodes?extended=true&limit=1000", geolocations(10, &far)),
    ] {
        let answer = post(&api, path, JSON, body).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let operators = api_with(Watched::new(), Limits { max_records: 5, ..Limits::default() }).await;
    for (limit, status) in [(2, 200), (3, 400)] {
        let answer = post(&operators, "/postcodes", JSON, geolocations(2, &json!({"limit": limit}))).await;
        assert_eq!(answer.status, status, "{limit}");
    }
}

#[tokio::test]
async fn bulk_reverse_geocoding_can_be_ended_after_each_location() {
    let lookup = Watched::new();
    let calls = lookup.calls.clone();
    let api = api_with(lookup, Limits::default()).await;
    let before = calls.load(Ordering::SeqCst);
    let request = Request::post("/postcodes").header("content-type", JSON);
    let request = request.body(Body::from(geolocations(50, &json!({})))).unwrap();
    let mut answer = Box::pin(api.call(request));
    // Each poll does a bounded part of the work, so a deadline can fire in between.
    let mut polls = 0;
    while calls.load(Ordering::SeqCst) < before + 20 {
        let already = calls.load(Ordering::SeqCst);
        assert!(futures::poll!(answer.as_mut()).is_pending(), "not yet");
        assert!(calls.load(Ordering::SeqCst) <= already + 1);
        polls += 1;
    }
    assert!(polls >= 20, "{polls}");
    drop(answer);
    assert_eq!(calls.load(Ordering::SeqCst), before + 20);
}

#[tokio::test]
async fn long_bulk_answer_can_be_ended_while_it_is_written() {
    let limits = Limits { max_batch: 10_000, max_body: 10 << 20, ..Limits::default() };
    let api = api_with(Watched::new(), limits).await;
    let many = json!({"postcodes": vec!["M1 1AD"; 10_000], "outcodes": vec!["M1"; 10_000]}).to_string();
    for path in ["/postcodes?extended=true", "/bulk/validate", "/bulk/outcodes"] {
        let request =
            Request::post(path).header("content-type", JSON).body(Body::from(many.clone())).unwrap();
        let mut answer = Box::pin(api.call(request));
        let mut polls = 1;
        let response = loop {
            match futures::poll!(answer.as_mut()) {
                Poll::Ready(response) => break response,
                Poll::Pending => polls += 1,
            }
        };
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(polls >= body.len() / (256 << 10), "{path}: {polls} turns for {} bytes", body.len());
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["result"].as_array().map(Vec::len), Some(10_000), "{path}");
    }
}

#[tokio::test]
async fn long_answers_are_counted_until_they_are_read() {
    let api = api_with(small(), Limits { max_answers: 100 << 10, ..Limits::default() }).await;
    let ask = |callback: &str| {
        let body = json!({"postcodes": vec!["AB10 1AB"; 90]}).to_string();
        let request = Request::post(format!("/postcodes{callback}")).header("content-type", JSON);
        api.call(request.body(Body::from(body)).unwrap())
    };
    for callback in ["", "?callback=f"] {
        let first = ask(callback).await;
        assert_eq!(first.status(), 200);
        // Its memory is counted although its client has read nothing.
        let second = ask(callback).await;
        assert_eq!((second.status().as_u16(), second.headers()["retry-after"].to_str().unwrap()), (503, "1"));
        // Short ones are not counted.
        assert_eq!(get(&api, "/postcodes/AB101AB").await.status, 200);
        let body = axum::body::to_bytes(first.into_body(), usize::MAX).await.unwrap();
        assert!(body.len() > 64 << 10, "{}", body.len());
        drop(body);
        assert_eq!(ask(callback).await.status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn path_without_a_route_is_answered_at_once_and_its_body_is_not_read() {
    let frontend = Frontend::new(api_over(small()).await, &Options::default());
    let begun = tokio::time::Instant::now();
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::GET] {
        for path in
            ["/jobs/x/y", "/JOBS/x/y/z", "/jobs/x/result/y", "/nowhere", "/postcodes/a/b/c", "/x/jobs"]
        {
            let asked = Arc::new(AtomicBool::new(false));
            let request = Request::builder().method(method.clone()).uri(path).header("content-type", JSON);
            let answer = frontend.call(request.body(Silent { asked: asked.clone() }).unwrap()).await;
            assert_eq!(answer.status(), 404, "{method} {path}");
            assert!(!asked.load(Ordering::SeqCst), "{method} {path}: its body was read");
        }
    }
    // An unsupported method is answered at once too.
    for path in ["/ping", "/jobs/x", "/jobs/x/result", "/outcodes"] {
        let request = Request::post(path).header("content-type", JSON);
        let answer = frontend.call(request.body(Silent { asked: Arc::default() }).unwrap()).await;
        assert_eq!(answer.status(), 404, "{path}");
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn body_that_never_comes_is_given_up_after_the_usual_time_on_every_route() {
    let usual = Duration::from_secs(10);
    let options = Options { request_timeout: usual, ..Options::default() };
    // Without jobs, as with `--jobs none`.
    let frontend = Frontend::new(api_over(small()).await, &options);
    for (path, kind) in [
        ("/postcodes", JSON),
        ("/within", JSON),
        ("/bulk/validate", JSON),
        ("/bulk/outcodes", "application/x-www-form-urlencoded"),
        ("/enrich", "text/csv"),
        ("/jobs", JSON),
        ("/jobs", "text/csv"),
        ("/jobs/x", JSON),
        ("/jobs/callbacks/x/retry", JSON),
    ] {
        let begun = tokio::time::Instant::now();
        let request = Request::post(path).header("content-type", kind);
        let answer = frontend.call(request.body(Silent { asked: Arc::default() }).unwrap()).await;
        let took = begun.elapsed();
        // tokio's clock counts in milliseconds.
        assert!(took <= usual + Duration::from_millis(2), "{path}: {took:?}");
        assert!(answer.status().is_client_error() || answer.status().is_server_error(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn upload_of_a_job_may_take_longer_than_other_requests() {
    let database = Database::file().unwrap();
    let url = database.url().parse().unwrap();
    let jobs = postcode_service::jobs::Jobs::new(url, false, Default::default(), None);
    jobs.open().await.unwrap();
    let api = Api::with_jobs(Edition::of(Arc::new(small())).await.unwrap(), Limits::default(), jobs);
    let usual = Duration::from_millis(500);
    let frontend = Frontend::new(api, &Options { request_timeout: usual, ..Options::default() });
    let slow = |pause: Duration| {
        let parts = futures::stream::unfold(0, move |n| async move {
            match n {
                0 => Some((Ok::<_, Infallible>(Bytes::from_static(b"{\"postcodes\":[\"M1 1AE\"")), 1)),
                1 => {
                    tokio::time::sleep(pause).await;
                    Some((Ok(Bytes::from_static(b"]}")), 2))
                }
                _ => None,
            }
        });
        Body::from_stream(parts)
    };
    let request =
        |path: &str, body: Body| Request::post(path).header("content-type", JSON).body(body).unwrap();
    let taken = frontend.call(request("/jobs", slow(2 * usual))).await;
    assert_eq!(taken.status(), 202);
    let late = frontend.call(request("/postcodes", slow(Duration::from_secs(3_600)))).await;
    assert_eq!(late.status(), 504);
    // Its caller's deadline holds.
    let mut hurried = request("/jobs", slow(Duration::from_secs(3_600)));
    hurried.headers_mut().insert("postcode-deadline-ms", "20".parse().unwrap());
    assert_eq!(frontend.call(hurried).await.status(), 504);
}

#[tokio::test]
async fn jsonp_is_for_routes_of_postcodes_io_only() {
    let api = api_over(Watched::new()).await;
    for path in
        ["/ping", "/postcodes?q=M1", "/postcodes/M11AD", "/outcodes/M1", "/places?q=a", "/random/postcodes"]
    {
        let join = if path.contains('?') { '&' } else { '?' };
        let answer = get(&api, &format!("{path}{join}callback=f")).await;
        assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8", "{path}");
        assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{path}");
    }
    for path in [
        "/within?lon=-2.2&lat=53.4&radius=5",
        "/areas/E08990001/postcodes?x=y",
        "/find/places?q=a",
        "/dataset/info?x=y",
        "/openapi.json?x=y",
        "/outcodes/M1/validate?extended=true",
    ] {
        let answer = get(&api, &format!("{path}&callback=steal")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "application/json; charset=utf-8")
        );
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_another_origin_reads_jobs() {
    let bench = crate::jobs::database::Bench::new(Database::file().unwrap()).await;
    let job = bench.csv("", &[], "postcode\nM1 1AE\n").await;
    for (method, path) in [
        (Method::GET, "/jobs/callbacks".to_owned()),
        (Method::GET, format!("/jobs/{job}")),
        (Method::GET, format!("/JOBS/{job}/")),
        (Method::GET, "/jobs/x".to_owned()),
        (Method::POST, "/jobs".to_owned()),
        (Method::OPTIONS, "/jobs".to_owned()),
        (Method::OPTIONS, format!("/jobs/{job}")),
        (Method::PUT, format!("/jobs/{job}")),
        (Method::GET, format!("/jobs/{job}/result")),
    ] {
        for query in ["callback=steal", "callback=steal&strict=true"] {
            let path = format!("{path}?{query}");
            let answer = bench.ask(method.clone(), &path, &[("origin", "http://evil.example")], "").await;
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(
                !text.contains("steal") && !answer.header("content-type").contains("javascript"),
                "{path}: {text}"
            );
            assert_eq!(answer.header("access-control-allow-origin"), "", "{method} {path}");
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{method} {path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{method} {path}");
        }
    }
    bench.end().await;
}

/// Builds a search that never ends.
fn endless() -> Request<Body> {
    Request::get("/within?lon=-2.2&lat=53.4&radius=1").body(Body::empty()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn region_search_that_goes_on_leaves_turns_to_others_and_ends_with_its_request() {
    let lookup = Watched::new();
    let (polls, dropped) = (lookup.polls.clone(), lookup.dropped.clone());
    let api = api_with(lookup, Limits::default()).await;
    // More than there are threads for it.
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let endless: Vec<_> = (0..2 * cores)
        .map(|_| {
            let api = api.clone();
            tokio::spawn(async move { api.call(endless()).await.status() })
        })
        .collect();
    while polls.load(Ordering::SeqCst) < 100 * endless.len() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for path in ["/within?lon=-2.232&lat=53.48&radius=320", "/sectors/M11/postcodes"] {
        let answer = tokio::time::timeout(GENEROUS, get(&api, path)).await.expect("a turn");
        assert_eq!(answer.status, 200, "{path}");
    }
    for search in endless {
        search.abort();
        tokio::time::timeout(GENEROUS, dropped.notified()).await.expect("it ends when its request does");
    }
    // Ended searches are not polled any more.
    let after = polls.load(Ordering::SeqCst);
    assert_eq!(get(&api, "/sectors/M11/postcodes").await.status, 200);
    assert_eq!(polls.load(Ordering::SeqCst), after);
}

#[tokio::test(flavor = "multi_thread")]
async fn region_search_ends_at_its_deadline() {
    let lookup = Watched::new();
    let dropped = lookup.dropped.clone();
    let api = api_with(lookup, Limits::default()).await;
    let options = Options { request_timeout: Duration::from_millis(50), ..Options::default() };
    let frontend = Frontend::new(api, &options);
    assert_eq!(frontend.call(endless()).await.status(), 504);
    tokio::time::timeout(GENEROUS, dropped.notified()).await.expect("it ends with its deadline");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_region_searches_than_places_are_refused() {
    let lookup = Watched::new();
    let (polls, dropped) = (lookup.polls.clone(), lookup.dropped.clone());
    let api = api_with(lookup, Limits { max_regions: 1, ..Limits::default() }).await;
    let first = {
        let api = api.clone();
        tokio::spawn(async move { api.call(endless()).await.status() })
    };
    while polls.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let refused = get(&api, "/sectors/M11/postcodes").await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "1"));
    // Others are not held up.
    assert_eq!(get(&api, "/postcodes/M11AD").await.status, 200);
    first.abort();
    tokio::time::timeout(GENEROUS, dropped.notified()).await.expect("dropped");
    let answered = async {
        while get(&api, "/sectors/M11/postcodes").await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(GENEROUS, answered).await.expect("its place is free again");
}

#[tokio::test]
async fn bodies_of_too_many_values_are_refused_and_long_lists_as_ever() {
    let api = api_over(small()).await;
    let long = json!({ "postcodes": vec![""; 30_000] }).to_string();
    let refused = post(&api, "/postcodes", JSON, long).await;
    assert_eq!(refused.status, 400);
    assert!(refused.json()["error"].as_str().unwrap().contains("Up to 100 postcodes"), "{}", refused.json());
    let deep = json!({ "geolocations": [{ "x": vec![0; 40_000] }] }).to_string();
    let refused = post(&api, "/postcodes", JSON, deep).await;
    assert!(refused.status == 400 && refused.json()["advice"].as_str().unwrap().contains("too many values"));
    let form = "geolocations[][a]=1&".repeat(5_000);
    let refused = post(&api, "/postcodes", "application/x-www-form-urlencoded", form).await;
    assert!(refused.json()["error"].as_str().unwrap().contains("Up to 100 locations"), "{}", refused.json());
}

/// The polygon from a review, on the real country: 26 kB that held the only turn for 13 seconds.
#[tokio::test(flavor = "multi_thread")]
async fn polygon_that_zigzags_over_the_country_and_back_is_answered() {
    let api = api_over(Local::embedded().unwrap()).await;
    let there: Vec<[f64; 2]> =
        (0..500).map(|n| [-8.0 + f64::from(n) / 50.0, if n % 2 == 0 { 49.0 } else { 61.0 }]).collect();
    let ring: Vec<[f64; 2]> = there.iter().chain(there.iter().rev()).copied().collect();
    let body = json!({ "polygon": ring }).to_string();
    let frontend = Frontend::new(api, &Options { request_timeout: GENEROUS, ..Options::default() });
    let request = Request::post("/within").header("content-type", JSON).body(Body::from(body)).unwrap();
    let answer = frontend.call(request).await;
    assert_eq!(answer.status(), 200);
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["next"], json!(null));
}

/// Search and autocomplete go through postcodes in their order until they have as many in use as
/// they are asked for, at most a hundred. The most that they can pass over on the way is a property
/// of the data.
#[test]
fn no_hundred_postcodes_in_use_are_far_apart() {
    let country = Dataset::embedded().unwrap();
    let in_use: HashSet<Outcode> = country.outcodes().collect();
    let (mut live, mut row, mut farthest) = (VecDeque::from([0_usize]), 0, 0);
    for record in country.iter().filter(|record| in_use.contains(&record.postcode.outcode())) {
        row += 1;
        if record.status == Status::Live {
            live.push_back(row);
            let first = if live.len() > MAX_LIMIT { live.pop_front() } else { None };
            farthest = farthest.max(first.map_or(0, |first| row - first));
        }
    }
    assert!(farthest > MAX_LIMIT && farthest < 20_000, "{farthest}");
}

/// Tests the size that multiplies with the items: the longest answer for one item.
#[test]
fn no_record_and_no_outcode_takes_much_to_write() {
    let country = Dataset::embedded().unwrap();
    let longest = country.outcodes().filter_map(|outcode| country.outcode(outcode));
    let longest = longest.map(|summary| serde_json::to_vec(&summary).unwrap().len()).max().unwrap();
    assert!(longest < 16 << 10, "an outcode takes {longest} bytes");
    let records = country.iter().step_by(997);
    let longest =
        records.map(|record| serde_json::to_vec(&RecordView::new(&record, Shape::Extended)).unwrap().len());
    let longest = longest.max().unwrap();
    assert!(longest < 4 << 10, "a record takes {longest} bytes");
}
