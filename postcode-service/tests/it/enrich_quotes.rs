//! Quotes in CSV as people's programs write them, and headers without a cell for the names of rows.
#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use http::Request;
use postcode_service::enrich::Plan;
use postcode_tables::Quoting;

use crate::common::{api_over, send};
use crate::enrich_files::{csv, out, parts, run};

fn quoted(quoting: Quoting) -> Plan {
    Plan { quoting: Some(quoting), ..csv("outcode") }
}

#[tokio::test]
async fn stray_quote_is_refused_with_the_line_on_which_it_opens() {
    let table = b"id,name,postcode\n1,\"A\nB\",M1 1AE\n2,\"Ada,SW1A 1AA\n3,Bob,M1 1AE\n";
    let error = run(table, csv("outcode")).await.unwrap_err();
    assert!(
        error.starts_with("line 4: a quote opens here and is not closed to the end of the file."),
        "{error}"
    );
    assert!(error.ends_with("(--quote none, over HTTP quote=none)"), "{error}");
    // In the third cell of a row that begins above it.
    let error = run(b"postcode,a,b\nM1 1AE,\"x\ny\",\"z\nM1 1AE,1,2\n", csv("outcode")).await.unwrap_err();
    assert!(error.starts_with("line 3: a quote opens here"), "{error}");
    let long = [table, "4,x,EH1 1YZ\n".repeat(100_000).as_bytes()].concat();
    let error = parts(&long, 60_000, csv("outcode")).await.unwrap_err();
    assert!(
        error.starts_with("line 4: a quote opens here, and is not closed within the 1048576 bytes"),
        "{error}"
    );
    assert_eq!(
        out(b"id,name,postcode\n2,\"Ada,SW1A 1AA\n3,5\" nail,M1 1AE\n", quoted(Quoting::None)).await,
        "id,name,postcode,outcode\n2,\"Ada,SW1A 1AA,SW1A\n3,5\" nail,M1 1AE,M1\n"
    );
}

#[tokio::test]
async fn rows_that_a_stray_quote_swallows_are_not_lost() {
    let table = b"id,name,postcode\n1,\"Ada,SW1A 1AA\n2,Bob,M1 1AE\n3,Cy 5\",EH1 1YZ\n4,Di,M1 1AE\n";
    let error = run(table, csv("outcode")).await.unwrap_err();
    assert!(
        error.starts_with("line 2: a cell in quotes goes on for 3 lines, which look like rows."),
        "{error}"
    );
    let aside = Plan { set_aside: true, ..csv("outcode") };
    let found = parts(table, 9, aside).await.unwrap();
    assert_eq!(found[0].bytes, "id,name,postcode,outcode\n4,Di,M1 1AE,M1\n");
    assert_eq!((found[0].aside[0].line, found[0].aside.len()), (2, 1));
    assert!(out(table, quoted(Quoting::None)).await.contains("\n2,Bob,M1 1AE,M1\n"));
}

#[tokio::test]
async fn added_value_keeps_its_cell_however_quotes_are_written() {
    let row = "n,postcode\n\"a \\\"b\\\", c\",HU1 1AA\n";
    let written = |plan: Plan| Plan { columns: csv("admin_district").columns, ..plan };
    let found = out(row.as_bytes(), written(csv("outcode"))).await;
    assert_eq!(
        found,
        "n,postcode,admin_district\n\"a \\\"b\\\", c\",HU1 1AA,\"Kingston upon Hull, City of\"\n"
    );
    let found = out(b"n,postcode\na\",HU1 1AA\n", written(quoted(Quoting::None))).await;
    assert_eq!(found, "n,postcode,admin_district\na\",HU1 1AA,Kingston upon Hull  City of\n");
    let found = out(b"n,postcode\n\"a \\\"b\\\"\",NaN\n", csv("error")).await;
    assert!(found.ends_with(",NaN,\"\\\"NaN\\\" stands for a missing value\"\n"), "{found}");
}

