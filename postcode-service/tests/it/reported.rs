//! Inputs of public reports, each by its kind: with an invented example of the kind, and with the recorded one where the
//! shared data is there. The kinds of the `customers` service are in its tests.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test it is the failure")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

use axum::body::Body;
use http::{Method, Request};
use postcode_core::{AreaKind, Local};
use postcode_service::api::Api;
use postcode_testing::gzip;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::common::{self, Answer, api_over, send};
use crate::jobs::database::{Bench as Jobs, Database};
use crate::readers::imported;

struct Bench {
    runtime: Runtime,
    api: Api,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let api = runtime.block_on(api_over(Local::embedded().unwrap()));
        Self { runtime, api, folder: tempfile::tempdir().unwrap() }
    }

    fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.runtime.block_on(send(&self.api, request.body(Body::from(body)).unwrap()))
    }

    fn post(&self, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.ask(Method::POST, path, &[("content-type", kind)], body.into())
    }

    /// Returns status, postcode and reason of a text.
    fn validated(&self, text: &str) -> (String, String, String) {
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/postcodes/{encoded}/validate?extended=true");
        let verdict = self.ask(Method::GET, &path, &[], Vec::new()).json()["result"].take();
        let said = |key: &str| verdict[key].as_str().unwrap_or_default().to_owned();
        (said("status"), said("postcode"), said("reason"))
    }

    /// Enriches with the column `status`, by the command, and returns what it wrote.
    fn enriched(&self, name: &str, table: &[u8], arguments: &[&str]) -> Vec<u8> {
        let path = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path(name), table).unwrap();
        let command = ["enrich", &path(name), "--out", &path("out"), "--columns", "status"];
        let ended = common::program().args(command).args(arguments).output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        std::fs::read(path("out")).unwrap()
    }
}

/// The texts of an input such as `C01 1AA ; I61 1AA (from a form)`.
fn texts(input: &str) -> impl Iterator<Item = &str> {
    let plain = if input.starts_with('(') { input } else { input.split(" (").next().unwrap_or(input) };
    plain.split(" ; ").map(str::trim)
}

