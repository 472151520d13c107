//! OS Open Names and the Scottish Postcode Directory, in addition to ONSPD.

use std::io::Write;

use postcode_core::{PlaceQuery, ScottishArea};

use super::{Bench, run, shared};

const POSTCODES: &str = "pcds,doterm,oseast1m,osnrth1m,lat,long\nFK8 1AA,,279834,693098,56.115,-3.934\n";

/// Builds a row of OS Open Names: code, name, type, local type, eastings, northings, outcode.
fn name(cells: [&str; 7]) -> String {
    let [code, name, kind, local, east, north, outcode] = cells;
    let uri = "http://data.ordnancesurvey.co.uk/id/1";
    let unitary = "http://data.ordnancesurvey.co.uk/ontology/admingeo/UnitaryAuthority";
    format!(
        "{code},{uri},{name},,,,{kind},{local},{east},{north},1,2,279000.9,693000.1,280000,,{outcode},,,,,,,,\
         Stirling,http://data.ordnancesurvey.co.uk/id/7000000000030433,{unitary},Scotland,,Scotland,,,,\n"
    )
}

fn stirling() -> String {
    name(["osgb4000000074551019", "Stirling", "populatedPlace", "City", "279834.410", "693098.980", "FK8"])
}

const ENTRY: &str =
    "FK8 1AA,FK8,FK8 1,1/8/1973 00:00:00,,279834,693098,56.1,-3.9,N,S12000030,S14000057,S17000015,S16000149";

fn entry(start: &str) -> String {
    format!("{start}{}\n", ",".repeat(57 - start.split(',').count()))
}

#[test]
fn all_in_one_file_with_byte_order_marks_and_headers_or_without() {
    let bench = Bench::new();
    bench.file("Data/ONSPD_NOV_2025_UK.csv", POSTCODES);
    bench.file(
        "Documents/SPC21 names and codes.csv",
        "SPC21CD,SPC21NM\nS16000149,Stirling and all\nS16000117,Glasgow\n",
    );
    let road = name(["osgb5", "A9", "transportNetwork", "Numbered Road", "279834", "693098", "FK8"]);
    bench.file("names/NS68.csv", format!("\u{feff}{}{road}", stirling()));
    let header =
        "ID,NAMES_URI,NAME1,NAME1_LANG,NAME2,NAME2_LANG,TYPE,LOCAL_TYPE".to_owned() + &",X".repeat(26);
    let other = name(["osgb6", "Dre-gôch", "populatedPlace", "Hamlet", "309000", "369000", ""]);
    bench.file("names/SJ06.csv", format!("{header}\n{other}"));
    bench.file(
        "spd/SmallUser.csv",
        entry(ENTRY) + &entry(&ENTRY.replace("1AA", "1AB").replace(",,", ",1/9/1995 00:00:00,")),
    );
    bench.file(
        "spd/LargeUser.csv",
        "Postcode,DateOfDeletion,ScottishParliamentaryConstituency2014Code\nG2 8AE,,S16000117\nG2 8AF,1/1/2000,S16000117\n",
    );
    let report = run(&bench.import(bench.path(""))).unwrap();
    assert_eq!((report.places, report.scottish_postcodes, report.refused), (2, 2, 0));
    assert!(
        report.to_string().contains("2 populated places\n2 postcodes of the Scottish Postcode Directory")
    );
    let dataset = bench.dataset();
    assert!(
        dataset.info().attribution.ends_with("Contains NRS data © Crown copyright and database right 2025.")
    );
    let place = dataset.place("OSGB4000000074551019").unwrap().unwrap();
    assert_eq!((place.eastings, place.northings, place.min_eastings), (279_834, 693_098, Some(279_000)));
    assert_eq!((place.max_northings, place.county_unitary_type.as_deref()), (None, Some("UnitaryAuthority")));
    assert!((place.latitude.unwrap() - 56.115_468).abs() < 1e-4);
    assert_eq!(dataset.places("dre goch", 5).unwrap()[0].outcode, None);
    let entry = dataset.scottish_postcode("FK8 1AA".parse().unwrap()).unwrap().unwrap();
    assert_eq!(entry.scottish_parliamentary_constituency.as_deref(), Some("Stirling and all"));
    let entry = dataset.scottish_postcode("G2 8AE".parse().unwrap()).unwrap().unwrap();
    assert_eq!(entry.codes.scottish_parliamentary_constituency.as_deref(), Some("S16000117"));
    for gone in ["FK8 1AB", "G2 8AF"] {
        assert_eq!(dataset.scottish_postcode(gone.parse().unwrap()).unwrap(), None);
    }
}

