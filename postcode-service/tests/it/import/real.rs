//! Real editions: every row arrives, and says what the source and postcodes.io say.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use postcode_core::dataset::Dataset;
use postcode_core::wire::{RecordView, Shape};
use postcode_core::{AreaKind, GridSystem, Status};
use serde_json::Value;

use super::{Bench, run, shared};

/// Compares every row of a CSV with the dataset, by the named columns.
fn compare(csv: impl Read, dataset: &Dataset, columns: &Names) -> u64 {
    let mut reader = csv::Reader::from_reader(csv);
    let headers = reader.headers().unwrap().clone();
    let at = |name: &str| headers.iter().position(|other| other == name).unwrap_or_else(|| panic!("{name}"));
    let (pcds, doterm, dointr) = (at("pcds"), at("doterm"), at("dointr"));
    let [east, north, lat, long] = [columns.east, columns.north, "lat", "long"].map(at);
    let areas: Vec<_> = columns.areas.iter().map(|(kind, name)| (*kind, at(name))).collect();
    let mut rows = 0;
    for row in reader.records() {
        let row = row.unwrap();
        let postcode = row[pcds].parse().unwrap();
        let record = dataset.get(postcode).into_record().unwrap_or_else(|| panic!("{postcode} is missing"));
        let month = |at: usize| Some(&row[at]).filter(|cell| !cell.is_empty()).map(str::to_owned);
        assert_eq!(record.status == Status::Terminated, !row[doterm].is_empty(), "{postcode}");
        assert_eq!(record.terminated.map(|month| month.to_string()), month(doterm), "{postcode}");
        assert_eq!(record.introduced.map(|month| month.to_string()), month(dointr), "{postcode}");
        let grid = record.grid.map(|grid| (grid.eastings, grid.northings));
        let expected = row[east].parse().ok().and_then(|east| Some((east, row[north].parse().ok()?)));
        assert_eq!(grid, expected, "{postcode}");
        match record.location {
            Some(location) => {
                assert_eq!(row[lat].parse::<f64>().unwrap(), location.latitude(), "{postcode}");
                assert_eq!(row[long].parse::<f64>().unwrap(), location.longitude(), "{postcode}");
            }
            None => assert_eq!(&row[lat], "99.999999", "{postcode}"),
        }
        for (kind, at) in &areas {
            assert_eq!(record.area_code(*kind).unwrap_or(""), &row[*at], "{postcode} {kind:?}");
        }
        rows += 1;
    }
    rows
}

struct Names {
    east: &'static str,
    north: &'static str,
    areas: &'static [(AreaKind, &'static str)],
}

const OLD: Names = Names {
    east: "oseast1m",
    north: "osnrth1m",
    areas: &[
        (AreaKind::Country, "ctry"),
        (AreaKind::AdminDistrict, "oslaua"),
        (AreaKind::AdminWard, "osward"),
        (AreaKind::AdminCounty, "oscty"),
        (AreaKind::HealthAuthority, "oshlthau"),
        (AreaKind::ParliamentaryConstituency, "pcon"),
        (AreaKind::Lsoa11, "lsoa11"),
        (AreaKind::RuralUrban11, "ru11ind"),
        (AreaKind::LocalEnterprisePartnership2, "lep2"),
        (AreaKind::BuiltUpArea, "bua11"),
    ],
};

#[test]
fn editions_of_2020_to_2025() {
    let cases = [
        (
            "onspd_2020-07.csv",
            "ONSPD July 2020",
            5_168,
            &[(AreaKind::Ccg, "ccg"), (AreaKind::Nuts, "nuts")][..],
        ),
        (
            "onspd_2024-09.csv",
            "ONSPD September 2024",
            8_048,
            &[(AreaKind::Ccg, "sicbl"), (AreaKind::Lsoa21, "lsoa21")],
        ),
        (
            "onspd_2025-09.csv",
            "ONSPD September 2025",
            8_048,
            &[(AreaKind::Nuts, "itl"), (AreaKind::OutputArea21, "oa21")],
        ),
    ];
    for (name, edition, rows, areas) in cases {
        let Some(path) = shared(&format!("data/onspd-editions/{name}")) else { return };
        let bench = Bench::new();
        let report = run(&bench.import(&path)).unwrap();
        assert_eq!((report.fill.rows, report.refused, report.edition.as_str()), (rows, 0, edition));
        let dataset = bench.dataset();
        assert_eq!(compare(std::fs::File::open(&path).unwrap(), &dataset, &OLD), rows);
        let names = Names { areas, ..OLD };
        compare(std::fs::File::open(&path).unwrap(), &dataset, &names);
    }
}

