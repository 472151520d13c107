//! The report of an import, and what keeps an edition from being published.

use std::fmt::Write as _;
use std::path::Path;

use postcode_service::ErrorKind;
use postcode_service::import::{Doubt, Import, Report};
use serde_json::Value;

use super::{Bench, run, shared};

/// Builds the same number of rows for two countries, each with one of ten wards.
fn rows(ward: impl Fn(usize) -> String) -> String {
    let mut text = "pcds,dointr,doterm,usertype,ctry,lad25cd,wd25cd\n".to_owned();
    for n in 0..400 {
        let letter = |n: usize| char::from(b"ABDEFGHJLNPQRSTUWXYZ"[n % 20]);
        let (area, country, district) =
            if n % 2 == 0 { ("AB", "S92000003", "S12000033") } else { ("B", "E92000001", "E08000025") };
        let (letters, ward) = (format!("{}{}", letter(n / 20), letter(n)), ward(n));
        writeln!(text, "{area}10 {}{letters},198001,,0,{country},{district},{ward}", n / 200).unwrap();
    }
    text
}

fn ward(n: usize) -> String {
    format!("S130000{:02}", n % 10)
}

fn wards() -> String {
    let names = (0..10).map(|n| format!("{},Ward {n}\n", ward(n)));
    "WD25CD,WD25NM\n".to_owned() + &names.collect::<String>()
}

const DISTRICTS: &str = "LAD25CD,LAD25NM\nS12000033,Aberdeen City\nE08000025,Birmingham\n";

/// Writes an edition without doubts to a folder.
fn sound(bench: &Bench) -> Import {
    bench.file("in/Data/ONSPD_NOV_2025_UK.csv", rows(ward));
    bench.file("in/Documents/WD25.csv", wards());
    bench.file("in/Documents/LAD25.csv", DISTRICTS);
    let mut import = bench.import(bench.path("in"));
    import.report = Some(bench.path("report.json"));
    import
}

