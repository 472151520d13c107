//! Measures the bytes of a postcode in the file at national scale, with all columns and all names.
//!
//! Real data: the 2,720,556 postcodes with their status, user type, quality, grid reference,
//! location and district, and the names and codes of ONS's lists. Synthetic data, because no
//! full-width national edition is at hand: the areas below the district (by nested clustering of
//! the real coordinates), the months and the rank. The result is the same each time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, which clippy takes for production")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use postcode_core::AreaKind::{self, *};
use postcode_core::dataset::{AreaId, DatasetBuilder, Metadata, Row};
use postcode_core::{
    GridReference, GridSystem, Location, ScottishArea, ScottishPostcode, Status, UserType, YearMonth,
};
use postcode_testing::{Proof, shared};

/// Bytes a postcode at most.
const MOST: f64 = 26.0;

/// Areas that nest: the kind, and how many of the level before make one. The first level consists
/// of postcodes.
const NESTED: [(AreaKind, usize); 3] = [(OutputArea21, 15), (Lsoa21, 5), (Msoa21, 5)];

/// Areas that do not nest. Each kind is clustered separately, with this many postcodes an area (all
/// postcodes divided by the number of areas).
const LOOSE: [(AreaKind, usize); 15] = [
    (AdminWard, 300),
    (Parish, 220),
    (CountyElectoralDivision, 1_900),
    (BuiltUpArea, 350),
    (ParliamentaryConstituency, 4_200),
    (ParliamentaryConstituencyBefore, 4_200),
    (Lsoa11, 65),
    (Msoa11, 330),
    (Ccg, 18_000),
    (PrimaryCareTrust, 13_000),
    (TravelToWorkArea, 12_000),
    (IntegratedCareBoard, 50_000),
    (CancerAlliance, 100_000),
    (LocalEnterprisePartnership1, 60_000),
    (NationalPark, 180_000),
];

/// A row of the real file, with the values by which it is clustered.
struct Point {
    row: Row,
    district: String,
    place: [i32; 2],
}

/// Returns whether a district is among one in `share`, judged by the digits of its code.
fn is_drawn(district: &str, share: u64) -> bool {
    let digits = district.bytes().filter(u8::is_ascii_digit);
    digits.fold(0u64, |number, digit| number * 10 + u64::from(digit - b'0')).is_multiple_of(share)
}

/// Reads the postcodes of one district in `share`.
fn read(path: PathBuf, share: u64) -> Vec<Point> {
    let mut reader =
        csv::Reader::from_reader(zstd::Decoder::new(std::fs::File::open(path).unwrap()).unwrap());
    let mut points = Vec::new();
    let mut line = csv::StringRecord::new();
    while reader.read_record(&mut line).unwrap() {
        if !is_drawn(&line[9], share) {
            continue;
        }
        let cell = |at: usize| Some(&line[at]).filter(|cell| !cell.is_empty());
        let mut row = Row::live(line[0].parse().unwrap());
        if &line[1] == "terminated" {
            row.status = Status::Terminated;
            row.terminated =
                YearMonth::new(1974 + (points.len() % 51) as u16, 1 + (points.len() % 12) as u8).ok();
        }
        row.introduced =
            YearMonth::new(1973 + (points.len() % 52) as u16, 1 + (points.len() % 12) as u8).ok();
        row.user_type = cell(3).map(|text| if text == "large" { UserType::Large } else { UserType::Small });
        row.quality = cell(4).and_then(|text| text.parse().ok());
        let system = if line[0].starts_with("BT") { GridSystem::Irish } else { GridSystem::Osgb };
        row.grid = cell(5).zip(cell(6)).map(|(east, north)| GridReference {
            eastings: east.parse().unwrap(),
            northings: north.parse().unwrap(),
            system,
        });
        row.location = cell(7)
            .zip(cell(8))
            .map(|(lat, long)| Location::new(lat.parse().unwrap(), long.parse().unwrap()).unwrap());
        let place = row.grid.map_or([0, 0], |grid| [grid.eastings as i32, grid.northings as i32]);
        points.push(Point { row, district: line[9].to_owned(), place });
    }
    points
}