/// The bytes of an input that is written with `\r`, `\n` and `\xA0`.
fn bytes(input: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = input;
    while let Some((before, after)) = rest.split_once('\\') {
        out.extend_from_slice(before.as_bytes());
        let (escape, taken) = match after.as_bytes() {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b'x', digits @ ..] => {
                let digits = std::str::from_utf8(&digits[..2]).unwrap();
                (u8::from_str_radix(digits, 16).unwrap(), 3)
            }
            _ => panic!("{input}"),
        };
        out.push(escape);
        rest = &after[taken..];
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// A check of one kind; the input is the recorded one or an invented one.
type Check = fn(&Bench, &str);

/// Each case with an invented input of its kind. Where the input is a description, it is only compared.
const CASES: &[(&str, &str, Check)] = &[
    ("bug-020", "C02 2BB ; I61 2BB", |bench, input| {
        for text in texts(input) {
            let (status, _, reason) = bench.validated(text);
            assert!(status == "unknown" && reason.contains("did you mean"), "{text}: {status} {reason}");
        }
    }),
    ("bug-022", "BF1 9ZZ ; BX9 1LT ; XX20 1DD ; GX11 2BB", |bench, input| {
        for text in texts(input) {
            assert_eq!(bench.validated(text).0, "not_covered", "{text}");
            let outcode = text.split(' ').next().unwrap();
            let path = format!("/outcodes/{outcode}/validate?extended=true");
            let verdict = bench.ask(Method::GET, &path, &[], Vec::new()).json();
            assert_eq!(verdict["result"]["status"], "not_covered", "{outcode}: {verdict}");
        }
    }),
    ("bug-023", "BF1 9ZZ ; BFPO 5 ; BFPO5", |bench, input| {
        for text in texts(input) {
            let (status, _, reason) = bench.validated(text);
            match text.starts_with("BFPO") {
                true => assert!(status == "invalid" && reason.contains("BFPO"), "{text}: {status} {reason}"),
                false => assert_eq!(status, "not_covered", "{text}"),
            }
        }
    }),
    ("bug-025", "(EH1) 1YZ ; M-1 1AE ; M.1. 1.A.E. ; M1/1AE", |bench, input| {
        for text in texts(input) {
            let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
            let (status, postcode, _) = bench.validated(text);
            assert_eq!((&*status, postcode.replace(' ', "")), ("live", plain), "{text}");
        }
    }),
    ("bug-026", "D06 F123", no_suggestion),
    ("bug-027", "33333 ; 20115 ; K2B 0B1", no_suggestion),
    ("bug-029", "=\"M1 1AE\"", |bench, input| {
        let ended = common::program().args(["validate", "--json", input]).output().unwrap();
        let verdict: Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!(verdict["status"], "live", "{verdict}");
        let table = format!("postcode\n{input}\n");
        let out = bench.enriched("in.csv", table.as_bytes(), &[]);
        assert_eq!(String::from_utf8(out).unwrap(), format!("postcode,status\n{input},live\n"));
    }),
    ("bug-045", "positions with an altitude", |bench, _| {
        let ring = json!([
            [-0.15, 51.5, 0],
            [-0.13, 51.5, 0],
            [-0.13, 51.51, 0],
            [-0.15, 51.51, 0],
            [-0.15, 51.5, 0]
        ]);
        assert!(within(bench, json!({"type": "Polygon", "coordinates": [ring]})) > 0);
    }),
    ("bug-047", "a Feature and a FeatureCollection", |bench, _| {
        let feature = json!({"type": "Feature", "properties": {}, "geometry": square([-0.15, 51.5], false)});
        assert!(within(bench, feature.clone()) > 0);
        assert!(within(bench, json!({"type": "FeatureCollection", "features": [feature]})) > 0);
    }),
    ("bug-048", "latitude first", |bench, _| {
        let answer = bench.post("/within", "application/json", square([-0.15, 51.5], true).to_string());
        let body = answer.json();
        let advice = body["advice"].as_str().unwrap_or_default();
        assert!(body["result"] == json!([]) && advice.contains("longitude first"), "{body}");
    }),
    ("bug-051", "a packed body", |bench, _| {
        let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
        let body = gzip(b"{\"postcodes\":[\"M1 1AE\"]}");
        let answer = bench.ask(Method::POST, "/postcodes", &headers, body);
        assert_eq!(answer.json()["result"][0]["result"]["postcode"], "M1 1AE");
        let unknown = [("content-type", "application/json"), ("content-encoding", "compress")];
        assert_eq!(bench.ask(Method::POST, "/postcodes", &unknown, b"x".to_vec()).status, 415);
    }),
    ("bug-052", "packed bodies of other routes", |bench, _| {
        let packed = |kind, body: &str, path| {
            let headers = [("content-type", kind), ("content-encoding", "gzip")];
            bench.ask(Method::POST, path, &headers, gzip(body.as_bytes()))
        };
        assert_eq!(
            packed("text/csv", "postcode\nM1 1AE\n", "/enrich?columns=outcode").body,
            b"postcode,outcode\nM1 1AE,M1\n"
        );
        let answer = packed("application/json", "{\"postcodes\":[\"M1 1AE\"]}", "/bulk/validate");
        assert_eq!(answer.status, 200, "{}", answer.json());
        bench.runtime.block_on(async {
            let jobs = Jobs::new(Database::file().unwrap()).await;
            let coding = [("content-encoding", "gzip")];
            let id = jobs.csv("", &coding, gzip(b"postcode\nM1 1AE\n")).await;
            assert_eq!(jobs.get(&format!("/jobs/{id}")).await.json()["result"]["total"], 1);
            jobs.end().await;
        });
    }),
    ("bug-054", "a body of JSON that is too large", |_, _| {
        assert_eq!(refused("/postcodes", "application/json"), [413, 413]);
    }),
    ("bug-055", "a table that is refused at once", |_, _| {
        assert_eq!(refused("/enrich", "text/csv"), [422, 422]);
        assert_eq!(refused("/jobs", "text/csv"), [422, 422]);
    }),
    ("bug-059", "Content-Type: application/json; charset=utf8", |bench, input| {
        let kind = input.split_once(": ").unwrap().1;
        let answer = bench.post("/postcodes", kind, "{\"postcodes\":[\"M1 1AE\"]}");
        assert_eq!((answer.status.as_u16(), &answer.json()["result"][0]["query"]), (200, &json!("M1 1AE")));
    }),
    ("bug-062", "id,postcode,name\\r1,M1 1AE,Cleo\\r2,SW1A 2AA,Dan\\r  (CR)", |bench, input| {
        let table = bytes(input.split("  (").next().unwrap());
        let out = String::from_utf8(bench.enriched("in.csv", &table, &[])).unwrap();
        let ends: Vec<&str> = out.split_terminator('\r').map(|row| row.rsplit(',').next().unwrap()).collect();
        assert_eq!(ends, ["status", "live", "live"], "{out:?}");
    }),
    ("bug-063", "the same over HTTP", |bench, _| {
        let answer = bench.post("/enrich?columns=status", "text/csv", "n,postcode\r1,M1 1AE\r");
        assert_eq!(answer.body, b"n,postcode,status\r1,M1 1AE,live\r");
    }),
    ("bug-065", "UTF-16", |bench, _| {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let out = bench.enriched("in.csv", &wide("\u{feff}n\tpostcode\r\n1\tM1 1AE\r\n"), &[]);
        assert_eq!(out, wide("\u{feff}n\tpostcode\tstatus\r\n1\tM1 1AE\tlive\r\n"));
    }),
    ("bug-066", "Windows-1252: M1\\xA01AE (no-break space) and M1\\x961AE (dash)", |bench, input| {
        let mut table = b"postcode\n".to_vec();
        for text in input.split_once(": ").unwrap().1.split(" and ") {
            table.extend(bytes(text.split(" (").next().unwrap()));
            table.push(b'\n');
        }
        let out = bench.enriched("in.csv", &table, &[]);
        assert_eq!(out.windows(6).filter(|window| window == b",live\n").count(), 2, "{out:?}");
    }),
    ("bug-067", "Name,\"Who? (a; b; c)\",Postcode", |bench, input| {
        let out = bench.enriched("in.csv", format!("{input}\nA,b,M1 1AE\n").as_bytes(), &[]);
        assert_eq!(String::from_utf8(out).unwrap(), format!("{input},status\nA,b,M1 1AE,live\n"));
        let out = bench.enriched("in.csv", b"a,b~postcode\n1,2~M1 1AE\n", &["--delimiter", "~"]);
        assert_eq!(out, b"a,b~postcode~status\n1,2~M1 1AE~live\n");
    }),
    ("bug-070", "name,postcode,town / Cleo,M1 1AE,Leeds,,,", |bench, input| {
        let table = format!("{}\n", input.replace(" / ", "\n"));
        let out = String::from_utf8(bench.enriched("in.csv", table.as_bytes(), &[])).unwrap();
        let row = table.lines().nth(1).unwrap().trim_end_matches(',');
        assert!(out.ends_with(&format!("\n{row},live\n")), "{out}");
    }),
    ("bug-077", "rows ',,,' at the end of a spreadsheet", |bench, _| {
        let report = bench.folder.path().join("report.json");
        let arguments = ["--report", report.to_str().unwrap()];
        bench.enriched("in.csv", b"a,postcode,b\n1,M1 1AE,2\n,,\n,,\n", &arguments);
        let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
        assert_eq!((&report["rows"], &report["empty"]), (&json!(1), &json!(2)), "{report}");
    }),
    (
        "bug-078",
        "{\"address\":{\"postcode\":\"M1 1AE\"}} with --postcode-column address.postcode",
        |bench, input| {
            let (object, path) = input.split_once(" with --postcode-column ").unwrap();
            let out =
                bench.enriched("in.jsonl", format!("{object}\n").as_bytes(), &["--postcode-column", path]);
            let row: Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(row["status"], "live", "{row}");
        },
    ),
    ("bug-079", "'2 High St, Leeds M1 1AE' ; 'M1 1AE, England'", |bench, input| {
        let rows: String = texts(input).map(|text| format!("\"{}\"\n", text.trim_matches('\''))).collect();
        let out = bench.enriched(
            "in.csv",
            format!("address\n{rows}").as_bytes(),
            &["--find", "--postcode-column", "address"],
        );
        assert_eq!(String::from_utf8(out).unwrap().matches(",live\n").count(), texts(input).count());
    }),
    ("bug-080", "media types of browsers", |bench, _| {
        for (kind, table) in [
            ("application/vnd.ms-excel", "n,postcode\n1,M1 1AE\n"),
            ("text/tab-separated-values", "n\tpostcode\n1\tM1 1AE\n"),
        ] {
            assert_eq!(bench.post("/enrich", kind, table).status, 200, "{kind}");
        }
    }),
    ("bug-081", "a table with In Use?", |bench, _| {
        let table = "Postcode,In Use?,Latitude,Longitude,Introduced,Terminated\n\
                     AB1 0AB,No,57.1,-2.24,1980-01-01,1996-06-01\nM1 1AE,Yes,53.47,-2.23,1980-01-01,\n";
        let (dataset, _) = imported(bench.folder.path(), "postcodes.csv", table.as_bytes()).unwrap();
        let record = dataset.get("AB1 0AB".parse().unwrap()).into_record().unwrap();
        assert_eq!(record.terminated.unwrap().to_string(), "199606");
        assert_eq!(dataset.get("M1 1AE".parse().unwrap()).status(), "live");
    }),
    ("bug-082", "names of wards", |bench, _| {
        let table = "Postcode,In Use?,Ward\nM1 1AE,Yes,Piccadilly Gardens\nM1 1AD,Yes,Piccadilly Gardens\n";
        let (dataset, refused) = imported(bench.folder.path(), "postcodes.csv", table.as_bytes()).unwrap();
        assert_eq!((refused, dataset.iter().count()), (0, 2));
    }),
    (
        "bug-083",
        "pcd7,pcd8,pcds,dointr,doterm,usertype,oa11cd,lsoa11cd,msoa11cd,ladcd,ladnm,ladnmw",
        |bench, input| {
            let header = input.replace("…,", "");
            let cell = |name: &str| match name {
                "pcd7" | "pcd8" | "pcds" => "CF10 1EP",
                "dointr" => "198001",
                "usertype" => "0",
                "ladcd" => "W06000015",
                _ => "",
            };
            let row = header.split(',').map(cell).collect::<Vec<_>>().join(",");
            let (dataset, _) =
                imported(bench.folder.path(), "lookup.csv", format!("{header}\n{row}\n").as_bytes()).unwrap();
            let record = dataset.get("CF10 1EP".parse().unwrap()).into_record().unwrap();
            assert_eq!((record.admin_district(), record.country()), (Some("Cardiff"), Some("Wales")));
        },
    ),
    ("bug-084", "positional_quality_indicator from 1 to 9", |bench, _| {
        let table = "postcode,status,easting,northing,positional_quality_indicator,latitude,longitude\n\
                     M1 1AE,live,384650,397970,1,53.47,-2.23\n";
        let (dataset, refused) = imported(bench.folder.path(), "open.csv", table.as_bytes()).unwrap();
        let record = dataset.get("M1 1AE".parse().unwrap()).into_record().unwrap();
        assert_eq!((refused, record.quality), (0, Some(1)));
    }),
    ("bug-086", "old codes of districts", |bench, _| {
        let table = "pcd8,oscty,oslaua,ctry\nAL1  1AB,26,UG,064\nGU51 1AB,24,UG,064\n";
        let (dataset, _) = imported(bench.folder.path(), "NSPD.csv", table.as_bytes()).unwrap();
        let district = |postcode: &str| {
            let record = dataset.get(postcode.parse().unwrap()).into_record().unwrap();
            (
                record.area_code(AreaKind::AdminDistrict).unwrap().to_owned(),
                record.country().unwrap().to_owned(),
            )
        };
        assert_eq!(district("AL1 1AB"), ("26UG".into(), "England".into()));
        assert_eq!(district("GU51 1AB"), ("24UG".into(), "England".into()));
    }),
    ("bug-087", "numbers as Python prints them", |bench, _| {
        let table = "pcds,dointr,lat,long\nBN10 8JU,199606.0,50.79,-3.7e-05\n";
        let (dataset, refused) = imported(bench.folder.path(), "pandas.csv", table.as_bytes()).unwrap();
        let record = dataset.get("BN10 8JU".parse().unwrap()).into_record().unwrap();
        assert_eq!((refused, record.location.unwrap().longitude()), (0, -0.000_037));
    }),
    ("bug-089", "status LIVE / TERMINATED", |bench, input| {
        let statuses = input.trim_start_matches("status ").split(" / ");
        let rows: String =
            statuses.zip(["M1 1AE", "AB1 0AB"]).map(|(status, code)| format!("{code},{status}\n")).collect();
        let (dataset, refused) =
            imported(bench.folder.path(), "own.csv", format!("pcds,status\n{rows}").as_bytes()).unwrap();
        let status = |code: &str| dataset.get(code.parse().unwrap()).status();
        assert_eq!((refused, status("M1 1AE"), status("AB1 0AB")), (0, "live", "terminated"));
    }),
    ("bug-090", "every row was refused", |bench, _| {
        let error =
            imported(bench.folder.path(), "bad.csv", b"pcds,status\nM1 1AE,x\nM1 1AD,x\n").err().unwrap();
        assert!(error.to_string().contains("all 2 rows were refused"), "{error}");
    }),
    ("bug-125", "a packed answer of a server", |bench, _| {
        let served = bench.ask(Method::GET, "/postcodes/M11AE", &[], Vec::new()).body;
        let bulk = bench.post("/postcodes", "application/json", "{\"postcodes\":[\"M1 1AE\"]}").body;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let source = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer_packed(stream, &served, &bulk);
            }
        });
        let ended =
            common::program().args(["lookup", "--json", "--source", &source, "M1 1AE"]).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(said.contains("Manchester"), "{said} {}", String::from_utf8_lossy(&ended.stderr));
    }),
];