fn refused(import: &Import) -> Box<Report> {
    let before = import.out.exists();
    let error = run(import).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let refused = error.refused().unwrap();
    assert_eq!(import.out.exists(), before);
    assert!(!refused.report.published);
    for doubt in &refused.doubts {
        assert!(refused.to_string().contains(&format!(" --accept {doubt}")), "{refused}");
    }
    refused.report.clone()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Returns the only finding, after checking that accepting it publishes.
fn only(import: &Import, doubt: Doubt) -> String {
    let report = refused(import);
    let findings = &report.findings;
    assert_eq!(findings.counts.keys().collect::<Vec<_>>(), [&doubt], "{findings:?}");
    let mut accepting = import.clone();
    accepting.accept = vec![doubt];
    assert!(run(&accepting).unwrap().published);
    findings.kept[0].to_string()
}

#[test]
fn the_report_says_how_full_each_column_is_by_country() {
    let bench = Bench::new();
    let import = sound(&bench);
    let report = run(&import).unwrap();
    assert!(report.findings.kept.is_empty(), "{report}");
    let report = json(&bench.path("report.json"));
    assert_eq!(report["published"], true);
    let countries = report["coverage"]["countries"].as_array().unwrap();
    let names: Vec<_> = countries.iter().map(|country| country["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["England", "Scotland"]);
    assert_eq!((&countries[0]["live"], &countries[0]["live_before"]), (&200.into(), &Value::Null));
    let of = |report: &Value, country: usize, column: &str| {
        let columns = &report["coverage"]["countries"][country]["columns"];
        columns.as_array().unwrap().iter().find(|one| one["column"] == column).unwrap().clone()
    };
    let column = of(&report, 1, "admin_ward");
    assert_eq!((&column["filled"], &column["named"]), (&1.0.into(), &1.0.into()));

    // Against the edition before: half of Scotland's wards are gone.
    std::fs::rename(bench.path("out.postcodes"), bench.path("before.postcodes")).unwrap();
    bench.file("in/Data/ONSPD_NOV_2025_UK.csv", rows(|n| if n % 4 == 0 { String::new() } else { ward(n) }));
    let mut import = import;
    import.previous = Some(bench.path("before.postcodes"));
    let said = only(&import, Doubt::Losses);
    assert_eq!(said, "Scotland: admin_ward, 100.0 % before, 50.0 % now");
    let report = json(&bench.path("report.json"));
    let column = of(&report, 1, "admin_ward");
    assert_eq!((&column["filled"], &column["filled_before"]), (&0.5.into(), &1.0.into()));
    assert_eq!(report["findings"]["kept"][0]["column"], "admin_ward");
    assert_eq!(report["findings"]["kept"][0]["country"], "S92000003");
}

#[test]
fn a_column_that_is_empty_in_all_rows_is_doubtful() {
    let bench = Bench::new();
    let import = sound(&bench);
    bench.file("in/Data/ONSPD_NOV_2025_UK.csv", rows(|_| String::new()));
    assert!(only(&import, Doubt::Empty).contains("ONSPD_NOV_2025_UK.csv: wd25cd: empty in all 400 rows"));
    assert_eq!(json(&bench.path("report.json"))["published"], true);
    refused(&import);
    assert_eq!(json(&bench.path("report.json"))["published"], false);
}

#[test]
fn names_that_are_missing_for_codes_in_use_are_doubtful() {
    let bench = Bench::new();
    let import = sound(&bench);
    bench.file("in/Documents/WD25.csv", wards().replace("S13000003,Ward 3\n", ""));
    let said = only(&import, Doubt::Unnamed);
    assert_eq!(said, "admin_ward: no name for 1 codes that 40 live postcodes have: S13000003");
    std::fs::remove_file(bench.path("in/Documents/WD25.csv")).unwrap();
    let said = only(&import, Doubt::Unnamed);
    assert_eq!(
        said,
        "admin_ward: no list of names among those of the input, and 400 live postcodes have a code"
    );
    // Without any list there are no names on purpose.
    std::fs::remove_file(bench.path("in/Documents/LAD25.csv")).unwrap();
    let report = run(&import).unwrap();
    assert!(report.to_string().contains("no lists of names in the input"), "{report}");
    // Codes of pseudo areas have none.
    bench.file("in/Documents/LAD25.csv", DISTRICTS);
    bench.file("in/Data/ONSPD_NOV_2025_UK.csv", rows(|_| "S99999999".to_owned()));
    assert!(run(&import).unwrap().findings.kept.is_empty());
}

#[test]
fn text_in_a_wrong_encoding_is_doubtful_where_it_would_be_published() {
    let bench = Bench::new();
    let import = sound(&bench);
    bench.file("in/Documents/WD25.csv", wards().replace("Ward 3", "FfÃ´r") + "S13000099,CwmbrÃ¢n\n");
    let said = only(&import, Doubt::Garbled);
    assert!(said.contains("WD25.csv:5: admin_ward S13000003 \"FfÃ´r\": in a wrong encoding"), "{said}");
    let report = refused(&import);
    assert_eq!((report.garbled, report.findings.kept[0].line), (2, Some(5)));
    assert_eq!(report.findings.kept[0].code.as_deref(), Some("S13000003"));
    bench.file("in/Documents/WD25.csv", wards() + "S13000099,CwmbrÃ¢n\n");
    let report = run(&import).unwrap();
    assert!(report.to_string().contains("wrong encoding in the lists, in use or not: 1"), "{report}");
}

#[test]
fn a_byte_order_mark_is_left_out_at_the_start_and_doubtful_elsewhere() {
    let bench = Bench::new();
    let import = sound(&bench);
    bench.file("in/Documents/WD25.csv", format!("\u{feff}{}", wards()));
    bench.file("in/Data/ONSPD_NOV_2025_UK.csv", format!("\u{feff}{}", rows(ward)));
    let report = run(&import).unwrap();
    assert_eq!((report.fill.rows, report.marked.len()), (400, 2));
    assert!(report.to_string().contains("begins with a byte order mark, which was ignored: "), "{report}");
    // One list put behind another.
    let (first, second) = (wards(), wards());
    let (first, second) = (&first[..first.len() / 2], &second[second.len() / 2..]);
    let cut = first.rfind('\n').unwrap() + 1;
    let whole = format!("{}\u{feff}{}{second}", &first[..cut], &first[cut..]);
    bench.file("in/Documents/WD25.csv", whole);
    let said = only(&import, Doubt::Bom);
    assert!(said.contains("WD25.csv:") && said.contains("byte-order mark within the data"), "{said}");
    // One table put behind another: the row is left out, and the edition not published.
    bench.file("in/Documents/WD25.csv", wards());
    let other = "\u{feff}M1 1AD,198001,,0,E92000001,E08000025,S13000001\n";
    bench.file("in/Data/ONSPD_NOV_2025_UK.csv", rows(ward) + other);
    let said = only(&import, Doubt::Bom);
    assert!(said.contains("ONSPD_NOV_2025_UK.csv:402: pcds"), "{said}");
    // For an unused column the finding names the file.
    let other: String = rows(ward)
        .lines()
        .enumerate()
        .map(|(n, line)| match n {
            0 => format!("{line},note\n"),
            7 => format!("{line},\u{feff}x Mo\u{302}n\n"),
            _ => format!("{line},\n"),
        })
        .collect();
    bench.file("in/Data/ONSPD_NOV_2025_UK.csv", other);
    let said = only(&import, Doubt::Bom);
    assert!(said.contains("ONSPD_NOV_2025_UK.csv:8: note"), "{said}");
}

#[test]
fn the_report_is_not_written_over_an_input() {
    let bench = Bench::new();
    let mut import = sound(&bench);
    import.report = Some(import.out.clone());
    assert!(run(&import).unwrap_err().to_string().contains("would be lost"));
}

#[test]
fn the_recorded_folder_is_sound_and_says_what_its_lists_lack() {
    let Some(folder) = shared("cases/postcodes-io/dataset") else { return };
    let bench = Bench::new();
    let mut import = bench.import(&folder);
    import.report = Some(bench.path("report.json"));
    let report = run(&import).unwrap();
    assert!(report.findings.kept.is_empty(), "{report}");
    // Four in lists whose codes no postcode has, and a header in the middle of one with its mark.
    assert_eq!((report.garbled, report.marked.len()), (5, 1), "{report}");
    let england = &report.coverage.countries[0];
    let region = england.columns.iter().find(|column| column.column == "nhs_region").unwrap();
    assert_eq!((england.name.as_str(), england.live), ("England", 4));
    assert!(region.named.unwrap() < 1.0, "E40000010 has no name");

    // The same without the names of districts, and with a column that is empty: their nine months.
    let copy = |without: &str| {
        let to = bench.path("copy");
        let _ = std::fs::remove_dir_all(&to);
        for part in ["Data", "Documents"] {
            std::fs::create_dir_all(to.join(part)).unwrap();
            for entry in std::fs::read_dir(folder.join(part)).unwrap() {
                let entry = entry.unwrap();
                if !entry.file_name().to_string_lossy().starts_with(without) {
                    std::fs::write(
                        to.join(part).join(entry.file_name()),
                        std::fs::read(entry.path()).unwrap(),
                    )
                    .unwrap();
                }
            }
        }
        to
    };
    let said = only(&bench.import(copy("WD25")), Doubt::Unnamed);
    assert!(said.starts_with("admin_ward: no list of names"), "{said}");
    let data = copy("none").join("Data/ONSPD_NOV_2025_UK.csv");
    let mut reader = csv::Reader::from_path(&data).unwrap();
    let header = reader.headers().unwrap().clone();
    let pfa = header.iter().position(|name| name == "pfa23cd").unwrap();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let mut writer = csv::Writer::from_path(&data).unwrap();
    writer.write_record(&header).unwrap();
    for record in records {
        let cells = record.iter().enumerate().map(|(at, cell)| if at == pfa { "" } else { cell });
        writer.write_record(cells).unwrap();
    }
    writer.flush().unwrap();
    let said = only(&bench.import(bench.path("copy")), Doubt::Empty);
    assert!(said.contains("pfa23cd: empty in all 8048 rows"), "{said}");
}
