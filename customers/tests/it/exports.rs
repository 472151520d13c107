//! Exports, histories and reports: whole, and in bounded memory.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.
#![cfg(feature = "server")]

use axum::body::Body;
use axum::http::Request;
use customers::{Customers, server};
use http_body_util::BodyExt;
use postcode_edge::Caller;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::databases::{Database, on_both};
use crate::lookups::Mode;
use crate::router::{ada, customers, get, send};

/// Builds a note of the maximum length, of characters that take four bytes each.
fn note(n: usize) -> String {
    format!("{n:0>4}{}", "𝄞".repeat(3_996))
}

async fn with_history(customers: &Customers, changes: usize) -> String {
    let api = server::router(customers.clone());
    let made = send(&api, "POST", "/customers", &ada("SW1A 1AA")).await.json();
    let path = format!("/customers/{}", made["id"].as_str().unwrap());
    for n in 0..changes {
        let changed = send(&api, "PATCH", &path, &json!({ "notes": note(n) })).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
    }
    path
}

async fn pages(api: &axum::Router, path: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(api, &format!("{path}?limit=1000&cursor={cursor}")).await.json();
        pages.push(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return pages,
        }
    }
}

async fn long_history_comes_in_pages_and_is_exported_whole(database: Database) {
    let (customers, _) = customers(&database, Mode::Answers).await;
    let path = with_history(&customers, 150).await;
    let api = server::router(customers);
    // 150 notes of 16 kB: more than one page may take, though fewer than were asked for.
    let history = pages(&api, &format!("{path}/history")).await;
    assert!((2..=6).contains(&history.len()), "{}", history.len());
    assert!(history.iter().all(|page| page.len() < 100), "a page is about a megabyte");
    let history = history.concat();
    assert_eq!(history.len(), 151);
    // Each note is stored once: old values are cut.
    for (n, entry) in history[1..].iter().enumerate() {
        assert_eq!(entry["changes"]["notes"]["to"], note(n));
        let before = entry["changes"]["notes"]["from"].as_str().unwrap_or_default();
        let expected: String = note(n.wrapping_sub(1)).chars().take(200).chain(['…']).collect();
        assert_eq!(before, if n == 0 { "" } else { &expected });
    }
    let export = get(&api, &format!("{path}/export")).await;
    assert_eq!(export.header("content-type"), "application/json");
    assert!(export.header("content-disposition").starts_with("attachment; filename=\"customer-"));
    let export = export.json();
    assert_eq!(export["history"], Value::Array(history));
    assert_eq!((&export["revision"], &export["history_next_cursor"]), (&json!(151), &Value::Null));
    assert_eq!(export["customer"], get(&api, &path).await.json());
    assert!(export["exported_at"].as_str().unwrap().ends_with('Z'));
}

async fn export_of_a_new_account_has_its_creation(database: Database) {
    let (customers, _) = customers(&database, Mode::Answers).await;
    let path = with_history(&customers, 0).await;
    let export = get(&server::router(customers), &format!("{path}/export")).await.json();
    assert_eq!(export["history"].as_array().unwrap().len(), 1);
    let fields: Vec<_> = export.as_object().unwrap().keys().collect();
    assert_eq!(fields.len(), 5, "{fields:?}");
}

async fn listing_of_long_notes_comes_in_smaller_pages(database: Database) {
    let (customers, _) = customers(&database, Mode::Answers).await;
    let api = server::router(customers);
    for n in 0..200 {
        let mut new = ada("SW1A 1AA");
        new["notes"] = json!(note(n));
        assert_eq!(send(&api, "POST", "/customers", &new).await.status, 201);
    }
    for near in ["", "near=SW1A1AA&radius=5&"] {
        let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = get(&api, &format!("/customers?{near}limit=1000&cursor={cursor}")).await.json();
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| item["notes"].as_str().unwrap()[..4].to_owned()));
            pages += 1;
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, (0..200).map(|n| format!("{n:0>4}")).collect::<Vec<_>>(), "{near}");
        assert!((2..=3).contains(&pages), "{near} {pages}: a page is about two megabytes");
    }
}

on_both! { crate::databases::Database::Memory;
    long_history_comes_in_pages_and_is_exported_whole,
    export_of_a_new_account_has_its_creation,
    listing_of_long_notes_comes_in_smaller_pages,
}

