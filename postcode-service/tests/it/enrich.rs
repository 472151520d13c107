//! Rows enriched: the bytes that come out, by the library, over HTTP and on the command line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for production"
)]

use crate::common;

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::common::{api_over, send};
use axum::body::Body;
use bytes::Bytes;
use futures::TryStreamExt;
use http::Request;
use postcode_core::{Local, PostcodeLookup};
use postcode_service::enrich::{Column, Counts, Format, MAX_ROW, Plan, enrich};
use proptest::prelude::*;

fn country() -> Arc<dyn PostcodeLookup> {
    Arc::new(Local::embedded().unwrap())
}

fn plan(format: Format, columns: &str) -> Plan {
    Plan::new(format, Column::list(columns).unwrap())
}

/// Runs the input in chunks of a size.
async fn run(input: &[u8], size: usize, plan: Plan) -> Result<(Vec<u8>, Counts), String> {
    let chunks = input.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect::<Vec<_>>();
    let parts = enrich(futures::stream::iter(chunks), country(), plan);
    let parts: Vec<_> = parts.try_collect().await.map_err(|e| e.to_string())?;
    let (mut out, mut counts) = (Vec::new(), Counts::default());
    for part in &parts {
        out.extend_from_slice(&part.bytes);
        counts.add(&part.counts);
    }
    assert_eq!(parts.last().map_or(0, |part| part.read), input.len() as u64);
    Ok((out, counts))
}

const COLUMNS: &str = "status,admin_district,latitude,codes.region";

/// A file with everything found in the wild: a byte order mark, quotes, lines within fields, both
/// line endings, empty lines, short and long rows, bytes that are not UTF-8, and no line ending at
/// the end.
const WILD: &[u8] = b"\xef\xbb\xbfname,Post Code,note\r\n\
\"A, B\",sw1a1aa,\"two\r\nlines\"\r\n\
\r\n\
C,AB1 0AA,\n\
D\n\
E,\"EH1 1YZ\",5\" pipe\n\
F,nonsense,\xff\xfe\n\
G,BT1 5GS,\"say \"\"hi\"\"\"\n\
\n\
H,SW1A 9ZZ,last";

const WILD_ENRICHED: &[u8] =
    b"\xef\xbb\xbfname,Post Code,note,status,admin_district,latitude,codes.region\r\n\
\"A, B\",sw1a1aa,\"two\r\nlines\",live,Westminster,51.50101,E12000007\r\n\
\r\n\
C,AB1 0AA,,terminated,Aberdeen City,57.101459,S99999999\n\
D,,,invalid,,,\n\
E,\"EH1 1YZ\",5\" pipe,live,City of Edinburgh,55.950328,S99999999\n\
F,nonsense,\xff\xfe,invalid,,,\n\
G,BT1 5GS,\"say \"\"hi\"\"\",not_covered,,,\n\
\n\
H,SW1A 9ZZ,last,unknown,,,";

#[tokio::test]
async fn csv_goes_out_as_it_came_with_columns_added() {
    let (out, counts) = run(WILD, 7, plan(Format::Csv, COLUMNS)).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(WILD_ENRICHED));
    assert_eq!(out, WILD_ENRICHED);
    let invalid = Counts { invalid: 2, blank: 1, malformed: 1, ..Counts::default() };
    assert_eq!(counts, Counts { live: 2, terminated: 1, unknown: 1, not_covered: 1, ..invalid });
}

#[tokio::test]
async fn other_delimiters_and_names_of_columns() {
    let mut wanted = plan(Format::Csv, "outcode,error");
    let (out, _) = run(b"id;PCD\n1;M1 1AE\n2;M1\n", 100, wanted.clone()).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.starts_with("id;PCD;outcode;error\n1;M1 1AE;M1;\n2;M1;;"), "{out}");
    wanted.postcode = Some("ship to".to_owned());
    wanted.prefix = "uk_".to_owned();
    let (out, _) = run(b"Ship To\toutcode\nM1 1AE\tmine\n", 100, wanted).await.unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "Ship To\toutcode\tuk_outcode\tuk_error\nM1 1AE\tmine\tM1\t\n"
    );
    let (out, _) = run(b"\r\n\nid;PCD\n1;M1 1AE\n", 3, plan(Format::Csv, "outcode")).await.unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "\r\n\nid;PCD;outcode\n1;M1 1AE;M1\n");
    // A header is a file.
    let (out, counts) = run(b"postcode", 100, plan(Format::Csv, "status")).await.unwrap();
    assert_eq!((String::from_utf8(out).unwrap(), counts.rows()), ("postcode,status\n".to_owned(), 0));
}

