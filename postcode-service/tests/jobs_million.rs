//! A million real postcodes, as CSV, enriched three ways by the program: as a job, as a stream, and on the command line. The
//! bytes are the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for production"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use postcode_core::Local;
use tokio::io::{AsyncBufReadExt, BufReader};

/// All there are, and so more than a million; or so many, which a loaded machine does in a moment.
fn count() -> usize {
    std::env::var("POSTCODE_TEST_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(100_000)
}

/// Real postcodes from all over the country, in use and not, in several ways of writing.
fn rows(count: usize) -> Vec<u8> {
    let country = Local::embedded().unwrap();
    let dataset = country.dataset();
    let mut rows = b"customer,Postcode,note\n".to_vec();
    let step = (dataset.info().live as usize / count).max(1);
    for (n, record) in dataset.iter().step_by(step).take(count).enumerate() {
        let postcode = record.postcode.to_string();
        let row = match n % 4 {
            0 => format!("{n},{postcode},\n"),
            1 => format!("{n},{},\"a, b\"\n", postcode.to_lowercase()),
            2 => format!("{n},{},x\r\n", postcode.replace(' ', "")),
            _ => format!("{n}, {postcode} \n"),
        };
        rows.extend_from_slice(row.as_bytes());
    }
    rows
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postcode-service"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("POSTCODE_")) {
        command.env_remove(name);
    }
    command.env("RUST_LOG", "error").stdin(Stdio::null());
    command
}

fn on_the_command_line(input: &Path, out: &Path) -> Vec<u8> {
    let status = program().arg("enrich").arg(input).arg("--out").arg(out).stderr(Stdio::null()).status();
    assert!(status.unwrap().success());
    std::fs::read(out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn job_stream_and_command_line_give_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let count = count();
    let rows = rows(count);
    std::fs::write(path("in.csv"), &rows).unwrap();
    let mut server = tokio::process::Command::from(program());
    server.arg("serve").arg(format!("--listen=unix:{}", path("socket").display()));
    server.arg(format!("--jobs=sqlite://{}", path("jobs.db").display()));
    let mut server = server.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut said = BufReader::new(server.stdout.take().unwrap()).lines();
    assert!(said.next_line().await.unwrap().is_some_and(|line| line.starts_with("listening")));
    let client = reqwest::Client::builder().unix_socket(&*path("socket"));
    let client = client.timeout(Duration::from_secs(600)).build().unwrap();
    let post = |path: &str| {
        let request = client.post(format!("http://localhost{path}")).header("content-type", "text/csv");
        request.body(rows.clone())
    };

    let began = std::time::Instant::now();
    let job = post("/jobs").send().await.unwrap();
    assert_eq!(job.status(), 202);
    let job: serde_json::Value = serde_json::from_slice(&job.bytes().await.unwrap()).unwrap();
    let (id, total) = (job["result"]["id"].as_str().unwrap(), &job["result"]["total"]);
    let uploaded = began.elapsed();
    loop {
        let url = format!("http://localhost/jobs/{id}?wait=60s");
        let job = client.get(url).send().await.unwrap().bytes().await.unwrap();
        let job: serde_json::Value = serde_json::from_slice(&job).unwrap();
        if job["result"]["state"] == "succeeded" {
            break;
        }
        assert!(["queued", "running"].contains(&job["result"]["state"].as_str().unwrap()), "{job}");
    }
    let done = began.elapsed();
    let url = format!("http://localhost/jobs/{id}/result");
    let by_job = client.get(url).send().await.unwrap().bytes().await.unwrap();
    let by_stream = post("/enrich").send().await.unwrap().bytes().await.unwrap();
    let on_the_command_line = on_the_command_line(&path("in.csv"), &path("out.csv"));
    assert_eq!(*total, count);
    assert!(by_job == by_stream, "a job of {} bytes and a stream of {}", by_job.len(), by_stream.len());
    assert!(by_job == on_the_command_line, "a job and the command line differ");
    println!("{count} rows: stored in {uploaded:?}, done in {done:?}; {} bytes three times", by_job.len());
}
