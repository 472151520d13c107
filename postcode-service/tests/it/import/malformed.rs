//! Errors in an input are reported by file, line and column, and nothing wrong is published.

use postcode_core::{Answer, AreaKind};

use super::{Bench, run};

const HEADER: &str = "pcds,dointr,doterm,usertype,oseast1m,osnrth1m,osgrdind,oslaua,lat,long,imd\n";
const GOOD: &str = "AB1 0AA,198001,199606,0,385386,0801193,1,S12000033,57.101474,-2.242851,6808\n";

/// Returns the refused rows of an import of these lines, as `--errors` writes them, without the
/// file's name.
fn refused(lines: &[&str]) -> Vec<String> {
    let bench = Bench::new();
    let text = [&[HEADER, GOOD], lines].concat().concat();
    let mut import = bench.import(bench.file("data.csv", text));
    import.errors = Some(bench.path("errors.csv"));
    let report = run(&import).unwrap();
    assert_eq!(report.fill.rows, 1, "the good row is there");
    assert!(bench.dataset().get("AB1 0AA".parse().unwrap()).record().is_some());
    let errors = std::fs::read_to_string(bench.path("errors.csv")).unwrap();
    let mut errors = errors.lines();
    assert_eq!(errors.next(), Some("file,line,column,value,reason"));
    let errors: Vec<String> = errors.map(|line| line.split_once(".csv,").unwrap().1.to_owned()).collect();
    assert_eq!(errors.len() as u64, report.refused);
    errors
}

#[test]
fn each_wrong_cell_is_named() {
    let cases = [
        ("nonsense,198001,,0,1,1,1,,,,", "pcds", "is too many"),
        (",198001,,0,1,1,1,,,,", "pcds", "no postcode"),
        ("AB1 0AB,1980,,0,1,1,1,,,,", "dointr", "not a month as YYYYMM"),
        ("AB1 0AB,198013,,0,1,1,1,,,,", "dointr", "not a month as YYYYMM"),
        ("AB1 0AB,198001,2020-01,0,1,1,1,,,,", "doterm", "not a month as YYYYMM"),
        ("AB1 0AB,198001,,2,1,1,1,,,,", "usertype", "0 (small) or 1 (large)"),
        ("AB1 0AB,198001,,0,x,1,1,,,,", "oseast1m", "not a number of metres"),
        ("AB1 0AB,198001,,0,385386,,1,,,,", "osnrth1m", "eastings without northings"),
        ("AB1 0AB,198001,,0,900000,801193,1,,,,", "oseast1m", "off the grid"),
        ("AB1 0AB,198001,,0,385386,801193,0,,,,", "osgrdind", "a quality is 1 to 9"),
        ("AB1 0AB,198001,,0,385386,801193,1,S12-33,,,", "oslaua", "letters and digits"),
        ("AB1 0AB,198001,,0,385386,801193,1,,57.1,,", "long", "latitude without longitude"),
        ("AB1 0AB,198001,,0,385386,801193,1,,-57.1,-2.2,", "lat", "49 to 61.5"),
        ("AB1 0AB,198001,,0,385386,801193,1,,57.1,22,", "long", "-9.5 to 2.5"),
        ("AB1 0AB,198001,,0,385386,801193,1,,nan,inf,", "lat", "not a number of degrees"),
        ("AB1 0AB,198001,,0,385386,801193,1,,57.1,-2.2,70000", "imd", "1 to 65535"),
        ("AB1 0AB,198001,,0,385386,801193,1,,57.1,-2.2", "", "10 cells where the header has 11"),
        ("\"AB1 0AB,198001,,0,385386,801193,1,,57.1,-2.2,", "", "a quote that is not closed"),
        ("AB1 0AB,198001,,0,385386,801193\0,1,,57.1,-2.2,", "", "a NUL byte"),
        ("AB1 0AA,198001,,0,385386,801193,1,,57.1,-2.2,", "", "given twice: the first row stays"),
        ("AB1 0É,198001,,0,385386,801193,1,,57.1,-2.2,", "pcds", "not plain letters"),
    ];
    for (line, column, reason) in cases {
        let errors = refused(&[line, "\n"]);
        assert_eq!(errors.len(), 1, "{line}");
        assert!(errors[0].starts_with(&format!("3,{column},")), "{line}: {}", errors[0]);
        assert!(errors[0].contains(reason), "{line}: {}", errors[0]);
    }
}

