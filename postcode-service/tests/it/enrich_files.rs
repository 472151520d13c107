//! Files as people have them, enriched: line ends, delimiters, encodings, packing, workbooks, JSON, ragged rows.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test it is the failure")]

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures::TryStreamExt;
use http::Request;
use postcode_core::Local;
use postcode_service::enrich::{Column, Counts, Format, Part, Plan, enrich};
use postcode_testing::{brotli, gzip, zipped};

use crate::common::{self, api_over, send};

pub(crate) fn csv(columns: &str) -> Plan {
    Plan::new(Format::Csv, Column::list(columns).unwrap())
}

pub(crate) async fn parts(input: &[u8], size: usize, plan: Plan) -> Result<Vec<Part>, String> {
    let chunks: Vec<_> = input.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let lookup = Arc::new(Local::embedded().unwrap());
    enrich(futures::stream::iter(chunks), lookup, plan).try_collect().await.map_err(|e| e.to_string())
}

/// The bytes that come out, the same however the file comes in; the counts, and what is said.
pub(crate) async fn run(input: &[u8], plan: Plan) -> Result<(Vec<u8>, Counts, String), String> {
    let gathered = |parts: Vec<Part>| {
        let (mut out, mut counts, mut notes) = (Vec::new(), Counts::default(), Vec::new());
        for part in parts {
            out.extend_from_slice(&part.bytes);
            counts.add(&part.counts);
            notes.extend(part.notes);
        }
        (out, counts, notes.join("; "))
    };
    let whole = parts(input, usize::MAX, plan.clone()).await.map(gathered);
    for size in [1, 7] {
        assert!(parts(input, size, plan.clone()).await.map(gathered) == whole, "in chunks of {size}");
    }
    whole
}

pub(crate) async fn out(input: &[u8], plan: Plan) -> String {
    String::from_utf8(run(input, plan).await.unwrap().0).unwrap()
}

#[tokio::test]
async fn every_line_end_ends_a_row() {
    for (input, expected) in [
        ("id,postcode\r1,SW1A 1AA\r2,EH1 1YZ\r", "id,postcode,status\r1,SW1A 1AA,live\r2,EH1 1YZ,live\r"),
        (
            "id,postcode\r\n1,SW1A 1AA\r2,EH1 1YZ\n3,\r\n",
            "id,postcode,status\r\n1,SW1A 1AA,live\r2,EH1 1YZ,live\n3,,invalid\r\n",
        ),
        ("\"i\rd\",postcode\r\"a\r\nb\",M1 1AE\r\r", "\"i\rd\",postcode,status\r\"a\r\nb\",M1 1AE,live\r\r"),
    ] {
        assert_eq!(out(input.as_bytes(), csv("status")).await, expected);
    }
    let error = run(b"a,postcode\r1,M1 1AE\r\r\"x\ry\",M1 1AE,z\r", csv("status")).await.unwrap_err();
    assert!(error.contains("line 4: 3 fields"), "{error}");
    let lines = Plan::new(Format::Ndjson, Column::list("outcode").unwrap());
    assert_eq!(
        out(b"{\"postcode\":\"M1 1AE\"}\r{\"postcode\":\"EH1 1YZ\"}\r", lines).await,
        "{\"postcode\":\"M1 1AE\",\"outcode\":\"M1\"}\r{\"postcode\":\"EH1 1YZ\",\"outcode\":\"EH1\"}\r"
    );
}

