//! How an operator runs the program: configuration, environment, logs, health, `doctor`, `bench`.

use std::io::Read;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Output, Stdio};

use postcode_testing::GENEROUS;

use crate::common;
use crate::program::{Server, dataset, program, text};

fn run(arguments: &[&str], variables: &[(&str, &str)], folder: &Path) -> (Option<i32>, String, String) {
    let mut command = program();
    command.args(arguments).envs(variables.iter().copied()).current_dir(folder).stdin(Stdio::null());
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), text(&stdout), text(&stderr))
}

/// Returns the line of a key in `config show`.
fn shown(out: &str, key: &str) -> String {
    let line = out.lines().find(|line| line.starts_with(&format!("{key} = ")));
    let line = line.unwrap_or_else(|| panic!("no {key} in {out}"));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn value_comes_from_option_before_environment_before_file_before_default() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("service.toml");
    std::fs::write(
        &file,
        "listen = \"127.0.0.1:1\"\nmax_batch = 7\ndrain = \"3s\"\nstrict = true\nhost = [\"a.example\"]\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let variables = [("POSTCODE_CONFIG", file), ("POSTCODE_MAX_BATCH", "8"), ("POSTCODE_DRAIN", "4s")];
    let (status, out, why) = run(&["config", "show", "serve", "--drain", "5s"], &variables, folder.path());
    assert_eq!(status, Some(0), "{why}");
    assert_eq!(shown(&out, "drain"), "drain = \"5s\" # command line");
    assert_eq!(shown(&out, "max-batch"), "max-batch = 8 # POSTCODE_MAX_BATCH");
    assert_eq!(shown(&out, "listen"), format!("listen = \"127.0.0.1:1\" # {file}"));
    assert_eq!(shown(&out, "strict"), format!("strict = true # {file}"));
    assert_eq!(shown(&out, "host"), format!("host = [\"a.example\"] # {file}"));
    assert_eq!(shown(&out, "max-page"), "max-page = 1000 # default");
    let (_, out, _) = run(&["config", "show", "--changed"], &variables, folder.path());
    assert!(!out.contains("default") && out.lines().count() == 5, "{out}");
    // The output is a file of configuration.
    let (_, out, _) = run(&["config", "show"], &variables, folder.path());
    std::fs::write(folder.path().join("again.toml"), &out).unwrap();
    let (status, out, why) = run(&["config", "check", "again.toml"], &[], folder.path());
    assert_eq!((status, &*out), (Some(0), "The configuration can be used.\n"), "{why}");
}

#[test]
fn mistakes_in_the_configuration_are_refused_with_a_suggestion() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("bad.toml"), text).unwrap();
    for (file, said) in [
        ("lisen = \"x\"", "Did you mean listen?"),
        ("listen = \"8080\"", "write HOST:PORT"),
        ("drain = 3", "drain"),
        ("jobs = \"postgre://user:s3cret@db/x\"", "jobs"),
        ("a b", "line 1: not TOML"),
    ] {
        write(file);
        let (status, _, why) = run(&["config", "check", "bad.toml"], &[], folder.path());
        assert_eq!(status, Some(1), "{file}: {why}");
        assert!(why.contains(said) && !why.contains("s3cret"), "{file}: {why}");
        let (status, _, why) = run(&["serve", "--config", "bad.toml"], &[], folder.path());
        assert_eq!(status, Some(2), "{file}: {why}");
        assert!(why.contains(said) && !why.contains("s3cret"), "{file}: {why}");
    }
    let listen = [("POSTCODE_LISTN", "127.0.0.1:0")];
    let (status, _, why) = run(&["serve"], &listen, folder.path());
    assert!(status == Some(2) && why.contains("Did you mean POSTCODE_LISTEN?"), "{why}");
    // Other commands ignore such variables. Kubernetes sets some for its Services.
    assert_eq!(run(&["lookup", "SW1A1AA"], &listen, folder.path()).0, Some(0));
    let service = [("POSTCODE_SERVICE_HOST", "10.0.0.1"), ("POSTCODE_PORT", "tcp://10.0.0.1:80")];
    assert_eq!(run(&["config", "check"], &service, folder.path()).0, Some(0));
}

