//! Every answer of two sources compared.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
use postcode_core::{Local, Postcode};
use postcode_service::prove::{Difference, Options, Side, prove};
use serde_json::Value;

use crate::common;
use crate::program::{Server, program};
use crate::wrong::Wrong;

/// Postcodes of two outcodes: many, so that there are several batches.
fn postcodes() -> Vec<Postcode> {
    let units = ["A", "B", "D", "E", "F", "G", "H", "J", "L", "N"];
    let all = units.iter().flat_map(|one| units.map(|two| format!("{one}{two}")));
    let all: Vec<String> = all.collect();
    let of =
        |outcode: &'static str| all.iter().map(move |unit| format!("{outcode} 1{unit}").parse().unwrap());
    of("AB10").chain(of("M1")).collect()
}

fn dataset(rows: impl IntoIterator<Item = Row>) -> Local {
    let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    for row in rows {
        builder.push(&row).unwrap();
    }
    Local::new(builder.build().unwrap())
}

fn country() -> Local {
    dataset(postcodes().into_iter().map(Row::live))
}

async fn differences(one: Side, other: Side, options: Options) -> (Vec<Difference>, u64) {
    let mut all = Vec::new();
    let found = |difference: &Difference| {
        all.push(difference.clone());
        Ok(())
    };
    let counts = prove([one, other], options, found, |_, _| {}).await.unwrap();
    assert_eq!(counts.different, all.len() as u64);
    (all, counts.postcodes)
}

#[tokio::test]
async fn source_that_is_wrong_on_one_postcode_is_found_whatever_the_batches() {
    let about: Postcode = "M1 1DE".parse().unwrap();
    for (batch, at_once) in [(1, 1), (7, 3), (200, 4), (10_000, 64)] {
        let wrong = Side::of(Arc::new(Wrong { inner: country(), about })).await.unwrap();
        let right = Side::of_local(country()).await.unwrap();
        let (found, compared) = differences(right, wrong, Options { batch, at_once }).await;
        assert_eq!(compared, 200);
        let told: Vec<String> = found.iter().map(Difference::to_string).collect();
        assert_eq!(told, ["M1 1DE    quality: null | 7"]);
    }
}

#[tokio::test]
async fn what_only_one_of_two_datasets_has_is_found_in_both_directions() {
    let mut fewer: Vec<Row> = postcodes().into_iter().map(Row::live).collect();
    let gone = fewer.remove(17);
    let ended = Row::terminated("AB1 0AA".parse().unwrap());
    let (all, _) = differences(
        Side::of_local(dataset(fewer.into_iter().chain([ended]))).await.unwrap(),
        Side::of_local(country()).await.unwrap(),
        Options::default(),
    )
    .await;
    let mut queries: Vec<&str> = all.iter().map(|difference| difference.query.as_str()).collect();
    queries.sort_unstable();
    // An outcode differs too if its live postcodes do.
    assert_eq!(queries[0], "AB1 0AA");
    assert!(queries.contains(&gone.postcode.to_string().as_str()), "{queries:?}");
}

#[tokio::test]
async fn nothing_is_proved_if_neither_side_lists_what_it_has() {
    let side = || async { Side::of(Arc::new(country())).await.unwrap() };
    let sides = [side().await, side().await];
    let error = prove(sides, Options::default(), |_| Ok(()), |_, _| {}).await.unwrap_err();
    assert!(error.to_string().contains("replica:"), "{error}");
}

#[tokio::test]
async fn edition_that_changes_meanwhile_proves_nothing() {
    let local = Arc::new(country());
    let other = Side::of(local.clone()).await.unwrap();
    local.replace(dataset([Row::live("ZE1 0AA".parse().unwrap())]).dataset());
    let sides = [Side::of_local(country()).await.unwrap(), other];
    let error = prove(sides, Options::default(), |_| Ok(()), |_, _| {}).await.unwrap_err();
    assert!(format!("{error:#}").contains("the edition is now"), "{error:#}");
}

fn write(path: &Path, local: &Local) -> String {
    std::fs::write(path, local.dataset().as_bytes()).unwrap();
    format!("file:{}", path.display())
}

