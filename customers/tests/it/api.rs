//! The HTTP API, over the router.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.
#![cfg(feature = "server")]

use std::sync::Arc;

use crate::databases::{Database, on_both};
use crate::lookups::Mode;
use crate::router::{ada, api, get, raw, send};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use customers::{Customers, server};
use postcode_core::ErrorKind;
use serde_json::{Value, json};

use crate::lookups;

async fn create_answers_201_with_location_and_the_fields_in_order(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    let mut new = ada(" sw1a1aa ");
    new["email"] = json!("ada@example.com");
    let made = send(&api, "POST", "/customers", &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(made.headers["content-type"], "application/json");
    let body = made.json();
    let location = made.headers["location"].to_str().unwrap();
    assert_eq!(location, format!("/customers/{}", body["id"].as_str().unwrap()));
    let (id, created) = (&body["id"], &body["created_at"]);
    let expected = format!(
        r#"{{"id":{id},"name":"Ada","email":"ada@example.com","postcode":"SW1A 1AA","address_lines":["Buckingham Palace","London"],"address_status":"verified","admin_district":"Westminster","region":"London","country":"England","latitude":51.501009,"longitude":-0.141588,"created_at":{created},"updated_at":{created},"phone":null,"notes":null,"references":[],"addresses":[{{"id":1,"kind":"main","postcode":"SW1A 1AA","address_lines":["Buckingham Palace","London"],"valid_from":null,"valid_to":null,"address_status":"verified","admin_district":"Westminster","region":"London","country":"England","latitude":51.501009,"longitude":-0.141588}}]}}"#
    );
    assert_eq!(made.text, expected);
    let created: jiff::Timestamp = created.as_str().unwrap().parse().unwrap();
    assert!(body["created_at"].as_str().unwrap().ends_with('Z') && created <= jiff::Timestamp::now());
    assert_eq!(get(&api, location).await.text, made.text);
}

async fn each_answer_of_the_lookup_has_its_status(database: Database) {
    let (api, lookup) = api(&database, Mode::Answers).await;
    for (postcode, status) in [
        ("M1 1AE", "verified"),
        ("DN55 1PT", "terminated"),
        ("SW1A 9ZZ", "unknown"),
        ("BT1 5GS", "not_covered"),
    ] {
        let made = send(&api, "POST", "/customers", &ada(postcode)).await;
        assert_eq!(
            (made.status.as_u16(), &made.json()["address_status"]),
            (201, &json!(status)),
            "{postcode}"
        );
    }
    lookup.set(Mode::Fails(ErrorKind::Overloaded));
    let made = send(&api, "POST", "/customers", &ada("M1 1AE")).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.json()["address_status"], "pending");
    assert_eq!(made.json()["admin_district"], Value::Null);
}

async fn what_is_no_postcode_is_422_and_says_why(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    let refused = send(&api, "POST", "/customers", &ada("hello world")).await;
    let why = "hello world".parse::<postcode_core::Postcode>().unwrap_err().to_string();
    assert!(refused.problem(422, "invalid_customer").contains(&why));
    assert_eq!(refused.fields(), ["postcode"]);
    assert!(refused.json()["errors"][0]["message"].as_str().unwrap().contains(&why));
}

async fn wrong_fields_are_422_and_named(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    let nothing = send(&api, "POST", "/customers", &json!({})).await;
    nothing.problem(422, "invalid_customer");
    assert_eq!(nothing.fields(), ["name", "email", "postcode", "address_lines"]);
    for (field, value) in [
        ("name", json!(5)),
        ("name", json!("")),
        ("name", json!("x".repeat(201))),
        ("email", json!("nobody")),
        ("postcode", json!(null)),
        ("address_lines", json!("1 High Street")),
        ("address_lines", json!(["1 High Street", 2])),
        ("address_lines", json!([])),
        ("address_lines", json!(vec!["x"; 11])),
    ] {
        let mut body = ada("SW1A 1AA");
        body[field] = value;
        let refused = send(&api, "POST", "/customers", &body).await;
        refused.problem(422, "invalid_customer");
        assert_eq!(refused.fields(), [field], "{body}");
    }
    for body in [json!([]), json!("text"), json!(null)] {
        send(&api, "POST", "/customers", &body).await.problem(422, "invalid_customer");
    }
    assert_eq!(get(&api, "/customers").await.json(), json!({ "items": [], "next_cursor": null }));
}

