//! The program itself: start, signals, errors, lookups.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for production"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Instant;

use postcode_core::dataset::{Dataset, DatasetBuilder, Metadata, Row};
use postcode_testing::{GENEROUS, Nobody};

use crate::common;

pub(crate) fn program() -> Command {
    let mut command = common::program();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Writes a dataset file with one live and one terminated postcode.
pub(crate) fn dataset(path: &Path, edition: &str) -> String {
    let mut metadata = Metadata::new(edition);
    metadata.not_covered = vec!["BT".to_owned()];
    metadata.not_covered_advice = Some("load ONSPD".to_owned());
    let mut builder = DatasetBuilder::new(metadata);
    builder.push(&Row::live("AB10 1AB".parse().unwrap())).unwrap();
    builder.push(&Row::terminated("AB1 0AA".parse().unwrap())).unwrap();
    std::fs::write(path, builder.build().unwrap().as_bytes()).unwrap();
    format!("file:{}", path.display())
}

pub(crate) struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = program().arg("serve").args(arguments).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let Some(address) = line.trim_end().strip_prefix("listening on ") else {
            let output = child.wait_with_output().unwrap();
            panic!("{line:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        Self { child, out, address: address.to_owned() }
    }

    /// Waits for a line of the log that says this.
    pub(crate) fn logs(&mut self, said: &str) {
        let log = self.child.stderr.as_mut().unwrap();
        let (mut line, mut byte) = (Vec::new(), [0]);
        loop {
            assert_ne!(log.read(&mut byte).unwrap(), 0, "the log ended without {said:?}");
            line.push(byte[0]);
            if byte[0] == b'\n' {
                if text(&line).contains(said) {
                    return;
                }
                line.clear();
            }
        }
    }

    /// Ends it, and returns the rest of its log.
    pub(crate) fn end_with_log(mut self, signal: &str) -> String {
        let mut log = self.child.stderr.take().unwrap();
        assert_eq!(self.end(signal).0, Some(0));
        let mut rest = String::new();
        log.read_to_string(&mut rest).unwrap();
        rest
    }

    /// Returns the number of the process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        postcode_testing::signal(self.child.id(), name);
    }

    /// Ends it with a signal. Returns the exit status and the rest of its standard output.
    pub(crate) fn end(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (status.code(), rest)
    }

    /// Returns a URL for `--source`, with a client that waits as long as a busy machine takes.
    fn source(&self) -> String {
        format!("{}?timeout=30s&deadline=60s", self.address)
    }

    fn lookup(&self, arguments: &[&str]) -> Output {
        program().args(arguments).args(["--source", &self.source()]).output().unwrap()
    }
}

/// A test that fails leaves no server behind.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_server_says_where_it_listens_and_ends_cleanly() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "one");
    for signal in ["TERM", "INT"] {
        let server = Server::start(&["--listen", "127.0.0.1:0", "--data", &data]);
        assert!(server.address.starts_with("http://127.0.0.1:") && !server.address.ends_with(":0"));
        assert_eq!(server.end(signal), (Some(0), String::new()), "{signal}");
    }
    let socket = folder.path().join("s");
    let server = Server::start(&["--listen", &format!("unix:{}", socket.display()), "--data", &data]);
    assert_eq!(server.address, format!("unix:{}", socket.display()));
    assert_eq!(server.lookup(&["lookup", "AB10 1AB"]).status.code(), Some(0));
    assert_eq!(server.end("TERM").0, Some(0));
    assert!(!socket.exists());
}

