//! The results of jobs equal those of `/enrich` and of the bulk route.

use std::sync::Arc;

use axum::body::Body;
use http::Method;

use crate::jobs::common::{post, small};
use crate::jobs::database::{Bench, Database, id};

on_both! {
    csv_is_what_enrich_gives
    result_says_its_encoding
    lines_of_json_are_what_enrich_gives
    postcodes_are_what_bulk_gives
    a_result_is_read_in_ranges
    nothing_in_nothing_out
    job_over_data_that_has_lost_a_column_fails_and_says_why
}

/// Builds rows of several parts: valid and invalid postcodes, quotes over several lines, empty
/// lines, too few fields, bytes that are not UTF-8, no line ending at the end.
fn rows(count: usize) -> Vec<u8> {
    let mut rows = b"\xef\xbb\xbfid;\"post\"\"code\";Postcode;note\r\n".to_vec();
    for n in 0..count {
        let row = match n % 7 {
            0 => format!("{n};x;SW1A 1AA;\"two\nlines; and \"\"quotes\"\"\"\n"),
            1 => format!("{n};x;m11ad\n"),
            2 => format!("{n};x;AB1 0AA;gone\r\n"),
            3 => "\n".to_owned(),
            4 => format!("{n};x;no postcode;{}\n", "é".repeat(n % 40)),
            5 => format!("{n};x;ZZ99 9ZZ;\n"),
            _ => format!("{n};x;EH1 1YZ;x\n"),
        };
        rows.extend_from_slice(row.as_bytes());
    }
    rows.extend_from_slice(b"last;x;GIR 0AA;\xff");
    rows
}

async fn csv_is_what_enrich_gives(database: Database) {
    let mut bench = Bench::new(database).await;
    bench.work(2);
    let rows = rows(9_000);
    let query = "?columns=status,codes.admin_district,latitude,error&prefix=pc_";
    let due = post(&bench.api, &format!("/enrich{query}"), "text/csv", rows.clone()).await;
    assert_eq!(due.status, 200, "{}", String::from_utf8_lossy(&due.body));
    let id = bench.csv(query, &[], rows).await;
    let job = bench.ended(&id).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    assert_eq!((&job["done"], &job["total"]), (&7_715.into(), &7_715.into()), "without empty lines");
    let result = bench.get(&format!("/jobs/{id}/result")).await;
    assert_eq!(result.header("content-type"), "text/csv; charset=utf-8");
    assert!(result.body == due.body, "the bytes differ");
    bench.end().await;
}

async fn result_says_its_encoding(database: Database) {
    let mut bench = Bench::new(database).await;
    bench.work(1);
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    for (rows, charset, due) in [
        (
            b"a,postcode\n\xe9,M1 1AE\n".to_vec(),
            "windows-1252",
            b"a,postcode,outcode\n\xe9,M1 1AE,M1\n".to_vec(),
        ),
        (wide("a,postcode\nb,M1 1AE\n"), "utf-16le", wide("a,postcode,outcode\nb,M1 1AE,M1\n")),
    ] {
        let id = bench.csv("?columns=outcode", &[], rows).await;
        assert_eq!(bench.ended(&id).await["state"], "succeeded");
        let result = bench.get(&format!("/jobs/{id}/result")).await;
        assert_eq!(result.header("content-type"), format!("text/csv; charset={charset}"));
        assert_eq!(&*result.body, &*due);
    }
    bench.end().await;
}

async fn job_over_data_that_has_lost_a_column_fails_and_says_why(database: Database) {
    let mut bench = Bench::new(database).await;
    let strict = bench.csv("?columns=status,region", &[], "postcode\nAB10 1AB\n").await;
    let easy = bench.csv("?columns=status,region&allow_empty=true", &[], "postcode\nAB10 1AB\n").await;
    bench.work_by(1, Arc::new(small()));
    let job = bench.ended(&strict).await;
    assert_eq!(job["state"], "failed", "{job}");
    let reason = job["reason"].as_str().unwrap();
    assert!(reason.contains("region (import ONSPD or NSPL)"), "{reason}");
    assert_eq!(bench.ended(&easy).await["state"], "succeeded");
    let result = bench.get(&format!("/jobs/{easy}/result")).await;
    assert_eq!(result.body, b"postcode,status,region\nAB10 1AB,live,\n");
    bench.end().await;
}

