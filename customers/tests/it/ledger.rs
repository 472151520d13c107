//! The ledger: after any process is killed at any moment, each requested account exists once, and
//! its address is resolved in the end.
//!
//! The program is killed with SIGKILL again and again while callers create accounts and a file is
//! imported; its lookup, a separate service, comes and goes; and PostgreSQL's connections are cut.
//! [`Proof`] says how often.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // In a test it is the failure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use crate::databases::Database;
use crate::http::{Server, exchange, send};
use postcode_core::{Answer, DatasetInfo, Error, ErrorKind, Location, MockPostcodeLookup, Record};
use postcode_testing::Proof;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::databases;
use crate::service;

/// Far longer than anything here takes: so that a hang is a failure, and a slow machine is not.
const GENEROUS: Duration = Duration::from_secs(300);
/// Callers that create accounts, each one after the other.
const CALLERS: usize = 4;
/// Rows of the file.
const ROWS: usize = 1_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_loses_nothing_and_doubles_nothing() {
    balances(Database::file(), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_loses_nothing_and_doubles_nothing() {
    if let Some(database) = Database::postgres().await {
        balances(database, 2).await;
    }
}

/// Starts a service in the test's runtime that can be switched off and on.
async fn lookup_that_comes_and_goes() -> (String, Arc<AtomicBool>) {
    let away = Arc::new(AtomicBool::new(false));
    let gone = away.clone();
    let mut lookup = MockPostcodeLookup::new();
    lookup.expect_lookup().returning(move |postcodes| {
        if gone.load(SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "away"));
        }
        let live = |&postcode| {
            let mut record = Record::live(postcode);
            record.location = Location::new(53.48, -2.24).ok();
            Answer::Live(record)
        };
        Ok(postcodes.iter().map(live).collect())
    });
    lookup.expect_info().returning(|| Ok(DatasetInfo::new("August 2025")));
    (service::of(Arc::new(lookup)).await, away)
}