#[test]
fn islands_and_areas_are_found_and_are_no_populated_places() {
    let bench = Bench::new();
    bench.file("data.csv", POSTCODES);
    let other = name(["osgb2", "Bannockburn", "populatedPlace", "Town", "281000.7", "690100", "FK7"]);
    let island = name(["osgb3", "Inchcailloch", "landform", "Island", "241000", "690200", ""]);
    let islands = name(["osgb4", "Sanda Islands", "landform", "Group Of Islands", "273000", "604000", ""]);
    let hill = name(["osgb5", "Dumyat Island Hill", "landform", "Hill Or Mountain", "283500", "697700", ""]);
    bench.file("names.csv", [stirling(), other, island, islands, hill].concat());
    let report = run(&bench.import(bench.path(""))).unwrap();
    assert_eq!((report.places, report.refused), (2, 0));
    let dataset = bench.dataset();
    assert_eq!((dataset.info().places, dataset.iter_places().count()), (2, 2));
    let wider: Vec<_> = dataset.iter_wider_places().collect();
    let kinds: Vec<_> =
        wider.iter().map(|place| (place.name_1.as_str(), place.local_type.as_str())).collect();
    // The area of both places comes with the code that is the end of its address.
    assert_eq!(
        kinds,
        [("Inchcailloch", "Island"), ("Sanda Islands", "Group Of Islands"), ("Stirling", "UnitaryAuthority")]
    );
    let area = &wider[2];
    assert_eq!(area.code, "osgb7000000000030433");
    // The middle of the two, and no box.
    assert_eq!((area.eastings, area.northings, area.min_eastings), (280_417, 691_599, None));
    assert!(area.latitude.is_some());
    let names = |text: &str| -> Vec<String> {
        let found = dataset.find_places(&PlaceQuery::new(text)).unwrap().into_iter();
        found.map(|found| format!("{} {}", found.name, found.place.local_type)).collect()
    };
    assert_eq!(names("stirling"), ["Stirling City", "Stirling UnitaryAuthority"]);
    assert_eq!(names("inchcaillach"), ["Inchcailloch Island"]);
    assert_eq!(names("dumyat"), Vec::<String>::new());
    assert_eq!(dataset.places("sanda", 5).unwrap(), []);
}

