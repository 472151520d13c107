//! Files that are not as they should be: each is a clear error or a counted doubt.

use std::path::PathBuf;

use postcode_addresses::layouts::{ColumnMap, Doubt, Error, Options};
use postcode_testing::zipped;
use tempfile::TempDir;

use crate::layouts::read;

const ROW: &str = "ZZ1 1ZZ,EXAMPLETON,,,Ash Road,,7,,,,,,00000012,S,,1A\r\n";

fn folder(files: &[(&str, &[u8])]) -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let path = folder.path().to_owned();
    (folder, vec![path])
}

fn error(files: &[(&str, &[u8])]) -> String {
    let (_folder, inputs) = folder(files);
    read(&inputs, &Options::default()).unwrap_err().to_string()
}

fn row(udprn: u32, postcode: &str) -> String {
    format!("{postcode},EXAMPLETON,,,Ash Road,,7,,,,,,{udprn},S,,1A\r\n")
}

#[test]
fn row_of_another_width_is_refused_and_counted() {
    let (_folder, inputs) = folder(&[(
        "CSV PAF.csv",
        format!("{ROW}{}ZZ1 1ZZ,short\r\n{}", row(13, "ZZ1 1ZZ"), row(14, "NOWHERE")).as_bytes(),
    )]);
    let (addresses, report) = read(&inputs, &Options::default()).unwrap();
    assert_eq!((addresses.len(), report.count(Doubt::Columns), report.count(Doubt::Postcode)), (2, 1, 1));
    assert!(report.to_string().contains("CSV PAF.csv, line 3: 2 columns"), "{report}");
    let strict = Options { max_refused: 1, ..Options::default() };
    let error = read(&inputs, &strict).unwrap_err();
    assert!(matches!(error, Error::TooManyRefused { refused: 2, most: 1, .. }), "{error}");
}

#[test]
fn file_that_is_cut_off_is_an_error() {
    let error = error(&[("CSV PAF.csv", format!("{ROW}ZZ1 1ZZ,EXAMPL").as_bytes())]);
    assert!(error.contains("line 2: the file ends within a record"), "{error}");
}

#[test]
fn zip_file_that_is_cut_off_is_an_error() {
    let zip = zipped(&[("CSV PAF/CSV PAF.csv", ROW.repeat(50).as_bytes())]);
    let error = error(&[("paf.zip", &zip[..zip.len() / 2])]);
    assert!(error.contains("paf.zip: not a whole zip file"), "{error}");
}

#[test]
fn identity_that_comes_twice_is_left_out_and_counted() {
    let (_folder, inputs) = folder(&[
        ("CSV PAF.csv", format!("{ROW}{ROW}").as_bytes()),
        ("CSV Not Yet Built.csv", format!("{ROW}{}", row(15, "ZZ1 1ZZ")).as_bytes()),
    ]);
    let (addresses, report) = read(&inputs, &Options::default()).unwrap();
    assert_eq!((addresses.len(), report.count(Doubt::Twice), report.count(Doubt::Built)), (2, 1, 1));
}

#[test]
fn same_addresses_in_two_files_are_an_error() {
    let twice = error(&[("a/CSV PAF.csv", ROW.as_bytes()), ("b/CSV PAF.csv", ROW.as_bytes())]);
    assert!(twice.contains("hold the same addresses"), "{twice}");
}

#[test]
fn two_editions_are_an_error() {
    let core = |name: &str| (name.to_owned(), b"uprn,single_line_address,street_name\n".to_vec());
    let [(a, first), (b, second)] =
        [core("AddressBaseCore_FULL_2026-10-01_001.csv"), core("AddressBaseCore_FULL_2026-11-01_002.csv")];
    let mixed = error(&[(&a, &first), (&b, &second)]);
    assert!(mixed.contains("is of 2026-10-01, and") && mixed.contains("of 2026-11-01"), "{mixed}");
}

