//! Tests files that are truncated, altered, or something else.

use std::ops::ControlFlow;

use super::shared::{national_builder, national_rows, recorded_builder};
use crate::dataset::{Dataset, DatasetBuilder, Metadata, Row};
use crate::{
    Answer, AreaKind, ErrorKind, Location, Place, Postcode, Region, Result, ScottishArea, ScottishPostcode,
    Within,
};

fn exercise_regions(dataset: &Dataset, postcodes: &[Postcode]) {
    let at = |latitude, longitude| Location::new(latitude, longitude).unwrap();
    let mut regions = vec![
        Region::circle(at(57.1, -2.1), 5_000.0),
        Region::Box { south_west: at(-90.0, -180.0), north_east: at(90.0, 180.0) },
        Region::area("S12000033"),
        Region::area("E99999999"),
    ];
    for postcode in postcodes.iter().take(2) {
        regions.extend([Region::Outcode(postcode.outcode()), Region::Sector(postcode.sector())]);
    }
    for region in regions {
        let query = Within::of(region).limit(100);
        if let Some(next) = dataset.within(&query).unwrap().and_then(|page| page.next) {
            dataset.within(&query.after(next)).unwrap();
        }
    }
    dataset.outcodes_from("A", 20).unwrap();
}

/// Calls everything, to see that nothing panics. Returns how many records are found.
fn exercise(dataset: &Dataset, postcodes: &[Postcode]) -> usize {
    let mut answers = Vec::new();
    dataset.get_many(postcodes, &mut answers);
    for record in answers.iter().filter_map(Answer::record) {
        assert!(record.areas.iter().count() <= AreaKind::ALL.len());
    }
    for text in ["", "A", "M1", "AB10 1A", "1AB", "z"] {
        dataset.autocomplete(text, 20).unwrap();
        dataset.search(text, 20).unwrap();
    }
    for origin in postcodes.iter().filter_map(|postcode| dataset.location(*postcode)).take(3) {
        dataset.around(origin, 20, 2_000.0).unwrap();
        dataset.outcodes_around(origin, 3, 25_000.0).unwrap();
    }
    dataset.around(Location::new(57.1, -2.1).unwrap(), 100, 5_000.0).unwrap();
    for postcode in postcodes.iter().take(3) {
        dataset.outcode(postcode.outcode());
        dataset.random(Some(postcode.outcode()));
        dataset.iter_outcode(postcode.outcode()).take(50).count();
        dataset.iter_sector(postcode.sector()).count();
    }
    exercise_regions(dataset, postcodes);
    for text in ["", "'", "stirling", "bridge of allan", "b"] {
        let _ = dataset.places(text, 20);
    }
    for text in ["", "s", "stirlnig", "bridge alan", "hoy"] {
        let _ = dataset.find_places(&crate::PlaceQuery::new(text).within("scotland"));
        let _ = dataset.find_places(&crate::PlaceQuery::new(text));
    }
    for code in ["osgb0", "osgb2", "osgb9"] {
        let _ = dataset.place_postcodes(code, postcodes.first().copied(), 20);
    }
    dataset.iter_wider_places().take(200).count();
    let _ = (dataset.place("osgb2"), dataset.random_place());
    dataset.iter_places().take(200).count();
    for postcode in postcodes.iter().take(3) {
        let _ = dataset.scottish_postcode(*postcode);
    }
    dataset.iter_scottish().take(200).count();
    dataset.random(None);
    dataset.outcodes().count();
    dataset.summary();
    dataset.iter().take(200).count()
}