#[test]
fn what_can_not_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uk.postcodes");
    let data = dataset(&path, "one");
    let damaged = folder.path().join("damaged");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&damaged, bytes).unwrap();
    let (damaged, missing) = (format!("file:{}", damaged.display()), "file:/nowhere/uk.postcodes");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    for (arguments, said) in [
        (vec!["--listen", &port, "--data", &data], "can't listen on"),
        (vec!["--listen", "127.0.0.1:0", "--data", missing], "/nowhere/uk.postcodes"),
        (vec!["--listen", "127.0.0.1:0", "--data", &damaged], "damaged"),
        (vec!["--data", "http://127.0.0.1:1"], "write embedded: or file:"),
        (vec!["--listen", "8080"], "write HOST:PORT"),
        (vec!["--drain", "soon"], "write 10s"),
        (vec!["--no-such-option"], "--no-such-option"),
    ] {
        let output = program().arg("serve").args(&arguments).output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_hangup_serves_the_new_file_and_keeps_the_old_if_it_is_bad() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uk.postcodes");
    let data = dataset(&path, "one");
    let mut server = Server::start(&["--listen", "127.0.0.1:0", "--data", &data]);
    let mut log = BufReader::new(server.child.stderr.take().unwrap());
    let mut until = |said: &str| {
        let mut line = String::new();
        while !line.contains(said) {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the log ended without {said:?}");
        }
    };
    until("dataset");
    let edition = |server: &Server| text(&server.lookup(&["info"]).stdout);
    // Replaced by rename, as a file that is mapped must not be written to.
    let replace = |bytes: &[u8]| {
        let new = folder.path().join("new");
        std::fs::write(&new, bytes).unwrap();
        std::fs::rename(&new, &path).unwrap();
    };
    replace(b"not a dataset");
    server.signal("HUP");
    until("the old stays");
    assert!(edition(&server).contains("edition      one"), "{}", edition(&server));
    let two = folder.path().join("two");
    dataset(&two, "two");
    replace(&std::fs::read(&two).unwrap());
    server.signal("HUP");
    until("two");
    // The log line comes just before the exchange.
    let began = Instant::now();
    while !edition(&server).contains("edition      two") {
        assert!(began.elapsed() < GENEROUS, "{}", edition(&server));
    }
    assert_eq!(server.end("TERM").0, Some(0));
}

fn lookup_lines(source: &str, input: &[u8]) -> Output {
    let mut child =
        program().args(["lookup", "--json", "-", "--source", source]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output
}

#[test]
fn lookup_answers_the_same_bytes_whatever_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "one");
    let server = Server::start(&["--listen", "127.0.0.1:0", "--data", &data]);
    // More than a batch, in order, with everything that can be in it.
    let mut input = b"ab101ab\r\nAB1 0AA\nAB10 9ZZ\nBT1 5GS\nnonsense\n\xff\n\n".repeat(300);
    input.extend_from_slice(b"AB10 1AB");
    let local = lookup_lines(&data, &input);
    assert_eq!(local.status.code(), Some(1), "{}", text(&local.stderr));
    let lines: Vec<serde_json::Value> =
        text(&local.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 7 * 300 + 1);
    let statuses: Vec<_> = lines[..7].iter().map(|line| line["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["live", "terminated", "unknown", "not_covered", "invalid", "invalid", "invalid"]);
    assert_eq!(lines[0]["query"], "ab101ab");
    assert_eq!(lines[1]["result"]["postcode"], "AB1 0AA");
    assert!(lines[1]["result"].get("date_of_termination").is_some());
    assert_eq!(lines[3]["error"], "load ONSPD");
    assert!(lines[0].get("error").is_none() && lines[2].get("error").is_none());
    assert_eq!(lines[2100]["status"], "live");
    let remote = lookup_lines(&server.source(), &input);
    assert_eq!(remote.status.code(), Some(1), "{}", text(&remote.stderr));
    assert!(local.stdout == remote.stdout, "the two sources differ");
    assert_eq!(server.end("TERM").0, Some(0));
}

#[test]
fn every_operation_is_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "one");
    let server = Server::start(&["--listen", "127.0.0.1:0", "--data", &data]);
    for (arguments, status, said) in [
        (vec!["lookup", "ab101ab"], 0, "AB10 1AB  live"),
        (vec!["lookup", "AB10AA"], 0, "AB1 0AA  terminated"),
        (vec!["lookup", "AB10 9ZZ"], 1, "AB10 9ZZ  unknown"),
        (vec!["lookup", "BT1 5GS"], 1, "BT1 5GS  not covered: load ONSPD"),
        (vec!["validate", "AB10 1AB"], 0, "AB10 1AB  live"),
        (vec!["validate", "AB10 1AB", "x"], 1, "x  invalid: "),
        (vec!["autocomplete", "ab10"], 0, "AB10 1AB"),
        (vec!["search", "AB10", "--json"], 0, r#""postcode":"AB10 1AB""#),
        (vec!["nearest", "57.1,-2.1"], 1, ""),
        (vec!["nearest", "AB10 1AB"], 1, ""),
        (vec!["outcode", "AB10"], 0, "AB10"),
        (vec!["outcode", "AB11"], 1, ""),
        (vec!["random"], 0, "AB10 1AB  live"),
        (vec!["info"], 0, "edition      one"),
        (vec!["outcode", "?"], 2, ""),
        (vec!["nearest", "x,y"], 2, ""),
    ] {
        let local = program().args(&arguments).args(["--source", &data]).output().unwrap();
        let remote = server.lookup(&arguments);
        for output in [&local, &remote] {
            assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", text(&output.stderr));
            assert!(text(&output.stdout).contains(said), "{arguments:?}: {}", text(&output.stdout));
        }
        assert_eq!(text(&local.stdout), text(&remote.stdout), "{arguments:?}");
    }
    assert_eq!(server.end("TERM").0, Some(0));
}

