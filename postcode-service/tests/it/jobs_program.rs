//! Jobs in the program itself: the default database, a separate worker, and a million real
//! postcodes in three ways that give the same bytes.
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
use postcode_testing::{Proof, until};
use tokio::io::{AsyncBufReadExt, BufReader};

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
    program_by(&[])
}

/// Returns the command, started by another program.
fn program_by(starter: &[&str]) -> Command {
    let words = [starter, &[env!("CARGO_BIN_EXE_postcode-service")]].concat();
    let mut command = postcode_testing::command(words[0]);
    command.args(&words[1..]).env("RUST_LOG", "error");
    command
}

fn on_the_command_line(input: &Path, out: &Path) -> Vec<u8> {
    let status = program().arg("enrich").arg(input).arg("--out").arg(out).stderr(Stdio::null()).status();
    assert!(status.unwrap().success());
    std::fs::read(out).unwrap()
}

/// Starts a server in that folder. Returns it with a client.
async fn serve(dir: &Path, arguments: &[&str]) -> (tokio::process::Child, reqwest::Client) {
    serve_by(&[], dir, arguments).await
}

/// Starts a server through another program.
pub(crate) async fn serve_by(
    starter: &[&str],
    dir: &Path,
    arguments: &[&str],
) -> (tokio::process::Child, reqwest::Client) {
    let socket = dir.join("socket");
    let mut server = tokio::process::Command::from(program_by(starter));
    server.current_dir(dir).arg("serve").arg(format!("--listen=unix:{}", socket.display())).args(arguments);
    let mut server = server.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut said = BufReader::new(server.stdout.take().unwrap()).lines();
    assert!(said.next_line().await.unwrap().is_some_and(|line| line.starts_with("listening")));
    postcode_core::remote::tls_provider();
    let client =
        reqwest::Client::builder().no_proxy().unix_socket(&*socket).timeout(Duration::from_secs(600));
    (server, client.build().unwrap())
}