fn small() -> Vec<u8> {
    let mut builder = DatasetBuilder::new(Metadata::new("small"));
    for (n, code) in ["AB10 1AB", "AB10 1AD", "M1 1AD", "M11 1AA", "BT1 5GS"].iter().enumerate() {
        let mut row = Row::live(code.parse().unwrap());
        row.location = Location::new(57.1 + n as f64 / 1000.0, -2.1).ok();
        row.areas.set(builder.area(AreaKind::AdminDistrict, &format!("S1200003{n}")).unwrap());
        builder.name_area(AreaKind::AdminDistrict, "S12000033", Some("Aberdeen City"), None).unwrap();
        builder.push(&row).unwrap();
    }
    for (n, name) in ["Stirling", "Bridge of Allan", "Brough"].iter().enumerate() {
        let mut place = Place::new(format!("osgb{n}"), *name, "Town");
        place.outcode = "FK8".parse().ok();
        (place.eastings, place.northings) = (279_834 + n as u32, 693_098);
        (place.latitude, place.longitude) = (Some(56.115), Some(-3.934));
        builder.push_place(&place).unwrap();
        if n == 2 {
            place.code = "osgb9".to_owned();
            builder.push_wider_place(&place).unwrap();
        }
    }
    for (n, code) in ["AB10 1AB", "AB10 1AD", "G2 8AE"].iter().enumerate() {
        let mut entry = ScottishPostcode::new(code.parse().unwrap(), None, Some(format!("S1600007{n}")));
        entry.set(ScottishArea::DataZone, None, Some(format!("S0100000{n}")));
        entry.urban_rural_8_fold = Some(format!("{}", n + 1));
        builder.push_scottish(&entry).unwrap();
        for area in [ScottishArea::ScottishParliamentaryConstituency, ScottishArea::DataZone] {
            let code = entry.code(area).unwrap();
            builder.name_scottish_area(area, code, "Aberdeen Central").unwrap();
        }
    }
    builder.build().unwrap().as_bytes().to_vec()
}

fn message(result: Result<Dataset>) -> String {
    let error = result.expect_err("it should not open");
    assert_eq!(error.kind(), ErrorKind::Dataset);
    error.to_string()
}

#[test]
fn a_file_cut_off_anywhere_does_not_open() {
    let bytes = small();
    // The sector index is long and uniform: tests every length outside it, and some within.
    for len in (0..bytes.len()).filter(|len| !(3_000..400_000).contains(len) || len % 997 == 0) {
        let error = message(Dataset::from_bytes(bytes[..len].to_vec()));
        let named =
            ["empty", "header", "table of sections", "section "].iter().any(|name| error.contains(name));
        assert!(named, "{len}: {error}");
    }
    let error = message(Dataset::from_bytes(bytes[..bytes.len() - 1].to_vec()));
    assert!(error.contains("section spatial rows"), "{error}");
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(message(Dataset::from_bytes(longer)).contains("header"));
    Dataset::from_bytes(bytes).unwrap().verify().unwrap();
}

#[test]
fn a_file_of_another_kind_or_version_says_so() {
    let mut bytes = small();
    assert!(
        message(Dataset::from_bytes(b"pcds,status\nAB1 0AA,live\n".repeat(9)))
            .contains("not a postcode dataset")
    );
    bytes[8] = 2;
    assert!(message(Dataset::from_bytes(bytes)).contains("newer program"));
    let folder = tempfile::tempdir().unwrap();
    assert!(message(Dataset::open(folder.path())).contains("not a file"));
    assert!(message(Dataset::open(folder.path().join("none"))).contains("import"));
    std::fs::write(folder.path().join("empty"), "").unwrap();
    assert!(message(Dataset::open(folder.path().join("empty"))).contains("empty"));
}

/// Checks what `check` finds with a random bit of `bytes` flipped, `times` times.
fn flip(bytes: &[u8], times: usize, seed: u64, postcodes: &[Postcode]) {
    let intact = Dataset::from_bytes(bytes.to_vec()).unwrap();
    let answers: Vec<Answer> = postcodes.iter().map(|postcode| intact.get(*postcode)).collect();
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut refused, mut unverified, mut harmless) = (0, 0, 0);
    let mut altered = bytes.to_vec();
    for _ in 0..times {
        // Chooses every section equally often, however short, and the frame.
        let sections = intact.summary().sections;
        let (start, len) = match rng.usize(..=sections.len()) {
            0 => (0, 64 + 32 * sections.len()),
            n => (sections[n - 1].offset as usize, sections[n - 1].bytes as usize),
        };
        // Chooses the beginning more often, where the headers of tables are.
        let len = if rng.bool() { len.min(64) } else { len };
        let at = start + rng.usize(..len.max(1)).min(bytes.len() - start - 1);
        let bit = 1 << rng.u8(..8);
        altered[at] ^= bit;
        match Dataset::from_bytes(altered.clone()) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Dataset);
                refused += 1;
            }
            Ok(dataset) => {
                exercise(&dataset, postcodes);
                match dataset.verify() {
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Dataset);
                        unverified += 1;
                    }
                    Ok(()) => {
                        let same =
                            postcodes.iter().zip(&answers).all(|(p, answer)| dataset.get(*p) == *answer);
                        assert!(same, "byte {at} is altered, verified, and answers differ");
                        harmless += 1;
                    }
                }
            }
        }
        altered[at] ^= bit;
    }
    println!("of {times}: {refused} did not open, {unverified} did not verify, {harmless} did not matter");
    assert!(refused > 0 && unverified > 0);
}