#[tokio::test]
async fn delimiters_are_found_outside_quotes_or_named() {
    for (input, expected) in [
        (
            "Name,\"Which? (GP; dentist; hospital; other)\",Postcode\nA,GP,M1 1AE\n",
            "Name,\"Which? (GP; dentist; hospital; other)\",Postcode,outcode\nA,GP,M1 1AE,M1\n",
        ),
        (
            "Name,Which? (GP; dentist; hospital; other),Postcode\nA,GP,M1 1AE\nB,GP,M1 1AE\n",
            "Name,Which? (GP; dentist; hospital; other),Postcode,outcode\nA,GP,M1 1AE,M1\nB,GP,M1 1AE,M1\n",
        ),
        ("sep=;\r\na,b;postcode\r\n1;M1 1AE\r\n", "sep=;\r\na,b;postcode;outcode\r\n1;M1 1AE;M1\r\n"),
    ] {
        assert_eq!(out(input.as_bytes(), csv("outcode")).await, expected);
    }
    let named = Plan { delimiter: Some(b'~'), ..csv("outcode") };
    assert_eq!(out(b"a,b~postcode\n1,2~M1 1AE\n", named).await, "a,b~postcode~outcode\n1,2~M1 1AE~M1\n");
}

#[tokio::test]
async fn encodings_are_found_and_what_is_written_is_in_them() {
    let table = "n\tpostcode\r\nZoë\tLL58 8RD\r\n";
    let enriched = "n\tpostcode\tadmin_district\r\nZoë\tLL58 8RD\tIsle of Anglesey\r\n";
    for (bytes, mark) in [(u16::to_le_bytes as fn(u16) -> [u8; 2], "LE"), (u16::to_be_bytes, "BE")] {
        let wide = |text: &str| format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        let (out, counts, notes) = run(&wide(table), csv("admin_district")).await.unwrap();
        assert_eq!(out, wide(enriched));
        assert_eq!((counts.live, notes), (1, format!("read and written as UTF-16{mark}")));
    }
    // A no-break space and a dash, as Word puts them between the halves.
    let old = b"name,postcode\nCaf\xe9,SW1A\xa01AA\nB,SW1A\x961AA\n";
    let (out, counts, notes) = run(old, csv("status")).await.unwrap();
    assert_eq!(out, b"name,postcode,status\nCaf\xe9,SW1A\xa01AA,live\nB,SW1A\x961AA,live\n");
    assert_eq!(counts.live, 2);
    assert!(notes.contains("read and written as Windows-1252, which is a guess"), "{notes}");
    // The first byte that is not ASCII comes after the sample.
    let late = format!("postcode,n\n{}", "M1 1AE,x\n".repeat(9_000));
    let (out, counts, notes) =
        run(&[late.as_bytes(), b"SW1A\xa01AA,\xe9\n"].concat(), csv("outcode")).await.unwrap();
    assert!(out.ends_with(b"SW1A\xa01AA,\xe9,SW1A\n") && counts.live == 9_001);
    assert!(notes.contains("Windows-1252 from line 9002 on"), "{notes}");
}

/// A workbook with one sheet: a name, and a postcode under it.
fn workbook() -> Vec<u8> {
    postcode_testing::workbook(&[vec!["n", "Home"], vec!["7", "M1 1AE"]])
}

#[tokio::test]
async fn packed_files_and_workbooks_are_unpacked() {
    let table = b"n,postcode\n1,M1 1AE\n";
    for (packed, said) in [
        (gzip(table), "unpacked (gzip)"),
        (zstd::encode_all(&table[..], 0).unwrap(), "unpacked (zstd)"),
        (zipped(&[("t.csv", table)]), "unpacked (t.csv of a zip file)"),
    ] {
        let (out, _, notes) = run(&packed, csv("outcode")).await.unwrap();
        assert_eq!(out, b"n,postcode,outcode\n1,M1 1AE,M1\n");
        assert_eq!(notes, said);
    }
    let (out, _, notes) = run(&workbook(), csv("outcode")).await.unwrap();
    assert_eq!(out, b"n,Home,outcode\r\n7,M1 1AE,M1\r\n");
    assert_eq!(
        notes,
        "the sheet \"Kunden\" of a workbook, as CSV; the postcodes are in the column \"Home\", by what stands there"
    );
    let missing = Plan { sheet: Some("Andere".to_owned()), ..csv("outcode") };
    assert!(run(&workbook(), missing).await.unwrap_err().contains("its sheets are \"Kunden\""));
    let mut cut = gzip(&table.repeat(100));
    cut.truncate(cut.len() / 2);
    assert!(run(&cut, csv("outcode")).await.is_err());
    let small = Plan { most: 10_000, ..csv("outcode") };
    let error = run(&gzip(&table.repeat(10_000)), small).await.unwrap_err();
    assert!(error.contains("more than the 10000 bytes that are taken"), "{error}");
}

