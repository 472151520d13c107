//! `/dataset`: the file that replicas download.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for production"
)]

use std::sync::Arc;
use std::time::Duration;

use crate::common::{Answer, api_over, get, send, small};
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use postcode_core::Local;
use postcode_core::dataset::{Dataset, DatasetBuilder, Metadata, Row};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Frontend, Listener, Options, run};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn api_with(local: Local, max_downloads: usize) -> Api {
    let limits = Limits { max_downloads, ..Limits::default() };
    Api::new(Edition::of_local(local).await.unwrap(), limits)
}

async fn ask(api: &Api, method: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri("/dataset");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(api, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn the_file_comes_whole_and_says_what_it_is() {
    let bytes = small().dataset().as_bytes().to_vec();
    let api = api_with(small(), 8).await;
    let answer = ask(&api, "GET", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.body == bytes), (200, true));
    let info = get(&api, "/dataset/info").await.json();
    let fingerprint = info["result"]["fingerprint"].as_str().unwrap();
    assert_eq!(answer.header("etag"), format!("\"{fingerprint}\""));
    assert_eq!(answer.header("postcode-edition"), fingerprint);
    assert_eq!(answer.header("content-length"), bytes.len().to_string());
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(answer.header("link"), "<dataset/info>; rel=\"describedby\"");
    let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(&bytes)));
    assert_eq!(answer.header("repr-digest"), digest);
    // The answer is a valid dataset.
    Dataset::from_bytes(answer.body.clone()).unwrap().verify().unwrap();

    let head = ask(&api, "HEAD", &[]).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    for name in ["etag", "content-length", "repr-digest", "accept-ranges"] {
        assert_eq!(head.header(name), answer.header(name), "{name}");
    }
    assert_eq!(get(&api, "/DATASET/").await.status, 200);
}

#[tokio::test]
async fn a_range_comes_alone_if_the_edition_is_the_same() {
    let bytes = small().dataset().as_bytes().to_vec();
    let (api, len) = (api_with(small(), 8).await, bytes.len());
    let etag = ask(&api, "HEAD", &[]).await.header("etag").to_owned();
    let part = ask(&api, "GET", &[("range", "bytes=10-19"), ("if-range", &etag)]).await;
    assert_eq!((part.status.as_u16(), &*part.body), (206, &bytes[10..20]));
    assert_eq!(part.header("content-range"), format!("bytes 10-19/{len}"));
    assert_eq!((part.header("content-length"), part.header("etag")), ("10", &*etag));
    let whole = ask(&api, "HEAD", &[]).await;
    assert_eq!(part.header("repr-digest"), whole.header("repr-digest"), "that of the whole file");

    let other = ask(&api, "GET", &[("range", "bytes=10-19"), ("if-range", "\"other\"")]).await;
    assert_eq!((other.status.as_u16(), other.body.len()), (200, len));
    let by_date = [("range", "bytes=10-19"), ("if-range", "Sun, 06 Nov 1994 08:49:37 GMT")];
    assert_eq!(ask(&api, "GET", &by_date).await.status, 200);
    let beyond = ask(&api, "GET", &[("range", &format!("bytes={len}-"))]).await;
    assert_eq!((beyond.status.as_u16(), beyond.header("content-range")), (416, &*format!("bytes */{len}")));
    assert_eq!(ask(&api, "GET", &[("range", "bytes=0-1,4-5")]).await.status, 200);
    let head = ask(&api, "HEAD", &[("range", "bytes=0-9")]).await;
    assert_eq!((head.status.as_u16(), head.header("content-length"), head.body.len()), (206, "10", 0));

    for (due, status) in [(&*etag, 206), ("*", 206), ("\"x\"", 412), (&*format!("W/{etag}"), 412)] {
        let answer = ask(&api, "GET", &[("if-match", due), ("range", "bytes=0-9")]).await;
        assert_eq!(answer.status.as_u16(), status, "{due}");
    }
    for known in [&*etag, &*format!("\"x\", {etag}"), "*"] {
        let same = ask(&api, "GET", &[("if-none-match", known), ("range", "bytes=0-9")]).await;
        assert_eq!((same.status.as_u16(), same.body.len(), same.header("etag")), (304, 0, &*etag));
    }
    assert_eq!(ask(&api, "GET", &[("if-none-match", "\"x\"")]).await.status, 200);
}

