//! Recorded calls made again by the program.

use std::process::Output;

use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
use serde_json::Value;

use crate::program::program;

fn ran(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        program().arg("replay").args(arguments).spawn().unwrap().wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

const CALLS: &str = r#"{"at_us":5000000,"method":"lookup_one","postcode":"M1 1AE"}
{"at_us":5100000,"method":"lookup","postcodes":["M1 1","M1 1AD","M1 1"]}
{"at_us":5200000,"method":"lookup_one","postcode":"ZE9 9"}
{"at_us":5300000,"method":"autocomplete","text":"M1 1","limit":10}
"#;

#[test]
fn recording_is_replayed_faster_and_answers_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let write = |name: &str, quality: Option<u8>| {
        let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
        for postcode in ["M1 1AD", "M1 1AE", "M1 1AF"] {
            let mut row = Row::live(postcode.parse().unwrap());
            row.quality = quality;
            builder.push(&row).unwrap();
        }
        std::fs::write(path(name), builder.build().unwrap().as_bytes()).unwrap();
        format!("file:{}", path(name))
    };
    let (one, other) = (write("one.postcodes", None), write("other.postcodes", Some(3)));
    let calls = path("calls.jsonl");
    std::fs::write(&calls, CALLS).unwrap();

    let (status, out, error) = ran(&[&calls, &one, "--rate", "100x", "--compare", &one]);
    assert_eq!((status, error.as_str()), (0, ""), "{out}");
    assert!(
        out.starts_with("4 calls in ")
            && out.contains("(100x): 0 failed, ")
            && out.contains(", 1 left out\n"),
        "{out}"
    );
    assert!(out.contains("\n3 compared: all answers are equal\n"), "{out}");

    let (status, out, _) = ran(&[&calls, &one, "--rate", "100", "--compare", &other, "--json"]);
    assert_eq!(status, 1, "{out}");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (counts, found) = lines.split_last().unwrap();
    assert_eq!((&counts["compared"], &counts["different"]), (&3.into(), &2.into()), "{out}");
    assert!(found.iter().any(|line| line["query"] == "lookup of M1 1AE"), "{out}");
    let chosen = |out: &str| {
        out.lines().find(|line| line.contains("lookup of M1 1A") && line.contains(", M1")).unwrap().to_owned()
    };
    let (_, again, _) = ran(&[&calls, &one, "--rate", "100", "--compare", &other, "--json"]);
    assert_eq!(chosen(&out), chosen(&again), "the seed chooses the same postcodes");

    let (status, out, _) = ran(&[&calls, "http://127.0.0.1:1?retries=0", "--rate", "100"]);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("lookup of M1 1AE: failed: "), "{out}");

    std::fs::write(&calls, "{\"at_us\":1,\"method\":\"guess\"}\n").unwrap();
    let (status, _, error) = ran(&[&calls, &one]);
    assert!(status == 2 && error.contains("line 1 is not a recorded call"), "{error}");
    assert_eq!(ran(&[&calls, &one, "--rate", "0"]).0, 2);
}
