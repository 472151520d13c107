//! The file as a whole: what is written comes back, and a damaged file is an error.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Cursor;

use postcode_core::Postcode;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::{Dataset, Geographic, Grid, Kind, PafKey, Point, Welsh};

fn written(addresses: &[Address]) -> Vec<u8> {
    let mut writer = AddressWriter::new(Cursor::new(Vec::new()), Metadata::new("of a test")).unwrap();
    for address in addresses {
        writer.push(address).unwrap();
    }
    writer.finish().unwrap().0.into_inner()
}

fn open(addresses: &[Address]) -> AddressFile {
    let file = AddressFile::from_bytes(written(addresses)).unwrap();
    file.verify().unwrap();
    file
}

fn all(file: &AddressFile) -> Vec<Address> {
    let postcodes: Vec<Postcode> = file.postcodes().collect();
    postcodes.iter().flat_map(|postcode| file.get(*postcode).unwrap().unwrap().collect().unwrap()).collect()
}

fn at(postcode: &str, number: &str) -> Address {
    Address {
        building_number: number.into(),
        thoroughfare: "Ash Road".into(),
        post_town: "EXAMPLETON".into(),
        postcode: postcode.into(),
        kind: Some(Kind::SmallUser),
        ..Address::default()
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(String::new()),
        3 => (0..40u32).prop_map(|number| number.to_string()),
        2 => (0..40u32).prop_map(|number| format!("Flat {number}")),
        1 => "[0-9]{1,11}[A-Z/]{0,2}[0-9]{0,3}",
        1 => "[A-Zé ŵ]{1,9}",
        1 => Just("Ash Road".to_owned()),
    ]
}

prop_compose! {
    fn address()(
        texts in prop::collection::vec(text(), 11),
        suffix in prop_oneof![Just(String::new()), "[1-9][ABDE]", Just("10A".to_owned())],
        udprn in prop::option::of(prop_oneof![1u32..60, 1u32..=99_999_999]),
        umprn in prop::option::of(1u32..=99_999_999),
        uprn in prop::option::of(prop_oneof![1000u64..1060, 1u64..=MAX_UPRN]),
        parent_uprn in prop::option::of(1u64..=MAX_UPRN),
        kind in prop_oneof![Just(None), Just(Some(Kind::SmallUser)), Just(Some(Kind::LargeUser))],
        (organisation_indicator, concatenation_indicator) in any::<(bool, Option<bool>)>(),
        (households, key) in any::<(Option<u16>, Option<(u32, u32)>)>(),
        dataset in prop::sample::select(&[Dataset::Paf, Dataset::MultipleResidence, Dataset::Ngd][..]),
        welsh in prop::option::of(prop::collection::vec(text(), 9)),
        point in prop::option::of((0i64..70_000_000, -90_000_000i64..90_000_000)),
    ) -> Address {
        let mut address = Address { udprn, umprn, uprn, parent_uprn, kind, organisation_indicator, concatenation_indicator, households, dataset, ..Address::default() };
        for (element, text) in address.texts_mut().into_iter().zip(texts) {
            *element = text;
        }
        address.postcode = String::new();
        address.delivery_point_suffix = suffix;
        address.welsh = welsh.map(|texts| {
            let mut welsh = Box::<Welsh>::default();
            for ((element, _), text) in decode::welsh_texts(&mut welsh).into_iter().zip(texts) {
                *element = text;
            }
            welsh
        }).filter(|welsh| !welsh.is_empty());
        address.point = point.map(|(grid, degrees)| Point {
            grid: Some(Grid { eastings: grid as f64 / PER_METRE, northings: (grid / 2) as f64 / PER_METRE }),
            geographic: (degrees % 2 == 0).then_some(Geographic { latitude: degrees as f64 / PER_DEGREE, longitude: 1.5 }),
        });
        address.paf_key = key.map(|(address, organisation)| PafKey { address, organisation });
        address
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 64 } else { 512 }))]

    #[test]
    fn addresses_come_back_as_they_were_written(groups in prop::collection::vec(prop::collection::vec(address(), 1..25), 1..4)) {
        let postcodes = ["AB1 0AA", "AB1 0AB", "ZE9 9ZZ"];
        let mut addresses = Vec::new();
        for (group, postcode) in groups.into_iter().zip(postcodes) {
            addresses.extend(group.into_iter().map(|address| Address { postcode: postcode.into(), ..address }));
        }
        let file = open(&addresses);
        prop_assert_eq!(&all(&file), &addresses);
        for address in &addresses {
            let numbers = [address.udprn.map(AddressNumber::Udprn), address.umprn.map(AddressNumber::Umprn), address.uprn.map(AddressNumber::Uprn)];
            for number in numbers.into_iter().flatten() {
                let wanted: Vec<_> = addresses.iter().filter(|address| number.is_of(address)).cloned().collect();
                prop_assert_eq!(file.find(number).unwrap(), wanted);
            }
        }
        prop_assert_eq!(written(&addresses), written(&addresses));
    }

    #[test]
    fn damaged_bytes_are_an_error_or_an_answer(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let addresses: Vec<Address> = (1..40).map(|number| Address { udprn: Some(number), ..self::at("ZE9 9ZZ", &number.to_string()) }).collect();
        let sound = written(&addresses);
        let file = AddressFile::from_bytes(sound.clone()).unwrap();
        // A byte of the blocks, the texts or the tables: the checksums find it, and reading does not panic.
        let start = file.blocks.start;
        let mut bytes = sound.clone();
        let at = start + at.index(bytes.len() - start);
        if bytes[at] != byte {
            bytes[at] = byte;
            if let Ok(file) = AddressFile::from_bytes(bytes) {
                prop_assert!(file.verify_checksums().is_err());
                let _ = file.get("ZE9 9ZZ".parse().unwrap()).map(|found| found.map(Addresses::collect));
                for number in 0..50 {
                    let _ = file.find(AddressNumber::Udprn(number));
                }
            }
        }
        prop_assert!(AddressFile::from_bytes(sound[..cut.index(sound.len())].to_vec()).is_err());
    }

    #[test]
    fn any_block_is_an_error_or_addresses(block in prop::collection::vec(any::<u8>(), 0..60)) {
        let file = open(&[at("ZE9 9ZZ", "1")]);
        if let Ok(mut addresses) = Addresses::new(&file, &block, "ZE9 9ZZ") {
            while let Ok(Some(_)) = addresses.next() {}
        }
    }
}

