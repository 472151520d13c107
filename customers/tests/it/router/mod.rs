//! The HTTP API, asked over the router.
#![allow(dead_code, unreachable_pub)] // Each test program uses what it needs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use customers::{Customers, server};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::databases::Database;
use crate::lookups::{Mode, Switch};

pub async fn api(database: &Database, mode: Mode) -> (Router, Arc<Switch>) {
    let (customers, lookup) = customers(database, mode).await;
    (server::router(customers), lookup)
}

pub async fn customers(database: &Database, mode: Mode) -> (Customers, Arc<Switch>) {
    let lookup = Arc::new(Switch::new(mode));
    (Customers::new(database.open().await, lookup.clone()), lookup)
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// Checks that the answer is a problem with that status and code. Returns its detail.
    pub fn problem(&self, status: u16, code: &str) -> String {
        let body = self.json();
        assert_eq!((self.status.as_u16(), body["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(body["status"], status);
        assert!(body["title"].is_string() && body["type"] == "about:blank");
        body["detail"].as_str().unwrap().to_owned()
    }

    /// Returns a header's value, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn fields(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().unwrap().clone();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }
}

/// Sends a request, and checks that the description of the API lists the status of the answer.
pub async fn raw(api: &Router, request: Request<Body>) -> Answer {
    static DOCUMENT: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(include_str!("../../../src/server/openapi.json")).unwrap());
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let (head, body) = api.clone().oneshot(request).await.unwrap().into_parts();
    postcode_testing::check_described(&DOCUMENT, &method, &path, head.status.as_u16());
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
    Answer { status: head.status, headers: head.headers, text }
}

pub async fn send(api: &Router, method: &str, path: &str, body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    raw(api, request.body(body.to_string().into()).unwrap()).await
}

pub async fn get(api: &Router, path: &str) -> Answer {
    raw(api, Request::get(path).body(Body::empty()).unwrap()).await
}

/// Sends a request with headers; otherwise like `send`.
pub async fn with(api: &Router, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    raw(api, request.body(body.to_string().into()).unwrap()).await
}

/// Creates a valid customer with a unique email address.
pub fn ada(postcode: &str) -> Value {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let lines = ["Buckingham Palace", "London"];
    let email = format!("ada{}@example.com", MADE.fetch_add(1, Ordering::Relaxed));
    json!({ "name": "Ada", "email": email, "postcode": postcode, "address_lines": lines })
}