#[test]
fn file_without_rows_is_an_error() {
    assert!(error(&[("CSV PAF.csv", b"")]).contains("no file with addresses was found"));
    assert!(error(&[("readme.txt", b"hello\n")]).contains("Known are CSV PAF"));
    let changes = format!("20261201,090000,D,4,{ROW}");
    assert!(error(&[("CSV PAF Changes.csv", changes.as_bytes())]).contains("holds changes only"));
}

#[test]
fn both_encodings_are_read_and_said() {
    let latin = b"ZZ1 1ZZ,EXAMPLETON,,,Caf\xe9 Road,,7,,,,,,13,S,,1A\r\n".as_slice();
    let utf8 = "ZZ1 1ZZ,EXAMPLETON,,,Café Road,,7,,,,,,14,S,,1A\r\n".as_bytes();
    let (_folder, inputs) = folder(&[("CSV PAF.csv", &[latin, utf8].concat())]);
    let (addresses, report) = read(&inputs, &Options::default()).unwrap();
    assert!(addresses.iter().all(|address| address.thoroughfare == "Café Road"));
    assert_eq!(report.count(Doubt::Encodings), 1);
}

#[test]
fn long_values_and_old_postcodes_are_read_and_counted() {
    let name = "x".repeat(61);
    let long = format!("ZZ1 1ZZ,EXAMPLETON,,,Ash Road,,7,,,,,{name},13,S,,1A\r\n");
    let (_folder, inputs) = folder(&[("CSV PAF.csv", format!("{ROW}{long}").as_bytes())]);
    let options = Options { in_use: Some(Box::new(|postcode| postcode != "ZZ1 1ZZ")), ..Options::default() };
    let (addresses, report) = read(&inputs, &options).unwrap();
    assert_eq!(addresses[1].organisation, name);
    assert_eq!((report.count(Doubt::Long), report.count(Doubt::OldPostcode)), (1, 2));
}

#[test]
fn changes_that_fit_nothing_are_counted() {
    let change = |kind: &str, udprn: u32, number: u32| {
        format!("20261201,090000,{kind},4,ZZ1 1ZZ,EXAMPLETON,,,Ash Road,,{number},,,,,,{udprn},S,,1A\r\n")
    };
    let changes = [
        change("D", 99, 1),
        change("C", 98, 2),
        change("B", 12, 7),
        change("C", 12, 9),
        change("I", 20, 3),
        change("D", 20, 3),
    ]
    .concat();
    let (_folder, inputs) =
        folder(&[("CSV PAF.csv", ROW.as_bytes()), ("CSV PAF Changes.csv", changes.as_bytes())]);
    let (addresses, report) = read(&inputs, &Options::default()).unwrap();
    let numbers: Vec<&str> = addresses.iter().map(|address| address.building_number.as_str()).collect();
    assert_eq!(numbers, ["9", "2"]);
    assert_eq!((report.count(Doubt::NothingToDelete), report.count(Doubt::NothingToChange)), (1, 1));
}

fn mainfile() -> Vec<(&'static str, String)> {
    let fixed = |text: &str, length: usize| format!("{text:<length$}\r\n");
    let file = |table: &str, length: usize, records: &[&str]| {
        let mut text = fixed(&format!("00000000{table:<8}Y26M11"), length);
        for record in records {
            text += &fixed(record, length);
        }
        text + &fixed(&format!("99999999{:08}", records.len() + 2), length)
    };
    let locality = format!("000101{:45}{:<30}{:<35}{:<35}", "", "EXAMPLETON", "NORWOOD", "");
    let address = [
        "ZZ1 1ZZ", "01000101", "000101", "00000007", "0001", "00000000", "0000", "0012", "00000000",
        "00000005", "0001", "00000000", "S", " ", "1A",
    ]
    .concat();
    let mut addresses = fixed("       00000000ADDRESS Y26M11", 88);
    addresses += &fixed(&address, 88);
    addresses += &fixed("       9999999900000003", 88);
    vec![
        ("fpmainfl.c02", addresses),
        ("local.c01", file("LOCALITY", 151, &[&locality])),
        ("thfare.c01", file("THOROUGH", 68, &["00000007ASH"])),
        ("thdesc.c01", file("THDESCRI", 30, &["0001ROAD                RD"])),
        ("bname.c01", file("BUILDING", 58, &[])),
        ("subbname.c01", file("SUBBUILD", 38, &["00000005FLAT 1"])),
        ("org.c01", file("ORGANISA", 153, &[])),
    ]
}

