//! Layouts of JSON as people's programs write them.
#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use postcode_service::enrich::{Column, Format, MAX_ROW, Plan};

use crate::enrich_files::{out, parts, run};

fn json(columns: &str) -> Plan {
    Plan::new(Format::Json, Column::list(columns).unwrap())
}

fn named(postcode: &str) -> Plan {
    Plan { postcode: Some(postcode.to_owned()), ..json("outcode") }
}

#[tokio::test]
async fn array_within_an_object_is_enriched_where_it_is() {
    for (input, expected, path) in [
        (
            "{\"data\":[{\"postcode\":\"M1 1AE\"},{\"postcode\":\"EH1 1YZ\"}]}",
            "{\"data\":[{\"postcode\":\"M1 1AE\",\"outcode\":\"M1\"},{\"postcode\":\"EH1 1YZ\",\"outcode\":\"EH1\"}]}",
            "data",
        ),
        (
            "\u{feff} {\"ok\": true, \"meta\": {\"page\": [1]},\n \"results\": [\n{\"zip\": \"M1 1AE\"} ], \"n\": \"]}\"\n}\n",
            "\u{feff} {\"ok\": true, \"meta\": {\"page\": [1]},\n \"results\": [\n{\"zip\": \"M1 1AE\",\"outcode\":\"M1\"} ], \"n\": \"]}\"\n}\n",
            "results",
        ),
        (
            "{\"hits\":{\"total\":1,\"hits\":[{\"home\":\"M1 1AE\"}],\"max\":null},\"took\":3}",
            "{\"hits\":{\"total\":1,\"hits\":[{\"home\":\"M1 1AE\",\"outcode\":\"M1\"}],\"max\":null},\"took\":3}",
            "hits.hits",
        ),
    ] {
        let (found, _, notes) = run(input.as_bytes(), json("outcode")).await.unwrap();
        assert_eq!(String::from_utf8(found).unwrap(), expected);
        assert!(notes.starts_with(&format!("the rows are the objects in \"{path}\"")), "{notes}");
    }
    // What stands before the rows may be larger than what the layout is guessed by.
    let head = "x".repeat(100_000);
    let (found, counts, _) =
        run(format!("{{\"a\":\"{head}\",\"rows\":[{{\"zip\":\"M1 1AE\"}}]}}").as_bytes(), json("outcode"))
            .await
            .unwrap();
    assert!(found.ends_with(b"[{\"zip\":\"M1 1AE\",\"outcode\":\"M1\"}]}") && counts.live == 1);
    let rows = "{\"zip\":\"M1 1AE\"},".repeat(5_000);
    let many = format!("{{\"rows\":[{rows}{{}}],\"n\":5000}}");
    let found = parts(many.as_bytes(), 50_000, json("outcode")).await.unwrap();
    assert_eq!(found.iter().map(|part| part.counts.live).sum::<u64>(), 5_000);
}

#[tokio::test]
async fn object_with_a_postcode_of_its_own_is_one_row() {
    for (input, plan, expected) in [
        (
            "{\"postcode\":\"M1 1AE\",\"orders\":[{\"id\":1}]}",
            json("outcode"),
            "{\"postcode\":\"M1 1AE\",\"orders\":[{\"id\":1}],\"outcode\":\"M1\"}",
        ),
        (
            "{\"home\":{\"code\":\"M1 1AE\"},\"orders\":[{\"id\":1}]}",
            json("outcode"),
            "{\"home\":{\"code\":\"M1 1AE\"},\"orders\":[{\"id\":1}],\"outcode\":\"M1\"}",
        ),
        (
            "{\"to\":[{\"zip\":\"M1 1AE\"}]}",
            named("to.0.zip"),
            "{\"to\":[{\"zip\":\"M1 1AE\"}],\"outcode\":\"M1\"}",
        ),
        (
            "{\"items\":[{}],\"zip\":\"M1 1AE\"}\n{\"zip\":\"EH1 1YZ\"}",
            json("outcode"),
            "{\"items\":[{}],\"zip\":\"M1 1AE\",\"outcode\":\"M1\"}\n{\"zip\":\"EH1 1YZ\",\"outcode\":\"EH1\"}",
        ),
        (
            "{\"address\":{\"postcode\":\"M1 1AE\"}}",
            json("outcode"),
            "{\"address\":{\"postcode\":\"M1 1AE\"},\"outcode\":\"M1\"}",
        ),
    ] {
        assert_eq!(out(input.as_bytes(), plan).await, expected);
    }
}

#[tokio::test]
async fn several_arrays_are_refused_with_their_names() {
    let error =
        run(b"{\"errors\":[{\"x\":1}],\"data\":[{\"zip\":\"M1 1AE\"}]}", json("outcode")).await.unwrap_err();
    assert_eq!(
        error,
        "the file has several arrays of objects: \"errors\", \"data\". Take one out first, for example: jq .errors FILE"
    );
    let rows = "{\"zip\":\"M1 1AE\"},".repeat(6_000);
    let late = format!("{{\"data\":[{rows}{{}}],\n\"b\":{{\"errors\":[{{}}]}}}}");
    let error = parts(late.as_bytes(), 50_000, json("outcode")).await.unwrap_err();
    assert!(error.starts_with("line 1: another array of objects follows the rows, \"b.errors\""), "{error}");
    let cut = run(b"{\"data\":[{\"zip\":\"M1 1AE\"}]", json("outcode")).await.unwrap_err();
    assert!(cut.contains("is the file cut off?"), "{cut}");
    let cut = run(b"{\"data\":[{\"zip\":\"M1 1AE\"},", json("outcode")).await.unwrap_err();
    assert!(cut.contains("is the file cut off?"), "{cut}");
}

