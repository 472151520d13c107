//! Extensions to the API of postcodes.io: validation, distance, bulk routes, terminated postcodes,
//! filters, strict mode, the description.
#![allow(clippy::unwrap_used)] // In a test it is the failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::common::{api_over, get, post, routes_in_sources, send, small};
use axum::body::Body;
use http::{Method, Request};
use postcode_core::Local;
use postcode_core::conformance::Fixture;
use postcode_service::api::{Api, Edition, Limits};
use serde_json::{Value, json};

#[tokio::test]
async fn validation_tells_what_a_text_is() {
    let api = api_over(small()).await;
    for (text, valid, status, postcode) in [
        ("ab101ab", true, "live", json!("AB10 1AB")),
        ("AB10AA", false, "terminated", json!("AB1 0AA")),
        ("AB109ZZ", false, "unknown", json!("AB10 9ZZ")),
        ("BT15GS", false, "not_covered", json!("BT1 5GS")),
        ("BF12AY", false, "not_covered", json!("BF1 2AY")),
        ("GX111AA", false, "not_covered", json!("GX11 1AA")),
        ("S.W.1.A.1.A.A", false, "unknown", json!("SW1A 1AA")),
        ("nonsense", false, "invalid", json!(null)),
    ] {
        let path = format!("/postcodes/{text}/validate");
        assert_eq!(get(&api, &path).await.json()["result"], json!(valid), "as postcodes.io: {text}");
        let told = get(&api, &format!("{path}?extended=true")).await.json()["result"].clone();
        assert_eq!(
            (&told["valid"], &told["status"], &told["postcode"]),
            (&json!(valid), &json!(status), &postcode)
        );
        assert_eq!(told.get("reason").is_some(), status == "invalid");
    }
    for (text, valid, status) in [
        ("ab10", true, "live"),
        ("AB1", false, "unknown"),
        ("BT1", false, "not_covered"),
        ("XX10", false, "not_covered"),
        ("E1%206", false, "invalid"),
        ("x", false, "invalid"),
    ] {
        let told = get(&api, &format!("/outcodes/{text}/validate?extended=true")).await.json();
        assert_eq!((&told["result"]["valid"], &told["result"]["status"]), (&json!(valid), &json!(status)));
    }
    let found = get(&api, "/outcodes/a/autocomplete?extended=true").await.json();
    assert_eq!(found["result"], json!(["AB10"]));
    assert_eq!(get(&api, "/outcodes/zz/autocomplete?extended=true").await.json()["result"], json!([]));
}

#[tokio::test]
async fn lookup_of_mistyped_text_tells_what_was_meant_if_extended() {
    let api = api_over(small()).await;
    for (path, advice) in [
        ("/postcodes/AB1O1AB", "the 4th character, 'O', is never used there"),
        ("/postcodes/AB1O1AB", "did you mean AB10 1AB?"),
        ("/postcodes/AB10", "AB10 is an outcode, not a whole postcode"),
        ("/postcodes/AB10%201", "AB10 1 is a sector, not a whole postcode"),
        ("/postcodes/AB1O1AB/nearest", "did you mean AB10 1AB?"),
        ("/terminated_postcodes/AB1O1AB", "did you mean AB10 1AB?"),
        ("/outcodes/E1%206", "E1 6 is a sector, not an outcode"),
        ("/postcodes/BF12AY", "British Forces Post Office"),
        ("/postcodes/BX11LT", "large organisations"),
        ("/postcodes/GX111AA", "Gibraltar"),
        ("/postcodes/XX101DD", "returned to online shops"),
    ] {
        let answer = get(&api, &format!("{path}?extended=true")).await;
        assert_eq!(answer.status, 404, "{path}");
        let told = answer.json()["advice"].as_str().unwrap_or_default().to_owned();
        assert!(told.contains(advice), "{path}: {told}");
    }
    // No area that does not exist is suggested, and postcodes.io's errors stay as they are.
    for path in [
        "/postcodes/D02X285?extended=true",
        "/postcodes/K1A0B1?extended=true",
        "/postcodes/22222?extended=true",
    ] {
        let told = get(&api, path).await.json();
        assert!(!told["advice"].as_str().unwrap().contains("did you mean"), "{told}");
    }
    assert!(get(&api, "/postcodes/AB1O1AB").await.json().get("advice").is_none());
    // The compatible API ignores spaces in an outcode.
    assert_eq!(get(&api, "/outcodes/AB1%200").await.json()["result"]["outcode"], "AB10");
}

