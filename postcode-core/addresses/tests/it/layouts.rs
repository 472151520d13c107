//! One invented set of addresses in every layout: each reader finds the same ones.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use postcode_addresses::layouts::{self, Doubt, Error, Layout, Options, Report};
use postcode_addresses::{Address, Dataset, Kind};
use serde_json::Value;

pub(crate) fn read(inputs: &[PathBuf], options: &Options) -> Result<(Vec<Address>, Report), Error> {
    let mut addresses = Vec::new();
    let report = layouts::read(inputs, options, &AtomicBool::new(false), &mut |address| {
        addresses.push(address.clone());
        Ok(())
    })?;
    assert_eq!(report.total(), addresses.len() as u64);
    Ok((addresses, report))
}

fn formats() -> Option<PathBuf> {
    postcode_testing::shared("cases/addresses/formats/formats_seed1.zip")
}

fn within(part: &str) -> Options {
    Options { within: Some(part.to_owned()), ..Options::default() }
}

/// Reads a part of the zip file.
fn part(zip: &PathBuf, part: &str) -> (Vec<Address>, Report) {
    let (addresses, report) =
        read(std::slice::from_ref(zip), &within(part)).unwrap_or_else(|error| panic!("{part}: {error}"));
    assert_eq!(report.refused(), 0, "{report}");
    (addresses, report)
}

/// Returns the lines of the truth that one layout has.
fn truth(zip: &PathBuf, layout: &str) -> Vec<Value> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(zip).unwrap()).unwrap();
    let text = std::io::read_to_string(archive.by_name("truth.jsonl").unwrap()).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let parents: HashMap<u64, Value> = lines
        .iter()
        .filter(|line| line["dataset"] == "paf")
        .map(|line| (line["udprn"].as_u64().unwrap(), line.clone()))
        .collect();
    for line in &mut lines {
        if line["dataset"] == "mr" {
            line["umprn"] = line["umrrn"].take();
            // A child stands in the street of its parent.
            let parent = &parents[&line["udprn"].as_u64().unwrap()];
            for element in [
                "post_town",
                "dependent_locality",
                "double_dependent_locality",
                "thoroughfare",
                "dependent_thoroughfare",
            ] {
                line[element] = parent[element].clone();
            }
        }
        // The files match no property to an address that is not yet built.
        if line["dataset"] == "nyb" {
            line["uprn"] = Value::Null;
        }
    }
    lines
        .into_iter()
        .filter(|line| line["in"].as_array().unwrap().iter().any(|name| name == layout))
        .collect()
}

/// Returns a value as the comparison wants it: capitals without accents, single blanks.
fn normal(text: &str) -> String {
    let plain = text.chars().filter_map(|letter| match letter {
        'À'..='Å' | 'à'..='å' => Some('A'),
        'È'..='Ë' | 'è'..='ë' => Some('E'),
        'Ì'..='Ï' | 'ì'..='ï' => Some('I'),
        'Ò'..='Ö' | 'ò'..='ö' => Some('O'),
        'Ù'..='Ü' | 'ù'..='ü' => Some('U'),
        'Ç' | 'ç' => Some('C'),
        'Ñ' | 'ñ' => Some('N'),
        'Ý' | 'ý' | 'ÿ' => Some('Y'),
        'Ŵ' | 'ŵ' => Some('W'),
        'Ŷ' | 'ŷ' => Some('Y'),
        letter => letter.is_ascii().then_some(letter),
    });
    plain.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase()
}

