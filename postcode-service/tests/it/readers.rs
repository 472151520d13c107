//! Each way to write a table, through each reader of tables: the command `enrich`, `/enrich`, jobs, and the import of an
//! edition. That of customers is in the tests of customers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test it is the failure")]

use std::path::Path;

use axum::body::Body;
use http::{Method, Request};
use postcode_core::Local;
use postcode_core::dataset::Dataset;
use postcode_service::import::{Import, Stop};
use postcode_testing::{WAYS, Way, workbook};

use crate::common::{self, api_over, send};
use crate::jobs::database::{Bench, Database};

/// A postcode with a no-break space, as Word writes it; a text with every delimiter, a quote and a line end in it; a
/// postcode that Excel is to keep as text, a dash between the halves, one that has ended, and one that is not in use.
fn rows() -> Vec<Vec<&'static str>> {
    vec![
        vec!["name", "postcode", "note"],
        vec!["Zoë", "SW1A\u{a0}1AA", "a, b; \"c\"\td|e"],
        vec!["B", "M1 1AE", "one\r\ntwo\rthree\nfour"],
        vec!["C", "=\"EH1 1YZ\"", ""],
        vec!["D", "AB1 0AA", "x"],
        vec!["E", "SW1A 9ZZ", "x"],
    ]
}

const STATUSES: [&str; 5] = ["live", "live", "live", "terminated", "unknown"];

/// Returns the statuses at the ends of the rows of CSV.
fn statuses(way: &Way, csv: &[u8]) -> Vec<String> {
    let wide: Vec<u16> =
        csv.chunks(2).filter_map(|pair| Some(u16::from_le_bytes(pair.try_into().ok()?))).collect();
    let text = match csv {
        [0xff, 0xfe, ..] => String::from_utf16(&wide).unwrap(),
        [0xfe, 0xff, ..] => {
            String::from_utf16(&wide.iter().map(|unit| unit.swap_bytes()).collect::<Vec<_>>()).unwrap()
        }
        // Only the name is not ASCII.
        _ => String::from_utf8_lossy(csv).into_owned(),
    };
    let named = |line: &str| {
        let status = line.rsplit([',', ';', '\t', '|']).next().unwrap().to_owned();
        ["live", "terminated", "unknown", "invalid"].contains(&&*status).then_some(status)
    };
    let found: Vec<String> = text.split(['\r', '\n']).filter_map(named).collect();
    assert!(!found.is_empty(), "{}: {text:?}", way.name);
    found
}

fn enriched_by_the_command(folder: &Path, way: &Way, table: &[u8]) -> Vec<u8> {
    let (input, out) = (folder.join("in.csv"), folder.join("out.csv"));
    std::fs::write(&input, table).unwrap();
    let ended = common::program()
        .args(["enrich", "--columns", "status", "--out", out.to_str().unwrap(), input.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}: {}", way.name, String::from_utf8_lossy(&ended.stderr));
    std::fs::read(out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn enrich_reads_a_table_however_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let api = api_over(Local::embedded().unwrap()).await;
    let mut bench = Bench::new(Database::file().unwrap()).await;
    bench.work(1);
    for way in WAYS {
        let table = way.write(&rows());
        let out = enriched_by_the_command(folder.path(), way, &table);
        assert_eq!(statuses(way, &out), STATUSES, "{}: by the command", way.name);

        let request = Request::post("/enrich?columns=status").header("content-type", "text/csv");
        let answer = send(&api, request.body(Body::from(table.clone())).unwrap()).await;
        assert_eq!(answer.status, 200, "{}: {}", way.name, String::from_utf8_lossy(&answer.body));
        assert!(answer.body == out, "{}: over HTTP it is the same", way.name);

        let job = bench.csv("?columns=status", &[], table).await;
        let ended = bench.ended(&job).await;
        assert_eq!(
            (&ended["state"], &ended["total"]),
            (&"succeeded".into(), &5.into()),
            "{}: {ended}",
            way.name
        );
        let result = bench.ask(Method::GET, &format!("/jobs/{job}/result"), &[], "").await;
        assert!(result.body == out, "{}: a job's result is the same", way.name);
    }
    bench.end().await;
}

pub(crate) fn imported(folder: &Path, name: &str, table: &[u8]) -> anyhow::Result<(Dataset, u64)> {
    let (input, out) = (folder.join(name), folder.join("out.postcodes"));
    std::fs::write(&input, table).unwrap();
    let mut import = Import::new(input, &out);
    import.quiet = true;
    let report = import.run(&Stop::default())?;
    let dataset = Dataset::open(out)?;
    dataset.verify()?;
    Ok((dataset, report.refused))
}

fn edition() -> Vec<Vec<&'static str>> {
    vec![
        vec!["pcds", "lad25cd", "doterm", "ladnm"],
        vec!["SW1A\u{a0}1AA", "E09000033", "", "a, b; \"c\"\td|e"],
        vec!["M1 1AE", "E08000003", "", "one\r\ntwo\rthree\nfour"],
        vec!["=\"EH1 1YZ\"", "S12000036", "", "Zoë"],
        vec!["AB1 0AA", "S12000033", "199606", "x"],
    ]
}

#[test]
fn import_reads_an_edition_however_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for way in WAYS {
        let (dataset, refused) = imported(folder.path(), "table.csv", &way.write(&edition()))
            .unwrap_or_else(|error| panic!("{}: {error:#}", way.name));
        assert_eq!(refused, 0, "{}", way.name);
        for (postcode, status, district) in [
            ("SW1A 1AA", "live", "E09000033"),
            ("M1 1AE", "live", "E08000003"),
            ("EH1 1YZ", "live", "S12000036"),
            ("AB1 0AA", "terminated", "S12000033"),
        ] {
            let answer = dataset.get(postcode.parse().unwrap());
            assert_eq!(answer.status(), status, "{}: {postcode}", way.name);
            let record = answer.into_record().unwrap();
            assert_eq!(
                record.area_code(postcode_core::AreaKind::AdminDistrict),
                Some(district),
                "{}",
                way.name
            );
        }
        assert_eq!(dataset.iter().count(), 4, "{}", way.name);
    }
}

