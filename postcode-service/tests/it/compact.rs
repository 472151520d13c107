//! The compact encoding: when it is sent, and that it says what the JSON says.

use std::io::Read;

use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request};
use postcode_core::conformance::Fixture;
use postcode_core::wire::compact::{CompactBody, MEDIA_TYPE};
use postcode_core::{Local, Neighbour, Record};
use postcode_service::server::{Frontend, Options};
use serde_json::{Value, json};

use crate::common::api_over;

const JSON: &str = "application/json; charset=utf-8";

async fn frontend() -> Frontend {
    let local = Local::new(Fixture::small().dataset().unwrap());
    Frontend::new(api_over(local).await, &Options::default())
}

/// Sends a GET, or a POST if there is a body.
async fn ask(
    frontend: &Frontend,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> (u16, HeaderMap, Vec<u8>) {
    let mut request = Request::builder().method(if body.is_some() { "POST" } else { "GET" }).uri(path);
    request = request.header("host", "localhost").header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map_or_else(Body::empty, |body| body.to_string().into());
    let (parts, body) = frontend.call(request.body(body).unwrap()).await.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    (parts.status.as_u16(), parts.headers, bytes)
}

fn varies(headers: &HeaderMap) -> bool {
    let names = headers.get_all("vary").iter().flat_map(|value| value.to_str().unwrap().split(','));
    names.map(str::trim).any(|name| name.eq_ignore_ascii_case("accept"))
}

const ROUTES: [&str; 9] = [
    "/postcodes?lon=-2.235&lat=53.479&radius=1000",
    "/postcodes?q=M1%201",
    "/postcodes/M11AD/nearest?radius=1000",
    "/terminated_postcodes/EH11AD/nearest?radius=1000",
    "/postcodes/lon/-2.235/lat/53.479?radius=1000",
    "/postcodes/lat/53.479/lon/-2.235?radius=1000",
    "/within?lon=-2.235&lat=53.48&radius=500",
    "/outcodes/LS9/postcodes?limit=5",
    "/sectors/M11/postcodes?limit=3",
];

/// Checks each route in both encodings: the same records, and different entity tags.
#[tokio::test]
async fn get_is_answered_in_the_encoding_that_is_asked_for() {
    let frontend = frontend().await;
    for route in ROUTES {
        let path = format!("{route}&extended=true");
        let (status, headers, plain) = ask(&frontend, &path, &[], None).await;
        assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, JSON), "{path}");
        assert!(varies(&headers), "{path}");
        let json_tag = headers["etag"].clone();

        let accept = [("accept", MEDIA_TYPE)];
        let (status, headers, bytes) = ask(&frontend, &path, &accept, None).await;
        assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, MEDIA_TYPE), "{path}");
        assert!(varies(&headers) && headers.contains_key("postcode-edition"), "{path}");
        assert_ne!(headers["etag"], json_tag, "{path}");
        let plain: Value = serde_json::from_slice(&plain).unwrap();
        let records = |json: &Value| serde_json::from_value::<Vec<Record>>(json.clone()).unwrap();
        match CompactBody::read(&bytes, 100).unwrap() {
            CompactBody::Records(found) => assert_eq!(found, records(&plain["result"]), "{path}"),
            CompactBody::Neighbours(found) => {
                let expected: Vec<Neighbour> = serde_json::from_value(plain["result"].clone()).unwrap();
                assert_eq!(found, expected, "{path}");
            }
            CompactBody::Page { records: found, next, .. } => {
                assert_eq!(found, records(&plain["result"]), "{path}");
                assert_eq!(json!(next), plain["next"], "{path}");
            }
            other => panic!("{path}: {other:?}"),
        }

        let known = [("accept", MEDIA_TYPE), ("if-none-match", headers["etag"].to_str().unwrap())];
        assert_eq!(ask(&frontend, &path, &known, None).await.0, 304, "{path}");
        let known = [("accept", MEDIA_TYPE), ("if-none-match", json_tag.to_str().unwrap())];
        assert_eq!(ask(&frontend, &path, &known, None).await.0, 200, "{path}");
    }
}