#[test]
fn a_source_that_does_not_answer_is_an_error() {
    let nobody = Nobody::new();
    for source in [&format!("{}?retries=0", nobody.url()), "ftp://x", "file:/nowhere"] {
        let output = program().args(["lookup", "AB10 1AB", "--source", source]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{source}: {}", text(&output.stderr));
        assert!(text(&output.stderr).starts_with("error: "), "{source}: {}", text(&output.stderr));
    }
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "one");
    let mut child =
        program().args(["lookup", "--json", "-", "--source", &data]).stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    // Until the program has gone, which closes this.
    while stdin.write_all(&b"AB10 1AB\n".repeat(1_000)).is_ok() {}
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn places_scotland_and_outcodes_around_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uk.postcodes");
    let fixture = postcode_core::conformance::Fixture::small().dataset().unwrap();
    std::fs::write(&path, fixture.as_bytes()).unwrap();
    let server = Server::start(&["--listen", "127.0.0.1:0", "--data", &format!("file:{}", path.display())]);
    let said = |arguments: &[&str]| {
        let output = server.lookup(arguments);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (status, out, _) = said(&["places", "newport pagnell"]);
    assert_eq!(status, Some(0));
    assert!(out.starts_with("Newport Pagnell  Town\n") && out.contains("MK16"), "{out}");
    assert_eq!(said(&["places", "newport", "--json", "--limit", "2"]).1.lines().count(), 2);
    let (status, out, _) = said(&["places", "neport pagnel", "--json"]);
    assert_eq!(status, Some(0));
    assert!(out.starts_with(r#"{"match":"similar","edits":1,"name":"Newport Pagnell","place":{"#), "{out}");
    assert!(said(&["places", "isle of l"]).1.starts_with("Inis Lìth / Isle of Leith  Island\n"));
    assert!(said(&["places", "newport", "--type", "town"]).1.starts_with("Newport  Town\n"));
    assert!(said(&["places", "brough", "--within", "orkney", "--limit", "1"]).1.contains("osgb1012"));
    for (arguments, why) in [
        (&["places", "brough", "--within", "kent"][..], "brough: no such place of that kind or there\n"),
        (&["places", "qqqqq"], "qqqqq: no such place\n"),
        (&["places", "qqqqq", "--json"], "qqqqq: no such place\n"),
        (&["places", "qqqqq", "--compatible"], "qqqqq: no populated place of that name\n"),
        (&["places", "--code", "osgb9"], "osgb9: no such place\n"),
        (&["autocomplete", "zz", "--outcodes"], "zz: no outcode begins with this\n"),
        (&["autocomplete", "zz9"], "zz9: no postcode in use begins with this\n"),
    ] {
        assert_eq!(said(arguments).0, Some(1), "{arguments:?}");
        assert_eq!(said(arguments).2, why, "{arguments:?}");
    }
    let (status, _, why) = said(&["within", "--area", "E09999999"]);
    assert!(status == Some(1) && why.starts_with("E09999999: no postcode in use lies in an area"), "{why}");
    assert!(said(&["places", "newport", "--compatible"]).1.starts_with("Newport  City\n"));
    assert_eq!(said(&["places", "neport", "--compatible"]).0, Some(1));
    let (status, out, why) =
        said(&["places", "--code", "osgb1014", "--postcodes", "--after", "ls90bb", "--limit", "2"]);
    assert_eq!((status, out.as_str()), (Some(0), "LS9 0BD\nLS9 0BE\n"));
    assert!(why.starts_with("2 of 76 postcodes; outcodes: LS9\n"), "{why}");
    assert_eq!(said(&["places", "--code", "osgb9", "--postcodes"]).0, Some(1));
    let (status, _, why) = said(&["places", "--code", "osgb2001", "--postcodes"]);
    assert!(status == Some(2) && why.contains("\"Orkney\" (UnitaryAuthority) has no box"), "{why}");
    assert_eq!(said(&["places", "--code", "osgb1014", "--postcodes", "--after", "x"]).0, Some(2));
    assert_eq!(said(&["places", "x", "--postcodes"]).0, Some(2));
    // Finding nothing in an area that is not covered is not reported as "not found".
    for arguments in [
        &["autocomplete", "bt1"][..],
        &["search", "BT1"],
        &["nearest", "BT1 5GS"],
        &["outcode", "BT1"],
        &["outcode", "BT1", "--nearest"],
        &["random", "--outcode", "BT1"],
        &["scotland", "BT1 5GS"],
    ] {
        let (status, _, why) = said(arguments);
        assert!(status == Some(1) && why.contains(": not covered: The fixture leaves BT out."), "{why}");
        let elsewhere: Vec<_> =
            arguments.iter().map(|text| text.replace("bt1", "ab99").replace("BT1", "AB99")).collect();
        let (status, _, why) = said(&elsewhere.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(status == Some(1) && !why.contains("not covered"), "{why}");
    }
    assert!(said(&["places", "--code", "osgb1010"]).1.starts_with("Caernarfon / Carnarvon"));
    assert_eq!(said(&["places", "--random"]).0, Some(0));
    assert_eq!(said(&["places", "nowhere"]).0, Some(1));
    assert_eq!(said(&["places"]).0, Some(2));
    let (status, out, said_why) = said(&["scotland", "eh1 1aa", "M1 1AD"]);
    assert_eq!((status, out.as_str()), (Some(1), "EH1 1AA  Edinburgh Central (S16990001)\n"));
    assert!(said_why.contains("M1 1AD: not in the Scottish Postcode Directory"), "{said_why}");
    let (_, out, _) = said(&["scotland", "EH1 3AA", "--extended"]);
    assert!(
        out.contains("\n  data zone 2011                         Calton Hill - 01 (S01990001)\n"),
        "{out}"
    );
    assert!(out.contains("\n  scottish index of multiple deprivation 4972\n"), "{out}");
    let keys = |arguments: &[&str]| said(arguments).1.matches("\":").count();
    assert_eq!(keys(&["scotland", "EH1 3AA", "--json"]), 4);
    assert_eq!(keys(&["scotland", "EH1 3AA", "--json", "--extended"]), 10);
    let (status, out, why) = said(&["scotland", "nonsense", "eh1 1aa"]);
    assert_eq!((status, out.as_str()), (Some(1), "EH1 1AA  Edinburgh Central (S16990001)\n"));
    assert!(why.starts_with("nonsense: invalid: "), "{why}");
    let (_, out, _) = said(&["outcode", "M1", "--nearest", "--limit", "2"]);
    assert!(out.starts_with("M1   Manchester\n") && out.lines().count() == 2, "{out}");
    assert_eq!(said(&["outcode", "JE2", "--nearest"]).0, Some(1));
    assert_eq!(server.end("TERM").0, Some(0));
    let output = program().args(["places", "x"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("import OS Open Names"), "{}", text(&output.stderr));
}

fn status(address: &str, host: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address.strip_prefix("http://").unwrap()).unwrap();
    write!(stream, "GET /ping HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn server_answers_to_its_names_and_to_those_given() {
    let dir = tempfile::tempdir().unwrap();
    let data = dataset(&dir.path().join("data"), "one");
    let start = |more: &[&str]| Server::start(&[&["--data", &data, "--jobs", "none"], more].concat());
    let local = start(&["--listen", "127.0.0.1:0"]);
    assert_eq!(status(&local.address, "evil.example"), "421");
    assert_eq!(status(&local.address, "localhost:1"), "200");
    assert_eq!(local.end("TERM").0, Some(0));

    let all = start(&[
        "--listen",
        "0.0.0.0:0",
        "--allow-unauthenticated",
        "--host",
        "a.example",
        "--host",
        "b.example",
    ]);
    let address = all.address.replace("0.0.0.0", "127.0.0.1");
    for (host, expected) in
        [("a.example", "200"), ("B.example:9", "200"), ("192.168.1.2", "200"), ("c.example", "421")]
    {
        assert_eq!(status(&address, host), expected, "{host}");
    }
    assert_eq!(all.end("TERM").0, Some(0));

    let any = start(&["--listen", "127.0.0.1:0", "--host", "*"]);
    assert_eq!(status(&any.address, "evil.example"), "200");
    assert_eq!(any.end("TERM").0, Some(0));
}

/// Sends GET requests one after the other on one connection and reads each answer; the statuses.
fn ask_often(address: &str, path: &str, times: usize) -> Vec<String> {
    let stream = std::net::TcpStream::connect(address.trim_start_matches("http://")).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    let mut statuses = Vec::new();
    for _ in 0..times {
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).unwrap();
        let (mut status, mut length) = (String::new(), 0);
        answers.read_line(&mut status).unwrap();
        loop {
            let mut line = String::new();
            answers.read_line(&mut line).unwrap();
            if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        answers.read_exact(&mut vec![0; length]).unwrap();
        statuses.push(status);
    }
    statuses
}

#[test]
fn log_that_nobody_reads_keeps_no_answer_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "one");
    // Standard error is a pipe of some ten kilobytes that is not read; each request is a line of
    // some hundred bytes.
    let server = Server::start(&["--listen", "127.0.0.1:0", "--data", &data, "--log", "access=debug"]);
    let statuses = ask_often(&server.address, "/postcodes/AB101AB", 3_000);
    assert!(statuses.iter().all(|status| status.starts_with("HTTP/1.1 200")));
    assert_eq!(server.end("TERM").0, Some(0));
}

/// Returns the file with one bit of a row flipped, which only its checksum reveals.
fn flipped(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    let sections = Dataset::open(path).unwrap().summary().sections;
    let rows = sections.iter().find(|section| section.name == "rows").unwrap();
    let mut altered = bytes;
    // Each table ends in eight bytes that are not looked at.
    altered[(rows.offset + rows.bytes) as usize - 1] ^= 0x10;
    altered
}

/// Fetches one answer of the API over a plain TCP connection.
fn fetched(server: &Server, path: &str) -> (u16, serde_json::Value) {
    let address = server.address.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(serde_json::Value::Null))
}

#[test]
fn serve_of_a_file_with_one_flipped_bit_refuses_it_at_the_start_and_at_a_hangup() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uk.postcodes");
    let data = dataset(&path, "one");
    let bad = folder.path().join("bad.postcodes");
    std::fs::write(&bad, flipped(&path)).unwrap();
    let bad_data = format!("file:{}", bad.display());
    for verify in ["full", "checksums"] {
        let output = program()
            .args(["serve", "--listen", "127.0.0.1:0", "--data", &bad_data, "--verify", verify])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("checksum is wrong"), "{}", text(&output.stderr));
    }
    // A lookup from the file fails in the same way.
    let looked = |source: &str| program().args(["lookup", "AB10 1AB", "--source", source]).output().unwrap();
    assert_eq!(looked(&bad_data).status.code(), Some(2));
    assert_eq!(looked(&format!("{bad_data}?verify=off")).status.code(), Some(0));

    let mut server = Server::start(&["--listen", "127.0.0.1:0", "--data", &data]);
    let (status, ready) = fetched(&server, "/ready");
    assert_eq!((status, &ready["result"], ready.get("verify")), (200, &"Ready".into(), None));
    let (_, info) = fetched(&server, "/dataset/info");
    assert_eq!((&info["result"]["verified"], &info["result"]["signed"]), (&"full".into(), &false.into()));
    std::fs::rename(&bad, &path).unwrap();
    server.signal("HUP");
    let mut log = BufReader::new(server.child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("the old stays") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the log ended");
    }
    assert!(line.contains("checksum is wrong"), "{line}");
    let (_, after) = fetched(&server, "/dataset/info");
    assert_eq!(after, info);
    assert_eq!(server.end("TERM").0, Some(0));

    // An operator can serve it nevertheless, and gets a warning.
    let server = Server::start(&["--listen", "127.0.0.1:0", "--data", &data, "--verify", "off"]);
    let (_, ready) = fetched(&server, "/ready");
    assert_eq!(ready["verify"], "off");
    let (_, info) = fetched(&server, "/dataset/info");
    assert_eq!(info["result"]["verified"], "off");
    assert_eq!(server.end("TERM").0, Some(0));
}