/// Reads the codes and names of one of ONS's lists.
fn list(folder: &std::path::Path, starts: &str) -> Vec<(String, String)> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let file = files.into_iter().find(|file| file.file_name().to_string_lossy().starts_with(starts)).unwrap();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(file.path()).unwrap();
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| (row[0].to_owned(), row[row.len() - 1].to_owned())).collect()
}

/// Halves the points at the median of their wider extent until no part has more than `size`; the
/// parts in their order.
fn clusters(points: &[Point], among: &mut [u32], size: usize, parts: &mut Vec<Vec<u32>>) {
    if among.len() <= size {
        return parts.push(among.to_vec());
    }
    let place = |n: u32| points[n as usize].place;
    let extent = |axis: usize| {
        let all = among.iter().map(|n| place(*n)[axis]);
        all.clone().max().unwrap_or(0) - all.min().unwrap_or(0)
    };
    let axis = usize::from(extent(1) > extent(0));
    among.sort_unstable_by_key(|n| (place(*n)[axis], *n));
    let (low, high) = among.split_at_mut(among.len() / 2);
    clusters(points, low, size, parts);
    clusters(points, high, size, parts);
}

/// Numbers for areas of one kind: real codes and names as far as the list goes, and then made ones.
fn area(builder: &mut DatasetBuilder, kind: AreaKind, list: &[(String, String)], number: usize) -> AreaId {
    match list.get(number) {
        Some((code, name)) => {
            builder.name_area(kind, code, Some(name), None).unwrap();
            builder.area(kind, code).unwrap()
        }
        None => {
            let code = format!("E99{number:06}");
            if kind != OutputArea21 {
                let name = format!("An area as long as others {number:05}");
                builder.name_area(kind, &code, Some(&name), None).unwrap();
            }
            builder.area(kind, &code).unwrap()
        }
    }
}

/// The areas of the Scottish Postcode Directory, with the number of Scotland's live postcodes in
/// one (there are 7,392 data zones of 2022, 6,976 of 2011, 1,334 and 1,279 intermediate zones, 656
/// localities, 871 parishes, …).
const SCOTTISH: [(ScottishArea, usize); 16] = [
    (ScottishArea::ScottishParliamentaryConstituency, 2_190),
    (ScottishArea::ScottishParliamentaryRegion, 20_000),
    (ScottishArea::UkParliamentaryConstituency, 2_800),
    (ScottishArea::ElectoralWard, 450),
    (ScottishArea::HealthBoardArea, 11_400),
    (ScottishArea::IntegrationAuthority, 5_000),
    (ScottishArea::IntermediateZone, 120),
    (ScottishArea::IntermediateZone2011, 125),
    (ScottishArea::Locality, 240),
    (ScottishArea::Settlement, 310),
    (ScottishArea::CivilParish, 180),
    (ScottishArea::Island, 1_600),
    (ScottishArea::NationalPark, 40_000),
    (ScottishArea::TravelToWorkArea, 3_500),
    (ScottishArea::EnterpriseRegion, 26_000),
    (ScottishArea::ItlLevel3, 7_000),
];

