//! The HTTP API: conditions, requests that are done once, deletion and erasure, and the history of
//! it all.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.
#![cfg(feature = "server")]

use crate::databases::{Database, on_both};
use crate::lookups::Mode;
use crate::router::{Answer, ada, api, get, send, with};
use customers::server;
use postcode_core::ErrorKind;
use serde_json::{Value, json};

use crate::router;

async fn made(api: &axum::Router, body: &Value) -> (String, Answer) {
    let made = send(api, "POST", "/customers", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    (made.header("location").to_owned(), made)
}

fn delivery() -> Value {
    json!({ "kind": "delivery", "postcode": "m11ae", "address_lines": ["1 High Street"],
            "valid_from": "2025-01-31", "valid_to": null })
}

async fn a_change_is_made_of_what_was_read_or_not_at_all(database: Database) {
    let (customers, _) = router::customers(&database, Mode::Answers).await;
    let api = server::router(customers.clone());
    let (path, answer) = made(&api, &ada("SW1A 1AA")).await;
    assert_eq!(answer.header("etag"), "\"1\"");
    let name = |name: &str| json!({ "name": name });
    let tag = ("if-match", "\"1\"");
    let changed = with(&api, "PATCH", &path, &[tag], &name("Grace")).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""));
    for method in ["PATCH", "PUT", "DELETE"] {
        let detail =
            with(&api, method, &path, &[tag], &ada("M1 1AE")).await.problem(412, "precondition_failed");
        assert!(detail.contains("revision 2"), "{detail}");
    }
    let addresses = format!("{path}/addresses");
    with(&api, "POST", &addresses, &[tag], &delivery()).await.problem(412, "precondition_failed");
    with(&api, "POST", &format!("{path}/erase"), &[tag], &Value::Null)
        .await
        .problem(412, "precondition_failed");
    // A weak tag matches nothing; one of several tags may match; a star matches any revision.
    with(&api, "PATCH", &path, &[("if-match", "W/\"2\"")], &name("X"))
        .await
        .problem(412, "precondition_failed");
    with(&api, "PATCH", &path, &[("if-match", "\"x\"")], &name("X"))
        .await
        .problem(412, "precondition_failed");
    with(&api, "PATCH", &path, &[("if-match", "2")], &name("X")).await.problem(400, "invalid_header");
    let several = [("if-match", "\"7\", \"2\"")];
    assert_eq!(with(&api, "PATCH", &path, &several, &name("Ada")).await.header("etag"), "\"3\"");
    assert_eq!(with(&api, "PATCH", &path, &[("if-match", "*")], &name("A")).await.header("etag"), "\"4\"");

    let same = [("if-none-match", "\"4\"")];
    let not_modified = with(&api, "GET", &path, &same, &Value::Null).await;
    assert_eq!((not_modified.status.as_u16(), not_modified.header("etag")), (304, "\"4\""));
    assert_eq!(with(&api, "GET", &path, &[("if-none-match", "W/\"4\"")], &Value::Null).await.status, 304);
    assert_eq!(with(&api, "GET", &path, &[("if-none-match", "\"3\"")], &Value::Null).await.status, 200);

    // Two editors at once: one of them wins.
    let four = [("if-match", "\"4\"")];
    let (one, two) = (name("One"), name("Two"));
    let (one, two) =
        tokio::join!(with(&api, "PATCH", &path, &four, &one), with(&api, "PATCH", &path, &four, &two));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);

    let mut options = server::Options::default();
    options.require_if_match = true;
    let strict = server::router_with(customers, options);
    for (method, path) in [("PATCH", &path), ("DELETE", &path), ("POST", &addresses)] {
        send(&strict, method, path, &name("X")).await.problem(428, "precondition_required");
    }
    assert_eq!(with(&strict, "DELETE", &path, &[("if-match", "\"5\"")], &Value::Null).await.status, 204);
}

