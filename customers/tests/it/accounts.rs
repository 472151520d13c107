//! The HTTP API: the fields of an account, and its addresses.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.
#![cfg(feature = "server")]

use crate::databases::{Database, on_both};
use crate::lookups::Mode;
use crate::router::{Answer, ada, api, get, send};
use postcode_core::ErrorKind;
use serde_json::{Value, json};

async fn made(api: &axum::Router, body: &Value) -> (String, Answer) {
    let made = send(api, "POST", "/customers", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    (made.header("location").to_owned(), made)
}

fn delivery() -> Value {
    json!({ "kind": "delivery", "postcode": "m11ae", "address_lines": ["1 High Street"],
            "valid_from": "2025-01-31", "valid_to": null })
}

async fn everything_that_is_said_is_kept(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    let mut new = ada("SW1A 1AA");
    new["phone"] = json!("(020) 7946 0018");
    new["notes"] = json!("Rings twice.\nLikes tea.");
    new["references"] = json!([{ "system": "crm", "id": "4711" }]);
    new["addresses"] = json!([delivery()]);
    let (path, answer) = made(&api, &new).await;
    let body = answer.json();
    assert_eq!(body["phone"], "+442079460018");
    assert_eq!((&body["notes"], &body["references"]), (&new["notes"], &new["references"]));
    let addresses = body["addresses"].as_array().unwrap();
    assert_eq!(addresses.len(), 2);
    assert_eq!((&addresses[0]["kind"], &addresses[0]["postcode"]), (&json!("main"), &json!("SW1A 1AA")));
    assert_eq!((&addresses[1]["id"], &addresses[1]["postcode"]), (&json!(2), &json!("M1 1AE")));
    assert_eq!(
        (&addresses[1]["admin_district"], &addresses[1]["valid_from"]),
        (&json!("Manchester"), &json!("2025-01-31"))
    );
    assert_eq!(get(&api, &path).await.json(), body);

    // Sent back as it was read, nothing changes but the revision; what an older client does not
    // know of stays.
    let put = send(&api, "PUT", &path, &body).await;
    assert_eq!(put.json()["addresses"], body["addresses"], "{}", put.text);
    let mut old = ada("M1 1AE");
    old["email"] = body["email"].clone();
    let put = send(&api, "PUT", &path, &old).await.json();
    assert_eq!(
        (&put["postcode"], &put["phone"], &put["notes"]),
        (&json!("M1 1AE"), &body["phone"], &body["notes"])
    );
    assert_eq!(put["addresses"][1], body["addresses"][1]);
    // A merge patch takes away with null.
    let none = json!({ "phone": null, "notes": null, "references": null, "addresses": null });
    let bare = send(&api, "PATCH", &path, &none).await.json();
    assert_eq!(
        (&bare["phone"], &bare["notes"], &bare["references"]),
        (&Value::Null, &Value::Null, &json!([]))
    );
    assert_eq!(bare["addresses"].as_array().unwrap().len(), 1, "the main one stays: {bare}");

    for (field, value, wrong) in [
        ("phone", json!("ring me"), "phone"),
        ("phone", json!(442079460018_i64), "phone"),
        ("notes", json!("x".repeat(4001)), "notes"),
        ("notes", json!("bell\u{7}"), "notes"),
        ("references", json!([{ "system": "crm" }]), "references[0].id"),
        ("references", json!([1]), "references[0]"),
        ("references", json!("crm"), "references"),
        (
            "addresses",
            json!([{ "kind": "home", "postcode": "M1 1AE", "address_lines": ["1"] }]),
            "addresses[0].kind",
        ),
        (
            "addresses",
            json!([{ "kind": "other", "postcode": "M1", "address_lines": ["1"] }]),
            "addresses[0].postcode",
        ),
        (
            "addresses",
            json!([{ "kind": "other", "postcode": "M1 1AE", "address_lines": [] }]),
            "addresses[0].address_lines",
        ),
        (
            "addresses",
            json!([{ "kind": "other", "postcode": "M1 1AE", "address_lines": ["1"], "form": 1 }]),
            "addresses[0].form",
        ),
        (
            "addresses",
            json!([{ "id": 99, "kind": "other", "postcode": "M1 1AE", "address_lines": ["1"] }]),
            "addresses[0].id",
        ),
        (
            "addresses",
            json!([{ "kind": "other", "postcode": "M1 1AE", "address_lines": ["1"], "valid_to": "31/1/2025" }]),
            "addresses[0].valid_to",
        ),
        ("addresses", json!(vec![delivery(); 20]), "addresses"),
        ("surname", json!("King"), "surname"),
        ("address_status", json!("verified"), "address_status"),
    ] {
        let refused = send(&api, "PATCH", &path, &json!({ field: value })).await;
        refused.problem(422, "invalid_customer");
        assert_eq!(refused.fields(), [wrong], "{}", refused.text);
    }
    let unchanged = get(&api, &path).await.json();
    assert_eq!(unchanged, bare);
}

async fn the_main_address_is_said_flat_or_in_the_list(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    let main = json!({ "kind": "main", "postcode": "M1 1AE", "address_lines": ["1 High Street"] });
    let listed = json!({ "name": "Ada", "email": "listed@example.com", "addresses": [delivery(), main] });
    let (path, answer) = made(&api, &listed).await;
    let body = answer.json();
    assert_eq!((&body["postcode"], &body["addresses"][0]["kind"]), (&json!("M1 1AE"), &json!("main")));

    // Change the main address in the flat fields, in the list, or in both.
    let (mut flat, mut list, mut both) = (body.clone(), body.clone(), body.clone());
    flat["postcode"] = json!("SW1A 1AA");
    let changed = send(&api, "PUT", &path, &flat).await.json();
    assert_eq!(
        (&changed["postcode"], &changed["addresses"][0]["postcode"]),
        (&json!("SW1A 1AA"), &json!("SW1A 1AA"))
    );
    send(&api, "PUT", &path, &body).await;
    list["addresses"][0]["postcode"] = json!("DN55 1PT");
    assert_eq!(send(&api, "PUT", &path, &list).await.json()["address_status"], "terminated");
    both["postcode"] = json!("SW1A 1AA");
    both["addresses"][0]["postcode"] = json!("JE2 3AB");
    let refused = send(&api, "PUT", &path, &both).await;
    refused.problem(422, "invalid_customer");
    assert_eq!(refused.fields(), ["postcode"]);

    // None, two, and one that is made something else.
    let none = json!({ "name": "Ada", "email": "none@example.com", "addresses": [delivery()] });
    assert_eq!(send(&api, "POST", "/customers", &none).await.fields(), ["postcode", "address_lines"]);
    let two = json!({ "name": "Ada", "email": "two@example.com", "addresses": [main, main] });
    assert_eq!(send(&api, "POST", "/customers", &two).await.fields(), ["addresses[1].kind"]);
    let mut demoted = body["addresses"].clone();
    demoted[0]["kind"] = json!("previous");
    assert_eq!(send(&api, "PATCH", &path, &json!({ "addresses": demoted })).await.fields(), ["addresses"]);
    // A move: the old one is kept as such.
    demoted.as_array_mut().unwrap().push(main.clone());
    let moved = send(&api, "PATCH", &path, &json!({ "addresses": demoted })).await.json();
    let kinds: Vec<_> =
        moved["addresses"].as_array().unwrap().iter().map(|a| (&a["id"], &a["kind"])).collect();
    assert_eq!(kinds[0], (&json!(3), &json!("main")), "{moved}");
    assert!(kinds.contains(&(&body["addresses"][0]["id"], &json!("previous"))), "{moved}");
}

async fn addresses_are_added_changed_and_removed(database: Database) {
    let (api, lookup) = api(&database, Mode::Answers).await;
    let (path, _) = made(&api, &ada("SW1A 1AA")).await;
    let addresses = format!("{path}/addresses");
    let added = send(&api, "POST", &addresses, &delivery()).await;
    assert_eq!((added.status.as_u16(), added.header("location")), (201, &*format!("{addresses}/2")));
    assert_eq!((added.header("etag"), &added.json()["admin_district"]), ("\"2\"", &json!("Manchester")));
    assert_eq!(get(&api, added.header("location")).await.text, added.text);

    // Accepted while the lookup is down, resolved when it is back: with one new revision.
    lookup.set(Mode::Fails(ErrorKind::Unavailable));
    let mut billing = delivery();
    billing["kind"] = json!("billing");
    billing["postcode"] = json!("DN55 1PT");
    let put = send(&api, "PUT", &format!("{addresses}/2"), &billing).await.json();
    assert_eq!((&put["id"], &put["address_status"]), (&json!(2), &json!("pending")));
    assert_eq!(get(&api, &path).await.json()["address_status"], "verified", "the main one is as it was");

    send(&api, "DELETE", &format!("{addresses}/1"), &Value::Null).await.problem(409, "main_address");
    let mut second = delivery();
    second["kind"] = json!("main");
    for (method, at) in [("POST", addresses.clone()), ("PUT", format!("{addresses}/2"))] {
        assert_eq!(send(&api, method, &at, &second).await.fields(), ["kind"]);
    }
    assert_eq!(send(&api, "PUT", &format!("{addresses}/1"), &delivery()).await.fields(), ["kind"]);
    for number in ["3", "0", "-1", "01", "x", "99999999999999999999"] {
        send(&api, "PUT", &format!("{addresses}/{number}"), &delivery())
            .await
            .problem(404, "address_not_found");
    }
    let removed = send(&api, "DELETE", &format!("{addresses}/2"), &Value::Null).await;
    assert_eq!((removed.status.as_u16(), removed.header("etag")), (204, "\"4\""));
    // Its number is not given out again.
    assert_eq!(send(&api, "POST", &addresses, &delivery()).await.json()["id"], 3);
    assert_eq!(get(&api, &addresses).await.json()["items"].as_array().unwrap().len(), 2);
    for _ in 0..18 {
        assert_eq!(send(&api, "POST", &addresses, &delivery()).await.status, 201);
    }
    assert_eq!(send(&api, "POST", &addresses, &delivery()).await.fields(), ["addresses"]);
    let nobody = "/customers/018f0000-0000-7000-8000-000000000000/addresses";
    send(&api, "POST", nobody, &delivery()).await.problem(404, "customer_not_found");
}

async fn an_email_belongs_to_one_account(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    let (mut one, mut two) = (ada("SW1A 1AA"), ada("M1 1AE"));
    one["email"] = json!("Zoë@example.com");
    let (first, _) = made(&api, &one).await;
    two["email"] = json!("zoË@EXAMPLE.com");
    let detail = send(&api, "POST", "/customers", &two).await.problem(409, "email_taken");
    assert!(detail.contains("zoË@EXAMPLE.com"), "{detail}");
    two["email"] = json!("two@example.com");
    let (second, _) = made(&api, &two).await;
    for method in ["PATCH", "PUT"] {
        send(&api, method, &second, &one).await.problem(409, "email_taken");
    }
    // A customer may keep its own email in another case.
    one["email"] = json!("ZOË@example.com");
    assert_eq!(send(&api, "PUT", &first, &one).await.status, 200);
    // A deleted account gives it free, and may not have it back.
    send(&api, "DELETE", &first, &Value::Null).await;
    assert_eq!(send(&api, "PATCH", &second, &json!({ "email": "zoë@example.com" })).await.status, 200);
    send(&api, "POST", &format!("{first}/restore"), &Value::Null).await.problem(409, "email_taken");
}

on_both! { crate::databases::Database::Memory;
    everything_that_is_said_is_kept,
    the_main_address_is_said_flat_or_in_the_list,
    addresses_are_added_changed_and_removed,
    an_email_belongs_to_one_account,
}