async fn lines_of_json_are_what_enrich_gives(database: Database) {
    let mut bench = Bench::new(database).await;
    bench.work(1);
    let mut lines = String::new();
    for n in 0..4_500 {
        lines += &match n % 3 {
            0 => format!("{{\"id\":{n},\"postcode\":\"SW1A 1AA\"}}\n"),
            1 => format!("  {{ \"pcd\": \"M1 1AE\" , \"n\": [{n}] }} \r\n"),
            _ => "{\"postcode\":null}\n\n".to_owned(),
        };
    }
    let due = post(&bench.api, "/enrich", "application/x-ndjson", lines.clone()).await;
    let headers = [("content-type", "application/x-ndjson")];
    let id = id(&bench.ask(Method::POST, "/jobs", &headers, lines).await);
    bench.ended(&id).await;
    assert!(bench.get(&format!("/jobs/{id}/result")).await.body == due.body, "the bytes differ");
    bench.end().await;
}

async fn postcodes_are_what_bulk_gives(database: Database) {
    let mut bench = Bench::new(database).await;
    bench.work(1);
    let texts = ["SW1A 1AA", "M1 1AE", "nothing", "", "AB1 0AA", "ZZ9 9ZZ", "SW1A 1AA", "é\"\\"];
    let body = serde_json::json!({ "postcodes": texts }).to_string();
    for query in ["", "?extended=true", "?filter=postcode,latitude", "?extended=true&filter=postcode,codes"] {
        let bulk = post(&bench.api, &format!("/postcodes{query}"), "application/json", body.clone()).await;
        let bulk = bulk.json();
        let headers = [("content-type", "application/json")];
        let id = id(&bench.ask(Method::POST, &format!("/jobs{query}"), &headers, body.clone()).await);
        bench.ended(&id).await;
        let result = bench.get(&format!("/jobs/{id}/result")).await;
        let lines = String::from_utf8(result.body).unwrap();
        let due = bulk["result"].as_array().unwrap();
        assert_eq!(lines.lines().count(), due.len());
        for (line, due) in lines.lines().zip(due) {
            assert_eq!(line, due.to_string(), "{query}");
        }
    }
    bench.end().await;
}

async fn a_result_is_read_in_ranges(database: Database) {
    let mut bench = Bench::new(database).await;
    bench.work(2);
    let id = bench.csv("", &[], Body::from(rows(5_000))).await;
    bench.ended(&id).await;
    let path = format!("/jobs/{id}/result");
    let whole = bench.get(&path).await;
    let etag = whole.header("etag").to_owned();
    let len = whole.body.len();
    let mut put_together = Vec::new();
    // As by a client whose connection breaks again and again.
    while put_together.len() < len {
        let range = format!("bytes={}-{}", put_together.len(), put_together.len() + 99_999);
        let part = bench.ask(Method::GET, &path, &[("range", &range), ("if-range", &etag)], "").await;
        assert_eq!(part.status, 206);
        let end = (put_together.len() + part.body.len()).saturating_sub(1);
        assert_eq!(part.header("content-range"), format!("bytes {}-{end}/{len}", put_together.len()));
        put_together.extend(part.body);
    }
    assert!(put_together == whole.body, "the bytes differ");
    let last = bench.ask(Method::GET, &path, &[("range", "bytes=-3")], "").await;
    assert_eq!(last.body, whole.body[len - 3..]);
    let none = bench.ask(Method::GET, &path, &[("range", &format!("bytes={len}-"))], "").await;
    assert_eq!((none.status.as_u16(), none.header("content-range")), (416, &*format!("bytes */{len}")));
    let other = bench.ask(Method::GET, &path, &[("range", "bytes=0-1"), ("if-range", "\"x\"")], "").await;
    assert_eq!((other.status.as_u16(), other.body.len()), (200, len));
    let known = bench.ask(Method::GET, &path, &[("if-none-match", &etag)], "").await;
    assert_eq!(known.status, 304);
    let head = bench.ask(Method::HEAD, &path, &[], "").await;
    assert_eq!((head.header("content-length"), head.body.len()), (&*len.to_string(), 0));
    bench.end().await;
}

async fn nothing_in_nothing_out(database: Database) {
    let mut bench = Bench::new(database).await;
    bench.work(1);
    let headers = [("content-type", "application/json")];
    let empty = id(&bench.ask(Method::POST, "/jobs", &headers, "{\"postcodes\":[]}").await);
    assert_eq!(bench.ended(&empty).await["state"], "succeeded");
    assert_eq!(bench.get(&format!("/jobs/{empty}/result")).await.body, b"");
    let header = bench.csv("?columns=status", &[], "postcode\n").await;
    assert_eq!(bench.ended(&header).await["total"], 0);
    assert_eq!(bench.get(&format!("/jobs/{header}/result")).await.body, b"postcode,status\n");
    bench.end().await;
}