fn with(change: impl Fn(&str, &str) -> Option<String>) -> String {
    let files = mainfile();
    let changed: Vec<(&str, String)> =
        files.iter().filter_map(|(name, text)| Some((*name, change(name, text)?))).collect();
    let bytes: Vec<(&str, &[u8])> = changed.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let (_folder, inputs) = folder(&bytes);
    match read(&inputs, &Options::default()) {
        Ok((addresses, report)) => format!(
            "{}\n{report}",
            addresses.first().map_or_else(String::new, |address| address.single_line())
        ),
        Err(error) => error.to_string(),
    }
}

#[test]
fn mainfile_is_read_and_its_damages_are_named() {
    let whole = with(|_, text| Some(text.to_owned()));
    assert!(whole.starts_with("Flat 1, 12 Ash Road, Norwood, EXAMPLETON, ZZ1 1ZZ\n"), "{whole}");
    for (what, expected) in [
        (with(|name, text| (name != "thdesc.c01").then(|| text.to_owned())), "thdesc.c01 is missing"),
        (
            with(|name, text| {
                Some(if name == "thfare.c01" {
                    text.replace("00000007", "00000008")
                } else {
                    text.to_owned()
                })
            }),
            "thoroughfare 7",
        ),
        (
            with(|name, text| {
                Some(if name == "fpmainfl.c02" {
                    text.replace("9999999900000003", "9999999900000004")
                } else {
                    text.to_owned()
                })
            }),
            "its footer says 4 records, and 3 are there",
        ),
        (
            with(|name, text| {
                Some(if name == "local.c01" { text.replace("Y26M11", "Y26M10") } else { text.to_owned() })
            }),
            "is of Y26M10, and",
        ),
        (
            with(|name, text| {
                Some(if name == "fpmainfl.c02" { text.replace("S 1A  ", "S 1A ") } else { text.to_owned() })
            }),
            "line 2: 87 bytes, but the lines of this file have 88",
        ),
        (
            with(|name, text| {
                Some(if name == "fpmainfl.c02" { text[..200].to_owned() } else { text.to_owned() })
            }),
            "cut off",
        ),
        (
            with(|name, text| {
                Some(if name == "fpmainfl.c02" { text[..180].to_owned() } else { text.to_owned() })
            }),
            "cut off",
        ),
    ] {
        assert!(what.contains(expected), "{what}");
    }
}