#[tokio::test]
async fn arrays_of_json_and_nested_keys() {
    let json = |postcode: Option<&str>| Plan {
        postcode: postcode.map(str::to_owned),
        ..Plan::new(Format::Json, Column::list("outcode").unwrap())
    };
    let nested = "[\n  {\"a\": {\"postcode\": \"M1 1AE\", \"x\": [\"]\"]}},\n  {}\n]\n";
    let expected = "[\n  {\"a\": {\"postcode\": \"M1 1AE\", \"x\": [\"]\"]},\"outcode\":\"M1\"},\n  {\"outcode\":null}\n]\n";
    assert_eq!(out(nested.as_bytes(), json(Some("a.postcode"))).await, expected);
    let (found, counts, notes) = run(nested.as_bytes(), json(None)).await.unwrap();
    assert_eq!(String::from_utf8(found).unwrap(), expected);
    assert_eq!((counts.live, counts.blank), (1, 1));
    assert_eq!(notes, "the postcodes are under the key \"a.postcode\", by what stands there");
    let error = run(nested.as_bytes(), json(Some("address.postcode"))).await.unwrap_err();
    assert!(
        error.contains("no key \"address.postcode\" in any of the first 2 objects, only \"a.postcode\""),
        "{error}"
    );
    assert!(run(b"[1,2]", json(None)).await.unwrap_err().contains("not an array of JSON objects"));
    // A row that is whole does not make a file whole.
    let cut = run(b"[{\"postcode\":\"M1 1AE\"},\n", json(None)).await.unwrap_err();
    assert_eq!(cut, "line 1: an array without its end: is the file cut off?");
    let lines = |postcode: &str| Plan {
        postcode: Some(postcode.to_owned()),
        ..Plan::new(Format::Ndjson, Column::list("outcode").unwrap())
    };
    assert_eq!(
        out(b"{\"to\":[{\"zip\":\"M1 1AE\"}]}\n", lines("to.0.zip")).await,
        "{\"to\":[{\"zip\":\"M1 1AE\"}],\"outcode\":\"M1\"}\n"
    );
    assert!(run(b"{\"a\":1}\n", lines("b")).await.unwrap_err().contains("no key \"b\""));
}

#[tokio::test]
async fn end_of_file_byte_of_dos_is_not_a_row() {
    let (found, counts, _) = run(b"home\r\nM1 1AE\r\n\x1a", csv("outcode")).await.unwrap();
    assert_eq!(found, b"home,outcode\r\nM1 1AE,M1\r\n\x1a");
    assert_eq!((counts.live, counts.rows()), (1, 1));
    let lines = Plan::new(Format::Ndjson, Column::list("outcode").unwrap());
    let (found, counts, _) = run(b"{\"zip\":\"M1 1AE\"}\r\n\x1a\x1a", lines).await.unwrap();
    assert_eq!(found, b"{\"zip\":\"M1 1AE\",\"outcode\":\"M1\"}\r\n\x1a\x1a");
    assert_eq!(counts.rows(), 1);
    // Elsewhere it is a character like others.
    let (_, counts, _) = run(b"postcode\n\x1a\nM1 1AE\n", csv("outcode")).await.unwrap();
    assert_eq!((counts.live, counts.rows()), (1, 2));
}

#[tokio::test]
async fn of_a_key_that_comes_twice_the_last_counts() {
    let lines = |postcode: Option<&str>| Plan {
        postcode: postcode.map(str::to_owned),
        ..Plan::new(Format::Ndjson, Column::list("outcode").unwrap())
    };
    for (postcode, object, outcode) in [
        (None, "{\"postcode\":\"M1 1AE\",\"postcode\":\"EH1 1YZ\"", "\"EH1\""),
        (None, "{\"postcode\":\"M1 1AE\",\"zip\":\"EH1 1YZ\"", "\"M1\""),
        (Some("a.b"), "{\"a\":{\"b\":\"M1 1AE\"},\"a\":{\"b\":\"EH1 1YZ\"}", "\"EH1\""),
    ] {
        let expected = format!("{object},\"outcode\":{outcode}}}\n");
        assert_eq!(out(format!("{object}}}\n").as_bytes(), lines(postcode)).await, expected);
    }
}