#[tokio::test]
async fn lines_of_json_keep_what_they_hold() {
    let input = b"{\"postcode\":\"sw1a1aa\",\"n\":1.50}\n{}\r\n\n {\"Post_Code\" : \"AB1 0AA\" } \n{\"postcode\":null}";
    let (out, counts) = run(input, 5, plan(Format::Ndjson, "status,latitude")).await.unwrap();
    let expected = "{\"postcode\":\"sw1a1aa\",\"n\":1.50,\"status\":\"live\",\"latitude\":51.50101}\n\
        {\"status\":\"invalid\",\"latitude\":null}\r\n\n \
        {\"Post_Code\" : \"AB1 0AA\",\"status\":\"terminated\",\"latitude\":57.101459}\n\
        {\"postcode\":null,\"status\":\"invalid\",\"latitude\":null}";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    let invalid = Counts { invalid: 2, blank: 2, ..Counts::default() };
    assert_eq!(counts, Counts { live: 1, terminated: 1, ..invalid });
}

#[tokio::test]
async fn line_that_is_not_an_object_is_refused_or_left_out_with_its_number() {
    let good = "{\"postcode\":\"M1 1AE\"}\n";
    let ndjson = || plan(Format::Ndjson, "outcode");
    for bad in ["[1]\n", "nope\n", "{\"postcode\":\"M1 1A"] {
        let error = run(format!("{good}\r\n{bad}").as_bytes(), 5, ndjson()).await.unwrap_err();
        assert!(error.starts_with("line 3: no JSON object: "), "{error}");
    }
    let input = format!("{good}\nnope\r\n[1]\n{good}");
    let chunks = futures::stream::iter([Ok(Bytes::from(input))]);
    let aside = Plan { set_aside: true, ..ndjson() };
    let parts: Vec<_> = enrich(chunks, country(), aside).try_collect().await.unwrap();
    let row = "{\"postcode\":\"M1 1AE\",\"outcode\":\"M1\"}\n";
    assert_eq!(parts[0].bytes, format!("{row}\n{row}"));
    let left_out: Vec<_> = parts[0].aside.iter().map(|aside| (aside.line, aside.text.as_str())).collect();
    assert_eq!(left_out, [(3, "nope"), (4, "[1]")]);
    assert_eq!((parts[0].counts.set_aside, parts[0].counts.rows()), (2, 2));
    let answer = post("application/x-ndjson", "", b"{\"pcds\":\"M1 1AE\"}\nnope\n").await;
    assert_eq!(answer.status, 422);
}

