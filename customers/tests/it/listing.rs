//! The HTTP API's listings: filters, the neighbourhood of a postcode, and cursors through both.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.
#![cfg(feature = "server")]

use crate::databases::{Database, on_both};
use crate::lookups::Mode;
use crate::router::{ada, api, customers, get, raw, send, with};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use customers::server;
use postcode_core::ErrorKind;
use postcode_edge::Client;
use serde_json::{Value, json};
use std::time::Duration;

/// Returns the names in a listing, in the order of creation.
async fn names(api: &Router, query: &str) -> Vec<String> {
    let answer = get(api, &format!("/customers?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    let body = answer.json();
    body["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

async fn make(api: &Router, name: &str, email: &str, postcode: &str, more: Value) -> Value {
    let mut new =
        json!({ "name": name, "email": email, "postcode": postcode, "address_lines": ["1 High Street"] });
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = send(api, "POST", "/customers", &new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()
}

/// Two listings of a client wait for the lookup. It has no third place, and another client has one.
async fn client_has_two_of_three_places_for_listings(database: Database) {
    let (customers, lookup) = customers(&database, Mode::Waits).await;
    let api = server::router(customers.with_lookup_timeout(Duration::from_secs(600)));
    let asked = |path: &str, client: &str| {
        let client = Client::new(Some(client.parse().unwrap()));
        let request = Request::get(path).extension(client).body(Body::empty()).unwrap();
        let api = api.clone();
        async move { raw(&api, request).await.status }
    };
    let held: Vec<_> = (0..2).map(|_| tokio::spawn(asked("/customers?near=SW1A1AA", "192.0.2.1"))).collect();
    while lookup.calls() < 2 {
        lookup.called.notified().await;
    }
    let third = tokio::spawn(asked("/customers", "192.0.2.1"));
    for _ in 0..3 {
        assert_eq!(asked("/customers", "192.0.2.2").await, 200);
    }
    let early = third.is_finished();
    while !held.iter().all(|listed| listed.is_finished()) {
        lookup.release.notify_waiters();
        tokio::task::yield_now().await;
    }
    for listed in held {
        assert_eq!(listed.await.unwrap(), 200);
    }
    // It waits until one of the two is free, unless the machine is so slow that it has given up.
    let third = third.await.unwrap();
    assert!(if early { third == 503 } else { third == 200 || third == 503 }, "{early}: {third}");
}

async fn filters_let_through_what_they_say(database: Database) {
    let (api, lookup) = api(&database, Mode::Answers).await;
    make(&api, "Ada", "ada@example.com", "SW1A 1AA", json!({})).await;
    let billing = json!([{ "kind": "billing", "postcode": "M1 1AE", "address_lines": ["1"] }]);
    make(&api, "Élodie 100% O'Neil", "e_l@example.org", "DN55 1PT", json!({ "addresses": billing })).await;
    make(&api, "Zoë", "zoe@example.com", "SW1A 9ZZ", json!({})).await;
    lookup.set(Mode::Fails(ErrorKind::Unavailable));
    let last = make(&api, "Bob", "bob.adams@example.net", "M1 1AE", json!({})).await;
    lookup.set(Mode::Answers);

    const E: &str = "Élodie 100% O'Neil";
    for (query, expected) in [
        ("q=ada", vec!["Ada", "Bob"]),
        ("q=ADA%40EX", vec!["Ada"]),
        ("q=%C3%89LOD", vec![E]),
        ("name=zo%C3%8B", vec!["Zoë"]),
        ("name=zoe", vec!["Zoë"]),
        ("name=zoe%CC%88", vec!["Zoë"]),
        ("q=elodie", vec![E]),
        ("name=o%E2%80%99neil", vec![E]),
        ("email=zo%C3%AB", vec![]),
        ("name=ada", vec!["Ada"]),
        ("name=100%25", vec![E]),
        ("name=1%25%25", vec![]),
        ("name=%25", vec![E]),
        ("email=_", vec![E]),
        ("email=example.com", vec!["Ada", "Zoë"]),
        ("name=%27+OR+1%3D1+--", vec![]),
        ("postcode=sw1", vec!["Ada", "Zoë"]),
        ("postcode=SW1A%201", vec!["Ada"]),
        ("postcode=m11ae", vec![E, "Bob"]),
        ("postcode=S", vec!["Ada", "Zoë"]),
        ("postcode=W", vec![]),
        ("outcode=sw1a", vec!["Ada", "Zoë"]),
        ("outcode=SW1", vec![]),
        ("outcode=M1", vec![E, "Bob"]),
        ("district=westminster", vec!["Ada"]),
        ("district=Manchester", vec![E]),
        ("district=West", vec![]),
        ("status=verified", vec!["Ada", E]),
        ("status=terminated", vec![E]),
        ("status=unknown", vec!["Zoë"]),
        ("status=pending", vec!["Bob"]),
        // All at once, of one and the same address.
        ("status=terminated&outcode=M1", vec![]),
        ("status=verified&outcode=M1", vec![E]),
        ("q=example&outcode=SW1A&status=unknown", vec!["Zoë"]),
        ("updated_since=2000-01-01T00:00:00Z", vec!["Ada", E, "Zoë", "Bob"]),
        ("updated_since=2999-01-01T00:00:00Z", vec![]),
        ("q=&name=&status=&deleted=false", vec!["Ada", E, "Zoë", "Bob"]),
        ("deleted=true", vec![]),
    ] {
        assert_eq!(names(&api, query).await, expected, "{query}");
    }
    let since = last["updated_at"].as_str().unwrap();
    assert_eq!(names(&api, &format!("updated_since={since}")).await, ["Bob"]);

    for query in [
        "colour=blue",
        "status=odd",
        "outcode=SW1A1AA",
        "postcode=%C3%A9",
        "q=%00",
        "q=%20",
        &format!("q={}", "x".repeat(257)),
        "deleted=1",
        "updated_since=yesterday",
        "near=nowhere",
        "near=SW1A1AA&radius=-1",
        "near=SW1A1AA&radius=NaN",
        "near=SW1A1AA&radius=500001",
        "radius=5",
        "q=a&q=b",
    ] {
        get(&api, &format!("/customers?{query}")).await.problem(400, "invalid_query");
    }
}

async fn sorted_listings_have_every_account_once_and_in_order(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    for (name, email, postcode) in [
        ("Émile", "b@example.com", "SW1A 1AA"),
        ("ada", "C@example.com", "M1 1AE"),
        ("Zoë", "a@example.com", "DN55 1PT"),
        ("Ada", "d@example.com", "M1 1AE"),
        ("O\u{2019}Neil", "e@example.com", "EH1 1YZ"),
    ] {
        let billing = json!([{ "kind": "billing", "postcode": "AB10 1AB", "address_lines": ["1"] }]);
        make(&api, name, email, postcode, json!({ "addresses": billing })).await;
    }
    let ada = get(&api, "/customers?name=ada&limit=1").await.json()["items"][0]["id"].clone();
    let path = format!("/customers/{}", ada.as_str().unwrap());
    let changed = with(&api, "PATCH", &path, &[], &json!({ "notes": "changed last" })).await;
    assert_eq!(changed.status, 200);
    for (sort, expected) in [
        ("created", ["Émile", "ada", "Zoë", "Ada", "O\u{2019}Neil"]),
        ("name", ["ada", "Ada", "Émile", "O\u{2019}Neil", "Zoë"]),
        ("email", ["Zoë", "Émile", "ada", "Ada", "O\u{2019}Neil"]),
        ("postcode", ["Zoë", "O\u{2019}Neil", "ada", "Ada", "Émile"]),
        ("updated", ["Émile", "Zoë", "Ada", "O\u{2019}Neil", "ada"]),
    ] {
        for descending in [false, true] {
            let sort = if descending { format!("-{sort}") } else { sort.to_owned() };
            let mut expected = expected.to_vec();
            if descending {
                expected.reverse();
            }
            assert_eq!(names(&api, &format!("sort={sort}")).await, expected, "{sort}");
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let path = format!("/customers?sort={sort}&limit=2&total=true{cursor}");
                let page = get(&api, &path).await.json();
                assert_eq!((&page["total"], &page["total_exact"]), (&json!(5), &json!(true)), "{sort}");
                let items = page["items"].as_array().unwrap();
                found.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(found, expected, "{sort} in pages");
        }
    }
    // In a circle too, and with the distances of the right customers.
    let near = get(&api, "/customers?near=M1+1AE&radius=1&sort=-name&limit=1&total=true").await.json();
    assert_eq!((&near["items"][0]["name"], &near["total"]), (&json!("Ada"), &json!(2)));
    assert_eq!(near["items"][0]["distance_m"], json!(0.0));
    let next = near["next_cursor"].as_str().unwrap();
    assert_eq!(names(&api, &format!("near=M1+1AE&radius=1&sort=-name&limit=1&cursor={next}")).await, ["ada"]);

    let filtered = get(&api, "/customers?q=a@&total=true&limit=1").await.json();
    assert_eq!((&filtered["total"], &filtered["items"][0]["name"]), (&json!(1), &json!("Zoë")));
    assert_eq!(get(&api, "/customers").await.json().get("total"), None);
    for query in [
        "sort=age",
        "sort=--name",
        "total=yes",
        &format!("sort=email&cursor={next}"),
        &format!("cursor={next}"),
        "sort=name&cursor=a1",
    ] {
        get(&api, &format!("/customers?{query}")).await.problem(400, "invalid_query");
    }
    let history = format!("/customers/{}/history?cursor={next}", ada.as_str().unwrap());
    get(&api, &history).await.problem(400, "invalid_query");
}

async fn a_neighbourhood_is_a_circle_around_a_postcode(database: Database) {
    let (api, lookup) = api(&database, Mode::Answers).await;
    // London, Doncaster, no location, Manchester with a delivery to London.
    for (name, postcode) in [("L", "SW1A 1AA"), ("D", "DN55 1PT"), ("J", "JE2 3AB")] {
        make(&api, name, &format!("{name}@example.com"), postcode, json!({})).await;
    }
    let delivery = json!([{ "kind": "delivery", "postcode": "SW1A 1AA", "address_lines": ["1"] }]);
    make(&api, "M", "m@example.com", "M1 1AE", json!({ "addresses": delivery })).await;

    assert_eq!(names(&api, "near=SW1A1AA&radius=0").await, ["L", "M"]);
    assert_eq!(names(&api, "near=SW1A1AA").await, ["L", "M"]);
    // Manchester to Doncaster is 73 km, to London 262.
    assert_eq!(names(&api, "near=M1+1AE&radius=72000").await, ["M"]);
    assert_eq!(names(&api, "near=M1+1AE&radius=75000").await, ["D", "M"]);
    assert_eq!(names(&api, "near=M1+1AE&radius=263000").await, ["L", "D", "M"]);
    // The distance is that of the matching address.
    let found = get(&api, "/customers?near=M1+1AE&radius=300000&outcode=SW1A").await.json();
    let items = found["items"].as_array().unwrap();
    let far: Vec<_> = items.iter().map(|item| item["distance_m"].as_f64().unwrap().round()).collect();
    assert_eq!(items.len(), 2);
    assert!(far.iter().all(|metres| (261_000.0..263_000.0).contains(metres)), "{far:?}");
    assert_eq!(get(&api, "/customers?near=M1+1AE").await.json()["items"][0]["distance_m"], 0.0);
    assert!(get(&api, "/customers").await.json()["items"][0].get("distance_m").is_none());

    // No location, and then no lookup to ask.
    let detail = get(&api, "/customers?near=JE23AB").await.problem(400, "invalid_query");
    assert!(detail.contains("JE2 3AB"), "{detail}");
    lookup.set(Mode::Fails(ErrorKind::Unavailable));
    let failed = get(&api, "/customers?near=SW1A1AA").await;
    failed.problem(503, "lookup_unavailable");
    assert_eq!(failed.header("retry-after"), "1");
    assert_eq!(names(&api, "").await.len(), 4, "who asks for no neighbourhood needs no lookup");
}

async fn cursors_go_through_what_a_filter_lets_through(database: Database) {
    let (api, _) = api(&database, Mode::Answers).await;
    let mut expected = Vec::new();
    for n in 0..240 {
        let (postcode, near) = if n % 3 == 0 { ("SW1A 1AA", true) } else { ("M1 1AE", false) };
        let mut new = ada(postcode);
        new["name"] = json!(format!("N{n}"));
        assert_eq!(send(&api, "POST", "/customers", &new).await.status, 201);
        expected.extend(near.then(|| format!("N{n}")));
    }
    for filter in ["near=SW1A1AA&radius=1000", "outcode=SW1A", "district=Westminster&q=n"] {
        for limit in [7, 40, 79, 80, 81] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let query = format!("{filter}&limit={limit}&cursor={cursor}");
                let page = get(&api, &format!("/customers?{query}")).await.json();
                let items = page["items"].as_array().unwrap();
                assert!(items.len() <= limit);
                seen.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = next.to_owned(),
                    None => break,
                }
            }
            assert_eq!(seen, expected, "{filter} {limit}");
        }
    }
}

on_both! { crate::databases::Database::Memory;
    client_has_two_of_three_places_for_listings,
    filters_let_through_what_they_say,
    a_neighbourhood_is_a_circle_around_a_postcode,
    cursors_go_through_what_a_filter_lets_through,
    sorted_listings_have_every_account_once_and_in_order,
}
