//! Checks before every route: host, origin, time limit, and headers of answers.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.
#![cfg(feature = "server")]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use customers::server::{self, Hosts};
use customers::{Customers, Store};
use serde_json::{Value, json};

use crate::databases::Database;
use crate::lookups::{Mode, Switch};
use crate::router::{Answer, ada, customers, get, raw, send};

/// An id that no customer has.
const NOBODY: &str = "018f0000-0000-7000-8000-000000000000";

async fn guarded() -> Router {
    let (customers, _) = customers(&Database::Memory, Mode::Answers).await;
    let mut options = server::Options::default();
    options.hosts = Some(Hosts::listening_on("127.0.0.1:8081").with(["customers.example".parse().unwrap()]));
    server::router_with(customers, options)
}

/// Returns every route, and an unknown one.
fn routes() -> Vec<(&'static str, String)> {
    let mut routes =
        vec![("GET", "/nowhere".to_owned()), ("OPTIONS", "/customers".into()), ("POST", "/".into())];
    for (methods, path) in [
        ("GET", "/"),
        ("GET", "/page.js"),
        ("GET", "/health"),
        ("GET", "/ready"),
        ("GET POST", "/customers"),
        ("GET PUT PATCH DELETE", "/customers/ID"),
        ("POST", "/customers/ID/restore"),
        ("POST", "/customers/ID/erase"),
        ("GET", "/customers/ID/export"),
        ("GET", "/customers/ID/history"),
        ("GET POST", "/customers/ID/addresses"),
        ("GET PUT DELETE", "/customers/ID/addresses/1"),
        ("GET POST", "/imports"),
        ("GET DELETE", "/imports/ID"),
        ("GET", "/imports/ID/report"),
        ("GET", "/imports/ID/failed"),
        ("GET", "/postcodes?limit=x"),
        ("GET", "/postcodes/nonsense"),
        ("GET", "/postcodes/nonsense/map"),
    ] {
        routes.extend(methods.split(' ').map(|method| (method, path.replace("ID", NOBODY))));
    }
    routes
}