#[tokio::test]
async fn many_at_once() {
    let api = api_over(small()).await;
    let texts = json!({"postcodes": ["AB10 1AB", "ab10aa", "BT1 5GS", "x"]}).to_string();
    let ask = async |path: &str, body: &str| post(&api, path, "application/json", body.to_owned()).await;
    let verdicts = ask("/bulk/validate", &texts).await.json()["result"].clone();
    let statuses: Vec<_> = verdicts.as_array().unwrap().iter().map(|it| &it["result"]["status"]).collect();
    assert_eq!(statuses, ["live", "terminated", "not_covered", "invalid"]);
    assert_eq!(verdicts[1]["query"], "ab10aa");

    let ended = ask("/bulk/terminated_postcodes", &texts).await.json()["result"].clone();
    assert_eq!(ended[0]["result"], json!(null));
    assert_eq!(ended[1]["result"], get(&api, "/terminated_postcodes/AB10AA").await.json()["result"]);
    let full = ask("/bulk/terminated_postcodes?extended=true", &texts).await.json()["result"].clone();
    assert_eq!(full[1]["result"]["date_of_termination"], "199606");
    let some = ask("/bulk/terminated_postcodes?filter=postcode,date_of_termination", &texts).await.json();
    assert_eq!(some["result"][1]["result"], json!({"postcode": "AB1 0AA", "date_of_termination": "199606"}));

    let outcodes = json!({"outcodes": ["ab10", "ZE1", "?"]}).to_string();
    let outcodes = ask("/bulk/outcodes", &outcodes).await.json()["result"].clone();
    assert_eq!(outcodes[0]["result"], get(&api, "/outcodes/AB10").await.json()["result"]);
    assert_eq!((&outcodes[1]["result"], &outcodes[2]["result"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn bodies_that_are_wrong_are_told_apart() {
    let api = api_over(small()).await;
    let right = r#"{"postcodes":["AB10 1AB"]}"#;
    for (path, content_type, body, status, word) in [
        ("/bulk/validate", "text/plain", right, 415, "Content-Type is \"text/plain\": send application/json"),
        ("/postcodes", "application/xml", right, 415, "\"application/xml\""),
        ("/postcodes", "application/json", r#"{"postcodes":["AB10"#, 400, "line 1 column"),
        ("/postcodes", "application/json", "7", 400, "not an object"),
        ("/bulk/validate", "application/json", "{}", 400, r#"{"postcodes":[…]}"#),
        ("/bulk/validate", "application/json", r#"{"postcodes":"AB10 1AB"}"#, 400, "JSON array"),
        (
            "/bulk/validate",
            "application/json",
            r#"{"postcodes":["AB10 1AB",7]}"#,
            400,
            "postcodes[1] is a number",
        ),
        ("/bulk/outcodes", "application/json", right, 400, r#"{"outcodes":[…]}"#),
    ] {
        let answer = post(&api, path, content_type, body).await;
        assert_eq!(answer.status, status, "{path} {body}");
        let said = format!(
            "{} {}",
            answer.json()["error"].as_str().unwrap(),
            answer.json()["advice"].as_str().unwrap_or("")
        );
        assert!(said.contains(word), "{path} {body}: {said}");
    }
    let many = json!({"postcodes": vec!["AB10 1AB"; 101]}).to_string();
    let refused = post(&api, "/bulk/validate", "application/json", many).await;
    assert!(refused.json()["error"].as_str().unwrap().contains("Up to 100 postcodes"));
    // postcodes.io does not have these routes, so they exist here only with `extended=true`.
    for path in [
        "/outcodes/AB10/autocomplete",
        "/outcodes/AB10/validate",
        "/outcodes/AB10/postcodes",
        "/terminated_postcodes/AB10AA/nearest",
        "/postcodes/AB101AB/distance/AB101AF",
    ] {
        let answer = get(&api, path).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (404, &json!("Resource not found")));
        assert_eq!(get(&api, &format!("{path}?extended=true&radius=20000")).await.status, 200, "{path}");
    }
    for path in ["/outcodes", "/terminated_postcodes"] {
        assert_eq!(post(&api, path, "application/json", right).await.json()["error"], "Resource not found");
    }
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_read() {
    let api = api_over(small()).await;
    let read = Arc::new(AtomicBool::new(false));
    let body = Announced { bytes: 200_000, read: read.clone() };
    let request = Request::post("/postcodes").header("content-type", "application/json");
    let refused = send(&api, request.body(Body::new(body)).unwrap()).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (413, &json!("payload_too_large")));
    assert!(!read.load(Ordering::SeqCst));
}

/// A body that says how long it is, and notes when it is read.
struct Announced {
    bytes: u64,
    read: Arc<AtomicBool>,
}

impl hyper::body::Body for Announced {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<bytes::Bytes>, Self::Error>>> {
        self.read.store(true, Ordering::SeqCst);
        std::task::Poll::Ready(None)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.bytes)
    }
}

#[tokio::test]
async fn distance_and_what_is_around_a_terminated_postcode() {
    let api = api_over(small()).await;
    let distance = get(&api, "/postcodes/ab101ab/distance/AB1%200AA?extended=true").await.json();
    assert_eq!(
        (&distance["result"]["from"], &distance["result"]["to"]),
        (&json!("AB10 1AB"), &json!("AB1 0AA"))
    );
    let metres = distance["result"]["distance"].as_f64().unwrap();
    assert!((10_000.0..11_000.0).contains(&metres), "{metres}");
    let around =
        get(&api, "/terminated_postcodes/AB10AA/nearest?extended=true&radius=20000&filter=postcode,distance")
            .await;
    assert_eq!(around.json()["result"][0], json!({"postcode": "AB10 1AB", "distance": metres}));
    assert_eq!(get(&api, "/terminated_postcodes/AB101AB/nearest?extended=true").await.status, 404);
    assert_eq!(
        get(&api, "/terminated_postcodes/AB10AA/nearest?extended=true&radius=3000000").await.status,
        400
    );
    for (path, code) in [
        ("/postcodes/AB101AB/distance/JE24WD?extended=true", "no_location"),
        ("/postcodes/AB101AB/distance/AB109ZZ?extended=true", "postcode_not_found"),
        ("/postcodes/BT15GS/distance/AB101AB?extended=true", "not_covered"),
        ("/postcodes/nonsense/distance/AB101AB?extended=true", "invalid_postcode"),
    ] {
        let answer = get(&api, path).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (404, &json!(code)), "{path}");
    }
}

#[tokio::test]
async fn a_filter_works_wherever_there_are_postcodes() {
    let api = api_over(small()).await;
    let one = json!({"postcode": "AB10 1AB", "status": "live"});
    let filter = "extended=true&filter=%20Status,postcode,nope";
    for path in [
        "/postcodes/AB101AB?",
        "/postcodes/AB101AB/nearest?limit=1&",
        "/postcodes?q=AB101AB&",
        "/postcodes?lon=-2.096923&lat=57.14959&limit=1&",
        "/random/postcodes?outcode=AB10&",
    ] {
        let result = get(&api, &format!("{path}{filter}")).await.json()["result"].clone();
        let result = if result.is_array() { result[0].clone() } else { result };
        let keys: Vec<_> = result.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["postcode", "status"], "{path}");
        // Alone it is passed over, as postcodes.io does.
        let whole = get(&api, &format!("{path}filter=postcode")).await.json()["result"].clone();
        let whole = if whole.is_array() { whole[0].clone() } else { whole };
        assert!(whole.as_object().unwrap().contains_key("codes"), "{path}");
    }
    let ended = get(&api, "/terminated_postcodes/AB10AA?extended=true&filter=status").await.json();
    assert_eq!(ended["result"], json!({"status": "terminated"}));
    let body = r#"{"postcodes":["AB10 1AB","AB1 0AA"]}"#;
    let bulk = post(&api, &format!("/postcodes?{filter}"), "application/json", body).await.json();
    assert_eq!(bulk["result"][0]["result"], one);
    assert_eq!(bulk["result"][1]["result"], json!({"postcode": "AB1 0AA", "status": "terminated"}));
}

#[tokio::test]
async fn strict_mode_names_what_is_not_known() {
    let api = api_over(small()).await;
    for (path, word) in [
        ("/postcodes/AB101AB/nearest?radus=5&strict=true", "\"radus\": did you mean \"radius\"?"),
        ("/postcodes/AB101AB/nearest?Limit=5&strict=true", "\"Limit\": did you mean \"limit\"?"),
        ("/postcodes/AB101AB?quux=5&strict=true", "\"quux\""),
        ("/outcodes/AB10?filter=x&strict=true", "\"filter\""),
        (
            "/postcodes?q=A&filter=postcod&extended=true&strict=true",
            "\"postcod\": did you mean \"postcode\"?",
        ),
    ] {
        let answer = get(&api, path).await;
        assert_eq!(answer.status, 400, "{path}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(word), "{path}: {error}");
        assert_eq!(get(&api, &path.replace("&strict=true", "")).await.status, 200, "{path}");
    }
    let strict = Limits { strict: true, ..Limits::default() };
    let always = Api::new(Edition::of(Arc::new(small())).await.unwrap(), strict);
    assert_eq!(get(&always, "/postcodes/AB101AB?radus=5").await.status, 400);
    assert_eq!(get(&always, "/postcodes/AB101AB?radus=5&strict=false").await.status, 200);
    assert_eq!(get(&always, "/postcodes/AB101AB/nearest?radius=5&limit=1&_=17").await.status, 200);
}

#[tokio::test]
async fn every_route_of_the_source_is_in_the_description() {
    let mut routes = routes_in_sources();
    // Answered before the routes.
    routes.insert("/metrics".to_owned());
    let document = get(&api_over(small()).await, "/openapi.json").await.json();
    let mut described: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    described.sort_unstable();
    assert_eq!(routes.iter().collect::<Vec<_>>(), described);
}

/// Checks the description: each of its operations is answered, and has no parameter that strict
/// mode refuses.
#[tokio::test]
async fn every_route_of_the_description_answers() {
    let api = api_over(Local::new(Fixture::small().dataset().unwrap())).await;
    let document = get(&api, "/openapi.json").await.json();
    let values = [
        ("{postcode}", "M11AD"),
        ("{other}", "M11AE"),
        ("{outcode}", "M1"),
        ("{sector}", "M11"),
        ("{longitude}", "-2.235"),
        ("{latitude}", "53.479"),
    ];
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        // Answered around the API, which a test of the server asks.
        if path == "/metrics" {
            continue;
        }
        for (method, operation) in operations.as_object().unwrap() {
            let mut target =
                values.iter().fold(path.clone(), |path, (name, value)| path.replace(name, value));
            target = match path.as_str() {
                "/areas/{code}/postcodes" => "/areas/E08990001/postcodes".to_owned(),
                "/places/{code}" => "/places/osgb1001".to_owned(),
                "/places/{code}/postcodes" => "/places/osgb1001/postcodes".to_owned(),
                "/docs/guides/{guide}" => "/docs/guides/curl".to_owned(),
                "/find/places" => "/find/places?q=newport".to_owned(),
                "/within" if method == "get" => "/within?lon=-2.2&lat=53.4&radius=10".to_owned(),
                "/postcodes" if method == "get" => "/postcodes?q=M1".to_owned(),
                "/outcodes" => "/outcodes?lon=-2.2&lat=53.4".to_owned(),
                "/places" => "/places?q=newport".to_owned(),
                path if path.starts_with("/terminated") => target.replace("M11AD", "GIR0AA"),
                path if path.starts_with("/scotland") => target.replace("M11AD", "EH11AA"),
                _ => target,
            };
            target += if target.contains('?') {
                "&strict=true&extended=true"
            } else {
                "?strict=true&extended=true"
            };
            let body = operation["requestBody"]["description"].as_str().unwrap_or("");
            let body = body.split(" or ").next().unwrap().to_owned();
            let (content_type, body) = match path.as_str() {
                "/enrich" => ("text/csv", "postcode\nM1 1AD\n".to_owned()),
                _ => ("application/json", body),
            };
            let request = Request::builder()
                .method(Method::from_bytes(method.to_uppercase().as_bytes()).unwrap())
                .uri(&target)
                .header("content-type", content_type)
                .body(Body::from(body));
            let answer = send(&api, request.unwrap()).await;
            // This lookup has no file to give and lists nothing, and this server has no jobs, no addresses, no fleet and no tools.
            let of_addresses =
                path.ends_with("/addresses") || path.starts_with("/addresses") || path.ends_with("/streets");
            let of_files = ["/dataset", "/dataset/signature", "/proof"].contains(&path.as_str());
            let of_options = ["/promotion/plan", "/promotion/fleet", "/mcp"].contains(&path.as_str());
            // Without addresses there are no routes of Ideal Postcodes.
            let due = if path.starts_with("/v1/") {
                404
            } else if of_files || of_addresses || path.starts_with("/jobs") || of_options {
                501
            } else {
                200
            };
            assert_eq!(answer.status, due, "{method} {target}: {}", String::from_utf8_lossy(&answer.body));
            asked += 1;
            let known: Vec<&Value> =
                operation["parameters"].as_array().unwrap().iter().map(|it| &it["description"]).collect();
            assert!(known.iter().all(|it| it.as_str().is_some_and(|it| !it.is_empty())), "{path}");
        }
    }
    assert!(asked >= 35, "{asked}");
}
