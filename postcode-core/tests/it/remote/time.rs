//! Tests deadlines, timeouts and retries with tokio's clock.

use std::future::{pending, ready};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use postcode_core::{Error, ErrorKind, PostcodeLookup, Result};
use tokio::time::Instant;

use crate::remote::fake::{Script, postcode};

fn good() -> Result<Response<Bytes>> {
    let body = r#"{"status":200,"result":[{"query":"AB10 1AB","status":"unknown","result":null}]}"#;
    let response = Response::builder().header("content-type", "application/json");
    Ok(response.body(Bytes::from(body)).unwrap())
}

fn busy(after: Option<&str>) -> Result<Response<Bytes>> {
    let mut response = Response::builder().status(503);
    if let Some(after) = after {
        response = response.header("retry-after", after);
    }
    Ok(response.body(Bytes::new()).unwrap())
}

fn refused() -> Result<Response<Bytes>> {
    Err(Error::new(ErrorKind::Unavailable, "connection refused"))
}

/// Returns how a lookup ended, after which time of the paused clock and how many requests.
async fn ended(script: Script, options: &str) -> (Result<()>, Duration, usize) {
    let seen = Arc::clone(&script.seen);
    let remote = script.remote_with(options);
    let start = Instant::now();
    let result = remote.lookup(&[postcode("AB10 1AB")]).await.map(drop);
    let requests = seen.lock().unwrap().len();
    (result, start.elapsed(), requests)
}

#[tokio::test(start_paused = true)]
async fn what_fails_for_the_moment_is_repeated() {
    for fails in [refused, || busy(None), || Err(Error::new(ErrorKind::Timeout, "slow"))] {
        let script = Script::new(move |n, _| ready(if n < 2 { fails() } else { good() }));
        let (result, elapsed, requests) = ended(script, "").await;
        result.unwrap();
        assert_eq!(requests, 3);
        assert!(
            elapsed <= Duration::from_millis(50 + 100 + 2),
            "pauses of at most 50 and 100 ms: {elapsed:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_is_not_repeated() {
    for kind in [ErrorKind::Protocol, ErrorKind::InvalidInput, ErrorKind::Internal] {
        let script = Script::new(move |_, _| ready(Err(Error::new(kind, "no"))));
        let (result, _, requests) = ended(script, "").await;
        let error = result.unwrap_err();
        assert_eq!((error.kind(), requests), (kind, 1));
        assert!(!error.is_persistent());
    }
}

#[tokio::test(start_paused = true)]
async fn retries_end_and_the_error_says_so() {
    for (options, attempts) in [("?retries=0", 1), ("", 3), ("?retries=10&deadline=10m", 11)] {
        let (result, _, requests) = ended(Script::new(|_, _| ready(refused())), options).await;
        let error = result.unwrap_err();
        assert_eq!((error.kind(), requests), (ErrorKind::Unavailable, attempts));
        assert_eq!(error.is_persistent(), attempts > 1, "without retries an outer layer may");
        assert_eq!(error.is_transient(), attempts == 1);
        if attempts > 1 {
            assert!(error.to_string().contains(&format!("({attempts} attempts)")), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_is_given_the_time_it_asks_for() {
    let script = Script::new(|n, _| ready(if n == 0 { busy(Some("1")) } else { good() }));
    let (result, elapsed, requests) = ended(script, "").await;
    result.unwrap();
    assert_eq!(requests, 2);
    assert!(elapsed >= Duration::from_secs(1), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn no_wait_goes_past_the_deadline() {
    let (result, elapsed, requests) = ended(Script::new(|_, _| ready(busy(Some("3600")))), "").await;
    let error = result.unwrap_err();
    assert_eq!((error.kind(), requests, elapsed), (ErrorKind::Overloaded, 1, Duration::ZERO));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert!(error.is_persistent());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_left_at_the_timeout_and_at_the_deadline() {
    for (options, attempts, at_most) in [
        ("?timeout=100ms&retries=0", 1, 101),
        ("?timeout=100ms", 3, 100 + 50 + 100 + 100 + 100 + 3),
        ("", 2, 2001),
        ("?timeout=10m&deadline=50ms", 1, 51),
        ("?timeout=5s&retries=0", 1, 5001),
    ] {
        let script = Script::new(|_, _| pending());
        let (result, elapsed, requests) = ended(script, options).await;
        let error = result.unwrap_err();
        assert_eq!((error.kind(), requests), (ErrorKind::Timeout, attempts), "{options}");
        assert!(elapsed <= Duration::from_millis(at_most), "{options}: {elapsed:?}");
        let message = error.to_string();
        assert!(
            message.contains("set option timeout") || message.contains("set option deadline"),
            "{message}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_learns_how_long_it_is_waited_for() {
    let script = Script::new(|_, _| pending());
    let seen = Arc::clone(&script.seen);
    let remote = script.remote_with("?timeout=1s&deadline=1500ms");
    remote.lookup(&[postcode("AB10 1AB")]).await.unwrap_err();
    let seen = seen.lock().unwrap();
    let header = |n: usize, name: &str| seen[n].headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header(0, "postcode-deadline-ms"), "1000");
    let left: u64 = header(1, "postcode-deadline-ms").parse().unwrap();
    assert!((449..=500).contains(&left), "{left}");
    assert_eq!(header(0, "x-request-id"), header(1, "x-request-id"), "one call, one id");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_of_the_whole_batch() {
    // Each request is fast enough; all of them together are not.
    let script = Script::new(|_, request: http::Request<Bytes>| async move {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let asked: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let query = asked["postcodes"][0].as_str().unwrap();
        let body =
            format!(r#"{{"status":200,"result":[{{"query":"{query}","status":"unknown","result":null}}]}}"#);
        Ok(Response::builder().header("content-type", "application/json").body(Bytes::from(body)).unwrap())
    });
    let remote = script.remote_with("?batch=1&concurrency=1&deadline=1s");
    let start = Instant::now();
    let error = remote.lookup(&[postcode("AB10 1AB"); 10]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("not finished within the deadline of 1s"), "{error}");
    assert!(start.elapsed() <= Duration::from_millis(1001));
}
