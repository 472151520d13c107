//! The commands as a script sees them.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use postcode_core::dataset::Dataset;
use postcode_testing::{GENEROUS, signal};

use super::Bench;
use crate::common::program;

const CSV: &str = "pcds,dointr,doterm,lad25cd\nAB1 0AA,198001,199606,S12000033\nAB10 1AB,199606,,S12000033\n";

fn command(arguments: &[&str], folder: &Path) -> Command {
    let mut command = program();
    command.args(arguments).current_dir(folder);
    command
}

fn output(arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command(arguments, folder).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn import_verify_inspect() {
    let bench = Bench::new();
    let folder = bench.folder.path();
    bench.file("ONSPD_NOV_2025_UK.csv", CSV);
    let (code, out, _) = output(&["import", "ONSPD_NOV_2025_UK.csv", "--out", "uk.postcodes"], folder);
    assert_eq!(code, Some(0));
    assert!(out.contains("ONSPD November 2025") && out.contains("2 rows: 1 live, 1 terminated"), "{out}");
    let (code, out, _) = output(&["verify", "uk.postcodes"], folder);
    assert!(code == Some(0) && out.starts_with("OK uk.postcodes "), "{out}");
    let (code, out, _) = output(&["inspect", "uk.postcodes"], folder);
    assert!(code == Some(0) && out.contains("Scotland") && out.contains("database right 2025"), "{out}");
    let (code, out, _) = output(&["inspect", "uk.postcodes", "--json"], folder);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, Some(0));
    assert_eq!(json["contents"]["areas"]["AB"], serde_json::json!({"live": 1, "terminated": 1}));
    assert_eq!(json["metadata"]["edition"], "ONSPD November 2025");
    let status = &json["fields"][0];
    assert_eq!((&status["field"], &status["postcodes"]), (&"status".into(), &2.into()));
    assert_eq!(status["sources"][0]["source"], "ONSPD_NOV_2025_UK.csv");

    let (code, out, _) = output(&["pack", "uk.postcodes", "--out", "uk.pack"], folder);
    assert!(code == Some(0) && out.contains("for 2 postcodes"), "{out}");
    let mut bytes = std::fs::read(folder.join("uk.postcodes")).unwrap();
    let unpacked = Dataset::unpack(&std::fs::read(folder.join("uk.pack")).unwrap()).unwrap();
    assert_eq!(unpacked.as_bytes(), bytes);
    let (code, _, error) = output(&["pack", "ONSPD_NOV_2025_UK.csv", "--out", "no.pack"], folder);
    assert!(
        code == Some(1) && error.contains("ONSPD_NOV_2025_UK.csv") && !bench.path("no.pack").exists(),
        "{error}"
    );

    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bench.file("altered.postcodes", &bytes);
    bench.file("cut.postcodes", &bytes[..middle]);
    for name in ["altered.postcodes", "cut.postcodes", "ONSPD_NOV_2025_UK.csv", "nothing.postcodes"] {
        let (code, out, error) = output(&["verify", name], folder);
        assert!(code == Some(1) && out.is_empty() && error.contains(name), "{name}: {code:?} {out} {error}");
    }
    let (_, _, error) = output(&["verify", "altered.postcodes"], folder);
    assert!(error.contains("section"), "{error}");
}