#[tokio::test]
async fn exports_above_the_limit_are_refused_until_one_ends() {
    let database = Database::file();
    let (customers, _) = customers(&database, Mode::Answers).await;
    let path = with_history(&customers, 1).await;
    let mut options = server::Options::default();
    options.exports = 1;
    let api = server::router_with(customers, options);
    let export = format!("{path}/export");
    let begun = api.clone().oneshot(Request::get(&export).body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(begun.status(), 200);
    let refused = get(&api, &export).await;
    refused.problem(503, "too_many_exports");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(get(&api, &format!("{path}/history")).await.status, 200, "a page needs no place");
    // Read to its end, and given up in the middle.
    begun.into_body().collect().await.unwrap();
    assert_eq!(get(&api, &export).await.status, 200);
    drop(api.clone().oneshot(Request::get(&export).body(Body::empty()).unwrap()).await.unwrap());
    assert_eq!(get(&api, &export).await.status, 200);
}

#[tokio::test]
async fn client_has_no_more_than_half_of_the_exports() {
    let database = Database::file();
    let (customers, _) = customers(&database, Mode::Answers).await;
    let path = with_history(&customers, 1).await;
    let api = server::router(customers);
    let ask = async |caller: &str| {
        let request = Request::get(format!("{path}/export")).extension(Caller(caller.into()));
        api.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    let held = [ask("a").await, ask("a").await];
    assert!(held.iter().all(|export| export.status() == 200));
    assert_eq!(ask("a").await.status(), 503, "two of four are its share");
    let of_another = ask("b").await;
    assert_eq!(of_another.status(), 200);
    of_another.into_body().collect().await.unwrap();
    drop(held);
    assert_eq!(ask("a").await.status(), 200);
}

#[tokio::test]
async fn history_keeps_the_values_of_its_newest_thousand_changes() {
    let database = Database::Memory;
    let (customers, _) = customers(&database, Mode::Answers).await;
    let api = server::router(customers.clone());
    let made = send(&api, "POST", "/customers", &ada("SW1A 1AA")).await.json();
    let path = format!("/customers/{}", made["id"].as_str().unwrap());
    for n in 0..1_199 {
        let changed = send(&api, "PATCH", &path, &json!({ "notes": format!("\"from\": {n}") })).await;
        assert_eq!(changed.status, 200);
    }
    let history = pages(&api, &format!("{path}/history")).await.concat();
    assert_eq!(history.len(), 1_200);
    assert_eq!(history[0]["changes"]["name"], json!({}), "its creation, too");
    for (n, entry) in history.iter().enumerate().skip(1) {
        // Revision 1,200 was the last to look.
        let values = &entry["changes"]["notes"];
        let expected = format!("\"from\": {}", n - 1);
        assert_eq!(
            values.get("to").and_then(Value::as_str),
            (n >= 200).then_some(&*expected),
            "{n}: {values}"
        );
        assert!(entry["at"].is_string() && entry["action"] == "changed" && entry["revision"] == n + 1);
    }
}

#[tokio::test]
async fn history_of_more_than_ten_thousand_changes_loses_its_oldest() {
    let database = Database::file();
    let (customers, _) = customers(&database, Mode::Answers).await;
    let path = with_history(&customers, 0).await;
    let id = path.rsplit('/').next().unwrap();
    let pool = sqlx::SqlitePool::connect(&database.url()).await.unwrap();
    let statement = format!(
        "INSERT INTO audit (customer_id, at, action, revision, changes) \
         WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10499) \
         SELECT '{id}', 0, 'changed', i, '{{\"notes\":{{}}}}' FROM n"
    );
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&pool).await.unwrap();
    let revision = format!("UPDATE customers SET revision = 10499 WHERE id = '{id}'");
    sqlx::query(sqlx::AssertSqlSafe(revision)).execute(&pool).await.unwrap();
    pool.close().await;

    let api = server::router(customers);
    assert_eq!(send(&api, "PATCH", &path, &json!({ "notes": "last" })).await.status, 200);
    let history = pages(&api, &format!("{path}/history")).await.concat();
    let revisions: Vec<i64> = history.iter().map(|entry| entry["revision"].as_i64().unwrap()).collect();
    let expected: Vec<i64> = std::iter::once(1).chain(501..=10_500).collect();
    assert_eq!(revisions, expected, "the creation, and the last ten thousand");
    let export = get(&api, &format!("{path}/export")).await.json();
    assert_eq!(export["history"].as_array().unwrap().len(), 10_001);
}