/// The elements of an address as normal texts, by name.
struct Row(Vec<(&'static str, String)>);

impl Row {
    fn of(address: &Address) -> Self {
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let mut row = vec![
            ("postcode", normal(&address.postcode)),
            ("post_town", normal(&address.post_town)),
            ("dependent_locality", normal(&address.dependent_locality)),
            ("double_dependent_locality", normal(&address.double_dependent_locality)),
            ("thoroughfare", normal(&address.thoroughfare)),
            ("dependent_thoroughfare", normal(&address.dependent_thoroughfare)),
            ("building_number", building_number(&address.building_number)),
            ("building_name", normal(&address.building_name)),
            ("sub_building_name", normal(&address.sub_building)),
            ("po_box", normal(&address.po_box)),
            ("department_name", normal(&address.department)),
            ("organisation_name", normal(&address.organisation)),
            ("udprn", number(address.udprn.map(u64::from))),
            ("umprn", number(address.umprn.map(u64::from))),
            ("uprn", number(address.uprn)),
            ("parent_uprn", number(address.parent_uprn)),
            ("postcode_type", address.kind.map_or("", Kind::as_str).to_owned()),
            ("su_organisation_indicator", if address.organisation_indicator { "Y" } else { "" }.to_owned()),
            ("delivery_point_suffix", normal(&address.delivery_point_suffix)),
            (
                "concatenation_indicator",
                if address.concatenation_indicator == Some(true) { "Y" } else { "" }.to_owned(),
            ),
            ("address_key", number(address.paf_key.map(|key| u64::from(key.address)))),
            ("organisation_key", number(address.paf_key.map(|key| u64::from(key.organisation)))),
        ];
        let welsh = address.in_welsh();
        for (name, place) in
            [("welsh thoroughfare", 7), ("welsh dependent_locality", 9), ("welsh post_town", 10)]
        {
            row.push((name, welsh.as_ref().map(|welsh| normal(welsh.texts()[place])).unwrap_or_default()));
        }
        Self(row)
    }

    fn of_truth(line: &Value) -> Self {
        let names = [
            "postcode",
            "post_town",
            "dependent_locality",
            "double_dependent_locality",
            "thoroughfare",
            "dependent_thoroughfare",
            "building_number",
            "building_name",
            "sub_building_name",
            "po_box",
            "department_name",
            "organisation_name",
            "udprn",
            "umprn",
            "uprn",
            "parent_uprn",
            "postcode_type",
            "su_organisation_indicator",
            "delivery_point_suffix",
            "concatenation_indicator",
            "address_key",
            "organisation_key",
        ];
        let text = |value: &Value| match value {
            Value::String(text) => normal(text),
            Value::Null => String::new(),
            value => value.to_string(),
        };
        let mut row: Vec<(&'static str, String)> =
            names.into_iter().map(|name| (name, text(&line[name]))).collect();
        row[6].1 = building_number(&row[6].1);
        for (name, element) in [
            ("welsh thoroughfare", "thoroughfare"),
            ("welsh dependent_locality", "dependent_locality"),
            ("welsh post_town", "post_town"),
        ] {
            let welsh = line["welsh"].as_object();
            row.push((
                name,
                welsh.map(|welsh| text(welsh.get(element).unwrap_or(&line[element]))).unwrap_or_default(),
            ));
        }
        Self(row)
    }

    fn only(&self, names: &[&str]) -> Vec<String> {
        names
            .iter()
            .map(|name| format!("{name}={}", self.0.iter().find(|(other, _)| other == name).unwrap().1))
            .collect()
    }
}

fn building_number(number: &str) -> String {
    normal(number).trim_start_matches('0').to_owned()
}

/// Compares the addresses of a file with the truth over some elements.
fn same(addresses: &[Address], truth: &[Value], names: &[&str]) {
    assert_eq!(addresses.len(), truth.len());
    let mut found: Vec<_> = addresses.iter().map(|address| Row::of(address).only(names)).collect();
    let mut expected: Vec<_> = truth.iter().map(|line| Row::of_truth(line).only(names)).collect();
    found.sort();
    expected.sort();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
}

const SIXTEEN: [&str; 16] = [
    "postcode",
    "post_town",
    "dependent_locality",
    "double_dependent_locality",
    "thoroughfare",
    "dependent_thoroughfare",
    "building_number",
    "building_name",
    "sub_building_name",
    "po_box",
    "department_name",
    "organisation_name",
    "udprn",
    "postcode_type",
    "su_organisation_indicator",
    "delivery_point_suffix",
];
const WELSH: [&str; 3] = ["welsh thoroughfare", "welsh dependent_locality", "welsh post_town"];

fn without(names: &[&'static str], left_out: &[&str], more: &[&'static str]) -> Vec<&'static str> {
    names.iter().copied().filter(|name| !left_out.contains(name)).chain(more.iter().copied()).collect()
}

#[test]
fn csv_paf_has_the_true_addresses_in_both_widths() {
    let Some(zip) = formats() else { return };
    let truth = truth(&zip, "csv_paf");
    let (addresses, report) = part(&zip, "CSV PAF/");
    same(&addresses, &truth, &without(&SIXTEEN, &[], &WELSH));
    assert_eq!((report.total(), report.welsh), (4768, 432));
    let (long, _) = part(&zip, "CSV PAF 20 columns/");
    same(&long, &truth, &without(&SIXTEEN, &[], &["address_key", "organisation_key"]));
    assert!(addresses.iter().any(|address| address.building_number == "0"));
    assert!(
        addresses
            .iter()
            .any(|address| address.organisation.contains('é') || address.building_name.contains('é'))
    );
}

#[test]
fn mainfile_has_the_true_addresses() {
    let Some(zip) = formats() else { return };
    let (addresses, report) = part(&zip, "PAF MAIN FILE/");
    let names = without(
        &SIXTEEN,
        &["udprn"],
        &["concatenation_indicator", "address_key", "organisation_key", WELSH[0], WELSH[1], WELSH[2]],
    );
    same(&addresses, &truth(&zip, "mainfile"), &names);
    assert_eq!(report.edition.as_deref(), Some("Y26M11"));
    assert!(addresses.iter().all(|address| !address.thoroughfare.chars().skip(1).any(char::is_uppercase)
        || address.thoroughfare.contains(' ')));
}

#[test]
fn not_yet_built_and_multiple_residence_have_the_true_addresses() {
    let Some(zip) = formats() else { return };
    let (addresses, _) = part(&zip, "CSV NYB/");
    same(&addresses, &truth(&zip, "csv_nyb"), &SIXTEEN);
    assert!(addresses.iter().all(|address| address.dataset == Dataset::NotYetBuilt));
    let (addresses, _) = part(&zip, "CSV MULRES/");
    same(
        &addresses,
        &truth(&zip, "csv_mulres"),
        &["umprn", "udprn", "postcode", "building_number", "building_name", "sub_building_name"],
    );
}

#[test]
fn changes_give_what_csv_paf_holds_afterwards() {
    let Some(zip) = formats() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&zip).unwrap()).unwrap();
    for name in ["CSV PAF/CSV PAF.csv", "CSV PAF Changes/CSV PAF Changes.csv"] {
        let mut file = std::fs::File::create(folder.path().join(name.rsplit('/').next().unwrap())).unwrap();
        std::io::copy(&mut archive.by_name(name).unwrap(), &mut file).unwrap();
    }
    let (changed, report) = read(&[folder.path().to_owned()], &Options::default()).unwrap();
    let (expected, _) = part(&zip, "CSV PAF Changes/expected afterwards/");
    let rows = |addresses: &[Address]| {
        addresses.iter().map(|address| Row::of(address).only(&SIXTEEN)).collect::<BTreeSet<_>>()
    };
    assert_eq!((changed.len(), rows(&changed)), (4796, rows(&expected)));
    assert_eq!(report.changes, [52, 24, 24]);
    assert_eq!(report.count(Doubt::NothingToChange) + report.count(Doubt::NothingToDelete), 0);
}

