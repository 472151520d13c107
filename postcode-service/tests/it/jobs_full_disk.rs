//! A disk that gets full, and writes that fail one after the other, under the jobs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for production"
)]

use std::collections::BTreeMap;
use std::path::Path;

use postcode_database::testing::{SmallDisk, WITHOUT_SIZE_SIGNAL, crash_image, limit_file_size, until};
use reqwest::Client;
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};

use crate::jobs_program::serve_by;

async fn get(client: &Client, path: &str) -> (u16, Vec<u8>) {
    let answer = client.get(format!("http://localhost{path}")).send().await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

async fn status(client: &Client, path: &str) -> u16 {
    get(client, path).await.0
}

/// The ids of the jobs that were accepted, with a number that is in their rows.
#[derive(Default)]
struct Ledger {
    accepted: BTreeMap<String, usize>,
    next: usize,
}

fn rows(number: usize, many: usize) -> String {
    (0..many).fold("customer,postcode,note\n".to_owned(), |rows, n| {
        rows + &format!("{number}-{n},SW1A 1AA,{}\n", "n".repeat(200))
    })
}

impl Ledger {
    /// Submits a job of that many rows. A refusal must say that nothing was stored and when to
    /// retry.
    async fn submit(&mut self, client: &Client, many: usize) -> u16 {
        self.next += 1;
        let request = client.post("http://localhost/jobs").header("content-type", "text/csv");
        let answer = request.body(rows(self.next, many)).send().await.unwrap();
        let (status, retry) = (answer.status().as_u16(), answer.headers().get("retry-after").cloned());
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        match (status, body["code"].as_str()) {
            (202, _) => {
                let id = body["result"]["id"].as_str().unwrap().to_owned();
                assert_eq!(self.accepted.insert(id, self.next), None, "each id is unique");
            }
            (507, Some("insufficient_storage")) | (503, Some("unavailable")) => {
                assert!(retry.is_some() && body["retryable"] == true, "{body}");
            }
            other => panic!("{other:?}: {body}"),
        }
        status
    }

    /// Checks that all accepted jobs succeed, and that each result has its own job's rows.
    async fn settle(&self, client: &Client) {
        for (id, number) in &self.accepted {
            until("the job has ended", async || {
                let (status, job) = get(client, &format!("/jobs/{id}?wait=5s")).await;
                assert!([200, 503].contains(&status), "{status}");
                let job: Value = serde_json::from_slice(&job).unwrap();
                assert_ne!(job["result"]["state"], "failed", "{job}");
                job["result"]["state"] == "succeeded"
            })
            .await;
            let (status, result) = get(client, &format!("/jobs/{id}/result")).await;
            assert_eq!(status, 200);
            let result = String::from_utf8(result).unwrap();
            assert!(result.lines().nth(1).unwrap().starts_with(&format!("{number}-0,")), "{result}");
        }
    }

    /// Checks that exactly the accepted jobs are there.
    async fn check(&self, database: &Path) {
        let url = format!("sqlite://{}", database.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        let check: String =
            sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
        assert_eq!(check, "ok");
        let ids: Vec<String> =
            sqlx::query_scalar("SELECT id FROM postcode_jobs WHERE state <> 'receiving' ORDER BY id")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let due: Vec<String> = self.accepted.keys().cloned().collect();
        assert_eq!(ids, due);
        connection.close().await.unwrap();
    }
}

const BRISK: [&str; 2] = ["--worker-timeout=2s", "--workers=2"];

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_jobs_answers_reads_and_takes_jobs_again_when_there_is_room() {
    let Some(disk) = SmallDisk::mount(8 << 20) else { return };
    let dir = tempfile::tempdir().unwrap();
    let database = disk.path().join("jobs.db");
    let jobs = format!("--jobs=sqlite://{}", database.display());
    let (_server, client) = serve_by(&[], dir.path(), &[&jobs, BRISK[0], BRISK[1]]).await;
    let mut ledger = Ledger::default();
    for _ in 0..3 {
        assert_eq!(ledger.submit(&client, 20).await, 202);
    }
    assert_eq!(status(&client, "/ready").await, 200);
    let first = ledger.accepted.keys().next().unwrap().clone();

    disk.fill_but(400_000);
    // Some of these are accepted and stand still.
    while ledger.submit(&client, 200).await == 202 {}
    until("not ready", async || status(&client, "/ready").await == 503).await;
    let mut refused = 0;
    until("refused for want of room", async || {
        refused = ledger.submit(&client, 200).await;
        refused == 507
    })
    .await;
    assert_eq!(status(&client, "/ping").await, 200);
    assert_eq!(status(&client, "/postcodes/SW1A1AA").await, 200);
    assert_eq!(status(&client, &format!("/jobs/{first}")).await, 200);

    disk.free();
    until("accepted again", async || ledger.submit(&client, 20).await == 202).await;
    until("ready again", async || status(&client, "/ready").await == 200).await;
    ledger.settle(&client).await;
    ledger.check(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_job_on_a_full_disk_is_refused_for_want_of_room_and_taken_when_there_is_some() {
    let Some(disk) = SmallDisk::mount(8 << 20) else { return };
    // Without a share of the disk that stays free, so that it gets full to the last byte. Without --jobs, so that the database
    // is made by the first job.
    for left in [0, 20_000, 100_000] {
        disk.fill_but(left);
        let (mut server, client) =
            serve_by(&[], disk.path(), &["--min-free-disk=0", BRISK[0], BRISK[1]]).await;
        let mut ledger = Ledger::default();
        assert_eq!(ledger.submit(&client, 20).await, 507, "{left} bytes are free");
        assert_eq!(status(&client, "/postcodes/SW1A1AA").await, 200);
        disk.free();
        until("accepted", async || ledger.submit(&client, 20).await == 202).await;
        ledger.settle(&client).await;
        // Only when the process has ended are its files gone from the disk.
        server.kill().await.unwrap();
        for file in ["socket", "postcode-jobs.db", "postcode-jobs.db-wal", "postcode-jobs.db-shm"] {
            let _ = std::fs::remove_file(disk.path().join(file));
        }
    }
}

/// Fails the n-th page write to the log, for every n of a workload, with workers at work. Then
/// there is room again. `POSTCODE_TEST_WRITE_POINTS` sets how many failure points are tried, 6 by
/// default.
#[tokio::test(flavor = "multi_thread")]
async fn whichever_write_fails_the_jobs_that_were_accepted_are_done_once_and_more_are_taken() {
    const FRAME: u64 = 4_120;
    /// The pages that the workload writes, about.
    const PAGES: u64 = 60;
    let points = std::env::var("POSTCODE_TEST_WRITE_POINTS").ok().and_then(|points| points.parse().ok());
    let points: u64 = points.unwrap_or(6);
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("jobs.db");
    let url = format!("sqlite://{}", database.display());
    let jobs = format!("--jobs={url}");
    let (server, client) = serve_by(&WITHOUT_SIZE_SIGNAL, dir.path(), &[&jobs, BRISK[0], BRISK[1]]).await;
    let process = server.id().unwrap();
    if !limit_file_size(process, None) {
        return postcode_testing::skip("prlimit can't limit the size of files here");
    }
    let mut ledger = Ledger::default();
    let mut beside = SqliteConnection::connect(&url).await.unwrap();
    let mut failures = 0;
    for point in 0..points {
        until("an empty log", async || {
            let emptied = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut beside).await;
            emptied.is_ok_and(|(busy, _, _): (i64, i64, i64)| busy == 0)
        })
        .await;
        // Between two pages, or in the middle of one.
        let bytes = 32 + point * PAGES / points * FRAME + point % 2 * FRAME / 2;
        assert!(limit_file_size(process, Some(bytes)));
        for _ in 0..3 {
            failures += u32::from(ledger.submit(&client, 20).await != 202);
            assert_eq!(status(&client, "/postcodes/SW1A1AA").await, 200);
        }
        assert!(limit_file_size(process, None));
        until("accepted again", async || ledger.submit(&client, 20).await == 202).await;
        let image = tempfile::tempdir().unwrap();
        ledger.settle(&client).await;
        ledger.check(&crash_image(&database, image.path())).await;
    }
    println!("{failures} jobs refused at {points} points of failure, {} accepted", ledger.accepted.len());
    assert!(failures > 0);
    ledger.check(&database).await;
}
