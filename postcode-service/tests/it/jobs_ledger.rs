//! Kills the program again and again under load. Each accepted job must be done once, with a
//! callback.
//!
//! A server and a worker next to it are killed with SIGKILL at random times, as often as [`Proof`]
//! says (the seed is printed; `POSTCODE_TEST_SEED` sets it). Meanwhile clients submit jobs with
//! keys, and retry failures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for production"
)]

use crate::common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::jobs::database::Database;
use crate::jobs::receiver::{Receiver, SECRET};
use postcode_core::Local;
use postcode_testing::Proof;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long all jobs together may take after the last kill: far more than they need.
const PATIENCE: Duration = Duration::from_secs(300);
const CLIENTS: u64 = 3;
/// Jobs for each kill, at most.
const JOBS: u64 = 6;

/// A process that is started again after each kill.
struct Program {
    arguments: Vec<String>,
    child: Child,
}

impl Program {
    async fn start(arguments: Vec<String>) -> Self {
        let child = Self::spawn(&arguments).await;
        Self { arguments, child }
    }

    /// Starts a program and waits until it is ready.
    async fn spawn(arguments: &[String]) -> Child {
        let mut command = Command::from(common::program());
        command.args(arguments).env("POSTCODE_WEBHOOK_SECRET", SECRET).env("RUST_LOG", "error");
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = said.next_line().await.unwrap();
        assert!(line.is_some_and(|line| line.contains("ing on ")), "{arguments:?} did not start");
        child
    }

    /// SIGKILL: no time for anything.
    async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    async fn start_again(&mut self) {
        self.child = Self::spawn(&self.arguments).await;
    }
}

/// Builds the rows of a job from its number.
fn rows(number: u64) -> Vec<u8> {
    let mut rows = b"id,postcode\n".to_vec();
    let postcodes = ["AB10 1AB", "AB10 1AF", "M1 1AD", "JE2 4WD", "AB1 0AA", "ZZ1 1ZZ", "none"];
    for n in 0..(number * 977) % 6_000 {
        let postcode = postcodes[((n * 31 + number) % postcodes.len() as u64) as usize];
        rows.extend_from_slice(format!("{number}-{n},{postcode}\n").as_bytes());
    }
    rows
}