async fn a_request_with_a_key_is_done_once(database: Database) {
    let (api, lookup) = api(&database, Mode::Answers).await;
    let key = [("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324")];
    let new = ada("SW1A 1AA");
    let first = with(&api, "POST", "/customers", &key, &new).await;
    let asked = lookup.calls();
    let again = with(&api, "POST", "/customers", &key, &new).await;
    assert_eq!((again.status.as_u16(), &again.text), (201, &first.text));
    assert_eq!((again.header("location"), lookup.calls()), (first.header("location"), asked));
    with(&api, "POST", "/customers", &key, &ada("SW1A 1AA")).await.problem(422, "idempotency_key_reused");
    // All at once, too.
    let (new, key) = (ada("M1 1AE"), [("idempotency-key", "at once")]);
    let send = || with(&api, "POST", "/customers", &key, &new);
    let (a, b, c) = tokio::join!(send(), send(), send());
    for answer in [&a, &b, &c] {
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (201, a.header("location")),
            "{}",
            answer.text
        );
    }
    assert_eq!(get(&api, "/customers").await.json()["items"].as_array().unwrap().len(), 2);

    let addresses = format!("{}/addresses", a.header("location"));
    let send = || with(&api, "POST", &addresses, &key, &DELIVERY);
    static DELIVERY: std::sync::LazyLock<Value> = std::sync::LazyLock::new(delivery);
    let (one, two) = tokio::join!(send(), send());
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (201, 201), "{} {}", one.text, two.text);
    assert_eq!((one.header("location"), &one.text), (two.header("location"), &two.text));
    assert_eq!(get(&api, &addresses).await.json()["items"].as_array().unwrap().len(), 2);

    for bad in ["", &"x".repeat(256), "é"] {
        with(&api, "POST", "/customers", &[("idempotency-key", bad)], &new)
            .await
            .problem(400, "invalid_header");
    }
    // A failed request had no effect and may be retried.
    let key = [("idempotency-key", "another")];
    let mut taken = new.clone();
    taken["name"] = json!("Grace");
    with(&api, "POST", "/customers", &key, &taken).await.problem(409, "email_taken");
    taken["email"] = json!("grace@example.com");
    assert_eq!(with(&api, "POST", "/customers", &key, &taken).await.status, 201);
}