#[test]
fn secrets_are_hidden_when_the_configuration_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.toml"), "jobs = \"postgres://user:s3cret@db.example/jobs\"\n")
        .unwrap();
    let (status, out, why) = run(&["config", "show", "--config", "c.toml"], &[], folder.path());
    assert_eq!(status, Some(0), "{why}");
    assert!(shown(&out, "jobs").contains("db.example") && !out.contains("s3cret"), "{out}");
}

#[test]
fn port_names_the_port_and_the_host_depends_on_who_may_come() {
    let folder = tempfile::tempdir().unwrap();
    let listen = |variables: &[(&str, &str)], options: &[&str]| {
        let (_, out, why) = run(&[&["config", "show", "serve"], options].concat(), variables, folder.path());
        assert_eq!(why, "");
        shown(&out, "listen")
    };
    assert_eq!(listen(&[("PORT", "9000")], &[]), "listen = \"127.0.0.1:9000\" # PORT");
    assert_eq!(listen(&[("PORT", "9000")], &["--allow-unauthenticated"]), "listen = \"0.0.0.0:9000\" # PORT");
    let both = [("PORT", "9000"), ("POSTCODE_LISTEN", "127.0.0.1:1")];
    assert_eq!(listen(&both, &[]), "listen = \"127.0.0.1:1\" # POSTCODE_LISTEN");
    let (status, _, why) = run(&["config", "check"], &[("PORT", "http")], folder.path());
    assert!(status == Some(1) && why.contains("PORT=http: not the number of a port"), "{why}");
}

#[test]
fn json_log_has_every_line_of_a_start_a_reload_and_an_end_and_nothing_is_on_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "one");
    let mut command = program();
    command.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--jobs",
        "none",
        "--log-format",
        "json",
        "--data",
        &data,
    ]);
    let mut child = command.spawn().unwrap();
    let mut log = child.stderr.take().unwrap();
    let (mut lines, mut line, mut byte) = (Vec::new(), Vec::new(), [0]);
    let mut reloaded = false;
    while log.read(&mut byte).unwrap() == 1 {
        if byte[0] != b'\n' {
            line.push(byte[0]);
            continue;
        }
        let value: serde_json::Value =
            serde_json::from_slice(&line).unwrap_or_else(|e| panic!("{e}: {}", text(&line)));
        line.clear();
        let message =
            value["fields"]["message"].as_str().or(value["message"].as_str()).unwrap_or_default().to_owned();
        if message.starts_with("listening on http://127.0.0.1:") {
            postcode_testing::signal(child.id(), "HUP");
        }
        if message.starts_with("dataset reloaded") && !reloaded {
            reloaded = true;
            postcode_testing::signal(child.id(), "TERM");
        }
        lines.push(message);
    }
    assert!(child.wait().unwrap().success());
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(out, "");
    for said in [
        "starting",
        "dataset",
        "listening on",
        "reloading",
        "dataset reloaded, the same",
        "shutting down",
        "stopped",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(said)), "{said}: {lines:?}");
    }
}

#[test]
fn second_start_on_the_same_address_takes_part_in_no_job() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "one");
    let server = Server::start(&["--listen", "127.0.0.1:0", "--data", &data, "--jobs", "none"]);
    let address = server.address.strip_prefix("http://").unwrap();
    let jobs = format!("sqlite://{}", folder.path().join("jobs.db").display());
    let (status, _, why) =
        run(&["serve", "--listen", address, "--data", &data, "--jobs", &jobs], &[], folder.path());
    assert_eq!(status, Some(2), "{why}");
    assert!(why.contains("can't listen on") && !why.contains("Worker"), "{why}");
    assert!(!folder.path().join("jobs.db").exists(), "the database of jobs was opened");
    assert_eq!(server.end("TERM").0, Some(0));
}

