//! Requirements of HTTP on every route: methods, headers, JSONP, forms, paths; as postcodes.io
//! answers.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use crate::common::{Answer, api_over, get, post, send, small};
use axum::body::Body;
use http::{Method, Request};
use postcode_service::api::Api;
use serde_json::json;

async fn with(api: &Api, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    send(api, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let api = api_over(small()).await;
    for path in [
        "/postcodes/AB101AB",
        "/postcodes/ZZ11ZZ",
        "/postcodes?q=AB",
        "/outcodes/AB10",
        "/ping",
        "/ready",
        "/.well-known/api-catalog",
        "/nowhere",
    ] {
        let (full, head) = (get(&api, path).await, with(&api, Method::HEAD, path, &[]).await);
        assert_eq!(
            (head.status, head.header("content-type")),
            (full.status, full.header("content-type")),
            "{path}"
        );
        assert_eq!(head.header("etag"), full.header("etag"), "{path}");
        assert!(full.status == 404 || head.body.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn options_are_answered_on_any_path() {
    let api = api_over(small()).await;
    for path in ["/postcodes/AB101AB", "/postcodes", "/nowhere", "/postcodes/%"] {
        let answer = with(&api, Method::OPTIONS, path, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-methods"), "GET,POST,OPTIONS");
        assert_eq!(
            answer.header("access-control-allow-headers"),
            "X-Requested-With, Content-Type, Accept, Origin"
        );
    }
    for path in ["/postcodes/AB101AB", "/postcodes/ZZ11ZZ", "/nowhere"] {
        assert_eq!(get(&api, path).await.header("access-control-allow-origin"), "*", "{path}");
    }
}

#[tokio::test]
async fn other_methods_have_no_route() {
    let api = api_over(small()).await;
    for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE] {
        let answer = with(&api, method.clone(), "/postcodes/AB101AB", &[]).await;
        assert_eq!(answer.status, 404, "{method}");
        assert_eq!(answer.json()["error"], "Resource not found", "{method}");
    }
}

#[tokio::test]
async fn jsonp_wraps_what_succeeds_and_nothing_else() {
    let api = api_over(small()).await;
    let text = |answer: &Answer| String::from_utf8(answer.body.clone()).unwrap();
    let plain = text(&get(&api, "/postcodes/AB101AB/validate").await);
    for (query, name) in [
        ("callback=f", "f"),
        ("callback=a.b%5B0%5D%24", "a.b[0]$"),
        ("callback=f&callback=g", "f"),
        ("callback=f();x", "fx"),
        ("callback=%3C%3E", ""),
    ] {
        let answer = get(&api, &format!("/postcodes/AB101AB/validate?{query}")).await;
        assert_eq!(
            text(&answer),
            format!("/**/ typeof {name} === 'function' && {name}({plain});"),
            "{query}"
        );
        assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(text(&get(&api, "/postcodes/AB101AB/validate?callback=").await), plain);
    let bulk = post(&api, "/postcodes?callback=f", "application/json", r#"{"postcodes":[]}"#).await;
    assert_eq!(text(&bulk), r#"/**/ typeof f === 'function' && f({"status":200,"result":[]});"#);
    let missing = get(&api, "/postcodes/ZZ11ZZ?callback=f").await;
    assert_eq!(
        (missing.status.as_u16(), missing.header("content-type")),
        (404, "application/json; charset=utf-8")
    );
    assert_eq!(missing.json()["error"], "Postcode not found");
}

#[tokio::test]
async fn a_get_can_be_conditional() {
    let api = api_over(small()).await;
    for path in ["/postcodes/AB101AB", "/postcodes?q=AB", "/outcodes/AB10", "/ping"] {
        let etag = get(&api, path).await.header("etag").to_owned();
        assert!(etag.starts_with("W/\"") || etag.starts_with('"'), "{path}: {etag}");
        let strong = etag.trim_start_matches("W/");
        for known in [etag.as_str(), "*", &format!("\"x\", {etag}"), strong] {
            for method in [Method::GET, Method::HEAD] {
                let same = with(&api, method, path, &[("if-none-match", known)]).await;
                assert_eq!((same.status.as_u16(), same.body.len()), (304, 0), "{path} {known}");
                assert_eq!(
                    (same.header("etag"), same.header("access-control-allow-origin")),
                    (etag.as_str(), "*")
                );
            }
        }
        // As in postcodes.io there is no other condition.
        let since = [("if-modified-since", "Sun, 22 Nov 2099 00:00:00 GMT"), ("if-none-match", "\"x\"")];
        assert_eq!(with(&api, Method::GET, path, &since).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn bulk_takes_forms() {
    let api = api_over(small()).await;
    let form = "application/x-www-form-urlencoded";
    let queries = async |body: &str| -> Vec<String> {
        let answer = post(&api, "/postcodes", form, body.to_owned()).await.json();
        let items = answer["result"].as_array().unwrap_or_else(|| panic!("{body}: {answer}")).iter();
        items.map(|item| item["query"].as_str().unwrap().to_owned()).collect()
    };
    for body in [
        "postcodes[]=AB10+1AB&postcodes[]=x",
        "postcodes=AB10%201AB&postcodes=x",
        "postcodes[0]=AB10+1AB&postcodes[1]=x",
    ] {
        assert_eq!(queries(body).await, ["AB10 1AB", "x"], "{body}");
    }
    assert_eq!(post(&api, "/postcodes", form, "").await.status, 400);
    assert_eq!(
        post(&api, "/postcodes", form, "postcodes=AB10+1AB").await.status,
        400,
        "one value is not an array"
    );
}

#[tokio::test]
async fn half_of_a_surrogate_pair_is_answered_as_an_invalid_postcode() {
    let api = api_over(small()).await;
    let json = "application/json";
    let body = r#"{"postcodes":["\ud800","AB10 1AB","\ud83d\ude00"]}"#;
    let answer = post(&api, "/postcodes", json, body).await;
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    let items = answer["result"].as_array().unwrap();
    let queries: Vec<_> = items.iter().map(|item| item["query"].as_str().unwrap()).collect();
    assert_eq!(queries, ["\u{fffd}", "AB10 1AB", "\u{1f600}"]);
    assert!(items[0]["result"].is_null() && items[1]["result"]["postcode"] == "AB10 1AB");
    let broken = post(&api, "/postcodes", json, r#"{"postcodes":["\ud800"}"#).await;
    assert_eq!(broken.status, 400);
}

#[tokio::test]
async fn paths_are_taken_in_any_case_and_with_a_slash_at_the_end() {
    let api = api_over(small()).await;
    for path in
        ["/POSTCODES/ab101AB", "/Postcodes/AB101AB/", "/postcodes/AB10%201AB", "/postcodes/AB10%09%201AB"]
    {
        assert_eq!(get(&api, path).await.json()["result"]["postcode"], "AB10 1AB", "{path}");
    }
    for path in ["/PING", "/ping/", "/Ready", "/ready/"] {
        assert_eq!(get(&api, path).await.status, 200, "{path}");
    }
    for path in ["//ping", "/ping//", "/postcodes//AB101AB", "/postcodes/AB101AB//"] {
        assert_eq!(get(&api, path).await.status, 404, "{path}");
    }
    assert_eq!(
        get(&api, "/postcodes/AB10+1AB").await.json()["error"],
        "Invalid postcode",
        "no space in a path"
    );
}

#[tokio::test]
async fn the_catalog_says_what_there_is() {
    let api = api_over(small()).await;
    let catalog = get(&api, "/.Well-Known/API-catalog").await;
    assert_eq!(
        catalog.header("content-type"),
        r#"application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727""#
    );
    assert_eq!(catalog.header("cache-control"), "public, max-age=3600");
    assert_eq!(catalog.header("access-control-allow-origin"), "*");
    let link = r#"</.well-known/api-catalog>; rel="api-catalog""#;
    assert_eq!((catalog.header("link"), get(&api, "/").await.header("link")), (link, link));
    let set = catalog.json()["linkset"][0].clone();
    for relation in ["service-doc", "status"] {
        let to = &set[relation][0];
        // Relative to the folder of the catalog.
        let path = to["href"].as_str().unwrap().strip_prefix("..").unwrap();
        let answer = get(&api, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").starts_with(to["type"].as_str().unwrap()), "{path}");
    }
    assert_eq!(set["anchor"], json!("../"));
}
