//! Compressed answers and bodies, and the headers that scripts of other sites may read.

use std::io::Read;

use axum::body::{Body, to_bytes};
use http::{HeaderMap, Method, Request, StatusCode};
use postcode_core::Local;
use postcode_core::conformance::Fixture;
use postcode_service::server::{Frontend, Options};
use postcode_testing::{brotli, gzip};
use serde_json::{Value, json};

use crate::common::api_over;

async fn frontend() -> Frontend {
    let local = Local::new(Fixture::small().dataset().unwrap());
    Frontend::new(api_over(local).await, &Options::default())
}

async fn ask(
    frontend: &Frontend,
    (method, path): (Method, &str),
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = frontend.call(request.body(body.into()).unwrap()).await.into_parts();
    (parts.status, parts.headers, to_bytes(body, usize::MAX).await.unwrap().to_vec())
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn unzipped(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(body).read_to_end(&mut plain).unwrap();
    plain
}

#[tokio::test]
async fn long_answer_is_compressed_if_asked_for_and_is_revalidated() {
    let frontend = frontend().await;
    let path = "/outcodes/LS9/postcodes?extended=true";
    let (_, headers, plain) = ask(&frontend, (Method::GET, path), &[], Body::empty()).await;
    assert!(!headers.contains_key("content-encoding"));
    let tag = headers["etag"].to_str().unwrap().to_owned();
    let gzip = [("accept-encoding", "gzip")];
    let (status, headers, small) = ask(&frontend, (Method::GET, path), &gzip, Body::empty()).await;
    assert_eq!((status, &headers["content-encoding"]), (StatusCode::OK, &"gzip".parse().unwrap()));
    assert!(small.len() * 4 < plain.len(), "{} of {}", small.len(), plain.len());
    assert_eq!(unzipped(&small), plain);
    let packed_tag = headers["etag"].to_str().unwrap().to_owned();
    assert_ne!(tag, packed_tag);
    let varies: Vec<_> = headers.get_all("vary").iter().collect();
    assert!(varies.contains(&&"Accept-Encoding".parse().unwrap()), "{varies:?}");

    let known = [("accept-encoding", "gzip"), ("if-none-match", &*packed_tag)];
    let (status, headers, body) = ask(&frontend, (Method::GET, path), &known, Body::empty()).await;
    assert_eq!(
        (status, headers["etag"].to_str().unwrap(), body.len()),
        (StatusCode::NOT_MODIFIED, &*packed_tag, 0)
    );
    let (status, headers, body) = ask(&frontend, (Method::HEAD, path), &gzip, Body::empty()).await;
    assert_eq!(
        (status, &headers["content-encoding"], body.len()),
        (StatusCode::OK, &"gzip".parse().unwrap(), 0)
    );
}

#[tokio::test]
async fn stream_of_lines_and_short_answer_are_not_compressed() {
    let frontend = frontend().await;
    let all = ("accept-encoding", "gzip, br, zstd");
    for (path, accept) in
        [("/outcodes/LS9/postcodes?extended=true", "application/x-ndjson"), ("/ping", "*/*")]
    {
        let (status, headers, _) =
            ask(&frontend, (Method::GET, path), &[all, ("accept", accept)], Body::empty()).await;
        assert_eq!((status, headers.get("content-encoding")), (StatusCode::OK, None), "{path}");
    }
}

#[tokio::test]
async fn packed_body_is_read_within_the_limit_of_a_plain_one() {
    let frontend = frontend().await;
    let body = json!({"postcodes": ["M1 1AE"]}).to_string();
    let coded = async |coding: &str, path: &str, body: Vec<u8>| {
        ask(&frontend, (Method::POST, path), &[JSON, ("content-encoding", coding)], body).await
    };
    for (coding, packed) in [
        ("gzip", gzip(body.as_bytes())),
        ("zstd", zstd::encode_all(body.as_bytes(), 0).unwrap()),
        ("br", brotli(body.as_bytes())),
        ("identity", body.clone().into_bytes()),
    ] {
        let (status, _, answer) = coded(coding, "/postcodes", packed).await;
        assert_eq!(status, StatusCode::OK, "{coding}");
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["result"][0]["result"]["postcode"], "M1 1AE");
    }
    for (coding, packed, due) in [
        ("compress", body.clone().into_bytes(), 415),
        ("br", body.clone().into_bytes(), 400),
        ("gzip, gzip", gzip(body.as_bytes()), 415),
        ("gzip", body.clone().into_bytes(), 400),
        ("gzip", gzip(&vec![b' '; 200 << 10]), 413),
    ] {
        for path in ["/postcodes", "/bulk/validate", "/within"] {
            let (status, headers, answer) = coded(coding, path, packed.clone()).await;
            assert_eq!(status, due, "{path} {coding}: {}", String::from_utf8_lossy(&answer));
            assert_eq!(headers.contains_key("accept-encoding"), due == 415, "{path} {coding}");
        }
    }
}

#[tokio::test]
async fn scripts_of_other_sites_may_read_all_our_headers() {
    let frontend = frontend().await;
    /// Readable without permission (Fetch Standard), or of no use to scripts.
    const USUAL: [&str; 9] = [
        "access-control-allow-origin",
        "access-control-expose-headers",
        "cache-control",
        "content-length",
        "content-security-policy",
        "content-type",
        "cross-origin-resource-policy",
        "referrer-policy",
        "x-content-type-options",
    ];
    let rows = "postcode\nM1 1AE\n";
    for (method, path, headers, body) in [
        (
            Method::GET,
            "/postcodes/M11AE",
            vec![("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")],
            "",
        ),
        (Method::GET, "/outcodes/LS9/postcodes?extended=true", vec![("accept-encoding", "zstd")], ""),
        (Method::GET, "/dataset", vec![("range", "bytes=0-9")], ""),
        (Method::POST, "/enrich?columns=outcode", vec![("content-type", "text/csv")], rows),
        (Method::POST, "/postcodes", vec![JSON, ("content-encoding", "compress")], "{}"),
        (Method::GET, "/postcodes/nonsense", vec![], ""),
    ] {
        let (status, headers, _) = ask(&frontend, (method, path), &headers, body).await;
        let exposed = headers["access-control-expose-headers"].to_str().unwrap().to_ascii_lowercase();
        let exposed: Vec<_> = exposed.split(", ").collect();
        for name in headers.keys().map(http::HeaderName::as_str) {
            assert!(USUAL.contains(&name) || exposed.contains(&name), "{path} ({status}): {name}");
        }
        assert!(exposed.contains(&"postcode-notes") && exposed.contains(&"retry-after"));
    }
}