#[test]
fn a_flipped_bit_is_an_error_or_does_not_matter() {
    let postcodes: Vec<Postcode> = ["AB10 1AB", "AB10 1AD", "M1 1AD", "M11 1AA", "BT1 5GS", "ZY1 1ZZ"]
        .map(|p| p.parse().unwrap())
        .to_vec();
    flip(&small(), 3_000, 5, &postcodes);
    if let Some(builder) = recorded_builder() {
        let dataset = builder.build().unwrap();
        let some: Vec<Postcode> = dataset.iter().step_by(100).map(|record| record.postcode).collect();
        flip(dataset.as_bytes(), 2_000, 6, &some);
    }
}

#[test]
fn a_flipped_bit_in_a_large_file_too() {
    let Some(rows) = national_rows(|n| n % 3 == 0) else { return };
    let dataset = national_builder(&rows).build().unwrap();
    let some: Vec<Postcode> = rows.iter().step_by(5_000).map(|(row, _)| row.postcode).collect();
    flip(dataset.as_bytes(), 60, 8, &some);
}

/// Alters content and corrects the checksums, as an attacker could.
#[test]
fn right_checksums_over_wrong_content_do_not_panic_and_do_not_verify() {
    use xxhash_rust::xxh3::xxh3_64;
    let bytes = recorded_builder().map_or_else(small, |b| b.build().unwrap().as_bytes().to_vec());
    let intact = Dataset::from_bytes(bytes.clone()).unwrap();
    let postcodes: Vec<Postcode> = intact.iter().step_by(97).map(|record| record.postcode).collect();
    let sections = intact.summary().sections;
    let mut rng = fastrand::Rng::with_seed(11);
    let mut caught = 0;
    for _ in 0..1_500 {
        let mut altered = bytes.clone();
        let n = rng.usize(..sections.len());
        let (start, len) = (sections[n].offset as usize, sections[n].bytes as usize);
        let span = if rng.bool() { len.min(64) } else { len };
        altered[start + rng.usize(..span.max(1)).min(len - 1)] = rng.u8(..);
        let row = 64 + n * 32;
        let sum = xxh3_64(&altered[start..start + len]);
        altered[row + 24..row + 32].copy_from_slice(&sum.to_le_bytes());
        let sum = xxh3_64(&altered[64..64 + sections.len() * 32]);
        altered[24..32].copy_from_slice(&sum.to_le_bytes());
        let sum = xxh3_64(&altered[..56]);
        altered[56..64].copy_from_slice(&sum.to_le_bytes());
        match Dataset::from_bytes(altered) {
            Err(_) => caught += 1,
            Ok(dataset) => {
                exercise(&dataset, &postcodes);
                caught += usize::from(dataset.verify().is_err());
            }
        }
    }
    println!("{caught} of 1500 caught without checksums");
    assert!(caught > 500);
}

