//! `compare`: the cost of each mode.
#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use serde_json::Value;

use crate::program::program;

fn ran(arguments: &[&str]) -> (i32, String, String) {
    let output = program().arg("compare").args(arguments).spawn().unwrap().wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn compare_without_sources_measures_library_and_service_with_ratios_to_the_library() {
    let (status, out, error) = ran(&["--time", "100ms", "--core-hour", "3.6", "--json"]);
    assert_eq!((status, error.as_str()), (0, ""), "{out}");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (machine, rows) = lines.split_first().unwrap();
    // Fewer are drawn on a machine that is busy with something else.
    assert!((1..=20_000).contains(&machine["postcodes"].as_u64().unwrap()), "{machine}");
    let named: Vec<(&str, &str)> =
        rows.iter().map(|row| (row["work"].as_str().unwrap(), row["source"].as_str().unwrap())).collect();
    let sources = ["embedded:", "service, Unix socket", "service, TCP"];
    let works = ["lookup", "batch of 100", "nearest 10 in 2 km", "autocomplete, 10 of a sector"];
    let expected: Vec<_> = works.iter().flat_map(|work| sources.map(|source| (*work, source))).collect();
    assert_eq!(named, expected);
    for row in rows {
        let number = |name: &str| row[name].as_f64().unwrap_or_else(|| unreachable!("{name}: {row}"));
        let remote = row["source"] != "embedded:";
        assert!(number("calls") >= 1.0 && number("p50_us") <= number("p99_us"), "{row}");
        assert_eq!(row["service_cpu_us"].is_null(), !remote, "{row}");
        assert_eq!(row["service_memory_bytes"].is_null(), !remote, "{row}");
        assert!(number("caller_memory_bytes") > 1e6, "{row}");
        // At 3.6 an hour a second costs a thousandth.
        assert!((number("money_a_million") - number("cpu_seconds_a_million") / 1e3).abs() < 1e-9, "{row}");
        if !remote {
            assert_eq!((number("p50_ratio"), number("p99_ratio")), (1.0, 1.0), "{row}");
        }
    }
    // Not a matter of the machine: a system call takes longer than a function call.
    assert!(rows[1]["p50_ratio"].as_f64().unwrap() > 1.0, "{out}");
}

#[test]
fn compare_writes_a_table_and_csv_and_refuses_what_it_can_not_measure() {
    let folder = tempfile::tempdir().unwrap();
    let file = crate::program::dataset(&folder.path().join("one.postcodes"), "2025-11");
    let (status, _, error) = ran(&["--source", &file, "--time", "10ms"]);
    assert!(status == 2 && error.contains("no postcodes with a location"), "{status} {error}");
    let (status, out, error) = ran(&["--source", "embedded:", "--time", "10ms"]);
    assert_eq!((status, error.as_str()), (0, ""), "{out}");
    assert!(
        out.starts_with("work ") && out.contains("memory_a_month") && out.contains(" postcodes, 10ms a cell"),
        "{out}"
    );
    let (status, out, _) = ran(&["--source", "embedded:", "--time", "10ms", "--csv"]);
    assert!(status == 0 && out.lines().count() == 5 && out.starts_with("work,source,p50_us,"), "{out}");
    assert_eq!(ran(&["--source", "http://127.0.0.1:1?retries=0"]).0, 2);
    assert_eq!(ran(&["--time", "2h"]).0, 2);
}
