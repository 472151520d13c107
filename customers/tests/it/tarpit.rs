//! A service that accepts connections and never answers, and a program whose time limit for a
//! lookup is shorter than the client's. The breaker, the fallback and the guard must still see the
//! failure.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::http::{Server, send};
use postcode_testing::until;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::service;

/// Far longer than the program waits.
const PATIENT: &str = "timeout=10s&deadline=30s";

async fn tarpit() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}?{PATIENT}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            kept.push(connection);
        }
    });
    url
}

async fn start(options: &[&str]) -> (Server, TempDir) {
    let dir = TempDir::new().unwrap();
    let database = format!("sqlite://{}", dir.path().join("customers.db").display());
    let own = ["--listen", "127.0.0.1:0", "--database", &database];
    (Server::start(&[&own[..], options].concat()).await, dir)
}

async fn make(server: &Server) -> Value {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let email = format!("a{}@example.com", MADE.fetch_add(1, Ordering::Relaxed));
    let new = json!({ "name": "Ada", "email": email, "postcode": "SW1A 1AA", "address_lines": ["1"] });
    let (status, made) = send(&server.address, "POST", "/customers", Some(&new)).await.unwrap();
    assert_eq!(status, 201, "{made}");
    made["address_status"].clone()
}

/// Waits until an account is verified. A tenth of the limit is left for the other source, so on a
/// busy machine it may take several accounts. Without a breaker each of them waits for the tarpit
/// first.
async fn some_account_is_verified(server: &Server) {
    until("an account that is verified", async || make(server).await == "verified").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fallback_answers_in_time() {
    let source = format!("{}&breaker=off&fallback=embedded:", tarpit().await);
    let (server, _dir) = start(&["--postcodes", &source, "--lookup-timeout", "1s"]).await;
    some_account_is_verified(&server).await;
    assert_eq!(server.end("TERM").await, (Some(0), String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_endpoint_answers_in_time() {
    let service = service::start().await;
    let (healthy, _) = service.split_once('?').unwrap();
    let source = format!("{}&failover={healthy}", tarpit().await);
    let (server, _dir) = start(&["--postcodes", &source, "--lookup-timeout", "6s"]).await;
    some_account_is_verified(&server).await;
    assert_eq!(server.end("TERM").await, (Some(0), String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_steps_back() {
    let guard = "min_calls=3,window=10m";
    let promotion = ["--promote-to", &tarpit().await, "--stage", "remote", "--guard", guard];
    let limits = ["--lookup-timeout", "500ms", "--admin", "127.0.0.1:0"];
    let (mut server, _dir) = start(&[&promotion[..], &limits].concat()).await;
    let admin = server.said("admin on ").await;
    let mut seen = Value::Null;
    until("a step back", async || {
        make(&server).await;
        seen = send(&admin, "GET", "/promotion", None).await.unwrap().1;
        seen["stage"] != "remote"
    })
    .await;
    assert!(seen["errors"].as_u64().unwrap() >= 3, "{seen}");
    assert_eq!(seen["last_step_back"]["from"], "remote", "{seen}");
    // The old side answers again.
    some_account_is_verified(&server).await;
    assert_eq!(server.end("TERM").await, (Some(0), String::new()));
}