#[test]
fn ngd_has_the_true_addresses() {
    let Some(zip) = formats() else { return };
    let (addresses, _) = part(&zip, "NGD/add_gb_royalmailaddress.csv");
    let names = without(&SIXTEEN, &["su_organisation_indicator"], &["uprn", WELSH[0], WELSH[1], WELSH[2]]);
    same(&addresses, &truth(&zip, "ngd_royalmail"), &names);
    let (addresses, _) = part(&zip, "NGD/add_gb_builtaddress.csv");
    let truth = one_street(truth(&zip, "ngd_built"));
    same(&addresses, &truth, &ONE_STREET);
    // Both together: the delivery points, and of the built addresses those without one.
    let (both, report) = part(&zip, "NGD/");
    assert_eq!(both.len(), 3163 + 379, "{report}");
}

const ONE_STREET: [&str; 11] = [
    "postcode",
    "post_town",
    "dependent_locality",
    "thoroughfare",
    "building_number",
    "building_name",
    "sub_building_name",
    "po_box",
    "organisation_name",
    "uprn",
    "parent_uprn",
];

/// Returns the truth for a layout with one street.
fn one_street(mut truth: Vec<Value>) -> Vec<Value> {
    for line in &mut truth {
        if line["dependent_thoroughfare"].as_str().is_some_and(|street| !street.is_empty()) {
            line["thoroughfare"] = line["dependent_thoroughfare"].take();
        }
    }
    truth
}