#[tokio::test]
async fn quotes_with_backslashes_are_found_and_told() {
    let table = "n,postcode\n\"Ada \\\"x\\\", B\",M1 1AE\n\"say \\\"\n\\\"\",EH1 1YZ\nC:\\,M1 1AE\n";
    let (found, counts, notes) = run(table.as_bytes(), csv("outcode")).await.unwrap();
    assert_eq!(
        String::from_utf8(found).unwrap(),
        "n,postcode,outcode\n\"Ada \\\"x\\\", B\",M1 1AE,M1\n\"say \\\"\n\\\"\",EH1 1YZ,EH1\nC:\\,M1 1AE,M1\n"
    );
    assert_eq!(counts.live, 3);
    assert!(notes.starts_with("quotes within cells have a backslash before them"), "{notes}");
    // A cell that ends with a backslash, in a file that doubles its quotes.
    let table = "n,postcode\n\"C:\\\",M1 1AE\n\"say \"\"x\"\"\",EH1 1YZ\n";
    let (_, counts, notes) = run(table.as_bytes(), csv("outcode")).await.unwrap();
    assert_eq!((counts.live, notes.as_str()), (2, ""));
}

#[tokio::test]
async fn header_of_r_gets_a_heading_for_the_names_of_rows() {
    for (table, expected) in [
        (
            "\"n\",\"postcode\"\n\"1\",\"Ada\",\"M1 1AE\"\n\"2\",\"Bob\",\"EH1 1YZ\"\n",
            "\"\",\"n\",\"postcode\",outcode\n\"1\",\"Ada\",\"M1 1AE\",M1\n\"2\",\"Bob\",\"EH1 1YZ\",EH1\n",
        ),
        (
            "\"n\" \"home\"\n\"1\" \"Ada\" \"M1 1AE\"\n\"2\" NA \"EH1 1YZ\"\n",
            "\"\" \"n\" \"home\" outcode\n\"1\" \"Ada\" \"M1 1AE\" M1\n\"2\" NA \"EH1 1YZ\" EH1\n",
        ),
        (
            "n\tpostcode\nx\tAda\tM1 1AE\ny\tBob\tEH1 1YZ\n",
            "\"\"\tn\tpostcode\toutcode\nx\tAda\tM1 1AE\tM1\ny\tBob\tEH1 1YZ\tEH1\n",
        ),
    ] {
        let (found, counts, notes) = run(table.as_bytes(), csv("outcode")).await.unwrap();
        assert_eq!(String::from_utf8(found).unwrap(), expected);
        assert_eq!(counts.live, 2);
        assert!(notes.contains("each row begins with a name of the row, as R writes it"), "{notes}");
    }
    // With an empty heading there is nothing to mend.
    let table = "\"\",\"n\",\"postcode\"\n\"1\",\"Ada\",\"M1 1AE\"\n";
    let (found, _, notes) = run(table.as_bytes(), csv("outcode")).await.unwrap();
    assert!(found.starts_with(b"\"\",\"n\",\"postcode\",outcode\n") && notes.is_empty(), "{notes}");
    let comma = run(b"name,address,postcode\nAda,1 The Mall, London,SW1A 1AA\n", csv("outcode")).await;
    assert!(comma.unwrap_err().contains("line 2: 4 fields, and the header has 3"));
}

#[tokio::test]
async fn quote_is_a_parameter_over_http() {
    let api = api_over(std::sync::Arc::new(postcode_core::Local::embedded().unwrap())).await;
    let post = async |query: &str| {
        let request = Request::post(format!("/enrich?columns=outcode{query}"))
            .header("content-type", "text/csv")
            .body(axum::body::Body::from("n,postcode\n\"Ada,M1 1AE\n"));
        send(&api, request.unwrap()).await
    };
    assert_eq!(post("").await.status.as_u16(), 422);
    assert_eq!(&*post("&quote=none").await.body, b"n,postcode,outcode\n\"Ada,M1 1AE,M1\n");
    let wrong = post("&quote=single").await;
    assert_eq!(wrong.status.as_u16(), 400);
    assert!(String::from_utf8_lossy(&wrong.body).contains("Give double, backslash or none"));
}