/// Status and body of a request that submits a row.
async fn submit(client: &reqwest::Client) -> (u16, serde_json::Value) {
    let request = client.post("http://localhost/jobs").header("content-type", "text/csv");
    let answer = request.body("postcode\nSW1A 1AA\n").send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_job_makes_the_file_for_its_owner() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("postcode-jobs.db");
    let (_server, client) = serve(dir.path(), &[]).await;
    let asked = client.get("http://localhost/jobs/x").send().await.unwrap();
    assert_eq!((asked.status().as_u16(), file.exists()), (404, false), "nothing is written for nothing");
    let (status, job) = submit(&client).await;
    assert_eq!(status, 202, "{job}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let url = format!("http://localhost/jobs/{}?wait=20s", job["result"]["id"].as_str().unwrap());
    until("the server's own workers do it", async || {
        let job = client.get(&url).send().await.unwrap().bytes().await.unwrap();
        serde_json::from_slice::<serde_json::Value>(&job).unwrap()["result"]["state"] == "succeeded"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_file_can_be_all_but_jobs_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("postcode-jobs.db")).unwrap();
    let (_server, client) = serve(dir.path(), &[]).await;
    let (status, error) = submit(&client).await;
    assert_eq!((status, &error["retryable"]), (503, &true.into()), "{error}");
    let found = client.get("http://localhost/postcodes/SW1A1AA").send().await.unwrap();
    assert_eq!(found.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_is_there_or_the_program_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let fails = |arguments: &[&str], says: &str| {
        let output = program().args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(says), "{text}");
    };
    let listen = format!("--listen=unix:{}", dir.path().join("s").display());
    fails(&["serve", &listen, "--jobs=sqlite:///nowhere/jobs.db"], "sqlite:///nowhere/jobs.db");
    fails(&["serve", &listen, "--jobs=mysql://x"], "postgres://");
    fails(&["worker"], "--jobs");
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "whsec_dG9vIHNob3J0").unwrap();
    let option = format!("--webhook-secret-file={}", secret.display());
    let jobs = format!("--jobs=sqlite://{}", dir.path().join("jobs.db").display());
    fails(&["serve", &listen, &jobs, &option], "whsec_ and 24 to 64");
    let (_server, client) = serve(dir.path(), &["--jobs=none"]).await;
    assert_eq!(submit(&client).await.0, 501);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_its_own_ends_when_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let jobs = format!("--jobs=sqlite://{}", dir.path().join("jobs.db").display());
    let (_server, client) = serve(dir.path(), &[&jobs, "--workers=0"]).await;
    let (_, job) = submit(&client).await;
    let url = format!("http://localhost/jobs/{}", job["result"]["id"].as_str().unwrap());
    let state = async |query: &str| {
        let job = client.get(format!("{url}{query}")).send().await.unwrap().bytes().await.unwrap();
        serde_json::from_slice::<serde_json::Value>(&job).unwrap()["result"]["state"].clone()
    };
    assert_eq!(state("?wait=1s").await, "queued", "this server only takes them");
    let mut worker = tokio::process::Command::from(program());
    let mut worker =
        worker.arg("worker").arg(&jobs).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut said = BufReader::new(worker.stdout.take().unwrap()).lines();
    assert!(said.next_line().await.unwrap().is_some_and(|line| line.starts_with("working on sqlite://")));
    until("the worker does it", async || state("?wait=20s").await == "succeeded").await;
    postcode_testing::signal(worker.id().unwrap(), "TERM");
    assert!(worker.wait().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn job_stream_and_command_line_give_the_same_bytes() {
    let mut proof = Proof::new("rows three ways", "POSTCODE_TEST_ROWS", 20_000, 1_000_000);
    while let Some(count) = proof.grow() {
        three_ways(count as usize).await;
    }
    proof.end();
}

async fn three_ways(count: usize) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let rows = rows(count);
    std::fs::write(path("in.csv"), &rows).unwrap();
    let (_server, client) = serve(dir.path(), &[]).await;
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

#[test]
fn errors_of_the_command_line_and_of_the_environment_show_no_password() {
    const SECRET: &str = "s3 'cr@et";
    let dir = tempfile::tempdir().unwrap();
    let urls = ["postgre", "postgres", "http", "gopher", "replica:http"]
        .map(|scheme| format!("{scheme}://user:{SECRET}@127.0.0.1:port/x"));
    let more = [format!("user:{SECRET}@db"), "postgres://127.0.0.1:port/x?password=s3 'cr@et".to_owned()];
    let options = [
        ("serve", "--jobs", "POSTCODE_JOBS"),
        ("serve", "--data", "POSTCODE_DATA"),
        ("serve", "--listen", "POSTCODE_LISTEN"),
        ("serve", "--drain", "POSTCODE_DRAIN"),
        ("serve", "--no-such-option", ""),
        ("worker", "--jobs", "POSTCODE_JOBS"),
        ("worker", "--source", "POSTCODE_SOURCE"),
        ("info", "--source", "POSTCODE_SOURCE"),
        ("lookup", "", ""),
        ("verify", "", "POSTCODE_VERIFY_FILE"),
    ];
    for url in urls.iter().chain(&more) {
        for (command, option, variable) in options {
            let mut tries = vec![program(), program()];
            tries[0].args([command, url]);
            tries[1].args([command, &format!("{option}={url}")]);
            if !variable.is_empty() {
                let mut by_variable = program();
                by_variable.arg(command).env(variable, url);
                tries.push(by_variable);
            }
            for mut attempt in tries {
                attempt.current_dir(dir.path());
                for (name, value) in
                    [("POSTCODE_LISTEN", "127.0.0.1:0"), ("POSTCODE_JOBS", "sqlite://nowhere/jobs.db")]
                {
                    if name != variable {
                        attempt.env(name, value);
                    }
                }
                let output = attempt.output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(!output.status.success(), "{command} {option} {url}: {said}");
                assert!(!said.contains("cr@et") && !said.contains("s3"), "{command} {option} {url}: {said}");
            }
        }
    }
}
