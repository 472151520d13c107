//! Two editions compared.
#![allow(clippy::unwrap_used)] // In a test it is the failure.

use std::convert::Infallible;

use postcode_core::dataset::{Dataset, DatasetBuilder, Metadata, Row};
use postcode_core::{AreaKind, GridReference, GridSystem, Location, Status};
use postcode_service::diff::{Change, Summary, compare};
use postcode_service::import::{Import, Stop};
use postcode_testing::shared;

/// Rows: postcode, status, eastings, district, region.
fn dataset(rows: &[(&str, Status, Option<u32>, &str, &str)]) -> Dataset {
    let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    for (postcode, status, eastings, district, region) in rows {
        let mut row = Row::live(postcode.parse().unwrap());
        row.status = *status;
        row.grid =
            eastings.map(|eastings| GridReference { eastings, northings: 800_000, system: GridSystem::Osgb });
        for (kind, code) in [(AreaKind::AdminDistrict, district), (AreaKind::Region, region)] {
            if !code.is_empty() {
                row.areas.set(builder.area(kind, code).unwrap());
            }
        }
        builder.push(&row).unwrap();
    }
    builder.build().unwrap()
}

fn changes(old: &Dataset, new: &Dataset, metres: f64) -> (Vec<String>, Summary) {
    let mut changes: Vec<Change> = Vec::new();
    let summary = compare(old, new, metres, |change| {
        changes.push(change.clone());
        Ok::<_, Infallible>(())
    });
    let Ok(summary) = summary;
    (changes.iter().map(Change::to_string).collect(), summary)
}

#[test]
fn every_kind_of_change_is_told_once() {
    use Status::{Live, Terminated};
    let old = dataset(&[
        ("AB10 1AA", Live, Some(390_000), "S1", ""),
        ("AB10 1AB", Live, Some(390_000), "S1", ""),
        ("AB10 1AD", Live, Some(390_000), "S1", ""),
        ("AB10 1AE", Terminated, Some(390_000), "S1", ""),
        ("AB10 1AF", Live, Some(390_000), "S1", ""),
        ("AB10 1AG", Live, None, "S1", ""),
        ("AB10 1AH", Live, Some(390_000), "S1", ""),
    ]);
    let new = dataset(&[
        ("AB1 0AA", Terminated, None, "S1", "E1"),
        ("AB10 1AA", Live, Some(390_000), "S1", "E1"),
        ("AB10 1AB", Terminated, Some(390_012), "S1", "E1"),
        ("AB10 1AD", Live, Some(390_000), "S2", "E1"),
        ("AB10 1AE", Live, Some(390_000), "", "E1"),
        ("AB10 1AG", Live, Some(390_000), "S1", "E1"),
        ("AB10 1AH", Live, Some(390_001), "S1", "E1"),
        ("M1 1AD", Live, None, "S1", "E1"),
    ]);
    let (told, summary) = changes(&old, &new, 2.0);
    assert_eq!(
        told,
        [
            "AB1 0AA   added, terminated",
            "AB10 1AB  terminated",
            "AB10 1AB  moved 12 m",
            "AB10 1AD  recoded admin_district S1 to S2",
            "AB10 1AE  reintroduced",
            "AB10 1AE  recoded admin_district S1 to -",
            "AB10 1AF  removed",
            "AB10 1AG  gained or lost its place",
            "M1 1AD    introduced",
        ]
    );
    let counts = &summary.counts;
    assert_eq!((counts.introduced, counts.reintroduced, counts.terminated), (1, 1, 1));
    assert_eq!((counts.added_terminated, counts.removed, counts.moved), (1, 1, 2));
    assert_eq!((counts.recoded, counts.recoded_by_kind["admin_district"], counts.unchanged), (2, 2, 2));
    // A column in only one of the files does not count as a change.
    assert_eq!((summary.only_in_old.len(), &*summary.only_in_new), (0, &["region".to_owned()][..]));
    assert!(summary.to_string().contains("only in the new one, not compared: region"));
    assert_eq!(changes(&old, &new, 0.5).1.counts.moved, 3);
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["counts"]["recoded_by_kind"]["admin_district"], 2);
}

#[test]
fn an_edition_does_not_differ_from_itself() {
    let one =
        dataset(&[("AB10 1AA", Status::Live, None, "S1", ""), ("M1 1AD", Status::Terminated, None, "", "")]);
    let (told, summary) = changes(&one, &one, 0.0);
    assert!(told.is_empty() && summary.counts.is_same() && summary.counts.unchanged == 2);
}

#[test]
fn without_grid_references_places_are_compared_by_degrees() {
    let at = |latitude: f64| {
        let mut builder = DatasetBuilder::new(Metadata::new("degrees"));
        let mut row = Row::live("JE2 3AB".parse().unwrap());
        row.location = Some(Location::new(latitude, -2.1).unwrap());
        builder.push(&row).unwrap();
        builder.build().unwrap()
    };
    assert_eq!(changes(&at(49.19), &at(49.191), 1.0).0, ["JE2 3AB   moved 111 m"]);
    assert!(changes(&at(49.19), &at(49.19), 0.0).0.is_empty());
}

/// Real editions, counted in another way.
#[test]
fn real_editions() {
    let (Some(old), Some(new)) =
        (shared("data/onspd-editions/onspd_2020-07.csv"), shared("data/onspd-editions/onspd_2025-09.csv"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let import = |input: std::path::PathBuf, name: &str| {
        let out = folder.path().join(name);
        let mut import = Import::new(input, &out);
        import.quiet = true;
        import.run(&Stop::default()).unwrap();
        Dataset::open(out).unwrap()
    };
    let (old, new) = (import(old, "old"), import(new, "new"));
    let (told, summary) = changes(&old, &new, 1.0);
    println!("{summary}");
    let by = |dataset: &Dataset, postcode| dataset.get(postcode).into_record();
    let all = |dataset: &Dataset| {
        dataset.iter().map(|record| record.postcode).collect::<std::collections::BTreeSet<_>>()
    };
    let both: Vec<_> = all(&old).intersection(&all(&new)).copied().collect();
    let live =
        |record: Option<postcode_core::Record>| record.is_some_and(|record| record.status == Status::Live);
    let terminated = both.iter().filter(|&&p| live(by(&old, p)) && !live(by(&new, p))).count() as u64;
    let gone = (all(&old).len() - both.len()) as u64;
    assert_eq!((summary.counts.terminated, summary.counts.removed), (terminated, gone));
    let recoded = both.iter().filter(|&&p| {
        let code = |dataset| {
            by(dataset, p).and_then(|record| record.area_code(AreaKind::AdminWard).map(str::to_owned))
        };
        code(&old) != code(&new)
    });
    assert_eq!(
        summary.counts.recoded_by_kind.get("admin_ward").copied().unwrap_or(0),
        recoded.count() as u64
    );
    assert!(!told.is_empty());
}