#[test]
fn an_open_quote_costs_one_row_only() {
    let bench = Bench::new();
    let text = format!("{HEADER}\"AB1 0AB,1,\n{GOOD}");
    let report = run(&bench.import(bench.file("data.csv", text))).unwrap();
    assert_eq!((report.fill.rows, report.refused), (1, 1));
}

#[test]
fn byte_order_mark_line_ends_quotes_and_blank_lines_are_no_errors() {
    let bench = Bench::new();
    let text =
        format!("\u{feff}{HEADER}\n\"{}\"\n\n", GOOD.trim_end().replace(',', "\",\"")).replace('\n', "\r\n");
    let report = run(&bench.import(bench.file("data.csv", text.trim_end()))).unwrap();
    assert_eq!((report.fill.rows, report.refused), (1, 0));
    let dataset = bench.dataset();
    let Answer::Terminated(record) = dataset.get("AB10AA".parse().unwrap()) else {
        panic!("it is terminated")
    };
    assert_eq!(record.terminated.unwrap().to_string(), "199606");
    assert_eq!(record.area_name(AreaKind::AdminDistrict), Some("Aberdeen City"));
    assert_eq!(record.deprivation_rank, Some(6808));
}

#[test]
fn values_that_stand_for_none_are_none() {
    let bench = Bench::new();
    let rows = "JE2 3AB,199501,,0,,,9,L99999999,99.999999,0.000000,0\nBT1 5GS,199501,,0,333800,374000,1,N09000003,,,1\n";
    run(&bench.import(bench.file("ONSPD_MAY_2024_UK.csv", format!("{HEADER}{rows}")))).unwrap();
    let dataset = bench.dataset();
    let jersey = dataset.get("JE2 3AB".parse().unwrap()).into_record().unwrap();
    assert_eq!(
        (jersey.grid, jersey.location, jersey.deprivation_rank, jersey.quality),
        (None, None, None, Some(9))
    );
    let belfast = dataset.get("BT1 5GS".parse().unwrap()).into_record().unwrap();
    assert_eq!(belfast.grid.unwrap().system, postcode_core::GridSystem::Irish);
    assert_eq!(belfast.location, None, "the Irish Grid is not put through a British transformation");
    assert_eq!(dataset.info().edition, "ONSPD May 2024");
}

#[test]
fn some_columns_are_enough_and_the_rest_is_null() {
    let bench = Bench::new();
    let text = "status,Postcode,lad25cd\nlive,SW1A 1AA,E09000033\nterminated,W1A 0AX,\n";
    let report = run(&bench.import(bench.file("own.csv", text))).unwrap();
    assert_eq!((report.fill.rows, report.fill.live), (2, 1));
    let dataset = bench.dataset();
    let record = dataset.get("SW1A 1AA".parse().unwrap()).into_record().unwrap();
    let names = (record.admin_district(), record.region(), record.country());
    assert_eq!(
        names,
        (Some("Westminster"), Some("London"), Some("England")),
        "region and country follow from it"
    );
    assert_eq!((record.introduced, record.grid, record.user_type), (None, None, None));
    assert_eq!(dataset.get("W1A 0AX".parse().unwrap()).status(), "terminated");
    assert_eq!(dataset.get("BT1 5GS".parse().unwrap()).status(), "not_covered");
    assert!(dataset.info().not_covered_advice.as_deref().unwrap().contains("load ONSPD"));
}