#[tokio::test]
async fn ragged_and_empty_rows_are_what_spreadsheets_leave() {
    let table = b"name,postcode,city\nAda,SW1A 1AA,London,,,\nBob,M1 1AE\n,,\n\" \",,\n,,,,\n";
    let (found, counts, _) = run(table, csv("status")).await.unwrap();
    assert_eq!(
        String::from_utf8(found).unwrap(),
        "name,postcode,city,status\nAda,SW1A 1AA,London,live\nBob,M1 1AE,,live\n,,,\n\" \",,,\n,,,\n"
    );
    assert_eq!((counts.rows(), counts.live, counts.empty), (2, 2, 3));
    let ragged = b"name,postcode\nAda,M1 1AE,x\nBob,M1 1AE\n";
    assert!(run(ragged, csv("status")).await.unwrap_err().contains("line 2: 3 fields, and the header has 2"));
    let aside = Plan { set_aside: true, ..csv("status") };
    let found = parts(ragged, 9, aside).await.unwrap();
    assert_eq!(found[0].bytes, "name,postcode,status\nBob,M1 1AE,live\n");
    assert_eq!((found[0].aside[0].line, found[0].aside[0].text.as_str()), (2, "Ada,M1 1AE,x"));
    assert_eq!((found[0].counts.set_aside, found[0].counts.rows()), (1, 1));
}