#[test]
fn zips_are_read_as_they_are_published() {
    let bench = Bench::new();
    let path = bench.path("opname_csv_gb.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    for (file, text) in [("Data/NS68.csv", stirling()), ("Doc/licence.txt", "OGL".to_owned())] {
        zip.start_file(file, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    let mut import = bench.import(bench.file("ONSPD_NOV_2025_UK.csv", POSTCODES));
    import.inputs.push(path);
    assert_eq!(run(&import).unwrap().places, 1);
    assert_eq!(bench.dataset().info().places, 1);
}

#[test]
fn wrong_rows_are_named_and_left_out() {
    let good = ["osgb1", "X", "populatedPlace", "City", "279834.4", "693098.9", "FK8"];
    let with = |at: usize, cell| {
        let mut cells = good;
        cells[at] = cell;
        name(cells)
    };
    let places = [
        (with(0, "osgb-1"), "ID", "letters and digits"),
        (with(0, "osgb4000000074551019"), "ID", "given twice"),
        (with(1, ""), "NAME1", "nothing there"),
        (with(3, ""), "LOCAL_TYPE", "nothing there"),
        (with(4, "x"), "GEOMETRY_X", "not metres"),
        (with(4, "-5"), "GEOMETRY_X", "not metres"),
        (with(5, "1e400"), "GEOMETRY_Y", "not metres"),
        (with(6, "FK8 1AA"), "POSTCODE_DISTRICT", "not an outcode"),
        ("osgb1,only\n".to_owned(), "", "2 cells where OS Open Names has 34"),
        (with(1, "\"X"), "", "a quote that is not closed"),
        (with(1, "a\0b"), "", "a NUL byte"),
    ];
    let entries = [
        (entry("x,FK8,FK8 1,1/8/1973 00:00:00"), "Postcode", ""),
        (entry(ENTRY), "Postcode", "given twice"),
        (entry(&ENTRY.replace("1AA", "1AD").replace("S16000149", "149")), "Scottish", "such as S16000074"),
        ("FK8 1AE\n".to_owned(), "", "1 cells where the first line has 57"),
    ];
    let places = places.map(|(line, column, reason)| ("names.csv", stirling(), line, column, reason));
    let entries = entries.map(|(line, column, reason)| ("SmallUser.csv", entry(ENTRY), line, column, reason));
    for (file, first, line, column, reason) in places.into_iter().chain(entries) {
        let bench = Bench::new();
        bench.file("in/data.csv", POSTCODES);
        bench.file(&format!("in/{file}"), format!("{first}{line}"));
        let mut import = bench.import(bench.path("in"));
        import.errors = Some(bench.path("errors.csv"));
        let report = run(&import).unwrap();
        assert_eq!((report.refused, report.places + report.scottish_postcodes), (1, 1), "{line}");
        let errors = std::fs::read_to_string(bench.path("errors.csv")).unwrap();
        assert!(errors.contains(&format!("{file},2,{column}")), "{line}: {errors}");
        assert!(errors.contains(reason), "{line}: {errors}");
        bench.dataset();
    }
}

#[test]
fn the_folder_that_postcodes_io_was_loaded_with() {
    let Some(folder) = shared("cases/postcodes-io/dataset") else { return };
    let bench = Bench::new();
    let report = run(&bench.import(&folder)).unwrap();
    // 202 rows of the directory: 107 are deleted and one is the smaller part of a split postcode.
    assert_eq!((report.places, report.scottish_postcodes, report.refused), (105, 94, 0));
    let dataset = bench.dataset();
    let kinds = |kind: &str| dataset.iter_places().filter(|place| place.local_type == kind).count();
    assert_eq!((kinds("City"), kinds("Town"), kinds("Hamlet")), (1, 3, 26));
    assert!(dataset.iter_places().all(|place| place.latitude.is_some() && place.outcode.is_some()));
    // The list of names has not S16000091.
    let nameless =
        dataset.iter_scottish().filter(|entry| entry.scottish_parliamentary_constituency.is_none());
    let codes: Vec<_> =
        nameless.map(|entry| entry.codes.scottish_parliamentary_constituency.unwrap()).collect();
    assert_eq!(codes, ["S16000091", "S16000091"]);
    // The whole row, with the names that ONS's lists have.
    let entry = dataset.scottish_postcode("G13 3AE".parse().unwrap()).unwrap().unwrap();
    let all: Vec<_> = ScottishArea::ALL
        .iter()
        .filter_map(|area| {
            entry
                .code(*area)
                .map(|code| format!("{} {code} {}", area.key(), entry.name(*area).unwrap_or("-")))
        })
        .collect();
    assert_eq!(
        all,
        [
            "scottish_parliamentary_constituency S16000115 Glasgow Anniesland",
            "scottish_parliamentary_region S17000017 -",
            "uk_parliamentary_constituency S14000033 -",
            "council_area S12000049 Glasgow City",
            "electoral_ward S13002979 Garscadden/Scotstounhill",
            "health_board_area S08000031 Greater Glasgow and Clyde",
            "integration_authority S37000034 -",
            "data_zone_2011 S01010452 Knightswood East - 03",
            "intermediate_zone_2011 S02001967 Knightswood East",
            "locality S19001549 -",
            "settlement S20001250 -",
            "civil_parish S35000712 -",
            "island 000 -",
            "travel_to_work_area S22000065 Glasgow",
            "lau_level_1 S30000052 -",
            "itl_level_2 UKM8 -",
            "itl_level_3 UKM82 -",
            "enterprise_region S09000006 -",
            "strategic_development_planning_area S11000004 -",
            "registration_district S12000049 -",
        ]
    );
    let plain = (
        entry.scottish_index_of_multiple_deprivation,
        entry.urban_rural_6_fold.as_deref(),
        entry.urban_rural_8_fold.as_deref(),
        entry.split_indicator.as_deref(),
    );
    assert_eq!(plain, (Some(1_554), Some("1"), Some("1"), Some("N")));
    // Of large users the columns lie elsewhere.
    let zones = dataset.iter_scottish().filter(|entry| {
        let zone = entry.code(ScottishArea::DataZone2011);
        zone.is_some_and(|code| code.starts_with("S01")) && entry.urban_rural_8_fold.is_some()
    });
    assert_eq!(zones.count(), 94);
    dataset.verify().unwrap();
}

#[test]
fn the_row_of_a_directory_with_header_and_its_own_lists() {
    let bench = Bench::new();
    bench.file("Data/ONSPD_NOV_2025_UK.csv", POSTCODES);
    bench.file("Documents/SPC21.csv", "SPC21CD,SPC21NM\nS16000117,Glasgow\n");
    bench.file(
        "Documents/regions.csv",
        "ScottishParliamentaryRegion2026Code,ScottishParliamentaryRegion2026Name\nS17000017,Glasgow\n",
    );
    let header = "Postcode,DateOfDeletion,ScottishParliamentaryConstituency2026Code,ScottishParliamentaryRegion2026Code,\
        DataZone2011Code,DataZone2022Code,ScottishIndexOfMultipleDeprivation2020Rank,UrbanRural6Fold2022Code,SplitIndicator";
    let rows = [
        ("G2 8AE,,S16000117,S17000017,S01010273,S01019999,4000,1,N", ""),
        ("G2 8AF,,S16000117,,,,,,", ""),
        ("G2 8AG,,S16000117,,,,,9,", "not a class from 1 to 6"),
        ("G2 8AH,,S16000117,,,,0x1,,", "not a rank"),
        ("G2 8AJ,,S16000117,,S010000000000000000000000000000012,,,,", "more than 32 bytes"),
        ("G2 8AL,,S16000117,,,,,,X", "neither Y nor N"),
    ];
    let text: String = rows.iter().map(|(row, _)| format!("{row}\n")).collect();
    bench.file("spd/SmallUser.csv", format!("{header}\n{text}"));
    let mut import = bench.import(bench.path(""));
    import.errors = Some(bench.path("errors.csv"));
    let report = run(&import).unwrap();
    assert_eq!((report.scottish_postcodes, report.refused), (2, 4));
    let errors = std::fs::read_to_string(bench.path("errors.csv")).unwrap();
    for (row, why) in rows.iter().filter(|(_, why)| !why.is_empty()) {
        assert!(errors.contains(why), "{row}: {errors}");
    }
    let dataset = bench.dataset();
    let entry = dataset.scottish_postcode("G2 8AE".parse().unwrap()).unwrap().unwrap();
    assert_eq!(
        serde_json::to_value(&entry).unwrap(),
        serde_json::json!({
            "postcode": "G2 8AE", "scottish_parliamentary_constituency": "Glasgow",
            "scottish_parliamentary_region": "Glasgow", "split_indicator": "N", "urban_rural_6_fold": "1",
            "scottish_index_of_multiple_deprivation": 4000,
            "codes": {
                "scottish_parliamentary_constituency": "S16000117", "scottish_parliamentary_region": "S17000017",
                "data_zone": "S01019999", "data_zone_2011": "S01010273",
            },
        })
    );
    let entry = dataset.scottish_postcode("G2 8AF".parse().unwrap()).unwrap().unwrap();
    assert_eq!(entry, entry.compatible());
}
