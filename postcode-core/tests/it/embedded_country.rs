//! Compares the embedded data with the join of its sources, row by row, and with ONS's latitudes.
#![cfg(feature = "embedded")]
#![allow(clippy::unwrap_used)] // In a test it is the failure.

use postcode_core::dataset::Dataset;
use postcode_core::{Answer, AreaKind, Postcode, Record, Status, UserType};
use postcode_testing::shared;

fn postcode(text: &str) -> Postcode {
    text.parse().unwrap()
}

#[test]
fn it_is_whole_and_says_what_it_is() {
    let country = Dataset::embedded().unwrap();
    country.verify().unwrap();
    let info = country.info();
    assert_eq!(info.edition, "ONSPD November 2025");
    assert_eq!((info.live, info.terminated), (1_763_034, 894_390));
    assert_eq!(info.not_covered, ["BF", "BT", "BX", "GX", "XX"]);
    assert!(info.not_covered_advice.as_deref().is_some_and(|advice| advice.contains("ONSPD")));
    for source in [
        "OS data",
        "Royal Mail data",
        "Office for National Statistics",
        "Open Government Licence",
        "NRS data",
    ] {
        assert!(info.attribution.contains(source), "{}", info.attribution);
    }
}

/// A field, whether a record has it, and the source of the field.
type Checked = (&'static str, fn(&Record) -> bool, &'static str);

#[test]
fn fields_are_counted_as_the_records_have_them_and_each_names_its_source() {
    let country = Dataset::embedded().unwrap();
    let checked: [Checked; 8] = [
        ("admin_ward", |record| record.area_name(AreaKind::AdminWard).is_some(), "Code-Point Open"),
        ("codes.admin_ward", |record| record.area_code(AreaKind::AdminWard).is_some(), "Code-Point Open"),
        ("region", |record| record.area_name(AreaKind::Region).is_some(), "the district"),
        ("codes.region", |record| record.area_code(AreaKind::Region).is_some(), "the district"),
        ("codes.lsoa21", |record| record.area_code(AreaKind::Lsoa21).is_some(), "NRS"),
        ("date_of_termination", |record| record.terminated.is_some(), "ONS lookup"),
        ("user_type", |record| record.user_type.is_some(), "ONSPD"),
        ("latitude", |record| record.location.is_some(), "computed from the grid reference"),
    ];
    let mut counts = [(0, 0); 8];
    for record in country.iter() {
        for ((all, live), (_, has, _)) in counts.iter_mut().zip(&checked) {
            let has = u64::from(has(&record));
            *all += has;
            *live += has * u64::from(record.status == Status::Live);
        }
    }
    let fields = country.fields();
    for ((name, _, source), (all, live)) in checked.into_iter().zip(counts) {
        let field = fields.iter().find(|field| field.field == name).unwrap();
        assert_eq!((field.postcodes, field.live), (all, live), "{name}");
        assert!((field.share_of_live - live as f64 / 1_763_034.0).abs() < 1e-6, "{name}");
        assert_eq!(field.sources[0].source, source, "{name}");
    }
    let names: Vec<&str> = fields.iter().map(|field| &*field.field).collect();
    assert_eq!(names, country.info().columns);
    for field in fields {
        assert!(!field.sources.is_empty(), "{}: no source in postcode-core/data/fields.csv", field.field);
        assert!(field.postcodes > 0, "{}", field.field);
    }
    assert!(!names.contains(&"parish") && !names.contains(&"codes.lsoa"), "{names:?}");
}