#[test]
fn import_takes_the_named_encoding_delimiter_and_sheet() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(
        path("a.csv"),
        "pcds~x,y\nM1 1AE~1\n".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>(),
    )
    .unwrap();
    std::fs::write(path("b.xlsx"), workbook(&edition())).unwrap();
    let run = |arguments: &[&str]| {
        let out = path("out.postcodes");
        let ended = common::program().args(["import", "--out", &out]).args(arguments).output().unwrap();
        (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
    };
    let (code, said) = run(&[&path("a.csv"), "--encoding", "utf-16be", "--delimiter", "~"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("a.csv: read as UTF-16BE"), "{said}");
    let (code, said) = run(&[&path("b.xlsx"), "--sheet", "Kunden"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the sheet \"Kunden\" of a workbook, as CSV"), "{said}");
    let (code, said) = run(&[&path("b.xlsx"), "--sheet", "Andere"]);
    assert!(code == Some(1) && said.contains("its sheets are \"Kunden\""), "{said}");
    // Guides are workbooks, so those in the folder of an edition are not read.
    let (code, said) =
        run(&[folder.path().to_str().unwrap(), "--encoding", "utf-16be", "--delimiter", "tilde"]);
    assert!(code == Some(2) && said.contains("not a delimiter"), "{said}");
}

/// A row that ends early is taken for one that lost its end, and not for one whose last cells are empty.
#[test]
fn import_refuses_short_rows_and_lists_of_names_are_read_however_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let short = "pcds,lad25cd,imd\nM1 1AE,E08000003\nM1 1AD,E08000003,1\n";
    let (dataset, refused) = imported(folder.path(), "short.csv", short.as_bytes()).unwrap();
    assert_eq!((refused, dataset.iter().count()), (1, 1));

    for way in WAYS.iter().filter(|way| !way.name.contains("zip file") && !way.name.contains("workbook")) {
        let input = folder.path().join(format!("edition {}", way.name));
        std::fs::create_dir_all(&input).unwrap();
        std::fs::write(input.join("ONSPD_NOV_2025_UK.csv"), "pcds,lad25cd\nLL58 8RD,W06000001\n").unwrap();
        let names = vec![vec!["LAD25CD", "LAD25NM"], vec!["W06000001", "Môn; \"Anglesey\""]];
        std::fs::write(input.join("LAD25 names.csv"), way.write(&names)).unwrap();
        let out = folder.path().join("named.postcodes");
        let mut import = Import::new(input, &out);
        import.quiet = true;
        import.run(&Stop::default()).unwrap_or_else(|error| panic!("{}: {error:#}", way.name));
        let record = Dataset::open(out).unwrap().get("LL58 8RD".parse().unwrap()).into_record().unwrap();
        assert_eq!(record.admin_district(), Some("Môn; \"Anglesey\""), "{}", way.name);
    }
}