#[test]
fn too_many_errors_publish_nothing() {
    let bench = Bench::new();
    bench.file("out.postcodes", "what was there");
    let text = format!("{HEADER}{GOOD}{}", "x,,,,,,,,,,\n".repeat(6));
    let mut import = bench.import(bench.file("data.csv", text));
    import.max_errors = 5;
    let error = run(&import).unwrap_err().to_string();
    assert!(error.contains("6 rows with errors, more than the 5"), "{error}");
    assert_eq!(std::fs::read(bench.path("out.postcodes")).unwrap(), b"what was there");
    import.max_errors = 6;
    assert_eq!(run(&import).unwrap().refused, 6);
}

#[test]
fn inputs_that_are_no_data() {
    let bench = Bench::new();
    let endless = "a".repeat(3 << 20);
    let cases = [
        ("empty.csv", String::new(), "empty"),
        ("header.csv", HEADER.to_owned(), "a header without rows"),
        ("other.csv", "name,street\nx,y\n".to_owned(), "no column of postcodes"),
        ("line.csv", format!("pcds\n{endless}"), "a line of more than"),
        ("nul.csv", "pcds\0\n".to_owned(), "not text"),
        ("page.csv", "<!DOCTYPE html>\n<html>".to_owned(), "a page of HTML"),
    ];
    for (name, text, expected) in cases {
        let error = format!("{:#}", run(&bench.import(bench.file(name, text))).unwrap_err());
        assert!(error.contains(expected), "{name}: {error}");
        assert!(!bench.path("out.postcodes").exists());
    }
    let error = format!("{:#}", run(&bench.import(bench.path("nothing.csv"))).unwrap_err());
    assert!(error.contains("nothing.csv: no such input"), "{error}");
    let error = format!("{:#}", run(&bench.import(bench.path(""))).unwrap_err());
    assert!(error.contains("no table of postcodes") || error.contains("line.csv"), "{error}");
}

#[test]
fn different_kinds_of_data_are_not_mixed() {
    let bench = Bench::new();
    bench.file("in/onspd.csv", format!("{HEADER}{GOOD}"));
    bench.file(
        "in/ab.csv",
        "\"AB10 1AB\",10,394235,806529,\"S92000003\",\"\",\"S08000020\",\"\",\"S12000033\",\"S13002842\"\n",
    );
    let mut import = bench.import(bench.path("in"));
    let error = run(&import).unwrap_err().to_string();
    assert!(error.contains("Code-Point Open") && error.contains("choose with --format"), "{error}");
    import.format = postcode_service::import::Format::CodePointOpen;
    assert_eq!(run(&import).unwrap().fill.rows, 1);
    assert_eq!(bench.dataset().get("AB10 1AB".parse().unwrap()).status(), "live");
}

#[test]
fn the_same_bytes_each_time_and_from_each_layout() {
    let bench = Bench::new();
    let second = GOOD.replace("AB1 0AA", "AL1 1AA");
    bench.file("in/Data/ONSPD_NOV_2025_UK.csv", format!("{HEADER}{GOOD}{second}"));
    bench.file("in/Data/multi_csv/ONSPD_NOV_2025_UK_AB.csv", format!("{HEADER}{GOOD}"));
    bench.file("in/Data/multi_csv/ONSPD_NOV_2025_UK_AL.csv", format!("{HEADER}{second}"));
    let mut import = bench.import(bench.path("in"));
    import.source = Some("a test".to_owned());
    let report = run(&import).unwrap();
    assert_eq!((report.fill.rows, report.refused, report.tables), (2, 0, 1), "the parts are not read again");
    let once = std::fs::read(bench.path("out.postcodes")).unwrap();
    run(&import).unwrap();
    assert_eq!(std::fs::read(bench.path("out.postcodes")).unwrap(), once);
    assert_eq!(bench.dataset().info().not_covered, ["BF", "BX", "GX", "XX"]);
    // The parts alone hold the same postcodes, and say that they are parts.
    import.inputs = vec![bench.path("in/Data/multi_csv")];
    assert_eq!(run(&import).unwrap().tables, 2);
    assert_eq!(bench.dataset().iter().count(), 2);
    assert_eq!(bench.dataset().info().not_covered.len(), 126);
}