async fn errors_of_a_body_with_thousands_of_them_are_few(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    let made = send(&api, "POST", "/customers", &ada("SW1A 1AA")).await.json();
    let path = format!("/customers/{}", made["id"].as_str().unwrap());
    let mut new = ada("SW1A 1AA");
    for (name, item) in [("references", json!({})), ("addresses", json!({})), ("addresses", json!(1))] {
        let list = Value::Array(vec![item; 20_000]);
        new.as_object_mut().unwrap().retain(|field, _| field != "references" && field != "addresses");
        new[name] = list.clone();
        let answers = [
            send(&api, "POST", "/customers", &new).await,
            send(&api, "PUT", &path, &new).await,
            send(&api, "PATCH", &path, &json!({ name: list })).await,
        ];
        for answer in answers {
            let detail = answer.problem(422, "invalid_customer");
            assert_eq!(detail, format!("{name}: has 20000 entries: give at most 20"));
            assert_eq!(answer.fields(), [name]);
        }
    }
    // Lists within their limits, with more than twenty errors in each item.
    let unknown: serde_json::Map<_, _> = (0..20).map(|n| (format!("field{n}"), json!(1))).collect();
    let patch = json!({ "references": vec![&unknown; 20], "addresses": vec![&unknown; 20] });
    let answer = send(&api, "PATCH", &path, &patch).await;
    answer.problem(422, "invalid_customer");
    let fields = answer.fields();
    assert_eq!((fields.len(), &*fields[50]), (51, "errors"), "{fields:?}");
    assert!(answer.text.len() < 10_000, "{} bytes", answer.text.len());
}

async fn bodies_that_are_no_json_of_ours_are_refused(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    let post = |kind: Option<&str>, body: Vec<u8>| {
        let request = Request::post("/customers");
        let request = match kind {
            Some(kind) => request.header("content-type", kind),
            None => request,
        };
        raw(&api, request.body(body.into()).unwrap())
    };
    let good = ada("SW1A 1AA").to_string().into_bytes();
    for broken in ["", "{", "{\"name\":}", "[".repeat(5000).as_str(), "{} {}"] {
        post(Some("application/json"), broken.into()).await.problem(400, "invalid_json");
    }
    post(Some("application/json"), b"{\"name\":\"\xff\"}".into()).await.problem(400, "invalid_json");
    for kind in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonx")]
    {
        post(kind, good.clone()).await.problem(415, "unsupported_media_type");
    }
    assert_eq!(post(Some("Application/JSON; charset=utf-8"), good.clone()).await.status, 201);

    for charset in ["utf8", "\"UTF-8\"", "us-ascii"] {
        let kind = format!("application/json; charset={charset}");
        let again = ada("SW1A 1AA").to_string().replace("ada@", &format!("{}@", charset.trim_matches('"')));
        assert_eq!(post(Some(&kind), again.into()).await.status, 201, "{kind}");
    }
    post(Some("application/json; charset=latin1"), good.clone()).await.problem(415, "unsupported_media_type");
    let marked = format!("\u{feff}{}", ada("SW1A 1AA").to_string().replace("ada@", "mark@"));
    assert_eq!(post(Some("application/json"), marked.into()).await.status, 201);

    let packed = async |coding: &str, body: Vec<u8>| {
        let request = Request::post("/customers")
            .header("content-type", "application/json")
            .header("content-encoding", coding);
        raw(&api, request.body(body.into()).unwrap()).await
    };
    let unknown = packed("compress", good.clone()).await;
    assert_eq!(unknown.headers["accept-encoding"], "gzip, deflate, br, zstd");
    unknown.problem(415, "unsupported_media_type");
    packed("gzip", good.clone()).await.problem(400, "invalid_body");
    packed("gzip", postcode_testing::gzip(&vec![b' '; 64 * 1024 + 1])).await.problem(413, "too_large");
    let body = ada("SW1A 1AA").to_string().replace("ada@", "packed@");
    assert_eq!(packed("gzip", postcode_testing::gzip(body.as_bytes())).await.status, 201);
    let body = ada("SW1A 1AA").to_string().replace("ada@", "brotli@");
    assert_eq!(packed("br", postcode_testing::brotli(body.as_bytes())).await.status, 201);

    let large = vec![b' '; 64 * 1024 + 1];
    post(Some("application/json"), large.clone()).await.problem(413, "too_large");
    // The same when the length is not said beforehand.
    let pieces = large.chunks(1000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>();
    let body = Body::from_stream(futures::stream::iter(pieces));
    let request = Request::post("/customers").header("content-type", "application/json").body(body).unwrap();
    raw(&api, request).await.problem(413, "too_large");
}

async fn put_replaces_patch_changes_delete_removes(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    let made = send(&api, "POST", "/customers", &ada("SW1A 1AA")).await;
    let path = made.headers["location"].to_str().unwrap().to_owned();
    let made = made.json();

    // As it was read, with one change.
    let mut body = made.clone();
    body["postcode"] = json!("m11ae");
    let put = send(&api, "PUT", &path, &body).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let put = put.json();
    assert_eq!((&put["postcode"], &put["admin_district"]), (&json!("M1 1AE"), &json!("Manchester")));
    assert_eq!((&put["id"], &put["created_at"]), (&made["id"], &made["created_at"]));
    assert!(put["updated_at"].as_str() >= made["updated_at"].as_str());
    send(&api, "PUT", &path, &json!({ "name": "Ada" })).await.problem(422, "invalid_customer");

    let patched = send(&api, "PATCH", &path, &json!({ "name": "Grace" })).await.json();
    assert_eq!((&patched["name"], &patched["postcode"]), (&json!("Grace"), &json!("M1 1AE")));
    assert_eq!(send(&api, "PATCH", &path, &json!({ "name": null })).await.fields(), ["name"]);
    assert_eq!(send(&api, "PATCH", &path, &json!({ "postcode": "??" })).await.fields(), ["postcode"]);
    assert_eq!(get(&api, &path).await.json(), patched);

    let gone = send(&api, "DELETE", &path, &Value::Null).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    for method in ["GET", "DELETE"] {
        send(&api, method, &path, &Value::Null).await.problem(404, "customer_not_found");
    }
    for method in ["PUT", "PATCH"] {
        send(&api, method, &path, &ada("SW1A 1AA")).await.problem(404, "customer_not_found");
    }
}

async fn what_is_not_there_is_404_and_what_can_not_be_done_is_405(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    for id in ["0", "018f0000-0000-7000-8000-000000000000", "%FF", "..", "%00", &"x".repeat(5000)] {
        get(&api, &format!("/customers/{id}")).await.problem(404, "customer_not_found");
    }
    for path in ["/page", "/customer", "/customers/", "/customers/a/b"] {
        get(&api, path).await.problem(404, "not_found");
    }
    // A message names the path and does not send all of it back.
    let detail = get(&api, &format!("/none/{}", "x".repeat(5000))).await.problem(404, "not_found");
    assert!(detail.len() < 1_010 && detail.contains("/none/xxx"), "{detail}");
    let refused = send(&api, "DELETE", "/customers", &Value::Null).await;
    refused.problem(405, "method_not_allowed");
    assert_eq!(refused.headers["allow"], "GET,HEAD,POST");
    send(&api, "POST", "/health", &Value::Null).await.problem(405, "method_not_allowed");
}

async fn listing_goes_by_cursor(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(send(&api, "POST", "/customers", &ada("SW1A 1AA")).await.json());
    }
    let first = get(&api, "/customers?limit=2").await.json();
    assert_eq!(first["items"], json!(made[..2]));
    let cursor = first["next_cursor"].as_str().unwrap();
    made.push(send(&api, "POST", "/customers", &ada("M1 1AE")).await.json());
    let second = get(&api, &format!("/customers?limit=3&cursor={cursor}")).await.json();
    assert_eq!(second["items"], json!(made[2..5]));
    let cursor = second["next_cursor"].as_str().unwrap();
    let third = get(&api, &format!("/customers?limit=1&cursor={cursor}")).await.json();
    assert_eq!(third, json!({ "items": made[5..], "next_cursor": null }));
    assert_eq!(get(&api, "/customers?limit=&cursor=").await.json()["items"], json!(made));

    for query in ["limit=0", "limit=1001", "limit=-1", "limit=99999999999999999999999", "limit=x", "cursor=x"]
    {
        get(&api, &format!("/customers?{query}")).await.problem(400, "invalid_query");
    }
    get(&api, "/customers?limit=1&limit=2").await.problem(400, "invalid_query");
}