/// Writes a Scottish Postcode Directory for Scotland's live postcodes. Data zones nest as in
/// reality (a few of 2022 differ from those of 2011), and larger areas consist of whole data zones
/// of 2011. Real names are those of ONS's lists, which the file already has.
fn directory(builder: &mut DatasetBuilder, points: &[Point], districts: &BTreeMap<String, Vec<u32>>) -> u64 {
    let live = |n: &&u32| points[**n as usize].row.status == Status::Live;
    // Halving leaves two thirds of that: as many data zones as there are.
    const ZONE: usize = 33;
    let mut zones = Vec::new();
    for (_, among) in districts.iter().filter(|(code, _)| code.starts_with('S')) {
        clusters(points, &mut among.iter().filter(live).copied().collect::<Vec<_>>(), ZONE, &mut zones);
    }
    let count: usize = zones.iter().map(Vec::len).sum();
    let mut pushed = 0;
    let (mut before, mut seen) = (0, 0);
    for (number, zone) in zones.iter().enumerate() {
        for (place, n) in zone.iter().enumerate() {
            let postcode = points[*n as usize].row.postcode;
            let mut entry = ScottishPostcode::new(postcode, None, None);
            entry.set(ScottishArea::DataZone2011, None, Some(format!("S01{number:06}")));
            // One in four data zones was drawn anew, and some postcodes of it are in the next one.
            let moved = usize::from(number % 4 == 0 && place * 3 < zone.len());
            entry.set(ScottishArea::DataZone, None, Some(format!("S01{:06}", 13_482 + number + moved)));
            for (area, size) in SCOTTISH {
                // For areas that do not consist of data zones, a tenth of the zones has parts in
                // two.
                let part = usize::from((number + size) % 10 == 0 && place * 2 < zone.len());
                entry.set(area, None, Some(format!("S{:02}{:06}", area as u16, (before + part * 23) / size)));
            }
            entry.set(ScottishArea::CouncilArea, None, Some(format!("S12{:06}", before / 5_000)));
            entry.set(ScottishArea::LauLevel1, None, Some(format!("S30{:06}", before / 5_000)));
            entry.set(ScottishArea::RegistrationDistrict, None, Some(format!("S12{:06}", before / 5_000)));
            entry.set(ScottishArea::ItlLevel2, None, Some(format!("TLM{}", before / 40_000)));
            entry.set(
                ScottishArea::StrategicDevelopmentPlanningArea,
                None,
                Some(format!("S11{:06}", before / 40_000)),
            );
            entry.scottish_index_of_multiple_deprivation = Some((number * 5 % 6_976) as u16 + 1);
            entry.urban_rural_8_fold = Some((number % 8 + 1).to_string());
            entry.urban_rural_6_fold = Some((number % 6 + 1).to_string());
            entry.split_indicator = Some(if (seen + place) % 50 == 0 { "Y" } else { "N" }.to_owned());
            builder.push_scottish(&entry).unwrap();
            pushed += 1;
        }
        (before, seen) = (before + zone.len(), seen + zone.len());
    }
    assert_eq!(pushed as usize, count);
    println!("{} data zones, {pushed} postcodes of the Scottish Postcode Directory", zones.len());
    pushed
}

/// All postcodes.
const NATIONAL: u64 = 2_720_556;

#[test]
fn a_postcode_with_all_columns_and_names_costs_less_than_26_bytes() {
    let (Some(national), Some(lists)) =
        (shared("data/uk_postcodes_joined_nov2025.csv.zst"), shared("cases/postcodes-io/dataset/Documents"))
    else {
        return;
    };
    let mut proof = Proof::new("postcodes with all columns", "POSTCODE_TEST_WIDTH", NATIONAL / 8, NATIONAL);
    while let Some(size) = proof.grow() {
        measure(read(national.clone(), NATIONAL / size), &lists);
    }
    proof.end();
}

