//! Compares the dataset with the oracle.

use proptest::prelude::*;

use super::oracle::Oracle;
use super::shared::{national_builder, national_rows, recorded_builder};
use crate::dataset::{Dataset, DatasetBuilder, Metadata, Row};
use crate::postcode::PER_OUTCODE;
use crate::{
    AreaKind, GridReference, GridSystem, Location, Nearest, Outcode, Postcode, Status, UserType, YearMonth,
};

fn assert_same(found: Vec<crate::Record>, expected: &[Postcode], what: &str) {
    let found: Vec<Postcode> = found.iter().map(|record| record.postcode).collect();
    assert_eq!(found, expected, "{what}");
}

fn compare_texts(dataset: &Dataset, oracle: &Oracle, text: &str, limit: usize) {
    let what = format!("{text:?} {limit}");
    assert_eq!(dataset.autocomplete(text, limit).unwrap(), oracle.autocomplete(text, limit), "{what}");
    assert_same(dataset.search(text, limit).unwrap(), &oracle.search(text, limit), &what);
}

fn compare_nearest(dataset: &Dataset, oracle: &Oracle, origin: Location, limit: usize, radius: f64) {
    let found = dataset.around(origin, limit, radius).unwrap();
    let found: Vec<_> = found.iter().map(|n| (n.record.postcode, n.distance)).collect();
    assert_eq!(found, oracle.nearest(origin, limit, radius), "{origin:?} {limit} {radius}");
}

/// Compares records that are read in place, one by one and in a batch, with whole ones.
fn compare_in_place(dataset: &Dataset, postcodes: &[Postcode]) {
    // Every third does not exist, mostly.
    let asked: Vec<Postcode> = postcodes
        .iter()
        .step_by(7)
        .enumerate()
        .map(|(n, there)| match n % 3 {
            0 => Postcode::from_code(there.code() + 1).unwrap_or(*there),
            _ => *there,
        })
        .collect();
    let mut next = 0;
    dataset.find_many(&asked, |n, found| {
        assert_eq!((n, found.map(|found| found.postcode())), (next, found.map(|_| asked[n])));
        next += 1;
        let answer = dataset.get(asked[n]);
        let whole = answer.record();
        assert_eq!(found.map(|found| found.to_record()).as_ref(), whole);
        assert_eq!(dataset.find(asked[n]).map(|found| found.to_record()).as_ref(), whole);
        let (Some(found), Some(whole)) = (found, whole) else { return };
        assert_eq!(
            (found.status(), found.location(), found.grid(), found.quality(), found.user_type()),
            (whole.status, whole.location, whole.grid, whole.quality, whole.user_type)
        );
        assert_eq!((found.introduced(), found.terminated()), (whole.introduced, whole.terminated));
        assert_eq!(found.admin_district(), whole.admin_district());
        for kind in AreaKind::ALL {
            assert_eq!(found.area(kind), whole.area(kind));
            let parts = whole.area(kind).map_or((None, None), |area| (area.name, area.code));
            assert_eq!((found.area_name(kind), found.area_code(kind)), parts);
            assert_eq!((whole.area_name(kind), whole.area_code(kind)), parts);
        }
    });
    assert_eq!(next, asked.len());
}

/// Returns a fifteenth of the country in runs of outcodes, so that neighbours are included.
fn sample() -> Option<(Dataset, Oracle, Vec<Postcode>)> {
    let rows = national_rows(|n| n / 30_000 % 15 == 3)?;
    let oracle = Oracle::new(rows.iter().map(|(row, _)| row));
    let postcodes = rows.iter().map(|(row, _)| row.postcode).collect();
    Some((national_builder(&rows).build().unwrap(), oracle, postcodes))
}