#[tokio::test]
async fn a_mark_of_utf8_is_kept_and_large_rows_are_taken_few_at_a_time() {
    let input = "\u{feff}{\"postcode\":\"M1 1AE\"}\n";
    let (out, _) = run(input.as_bytes(), 4, plan(Format::Ndjson, "outcode")).await.unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "\u{feff}{\"postcode\":\"M1 1AE\",\"outcode\":\"M1\"}\n");

    let row = format!("M1 1AE,{}\n", "x".repeat(MAX_ROW / 2));
    let input = format!("postcode,text\n{}", row.repeat(8));
    let chunks = input.as_bytes().chunks(1 << 18).map(|chunk| Ok(Bytes::copy_from_slice(chunk)));
    let stream = futures::stream::iter(chunks.collect::<Vec<_>>());
    let parts: Vec<_> = enrich(stream, country(), plan(Format::Csv, "outcode")).try_collect().await.unwrap();
    assert!(parts.iter().all(|part| part.bytes.len() < 2 * MAX_ROW), "no part holds them all");
    assert_eq!(parts.iter().map(|part| part.counts.live).sum::<u64>(), 8);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_named() {
    let csv = || plan(Format::Csv, "status");
    let endless = [b"postcode\n\"".as_slice(), &vec![b'x'; 3 * MAX_ROW]].concat();
    let no_line = vec![b'x'; 3 * MAX_ROW];
    for (input, wanted, says) in [
        (b"".as_slice(), csv(), "the file is empty"),
        (
            b"name,town\nA,B\n",
            csv(),
            "which column is the postcode? Name it (--postcode-column, over HTTP postcode_column); here are \"name\", \"town\"",
        ),
        (b"postcode,STATUS\n", csv(), "there is a column \"status\" already"),
        (b"a\n", Plan { postcode: Some("b".to_owned()), ..csv() }, "there is no column \"b\", only \"a\""),
        (&endless, csv(), "line 2: a quote opens here, and is not closed within the 1048576 bytes"),
        (b"postcode,x\nSW1A 1AA,\"open\nM1 1AE,c\n", csv(), "line 2: a quote opens here and is not closed"),
        (b"postcode,a\nM1 1AE,1,2\n", csv(), "line 2: 3 fields, and the header has 2"),
        (b"a,b\n1,2\n", plan(Format::Ndjson, "status"), "line 1: no JSON object"),
        (b"postcode\n", Plan { prefix: "x".repeat(65), ..csv() }, "a prefix of more than 64 bytes"),
        (
            b"{}\n",
            Plan { prefix: "x".repeat(65), ..plan(Format::Ndjson, "status") },
            "a prefix of more than 64",
        ),
        (&no_line, csv(), "line 1: a row of more than 1048576 bytes"),
        (&no_line, plan(Format::Ndjson, "status"), "line 1: a row of more than 1048576 bytes"),
        (
            b"{}\n{\"postcode\":\"M1 1AE\",\"status\":1}\n",
            plan(Format::Ndjson, "status"),
            "line 2: there is a key \"status\" already",
        ),
    ] {
        let error = run(input, 1 << 16, wanted).await.unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Checks that any bytes in any chunks give the same output, and that without the added columns
    /// it equals the input.
    #[test]
    fn nothing_is_lost_and_chunks_do_not_matter(
        rows in prop::collection::vec("([a-z,\" ]{0,6}|SW1A 1AA|\r|é)(,[a-z]{0,3})?(\n|\r\n)", 0..20),
        size in 1usize..40,
    ) {
        let input = format!("postcode,b\n{}", rows.concat());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let wanted = plan(Format::Csv, "status");
            let whole = run(input.as_bytes(), usize::MAX, wanted.clone()).await;
            assert_eq!(run(input.as_bytes(), size, wanted).await, whole);
            // A quote may lack its partner.
            let Ok(whole) = whole else { return };
            let mut out = String::from_utf8(whole.0).unwrap();
            for added in [",status", ",live", ",unknown", ",invalid"] {
                out = out.replace(added, "");
            }
            // Of short rows the missing fields are added; of long ones the empty fields to the right go.
            assert_eq!(out.replace([',', ' ', '"'], ""), input.replace([',', ' ', '"'], ""));
        });
    }
}

async fn post(content_type: &str, query: &str, body: &'static [u8]) -> common::Answer {
    let api = api_over(Local::embedded().unwrap()).await;
    let request = Request::post(format!("/enrich{query}")).header("content-type", content_type);
    send(&api, request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn http_gives_the_same_bytes() {
    let answer = post("text/csv", &format!("?columns={COLUMNS}"), WILD).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, WILD_ENRICHED));
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert!(!answer.header("postcode-edition").is_empty());
    let lines = post("application/x-ndjson", "", b"{\"pcds\":\"M1 1AE\"}\n").await.body;
    let lines = String::from_utf8(lines).unwrap();
    assert!(
        lines.starts_with("{\"pcds\":\"M1 1AE\",\"status\":\"live\",\"admin_district\":\"Manchester\""),
        "{lines}"
    );
    for (content_type, query, body, status, says) in [
        ("application/xml", "", b"<a/>".as_slice(), 415, "text/csv or application/x-ndjson"),
        ("text/csv", "?columns=lattitude", b"postcode\n", 400, "lattitude"),
        ("text/csv", "", b"town\n", 422, "which column is the postcode"),
        ("text/csv", "", b"", 422, "the file is empty"),
    ] {
        let answer = post(content_type, query, body).await;
        assert_eq!(answer.status, status);
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(says), "{error}");
    }
}