#[test]
fn ping_says_whether_a_server_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "one");
    let socket = format!("unix:{}", folder.path().join("s.sock").display());
    for listen in ["127.0.0.1:0", &socket] {
        let server = Server::start(&["--listen", listen, "--data", &data, "--jobs", "none"]);
        let address = server.address.trim_start_matches("http://").to_owned();
        let (status, out, why) = run(&["ping", &address], &[], folder.path());
        assert_eq!((status, out), (Some(0), format!("{address} is ready\n")), "{why}");
        let (status, _, why) = run(&["ping"], &[("POSTCODE_LISTEN", &address)], folder.path());
        assert_eq!(status, Some(0), "{why}");
        assert_eq!(server.end("TERM").0, Some(0));
        let (status, _, why) = run(&["ping", &address], &[], folder.path());
        assert!(status == Some(1) && why.contains("does not answer"), "{why}");
    }
}

#[test]
fn supervisor_hears_of_start_reload_life_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "one");
    let path = folder.path().join("notify");
    let supervisor = UnixDatagram::bind(&path).unwrap();
    supervisor.set_read_timeout(Some(GENEROUS)).unwrap();
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--jobs", "none", "--data", &data]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "300000");
    let mut child = command.spawn().unwrap();
    let wait = |said: &str| {
        let mut buffer = [0; 4_096];
        loop {
            let size = supervisor.recv(&mut buffer).unwrap();
            if text(&buffer[..size]).contains(said) {
                return text(&buffer[..size]);
            }
        }
    };
    assert!(wait("READY=1").contains("STATUS=serving one"));
    wait("WATCHDOG=1");
    wait("WATCHDOG=1");
    postcode_testing::signal(child.id(), "HUP");
    assert!(wait("RELOADING=1").contains("MONOTONIC_USEC="));
    wait("READY=1");
    postcode_testing::signal(child.id(), "TERM");
    wait("STOPPING=1");
    assert!(child.wait().unwrap().success());
}

#[test]
fn doctor_finds_what_is_wrong_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "ONSPD May 2020");
    let doctor = |options: &[&str]| {
        let all = [&["doctor", "--json", "--"], options].concat();
        let (status, out, why) = run(&all, &[], folder.path());
        let findings: Vec<serde_json::Value> = out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {out}{why}")))
            .collect();
        (status, findings)
    };
    let of = |findings: &[serde_json::Value], subject: &str, severity: &str| {
        findings.iter().any(|finding| {
            finding["subject"] == subject
                && finding["severity"] == severity
                && (severity == "good" || finding["advice"].as_str().is_some_and(|advice| !advice.is_empty()))
        })
    };
    let (status, well) = doctor(&["--data", &data, "--listen", "127.0.0.1:0", "--jobs", "none"]);
    assert_eq!(status, Some(0), "{well:?}");
    for (subject, severity) in [
        ("configuration", "good"),
        ("data", "good"),
        ("age", "remark"),
        ("coverage", "remark"),
        ("access", "good"),
        ("jobs", "good"),
    ] {
        assert!(of(&well, subject, severity), "{subject}: {well:?}");
    }
    let server = Server::start(&["--listen", "127.0.0.1:0", "--data", &data, "--jobs", "none"]);
    let taken = server.address.strip_prefix("http://").unwrap();
    let (status, ill) =
        doctor(&["--listen", taken, "--data", "nowhere.postcodes", "--jobs", "sqlite:///nowhere/jobs.db"]);
    assert_eq!(status, Some(1));
    for subject in ["address", "data", "jobs"] {
        assert!(of(&ill, subject, "fault"), "{subject}: {ill:?}");
    }
    assert_eq!(server.end("TERM").0, Some(0));
    let (status, ill) = doctor(&["--listen", "0.0.0.0:0", "--data", &data, "--jobs", "none"]);
    assert!(status == Some(1) && of(&ill, "access", "fault"), "{ill:?}");
    let (status, ill) = doctor(&["--lisen", "x"]);
    assert!(status == Some(1) && of(&ill, "configuration", "fault"), "{ill:?}");
    let (status, ill) = doctor(&[
        "--data",
        &data,
        "--listen",
        "127.0.0.1:0",
        "--jobs",
        "postgres://nobody:s3cret@127.0.0.1:1/x",
    ]);
    assert!(status == Some(1) && of(&ill, "PostgreSQL", "fault"), "{ill:?}");
    assert!(!format!("{ill:?}").contains("s3cret"));
    // Nothing was made.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn bench_measures_every_mode_of_the_data_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "one");
    let (status, out, why) = run(&["bench", "-s", &data, "--time", "20ms", "--json"], &[], folder.path());
    assert_eq!(status, Some(0), "{why}");
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4, "{out}");
    assert!(lines.iter().all(|line| line["lookups"].as_u64().unwrap() > 0), "{out}");
    let (status, out, why) = run(&["bench", "--time", "20ms", "--at-once", "4", "--csv"], &[], folder.path());
    assert_eq!(status, Some(0), "{why}");
    for mode in ["the dataset's own method", "by the trait", "HTTP over TCP", "HTTP over a Unix socket"] {
        assert!(out.contains(mode), "{mode}: {out}");
    }
}

