//! A disk that gets full, and writes that fail one after the other, under the program.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::collections::BTreeMap;
use std::path::Path;

use postcode_database::testing::{SmallDisk, WITHOUT_SIZE_SIGNAL, crash_image, limit_file_size, until};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::http::{Server, ask, exchange, program_by, send};

const NOTES: usize = 3_500;

fn customer(n: usize) -> Value {
    json!({
        "name": format!("Ada {n}"),
        "email": format!("ada{n}@example.com"),
        "postcode": "SW1A 1AA",
        "address_lines": ["1 The Mall"],
        "notes": "n".repeat(NOTES),
    })
}

fn csv(rows: std::ops::Range<usize>, notes: usize) -> String {
    let mut file = String::from("name,email,postcode,address,notes\n");
    for n in rows {
        file += &format!("Bob,bob{n}@example.com,M1 1AE,2 High Street,{}\n", "n".repeat(notes));
    }
    file
}

/// Sends a change. Returns its status, and the body if it was made. Any other response must say
/// that nothing was stored and when to come back.
async fn change(address: &str, method: &str, path: &str, body: &str) -> (u16, Option<Value>) {
    let content = if path == "/imports" { "text/csv" } else { "application/json" };
    let headers = [("host", "localhost"), ("content-type", content)];
    let response = ask(address, method, path, &headers, body).await.unwrap();
    let status = response.status().as_u16();
    let retry = response.headers().get("retry-after").cloned();
    let body: Value = serde_json::from_str(response.body()).unwrap_or_default();
    if (200..300).contains(&status) {
        return (status, Some(body));
    }
    let code = body["code"].as_str().unwrap();
    match status {
        507 => assert_eq!(code, "insufficient_storage"),
        503 => assert!(["store_unavailable", "store_busy"].contains(&code), "{body}"),
        _ => panic!("{method} {path}: {status} {body}"),
    }
    assert!(retry.is_some(), "{status} without Retry-After");
    (status, None)
}

async fn status(address: &str, path: &str) -> u16 {
    send(address, "GET", path, None).await.unwrap().0
}

