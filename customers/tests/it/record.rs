//! The recording of the compiled program.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use postcode_testing::until;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Server, send};

#[tokio::test(flavor = "multi_thread")]
async fn lookups_are_recorded_without_whole_postcodes_and_a_recording_is_never_overwritten() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let database = format!("sqlite://{}", path("customers.db"));
    let file = path("calls.jsonl");
    let options = ["--listen", "127.0.0.1:0", "--database", &database, "--lookup-timeout", "30s"];
    let record = ["--record", &file, "--record-how", "share=100%,most=3"];
    let make = async |server: &Server, number: usize| {
        let new = json!({ "name": "Ada", "email": format!("a{number}@example.com"), "postcode": "SW1A 1AA",
                          "address_lines": ["1 High St"] });
        let (status, made) = send(&server.address, "POST", "/customers", Some(&new)).await.unwrap();
        assert_eq!((status, &made["address_status"]), (201, &json!("verified")), "{made}");
    };
    let server = Server::start(&[&options[..], &record].concat()).await;
    for number in 0..5 {
        make(&server, number).await;
    }
    let text = || std::fs::read_to_string(&file).unwrap();
    until("three calls are written", async || text().lines().count() == 3).await;
    for line in text().lines() {
        let call: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&call["method"], &call["postcodes"]), (&json!("lookup"), &json!(["SW1A 1"])), "{line}");
    }
    assert_eq!(server.end("TERM").await, (Some(0), String::new()));

    let (before, server) = (text(), Server::start_silently(&[&options[..], &record].concat()).await);
    make(&server, 5).await;
    assert_eq!(server.end("TERM").await, (Some(0), String::new()));
    assert_eq!(text(), before);
}