async fn what_is_deleted_is_restored_or_erased(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    let mut new = ada("SW1A 1AA");
    new["notes"] = json!("a secret");
    let key = [("idempotency-key", "k")];
    let made = with(&api, "POST", "/customers", &key, &new).await;
    let path = made.header("location").to_owned();
    let at = |what: &str| format!("{path}/{what}");
    assert_eq!(send(&api, "DELETE", &path, &Value::Null).await.status, 204);
    get(&api, &path).await.problem(404, "customer_not_found");
    send(&api, "POST", &at("addresses"), &delivery()).await.problem(404, "customer_not_found");
    assert_eq!(get(&api, "/customers").await.json()["items"], json!([]));
    let deleted = get(&api, "/customers?deleted=true").await.json();
    assert_eq!(deleted["items"][0]["id"], made.json()["id"]);
    assert!(deleted["items"][0]["deleted_at"].is_string());
    let restored = send(&api, "POST", &at("restore"), &Value::Null).await;
    assert_eq!((restored.status.as_u16(), restored.header("etag")), (200, "\"3\""));
    assert_eq!(get(&api, &path).await.text, restored.text);

    let export = get(&api, &at("export")).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(export.header("content-disposition"), format!("attachment; filename=\"customer-{id}.json\""));
    let export = export.json();
    assert_eq!((&export["customer"], export["revision"].as_i64()), (&restored.json(), Some(3)));
    let actions = |body: &Value, of: &str| {
        let items = body[of].as_array().unwrap().clone();
        items.iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(actions(&export, "history"), ["created", "deleted", "restored"]);

    let boss = [("customers-actor", "the boss")];
    assert_eq!(with(&api, "POST", &at("erase"), &boss, &Value::Null).await.status, 204);
    for gone in [&path, &at("export")] {
        get(&api, gone).await.problem(404, "customer_not_found");
    }
    assert_eq!(get(&api, "/customers?deleted=true").await.json()["items"], json!([]));
    let history = get(&api, &at("history")).await;
    assert_eq!(actions(&history.json(), "items"), ["erased"]);
    let entry = &history.json()["items"][0];
    assert_eq!((&entry["actor"], &entry["changes"]), (&json!("the boss"), &json!({})));
    assert!(!history.text.contains("secret") && !history.text.contains("ada"), "{}", history.text);
    send(&api, "POST", &at("erase"), &Value::Null).await.problem(404, "customer_not_found");
}

async fn every_change_is_in_the_history(database: Database) {
    let (customers, lookup) = router::customers(&database, Mode::Fails(ErrorKind::Unavailable)).await;
    let api = server::router(customers.clone());
    let actor = [("customers-actor", "grace@example.org")];
    let made = with(&api, "POST", "/customers", &actor, &ada("SW1A 1AA")).await;
    let path = made.header("location").to_owned();
    send(&api, "POST", &format!("{path}/addresses"), &delivery()).await;
    lookup.set(Mode::Answers);
    assert_eq!(customers.resolve_pending().await.unwrap(), 2);
    assert_eq!(get(&api, &path).await.header("etag"), "\"3\"", "both addresses, one revision");
    with(&api, "PATCH", &path, &actor, &json!({ "name": "Grace" })).await;
    send(&api, "DELETE", &format!("{path}/addresses/2"), &Value::Null).await;

    let history = format!("{path}/history");
    let all = get(&api, &history).await.json();
    let items = all["items"].as_array().unwrap();
    let seen: Vec<_> = items
        .iter()
        .map(|entry| (entry["action"].as_str().unwrap(), entry["revision"].as_i64().unwrap()))
        .collect();
    assert_eq!(
        seen,
        [("created", 1), ("address_added", 2), ("resolved", 3), ("changed", 4), ("address_removed", 5)]
    );
    assert_eq!((&items[0]["actor"], &items[2]["actor"]), (&json!("grace@example.org"), &Value::Null));
    assert_eq!(items[0]["changes"]["addresses/1/postcode"], json!({ "from": null, "to": "SW1A 1AA" }));
    assert_eq!(
        items[2]["changes"]["addresses/1/address_status"],
        json!({ "from": "pending", "to": "verified" })
    );
    assert_eq!(
        items[2]["changes"]["addresses/2/admin_district"],
        json!({ "from": null, "to": "Manchester" })
    );
    assert_eq!(items[3]["changes"], json!({ "name": { "from": "Ada", "to": "Grace" } }));
    assert_eq!(items[4]["changes"]["addresses/2/postcode"], json!({ "from": "M1 1AE", "to": null }));
    let at: Vec<_> = items.iter().map(|entry| entry["at"].as_str().unwrap()).collect();
    assert!(at.is_sorted(), "{at:?}");

    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(&api, &format!("{history}?limit=2&cursor={cursor}")).await.json();
        paged.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(&paged, items);
    get(&api, &format!("{history}?limit=0")).await.problem(400, "invalid_query");
    get(&api, &format!("{history}?page=2")).await.problem(400, "invalid_query");
    get(&api, "/customers/018f0000-0000-7000-8000-000000000000/history")
        .await
        .problem(404, "customer_not_found");
    let nobody = [("customers-actor", " ")];
    with(&api, "POST", "/customers", &nobody, &ada("M1 1AE")).await.problem(400, "invalid_header");
}

on_both! { crate::databases::Database::Memory;
    a_change_is_made_of_what_was_read_or_not_at_all,
    a_request_with_a_key_is_done_once,
    what_is_deleted_is_restored_or_erased,
    every_change_is_in_the_history,
}