#[test]
fn well_known_postcodes() {
    let country = Dataset::embedded().unwrap();
    let palace = country.get(postcode("SW1A 1AA")).live().unwrap();
    assert_eq!(palace.admin_district(), Some("Westminster"));
    assert_eq!(palace.area_code(AreaKind::AdminDistrict), Some("E09000033"));
    assert_eq!(palace.region(), Some("London"));
    assert_eq!(palace.area_code(AreaKind::Region), Some("E12000007"));
    assert_eq!(palace.country(), Some("England"));
    assert_eq!(palace.area_code(AreaKind::Country), Some("E92000001"));
    assert_eq!(palace.introduced.map(|month| month.to_string()).as_deref(), Some("198001"));
    assert_eq!(palace.admin_district_welsh(), None);
    let cardiff = country.get(postcode("CF10 1EP")).live().unwrap();
    assert_eq!(
        (cardiff.admin_district(), cardiff.admin_district_welsh()),
        (Some("Cardiff"), Some("Caerdydd"))
    );
    let areas = [
        (AreaKind::AdminWard, Some("E05013806"), Some("St James's")),
        // ONS's codes for what London does not have.
        (AreaKind::AdminCounty, Some("E99999999"), None),
        (AreaKind::CountyElectoralDivision, Some("E99999999"), None),
        (AreaKind::NationalPark, Some("E65000001"), Some("England (non-National Park)")),
        (AreaKind::Nuts, Some("E09000033"), Some("Westminster")),
        (AreaKind::HealthAuthority, Some("E18000007"), Some("London")),
        (AreaKind::EuropeanElectoralRegion, Some("E15000007"), Some("London")),
        (AreaKind::PoliceForceArea, Some("E23000001"), Some("Metropolitan Police")),
        (AreaKind::NhsRegion, Some("E40000003"), Some("London")),
        (
            AreaKind::IntegratedCareBoard,
            Some("E54000027"),
            Some("NHS North West London Integrated Care Board"),
        ),
        (AreaKind::Ccg, Some("E38000256"), Some("NHS North West London ICB - W2U3Z")),
        (AreaKind::Lsoa11, Some("E01004736"), Some("Westminster 018C")),
        (AreaKind::Msoa11, Some("E02000977"), Some("Westminster 018")),
        // No source has these.
        (AreaKind::Lsoa21, None, None),
        (AreaKind::ParliamentaryConstituency, None, None),
    ];
    for (kind, code, name) in areas {
        assert_eq!((palace.area_code(kind), palace.area_name(kind)), (code, name), "{kind:?}");
    }
    assert_eq!(palace.area(AreaKind::Ccg).and_then(|area| area.alias), Some("W2U3Z"));
    // A two-tier district, Wales, and Scotland with the census areas of 2022.
    let code = |text, kind| {
        let record = country.get(postcode(text)).live().unwrap();
        record.area_code(kind).map(str::to_owned)
    };
    for (text, kind, expected) in [
        ("LE10 1AA", AreaKind::AdminCounty, "E10000018"),
        ("LE10 1AA", AreaKind::PoliceForceArea, "E23000021"),
        ("CF10 1EP", AreaKind::HealthAuthority, "W11000029"),
        ("CF10 1EP", AreaKind::PoliceForceArea, "W15000003"),
        ("CF10 1EP", AreaKind::AdminWard, "W05001274"),
        ("EH1 1YZ", AreaKind::Lsoa21, "S01014710"),
        ("EH1 1YZ", AreaKind::HealthAuthority, "S08000024"),
        ("EH1 1YZ", AreaKind::Nuts, "S30000008"),
        ("EH1 1YZ", AreaKind::NhsRegion, "S99999999"),
        ("CF10 1EP", AreaKind::PrimaryCareTrust, "W11000029"),
        ("CF10 1EP", AreaKind::AdminCounty, "W99999999"),
        ("S1 2HH", AreaKind::Nuts, "E08000019"),
    ] {
        assert_eq!(code(text, kind).as_deref(), Some(expected), "{text} {kind:?}");
    }
    let ended = country.get(postcode("AB1 0AA")).into_record().unwrap();
    assert_eq!(ended.terminated.map(|month| month.to_string()).as_deref(), Some("199606"));
    for (text, status) in [
        ("EH1 1YZ", "live"),
        ("CF10 1EP", "live"),
        ("JE2 3AB", "live"),
        ("GY1 1AA", "live"),
        ("DN55 1PT", "terminated"),
        ("GIR 0AA", "terminated"),
        ("NPT 0VA", "terminated"),
        ("IM1 1AA", "terminated"),
        ("BT1 5GS", "not_covered"),
        ("BF1 2AY", "not_covered"),
        ("BX1 1LT", "not_covered"),
        ("GX11 1AA", "not_covered"),
        ("XX10 1DD", "not_covered"),
        ("SW1A 9ZZ", "unknown"),
    ] {
        assert_eq!(country.get(postcode(text)).status(), status, "{text}");
    }
}