async fn balances(database: Database, seed: u64) {
    let (lookup, away) = lookup_that_comes_and_goes().await;
    let url = database.url();
    let options =
        ["--listen", "127.0.0.1:0", "--database", &url, "--postcodes", &lookup, "--resolve-every", "200ms"];
    let mut server = Server::start_silently(&options).await;
    let (address, at) = watch::channel(server.address.clone());
    let (acknowledged, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));

    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| tokio::spawn(create(caller, at.clone(), acknowledged.clone(), stop.clone())))
        .collect();
    let importer = tokio::spawn(import(at.clone()));

    let mut random = fastrand::Rng::with_seed(seed);
    let mut proof = Proof::new("kills of customers", "POSTCODE_TEST_KILLS", 6, 100);
    let mut kill = 0;
    while proof.goes_on() {
        kill += 1;
        // At some moment: after some more accounts, or while nothing gets through.
        let enough = acknowledged.load(SeqCst) + random.usize(0..12);
        let _ = timeout(Duration::from_millis(random.u64(1..250)), async {
            while acknowledged.load(SeqCst) < enough {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        away.store(random.bool(), SeqCst);
        if let (Database::Postgres(schema), 0) = (&database, kill % 3) {
            cut_connections(schema).await;
            continue;
        }
        server.child.start_kill().unwrap();
        server.child.wait().await.unwrap();
        server = Server::start_silently(&options).await;
        address.send_replace(server.address.clone());
    }
    away.store(false, SeqCst);
    stop.store(true, SeqCst);
    proof.end();

    let mut ledger = BTreeMap::new();
    for caller in callers {
        ledger.extend(timeout(GENEROUS, caller).await.expect("a caller that hangs").unwrap());
    }
    timeout(GENEROUS, importer).await.expect("an import that hangs").unwrap();
    let created = ledger.len();
    assert!(created >= CALLERS, "each caller has made one, or is still at it");

    let customers = timeout(GENEROUS, settled(&server.address)).await.expect("addresses that stay pending");
    let mut found = BTreeMap::new();
    for customer in &customers {
        let email = customer["email"].as_str().unwrap().to_owned();
        let id = customer["id"].as_str().unwrap().to_owned();
        assert_eq!(found.insert(email.clone(), id), None, "{email} is there twice");
        assert_eq!(customer["address_status"], "verified", "{customer}");
    }
    for (email, id) in &ledger {
        assert_eq!(found.get(email), Some(id), "{email}: what was acknowledged is there, and no other");
    }
    let imported: BTreeSet<_> = (0..ROWS).map(|n| format!("row{n}@example.com")).collect();
    let others: BTreeSet<_> = found.keys().filter(|email| !ledger.contains_key(*email)).cloned().collect();
    assert_eq!(others, imported, "each row of the file, once, and nothing else");
    once_each(&server.address, &customers).await;
    println!(
        "{kill} kills: {created} accounts acknowledged, {ROWS} rows imported, {} accounts there, 0 lost, 0 doubled",
        customers.len()
    );
}

/// Creates accounts until told to stop, and repeats each request until it is acknowledged. Returns
/// the email and id of each.
async fn create(
    caller: usize,
    at: watch::Receiver<String>,
    acknowledged: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
) -> Vec<(String, String)> {
    let mut made = Vec::new();
    // At least one, even if it was all over before this task had its turn.
    while made.is_empty() || !stop.load(SeqCst) {
        let email = format!("caller{caller}.{}@example.com", made.len());
        let body =
            json!({ "name": "Ada", "email": email, "postcode": "M1 1AE", "address_lines": ["1 High St"] });
        let id = loop {
            let headers =
                [("host", "localhost"), ("content-type", "application/json"), ("idempotency-key", &email)];
            let address = at.borrow().clone();
            match exchange(&address, "POST", "/customers", &headers, &body.to_string()).await {
                Ok((201, _, text)) => {
                    let customer: Value = serde_json::from_str(&text).unwrap();
                    break customer["id"].as_str().unwrap().to_owned();
                }
                // The program was killed or its database cut off, so the result is unknown. Ask
                // again.
                Ok((500 | 503, ..)) | Err(_) => sleep(Duration::from_millis(2)).await,
                Ok((status, _, text)) => panic!("{email}: {status} {text}"),
            }
        };
        made.push((email, id));
        acknowledged.fetch_add(1, SeqCst);
    }
    made
}

/// Hands a file over until it is taken, and asks until it is done.
async fn import(at: watch::Receiver<String>) {
    let mut file = String::from("name,email,postcode,address\n");
    for n in 0..ROWS {
        file += &format!("Row {n},row{n}@example.com,M1 1AE,{n} High St|Manchester\n");
    }
    let id = loop {
        let headers = [("host", "localhost"), ("content-type", "text/csv"), ("idempotency-key", "the file")];
        let address = at.borrow().clone();
        match exchange(&address, "POST", "/imports", &headers, &file).await {
            Ok((202, _, text)) => {
                let import: Value = serde_json::from_str(&text).unwrap();
                break import["id"].as_str().unwrap().to_owned();
            }
            Ok((500 | 503, ..)) | Err(_) => sleep(Duration::from_millis(2)).await,
            Ok((status, _, text)) => panic!("{status} {text}"),
        }
    };
    loop {
        let address = at.borrow().clone();
        match send(&address, "GET", &format!("/imports/{id}"), None).await {
            Ok((200, import)) if import["state"] == "succeeded" => {
                assert_eq!((&import["created"], &import["failed"]), (&json!(ROWS), &json!(0)), "{import}");
                return;
            }
            Ok((200 | 500 | 503, _)) | Err(_) => sleep(Duration::from_millis(20)).await,
            Ok((status, body)) => panic!("{status} {body}"),
        }
    }
}

/// Waits until no account is pending, and returns all.
async fn settled(address: &str) -> Vec<Value> {
    let mut customers = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/customers?limit=1000{cursor}");
        let Ok((200, page)) = send(address, "GET", &path, None).await else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        customers.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None if customers.iter().any(|customer| customer["address_status"] == "pending") => {
                (customers, cursor) = (Vec::new(), String::new());
                sleep(Duration::from_millis(50)).await;
            }
            None => return customers,
        }
    }
}

/// Checks the history of each account of a caller: created once, resolved at most once.
async fn once_each(address: &str, customers: &[Value]) {
    for customer in customers.iter().filter(|customer| customer["name"] == "Ada") {
        let path = format!("/customers/{}/history", customer["id"].as_str().unwrap());
        let (status, history) = send(address, "GET", &path, None).await.unwrap();
        assert_eq!(status, 200, "{history}");
        let actions: Vec<_> = history["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["action"].as_str().unwrap())
            .collect();
        assert!(matches!(*actions, ["created"] | ["created", "resolved"]), "{actions:?} {customer}");
    }
}

/// Cuts all connections of the program to PostgreSQL: those that work in the schema.
async fn cut_connections(schema: &str) {
    const SQL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    let mut connection = PgConnection::connect(databases::POSTGRES).await.unwrap();
    sqlx::query(SQL).bind(schema).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