#[test]
fn export_writes_what_was_imported_with_its_attribution() {
    let bench = Bench::new();
    let folder = bench.folder.path();
    let table = "pcds,doterm,lat,long,lad25cd\nAB1 0AA,199606,57.101474,-2.242851,S12000033\nAB10 1AB,,57.149606,-2.096916,S12000033\n";
    bench.file("ONSPD_NOV_2025_UK.csv", table);
    assert_eq!(output(&["import", "ONSPD_NOV_2025_UK.csv", "--out", "uk.postcodes"], folder).0, Some(0));
    let export = |out: &str, more: &[&str]| {
        let (code, _, error) = output(&[&["export", "uk.postcodes", "--out", out], more].concat(), folder);
        assert_eq!(code, Some(0), "{error}");
        let about = std::fs::read_to_string(bench.path(&format!("{out}.attribution.txt"))).unwrap();
        assert!(about.contains("ONSPD November 2025") && about.contains("database right 2025"), "{about}");
        std::fs::read(bench.path(out)).unwrap()
    };
    let some = ["--columns", "postcode,status,latitude,codes.admin_district"];
    assert_eq!(
        String::from_utf8(export("uk.csv", &some)).unwrap(),
        "postcode,status,latitude,codes.admin_district\nAB1 0AA,terminated,57.101474,S12000033\n\
         AB10 1AB,live,57.149606,S12000033\n"
    );
    let all = String::from_utf8(export("all.csv", &["--live"])).unwrap();
    assert!(all.starts_with("postcode,status,outcode") && all.contains("Aberdeen City"), "{all}");
    assert!(all.lines().count() == 2 && !all.contains("lsoa"), "{all}");
    let lines = String::from_utf8(export("uk.ndjson", &some)).unwrap();
    assert!(lines.starts_with("{\"postcode\":\"AB1 0AA\",\"status\":\"terminated\""), "{lines}");
    let geo: serde_json::Value = serde_json::from_slice(&export("uk.geojson", &some)).unwrap();
    assert_eq!(geo["features"][1]["geometry"]["coordinates"], serde_json::json!([-2.096916, 57.149606]));
    assert!(geo["attribution"].as_str().unwrap().contains("Crown copyright"));
    assert!(export("uk.sqlite", &some).starts_with(b"SQLite format 3"));
    #[cfg(feature = "columnar")]
    {
        use arrow_array::cast::AsArray;
        use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

        assert!(export("uk.parquet", &some).starts_with(b"PAR1"));
        let file = std::fs::File::open(bench.path("uk.parquet")).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let stored = reader.metadata().file_metadata().key_value_metadata().unwrap();
        let attribution = stored.iter().find(|pair| pair.key == "postcode.attribution").unwrap();
        assert!(attribution.value.as_ref().unwrap().contains("database right 2025"));
        let batch = reader.build().unwrap().next().unwrap().unwrap();
        assert_eq!(
            batch.column(1).as_string::<i32>().iter().flatten().collect::<Vec<_>>(),
            ["terminated", "live"]
        );
        let latitudes = batch.column(2).as_primitive::<arrow_array::types::Float64Type>();
        assert_eq!(latitudes.values(), &[57.101474, 57.149606]);
    }
    let (code, _, error) = output(&["export", "uk.postcodes", "--out", "uk.docx"], folder);
    assert!(code == Some(1) && error.contains("give --format"), "{error}");
}

#[test]
fn options_by_environment() {
    let bench = Bench::new();
    bench.file("own.csv", CSV);
    let status = command(&["import", "own.csv"], bench.folder.path())
        .env("POSTCODE_IMPORT_OUT", "own.postcodes")
        .env("POSTCODE_IMPORT_EDITION", "Ours 2031")
        .env("POSTCODE_IMPORT_PROVENANCE", "made up")
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let dataset = Dataset::open(bench.path("own.postcodes")).unwrap();
    assert_eq!((dataset.info().edition.as_str(), dataset.info().source.as_str()), ("Ours 2031", "made up"));
    assert!(dataset.info().attribution.contains("database right 2031"));
}

#[test]
fn errors_are_said_and_end_with_a_status() {
    let bench = Bench::new();
    let folder = bench.folder.path();
    bench.file("bad.csv", format!("{CSV}{}", "nonsense,1,2,3\n".repeat(30)));
    let (code, _, error) = output(&["import", "bad.csv", "--out", "o", "--max-errors", "3"], folder);
    assert_eq!(code, Some(1));
    assert!(error.contains("bad.csv:4: pcds \"nonsense\""), "{error}");
    assert!(
        error.contains("--errors FILE keeps them all") && error.contains("30 rows with errors"),
        "{error}"
    );
    for arguments in [
        &["import", "bad.csv"][..],
        &["import", "--out", "o"],
        &["import", "bad.csv", "--out", "o", "--format", "paf"],
        &["import", "bad.csv", "--out", "o", "--nonsense"],
    ] {
        assert_eq!(output(arguments, folder).0, Some(2), "{arguments:?}");
    }
    for arguments in [&["import", "nothing", "--out", "o"][..], &["import", "bad.csv", "--out", "."]] {
        assert_eq!(output(arguments, folder).0, Some(1), "{arguments:?}");
    }
    assert!(!bench.path("o").exists());
}