/// Lists the ids and names of all accounts, with repetitions.
async fn listed(address: &str) -> Vec<(String, String)> {
    let (mut all, mut path) = (Vec::new(), "/customers?limit=100".to_owned());
    loop {
        let (status, page) = send(address, "GET", &path, None).await.unwrap();
        assert_eq!(status, 200, "{page}");
        for item in page["items"].as_array().unwrap() {
            all.push((text(&item["id"]), text(&item["name"])));
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/customers?limit=100&cursor={cursor}"),
            None => return all,
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

async fn imported(address: &str, id: &str) -> Value {
    send(address, "GET", &format!("/imports/{id}"), None).await.unwrap().1
}

/// The names of the accounts that were acknowledged, by id.
#[derive(Default)]
struct Ledger {
    accounts: BTreeMap<String, String>,
    /// Returns the next account, with a unique email.
    next: usize,
}

impl Ledger {
    /// Returns the status.
    async fn create(&mut self, address: &str) -> u16 {
        self.next += 1;
        let body = customer(self.next).to_string();
        let (status, made) = change(address, "POST", "/customers", &body).await;
        if let Some(made) = made {
            self.accounts.insert(text(&made["id"]), text(&made["name"]));
        }
        status
    }

    /// Adds the accounts of an import that has ended.
    async fn add_import(&mut self, address: &str, id: &str) {
        let path = format!("/imports/{id}/report");
        let (status, _, report) =
            exchange(address, "GET", &path, &[("host", "localhost")], "").await.unwrap();
        assert_eq!(status, 200);
        for row in report.lines().skip(1) {
            let id = row.split(',').nth(2).unwrap();
            assert_eq!(self.accounts.insert(id.to_owned(), "Bob".to_owned()), None, "{row}");
        }
    }

    /// Checks that exactly the acknowledged accounts are listed, each once.
    async fn check(&self, address: &str) {
        let mut all = listed(address).await;
        all.sort();
        let due: Vec<_> = self.accounts.clone().into_iter().collect();
        assert_eq!(all, due);
    }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_answers_reads_and_takes_writes_again_when_there_is_room() {
    let Some(disk) = SmallDisk::mount(8 << 20) else { return };
    let database = format!("sqlite://{}", disk.path().join("customers.db").display());
    let server = Server::start_silently(&["--listen", "127.0.0.1:0", "--database", &database]).await;
    let address = &server.address;
    let mut ledger = Ledger::default();
    for _ in 0..10 {
        assert_eq!(ledger.create(address).await, 201);
    }
    assert_eq!(status(address, "/ready").await, 200);
    let first = ledger.accounts.keys().next().unwrap().clone();

    disk.fill_but(0);
    // SQLite may have some room in its own files.
    while ledger.create(address).await == 201 {}
    for _ in 0..3 {
        assert_eq!(ledger.create(address).await, 507, "as often as it is tried");
    }
    assert_eq!(change(address, "POST", "/imports", &csv(0..200, 1_200)).await.0, 507);
    until("not ready", async || status(address, "/ready").await == 503).await;
    assert_eq!(status(address, "/health").await, 200);
    for path in ["", "/history", "/export"] {
        assert_eq!(status(address, &format!("/customers/{first}{path}")).await, 200);
    }
    ledger.check(address).await;

    disk.free();
    until("written again", async || ledger.create(address).await == 201).await;
    until("ready again", async || status(address, "/ready").await == 200).await;
    let import = change(address, "POST", "/imports", &csv(0..20, 1_200)).await.1.unwrap();
    let id = text(&import["id"]);
    until("imported", async || imported(address, &id).await["state"] == "succeeded").await;
    ledger.add_import(address, &id).await;
    ledger.check(address).await;
    assert_eq!(server.end("TERM").await.0, Some(0));
}

#[tokio::test]
async fn an_import_that_meets_a_full_disk_waits_and_goes_on_when_there_is_room() {
    const ROWS: usize = 600;
    let Some(disk) = SmallDisk::mount(16 << 20) else { return };
    let database = format!("sqlite://{}", disk.path().join("customers.db").display());
    let server = Server::start_silently(&["--listen", "127.0.0.1:0", "--database", &database]).await;
    let address = &server.address;
    // The file takes 0.9 MB, which are in the log too until they are in the database, and its accounts some 4 MB.
    disk.fill_but(3_500_000);
    let import = change(address, "POST", "/imports", &csv(0..ROWS, 1_200)).await.1.unwrap();
    let id = text(&import["id"]);
    until("not ready", async || status(address, "/ready").await == 503).await;
    let waiting = imported(address, &id).await;
    assert!(["queued", "running"].contains(&&*text(&waiting["state"])), "{waiting}");

    disk.free();
    until("imported", async || imported(address, &id).await["state"] == "succeeded").await;
    let import = imported(address, &id).await;
    assert_eq!((&import["created"], &import["failed"]), (&json!(ROWS), &json!(0)), "{import}");
    let mut ledger = Ledger::default();
    ledger.add_import(address, &id).await;
    ledger.check(address).await;
}

/// The revision that an account must have after a crash, or nothing.
type Due = BTreeMap<String, Option<i64>>;

/// Opens a copy as a crash would leave it. Returns the accounts with their revisions.
async fn opened(image: &Path) -> BTreeMap<String, i64> {
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", image.display())).await.unwrap();
    let check: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(check, "ok");
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT id, revision FROM customers").fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let many = rows.len();
    let accounts: BTreeMap<_, _> = rows.into_iter().collect();
    assert_eq!(accounts.len(), many, "none is there twice");
    accounts
}

/// Makes a few changes of each kind. Returns whether one was refused, and the id of the import if
/// it was accepted.
async fn workload(address: &str, ledger: &mut Ledger, due: &mut Due) -> (bool, Option<String>) {
    let mut refused = false;
    let mut mine = Vec::new();
    for _ in 0..4 {
        refused |= ledger.create(address).await != 201;
        mine = ledger.accounts.keys().filter(|id| !due.contains_key(*id)).cloned().collect();
    }
    due.extend(mine.iter().map(|id| (id.clone(), Some(1))));
    for (n, id) in mine.iter().enumerate() {
        let path = format!("/customers/{id}");
        let (what, after) = match n {
            0 => (change(address, "PATCH", &path, "{\"phone\":\"020 7946 0018\"}").await, Some(2)),
            1 => (change(address, "DELETE", &path, "").await, Some(2)),
            2 => (change(address, "POST", &format!("{path}/erase"), "").await, None),
            _ => continue,
        };
        refused |= what.1.is_none();
        if what.1.is_some() {
            due.insert(id.clone(), after);
        }
        assert_eq!(status(address, "/customers?limit=1").await, 200, "what can't be written can be read");
    }
    let first = ledger.next * 10;
    let (_, import) = change(address, "POST", "/imports", &csv(first..first + 3, 1_200)).await;
    (refused || import.is_none(), import.map(|import| text(&import["id"])))
}

/// Lets every page write to the log fail in turn, for a workload, and then makes room again.
/// `POSTCODE_TEST_WRITE_STEP` sets by how many bytes the room grows each time, 4,120 by default,
/// which is one page.
#[tokio::test]
async fn whichever_write_fails_what_was_acknowledged_is_there_once_and_writes_go_on() {
    const FRAME: u64 = 4_120;
    let step = std::env::var("POSTCODE_TEST_WRITE_STEP").ok().and_then(|step| step.parse().ok());
    let step: u64 = step.unwrap_or(FRAME);
    let dir = TempDir::new().unwrap();
    let database = dir.path().join("customers.db");
    let url = format!("sqlite://{}", database.display());
    let options = ["serve", "--listen", "127.0.0.1:0", "--database", &url, "--recheck-every", "1h"];
    let mut command = program_by(&WITHOUT_SIZE_SIGNAL, &options);
    command.stderr(std::process::Stdio::null());
    let mut server = Server::run(command).await;
    let address = server.address.clone();
    let process = server.child.id().unwrap();
    if !limit_file_size(process, None) {
        return postcode_testing::skip("prlimit can't limit the size of files here");
    }
    let (mut ledger, mut due) = (Ledger::default(), Due::new());
    let mut beside = SqliteConnection::connect(&url).await.unwrap();
    let mut failures = 0;
    // The log begins with 32 bytes, and has a page with its head in each frame.
    for bytes in (0..).map(|n| 32 + n * step) {
        until("an empty log", async || {
            let emptied = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut beside).await;
            let (busy, _, _): (i64, i64, i64) = emptied.unwrap();
            busy == 0
        })
        .await;
        assert!(limit_file_size(process, Some(bytes)));
        let (refused, import) = workload(&address, &mut ledger, &mut due).await;
        assert!(limit_file_size(process, None));
        until("written again", async || ledger.create(&address).await == 201).await;
        if let Some(id) = import {
            until("imported", async || imported(&address, &id).await["state"] == "succeeded").await;
            ledger.add_import(&address, &id).await;
        }
        for id in ledger.accounts.keys() {
            due.entry(id.clone()).or_insert(Some(1));
        }
        let expected: BTreeMap<String, i64> =
            due.iter().filter_map(|(id, revision)| Some((id.clone(), (*revision)?))).collect();
        let image = tempfile::tempdir().unwrap();
        assert_eq!(opened(&crash_image(&database, image.path())).await, expected, "after {bytes} bytes");
        failures += u32::from(refused);
        if !refused {
            break;
        }
    }
    println!("{failures} points of failure, {} accounts", due.len());
    assert!(failures > 10, "{failures}");
    server.child.kill().await.unwrap();
    drop(beside);
    assert_eq!(opened(&database).await.len(), due.values().flatten().count());
}

#[tokio::test]
async fn the_database_and_its_log_are_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let dir = TempDir::new().unwrap();
    let url = format!("sqlite://{}", dir.path().join("customers.db").display());
    let server = Server::start_silently(&["--listen", "127.0.0.1:0", "--database", &url]).await;
    assert_eq!(Ledger::default().create(&server.address).await, 201);
    let mut names = Vec::new();
    for file in std::fs::read_dir(dir.path()).unwrap().map(Result::unwrap) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        names.push(file.file_name());
    }
    names.sort();
    assert_eq!(names, ["customers.db", "customers.db-shm", "customers.db-wal"]);
}