#[tokio::test]
async fn downloads_have_places_of_their_own() {
    let api = api_with(big(), 1).await;
    let request = || Request::get("/dataset").body(Body::empty()).unwrap();
    let first = api.call(request()).await;
    assert_eq!(first.status(), 200);
    let refused = ask(&api, "GET", &[]).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "1"));
    assert_eq!(refused.json()["code"], "overloaded");
    // Requests about the file and lookups are not affected.
    assert_eq!(ask(&api, "HEAD", &[]).await.status, 200);
    assert_eq!(get(&api, "/postcodes/AB101AB").await.status, 200);
    // A client that goes away gives its place back.
    drop(first);
    let mut tries = 0;
    while ask(&api, "GET", &[]).await.status != 200 {
        tries += 1;
        assert!(tries < 1_000, "the place was not given back");
        tokio::task::yield_now().await;
    }
}

/// More than fits into the transfer's own buffers.
fn big() -> Local {
    let mut builder = DatasetBuilder::new(Metadata::new("x".repeat(1 << 20)));
    builder.push(&Row::live("AB10 1AB".parse().unwrap())).unwrap();
    Local::new(builder.build().unwrap())
}

#[tokio::test]
async fn a_transfer_under_way_keeps_its_edition() {
    let api = api_with(big(), 8).await;
    let bytes = big().dataset().as_bytes().to_vec();
    let response = api.call(Request::get("/dataset").body(Body::empty()).unwrap()).await;
    api.replace(Edition::of_local(small()).await.unwrap());
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert!(body == bytes);
    assert!(ask(&api, "GET", &[]).await.body == small().dataset().as_bytes());
}

#[tokio::test]
async fn a_server_without_a_file_says_so() {
    let api = api_over(small()).await;
    let answer = ask(&api, "GET", &[]).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (501, &"not_supported".into()));
    let lookup = Edition::of(Arc::new(small())).await.unwrap();
    assert_eq!(lookup.info().live, 4);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// However a client cuts it, it gets the file.
    #[test]
    fn any_ranges_make_up_the_file(mut cuts in prop::collection::vec(0..6_000_usize, 0..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let api = api_with(small(), 8).await;
            let bytes = small().dataset().as_bytes().to_vec();
            cuts.retain(|cut| *cut > 0 && *cut < bytes.len());
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            cuts.dedup();
            let mut all = Vec::new();
            for pair in cuts.windows(2) {
                let range = format!("bytes={}-{}", pair[0], pair[1] - 1);
                let part = ask(&api, "GET", &[("range", &range)]).await;
                prop_assert_eq!(part.status.as_u16(), 206);
                all.extend(part.body);
            }
            prop_assert!(all == bytes);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_client_that_stops_reading_does_not_keep_the_place_of_others() {
    // More than any system keeps in the buffers of a connection.
    let country = Local::embedded().unwrap();
    let options = Options { send_timeout: Duration::from_millis(100), ..Options::default() };
    let frontend = Arc::new(Frontend::new(api_with(country, 1).await, &options));
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = listener.url().unwrap();
    let address = url.strip_prefix("http://").unwrap();
    let server = tokio::spawn(run(listener, frontend, options, std::future::pending()));

    let ask = async |head: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("{head} /dataset HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        (stream, String::from_utf8_lossy(&status).into_owned())
    };
    let (_stalled, status) = ask("GET").await;
    assert_eq!(status, "HTTP/1.1 200");
    postcode_testing::until("the only place is free", async || ask("GET").await.1 == "HTTP/1.1 200").await;
    server.abort();
}