#[test]
fn file_of_an_unconfirmed_layout_needs_a_column_map() {
    let alias = b"12,ZZ1 1ZZ,The Old Forge,Ash Road,EXAMPLETON\r\n".as_slice();
    let (_folder, inputs) = folder(&[("CSV PAF.csv", ROW.as_bytes()), ("CSV ALIAS/CSV Alias.csv", alias)]);
    let (addresses, report) = read(&inputs, &Options::default()).unwrap();
    assert_eq!((addresses.len(), report.count(Doubt::Unconfirmed)), (1, 1));
    let map: ColumnMap =
        "alias:udprn=0,postcode=1,building_name=2,thoroughfare=3,post_town=4".parse().unwrap();
    let (addresses, report) = read(&inputs, &Options { columns: vec![map], ..Options::default() }).unwrap();
    assert_eq!(
        addresses.iter().map(|address| address.building_name.as_str()).collect::<Vec<_>>(),
        ["", "The Old Forge"]
    );
    assert_eq!((report.count(Doubt::Mapped), addresses[1].dataset.as_str()), (1, "pafa"));
    for (map, why) in [
        ("alias", "colon"),
        ("alias:udprn=0", "postcode"),
        ("alias:colour=1", "Elements"),
        ("alias:postcode=999", "0 to 255"),
        ("alias:postcode=7..7", "0..8"),
        ("alias:postcode=0..7,udprn=3", "not both"),
    ] {
        let error = map.parse::<ColumnMap>().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let map = "alias:postcode=0..7,udprn=7..15";
    assert_eq!(map.parse::<ColumnMap>().unwrap().to_string(), map);
}

#[test]
fn alias_of_a_missing_delivery_point_is_read_and_counted() {
    let alias =
        b"12,ZZ1 1ZZ,The Old Forge\r\n12,ZZ1 1ZZ,Forge Cottage\r\n99,ZZ1 1ZZ,Mill House\r\n".as_slice();
    let (_folder, inputs) = folder(&[("CSV PAF.csv", ROW.as_bytes()), ("CSV Alias.csv", alias)]);
    let map: ColumnMap = "alias:udprn=0,postcode=1,building_name=2".parse().unwrap();
    let (addresses, report) = read(&inputs, &Options { columns: vec![map], ..Options::default() }).unwrap();
    assert_eq!((addresses.len(), report.count(Doubt::AliasOnly), report.count(Doubt::Twice)), (4, 1, 0));
    let map: ColumnMap = "bfpo:udprn=0,postcode=1,building_name=2".parse().unwrap();
    let (_folder, inputs) = folder(&[("CSV PAF.csv", ROW.as_bytes()), ("CSV BFPO.csv", alias)]);
    let (addresses, report) = read(&inputs, &Options { columns: vec![map], ..Options::default() }).unwrap();
    assert_eq!((addresses.len(), report.count(Doubt::Twice)), (2, 2), "the UDPRN 12 is in CSV PAF");
}

#[test]
fn mainfile_files_of_fixed_width_are_read_by_bytes() {
    let fixed = |lines: &[&str]| lines.iter().map(|line| format!("{line:<40}\r\n")).collect::<String>();
    // Keys of the mainfile in front, as this test invents it: 8, 8, 1, and the UDPRN in 8.
    let join = fixed(&[
        "00000000UDPRNJOIY26M11",
        "0100010100000000S00000012",
        "0100010200000000S00000013",
        "9999999900000004",
    ]);
    let alias = fixed(&["00000000ALIAS   Y26M11", "ZZ1 1ZZ00000012THE OLD \"FORGE\"", "9999999900000003"]);
    let mut files = mainfile();
    files.push(("udprn.c01", join));
    files.push(("aliasfle.c01", alias));
    let bytes: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let (_folder, inputs) = folder(&bytes);
    let (addresses, report) = read(&inputs, &Options::default()).unwrap();
    assert_eq!((addresses.len(), report.count(Doubt::Unconfirmed)), (1, 2), "{report}");
    assert_eq!(addresses[0].udprn, None);

    let columns = |join: &str| {
        let alias = "alias:postcode=0..7,udprn=7..15,building_name=15..40";
        vec![join.parse::<ColumnMap>().unwrap(), alias.parse().unwrap()]
    };
    let join = "udprn.c01:address_key=0..8,organisation_key=8..16,postcode_type=16..17,udprn=17..25";
    let (addresses, report) =
        read(&inputs, &Options { columns: columns(join), ..Options::default() }).unwrap();
    assert_eq!((addresses.len(), report.refused(), report.count(Doubt::Mapped)), (2, 0, 2), "{report}");
    assert_eq!((addresses[0].udprn, addresses[1].udprn), (Some(12), Some(12)));
    assert_eq!(addresses[1].building_name, "The Old \"Forge\"");
    assert_eq!((report.count(Doubt::NoUdprn), report.count(Doubt::AliasOnly)), (0, 0));

    // The organisation key where the address key is: no address has such a key.
    let wrong = "udprn.c01:address_key=17..25,udprn=0..8";
    let (addresses, report) =
        read(&inputs, &Options { columns: columns(wrong), ..Options::default() }).unwrap();
    assert_eq!((addresses[0].udprn, report.count(Doubt::NoUdprn)), (None, 1), "{report}");
    let short = "udprn.c01:address_key=0..8,udprn=38..46";
    let (_, report) = read(&inputs, &Options { columns: columns(short), ..Options::default() }).unwrap();
    assert_eq!(report.count(Doubt::Columns), 2, "the lines are too short: {report}");
}

#[test]
fn every_identity_that_comes_twice_is_counted() {
    let child = "ZZ1 1ZZ,EXAMPLETON,,,Ash Road,,7,,,,,12,S,,1A,7,,Flat 1,,,70\r\n".repeat(2);
    let (_folder, inputs) =
        folder(&[("CSV PAF.csv", ROW.as_bytes()), ("CSV Multiple Residence.csv", child.as_bytes())]);
    let (addresses, report) = read(&inputs, &Options::default()).unwrap();
    assert_eq!((addresses.len(), report.count(Doubt::Twice), report.count(Doubt::NoParent)), (2, 1, 0));

    let core = "uprn,parent_uprn,udprn,usrn,toid,classification_code,easting,northing,latitude,longitude,rpc,last_update_date,single_line_address,po_box,organisation,sub_building,building_name,building_number,street_name,locality,town_name,post_town,island,postcode,delivery_point_suffix,gss_code,change_code\n";
    let row = "10,,12,1,\"\",\"RD04\",,,,,1,2026-11-01,\"\",\"\",\"\",\"\",\"\",\"7\",\"ASH ROAD\",\"\",\"\",\"EXAMPLETON\",\"\",\"ZZ1 1ZZ\",\"1A\",\"\",\"I\"\n";
    let (_folder, inputs) = folder(&[("core.csv", [core, row, row].concat().as_bytes())]);
    let (addresses, report) = read(&inputs, &Options::default()).unwrap();
    assert_eq!((addresses.len(), report.count(Doubt::Twice)), (1, 1));
}

#[test]
fn child_without_its_parent_is_read_and_counted() {
    let child = b"ZZ1 1ZZ,EXAMPLETON,,,Ash Road,,7,,,,,99,S,,1A,7,,Flat 1,,,70\r\n".as_slice();
    let (_folder, inputs) = folder(&[("CSV PAF.csv", ROW.as_bytes()), ("CSV Multiple Residence.csv", child)]);
    let (addresses, report) = read(&inputs, &Options::default()).unwrap();
    assert_eq!((addresses.len(), report.count(Doubt::NoParent)), (2, 1));
}

#[test]
fn locations_are_added_by_uprn() {
    let core = "uprn,parent_uprn,udprn,usrn,toid,classification_code,easting,northing,latitude,longitude,rpc,last_update_date,single_line_address,po_box,organisation,sub_building,building_name,building_number,street_name,locality,town_name,post_town,island,postcode,delivery_point_suffix,gss_code,change_code\n\
                10,,12,1,\"\",\"RD04\",,,,,1,2026-11-01,\"\",\"\",\"\",\"\",\"\",\"7\",\"ASH ROAD\",\"\",\"\",\"EXAMPLETON\",\"\",\"ZZ1 1ZZ\",\"1A\",\"\",\"I\"\n";
    let points = "\u{feff}UPRN,X_COORDINATE,Y_COORDINATE,LATITUDE,LONGITUDE\n9,1.00,2.00,50,1\n10,588517.25,243906.00,52,0.7\n";
    let (_folder, inputs) =
        folder(&[("core.csv", core.as_bytes()), ("osopenuprn_202611.csv", points.as_bytes())]);
    let (addresses, report) = read(&inputs, &Options::default()).unwrap();
    assert_eq!(addresses[0].point.unwrap().grid.unwrap().eastings, 588_517.25);
    assert_eq!((report.with_point, addresses[0].thoroughfare.as_str()), (1, "Ash Road"));
}