#[test]
fn real_rows_answer_as_the_oracle_does() {
    let Some((dataset, oracle, postcodes)) = sample() else { return };
    dataset.verify().unwrap();
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..20_000 {
        let there = postcodes[rng.usize(..postcodes.len())];
        oracle.assert_lookup(&dataset, there);
        // Its neighbours, most of which do not exist.
        let near = there.code().saturating_add_signed(rng.i32(-500..500));
        oracle.assert_lookup(&dataset, Postcode::from_code(near).unwrap());
    }
    compare_in_place(&dataset, &postcodes);
    for _ in 0..60 {
        let text = postcodes[rng.usize(..postcodes.len())].to_string();
        let cut = &text[..rng.usize(..=text.len())];
        let text = if rng.bool() { cut.replace(' ', "") } else { cut.to_lowercase() };
        compare_texts(&dataset, &oracle, &text, rng.usize(1..=100));
    }
    for text in
        ["", " ", "9", "M1", "m1 ", "M11", "1A", "E", "Z", "GIR", "NPT", "AB1 0", "ß", "_ _", "A%", "~"]
    {
        compare_texts(&dataset, &oracle, text, 10);
    }
    for n in 0..150 {
        let postcode = postcodes[rng.usize(..postcodes.len())];
        let Some(at) = dataset.location(postcode) else { continue };
        // Some exactly at a postcode, where there may be many.
        let shift = if n % 3 == 0 { 0.0 } else { 0.02 };
        let mut near = |degrees: f64| degrees + shift * (rng.f64() - 0.5);
        let origin = Location::new(near(at.latitude()), near(at.longitude())).unwrap();
        let radius = [0.0, 50.0, 500.0, 2_000.0, 25_000.0][rng.usize(..5)];
        compare_nearest(&dataset, &oracle, origin, rng.usize(1..=100), radius);
    }
    // Across the country, and from the sea.
    for (latitude, longitude) in [(50.0, -20.0), (62.0, 3.0), (54.0, -3.0), (49.0, 2.0)] {
        let origin = Location::new(latitude, longitude).unwrap();
        compare_nearest(&dataset, &oracle, origin, 1_000, crate::MAX_RADIUS);
        compare_nearest(&dataset, &oracle, origin, 1_000, 200_000.0);
    }
}

#[test]
fn random_postcodes_are_live_and_of_the_outcode() {
    let Some((dataset, oracle, _)) = sample() else { return };
    let outcodes: Vec<Outcode> = dataset.outcodes().collect();
    for outcode in outcodes.iter().copied() {
        let record = dataset.random(Some(outcode)).unwrap();
        assert_eq!(record.postcode.outcode(), outcode);
        assert_eq!(oracle.0[&record.postcode.to_string()].status, Status::Live);
    }
    assert!(dataset.random(None).unwrap().status == Status::Live);
    assert_eq!(dataset.random(Some("ZY1".parse().unwrap())), None);
    let expected: std::collections::BTreeSet<_> = oracle
        .0
        .values()
        .filter(|row| row.status == Status::Live)
        .map(|row| row.postcode.outcode())
        .collect();
    assert!(outcodes.into_iter().eq(expected));
}

#[test]
fn ranges_are_the_rows_of_the_outcode_and_sector() {
    let Some(builder) = recorded_builder() else { return };
    let dataset = builder.build().unwrap();
    let all: Vec<_> = dataset.iter().collect();
    assert_eq!(all.len(), 8_048);
    assert!(all.is_sorted_by_key(|record| record.postcode));
    for postcode in ["AB10 1AB", "JE2 4WD", "ZY1 1AA", "AB1 0AA"] {
        let postcode: Postcode = postcode.parse().unwrap();
        let of_outcode = all.iter().filter(|r| r.postcode.outcode() == postcode.outcode()).cloned();
        assert!(dataset.iter_outcode(postcode.outcode()).eq(of_outcode));
        let of_sector = all.iter().filter(|r| r.postcode.sector() == postcode.sector()).cloned();
        assert!(dataset.iter_sector(postcode.sector()).eq(of_sector));
    }
}

/// Generates postcodes of a few outcodes that interleave, so that small sets are dense enough to be
/// interesting.
fn a_postcode() -> impl Strategy<Value = Postcode> {
    let outcode = prop::sample::select(vec![
        "M1", "M2", "M10", "M11", "M1A", "AB1", "AB10", "AB1A", "GIR", "W1A", "BT1",
    ]);
    (outcode, 0..PER_OUTCODE).prop_map(|(outcode, n)| {
        let outcode: Outcode = outcode.parse().unwrap();
        // Low numbers more often.
        let n = if n % 3 == 0 { n % 40 } else { n };
        Postcode::from_code(outcode.code() * PER_OUTCODE + n).unwrap()
    })
}

/// Generates locations anywhere, most of them at special places: poles, antimeridian, equator, one
/// town.
fn a_location() -> impl Strategy<Value = Location> {
    let latitude = prop_oneof![-90.0..=90.0, Just(90.0), Just(-90.0), 89.99..=90.0, 51.5..51.51, Just(0.0)];
    let longitude =
        prop_oneof![-180.0..=180.0, Just(180.0), Just(-180.0), 179.99..=180.0, -180.0..=-179.99, -0.1..0.1];
    (latitude, longitude).prop_map(|(latitude, longitude): (f64, f64)| {
        let micro = |degrees: f64| (degrees * 1e6).round() / 1e6;
        Location::new(micro(latitude), micro(longitude)).unwrap()
    })
}