fn measure(mut points: Vec<Point>, lists: &Path) {
    let postcodes = points.len() as f64;
    let mut builder = DatasetBuilder::new(Metadata::new("synthesised"));
    let named = |kind: AreaKind| {
        let starts = match kind {
            OutputArea21 | ParliamentaryConstituencyBefore => return Vec::new(),
            Lsoa21 => "LSOA21",
            Msoa21 => "MSOA21",
            Lsoa11 => "LSOA11",
            Msoa11 => "MSOA11",
            AdminWard => "WD25",
            Parish => "PARNCP25",
            CountyElectoralDivision => "CED25",
            BuiltUpArea => "BUA24",
            ParliamentaryConstituency => "PCON24",
            Ccg => "SICBL24",
            PrimaryCareTrust => "PCO19",
            TravelToWorkArea => "TTWA15",
            IntegratedCareBoard => "ICB23",
            CancerAlliance => "CAL24",
            LocalEnterprisePartnership1 => "LEP21",
            NationalPark => "NPARK16",
            other => panic!("{other:?}"),
        };
        list(lists, starts)
    };
    let mut districts: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (n, point) in points.iter().enumerate() {
        districts.entry(point.district.clone()).or_default().push(n as u32);
    }
    // Output areas within districts, one in another.
    let lists_of_nested = NESTED.map(|(kind, _)| named(kind));
    let mut outputs = Vec::new();
    for among in districts.values_mut() {
        clusters(&points, among, NESTED[0].1, &mut outputs);
    }
    let classes =
        [(RuralUrban11, "RUC11"), (RuralUrban21, "RUC21")].map(|(kind, file)| (kind, list(lists, file)));
    for (number, among) in outputs.iter().enumerate() {
        let mut ids = Vec::new();
        let mut number = number;
        for ((kind, size), list) in NESTED.iter().zip(&lists_of_nested) {
            number /= if *kind == OutputArea21 { 1 } else { *size };
            ids.push(area(&mut builder, *kind, list, number));
            if *kind == Lsoa21 {
                for n in among {
                    points[*n as usize].row.deprivation_rank = Some((number % 32_844) as u16 + 1);
                }
                for (kind, list) in &classes {
                    ids.push(area(&mut builder, *kind, list, number % list.len()));
                }
            }
        }
        for n in among {
            ids.iter().for_each(|id| points[*n as usize].row.areas.set(*id));
        }
    }
    let outputs = outputs.len();
    // Each of the others for itself, and so across the borders of output areas.
    let countries = list(lists, "CTRY25");
    let districts_named = list(lists, "LAD25");
    for (kind, size) in LOOSE {
        let list = named(kind);
        let mut parts = Vec::new();
        if size > 5_000 {
            clusters(&points, &mut (0..points.len() as u32).collect::<Vec<_>>(), size, &mut parts);
        } else {
            districts.values_mut().for_each(|among| clusters(&points, among, size, &mut parts));
        }
        for (number, among) in parts.iter().enumerate() {
            let id = area(&mut builder, kind, &list, number);
            among.iter().for_each(|n| points[*n as usize].row.areas.set(id));
        }
    }
    // What follows from the district.
    let above = [
        (Country, countries),
        (HealthAuthority, list(lists, "HLTH19")),
        (EuropeanElectoralRegion, list(lists, "EER20")),
        (Region, list(lists, "RGN25")),
        (AdminCounty, list(lists, "CTY25")),
        (NhsRegion, list(lists, "NHSER24")),
        (PoliceForceArea, list(lists, "PFA23")),
        (LocalEnterprisePartnership2, list(lists, "LEP21")),
    ];
    for (number, (code, among)) in districts.iter().enumerate() {
        let mut ids: Vec<AreaId> =
            above.iter().map(|(kind, list)| area(&mut builder, *kind, list, number % list.len())).collect();
        if !code.is_empty() {
            let name = districts_named.iter().find(|(other, _)| other == code).map(|(_, name)| name.as_str());
            builder.name_area(AdminDistrict, code, name, None).unwrap();
            builder.name_area(Nuts, code, name, Some(&format!("TL{number:03}"))).unwrap();
            ids.push(builder.area(AdminDistrict, code).unwrap());
            ids.push(builder.area(Nuts, code).unwrap());
        }
        for n in among {
            ids.iter().for_each(|id| points[*n as usize].row.areas.set(*id));
        }
    }
    for point in &points {
        builder.push(&point.row).unwrap();
    }
    let scottish = directory(&mut builder, &points, &districts);
    drop(points);
    let dataset = builder.build().unwrap();
    let summary = dataset.summary();
    assert!(AreaKind::ALL.iter().all(|kind| summary.metadata.columns.contains(&format!("{kind:?}"))));
    let each = |bytes: u64| bytes as f64 / postcodes;
    println!("{outputs} output areas, {} sets of areas, {} bytes", summary.area_sets, summary.bytes);
    assert_eq!(summary.metadata.scottish_postcodes, scottish);
    for section in &summary.sections {
        println!("{:<40} {:>11} {:>6.2}", section.name, section.bytes, each(section.bytes));
    }
    for column in summary.columns.iter().filter(|column| column.table.starts_with("Scottish")) {
        println!("{:<40} {:>4} bits", format!("{}: {}", column.table, column.name), column.bits);
    }
    println!("{:.2} bytes for each of {postcodes} postcodes", each(summary.bytes));
    assert!(each(summary.bytes) < MOST, "{:.2} bytes a postcode", each(summary.bytes));
}