#[test]
fn nspl_areas() {
    let Some(path) = shared("data/nspl_nov2021_20areas.tar.zst") else { return };
    let bench = Bench::new();
    let folder = bench.path("nspl");
    unpack_tar(zstd::Decoder::new(std::fs::File::open(path).unwrap()).unwrap(), &folder);
    let report = run(&bench.import(&folder)).unwrap();
    assert_eq!((report.tables, report.fill.rows, report.refused), (20, 123_018, 0));
    assert_eq!(report.edition, "NSPL November 2021");
    assert!(report.not_covered.contains(&"BT".to_owned()) && !report.not_covered.contains(&"WC".to_owned()));
    let dataset = bench.dataset();
    let areas = &[
        (AreaKind::AdminDistrict, "laua"),
        (AreaKind::AdminWard, "ward"),
        (AreaKind::AdminCounty, "cty"),
        (AreaKind::HealthAuthority, "hlthau"),
        (AreaKind::NationalPark, "park"),
        (AreaKind::IntegratedCareBoard, "stp"),
    ];
    let mut rows = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let file = std::fs::File::open(entry.unwrap().path()).unwrap();
        rows += compare(file, &dataset, &Names { areas, ..OLD });
    }
    assert_eq!(rows, 123_018);
}

/// Unpacks the regular files of a tar archive. Reads only the needed header fields: name, size,
/// kind.
pub(super) fn unpack_tar(mut archive: impl Read, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let mut header = [0; 512];
    while archive.read_exact(&mut header).is_ok() && header[0] != 0 {
        let text = |range: std::ops::Range<usize>| {
            String::from_utf8(header[range].iter().copied().take_while(|c| *c != 0).collect()).unwrap()
        };
        let size = u64::from_str_radix(text(124..136).trim(), 8).unwrap();
        let mut content = Vec::new();
        archive.by_ref().take(size.next_multiple_of(512)).read_to_end(&mut content).unwrap();
        if header[156] == b'0' {
            let name = text(0..100);
            std::fs::write(folder.join(name.rsplit('/').next().unwrap()), &content[..size as usize]).unwrap();
        }
    }
}

#[test]
fn november_2025_with_documents_answers_as_postcodes_io() {
    let (Some(folder), Some(recorded)) =
        (shared("cases/postcodes-io/dataset"), shared("cases/postcodes-io/recorded.jsonl"))
    else {
        return;
    };
    let bench = Bench::new();
    let report = run(&bench.import(&folder)).unwrap();
    assert_eq!((report.tables, report.lists, report.fill.rows, report.fill.live), (1, 28, 8_048, 4_237));
    assert_eq!(report.edition, "ONSPD November 2025");
    let dataset = bench.dataset();
    let mut seen: HashMap<String, Value> = HashMap::new();
    for line in BufReader::new(std::fs::File::open(recorded).unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        // Not the OpenAPI document, in whose schema there are the same keys.
        if line["status"] == 200 && ["exact", "set", "shape"].iter().any(|cmp| line["cmp"] == *cmp) {
            collect(&line["body"], &mut seen);
        }
    }
    assert!(seen.len() > 200, "{} different postcodes in the answers", seen.len());
    for (postcode, expected) in seen {
        let record = dataset.get(postcode.parse().unwrap()).live().unwrap();
        let ours = serde_json::to_value(RecordView::new(&record, Shape::Compatible)).unwrap();
        assert_eq!(ours, expected, "{postcode}");
    }
}

/// Collects the postcode objects in an answer that no `filter` reduced, without their distances.
fn collect(value: &Value, seen: &mut HashMap<String, Value>) {
    match value {
        Value::Object(object)
            if ["postcode", "codes", "lsoa11"].iter().all(|key| object.get(*key).is_some()) =>
        {
            let mut object = object.clone();
            object.remove("distance");
            let postcode = object["postcode"].as_str().unwrap().to_owned();
            seen.insert(postcode, Value::Object(object));
        }
        Value::Object(object) => object.values().for_each(|value| collect(value, seen)),
        Value::Array(array) => array.iter().for_each(|value| collect(value, seen)),
        _ => {}
    }
}