fn a_row() -> impl Strategy<Value = Row> {
    let month = (1970u16..2030, 1u8..=12).prop_map(|(year, month)| YearMonth::new(year, month).unwrap());
    let grid = (0u32..700_000, 0u32..1_300_000, prop::bool::ANY).prop_map(|(eastings, northings, irish)| {
        let system = if irish { GridSystem::Irish } else { GridSystem::Osgb };
        GridReference { eastings, northings, system }
    });
    (
        a_postcode(),
        prop::bool::ANY,
        prop::option::of(1u8..=9),
        prop::option::of(prop::bool::ANY),
        prop::option::of(grid),
        prop::option::of(a_location()),
        (prop::option::of(month.clone()), prop::option::of(month)),
        prop::option::of(1u16..5),
    )
        .prop_map(|(postcode, live, quality, large, grid, location, (introduced, terminated), rank)| {
            let mut row = if live { Row::live(postcode) } else { Row::terminated(postcode) };
            row.quality = quality;
            row.user_type = large.map(|large| if large { UserType::Large } else { UserType::Small });
            (row.grid, row.location, row.introduced, row.terminated) =
                (grid, location, introduced, terminated);
            row.deprivation_rank = rank;
            row
        })
}

fn build(rows: &[Row]) -> (Dataset, Oracle) {
    let mut builder = DatasetBuilder::new(Metadata::new("made up"));
    let kept: Vec<&Row> = rows.iter().filter(|row| builder.push(row).is_ok()).collect();
    let oracle = Oracle::new(kept.into_iter());
    assert_eq!(oracle.0.len(), builder.len());
    (builder.build().unwrap(), oracle)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn made_up_rows_answer_as_the_oracle_does(
        rows in prop::collection::vec(a_row(), 0..120),
        others in prop::collection::vec(a_postcode(), 20),
        texts in prop::collection::vec("(M1|AB1|GIR|W1A|BT1|M|)[0-9 ]{0,2}[A-Z]{0,2}|\\PC{0,6}", 20),
        origins in prop::collection::vec(a_location(), 10),
        limit in 1usize..30,
    ) {
        let (dataset, oracle) = build(&rows);
        dataset.verify().unwrap();
        for postcode in rows.iter().map(|row| row.postcode).chain(others) {
            oracle.assert_lookup(&dataset, postcode);
        }
        for text in &texts {
            // The oracle's white space is not JavaScript's.
            if !text.contains(['\u{85}', '\u{feff}']) {
                compare_texts(&dataset, &oracle, text, limit);
            }
        }
        for origin in origins {
            compare_nearest(&dataset, &oracle, origin, limit, 25_000.0);
            compare_nearest(&dataset, &oracle, origin, limit, 700_000.0);
            compare_nearest(&dataset, &oracle, origin, limit, 100.0);
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(
        mut rows in prop::collection::vec(a_row(), 0..60),
        areas in prop::collection::vec("[A-E][0-9]{8}", 60),
        seed in any::<u64>(),
    ) {
        rows.sort_by_key(|row| row.postcode);
        rows.dedup_by_key(|row| row.postcode);
        let mut rows: Vec<_> = rows.into_iter().zip(areas).collect();
        let build = |rows: &[(Row, String)]| {
            let mut builder = DatasetBuilder::new(Metadata::new("made up"));
            for (row, area) in rows {
                let mut row = row.clone();
                row.areas.set(builder.area(AreaKind::Parish, area).unwrap());
                builder.name_area(AreaKind::Parish, area, Some(&area[..2]), None).unwrap();
                builder.push(&row).unwrap();
            }
            builder.build().unwrap()
        };
        let first = build(&rows);
        fastrand::Rng::with_seed(seed).shuffle(&mut rows);
        let second = build(&rows);
        prop_assert_eq!(first.as_bytes(), second.as_bytes());
        prop_assert_eq!(&first.info().fingerprint, &second.info().fingerprint);
        for (row, area) in &rows {
            let answer = first.get(row.postcode);
            let found = answer.record().unwrap().area(AreaKind::Parish).unwrap();
            prop_assert_eq!((found.code, found.name, found.alias), (Some(&area[..]), Some(&area[..2]), None));
        }
    }
}

#[test]
fn nothing_is_near_where_nothing_is() {
    let Some((dataset, ..)) = sample() else { return };
    for (latitude, longitude) in
        [(90.0, 0.0), (-90.0, 0.0), (0.0, 180.0), (0.0, -180.0), (51.5, 179.9), (-51.5, 0.0)]
    {
        let origin = Location::new(latitude, longitude).unwrap();
        assert_eq!(dataset.around(origin, 100, 25_000.0).unwrap(), []);
        assert_eq!(dataset.nearest(&Nearest::to(origin)).unwrap(), Some(Vec::new()));
    }
    assert_eq!(dataset.nearest(&Nearest::to("ZY1 1AA".parse::<Postcode>().unwrap())).unwrap(), None);
}