#[test]
fn version_names_the_data_inside() {
    let folder = tempfile::tempdir().unwrap();
    let (status, out, _) = run(&["--version"], &[], folder.path());
    assert!(
        status == Some(0) && out.starts_with("postcode-service ") && out.contains("data inside: ONSPD"),
        "{out}"
    );
}

#[tokio::test]
async fn metrics_have_the_process_and_the_data_from_the_beginning_and_count_reloads() {
    use postcode_service::server::{Frontend, Options};
    let api = common::api_over(common::small()).await;
    let frontend = Frontend::new(api.clone(), &Options::default());
    let scrape = async || {
        let request = http::Request::get("/metrics").body(axum::body::Body::empty()).unwrap();
        let body = axum::body::to_bytes(frontend.call(request).await.into_body(), 1 << 20).await.unwrap();
        text(&body)
    };
    let metrics = scrape().await;
    for sample in [
        "process_resident_memory_bytes ",
        "process_open_fds ",
        "process_cpu_seconds_total ",
        "process_start_time_seconds ",
        "postcode_dataset_info{edition=\"made by hand\",fingerprint=\"",
        "postcode_dataset_postcodes{state=\"live\"} 4",
        "postcode_dataset_postcodes{state=\"terminated\"} 1",
        "postcode_dataset_opened_timestamp_seconds ",
        "postcode_dataset_reloads_total{result=\"success\"} 0",
        "postcode_ready 1",
        "postcode_jobs{state=\"queued\"} 0",
        "postcode_job_callbacks{state=\"dead\"} 0",
    ] {
        assert!(metrics.lines().any(|line| line.starts_with(sample)), "{sample}: {metrics}");
    }
    assert!(metrics.ends_with("# EOF\n") && metrics.matches("# EOF").count() == 1);
    api.replace(postcode_service::api::Edition::of_local(common::small()).await.unwrap());
    api.reload_failed();
    api.set_ready(false);
    let metrics = scrape().await;
    for sample in [
        "postcode_dataset_reloads_total{result=\"success\"} 1",
        "postcode_dataset_reloads_total{result=\"failure\"} 1",
        "postcode_ready 0",
    ] {
        assert!(metrics.lines().any(|line| line == sample), "{sample}: {metrics}");
    }
}

#[tokio::test]
async fn dashboard_and_alerts_ask_only_for_metrics_that_exist() {
    use postcode_service::server::{Frontend, Options};
    let frontend = Frontend::new(common::api_over(common::small()).await, &Options::default());
    let call = async |path: &str| {
        let request = http::Request::get(path).body(axum::body::Body::empty()).unwrap();
        text(&axum::body::to_bytes(frontend.call(request).await.into_body(), 1 << 20).await.unwrap())
    };
    call("/postcodes/AB101AB").await;
    let metrics = call("/metrics").await;
    let samples: std::collections::HashSet<&str> =
        metrics.lines().filter_map(|line| line.split([' ', '{']).next()).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/monitoring");
    let mut asked = 0;
    for file in ["alerts.yaml", "dashboard.json"] {
        let content = std::fs::read_to_string(folder.join(file)).unwrap();
        let names = content.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
        for name in names.filter(|name| name.starts_with("postcode_") || name.starts_with("process_")) {
            assert!(samples.contains(name), "{file}: {name} is not in {samples:?}");
            asked += 1;
        }
    }
    assert!(asked > 20, "{asked}");
}