fn no_suggestion(bench: &Bench, input: &str) {
    for text in texts(input) {
        let (status, _, reason) = bench.validated(text);
        assert!(status == "invalid" && !reason.contains("did you mean"), "{text}: {status} {reason}");
    }
}

/// A square of some streets, with its positions the wrong way round if asked for.
fn square([x, y]: [f64; 2], exchanged: bool) -> Value {
    let corners = [[x, y], [x + 0.02, y], [x + 0.02, y + 0.01], [x, y + 0.01], [x, y]];
    let ring: Vec<Value> =
        corners.iter().map(|[x, y]| if exchanged { json!([y, x]) } else { json!([x, y]) }).collect();
    json!({"type": "Polygon", "coordinates": [ring]})
}

/// Returns how many postcodes are in a region.
fn within(bench: &Bench, region: Value) -> usize {
    let answer = bench.post("/within?filter=postcode", "application/json", region.to_string());
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()["result"].as_array().unwrap().len()
}

/// Sends bodies of 1 and 3 MiB as Python's http.client does: to their end, and only then the answer is read.
fn refused(path: &str, kind: &str) -> [u16; 2] {
    let folder = tempfile::tempdir().unwrap();
    let mut server = common::program()
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--jobs",
            &format!("sqlite://{}/jobs.db", folder.path().display()),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let address =
        lines.find_map(|line| Some(line.unwrap().rsplit_once("http://")?.1.trim().to_owned())).unwrap();
    let statuses = [1 << 20, 3 << 20].map(|size| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {size}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&vec![b'x'; size]).unwrap();
        let mut status = String::new();
        BufReader::new(stream).read_line(&mut status).unwrap();
        status.split(' ').nth(1).unwrap_or_default().parse().unwrap()
    });
    server.kill().unwrap();
    server.wait().unwrap();
    statuses
}

/// Answers one request with a packed body, asked for or not.
fn answer_packed(mut stream: TcpStream, one: &[u8], bulk: &[u8]) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some((_, value)) = line.to_ascii_lowercase().split_once("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let body = gzip(if first.starts_with("POST") { bulk } else { one });
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    // The client may be gone already.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

#[test]
fn invented_inputs_of_each_reported_kind_are_read_rightly() {
    let bench = Bench::new();
    for (id, input, check) in CASES {
        println!("{id}: {input}");
        check(&bench, input);
    }
}

#[test]
fn recorded_inputs_of_each_report_are_read_rightly() {
    // What happens in customers is checked there.
    let Some(recorded) = postcode_testing::recorded_files(false) else { return };
    let ours: Vec<&String> = recorded.keys().collect();
    assert_eq!(ours, CASES.iter().map(|(id, ..)| id).collect::<Vec<_>>(), "each case has its check");
    let bench = Bench::new();
    for (id, _, check) in CASES {
        let input = &*recorded[*id];
        println!("{id}: {input}");
        check(&bench, input);
    }
}