#[test]
fn every_row_is_that_of_the_sources() {
    let Some(path) = shared("data/uk_postcodes_pypi_only_nov2025.csv.zst") else { return };
    let country = Dataset::embedded().unwrap();
    let text = zstd::Decoder::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut reader = csv::Reader::from_reader(text);
    let (mut compared, mut not_covered) = (0_u64, 0_u64);
    // The reference ends in February 2024; the embedded status and quality are those of
    // Code-Point Open of April 2025 where that lists the postcode.
    let (mut ended, mut revived, mut measured, mut measured_again) = (0, 0, 0, 0);
    for row in reader.records() {
        let row = row.unwrap();
        let asked = postcode(&row[0]);
        let answer = country.get(asked);
        if asked.area() == "BT" {
            assert_eq!(answer, Answer::NotCovered, "{asked}");
            not_covered += 1;
            continue;
        }
        let record = answer.into_record().unwrap_or_else(|| panic!("{asked} is not there"));
        match (&row[1], record.status) {
            ("live", Status::Live) | ("terminated", Status::Terminated) => {}
            ("live", _) => ended += 1,
            _ => revived += 1,
        }
        assert_eq!(record.user_type.map_or("", UserType::as_str), &row[2], "{asked}");
        match (&row[3], record.quality.map(|quality| quality.to_string())) {
            (old, new) if old == new.as_deref().unwrap_or_default() => {}
            ("", _) => measured += 1,
            _ => measured_again += 1,
        }
        let grid = record.grid.map(|grid| (grid.eastings.to_string(), grid.northings.to_string()));
        let (eastings, northings) = grid.unwrap_or_default();
        assert_eq!((eastings.as_str(), northings.as_str()), (&row[4], &row[5]), "{asked}");
        assert_eq!(record.location.is_some(), !row[4].is_empty(), "{asked}");
        assert_eq!(record.area_code(AreaKind::AdminDistrict).unwrap_or_default(), &row[6], "{asked}");
        // Every code has a name, except for the pseudo codes.
        for kind in [AreaKind::AdminDistrict, AreaKind::Country] {
            if let Some(area) = record.area(kind) {
                let pseudo = area.code.is_some_and(|code| code.ends_with("99999999"));
                assert!(area.name.is_some() || pseudo, "{asked}: {area:?}");
            }
        }
        if record.country() == Some("England") && record.admin_district().is_some() {
            assert!(record.region().is_some(), "{asked}");
        }
        compared += 1;
    }
    assert_eq!((ended, revived), (10_230, 3_809));
    assert_eq!((measured, measured_again), (12_349, 2_963));
    // No row is missing, and there are no others.
    assert_eq!(compared, country.info().live + country.info().terminated);
    println!("{compared} rows equal, {not_covered} of Northern Ireland not covered");
}

/// Areas that follow from the district, as genuine rows of ONS have them: of November 2025, and of 20 postcode areas in 2021.
#[test]
fn areas_that_follow_from_the_district_are_those_of_ons() {
    use AreaKind::*;
    let country = Dataset::embedded().unwrap();
    let compare = |reader: &mut csv::Reader<Box<dyn std::io::Read>>,
                   columns: &[(&str, AreaKind)],
                   from: &str,
                   now: bool| {
        let headers = reader.headers().unwrap().clone();
        let at = |name: &str| headers.iter().position(|header| header == name).unwrap();
        let (pcds, district) = (at("pcds"), at(from));
        let columns: Vec<_> = columns.iter().map(|(name, kind)| (at(name), *kind)).collect();
        let mut compared = 0_u64;
        for row in reader.records() {
            let row = row.unwrap();
            let Some(record) = country.get(postcode(&row[pcds])).into_record() else { continue };
            // The postcode may have moved, or its district be another since.
            if record.area_code(AdminDistrict) != Some(&row[district]) {
                continue;
            }
            for (at, kind) in &columns {
                // Boards and regions were others in 2021, and the rows of November 2025 have an older code for the NHS region
                // of the North West than ONS's list of names. Codes for "none" have not changed.
                let as_now = now && *kind != NhsRegion;
                let lasts = |code: &&str| as_now || code.ends_with("99999999") || *kind == PrimaryCareTrust;
                if let Some(code) = record.area_code(*kind).filter(lasts) {
                    assert_eq!(code, &row[*at], "{} {kind:?}", &row[pcds]);
                    compared += 1;
                }
            }
        }
        compared
    };
    if let Some(path) = shared("cases/postcodes-io/dataset/Data/ONSPD_NOV_2025_UK.csv") {
        let file: Box<dyn std::io::Read> = Box::new(std::fs::File::open(path).unwrap());
        let columns = [
            ("cty25cd", AdminCounty),
            ("ced25cd", CountyElectoralDivision),
            ("parncp25cd", Parish),
            ("itl25cd", Nuts),
            ("npark16cd", NationalPark),
            ("nhser24cd", NhsRegion),
            ("icb23cd", IntegratedCareBoard),
            ("cal24cd", CancerAlliance),
            ("lep21cd1", LocalEnterprisePartnership1),
        ];
        let compared = compare(&mut csv::Reader::from_reader(file), &columns, "lad25cd", true);
        assert!(compared > 50_000, "{compared}");
    }
    if let Some(path) = shared("data/nspl_nov2021_20areas.tar.zst") {
        let mut tar = Vec::new();
        std::io::copy(&mut zstd::Decoder::new(std::fs::File::open(path).unwrap()).unwrap(), &mut tar)
            .unwrap();
        // Each file begins with its header, after the block that names it.
        let text = String::from_utf8_lossy(&tar).into_owned();
        let header = text.find("\"pcd\",").or_else(|| text.find("pcd,")).unwrap();
        let quoted = text[header..].starts_with('"');
        let first = if quoted { "\"pcd\"," } else { "pcd," };
        let columns = [
            ("ced", CountyElectoralDivision),
            ("nhser", NhsRegion),
            ("calncv", CancerAlliance),
            ("lep1", LocalEnterprisePartnership1),
            ("pct", PrimaryCareTrust),
        ];
        let mut compared = 0;
        for table in text.split(first).skip(1) {
            let table = format!("{first}{}", table.split('\0').next().unwrap());
            let rows: Box<dyn std::io::Read> = Box::new(std::io::Cursor::new(table.into_bytes()));
            compared += compare(&mut csv::Reader::from_reader(rows), &columns, "laua", false);
        }
        assert!(compared > 200_000, "{compared}");
    }
}