/// Tries until the answer is one.
async fn ask(request: impl Fn() -> reqwest::RequestBuilder) -> reqwest::Response {
    loop {
        match request().send().await {
            Ok(answer) if !answer.status().is_server_error() => return answer,
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn whole(client: &reqwest::Client, url: &str) -> Vec<u8> {
    loop {
        if let Ok(bytes) = ask(|| client.get(url)).await.bytes().await {
            return bytes.to_vec();
        }
    }
}

async fn the_ledger_balances(database: Database) {
    let seed = std::env::var("POSTCODE_TEST_SEED").map_or(20_251_122, |seed| seed.parse().unwrap());
    println!("seed {seed}");
    let dir = tempfile::tempdir().unwrap();
    let data = dataset(&dir.path().join("uk.postcodes"));
    let receiver = Receiver::start(&[500, 500, 500]).await;
    let jobs = [
        format!("--jobs={}", database.url()),
        "--worker-timeout=2s".into(),
        "--workers=2".into(),
        "--callback-allow=127.0.0.1".into(),
        "--callback-delay=1s".into(),
        "--max-jobs=100000".into(),
        "--callback-attempts=20".into(),
    ];
    // Use a Unix socket: another program could take the port before the server comes back.
    let socket = dir.path().join("socket");
    let listen = format!("--listen=unix:{}", socket.display());
    let base = "http://localhost".to_owned();
    let arguments = |more: &[String]| [more, &jobs].concat();
    let mut server = Program::start(arguments(&["serve".into(), listen, format!("--data={data}")])).await;
    let mut worker = Program::start(arguments(&["worker".into(), format!("--source={data}")])).await;

    let accepted = Arc::new(Mutex::new(BTreeMap::<u64, String>::new()));
    let enough = Arc::new(AtomicBool::new(false));
    // Kill by kill some more jobs, however fast the machine takes them: it has to do them all in
    // the end.
    let due = Arc::new(AtomicU64::new(JOBS));
    postcode_core::remote::tls_provider();
    let client = reqwest::Client::builder()
        .no_proxy()
        .unix_socket(&*socket)
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|of| {
            let (accepted, enough, client) = (accepted.clone(), enough.clone(), client.clone());
            let due = due.clone();
            let url = format!("{base}/jobs?callback_url={}", receiver.url);
            tokio::spawn(async move {
                let mut number = of;
                while !enough.load(Ordering::Relaxed) {
                    if number >= due.load(Ordering::Relaxed) {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        continue;
                    }
                    let request = || {
                        let request = client.post(&url).header("content-type", "text/csv");
                        request.header("idempotency-key", format!("job {number}")).body(rows(number))
                    };
                    let answer = ask(request).await;
                    assert_eq!(answer.status(), 202);
                    // The connection may break off here: the next try gets the same answer.
                    if let Ok(answer) = answer.bytes().await {
                        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
                        let id = answer["result"]["id"].as_str().unwrap().to_owned();
                        accepted.lock().unwrap().insert(number, id);
                        number += CLIENTS;
                    }
                }
            })
        })
        .collect();

    let mut random = fastrand::Rng::with_seed(seed);
    let mut proof = Proof::new("kills of servers and workers", "POSTCODE_TEST_KILLS", 8, 100);
    let mut kills = 0;
    while proof.goes_on() {
        kills += 1;
        due.fetch_add(JOBS, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(random.u64(10..400))).await;
        let (first, second) =
            if random.bool() { (&mut server, &mut worker) } else { (&mut worker, &mut server) };
        first.kill().await;
        // Now and then both are dead.
        if random.u8(0..4) == 0 {
            second.kill().await;
            second.start_again().await;
        }
        first.start_again().await;
    }
    enough.store(true, Ordering::Relaxed);
    proof.end();
    for client in clients {
        client.await.unwrap();
    }

    let accepted = accepted.lock().unwrap().clone();
    let ended = tokio::time::timeout(PATIENCE, async {
        for id in accepted.values() {
            loop {
                let job = whole(&client, &format!("{base}/jobs/{id}?wait=20s")).await;
                let job = serde_json::from_slice::<serde_json::Value>(&job).unwrap()["result"].take();
                assert_ne!(job["state"], "failed", "{job}");
                if job["state"] == "succeeded" && job["callback"]["state"] == "delivered" {
                    assert_eq!(job["done"], job["total"]);
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    });
    ended.await.expect("jobs were lost: they do not end");
    for (number, id) in &accepted {
        let result = whole(&client, &format!("{base}/jobs/{id}/result")).await;
        let request =
            || client.post(format!("{base}/enrich")).header("content-type", "text/csv").body(rows(*number));
        let due = ask(request).await.bytes().await.unwrap();
        assert!(result == due, "job {number}: {} bytes and not {}", result.len(), due.len());
    }
    let mut told: Vec<String> = receiver.messages().into_iter().map(|message| message.id).collect();
    let messages = told.len();
    told.sort_unstable();
    told.dedup();
    let mut due: Vec<String> = accepted.values().map(|id| format!("msg_{id}")).collect();
    due.sort_unstable();
    assert!(told == due, "{} are told of, of {} jobs", told.len(), due.len());
    println!(
        "{kills} kills, {} jobs accepted, {} ended and told of in {messages} messages: none lost, none twice",
        accepted.len(),
        told.len()
    );
}

fn dataset(path: &Path) -> String {
    let small: Local = common::small();
    std::fs::write(path, small.dataset().as_bytes()).unwrap();
    format!("file:{}", path.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    the_ledger_balances(Database::file().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    if let Some(database) = Database::server() {
        the_ledger_balances(database).await;
    }
}
