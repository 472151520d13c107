//! Imports of publishers' files of addresses.

use std::path::Path;
use std::process::Output;

use postcode_addresses::Dataset;
use postcode_addresses::file::AddressFile;

use super::Bench;
use crate::common::program;

fn import(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        program().arg("import").args(arguments).current_dir(folder).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn row(postcode: &str, number: u32, udprn: u32) -> String {
    format!("{postcode},EXAMPLETON,,,Ash Road,,{number},,,,,,{udprn},S,,1A\r\n")
}

#[test]
fn csv_paf_in_any_order_becomes_a_file_of_addresses() {
    let bench = Bench::new();
    let rows =
        [row("ZE1 0AA", 10, 1), row("AB10 1AB", 2, 2), row("ZE1 0AA", 9, 3), row("AB10 1AA", 1, 4)].concat();
    bench.file("CSV PAF.csv", rows);
    bench.file("CSV Multiple Residence.csv", "ZE1 0AA,EXAMPLETON,,,Ash Road,,9,,,,,3,S,,1A,9,,Room 2,,,77\r\nZE1 0AA,EXAMPLETON,,,Ash Road,,9,,,,,3,S,,1A,9,,Room 1,,,78\r\n");
    let (code, out, error) = import(
        bench.folder.path(),
        &[".", "--out", "uk.addresses", "--licensee", "Example Ltd", "--report", "report.json"],
    );
    assert_eq!(code, Some(0), "{error}");
    assert!(out.contains("6 addresses") && out.contains("passed on: not allowed"), "{out}");

    let file = AddressFile::open(bench.path("uk.addresses")).unwrap();
    let metadata = file.metadata();
    assert_eq!(
        (metadata.addresses, metadata.licensee.as_str(), metadata.may_be_passed_on),
        (6, "Example Ltd", false)
    );
    assert!(metadata.attribution.contains("Royal Mail"));
    let addresses: Vec<_> = file.get("ZE1 0AA".parse().unwrap()).unwrap().unwrap().collect().unwrap();
    let premises: Vec<String> = addresses.iter().map(|address| address.premise()).collect();
    assert_eq!(premises, ["9", "Room 1, 9", "Room 2, 9", "10"]);
    assert_eq!(addresses[1].dataset, Dataset::MultipleResidence);

    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(bench.path("report.json")).unwrap()).unwrap();
    assert_eq!(report["addresses"], serde_json::json!({"mr": 2, "paf": 4}));
    assert_eq!(report["metadata"]["addresses"], 6);
}

#[test]
fn damaged_input_publishes_nothing_and_keeps_what_is_there() {
    let bench = Bench::new();
    bench.file("uk.addresses", "the previous file");
    for (rows, expected) in [
        (format!("{}AB10 1AB,EXAMP", row("AB10 1AA", 1, 1)), "ends within a record"),
        ("AB10 1AA,short\r\n".to_owned(), "no file with addresses was found"),
        (format!("{}{}", row("AB10 1AA", 1, 1), row("NOT ONE", 1, 2)), "at most 0 may be"),
    ] {
        bench.file("CSV PAF.csv", rows);
        let (code, _, error) =
            import(bench.folder.path(), &["CSV PAF.csv", "--out", "uk.addresses", "--max-errors", "0"]);
        assert_eq!(code, Some(1));
        assert!(error.contains(expected), "{error}");
        assert_eq!(std::fs::read(bench.path("uk.addresses")).unwrap(), b"the previous file");
    }
}

#[test]
fn option_for_the_other_kind_of_file_is_an_error() {
    let bench = Bench::new();
    bench.file("CSV PAF.csv", row("AB10 1AA", 1, 1));
    bench.file("ONSPD_NOV_2025_UK.csv", "pcds,dointr,doterm,lad25cd\nAB10 1AB,199606,,S12000033\n");
    let (code, _, error) =
        import(bench.folder.path(), &["CSV PAF.csv", "--out", "uk.addresses", "--errors", "rows.csv"]);
    assert!(code == Some(1) && error.contains("--errors is for files of postcodes"), "{error}");
    let (code, _, error) =
        import(bench.folder.path(), &["ONSPD_NOV_2025_UK.csv", "--out", "uk.postcodes", "--within", "a"]);
    assert!(code == Some(1) && error.contains("--within is for files of addresses"), "{error}");
}

#[test]
fn each_layout_of_one_set_of_addresses_makes_a_file() {
    let Some(zip) = postcode_testing::shared("cases/addresses/formats/formats_seed1.zip") else { return };
    let bench = Bench::new();
    let zip = zip.to_str().unwrap();
    for (within, addresses) in [
        ("CSV PAF/", 4768),
        ("PAF MAIN FILE/", 4768),
        ("AddressBase Core/", 3469),
        ("AddressBase Premium/", 3469),
        ("NGD/", 3542),
    ] {
        let (code, out, error) =
            import(bench.folder.path(), &[zip, "--within", within, "--out", "some.addresses"]);
        assert_eq!(code, Some(0), "{within}: {error}");
        let file = AddressFile::open(bench.path("some.addresses")).unwrap();
        assert_eq!(file.metadata().addresses, addresses, "{within}: {out}");
    }
    let (code, _, error) = import(bench.folder.path(), &[zip, "--out", "all.addresses"]);
    assert!(code == Some(1) && error.contains("hold the same addresses"), "{error}");
}