#[test]
fn addressbase_core_has_the_true_addresses() {
    let Some(zip) = formats() else { return };
    let (addresses, report) = part(&zip, "AddressBase Core/");
    same(&addresses, &one_street(truth(&zip, "core")), &ONE_STREET);
    assert_eq!((report.with_uprn, report.with_point), (3469, 3469));
    assert_eq!(report.edition.as_deref(), Some("2026-11-01"));
}

#[test]
fn addressbase_premium_has_the_true_addresses() {
    let Some(zip) = formats() else { return };
    let (addresses, report) = part(&zip, "AddressBase Premium/");
    let (delivery, local): (Vec<Address>, Vec<Address>) =
        addresses.into_iter().partition(|address| address.udprn.is_some());
    let names = without(&SIXTEEN, &["su_organisation_indicator"], &["uprn", WELSH[0], WELSH[1], WELSH[2]]);
    same(&delivery, &truth(&zip, "abp_dpa"), &names);
    same(
        &local,
        &one_street(truth(&zip, "abp_lpi")),
        &["uprn", "postcode", "thoroughfare", "building_number"],
    );
    assert_eq!(report.count(Doubt::NotAddress), 11);
    assert_eq!(report.with_point, report.total());
}

#[test]
fn samples_of_publishers_are_recognised_and_read() {
    let Some(folder) = postcode_testing::shared("cases/addresses/layouts") else { return };
    for (file, layout, addresses) in [
        ("ngd/add_gb_builtaddress.csv", Layout::NgdBuilt, 63),
        ("nisra-pointer/nisra-test-data-new.txt", Layout::Pointer, 0),
        ("addressbase-plus-standard/addressbase_plus_addressbase_test1.csv", Layout::AddressBasePlus, 0),
        ("addressbase-plus-standard/addressbase_standard_addressbase_test1.csv", Layout::AddressBase, 0),
        ("addressbase-premium/moj_mixed_records_raw.csv", Layout::AddressBasePremium, 1),
        ("addressbase-premium/ons_blpu.csv", Layout::AddressBasePremium, 0),
        ("onsud/onsud_2018_style.csv", Layout::Onsud, 0),
    ] {
        let path = folder.join(file);
        let found = layouts::layouts(std::slice::from_ref(&path)).unwrap();
        assert_eq!(found.iter().map(|(_, layout)| *layout).collect::<Vec<_>>(), [layout], "{file}");
        match read(std::slice::from_ref(&path), &Options::default()) {
            Ok((found, report)) => {
                assert_eq!(report.refused(), 0, "{file}: {report}");
                assert!(addresses == 0 || found.len() == addresses, "{file}: {report}");
                assert!(
                    found.iter().all(|address| !address.postcode.is_empty() && !address.post_town.is_empty()),
                    "{file}"
                );
            }
            Err(Error::Empty { .. } | Error::Nothing { .. }) => assert_eq!(addresses, 0, "{file}"),
            Err(error) => panic!("{file}: {error}"),
        }
    }
}

#[test]
fn roads_are_streets_of_a_district() {
    let Some(tile) = postcode_testing::shared("cases/postcodes-io/dataset/open-names/HY20.csv") else {
        return;
    };
    let (roads, _) = read(&[tile], &Options::default()).unwrap();
    assert!(!roads.is_empty());
    for road in &roads {
        assert!(
            road.dataset.is_approximate() && !road.thoroughfare.is_empty() && !road.postcode.contains(' '),
            "{road:?}"
        );
    }
}

#[test]
fn twenty_thousand_rows_of_csv_paf_have_the_counts_of_their_manifest() {
    let Some(file) = postcode_testing::shared("cases/addresses/paf/csv_paf_20k.csv.zst") else { return };
    let (addresses, report) = read(&[file], &Options::default()).unwrap();
    assert_eq!(addresses.len(), 20_000, "{report}");
    let postcodes: BTreeSet<&str> = addresses.iter().map(|address| address.postcode.as_str()).collect();
    assert_eq!(postcodes.len(), 1121);
}
