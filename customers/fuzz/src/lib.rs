//! The fuzz targets of customers: functions of bytes that must not panic, whatever the bytes are.
//!
//! `cargo fuzz` runs them with a nightly toolchain. `tests/it/fuzz_corpora.rs` runs them on stable
//! over the corpora and over mutations of them, so this file may only use what both have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a panic is how a fuzz target reports"
)]

use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, StatusCode, Uri};
use customers::{Cursor, CustomerId, Customers, ImportId, NewCustomer, Store, server};
use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
use postcode_core::{Local, Location};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

/// Cursors and ids: each has one text.
pub fn cursors(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string(), text);
    }
    if let Ok(id) = text.parse::<CustomerId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    if let Ok(id) = text.parse::<ImportId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
}

/// Imports files of customers.
pub fn import_csv(data: &[u8]) {
    let System { customers, .. } = system();
    runtime().block_on(async {
        if let Ok(import) = customers.import(data.to_vec(), None).await {
            // Waiting imports are limited, and nothing works on them here.
            customers.cancel_import(import.id).await.expect("it is there");
        }
    });
}

/// JSON bodies: the first byte chooses the route.
pub fn customer_bodies(data: &[u8]) {
    let Some((route, body)) = data.split_first() else { return };
    let id = system().id;
    let (method, path) = match route % 4 {
        0 => ("POST", "/customers".to_owned()),
        1 => ("PUT", format!("/customers/{id}")),
        2 => ("PATCH", format!("/customers/{id}")),
        _ => ("POST", format!("/customers/{id}/addresses")),
    };
    ask(method, &path, body.to_vec().into());
}

/// Query strings: the first byte chooses the route.
pub fn customer_queries(data: &[u8]) {
    let Some((route, query)) = data.split_first() else { return };
    let (id, query) = (system().id, String::from_utf8_lossy(query));
    let path = match route % 6 {
        0 => format!("/customers?{query}"),
        1 => format!("/customers?cursor={query}"),
        2 => format!("/customers/{id}/history?{query}"),
        3 => format!("/postcodes?{query}"),
        4 => format!("/postcodes/{query}"),
        _ => format!("/customers/{query}"),
    };
    ask("GET", &path, Bytes::new());
}

/// Customers in a database in memory, and one of them.
#[derive(Clone)]
struct System {
    customers: Customers,
    router: Router,
    id: CustomerId,
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().expect("a runtime")
    })
}

/// Returns the system under test; from time to time a new one, because accepted data is stored.
fn system() -> System {
    const TIMES: usize = 2_000;
    static SYSTEM: Mutex<Option<(usize, System)>> = Mutex::new(None);
    let mut held = SYSTEM.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match held.as_mut() {
        Some((times, system)) if *times < TIMES => {
            *times += 1;
            system.clone()
        }
        _ => {
            let system = runtime().block_on(new_system());
            *held = Some((0, system.clone()));
            system
        }
    }
}

async fn new_system() -> System {
    let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    for (postcode, latitude, longitude) in
        [("AB10 1AB", 57.14959, -2.096923), ("M1 1AD", 53.483784, -2.244866)]
    {
        let mut row = Row::live(postcode.parse().expect("a postcode"));
        row.location = Some(Location::new(latitude, longitude).expect("on the earth"));
        builder.push(&row).expect("it is new");
    }
    let lookup = Local::new(builder.build().expect("a dataset"));
    let store = Store::open("sqlite::memory:").await.expect("a database in memory");
    let customers = Customers::new(store, Arc::new(lookup));
    let ada = NewCustomer {
        name: "Ada Lovelace".into(),
        email: "ada@example.com".into(),
        postcode: "AB10 1AB".into(),
        address_lines: vec!["12 St James's Square".into()],
        ..NewCustomer::default()
    };
    let id = customers.create(ada).await.expect("a right customer").id;
    System { router: server::router(customers.clone()), customers, id }
}

/// Sends a request. Panics if the answer is a server error, or says it is JSON and is not.
fn ask(method: &str, path: &str, body: Bytes) {
    let Ok(uri) = path.parse::<Uri>() else { return };
    let request = Request::builder().method(method).uri(uri).header("host", "localhost");
    let request =
        request.header("content-type", "application/json").body(Body::from(body)).expect("a request");
    let router = system().router;
    let (head, body) = runtime().block_on(async {
        let (head, body) = router.oneshot(request).await.expect("routers do not fail").into_parts();
        (head, to_bytes(body, usize::MAX).await.expect("the answer is whole"))
    });
    assert_ne!(head.status, StatusCode::INTERNAL_SERVER_ERROR, "{body:?}");
    let kind = head.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.contains("json") && !body.is_empty() {
        serde_json::from_slice::<serde_json::Value>(&body).expect("JSON");
    }
}