#[tokio::test]
async fn layout_split_of_pandas_gets_names_and_values() {
    let split =
        "{\"columns\":[\"n\",\"postcode\"],\"index\":[0,1],\"data\":[[1,\"M1 1AE\"],[NaN,\"EH1 1YZ\"]]}";
    let (found, counts, notes) = run(split.as_bytes(), json("outcode,quality")).await.unwrap();
    assert_eq!(
        String::from_utf8(found).unwrap(),
        "{\"columns\":[\"n\",\"postcode\",\"outcode\",\"quality\"],\"index\":[0,1],\
         \"data\":[[1,\"M1 1AE\",\"M1\",1],[null,\"EH1 1YZ\",\"EH1\",1]]}"
    );
    assert_eq!(
        (counts.live, notes.as_str()),
        (2, "the layout is pandas' split: the postcodes are in the column \"postcode\"")
    );
    let home = split.replace("\"postcode\"", "\"home\"");
    assert!(out(home.as_bytes(), json("outcode")).await.contains("\"EH1 1YZ\",\"EH1\"]"));
    assert!(out(split.as_bytes(), named("postcode")).await.contains("\"EH1 1YZ\",\"EH1\"]"));
    let short = split.replace("[1,\"M1 1AE\"]", "[\"M1 1AE\"]");
    let error = run(short.as_bytes(), json("outcode")).await.unwrap_err();
    assert!(error.contains("line 1: a row of 1 values, and there are 2 columns"), "{error}");
    let taken = run(split.replace("\"n\"", "\"outcode\"").as_bytes(), json("outcode")).await.unwrap_err();
    assert!(taken.contains("there is a column \"outcode\" already"), "{taken}");
}

#[tokio::test]
async fn layout_table_of_pandas_gets_fields_and_values() {
    let table = "{\"schema\":{\"fields\":[{\"name\":\"index\",\"type\":\"integer\"},{\"name\":\"postcode\",\"type\":\"string\"}],\
                 \"primaryKey\":[\"index\"],\"pandas_version\":\"1.4.0\"},\"data\":[{\"index\":0,\"postcode\":\"M1 1AE\"}]}";
    assert_eq!(
        out(table.as_bytes(), json("outcode,quality")).await,
        "{\"schema\":{\"fields\":[{\"name\":\"index\",\"type\":\"integer\"},{\"name\":\"postcode\",\"type\":\"string\"},\
         {\"name\":\"outcode\",\"type\":\"string\"},{\"name\":\"quality\",\"type\":\"number\"}],\
         \"primaryKey\":[\"index\"],\"pandas_version\":\"1.4.0\"},\
         \"data\":[{\"index\":0,\"postcode\":\"M1 1AE\",\"outcode\":\"M1\",\"quality\":1}]}"
    );
}

#[tokio::test]
async fn layout_by_columns_is_refused_with_the_command_that_converts_it() {
    let long: String = (0..20_000).map(|n| format!("\"{n}\":\"Ada\",")).collect();
    for input in [
        "{\"n\":{\"0\":1,\"1\":2},\"postcode\":{\"0\":\"M1 1AE\",\"1\":\"EH1 1YZ\"}}".to_owned(),
        "{\"n\":{\"a\":1,\"b\":2},\"postcode\":{\"a\":\"M1 1AE\",\"b\":\"EH1 1YZ\"}}".to_owned(),
        "{\"0\":{\"n\":1,\"postcode\":\"M1 1AE\"},\"1\":{\"n\":2,\"postcode\":\"EH1 1YZ\"}}".to_owned(),
        format!("{{\"n\":{{{long}\"x\":1}},\"postcode\":{{\"0\":\"M1 1AE\"}}}}"),
    ] {
        let error = run(input.as_bytes(), json("outcode")).await.unwrap_err();
        assert!(
            error.contains(
                "pandas.read_json(\"FILE\", dtype=False).to_json(\"rows.json\", orient=\"records\")"
            ),
            "{error}"
        );
    }
    let late =
        format!("{{\"columns\":[\"zip\"],\"index\":[{}0],\"data\":[[\"M1 1AE\"]]}}", "0,".repeat(MAX_ROW));
    let error = parts(late.as_bytes(), 100_000, json("outcode")).await.unwrap_err();
    assert!(error.starts_with("no array of rows begins within the first 1048576 bytes"), "{error}");
}

#[tokio::test]
async fn numbers_that_json_does_not_have_are_null() {
    let rows = "{\"zip\":\"M1 1AE\",\"a\":NaN,\"b\":-Infinity,\"c\":\"NaN\"}";
    let mended = "{\"zip\":\"M1 1AE\",\"a\":null,\"b\":null,\"c\":\"NaN\",\"outcode\":\"M1\"}";
    let lines = Plan::new(Format::Ndjson, Column::list("outcode").unwrap());
    let said = "NaN and Infinity, which are not JSON, are read and written as null";
    for (input, plan, expected) in [
        (
            format!("{rows}\n{{\"zip\":NaN}}\n"),
            lines,
            format!("{mended}\n{{\"zip\":null,\"outcode\":null}}\n"),
        ),
        (format!("[{rows},\n{{}}]"), json("outcode"), format!("[{mended},\n{{\"outcode\":null}}]")),
    ] {
        let (found, counts, notes) = run(input.as_bytes(), plan).await.unwrap();
        assert_eq!(String::from_utf8(found).unwrap(), expected);
        assert_eq!((counts.live, counts.blank, notes.as_str()), (1, 1, said));
    }
}