/// Builds a table of 4,000 rows for each outcode, of which there are at most 500.
fn long_table(outcodes: usize) -> String {
    let letters: Vec<char> = "ABDEFGHJLNPQRSTUWXYZ".chars().collect();
    let mut text = String::from("pcds,lad25cd\n");
    for outcode in 0..outcodes {
        for digit in 0..10 {
            for unit in 0..400 {
                let area = ["AB", "AL", "BA", "BB", "BD"][outcode / 100];
                let (a, b) = (letters[unit / 20], letters[unit % 20]);
                writeln!(text, "{area}{} {digit}{a}{b},S12000033", outcode % 100).unwrap();
            }
        }
    }
    text
}

/// Sends a signal to an import while it reads the table. Returns its status and output.
#[cfg(unix)]
fn interrupted(bench: &Bench, name: &str) -> Output {
    bench.file("out.postcodes", "the old file");
    let _ = std::fs::remove_file(bench.path("errors.csv"));
    let arguments = ["import", "long.csv", "--out", "out.postcodes", "--errors", "errors.csv"];
    let mut child = command(&arguments, bench.folder.path());
    let mut child = child.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // The file for errors is made when reading begins.
    while !bench.path("errors.csv").exists() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    signal(child.id(), name);
    child.wait_with_output().unwrap()
}

#[cfg(unix)]
#[test]
fn a_signal_in_the_middle_leaves_the_old_file() {
    let bench = Bench::new();
    let began = Instant::now();
    let mut outcodes = 100;
    bench.file("long.csv", long_table(outcodes));
    for name in ["INT", "TERM", "HUP"] {
        let mut ended = interrupted(&bench, name);
        // On a busy machine the import may be done before the signal comes: again, with more rows.
        while ended.status.success() && began.elapsed() < GENEROUS {
            outcodes = (2 * outcodes).min(500);
            bench.file("long.csv", long_table(outcodes));
            ended = interrupted(&bench, name);
        }
        let error = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(130), "{name}: {error}");
        assert!(error.contains("interrupted: nothing was published"), "{error}");
        assert_eq!(std::fs::read(bench.path("out.postcodes")).unwrap(), b"the old file");
        let partial = std::fs::read_dir(bench.folder.path())
            .unwrap()
            .any(|entry| entry.unwrap().file_name().to_string_lossy().contains("partial"));
        assert!(!partial, "nothing half-written is left");
    }
}

#[test]
fn an_edition_that_lost_a_column_is_not_published_unless_told_to() {
    let bench = Bench::new();
    let folder = bench.folder.path();
    let rows = |district: &str| {
        let mut text = "pcds,dointr,doterm,lad25cd\n".to_owned();
        for n in 0..200 {
            let letter = |n: usize| char::from(b"ABDEFGHJLNPQRSTUWXYZ"[n % 20]);
            writeln!(text, "AB10 {}{}{},198001,,{district}", n / 100, letter(n / 20), letter(n)).unwrap();
        }
        text
    };
    bench.file("ONSPD_AUG_2025_UK.csv", rows("S12000033"));
    bench.file("ONSPD_NOV_2025_UK.csv", rows(""));
    assert_eq!(output(&["import", "ONSPD_AUG_2025_UK.csv", "--out", "uk.postcodes"], folder).0, Some(0));
    let before = std::fs::read(folder.join("uk.postcodes")).unwrap();
    let import = ["import", "ONSPD_NOV_2025_UK.csv", "--out", "uk.postcodes", "--previous", "uk.postcodes"];
    let (code, _, said) = output(&import, folder);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("Scotland: live postcodes, 100.0 % before, 0.0 % now"), "{said}");
    assert!(said.contains("--accept losses --accept empty"), "{said}");
    assert_eq!(std::fs::read(folder.join("uk.postcodes")).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 3, "nothing is left behind");
    let (code, out, _) =
        output(&[&import[..], &["--accept", "losses", "--accept", "empty"]].concat(), folder);
    assert!(code == Some(0) && out.contains("doubtful (losses): Scotland: live"), "{out}");
    assert_eq!(output(&["import", "x", "--out", "y", "--previous", "nowhere"], folder).0, Some(1));
}
