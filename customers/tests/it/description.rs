//! `/openapi.json`, `/docs` and `/metrics`.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::collections::BTreeSet;

use serde_json::json;

use crate::databases::Database;
use crate::lookups::Mode;
use crate::router::{ada, api, get, with};
use crate::tokens::routes;

/// Every route of the sources is described, and every operation that is described exists.
#[tokio::test]
async fn description_has_every_route_and_no_other() {
    let database = Database::file();
    let (api, _) = api(&database, Mode::Answers).await;
    let document = get(&api, "/openapi.json").await;
    assert_eq!((document.status.as_u16(), document.header("content-type")), (200, "application/json"));
    let document = document.json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    let described: BTreeSet<String> = paths.keys().cloned().collect();
    let files = ["/page.css", "/page.js", "/map.js", "/sign-in.js"].map(str::to_owned);
    assert_eq!(routes(), described.iter().cloned().chain(files).collect());
    for (path, operations) in paths {
        let target = path
            .replace("{id}", "0190a5a0-0000-7000-8000-000000000000")
            .replace("{number}", "1")
            .replace("{postcode}", "SW1A1AA");
        // Refused before the lookup is asked, because the test is about routes only.
        let target = match path.as_str() {
            "/postcodes" => format!("{target}?limit=0"),
            "/postcodes/{postcode}/map" => format!("{target}?radius=1"),
            _ => target,
        };
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let is_described = operations.get(method.to_lowercase()).is_some();
            let answer = with(&api, method, &target, &[], &json!({})).await;
            assert_eq!(answer.status != 405, is_described, "{method} {path}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn reference_is_a_page_that_loads_nothing() {
    let database = Database::file();
    let (api, _) = api(&database, Mode::Answers).await;
    let page = get(&api, "/docs").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    for part in ["<title>Customers</title>", "id=\"createCustomer\"", "address_status", "schema-Problem"] {
        assert!(page.text.contains(part), "{part}");
    }
    assert!(
        !page.text.contains("src=") && !page.text.contains("{{"),
        "something is loaded, or a place is left"
    );
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_status() {
    let database = Database::file();
    let (api, _) = api(&database, Mode::Answers).await;
    assert_eq!(with(&api, "POST", "/customers", &[], &ada("SW1A 1AA")).await.status, 201);
    assert_eq!(get(&api, "/customers/nonsense").await.status, 404);
    assert_eq!(get(&api, "/customers/rubbish").await.status, 404);
    assert_eq!(get(&api, "/no/such/path").await.status, 404);
    let metrics = get(&api, "/metrics").await;
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let name = "customers_request_duration_seconds_count";
    for line in [
        format!("{name}{{route=\"/customers\",method=\"POST\",status=\"2xx\"}} 1"),
        format!("{name}{{route=\"/customers/{{id}}\",method=\"GET\",status=\"4xx\"}} 2"),
        format!("{name}{{route=\"none\",method=\"GET\",status=\"4xx\"}} 1"),
        "customers_lookup_duration_seconds_count{result=\"failed\"} 0".to_owned(),
    ] {
        assert!(metrics.text.lines().any(|known| known == line), "{line} is not in {}", metrics.text);
    }
    assert!(metrics.text.contains("process_resident_memory_bytes"));
}

#[tokio::test]
async fn metrics_count_addresses_by_status() {
    let database = Database::file();
    let (api, lookup) = api(&database, Mode::Answers).await;
    let mut made = Vec::new();
    for postcode in ["SW1A 1AA", "BT1 5GS", "DN55 1PT", "ZE9 9ZZ", "ZE9 9ZX"] {
        made.push(with(&api, "POST", "/customers", &[], &ada(postcode)).await.json());
    }
    lookup.set(Mode::Fails(postcode_core::ErrorKind::Unavailable));
    for postcode in ["SW1A 1AA", "M1 1AE"] {
        made.push(with(&api, "POST", "/customers", &[], &ada(postcode)).await.json());
    }
    let path = format!("/customers/{}", made[4]["id"].as_str().unwrap());
    assert_eq!(with(&api, "DELETE", &path, &[], &json!({})).await.status, 204);
    let metrics = get(&api, "/metrics").await.text;
    let counted: Vec<&str> =
        metrics.lines().filter(|line| line.starts_with("customers_addresses{")).collect();
    assert_eq!(
        counted,
        [
            "customers_addresses{status=\"pending\"} 2",
            "customers_addresses{status=\"not_covered\"} 1",
            "customers_addresses{status=\"terminated\"} 1",
            "customers_addresses{status=\"unknown\"} 1",
        ]
    );
}

#[tokio::test]
async fn metrics_count_addresses_at_most_once_in_five_seconds() {
    let database = Database::file();
    let (api, _) = api(&database, Mode::Fails(postcode_core::ErrorKind::Unavailable)).await;
    let pending = async || {
        let metrics = get(&api, "/metrics").await.text;
        let name = "customers_addresses{status=\"pending\"} ";
        metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned()
    };
    // While a blocking task runs, a paused clock does not move by itself.
    let (release, released) = std::sync::mpsc::channel::<()>();
    let waiting = tokio::task::spawn_blocking(move || released.recv());
    tokio::time::pause();
    assert_eq!(pending().await, "0");
    assert_eq!(with(&api, "POST", "/customers", &[], &ada("SW1A 1AA")).await.status, 201);
    assert_eq!(pending().await, "0", "the previous count");
    tokio::time::advance(std::time::Duration::from_secs(5)).await;
    assert_eq!(pending().await, "1");
    tokio::time::resume();
    drop(release);
    waiting.await.unwrap().unwrap_err();
}