/// The table of districts and their territories has what ONS's list of names has.
#[test]
fn territories_are_those_of_the_list_of_ons() {
    let Some(path) = shared("cases/postcodes-io/dataset/Documents/ITL25 names and codes.csv") else { return };
    let country = Dataset::embedded().unwrap();
    let mut found = std::collections::BTreeMap::new();
    for record in country.iter() {
        if let Some(area) = record.area(AreaKind::Nuts) {
            let code = area.code.unwrap().to_owned();
            found
                .entry(code)
                .or_insert_with(|| (area.alias.map(str::to_owned), area.name.map(str::to_owned)));
        }
    }
    let mut missing = Vec::new();
    for row in csv::Reader::from_path(path).unwrap().records() {
        let row = row.unwrap();
        match found.remove(&row[0]) {
            Some(ours) => assert_eq!(ours, (Some(row[1].to_owned()), Some(row[2].to_owned())), "{}", &row[0]),
            None => missing.push(row[0].to_owned()),
        }
    }
    // North Ayrshire is two of them; Northern Ireland is not covered.
    assert!(
        missing.iter().all(|code| code.starts_with('N') || ["S30000018", "S30000034"].contains(&&**code)),
        "{missing:?}"
    );
    assert!(found.keys().all(|code| code.ends_with("99999999")), "{found:?}");
}

#[test]
fn latitude_and_longitude_are_those_of_ons() {
    let Some(path) = shared("cases/postcodes-io/dataset/Data/ONSPD_NOV_2025_UK.csv") else { return };
    let country = Dataset::embedded().unwrap();
    let mut reader = csv::Reader::from_path(path).unwrap();
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let columns = ["pcds", "east1m", "north1m", "lat", "long"].map(column);
    let (mut equal, mut rounded) = (0, 0);
    for row in reader.records() {
        let row = row.unwrap();
        let [pcds, east, north, latitude, longitude] = columns.map(|column| row[column].trim());
        let Some(record) = country.get(postcode(pcds)).into_record() else { continue };
        let Some((grid, location)) = record.grid.zip(record.location) else { continue };
        // The sample is older than its name: some postcodes have moved since.
        if east.parse() != Ok(grid.eastings) || north.parse() != Ok(grid.northings) {
            continue;
        }
        let far = (location.latitude() - latitude.parse::<f64>().unwrap())
            .abs()
            .max((location.longitude() - longitude.parse::<f64>().unwrap()).abs());
        // The last digit may be rounded the other way.
        assert!(far < 1.5e-6, "{pcds}: {location:?}, ONS has {latitude} {longitude}");
        if far < 1e-9 { equal += 1 } else { rounded += 1 }
    }
    assert!(equal > 7_000, "{equal} compared");
    assert!(rounded * 1_000 < equal, "{rounded} of {equal} differ in the last digit");
}