#[test]
fn postcodes_that_are_not_there_have_no_addresses() {
    let file = open(&[at("AB1 0AB", "1"), at("AB1 0AB", "2"), at("AB1 3AA", "7")]);
    let has = |text: &str| file.get(text.parse().unwrap()).unwrap().is_some();
    assert!(has("AB1 0AB") && has("AB1 3AA") && !has("AB1 0AA") && !has("ZE1 0AA"));
    assert!(file.covers("AB1".parse().unwrap()) && !file.covers("AB10".parse().unwrap()));
    let metadata = file.metadata();
    assert_eq!((metadata.addresses, metadata.postcodes, metadata.outcodes), (3, 2, 1));
    assert_eq!(metadata.areas, ["AB"]);
}

#[test]
fn addresses_that_are_not_sorted_are_refused_and_others_may_follow() {
    let mut writer = AddressWriter::new(Cursor::new(Vec::new()), Metadata::new("of a test")).unwrap();
    writer.push(&at("AB1 0AB", "1")).unwrap();
    writer.push(&at("AB1 0AD", "1")).unwrap();
    for (address, why) in [
        (at("AB1 0AB", "2"), "sorted"),
        (at("nonsense", "2"), "nonsense"),
        (Address { udprn: Some(1 << 27), ..at("AB1 0AD", "2") }, "eight digits"),
        (Address { organisation: "a\0b".into(), ..at("AB1 0AD", "2") }, "control character"),
        (Address { organisation: "a".repeat(1025), ..at("AB1 0AD", "2") }, "1025 bytes"),
    ] {
        let error = writer.push(&address).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    writer.push(&at("AB1 0AD", "3")).unwrap();
    let file = AddressFile::from_bytes(writer.finish().unwrap().0.into_inner()).unwrap();
    assert_eq!(all(&file).len(), 3);
}

#[test]
fn streets_of_an_outcode_are_kept_apart_from_addresses() {
    let street = |outcode: &str, name: &str| Address {
        thoroughfare: name.into(),
        postcode: outcode.into(),
        dataset: Dataset::OpenRoads,
        ..Address::default()
    };
    let file = open(&[
        street("AB1", "Ash Road"),
        street("AB1", "Oak Road"),
        at("AB2 0AB", "1"),
        street("ZE9", "Elm Road"),
    ]);
    let streets = file.streets("AB1".parse().unwrap()).unwrap().unwrap().collect().unwrap();
    assert_eq!(
        streets.iter().map(|street| &*street.thoroughfare).collect::<Vec<_>>(),
        ["Ash Road", "Oak Road"]
    );
    assert!(file.streets("AB2".parse().unwrap()).unwrap().is_none());
    assert!(!file.covers("AB1".parse().unwrap()));
    assert_eq!((file.metadata().addresses, file.metadata().streets), (1, 3));
}

#[test]
fn empty_file_has_no_addresses() {
    let file = open(&[]);
    assert!(file.get("AB1 0AB".parse().unwrap()).unwrap().is_none());
    assert!(file.find(AddressNumber::Udprn(1)).unwrap().is_empty());
    assert_eq!(file.postcodes().count(), 0);
}

#[test]
fn other_files_are_named_in_the_error() {
    let error = |bytes: &[u8]| AddressFile::from_bytes(bytes.to_vec()).unwrap_err().to_string();
    assert!(error(b"").contains("the file is empty, so it is not a file of addresses"));
    assert!(error(b"\x89UKPC\r\n\x1a rest").contains("a postcode dataset, and not a file of addresses"));
    assert!(error(b"something else").contains("not a file of addresses"));
    let other = postcode_core::dataset::Dataset::from_bytes(written(&[at("AB1 0AB", "1")])).unwrap_err();
    assert!(other.to_string().contains("a file of addresses, and not a postcode dataset"));
}

/// Invented rows of the shape of CSV PAF, and the digest of each sector's rows.
#[test]
fn twenty_thousand_invented_rows_come_back_with_their_digests() {
    let Some(packed) = postcode_testing::shared("cases/addresses/paf/csv_paf_20k.csv.zst") else { return };
    let Some(manifest) = postcode_testing::shared("cases/addresses/paf/csv_paf_20k.manifest.json") else {
        return;
    };
    let rows = zstd::decode_all(std::fs::File::open(packed).unwrap()).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(manifest).unwrap()).unwrap();
    let mut addresses = Vec::new();
    for row in csv::ReaderBuilder::new().has_headers(false).from_reader(&*rows).records() {
        let row = row.unwrap();
        let mut address = Address {
            udprn: Some(row[12].parse().unwrap()),
            kind: Kind::parse(&row[13]),
            organisation_indicator: &row[14] == "Y",
            ..Address::default()
        };
        for (element, column) in
            address.texts_mut().into_iter().zip([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 15])
        {
            *element = row[column].to_owned();
        }
        addresses.push(address);
    }
    addresses.sort_by_key(|address| address.postcode.parse::<Postcode>().unwrap());
    let bytes = written(&addresses);
    postcode_testing::say(&format!(
        "20,000 invented addresses: {:.2} bytes each",
        bytes.len().saturating_sub(405_000) as f64 / 20_000.0
    ));
    let file = AddressFile::from_bytes(bytes).unwrap();
    file.verify().unwrap();
    let mut sectors: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for address in all(&file) {
        let [
            organisation,
            department,
            po_box,
            sub,
            name,
            number,
            dependent,
            street,
            double,
            locality,
            town,
            postcode,
            suffix,
        ] = address.texts();
        let mut line =
            csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
        let (udprn, kind) = (format!("{:08}", address.udprn.unwrap()), address.kind.unwrap().as_str());
        let indicator = if address.organisation_indicator { "Y" } else { "" };
        line.write_record([
            postcode,
            town,
            locality,
            double,
            street,
            dependent,
            number,
            name,
            sub,
            po_box,
            department,
            organisation,
            &udprn,
            kind,
            indicator,
            suffix,
        ])
        .unwrap();
        let line = String::from_utf8(line.into_inner().unwrap()).unwrap().trim_end().to_owned();
        sectors.entry(postcode[..postcode.len() - 2].to_owned()).or_default().push(line);
    }
    let told = manifest["per_sector"].as_object().unwrap();
    assert_eq!(sectors.len(), told.len());
    for (sector, mut lines) in sectors {
        lines.sort_unstable();
        let digest = Sha256::digest(lines.join("\n")).iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        assert_eq!(told[&sector]["sha256"], *digest, "{sector}");
    }
    let found = file.find(AddressNumber::Udprn(addresses[12_345].udprn.unwrap())).unwrap();
    assert_eq!(found, [addresses[12_345].clone()]);
}