async fn health_and_readiness_do_not_ask_the_lookup(database: Database) {
    let (api, lookup) = api(&database, Mode::Hangs).await;
    assert_eq!(get(&api, "/health").await.json(), json!({ "status": "ok" }));
    assert_eq!(get(&api, "/ready").await.json(), json!({ "status": "ready" }));
    assert_eq!(lookup.calls(), 0);
}

async fn a_store_that_is_closed_is_not_ready(database: Database) {
    let store = database.open().await;
    let api = server::router(Customers::new(store.clone(), Arc::new(lookups::country())));
    store.close().await;
    get(&api, "/ready").await.problem(503, "not_ready");
    let failed = send(&api, "POST", "/customers", &ada("SW1A 1AA")).await;
    assert!(!failed.problem(503, "store_unavailable").contains("pool"));
}

on_both! { crate::databases::Database::Memory;
    create_answers_201_with_location_and_the_fields_in_order,
    each_answer_of_the_lookup_has_its_status,
    what_is_no_postcode_is_422_and_says_why,
    wrong_fields_are_422_and_named,
    errors_of_a_body_with_thousands_of_them_are_few,
    bodies_that_are_no_json_of_ours_are_refused,
    put_replaces_patch_changes_delete_removes,
    what_is_not_there_is_404_and_what_can_not_be_done_is_405,
    listing_goes_by_cursor,
    health_and_readiness_do_not_ask_the_lookup,
    a_store_that_is_closed_is_not_ready,
}
