//! Files whose first line is not the line of headings: files without one, titles above it, and what stands below the table.
#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use http::{Method, Request};
use postcode_service::enrich::Plan;
use postcode_testing::{gzip, workbook, zipped};

use crate::common::{self, api_over, send};
use crate::enrich_files::{csv, out, parts, run};
use crate::jobs::database::{Bench, Database};

fn without() -> Plan {
    Plan { no_header: true, ..csv("outcode") }
}

#[tokio::test]
async fn columns_without_headings_are_called_by_their_numbers() {
    for (table, expected) in [
        ("Ada,M1 1AE\nBob,EH1 1YZ\n", "Ada,M1 1AE,M1\nBob,EH1 1YZ,EH1\n"),
        (
            "\u{feff}1;;x\r\n2;M1 1AE;y\r\n3;EH1 1YZ\r\n",
            "\u{feff}1;;x;\r\n2;M1 1AE;y;M1\r\n3;EH1 1YZ;;EH1\r\n",
        ),
        (
            "sep=;\nM1 1AE;1;;\nM1 1AE;2;;\nM1 1AE;3;;;\n",
            "sep=;\nM1 1AE;1;;;M1\nM1 1AE;2;;;M1\nM1 1AE;3;;;M1\n",
        ),
        ("\n\n1\tM1 1AE\n", "\n\n1\tM1 1AE\tM1\n"),
        ("M1 1AE", "M1 1AE,M1"),
    ] {
        assert_eq!(out(table.as_bytes(), without()).await, expected);
    }
    let (_, counts, notes) = run(b"Ada,M1 1AE\nBob,EH1 1YZ\n", without()).await.unwrap();
    assert_eq!(counts.live, 2);
    assert_eq!(
        notes,
        "the columns are called 1 to 2, and no header is written; the postcodes are in the column \"2\", by what stands \
         there"
    );
    // By its number, and what is wrong with it.
    let named = |number: &str| Plan { postcode: Some(number.to_owned()), ..without() };
    let table = b"M1 1AE,EH1 1YZ\nM1 1AE,EH1 1YZ\n";
    assert_eq!(out(table, named("2")).await, "M1 1AE,EH1 1YZ,EH1\nM1 1AE,EH1 1YZ,EH1\n");
    assert_eq!(run(table, named("3")).await.unwrap_err(), "there is no column \"3\", only \"1\", \"2\"");
    assert!(run(table, without()).await.unwrap_err().contains("Several hold postcodes: \"1\", \"2\""));
    let ragged = b"1,M1 1AE\n2,M1 1AE,x\n3,M1 1AE\n";
    let error = run(ragged, without()).await.unwrap_err();
    assert_eq!(error, "line 2: 3 fields, and most of the first rows have 2: quote what holds a delimiter");
    let aside = Plan { set_aside: true, ..without() };
    assert_eq!(parts(ragged, 9, aside).await.unwrap()[0].bytes, "1,M1 1AE,M1\n3,M1 1AE,M1\n");
    assert!(run(b"", without()).await.unwrap_err().starts_with("the file is empty"));
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    assert_eq!(
        run(&wide("\u{feff}a\tM1 1AE\r\n"), without()).await.unwrap().0,
        wide("\u{feff}a\tM1 1AE\tM1\r\n")
    );
    let sheet = workbook(&[vec!["Ada", "M1 1AE"], vec!["Bob", "EH1 1YZ"]]);
    assert_eq!(out(&sheet, without()).await, "Ada,M1 1AE,M1\r\nBob,EH1 1YZ,EH1\r\n");
}

#[tokio::test]
async fn first_row_longer_than_the_sample_is_read() {
    let note = "x".repeat(100_000);
    let table = format!("{note},M1 1AE\n{note},EH1 1YZ\n");
    let named = Plan { postcode: Some("2".to_owned()), ..without() };
    let found = parts(table.as_bytes(), 30_000, named).await.unwrap();
    let bytes: Vec<u8> = found.iter().flat_map(|part| part.bytes.to_vec()).collect();
    assert_eq!(String::from_utf8(bytes).unwrap(), format!("{note},M1 1AE,M1\n{note},EH1 1YZ,EH1\n"));
}