#[tokio::test]
async fn http_column_that_the_data_does_not_have_is_422_and_names_the_import() {
    let answer = post("text/csv", "?columns=status,ttwa,codes.ttwa", b"postcode\nM1 1AE\n").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (422, &"column_not_in_data".into()));
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("ttwa (import ONSPD or NSPL), codes.ttwa (import ONSPD or NSPL)"), "{error}");
    assert!(error.contains("allow_empty=true"), "{error}");
    let query = "?columns=status,ttwa&allow_empty=true";
    let answer = post("text/csv", query, b"postcode\nM1 1AE\n").await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.body),
        (200, b"postcode,status,ttwa\nM1 1AE,live,\n".as_slice())
    );
    let answer = post("text/csv", "?allow_empty=perhaps", b"postcode\nM1 1AE\n").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn usual_columns_are_those_that_the_data_has() {
    let ask = async |query: &str| {
        let request = Request::post(format!("/enrich{query}")).header("content-type", "text/csv");
        let request = request.body(Body::from("postcode\nAB10 1AB\n")).unwrap();
        send(&api_over(common::small()).await, request).await
    };
    let answer = ask("").await;
    let text =
        "postcode,status,admin_district,latitude,longitude\nAB10 1AB,live,Aberdeen City,57.14959,-2.096923\n";
    assert_eq!(String::from_utf8(answer.body.clone()).unwrap(), text);
    assert_eq!(
        answer.header("postcode-notes"),
        "left out, because the data has no values in them: region, country"
    );
    let header = "postcode,status,admin_district,region,country,latitude,longitude\n";
    assert!(ask("?allow_empty=true").await.body.starts_with(header.as_bytes()));
    let info = common::get(&api_over(common::small()).await, "/dataset/info").await.json();
    let columns = [
        "status",
        "eastings",
        "northings",
        "latitude",
        "longitude",
        "quality",
        "date_of_termination",
        "admin_district",
        "codes.admin_district",
    ];
    assert_eq!(info["result"]["columns"], serde_json::json!(columns));
}

#[test]
fn command_refuses_a_column_that_the_data_does_not_have_before_it_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
    std::fs::write(&input, "postcode\nM1 1AE\n").unwrap();
    let arguments = [input.to_str().unwrap(), "-o", out.to_str().unwrap(), "-c", "ttwa"];
    let ended = command(&arguments).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(said.contains("--columns") && said.contains("ttwa (import ONSPD or NSPL)"), "{said}");
    assert!(!out.exists());
    let ended = command(&[&arguments[..], &["--allow-empty"]].concat()).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "postcode,ttwa\nM1 1AE,\n");
    let export = |more: &[&str]| {
        let mut command = common::program();
        command.args(["export", "-f", "csv", "-c", "postcode,oa21", "-o"]).arg(&out).args(more);
        command.output().unwrap()
    };
    let ended = export(&[]);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.code() == Some(1) && said.contains("oa21 (import"), "{said}");
}

fn command(arguments: &[&str]) -> Command {
    let mut command = common::program();
    command.arg("enrich").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn the_command_line_gives_the_same_bytes_and_publishes_whole_files_only() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
    std::fs::write(&input, WILD).unwrap();
    let (input, out) = (input.to_str().unwrap(), out.to_str().unwrap());
    let ended = command(&[input, "--columns", COLUMNS, "--out", out]).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}");
    assert!(
        said.contains("7 rows: 2 live, 1 terminated, 1 unknown, 1 not covered, 2 without a postcode")
            && said.contains("--repair mends typing errors"),
        "{said}"
    );
    assert!(said.contains("Crown copyright"), "{said}");
    assert_eq!(std::fs::read(out).unwrap(), WILD_ENRICHED);

    let mut piped = command(&["-", "--format", "csv", "--columns", COLUMNS]).spawn().unwrap();
    piped.stdin.take().unwrap().write_all(WILD).unwrap();
    assert_eq!(piped.wait_with_output().unwrap().stdout, WILD_ENRICHED);

    std::fs::write(input, "postcode\n\"never closed\n").unwrap();
    std::fs::write(input, format!("postcode\n\"{}", "x".repeat(3 << 20))).unwrap();
    for (arguments, says) in [
        ([input, "--out", out].as_slice(), "line 2: a quote opens here, and is not closed"),
        (&[input, "--out", input], "would be lost"),
        (&["nowhere.csv"], "nowhere.csv: can't be read"),
        (&["-"], "the file is empty"),
        (&[input, "--columns", "nope"], "there is no column \"nope\""),
    ] {
        let ended = command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && said.contains(says), "{arguments:?}: {said}");
    }
    assert_eq!(std::fs::read(out).unwrap(), WILD_ENRICHED, "the previous file is untouched");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
}