async fn ask(api: &Router, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    raw(api, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn host_of_another_server_is_refused_on_every_route() {
    let api = guarded().await;
    for (method, path) in routes() {
        let detail = ask(&api, method, &path, &[("host", "evil.example:8081")]).await;
        assert!(detail.problem(421, "host_not_allowed").contains("--host evil.example"), "{method} {path}");
        ask(&api, method, &path, &[]).await.problem(400, "invalid_host");
        ask(&api, method, &path, &[("host", "localhost"), ("host", "localhost")])
            .await
            .problem(400, "invalid_host");
    }
    for host in ["127.0.0.1:8081", "localhost", "[::1]:8081", "customers.example"] {
        assert_eq!(ask(&api, "GET", "/customers", &[("host", host)]).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn page_of_another_site_is_refused_on_every_route_but_the_page() {
    let api = guarded().await;
    for (method, path) in routes() {
        for header in [
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("origin", "http://localhost:3000"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let answer = ask(&api, method, &path, &[("host", "localhost:8081"), header]).await;
            // A link to the page is as harmless as a typed URL.
            if (method, &*path) == ("GET", "/") {
                assert_eq!(answer.status, 200, "{header:?}");
            } else {
                answer.problem(403, "cross_site");
            }
        }
    }
    let own =
        [("host", "localhost:8081"), ("origin", "http://localhost:8081"), ("sec-fetch-site", "same-origin")];
    assert_eq!(ask(&api, "GET", "/customers", &own).await.status, 200);
    let proxied = [("host", "127.0.0.1:8081"), ("origin", "https://customers.example")];
    assert_eq!(ask(&api, "GET", "/customers", &proxied).await.status, 200);
}

#[tokio::test]
async fn erase_and_restore_without_a_header_that_no_form_can_send_are_refused() {
    let api = guarded().await;
    let host = ("host", "localhost");
    let with_body = |path: &str, body: Value| {
        let request =
            Request::post(path).header("host", "localhost").header("content-type", "application/json");
        request.body(Body::from(body.to_string())).unwrap()
    };
    let made = raw(&api, with_body("/customers", ada("SW1A 1AA"))).await.json();
    let path = format!("/customers/{}", made["id"].as_str().unwrap());
    for action in ["erase", "restore"] {
        for form in [
            &[host][..],
            &[host, ("content-type", "application/x-www-form-urlencoded")],
            &[host, ("content-type", "text/plain")],
            &[host, ("content-type", "multipart/form-data; boundary=x")],
        ] {
            let answer = ask(&api, "POST", &format!("{path}/{action}"), form).await;
            assert!(
                answer.problem(428, "precondition_required").contains("If-Match: *"),
                "{action} {form:?}"
            );
        }
    }
    assert_eq!(ask(&api, "GET", &path, &[host]).await.status, 200);
    assert_eq!(ask(&api, "DELETE", &path, &[host]).await.status, 204);
    assert_eq!(ask(&api, "POST", &format!("{path}/restore"), &[host, ("if-match", "*")]).await.status, 200);
    let json = ("content-type", "application/json; charset=utf-8");
    assert_eq!(ask(&api, "POST", &format!("{path}/erase"), &[host, json]).await.status, 204);
}

#[tokio::test]
async fn every_answer_is_kept_nowhere_and_read_by_no_other_site() {
    let api = guarded().await;
    let mut answers = Vec::new();
    for (method, path) in routes() {
        answers.push((path.clone(), ask(&api, method, &path, &[("host", "localhost")]).await));
        answers.push((path.clone(), ask(&api, method, &path, &[("host", "evil.example")]).await));
    }
    for (path, answer) in answers {
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        let of_page = matches!(&*path, "/" | "/page.js") && answer.status == 200;
        assert_eq!(answer.header("cache-control"), if of_page { "no-cache" } else { "no-store" }, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test]
async fn personal_data_is_not_cached() {
    let (customers, _) = customers(&Database::Memory, Mode::Answers).await;
    let api = server::router(customers);
    let made = send(&api, "POST", "/customers", &ada("SW1A 1AA")).await;
    let path = format!("/customers/{}", made.json()["id"].as_str().unwrap());
    for path in [
        "/customers",
        "/customers?near=SW1A1AA",
        &path,
        &format!("{path}/export"),
        &format!("{path}/history"),
        &format!("{path}/addresses"),
        &format!("{path}/addresses/1"),
    ] {
        let answer = get(&api, path).await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{path}");
    }
    assert_eq!(made.header("cache-control"), "no-store");
}

#[tokio::test]
async fn request_that_takes_too_long_is_504() {
    let lookup = Arc::new(Switch::new(Mode::Hangs));
    let customers =
        Customers::new(Database::Memory.open().await, lookup).with_lookup_timeout(Duration::from_secs(3600));
    let mut options = server::Options::default();
    options.request_timeout = Duration::from_millis(100);
    let api = server::router_with(customers, options);
    for path in ["/customers?near=SW1A1AA", "/postcodes/SW1A1AA"] {
        get(&api, path).await.problem(504, "timeout");
    }
    send(&api, "POST", "/customers", &ada("SW1A 1AA")).await.problem(504, "timeout");
}

/// Accounts, put into a file or a schema at once.
async fn many(database: &Database, count: usize) {
    let store = database.open().await;
    store.close().await;
    let customer = "INSERT INTO customers (seq, id, name, name_key, email, email_key, external_references, \
         next_address, revision, created_at, updated_at)";
    let address = "INSERT INTO addresses (customer, number, kind, postcode, postcode_key, outcode, address_lines, \
         address_status, latitude, longitude)";
    let (numbers, id) = match database {
        Database::Postgres(_) => (
            format!("WITH n AS (SELECT i FROM generate_series(1, {count}) AS t (i))"),
            "'00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0')",
        ),
        _ => (
            format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"),
            "printf('00000000-0000-7000-8000-%012x', i)",
        ),
    };
    let statements = [
        format!(
            "{customer} {numbers} SELECT i, {id}, 'Ada', 'ada', 'a' || i || '@example.com', 'a' || i || '@example.com', '[]', 2, 1, 0, 0 FROM n"
        ),
        format!(
            "{address} {numbers} SELECT i, 1, 'main', 'SW1A 1AA', 'SW1A1AA', 'SW1A', '[\"1\"]', 'verified', 51.501009, -0.141588 FROM n"
        ),
    ];
    for statement in statements {
        let statement = sqlx::AssertSqlSafe(statement);
        if matches!(database, Database::Postgres(_)) {
            let pool = sqlx::PgPool::connect(&database.url()).await.unwrap();
            sqlx::query(statement).execute(&pool).await.unwrap();
            pool.close().await;
        } else {
            let pool = sqlx::SqlitePool::connect(&database.url()).await.unwrap();
            sqlx::query(statement).execute(&pool).await.unwrap();
            pool.close().await;
        }
    }
}

async fn search_that_takes_too_long_is_504_and_reads_by_id_go_on(database: Database) {
    many(&database, 40_000).await;
    // No machine looks through that many in that time.
    let store = Store::open_within(&database.url(), Duration::from_micros(1)).await.unwrap();
    let api = server::router(Customers::new(store, Arc::new(Switch::new(Mode::Answers))));
    for query in ["q=nobody", "name=nobody", "near=M11AE&radius=262000", "near=SW1A1AA&q=nobody"] {
        get(&api, &format!("/customers?{query}")).await.problem(504, "timeout");
    }
    let id = format!("00000000-0000-7000-8000-{:012x}", 77);
    assert_eq!(get(&api, &format!("/customers/{id}")).await.status, 200);
}

async fn search_near_reads_no_more_than_a_page_of_many_at_one_place(database: Database) {
    many(&database, 3_000).await;
    let api = server::router(Customers::new(database.open().await, Arc::new(Switch::new(Mode::Answers))));
    // The box around the circle holds all of them, and the circle none.
    let corner = get(&api, "/customers?near=M11AE&radius=261500").await;
    assert_eq!(corner.json(), json!({ "items": [], "next_cursor": null }));
    let (mut seen, mut cursor) = (0, String::new());
    loop {
        let page =
            get(&api, &format!("/customers?near=SW1A1AA&radius=5&limit=1000&cursor={cursor}")).await.json();
        seen += page["items"].as_array().unwrap().len();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, 3_000);
}

crate::databases::on_both! { crate::databases::Database::file();
    search_that_takes_too_long_is_504_and_reads_by_id_go_on,
    search_near_reads_no_more_than_a_page_of_many_at_one_place,
}

#[cfg(feature = "bin")]
mod of_the_program {
    use tempfile::TempDir;

    use crate::http::{Server, exchange, program};

    async fn status(address: &str, path: &str, host: &str) -> u16 {
        exchange(address, "GET", path, &[("host", host)], "").await.unwrap().0
    }

    #[tokio::test]
    async fn program_answers_to_its_names_and_to_those_given() {
        let dir = TempDir::new().unwrap();
        let database = format!("sqlite://{}", dir.path().join("customers.db").display());
        let socket = format!("unix:{}", dir.path().join("s").display());
        let local = ["--listen", "127.0.0.1:0", "--database", &database];
        let promoted = ["--promote-to", "http://127.0.0.1:1", "--admin", "127.0.0.1:0"];
        let named = ["--host", "a.example", "--host", "b.example"];

        let mut server = Server::start(&[&local[..], &promoted].concat()).await;
        let admin = server.said("admin on ").await;
        for address in [&server.address, &admin] {
            assert_eq!(status(address, "/health", "evil.example").await, 421, "{address}");
            assert_eq!(status(address, "/health", "localhost:1").await, 200, "{address}");
        }
        assert_eq!(status(&admin, "/promotion", "evil.example").await, 421);
        let rebound = [("host", "localhost"), ("sec-fetch-site", "cross-site")];
        assert_eq!(exchange(&admin, "GET", "/promotion", &rebound, "").await.unwrap().0, 403);
        assert_eq!(server.end("TERM").await.0, Some(0));

        let mut server = Server::start(&[&local[..], &promoted, &named].concat()).await;
        let admin = server.said("admin on ").await;
        for address in [&server.address, &admin] {
            for (host, expected) in [("a.example", 200), ("B.example:9", 200), ("c.example", 421)] {
                assert_eq!(status(address, "/health", host).await, expected, "{address} {host}");
            }
        }
        assert_eq!(server.end("TERM").await.0, Some(0));

        let server = Server::start(&["--listen", &socket, "--database", &database]).await;
        assert_eq!(status(&socket, "/health", "whatever").await, 200);
        assert_eq!(server.end("TERM").await.0, Some(0));

        let wrong =
            ["serve", "--listen", "127.0.0.1:0", "--database", &database, "--host", "http://a.example"];
        let output = program(&wrong).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("without scheme and port"), "{output:?}");
    }
}