/// Checks that a request for anything but whole extended records is answered in JSON.
#[tokio::test]
async fn anything_else_is_answered_in_json() {
    let frontend = frontend().await;
    let route = "/postcodes/M11AD/nearest?radius=1000";
    for (query, accept) in [
        ("&extended=true", "*/*"),
        ("&extended=true", "application/vnd.postcode.v2+postcard"),
        ("&extended=true", "application/json, application/vnd.postcode.v1+postcard;q=0.5"),
        ("", MEDIA_TYPE),
        ("&extended=true&filter=postcode", MEDIA_TYPE),
        ("&extended=true&limit=0", "application/json"),
    ] {
        let (status, headers, _) =
            ask(&frontend, &format!("{route}{query}"), &[("accept", accept)], None).await;
        assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, JSON), "{query} {accept}");
    }
    let accept = [("accept", MEDIA_TYPE)];
    let (_, headers, body) =
        ask(&frontend, &format!("{route}&extended=true&callback=found"), &accept, None).await;
    assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
    assert!(body.starts_with(b"/**/ typeof found"));
    let (status, headers, _) = ask(&frontend, "/postcodes?q=&extended=true&lon=x&lat=1", &accept, None).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (400, JSON));
}

#[tokio::test]
async fn bulk_answers_have_every_status_in_either_encoding() {
    let frontend = frontend().await;
    let texts = ["M1 1AD", "AB1 0AA", "ZE1 0AA", "BT1 1AA", "not a postcode", "M1 1AD"];
    let body = json!({ "postcodes": texts });
    let path = "/postcodes?extended=true";
    let (_, headers, plain) = ask(&frontend, path, &[], Some(&body)).await;
    assert!(varies(&headers) && headers["content-type"] == JSON);
    let (_, headers, bytes) = ask(&frontend, path, &[("accept", MEDIA_TYPE)], Some(&body)).await;
    assert!(varies(&headers) && headers["content-type"] == MEDIA_TYPE && !headers.contains_key("etag"));
    let CompactBody::Bulk(items) = CompactBody::read(&bytes, texts.len()).unwrap() else { panic!() };
    let plain: Value = serde_json::from_slice(&plain).unwrap();
    let statuses: Vec<&str> =
        items.iter().map(|item| item.answer.as_ref().map_or("invalid", |answer| answer.status())).collect();
    assert_eq!(statuses, ["live", "terminated", "unknown", "not_covered", "invalid", "live"]);
    for (item, plain) in items.iter().zip(plain["result"].as_array().unwrap()) {
        assert_eq!(item.query, plain["query"]);
        let record = item.answer.as_ref().and_then(|answer| answer.record());
        assert_eq!(
            record.cloned(),
            serde_json::from_value::<Option<Record>>(plain["result"].clone()).unwrap()
        );
    }
}

#[tokio::test]
async fn bulk_reverse_geocoding_repeats_its_queries() {
    let frontend = frontend().await;
    let body = json!({ "geolocations": [
        { "longitude": -2.235, "latitude": 53.479, "limit": 2, "radius": 1000, "other": true },
        { "longitude": 0, "latitude": 0 },
    ] });
    let path = "/postcodes?extended=true";
    let (_, _, plain) = ask(&frontend, path, &[], Some(&body)).await;
    let (_, headers, bytes) = ask(&frontend, path, &[("accept", MEDIA_TYPE)], Some(&body)).await;
    assert_eq!(headers["content-type"], MEDIA_TYPE);
    let CompactBody::Located(items) = CompactBody::read(&bytes, 100).unwrap() else { panic!() };
    let plain: Value = serde_json::from_slice(&plain).unwrap();
    let plain = plain["result"].as_array().unwrap();
    assert_eq!((items.len(), plain.len()), (2, 2));
    for (item, plain) in items.iter().zip(plain) {
        assert_eq!(serde_json::from_str::<Value>(item.query).unwrap(), plain["query"]);
        let expected: Option<Vec<Neighbour>> = serde_json::from_value(plain["result"].clone()).unwrap();
        assert_eq!(item.found, expected.unwrap_or_default());
    }
    assert!(!items[0].found.is_empty());
}

#[tokio::test]
async fn compact_answer_is_compressed_if_asked_for() {
    let frontend = frontend().await;
    let path = "/outcodes/LS9/postcodes?extended=true";
    let accept = [("accept", MEDIA_TYPE)];
    let (_, headers, plain) = ask(&frontend, path, &accept, None).await;
    assert!(!headers.contains_key("content-encoding"));
    let accept = [("accept", MEDIA_TYPE), ("accept-encoding", "gzip")];
    let (_, headers, small) = ask(&frontend, path, &accept, None).await;
    assert_eq!(headers["content-encoding"], "gzip");
    assert_eq!(headers["content-type"], MEDIA_TYPE);
    let mut unzipped = Vec::new();
    flate2::read::GzDecoder::new(&*small).read_to_end(&mut unzipped).unwrap();
    assert!(small.len() < plain.len() && unzipped == plain);
}