#[tokio::test]
async fn the_column_is_found_by_what_stands_in_it() {
    let (found, _, notes) =
        run(b"n,home,town\n1,M1 1AE,Leeds\n2,,\n3,EH1 1YZ,x\n", csv("outcode")).await.unwrap();
    assert!(found.starts_with(b"n,home,town,outcode\n1,M1 1AE,Leeds,M1\n"));
    assert_eq!(notes, "the postcodes are in the column \"home\", by what stands there");
    // Few of its cells are postcodes, and of two columns that are full of them one is called so.
    for (table, name) in [
        ("n,Site Postcode\n1,M1 1AE\n2,nonsense\n3,SW1A\n", "Site Postcode"),
        ("home,billing_postcode\nM1 1AE,EH1 1YZ\n", "billing_postcode"),
        ("n,Post-Code (home)\n", "Post-Code (home)"),
    ] {
        let (_, _, notes) = run(table.as_bytes(), csv("outcode")).await.unwrap();
        assert_eq!(notes, format!("the postcodes are in the column {name:?}, by its name"));
    }
    for (table, says) in [
        ("old postcode,new postcode\nx,y\n", "which column is the postcode? Name it"),
        ("a,b\nM1 1AE,EH1 1YZ\n", "Several hold postcodes: \"a\", \"b\""),
        ("n,town\n1,Leeds\n", "which column is the postcode? Name it"),
        ("Ada,M1 1AE\nBob,EH1 1YZ\n", "the first line holds the postcode \"M1 1AE\""),
    ] {
        let error = run(table.as_bytes(), csv("outcode")).await.unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}

#[tokio::test]
async fn postcodes_in_another_column_than_the_named_one_are_noted() {
    let note = "the first rows have no postcode in the column \"zip\", but in the column \"home\": name that one if it is \
                meant (--postcode-column, over HTTP postcode_column)";
    let table = b"zip,home,n\n12345,M1 1AE,1\n,EH1 1YZ,2\n";
    let (found, _, notes) = run(table, csv("outcode")).await.unwrap();
    assert_eq!((found.starts_with(b"zip,home,n,outcode\n12345,M1 1AE,1,\n"), &*notes), (true, note));
    let named = |name: &str| Plan { postcode: Some(name.to_owned()), ..csv("outcode") };
    assert!(
        run(table, named("n")).await.unwrap().2.contains("in the column \"n\", but in the column \"home\"")
    );
    assert_eq!(run(table, named("home")).await.unwrap().2, "");
    assert_eq!(run(b"zip,home\n1,M1 1AE\nM1 1AE,EH1 1YZ\n", csv("outcode")).await.unwrap().2, "");
    assert_eq!(run(b"zip,home\n1,Leeds\n2,M1 1AE\n", csv("outcode")).await.unwrap().2, "");
    let answer = post(&[("content-type", "text/csv")], "?columns=outcode", table.to_vec()).await;
    assert_eq!((answer.status.as_u16(), answer.header("postcode-notes")), (200, note));
}

#[tokio::test]
async fn texts_are_repaired_and_found_if_that_is_asked_for() {
    let table = b"postcode\nSWIA 1AA\nSW1A 1AA\n=\"M1 1AE\"\nSWIA 9ZZ\nSW1A\n";
    let (found, counts, _) = run(table, csv("status").repairing()).await.unwrap();
    assert_eq!(
        String::from_utf8(found).unwrap(),
        "postcode,status,postcode_clean\nSWIA 1AA,repaired,SW1A 1AA\nSW1A 1AA,live,SW1A 1AA\n\
         =\"M1 1AE\",live,M1 1AE\nSWIA 9ZZ,invalid,\nSW1A,invalid,\n"
    );
    assert_eq!((counts.repaired, counts.live, counts.malformed, counts.partial), (1, 2, 1, 1));
    let find = Plan { find: true, ..csv("postcode") };
    let table = "address\n\"1 The Mall, London SW1A 1AA\"\n\"SW1A 1AA, UK\"\n";
    assert_eq!(
        out(table.as_bytes(), find).await,
        "address,postcode\n\"1 The Mall, London SW1A 1AA\",SW1A 1AA\n\"SW1A 1AA, UK\",SW1A 1AA\n"
    );
}

#[tokio::test]
async fn of_several_postcodes_in_a_cell_the_only_one_in_use_is_taken() {
    let find = Plan { find: true, postcode: Some("address".to_owned()), ..csv("postcode") };
    let table = "address\nFlat B1 2nd Floor\nOrder SW1A 9ZZ to M1 1AE\nM1 1AE and EH1 1YZ\nM1 1AE\n";
    let (found, counts, _) = run(table.as_bytes(), find).await.unwrap();
    assert_eq!(
        String::from_utf8(found).unwrap(),
        "address,postcode\nFlat B1 2nd Floor,\nOrder SW1A 9ZZ to M1 1AE,M1 1AE\nM1 1AE and EH1 1YZ,\nM1 1AE,M1 1AE\n"
    );
    assert_eq!((counts.live, counts.malformed), (2, 2));
}

#[tokio::test]
async fn titles_above_the_names_of_the_columns_stay_where_they_are() {
    let table = "Customers;;\r\n\r\nid;Post Code;n\r\n1;M1 1AE;x\r\n2;EH1 1YZ;a;b\r\n";
    let aside = Plan { set_aside: true, ..csv("outcode") };
    let (found, counts, notes) = run(table.as_bytes(), aside).await.unwrap();
    assert_eq!(
        String::from_utf8(found).unwrap(),
        "Customers;;\r\n\r\nid;Post Code;n;outcode\r\n1;M1 1AE;x;M1\r\n"
    );
    assert_eq!((counts.live, counts.set_aside), (1, 1));
    assert_eq!(notes, "the names of the columns are in line 3: what stands above is kept as it is");
    let error = run(table.as_bytes(), csv("outcode")).await.unwrap_err();
    assert!(error.starts_with("line 5: 4 fields"), "{error}");
    let sheet =
        postcode_testing::workbook(&[vec!["Customers of 2024"], vec!["n", "Postcode"], vec!["7", "M1 1AE"]]);
    assert_eq!(
        out(&sheet, csv("outcode")).await,
        "Customers of 2024\r\nn,Postcode,outcode\r\n7,M1 1AE,M1\r\n"
    );
    let named = Plan { postcode: Some("Where".to_owned()), ..csv("outcode") };
    assert_eq!(out(b"List\nn,where\n7,M1 1AE\n", named).await, "List\nn,where,outcode\n7,M1 1AE,M1\n");
}

#[tokio::test]
async fn of_columns_with_one_name_the_first_is_read_and_that_is_said() {
    let (found, _, notes) = run(b"Postcode,post_code\nM1 1AE,EH1 1YZ\n", csv("outcode")).await.unwrap();
    assert_eq!(found, b"Postcode,post_code,outcode\nM1 1AE,EH1 1YZ,M1\n");
    assert_eq!(notes, "2 columns are called \"Postcode\": the postcodes are taken from the first");
}

#[tokio::test]
async fn what_is_not_a_table_of_text_is_named() {
    let wide = "id,postcode\n".chars().flat_map(|c| (c as u32).to_le_bytes());
    for (file, says) in [
        (b"PAR1\x15\x04\x15".to_vec(), "a Parquet file"),
        (b"ARROW1\0\0".to_vec(), "an Arrow file"),
        (b"BZh91AY&SY".to_vec(), "packed with bzip2: unpack it first"),
        ([0xff, 0xfe, 0, 0].into_iter().chain(wide.clone()).collect(), "in UTF-32: save it as UTF-8"),
        (wide.collect(), "the first line holds NUL bytes"),
    ] {
        let error = run(&file, csv("status")).await.unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}

async fn post(headers: &[(&str, &str)], query: &str, body: Vec<u8>) -> common::Answer {
    let api = api_over(Local::embedded().unwrap()).await;
    let mut request = Request::post(format!("/enrich{query}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(&api, request.body(Body::from(body)).unwrap()).await
}

/// Each of them would take gigabytes of memory, and end the server.
#[tokio::test]
async fn small_workbooks_that_say_they_are_large_are_refused() {
    let texts = br#"<sst uniqueCount="99999999999"><si><t>postcode</t></si></sst>"#;
    let spaces = br#"<table:table table:name="A"><table:table-row><table:table-cell office:value-type="string"><text:p>
        <text:s text:c="4000000000"/></text:p></table:table-cell></table:table-row></table:table>"#;
    for (file, says) in [
        (
            zipped(&[("xl/workbook.xml", b"<workbook/>"), ("xl/sharedStrings.xml", texts)]),
            "more texts than it can have",
        ),
        (zipped(&[("content.xml", spaces)]), "a row of more than"),
        (zipped(&[("xl/workbook.bin", b"")]), "save it as .xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), "save it as .xlsx"),
    ] {
        let answer = post(&[("content-type", "application/octet-stream")], "", file).await;
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!((answer.status.as_u16(), text.contains(says)), (400, true), "{text}");
    }
}

#[tokio::test]
async fn over_http_codings_charsets_and_media_types_are_understood() {
    let table = b"n;postcode\r1;M1 1AE\r".to_vec();
    let enriched = b"n;postcode;outcode\r1;M1 1AE;M1\r";
    for content_type in [
        "text/csv",
        "application/vnd.ms-excel",
        "text/tab-separated-values",
        "text/csv;charset=utf8",
        "application/octet-stream",
    ] {
        let answer = post(&[("content-type", content_type)], "?columns=outcode", table.clone()).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, &enriched[..]), "{content_type}");
    }
    let csv = ("content-type", "text/csv");
    for (coding, body) in [
        ("gzip", gzip(&table)),
        ("zstd", zstd::encode_all(&*table, 0).unwrap()),
        ("br", brotli(&table)),
        ("identity", table.clone()),
    ] {
        let answer = post(&[csv, ("content-encoding", coding)], "?columns=outcode", body).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, &enriched[..]), "{coding}");
    }
    for headers in [
        [csv, ("content-encoding", "compress")],
        [("content-type", "text/csv; charset=ebcdic"), ("x-no", "y")],
        [csv, ("content-encoding", "gzip, gzip")],
    ] {
        assert_eq!(post(&headers, "", table.clone()).await.status.as_u16(), 415, "{headers:?}");
    }
    let answer = post(&[csv, ("content-encoding", "gzip")], "", table.clone()).await;
    assert_eq!(answer.status.as_u16(), 400);
    let old = b"postcode,n\nSW1A\xa01AA,\xe9\n".to_vec();
    let answer = post(&[("content-type", "text/csv; charset=iso-8859-1")], "?columns=outcode", old).await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=windows-1252");
    assert_eq!(&*answer.body, b"postcode,n,outcode\nSW1A\xa01AA,\xe9,SW1A\n");
    assert_eq!(answer.header("postcode-notes"), "read and written as Windows-1252");
    let answer =
        post(&[("content-type", "application/json")], "?columns=outcode", b"[{\"zip\":\"M1 1AE\"}]".to_vec())
            .await;
    assert_eq!(&*answer.body, b"[{\"zip\":\"M1 1AE\",\"outcode\":\"M1\"}]");
    // Only text with a byte order mark is UTF-16 without saying which byte comes first (RFC 2781).
    for (mark, charset) in [("", "utf-16be"), ("\u{feff}", "utf-16")] {
        let wide: Vec<u8> =
            format!("{mark}postcode\nM1 1AE\n").encode_utf16().flat_map(u16::to_be_bytes).collect();
        let answer = post(&[csv], "?columns=outcode", wide).await;
        assert_eq!(answer.header("content-type"), format!("text/csv; charset={charset}"));
    }
    for (content_type, body) in
        [("application/gzip", gzip(&table)), ("application/zip", zipped(&[("t.csv", &table)]))]
    {
        let answer = post(&[("content-type", content_type)], "?columns=outcode", body).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, &enriched[..]), "{content_type}");
    }
    let cut = b"[{\"zip\":\"M1 1AE\"}".to_vec();
    assert_eq!(
        post(&[("content-type", "application/json")], "?columns=outcode", cut).await.status.as_u16(),
        422
    );
    const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let answer = post(&[("content-type", XLSX)], "?columns=outcode", workbook()).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, &b"n,Home,outcode\r\n7,M1 1AE,M1\r\n"[..]));
    assert_eq!(post(&[csv], "?repair=perhaps", table).await.status.as_u16(), 400);
}