#[test]
fn flood_of_refused_requests_is_counted_in_the_log_and_not_written_one_by_one() {
    const MANY: usize = 2_000;
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(&folder.path().join("uk.postcodes"), "one");
    let mut server = Server::start(&["--listen", "127.0.0.1:0", "--data", &data, "--jobs", "none"]);
    let mut errors = server.child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).unwrap();
        text
    });
    let path = format!("/jobs/{}", "0".repeat(12_000));
    let statuses = ask_often(&server.address, &path, MANY);
    assert!(statuses.iter().all(|status| status.starts_with("HTTP/1.1 501")), "{:?}", statuses.first());
    assert_eq!(server.end("TERM").0, Some(0));
    let log = reader.join().unwrap();
    let counted: usize = log
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("unavailable="))
        .map(|number| number.parse::<usize>().unwrap())
        .sum();
    assert_eq!(counted, MANY, "{log}");
    // A line for each would be some hundred kilobytes, and with whole paths 24 megabytes.
    assert!(log.len() < 64 * 1024, "{} bytes", log.len());
}

#[test]
fn signed_file_is_verified_and_served_and_one_without_or_with_another_signature_is_not() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uk.postcodes");
    let data = dataset(&path, "one");
    let run = |arguments: &[&str]| {
        let output = program().args(arguments).output().unwrap();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    let (file, key, other) = (
        path.to_str().unwrap(),
        folder.path().join("a.key").to_str().unwrap().to_owned(),
        folder.path().join("b.key").to_str().unwrap().to_owned(),
    );
    let (code, public, said) = run(&["key", "new", &key]);
    assert_eq!(code, 0, "{said}");
    let public = public.trim().to_owned();
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(run(&["key", "new", &key]).0, 1, "a key is never replaced");
    let (_, other_public, _) = run(&["key", "new", &other]);

    let (code, _, said) = run(&["verify", file, "--public-key", &public]);
    assert!(code == 1 && said.contains("not signed"), "{said}");
    let demanded = ["--listen", "127.0.0.1:0", "--data", &data, "--public-key", &public];
    let refused = program().arg("serve").args(demanded).output().unwrap();
    assert!(text(&refused.stderr).contains("not signed"), "{}", text(&refused.stderr));
    let (code, _, said) = run(&["sign", file, "--key", &format!("{key}.pub")]);
    assert!(code == 1 && said.contains("not a secret key"), "{said}");
    let (code, signature, said) = run(&["sign", file, "--key", &key]);
    assert_eq!((code, signature.trim()), (0, &*format!("{file}.minisig")), "{said}");
    for known in [&public, &format!("{key}.pub")] {
        let (code, said, _) = run(&["verify", file, "--public-key", known]);
        assert!(code == 0 && said.ends_with(" signed\n"), "{said}");
    }
    let (code, _, said) = run(&["verify", file, "--public-key", other_public.trim()]);
    assert!(code == 1 && said.contains("different key"), "{said}");

    let server = Server::start(&demanded);
    assert_eq!(fetched(&server, "/dataset/info").1["result"]["signed"], true);
    assert_eq!(fetched(&server, "/dataset/signature").0, 200);
    // A replica that demands it gets it, and starts from its copy without the service.
    let replica = |service: &str, key: &str| {
        let key = key.replace('+', "%2B");
        let dir = folder.path().join("replica");
        let url = format!("replica:{service}?public_key={key}&dir={}", dir.display());
        program().args(["info", "--source", &url]).output().unwrap()
    };
    let output = replica(&server.address, &public);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("edition      one"));
    let address = server.address.clone();
    assert_eq!(server.end("TERM").0, Some(0));
    assert_eq!(replica(&address, &public).status.code(), Some(0), "the copy has its signature");
    assert_ne!(replica(&address, other_public.trim()).status.code(), Some(0));

    // The signature is of this file and no other.
    dataset(&path, "two");
    let (code, _, said) = run(&["verify", file, "--public-key", &public]);
    assert!(code == 1 && said.contains("signature"), "{said}");
    let unsigned = Server::start(&["--listen", "127.0.0.1:0", "--data", &data]);
    let output = replica(&unsigned.address, other_public.trim());
    assert_ne!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("signature is not valid"), "{}", text(&output.stderr));
    assert_eq!(unsigned.end("TERM").0, Some(0));
}