fn ran(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        program().arg("prove").args(arguments).spawn().unwrap().wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn program_compares_a_file_with_a_service_and_ends_with_the_status_of_the_result() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder.path().join("one.postcodes"), &country());
    let mut rows: Vec<Row> = postcodes().into_iter().map(Row::live).collect();
    rows[150].quality = Some(3);
    let changed = rows[150].postcode;
    rows.push(Row::live("ZE1 0AA".parse().unwrap()));
    rows.push(Row::terminated("AB1 0AA".parse().unwrap()));
    rows.sort_unstable_by_key(|row| row.postcode);
    let other = write(&folder.path().join("other.postcodes"), &dataset(rows));

    let server = Server::start(&["--listen", "127.0.0.1:0", "--data", &file]);
    let url = server.address.clone();
    let (status, out, error) = ran(&[&file, &url]);
    assert_eq!((status, error.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("200 postcodes, 2 outcodes, 0 places: all answers are equal\n"), "{out}");

    let (status, out, error) = ran(&[&file, &url, "--by-root"]);
    assert_eq!(status, 0, "{out}{error}");
    assert!(out.starts_with("all answers are equal: root "), "{out}");

    // What can't be listed is sampled, and the same questions can be asked again.
    let (status, out, error) = ran(&[&file, &url, "--random", "300", "--seed", "5"]);
    assert_eq!((status, error.as_str()), (0, ""), "{out}");
    let bound = "This is not a proof. With 95 % confidence fewer than 0.994 % of such questions have different answers.";
    assert!(
        out.starts_with(&format!("{bound}\n300 random questions with the seed 5: all answers are equal\n")),
        "{out}"
    );

    // Both directions: what only the service has is found by its count.
    let server = Server::start(&["--listen", "127.0.0.1:0", "--data", &other]);
    let url = server.address.clone();
    let (status, out, _) = ran(&[&file, &url, "--json", "--batch", "7"]);
    assert_eq!(status, 1, "{out}");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (summary, found) = lines.split_last().unwrap();
    let queries: Vec<&str> = found.iter().map(|line| line["query"].as_str().unwrap()).collect();
    assert_eq!(queries, [&changed.to_string(), "ZE1 0AA", "1 more postcodes, which a service does not list"]);
    assert_eq!(found[0]["fields"][0]["name"], "quality");
    assert_eq!((&summary["postcodes"], &summary["different"]), (&200.into(), &3.into()));

    let (status, out, _) = ran(&[&file, &url, "--random", "300", "--json"]);
    assert_eq!(status, 1, "{out}");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (summary, found) = lines.split_last().unwrap();
    assert_eq!(
        (&summary["questions"], &summary["seed"], &summary["bound"]),
        (&300.into(), &1.into(), &Value::Null)
    );
    assert_eq!(summary["different"], found.len());
    assert!(found.iter().any(|line| line["query"].as_str().unwrap().starts_with("search ")), "{out}");

    // Its root finds also what it does not list.
    let (status, out, error) = ran(&[&file, &url, "--by-root", "--json"]);
    assert_eq!(status, 1, "{out}{error}");
    let seen: Value = serde_json::from_str(&out).unwrap();
    let different: Vec<&str> =
        seen["different"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    for name in [&*changed.to_string(), "ZE1 0AA", "AB1 0AA"] {
        assert!(different.contains(&name), "{name}: {different:?}");
    }
    assert!(seen["complete"] == true && seen["requests"].as_u64().unwrap() <= 8, "{out}");

    let (status, _, error) = ran(&[&url, &url]);
    assert_eq!(status, 2);
    assert!(error.contains("neither source"), "{error}");
    let (status, _, error) = ran(&[&file, "http://127.0.0.1:1?retries=0"]);
    assert_eq!(status, 2, "{error}");
}

#[cfg(unix)]
#[test]
fn program_that_is_interrupted_ends_with_130_and_says_that_nothing_is_proved() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder.path().join("one.postcodes"), &country());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}?timeout=10m", silent.local_addr().unwrap());
    let child = common::program()
        .args(["prove", &file, &url])
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // When the request has come, the program is at work.
    let mut request = [0; 1];
    let (mut connection, _) = silent.accept().unwrap();
    connection.read_exact(&mut request).unwrap();
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    let error = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(130), "{error}");
    assert!(error.contains("nothing is proved"), "{error}");
}
