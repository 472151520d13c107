//! Tests the error of each invalid response: its kind, its message, and whether it may be retried.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use postcode_core::{Error, ErrorKind, Location, Nearest, PostcodeLookup};

use crate::remote::fake::{Script, postcode};
use ErrorKind::*;

const JSON: (&str, &str) = ("content-type", "application/json");

async fn lookup(script: Script) -> Error {
    script.remote().lookup(&[postcode("AB10 1AB")]).await.unwrap_err()
}

fn body(status: u16, error: &str, more: &str) -> String {
    format!(r#"{{"status":{status},"error":"{error}"{more}}}"#)
}

#[tokio::test]
async fn the_code_comes_first_and_the_status_second() {
    for (status, more, kind) in [
        // A known code.
        (500, r#","code":"invalid_input""#, InvalidInput),
        (503, r#","code":"unavailable""#, Unavailable),
        (503, r#","code":"overloaded""#, Overloaded),
        (503, r#","code":"timeout""#, Timeout),
        (400, r#","code":"not_supported""#, NotSupported),
        (500, r#","code":"dataset""#, Dataset),
        (500, r#","code":"internal""#, Internal),
        (404, r#","code":"invalid_postcode""#, InvalidInput),
        (404, r#","code":"resource_not_found""#, Protocol),
        (404, r#","code":"postcode_not_found""#, Protocol),
        // No code, or one of a later release.
        (400, "", InvalidInput),
        (400, r#","code":"of_the_future""#, InvalidInput),
        (413, "", InvalidInput),
        (422, "", InvalidInput),
        (404, "", Protocol),
        (404, r#","code":"of_the_future""#, Protocol),
        (405, "", Protocol),
        (401, "", Protocol),
        (408, "", Timeout),
        (429, "", Overloaded),
        (500, "", Internal),
        (501, "", NotSupported),
        (502, "", Unavailable),
        (503, r#","code":"of_the_future""#, Overloaded),
        (504, "", Timeout),
        (599, "", Internal),
    ] {
        let error = lookup(Script::json(status, &body(status, "what went\\n wrong", more))).await;
        assert_eq!(error.kind(), kind, "{status} {more}: {error}");
        let message = error.to_string();
        let start = "POST http://fake:8080/prefix/postcodes?extended=true: the server answers";
        assert!(message.starts_with(&format!("{start} {status}: what went wrong")), "{message}");
        assert_eq!(message.contains("(code \"of_the_future\")"), more.contains("of_the_future"), "{message}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn what_is_not_ours_is_a_protocol_error_with_its_start_shown() {
    let html = ("content-type", "text/html; charset=utf-8");
    let page = "<html><body>It works!</body></html>";
    for (script, kind, says) in [
        (Script::always(200, &[html], page), Protocol, "It works!"),
        (Script::always(404, &[html], page), Protocol, "It works!"),
        (Script::always(400, &[html], page), Protocol, "text/html"),
        (Script::always(200, &[], "hello"), Protocol, "no content type in place of JSON"),
        (Script::always(503, &[html], page), Overloaded, "It works!"),
        (Script::always(502, &[html], page), Unavailable, "It works!"),
        (Script::always(500, &[], ""), Internal, "500"),
        (Script::always(401, &[html], page), Protocol, "check the user and password"),
        (Script::always(302, &[("location", "https://other/")], ""), Protocol, "\"https://other/\""),
        (Script::json(404, r#"{"message":"no Route matched"}"#), Protocol, "no Route matched"),
        (Script::json(503, r#"{"message":"busy"}"#), Overloaded, "busy"),
        (Script::json(200, r#"{"status":200,"result":[{"query":"AB10 1"#), Protocol, "the JSON is cut off"),
        (Script::json(200, ""), Protocol, "the JSON is cut off"),
        (Script::json(200, page), Protocol, "the response is not valid JSON"),
        (Script::json(200, r#"{"status":200}"#), Protocol, "does not have the expected fields"),
        (Script::json(200, r#"{"status":200,"result":null}"#), Protocol, "does not have the expected fields"),
        (Script::json(200, r#"{"status":200,"result":{}}"#), Protocol, "does not have the expected fields"),
        (Script::json(200, r#"{"status":200,"result":[3]}"#), Protocol, "does not have the expected fields"),
        (Script::always(200, &[JSON], "\u{1b}[31m\0\u{7}"), Protocol, "\\u{1b}[31m\\0"),
    ] {
        let error = lookup(script).await;
        assert_eq!(error.kind(), kind, "{error}");
        let message = error.to_string();
        assert!(message.starts_with("POST http://fake:8080/prefix/postcodes"), "{message}");
        assert!(message.contains(says), "{says}: {message}");
    }
    let endless = "<".repeat(1 << 20);
    let error = lookup(Script::always(200, &[html], &endless)).await;
    assert!(error.to_string().len() < 500, "the start only");
}

#[tokio::test]
async fn a_content_type_is_json_by_its_essence() {
    let good = r#"{"status":200,"result":[{"query":"AB10 1AB","result":{"postcode":"AB10 1AB"}}]}"#;
    for content in ["application/json", "Application/JSON ; charset=utf-8", "application/vnd.api+json"] {
        let remote = Script::always(200, &[("content-type", content)], good).remote();
        assert!(remote.lookup(&[postcode("AB10 1AB")]).await.unwrap()[0].is_live(), "{content}");
    }
    for content in ["text/json", "application/javascript", "application/jsonp", "json", "\t"] {
        let remote = Script::always(200, &[("content-type", content)], good).remote();
        let error = remote.lookup(&[postcode("AB10 1AB")]).await.unwrap_err();
        assert_eq!(error.kind(), Protocol, "{content:?}");
    }
}

#[tokio::test]
async fn a_404_is_never_not_found_unless_it_says_so() {
    let point = Nearest::to(Location::new(57.0, -2.0).unwrap());
    let near = Nearest::to(postcode("AB10 1AB"));
    for script in [
        || Script::always(404, &[("content-type", "text/html")], "<h1>404</h1>"),
        || Script::json(404, r#"{"status":404,"error":"Resource not found"}"#),
        || Script::json(404, r#"{"status":404,"error":"Not Found","code":"resource_not_found"}"#),
        || Script::json(404, r#"{"detail":"Not Found"}"#),
    ] {
        let errors = [
            script().remote().lookup(&[postcode("AB10 1AB")]).await.unwrap_err(),
            script().remote().outcode("AB10".parse().unwrap()).await.unwrap_err(),
            script().remote().autocomplete("AB", 1).await.unwrap_err(),
            script().remote().search("AB", 1).await.unwrap_err(),
            script().remote().nearest(&point).await.unwrap_err(),
            script().remote().nearest(&near).await.unwrap_err(),
            script().remote().random(None).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), Protocol, "{error}");
            assert!(
                error.to_string().contains("is the base URL right?") || error.to_string().contains("JSON")
            );
        }
    }
}

#[tokio::test]
async fn answers_to_something_else_are_a_protocol_error() {
    let record = r#"{"postcode":"AB10 1AB","distance":1.5}"#;
    let two = Script::json(200, &format!(r#"{{"status":200,"result":[{record},{record}]}}"#));
    assert_eq!(two.remote().search("AB", 1).await.unwrap_err().kind(), Protocol);
    let far = Script::json(200, r#"{"status":200,"result":[{"postcode":"AB10 1AB"}]}"#);
    let point = Nearest::to(Location::new(57.0, -2.0).unwrap());
    let error = far.remote().nearest(&point).await.unwrap_err();
    assert!(error.kind() == Protocol && error.to_string().contains("distance"), "{error}");
    let other = Script::json(200, &format!(r#"{{"status":200,"result":{record}}}"#));
    let error = other.remote().random(Some("M1".parse().unwrap())).await.unwrap_err();
    assert!(
        error.kind() == Protocol && error.to_string().contains("the request was for a postcode of M1"),
        "{error}"
    );
    let summary = r#"{"outcode":"AB10","longitude":null,"latitude":null,"northings":0,"eastings":0,
        "admin_district":[],"parish":[],"admin_county":[],"admin_ward":[],"country":[],"parliamentary_constituency":[]}"#;
    let other = Script::json(200, &format!(r#"{{"status":200,"result":{summary}}}"#));
    assert_eq!(other.remote().outcode("M1".parse().unwrap()).await.unwrap_err().kind(), Protocol);
}

#[tokio::test]
async fn the_request_id_is_that_of_the_body_or_of_the_header() {
    let header = ("x-request-id", "from-header");
    let error = lookup(Script::always(500, &[JSON, header], &body(500, "x", ""))).await;
    assert_eq!(error.request_id(), Some("from-header"));
    let with_id = body(500, "x", r#","request_id":"from-body""#);
    let error = lookup(Script::always(500, &[JSON, header], &with_id)).await;
    assert_eq!(error.request_id(), Some("from-body"));
    assert!(error.to_string().ends_with("(request from-body)"), "{error}");
    let error = lookup(Script::always(200, &[("content-type", "text/html"), header], "<p>")).await;
    assert_eq!(error.request_id(), Some("from-header"));
    let error = lookup(Script::always(200, &[JSON, header], "{")).await;
    assert_eq!(error.request_id(), Some("from-header"));
}

#[tokio::test]
async fn retry_after_is_kept() {
    for (status, value, after) in [
        (503, "7", Some(Duration::from_secs(7))),
        (429, "0", Some(Duration::ZERO)),
        (503, "Sun, 06 Nov 1994 08:49:37 GMT", Some(Duration::ZERO)),
        (503, "soon", None),
    ] {
        let headers = [JSON, ("retry-after", value)];
        let error = lookup(Script::always(status, &headers, &body(status, "busy", ""))).await;
        assert_eq!((error.kind(), error.retry_after()), (Overloaded, after), "{value}");
        assert!(error.is_transient(), "retries are off, so an outer layer may");
    }
}

#[tokio::test]
async fn a_server_may_say_that_it_does_not_pass() {
    let script = Script::json(503, &body(503, "closed for good", r#","retryable":false"#));
    let seen = std::sync::Arc::clone(&script.seen);
    let error = script.remote_with("").lookup(&[postcode("AB10 1AB")]).await.unwrap_err();
    assert!(!error.is_transient());
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_request_carries_what_it_should() {
    let script = Script::new(|_, _| {
        std::future::ready(Ok(Response::builder().status(500).body(Bytes::new()).unwrap()))
    });
    let seen = std::sync::Arc::clone(&script.seen);
    script.remote_with("?timeout=700ms").lookup(&[postcode("AB10 1AB")]).await.unwrap_err();
    let request = seen.lock().unwrap().pop().unwrap();
    assert_eq!(request.uri(), "http://fake:8080/prefix/postcodes?extended=true");
    let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("accept"), "application/vnd.postcode.v1+postcard, application/json;q=0.5");
    assert_eq!(header("postcode-deadline-ms"), "700");
    assert_eq!(header("x-request-id").len(), 16);
    assert_eq!(header("authorization"), "Basic dXNlcjpodW50ZXIy");
    assert!(!format!("{request:?}").contains("dXNlcjpodW50ZXIy"), "marked as a secret");
    assert_eq!(request.body(), r#"{"postcodes":["AB10 1AB"]}"#);
}