#[test]
fn an_interrupted_or_failed_write_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uk.postcodes");
    let builder = |codes: &[&str]| {
        let mut builder = DatasetBuilder::new(Metadata::new("written"));
        codes.iter().for_each(|code| builder.push(&Row::live(code.parse().unwrap())).unwrap());
        builder
    };
    let go_on = &mut |_| ControlFlow::Continue(());
    builder(&["M1 1AD"]).write_to(&path, go_on).unwrap();
    let old = Dataset::open(&path).unwrap();
    let before = std::fs::read(&path).unwrap();

    let mut steps = 0;
    let mut count = |_| {
        steps += 1;
        ControlFlow::Continue(())
    };
    builder(&["M1 1AD", "M1 1AE"]).write_to(folder.path().join("other"), &mut count).unwrap();
    assert!(steps >= 5);
    for stop in 0..steps {
        let mut left = stop;
        let mut stop = |_| {
            left -= 1;
            if left < 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let error = builder(&["M1 1AD", "M1 1AE"]).write_to(&path, &mut stop).unwrap_err();
        assert!(error.to_string().contains("interrupted"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    let error = builder(&["M1 1AD"]).write_to(folder.path().join("no/such/folder"), go_on).unwrap_err();
    assert!(error.to_string().contains("can't be created"), "{error}");
    let mut names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["other", "uk.postcodes"]);

    // A new edition leaves readers of the old one with it.
    builder(&["M1 1AE"]).write_to(&path, go_on).unwrap();
    assert!(old.get("M1 1AD".parse().unwrap()).is_live());
    old.verify().unwrap();
    assert_eq!(Dataset::open(&path).unwrap().get("M1 1AD".parse().unwrap()), Answer::Unknown);
}

#[test]
fn verify_of_a_file_with_any_byte_altered_refuses_it_padding_included() {
    let bytes = small();
    let sections = Dataset::from_bytes(bytes.clone()).unwrap().summary().sections;
    let mut padding = 0;
    for (before, after) in sections.iter().zip(sections.iter().skip(1)) {
        for at in (before.offset + before.bytes) as usize..after.offset as usize {
            let mut altered = bytes.clone();
            altered[at] = 1;
            let dataset = Dataset::from_bytes(altered).unwrap();
            let error = dataset.verify_checksums().unwrap_err();
            assert!(error.to_string().contains(&format!("padding, byte {at}")), "{error}");
            assert!(dataset.verify().is_err());
            padding += 1;
        }
    }
    assert!(padding > 0);
    // Then one byte of each section.
    for section in sections.iter().filter(|section| section.bytes > 0) {
        let mut altered = bytes.clone();
        altered[section.offset as usize + section.bytes as usize / 2] ^= 0x10;
        assert!(
            Dataset::from_bytes(altered).and_then(|dataset| dataset.verify_checksums()).is_err(),
            "{}",
            section.name
        );
    }
}

#[test]
fn open_checked_of_a_damaged_or_unsigned_file_refuses_it_as_demanded() {
    use crate::dataset::{Demands, PublicKey, Verify};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uk.postcodes");
    let bytes = small();
    let sections = Dataset::from_bytes(bytes.clone()).unwrap().summary().sections;
    let mut altered = bytes.clone();
    // The last byte of the rows' bits is before the eight bytes that end each table.
    let rows = sections.iter().find(|section| section.name == "rows").unwrap();
    altered[(rows.offset + rows.bytes) as usize - 9] ^= 0x10;
    std::fs::write(&path, &altered).unwrap();
    let open = |demands: &Demands| Dataset::open_checked(&path, demands).map(drop);
    open(&Demands::default().verify(Verify::Off)).unwrap();
    for verify in [Verify::Checksums, Verify::Full] {
        assert_eq!(open(&Demands::default().verify(verify)).unwrap_err().kind(), ErrorKind::Dataset);
    }
    let url = |option: &str| crate::Local::from_url(&format!("file:{}{option}", path.display())).map(drop);
    assert!(url("").is_err() && url("?verify=full").is_err());
    url("?verify=off").unwrap();
    for (option, said) in [
        ("?verify=some", "write full, checksums or off"),
        ("?verify=off&verify=off", "given twice"),
        ("?x=1", "takes verify and public_key"),
        ("?public_key=RWQ", "not a public key"),
    ] {
        let error = url(option).unwrap_err();
        assert!(
            error.kind() == ErrorKind::InvalidInput && error.to_string().contains(said),
            "{option}: {error}"
        );
    }
    std::fs::write(&path, &bytes).unwrap();
    open(&Demands::default().verify(Verify::Full)).unwrap();
    // The key from minisign's documentation.
    let key: PublicKey = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse().unwrap();
    let signed = Demands::default().public_key(Some(key));
    assert!(open(&signed).unwrap_err().to_string().contains("not signed"));
    std::fs::write(crate::dataset::signature_path(&path), "untrusted comment: x\nAAAA\n").unwrap();
    assert!(open(&signed).unwrap_err().to_string().contains("the signature is not valid"));
}