#[test]
fn code_point_open_as_os_lays_it_out() {
    let Some(path) = shared("data/codepoint_open_2023_gb.csv.zst") else { return };
    let bench = Bench::new();
    let mut areas: HashMap<String, String> = HashMap::new();
    let text = BufReader::new(zstd::Decoder::new(std::fs::File::open(&path).unwrap()).unwrap());
    let mut sample = Vec::new();
    for (n, line) in text.lines().skip(1).enumerate() {
        let line = line.unwrap();
        let area: String = line.chars().skip(1).take_while(char::is_ascii_alphabetic).collect();
        if n % 1_000 == 0 {
            sample.push(line.clone());
        }
        let file = areas.entry(area.to_ascii_lowercase()).or_default();
        file.push_str(&line);
        file.push_str("\r\n");
    }
    let mut zip = zip::ZipWriter::new(std::fs::File::create(bench.path("codepo_gb.zip")).unwrap());
    let mut add = |name: &str, content: &str| {
        zip.start_file(name, zip::write::SimpleFileOptions::default().compression_level(Some(1))).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    };
    let count = areas.len();
    for (area, rows) in areas {
        add(&format!("Data/CSV/{area}.csv"), &rows);
    }
    add("Doc/metadata.txt", "PRODUCT: OS CODE-POINT OPEN\r\nCOPYRIGHT DATE: 20231110\r\n");
    add(
        "Doc/Code-Point_Open_Column_Headers.csv",
        "PC,PQ,EA,NO,CY,RH,LH,CC,DC,WC\r\nPostcode,x,y,z,a,b,c,d,e,f\r\n",
    );
    zip.finish().unwrap();
    let report = run(&bench.import(bench.path("codepo_gb.zip"))).unwrap();
    assert_eq!(
        (report.tables, report.fill.rows, report.fill.live, report.refused),
        (count, 1_734_274, 1_734_274, 0)
    );
    assert_eq!(report.edition, "Code-Point Open November 2023");
    assert_eq!(report.not_covered, ["BT", "GY", "IM", "JE"]);
    let dataset = bench.dataset();
    assert!(
        dataset
            .info()
            .attribution
            .ends_with("National Statistics data © Crown copyright and database right 2023")
    );
    for line in sample {
        let cells: Vec<&str> = line.split(',').map(|cell| cell.trim_matches('"')).collect();
        let record = dataset.get(cells[0].parse().unwrap()).live().unwrap();
        assert_eq!(record.quality.map(|quality| u32::from(quality) * 10), cells[1].parse().ok(), "{line}");
        let grid = record.grid.map_or((0, 0), |grid| (grid.eastings, grid.northings));
        assert_eq!(
            (grid.0.to_string(), grid.1.to_string()),
            (cells[2].to_owned(), cells[3].to_owned()),
            "{line}"
        );
        assert_eq!(record.area_code(AreaKind::AdminDistrict).unwrap_or(""), cells[8], "{line}");
        assert_eq!(record.location.is_some(), grid != (0, 0), "{line}");
    }
    // The same as the national file of ONS, whose positions are of another edition.
    let header = bench.file("header.csv", "");
    let mut reader = zstd::Decoder::new(std::fs::File::open(&path).unwrap()).unwrap();
    std::io::copy(&mut reader, &mut std::fs::File::create(&header).unwrap()).unwrap();
    let report = run(&bench.import(&header)).unwrap();
    assert_eq!((report.fill.rows, report.refused), (1_734_274, 0), "with a header");
}

#[test]
fn the_whole_country() {
    let Some(path) = shared("data/uk_postcodes_joined_nov2025.csv.zst") else { return };
    let bench = Bench::new();
    let report = run(&bench.import(&path)).unwrap();
    assert_eq!((report.fill.rows, report.fill.live, report.refused), (2_720_556, 1_819_174, 0));
    assert_eq!((report.edition.as_str(), report.not_covered.len()), ("ONSPD November 2025", 0));
    let dataset = bench.dataset();
    let mut rows = csv::Reader::from_reader(zstd::Decoder::new(std::fs::File::open(&path).unwrap()).unwrap());
    let mut row = csv::StringRecord::new();
    let mut computed = 0;
    while rows.read_record(&mut row).unwrap() {
        let answer = dataset.get(row[0].parse().unwrap());
        assert_eq!(answer.status(), &row[1], "{}", &row[0]);
        let record = answer.into_record().unwrap();
        let grid = record.grid.map(|grid| (grid.eastings, grid.northings));
        assert_eq!(grid, row[5].parse().ok().zip(row[6].parse().ok()), "{}", &row[0]);
        assert_eq!(record.user_type.map_or("", |user| user.as_str()), &row[3]);
        assert_eq!(record.area_code(AreaKind::AdminDistrict).unwrap_or(""), &row[9]);
        assert_eq!(
            record.grid.is_some_and(|grid| grid.system == GridSystem::Irish),
            row[0].starts_with("BT") && grid.is_some()
        );
        match record.location {
            Some(location) if !row[7].is_empty() => {
                assert_eq!(
                    (row[7].parse(), row[8].parse()),
                    (Ok(location.latitude()), Ok(location.longitude()))
                );
            }
            Some(_) => computed += 1,
            None => assert!(row[7].is_empty()),
        }
    }
    assert_eq!(computed, report.fill.computed);
}