#[tokio::test]
async fn headings_that_may_be_a_row_and_rows_that_may_be_headings_are_told() {
    let error = run(b"Ada,M1 1AE\nBob,EH1 1YZ\n", csv("outcode")).await.unwrap_err();
    assert_eq!(
        error,
        "the first line holds the postcode \"M1 1AE\": it seems to be a row and not the names of the columns. Read it as \
         one (--no-header, over HTTP header=none), or add a line of names"
    );
    let named = Plan { postcode: Some("2".to_owned()), ..csv("outcode") };
    let error = run(b"Ada,M1 1AE\nBob,EH1 1YZ\n", named).await.unwrap_err();
    assert!(error.contains("there is no column \"2\"") && error.contains("only with --no-header"), "{error}");
    let note = "if it is a row, add --no-header (over HTTP header=none)";
    // The first row of the price paid data may be without a postcode.
    for table in [
        "{B3E5},250000,2024-05-31,,T,HIGH STREET\n{B3E6},90000,2024-05-31,M1 1AE,T,HIGH STREET\n",
        "1,2024-05-31,07700900123,nonsense\n2,2024-05-31,07700900123,M1 1AE\n3,,,M1 1AE\n4,,,M1 1AE\n5,,,M1 1AE\n",
    ] {
        let (_, _, notes) = run(table.as_bytes(), csv("outcode")).await.unwrap();
        assert!(notes.ends_with(note), "{notes}");
        let (_, counts, notes) = run(table.as_bytes(), without()).await.unwrap();
        assert_eq!(counts.rows(), table.lines().count() as u64);
        assert!(!notes.contains(note), "{notes}");
    }
    for table in ["n,home\n1,M1 1AE\n", ",home,2024\n0,M1 1AE,7\n", "n,,p\n1,M1 1AE,2\n"] {
        let (_, _, notes) = run(table.as_bytes(), csv("outcode")).await.unwrap();
        assert!(!notes.contains("--no-header"), "{table}: {notes}");
    }
    let table = format!("n,Post Code\n{}", "1,M1 1AE\n".repeat(4));
    let (found, counts, notes) = run(table.as_bytes(), without()).await.unwrap();
    assert!(found.starts_with(b"n,Post Code,\n1,M1 1AE,M1\n") && counts.rows() == 5, "{counts}");
    assert!(notes.contains("the first row has \"Post Code\" where postcodes stand"), "{notes}");
}

#[tokio::test]
async fn titles_comments_and_headings_in_two_lines_are_kept_above_the_table() {
    for (table, expected) in [
        // Without a usual name the postcodes below tell.
        (
            "Members 2024,,\n\nn,home,town\n1,,x\n2,M1 1AE,Leeds\n",
            "Members 2024,,\n\nn,home,town,outcode\n1,,x,\n2,M1 1AE,Leeds,M1\n",
        ),
        (
            "Table 1: homes [note 1]\nThis worksheet contains one table.\nhome [note 2];n\nM1 1AE;1\n",
            "Table 1: homes [note 1]\nThis worksheet contains one table.\nhome [note 2];n;outcode\nM1 1AE;1;M1\n",
        ),
        (
            "# made by x, y, z, on 1 May\n# n, postcode, m\nn,postcode\n1,M1 1AE\n",
            "# made by x, y, z, on 1 May\n# n, postcode, m\nn,postcode,outcode\n1,M1 1AE,M1\n",
        ),
        (
            "Person,,Home,,Work,\nn,age,street,Postcode,street,town\n1,30,x,M1 1AE,y,Leeds\n",
            "Person,,Home,,Work,\nn,age,street,Postcode,street,town,outcode\n1,30,x,M1 1AE,y,Leeds,M1\n",
        ),
        (
            ",,Sales,,2023,,2024\nref,site,region,where,Q1,Q2,Q1\n1,A,N,M1 1AE,5,6,7\n",
            ",,Sales,,2023,,2024\nref,site,region,where,Q1,Q2,Q1,outcode\n1,A,N,M1 1AE,5,6,7,M1\n",
        ),
    ] {
        assert_eq!(out(table.as_bytes(), csv("outcode")).await, expected);
    }
    let (_, _, notes) = run(b"List,,\nn,home,m\n1,M1 1AE,2\n", csv("outcode")).await.unwrap();
    assert_eq!(
        notes,
        "the names of the columns are in line 2: what stands above is kept as it is; the postcodes are in the column \
         \"home\", by what stands there"
    );
    // An index has no heading, and the first row no postcode: that is not a title.
    let table = ",home\n0,x\n1,M1 1AE\n2,M1 1AE\n3,M1 1AE\n4,M1 1AE\n";
    assert!(out(table.as_bytes(), csv("outcode")).await.starts_with(",home,outcode\n0,x,\n1,M1 1AE,M1\n"));
}

#[tokio::test]
async fn totals_and_footnotes_below_the_table_are_told_with_their_line() {
    let note = |line: u64| {
        format!(
            "from line {line} to the end the rows have no postcode and little else: totals or footnotes? They are kept, and \
             count as rows without a postcode"
        )
    };
    let table = "n,postcode,a,b\n1,M1 1AE,1,2\n2,EH1 1YZ,3,4\nTotal,,4,6\n,,,\nSource: the council\n\n";
    let (found, counts, notes) = run(table.as_bytes(), csv("outcode")).await.unwrap();
    assert_eq!(
        String::from_utf8(found).unwrap(),
        "n,postcode,a,b,outcode\n1,M1 1AE,1,2,M1\n2,EH1 1YZ,3,4,EH1\nTotal,,4,6,\n,,,,\nSource: the council,,,,\n\n"
    );
    assert_eq!((counts.live, counts.blank, counts.empty), (2, 2, 1));
    assert_eq!(notes, note(4));
    // In the column of the postcodes.
    let table = b"postcode,n,a,b\nM1 1AE,1,1,2\nCrown copyright 2024,,,\n";
    let (_, counts, notes) = run(table, csv("outcode")).await.unwrap();
    assert_eq!((counts.malformed, notes), (1, note(3)));
    // Nothing is said where rows follow, nor where a batch ends.
    let rows = "1,M1 1AE,1,2\n".repeat(998);
    for (end, said) in [
        ("Total,,4,6\n".to_owned(), note(1_000)),
        ("Total,,4,6\nNote\n".to_owned(), note(1_000)),
        ("1,M1 1AE,1,2\nNote".to_owned(), note(1_001)),
        ("Total,,4,6\n1,M1 1AE,1,2\n".to_owned(), String::new()),
        ("Total,,4,6\n,,,\n1,,1,2\n".to_owned(), String::new()),
    ] {
        let table = format!("n,postcode,a,b\n{rows}{end}");
        for size in [999, usize::MAX] {
            let found = parts(table.as_bytes(), size, csv("outcode")).await.unwrap();
            let notes: Vec<_> = found.into_iter().flat_map(|part| part.notes).collect();
            assert_eq!(notes.join("; "), said, "{end}");
        }
    }
}