#[test]
fn the_command_line_says_what_it_found_and_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("in.csv.gz"), gzip(b"n;home\n1;M1 1AE\n2;SWIA 1AA\n3;x\n4;M1 1AE;5\n;\n")).unwrap();
    let arguments = [
        "enrich",
        &path("in.csv.gz"),
        "--columns",
        "status",
        "--out",
        &path("out.csv"),
        "--repair",
        "--errors",
        &path("left.csv"),
        "--report",
        &path("report.json"),
        "--fail-on",
        "malformed,left-out",
        "--postcode-column",
        "home",
    ];
    let ended = common::program().args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("unpacked (gzip)") && said.contains("1 malformed, 1 left-out"), "{said}");
    assert!(
        said.contains("3 rows: 1 live") && said.contains("1 repaired, 1 empty rows not counted"),
        "{said}"
    );
    assert_eq!(
        std::fs::read_to_string(path("out.csv")).unwrap(),
        "n;home;status;postcode_clean\n1;M1 1AE;live;M1 1AE\n2;SWIA 1AA;repaired;SW1A 1AA\n3;x;invalid;\n;;;\n"
    );
    let left = std::fs::read_to_string(path("left.csv")).unwrap();
    assert!(left.starts_with("line,reason,row\n5,\"3 fields"), "{left}");
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path("report.json")).unwrap()).unwrap();
    assert_eq!(
        (&report["rows"], &report["malformed"], &report["set_aside"]),
        (&3.into(), &1.into(), &1.into())
    );
    let ended =
        common::program().args(["enrich", &path("in.csv.gz"), "--out", &path("x.xlsx")]).output().unwrap();
    assert!(String::from_utf8_lossy(&ended.stderr).contains("name it .csv"));
}
