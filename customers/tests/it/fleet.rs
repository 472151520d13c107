//! The compiled program, which follows the plan of a fleet.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::path::Path;

use postcode_core::layers::Guard;
use postcode_core::layers::fleet::{Fleet, FleetLimits, FleetPlan, write_plan};
use postcode_testing::{Nobody, until};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Server, send};
use crate::service;

/// A program with an admin listener.
struct Process {
    server: Server,
    admin: String,
}

impl Process {
    async fn start(dir: &Path, to: &str, fleet: &str) -> Self {
        let (database, state) = (format!("sqlite://{}/customers.db", dir.display()), dir.join("state.json"));
        let state = state.to_str().unwrap();
        let mut server = Server::start(&[
            "--listen",
            "127.0.0.1:0",
            "--database",
            &database,
            "--promote-to",
            to,
            "--admin",
            "127.0.0.1:0",
            "--fleet",
            fleet,
            "--fleet-state",
            state,
            "--fleet-name",
            "orders",
            "--recheck-every",
            "1h",
            "--lookup-timeout",
            "30s",
        ])
        .await;
        let admin = server.said("admin on ").await;
        Self { server, admin }
    }

    async fn seen(&self) -> Value {
        let (status, seen) = send(&self.admin, "GET", "/promotion", None).await.unwrap();
        assert_eq!(status, 200, "{seen}");
        seen
    }

    async fn follows(&self, plan: &str) {
        until(&format!("the plan {plan}"), async || self.seen().await["plan"] == plan).await;
    }

    async fn end(self) {
        assert_eq!(self.server.end("TERM").await, (Some(0), String::new()));
    }
}

async fn make(address: &str, email: &str) {
    let new =
        json!({ "name": "Ada", "email": email, "postcode": "SW1A 1AA", "address_lines": ["1 High St"] });
    let (status, made) = send(address, "POST", "/customers", Some(&new)).await.unwrap();
    assert_eq!((status, &made["address_status"]), (201, &json!("verified")), "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn program_follows_the_plan_of_a_service_and_begins_with_it_when_that_is_gone() {
    let dir = TempDir::new().unwrap();
    let fleet = Fleet::new(Some(Guard::default()), FleetLimits::default());
    fleet.set("canary:50%,nearest=remote".parse().unwrap(), None).await.unwrap();
    let url = service::with_fleet(fleet.clone()).await;
    let process = Process::start(dir.path(), &url, &url).await;
    let seen = process.seen().await;
    assert_eq!(seen["plan"], "canary:0.5,nearest=remote:0.5", "from the first call on");
    assert_eq!((&seen["fleet"]["revision"], &seen["fleet"]["unreachable"]), (&json!(1), &Value::Null));
    assert!(seen["fleet"]["process"].as_str().unwrap().starts_with("orders-"), "{seen}");
    make(&process.server.address, "a@example.com").await;
    until("the report of its call", async || {
        let all = fleet.snapshot();
        all.processes.first().is_some_and(|process| process.rows[0].calls > 0)
    })
    .await;
    let (status, all) = send(&process.admin, "GET", "/fleet", None).await.unwrap();
    assert_eq!((status, &all["processes"][0]["revision"]), (200, &json!(1)), "{all}");
    // Changes by hand would be undone by the next plan.
    let (status, refused) =
        send(&process.admin, "PUT", "/promotion", Some(&json!({ "stage": "local" }))).await.unwrap();
    assert_eq!((status, &refused["code"]), (409, &json!("fleet_plan")), "{refused}");
    fleet.set("shadow:25%".parse().unwrap(), Some(1)).await.unwrap();
    process.follows("shadow:0.25").await;
    let kept = async || tokio::fs::read_to_string(dir.path().join("state.json")).await.unwrap();
    until("the plan is kept", async || kept().await.contains("\"revision\":2")).await;
    process.end().await;

    // With neither the service nor its plan, it begins where it was, and answers.
    let nobody = Nobody::new();
    let process = Process::start(dir.path(), &nobody.url(), &nobody.url()).await;
    let seen = process.seen().await;
    assert_eq!((&seen["plan"], &seen["fleet"]["revision"]), (&json!("shadow:0.25"), &json!(2)));
    make(&process.server.address, "b@example.com").await;
    until("it says that the fleet is gone", async || {
        process.seen().await["fleet"]["unreachable"].is_string()
    })
    .await;
    let (status, gone) = send(&process.admin, "GET", "/fleet", None).await.unwrap();
    assert_eq!((status, &gone["code"]), (502, &json!("fleet_unreachable")), "{gone}");
    process.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn program_follows_a_file() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("plan.json");
    let process = Process::start(dir.path(), &service::start().await, path.to_str().unwrap()).await;
    process.follows("local:0.1").await;
    write_plan(&path, &FleetPlan::new(1, "shadow:30%".parse().unwrap())).unwrap();
    process.follows("shadow:0.3").await;
    let (status, none) = send(&process.admin, "GET", "/fleet", None).await.unwrap();
    assert_eq!((status, &none["code"]), (404, &json!("no_fleet")), "{none}");
    process.end().await;
}
