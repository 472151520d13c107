//! The page, and the routes that it uses.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.
#![cfg(feature = "server")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use customers::{Customers, Store, server};
use http_body_util::BodyExt;
use postcode_core::{
    Answer, DatasetInfo, Error, ErrorKind, Location, MockPostcodeLookup, Page, Postcode, PostcodeLookup,
    Record, Region,
};
use serde_json::{Value, json};
use tower::ServiceExt;

async fn api(lookup: impl PostcodeLookup + 'static) -> Router {
    let store = Store::open("sqlite::memory:").await.unwrap();
    server::router(Customers::new(store, Arc::new(lookup)))
}

async fn get(api: &Router, path: &str) -> (u16, HeaderMap, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (head, body) = api.clone().oneshot(request).await.unwrap().into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
    (head.status.as_u16(), head.headers, text)
}

async fn json_of(api: &Router, path: &str) -> (u16, Value) {
    let (status, _, text) = get(api, path).await;
    (status, serde_json::from_str(&text).unwrap())
}

/// Returns the postcode with that number from `SW1A 0AA` to `SW1A 9ZZ`.
fn postcode(n: usize) -> Postcode {
    let letter = |n: usize| char::from(b"ABDEFGHJLNPQRSTUWXYZ"[n % 20]);
    format!("SW1A {}{}{}", n / 400, letter(n / 20), letter(n)).parse().unwrap()
}

fn record(n: usize) -> Record {
    let mut record = Record::live(postcode(n));
    record.location = Some(Location::new(51.5 + n as f64 * 1e-6, -0.1).unwrap());
    record
}

/// `all` postcodes within any circle of more than 300 m, and ten in a narrower one.
fn town(all: usize) -> MockPostcodeLookup {
    let mut lookup = MockPostcodeLookup::new();
    lookup.expect_lookup().returning(|postcodes| {
        let answer = |&postcode: &Postcode| match postcode {
            bare if bare == crate::page::postcode(1) => Answer::Live(Record::live(bare)),
            forces if forces.area() == "BF" => Answer::NotCovered,
            none if none.outcode().to_string() != "SW1A" => Answer::Unknown,
            _ => Answer::Live(record(0)),
        };
        Ok(postcodes.iter().map(answer).collect())
    });
    lookup.expect_autocomplete().returning(|_, limit| Ok((0..limit).map(postcode).collect()));
    lookup.expect_info().returning(|| {
        let mut info = DatasetInfo::new("August 2025");
        info.not_covered = vec!["BF".to_owned()];
        Ok(info)
    });
    lookup.expect_within().returning(move |query| {
        let Region::Circle { radius, .. } = query.region else { panic!("{query:?}") };
        let count = if radius > 300.0 { all } else { 10 };
        let from = query.after.map_or(0, |after| (0..count).find(|&n| postcode(n) == after).unwrap() + 1);
        let to = count.min(from + query.limit);
        let next = (to < count).then(|| postcode(to - 1));
        Ok(Some(Page::new((from..to).map(record).collect(), next)))
    });
    lookup
}

#[tokio::test]
async fn the_files_are_served_and_let_nothing_else_in() {
    let api = api(town(0)).await;
    let (status, headers, page) = get(&api, "/").await;
    assert_eq!((status, &headers["content-type"]), (200, &"text/html; charset=utf-8".parse().unwrap()));
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none';"));
    for file in ["page.css", "map.js", "page.js", "sign-in.js"] {
        assert!(page.contains(&format!("=\"{file}\"")), "the page names {file}");
        let (status, headers, text) = get(&api, &format!("/{file}")).await;
        assert_eq!((status, &headers["x-content-type-options"]), (200, &"nosniff".parse().unwrap()));
        assert!(!text.contains("http://") || file == "map.js", "{file}: nothing from elsewhere");
    }
}

#[tokio::test]
async fn completions_are_as_many_as_asked_for() {
    let api = api(town(0)).await;
    let (status, body) = json_of(&api, "/postcodes?prefix=sw1a&limit=2").await;
    assert_eq!((status, body), (200, json!({ "items": ["SW1A 0AA", "SW1A 0AB"] })));
    for bad in ["limit=0", "limit=21", "limit=many", "prefx=a"] {
        let (status, body) = json_of(&api, &format!("/postcodes?{bad}")).await;
        assert_eq!((status, &body["code"]), (400, &json!("invalid_query")), "{bad}: {body}");
    }
}

#[tokio::test]
async fn look_up_of_a_forces_postcode_gives_advice() {
    let api = api(town(0)).await;
    let (status, body) = json_of(&api, "/postcodes/bf12ay").await;
    assert_eq!((status, &body["address_status"]), (200, &json!("not_covered")));
    assert!(body["advice"].as_str().unwrap().contains("British Forces"), "{body}");
    let (_, body) = json_of(&api, "/postcodes/SW1A0AA").await;
    assert_eq!((&body["address_status"], body.get("advice")), (&json!("verified"), None));
    let (status, body) = json_of(&api, "/postcodes/SWIA0AA").await;
    assert_eq!((status, &body["errors"][0]["suggestion"]), (400, &json!("SW1A 0AA")));
}

#[tokio::test]
async fn a_map_has_all_around_its_middle_and_is_narrowed_where_they_are_too_many() {
    let quiet = api(town(2_500)).await;
    let (status, map) = json_of(&quiet, "/postcodes/sw1a0aa/map").await;
    assert_eq!(status, 200, "{map}");
    assert_eq!((&map["radius"], map["around"].as_array().unwrap().len()), (&json!(500.0), 2_500));
    assert_eq!(map["around"][0], json!(["SW1A 0AA", 51.5, -0.1]));
    assert_eq!((&map["postcode"], &map["address_status"]), (&json!("SW1A 0AA"), &json!("verified")));

    let crowded = api(town(3_001)).await;
    let (_, map) = json_of(&crowded, "/postcodes/SW1A0AA/map?radius=1000").await;
    assert_eq!((&map["radius"], map["around"].as_array().unwrap().len()), (&json!(250.0), 10));

    for (path, status, code) in [
        ("/postcodes/SW1A0AB/map", 404, "no_location"),
        ("/postcodes/M11AE/map", 404, "no_location"),
        ("/postcodes/nonsense/map", 400, "invalid_query"),
        ("/postcodes/%FF/map", 400, "invalid_query"),
        ("/postcodes/%FF", 400, "invalid_query"),
        ("/postcodes/SW1A0AA/map?radius=99", 400, "invalid_query"),
        ("/postcodes/SW1A0AA/map?radius=NaN", 400, "invalid_query"),
        ("/postcodes/SW1A0AA/map?radius=5001", 400, "invalid_query"),
    ] {
        let (got, body) = json_of(&quiet, path).await;
        assert_eq!((got, &body["code"]), (status, &json!(code)), "{path}: {body}");
    }
}

#[tokio::test]
async fn without_the_lookup_it_says_so() {
    let down = || Error::new(ErrorKind::Unavailable, "no route to it");
    let mut lookup = MockPostcodeLookup::new();
    lookup.expect_lookup().returning(move |_| Err(down()));
    lookup.expect_autocomplete().returning(move |_, _| Err(down()));
    let api = api(lookup).await;
    for path in ["/postcodes?prefix=sw1a", "/postcodes/SW1A1AA", "/postcodes/SW1A1AA/map"] {
        let (status, body) = json_of(&api, path).await;
        assert_eq!((status, &body["code"]), (503, &json!("lookup_unavailable")), "{path}: {body}");
    }
}