#[tokio::test]
async fn names_that_come_again_are_told_once() {
    let table =
        "\u{feff}n,postcode\r\n1,M1 1AE\r\n\u{feff}n,postcode\r\n2,EH1 1YZ\r\nn,postcode\r\n3,M1 1AE\r\n";
    let (_, counts, notes) = run(table.as_bytes(), csv("outcode")).await.unwrap();
    assert_eq!((counts.live, counts.malformed), (3, 2));
    assert_eq!(
        notes,
        "line 3 has the names of the columns again: it is kept, and counts as a row without a postcode"
    );
}

#[tokio::test]
async fn error_about_a_sheet_names_the_others() {
    let cover = workbook(&[vec!["Guide"], vec!["Read the notes"]]);
    let error = run(&cover, csv("outcode")).await.unwrap_err();
    assert!(error.starts_with("which column is the postcode?"), "{error}");
    assert!(error.ends_with("(the sheet \"Kunden\" of a workbook, as CSV)"), "{error}");
    let error = run(&gzip(b"a,b\n1,2\n"), csv("outcode")).await.unwrap_err();
    assert!(error.ends_with("(unpacked (gzip))"), "{error}");
    let error = run(&zipped(&[("t.csv", b"a,b\n1,2\n")]), csv("outcode")).await.unwrap_err();
    assert!(error.ends_with("(unpacked (t.csv of a zip file))"), "{error}");
}

#[tokio::test]
async fn header_is_a_parameter_over_http_and_of_jobs() {
    let mut bench = Bench::new(Database::file().unwrap()).await;
    bench.work(1);
    let api = api_over(postcode_core::Local::embedded().unwrap()).await;
    let post = async |query: &str, body: String| {
        let request =
            Request::post(format!("/enrich?columns=outcode{query}")).header("content-type", "text/csv");
        send(&api, request.body(axum::body::Body::from(body)).unwrap()).await
    };
    // Several parts of a job.
    let table: String = (0..4_500).map(|n| format!("{n},M1 1AE\n")).collect();
    let refused = post("", table.clone()).await;
    assert_eq!(refused.status.as_u16(), 422);
    assert!(String::from_utf8_lossy(&refused.body).contains("header=none"));
    let answer = post("&header=none", table.clone()).await;
    assert!(answer.body == table.replace("M1 1AE", "M1 1AE,M1").into_bytes());
    assert!(answer.header("postcode-notes").contains("the columns are called 1 to 2"));
    let first = post("&header=first", "n,zip\n1,M1 1AE\n".to_owned()).await;
    assert_eq!(first.body, b"n,zip,outcode\n1,M1 1AE,M1\n");
    let wrong = post("&header=2", String::new()).await;
    assert_eq!(wrong.status.as_u16(), 400);
    assert!(String::from_utf8_lossy(&wrong.body).contains("header: \\\"2\\\": not a place of the headings"));

    let job = bench.csv("?columns=outcode&header=none", &[], table).await;
    let ended = bench.ended(&job).await;
    assert_eq!((&ended["state"], &ended["total"]), (&"succeeded".into(), &4_500.into()), "{ended}");
    let result = bench.ask(Method::GET, &format!("/jobs/{job}/result"), &[], "").await;
    assert!(result.body == answer.body, "a job's result is the same");
    bench.end().await;
}

#[test]
fn no_header_is_an_option_of_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("in.csv"), "7,M1 1AE\n8,EH1 1YZ\n").unwrap();
    let run = |more: &[&str]| {
        let ended =
            common::program().args(["enrich", &path("in.csv"), "-c", "outcode"]).args(more).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (ended.status.code(), text(ended.stdout), text(ended.stderr))
    };
    let (code, out, said) = run(&["--no-header"]);
    assert_eq!((code, &*out), (Some(0), "7,M1 1AE,M1\n8,EH1 1YZ,EH1\n"), "{said}");
    assert!(said.contains("2 rows: 2 live"), "{said}");
    let (code, out, said) = run(&[]);
    assert_eq!((code, &*out), (Some(2), ""));
    assert!(said.contains("--no-header"), "{said}");
}
