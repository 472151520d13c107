//! Random input on both sides must give equal answers, or errors of equal kind.

use std::sync::Arc;

use postcode_core::conformance::{AnyCall, Fixture, differential};
use postcode_core::{
    Approximate, AreaKind, Areas, GridReference, GridSystem, Local, Location, OwnedArea, PostcodeLookup,
    PostcodeLookupExt, Record, Status, UserType, YearMonth,
};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::conformance::any;
use crate::conformance::implementations::memory;
use crate::conformance::in_memory::{Duplex, Twice, remote};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Generates a record with any values that a dataset can hold.
fn record() -> impl Strategy<Value = Record> {
    let month =
        || prop::option::of((1970..2030_u16, 1..=12_u8).prop_map(|(y, m)| YearMonth::new(y, m).unwrap()));
    let grid =
        (0..=10_000_000_u32, 0..=10_000_000_u32, any::<bool>()).prop_map(|(eastings, northings, irish)| {
            let system = if irish { GridSystem::Irish } else { GridSystem::Osgb };
            GridReference { eastings, northings, system }
        });
    let user_type = prop::sample::select(vec![UserType::Small, UserType::Large]);
    let name = prop::option::of("[^\\x00]{1,20}");
    let area = ("[A-Z][0-9]{8}", name.clone(), name);
    let areas = prop::collection::vec((prop::sample::select(AreaKind::ALL.to_vec()), area), 0..8);
    let rest = (month(), month(), prop::option::of(any::<u16>()), areas);
    let place = (prop::option::of(grid), prop::option::of(any::location()));
    let first = (any::postcode(), any::<bool>(), prop::option::of(1..=9_u8), prop::option::of(user_type));
    (first, place, rest).prop_map(|((postcode, live, quality, user_type), (grid, location), rest)| {
        let (introduced, terminated, rank, areas) = rest;
        let mut record = Record::live(postcode);
        record.status = if live { Status::Live } else { Status::Terminated };
        (record.quality, record.user_type) = (quality, user_type);
        (record.grid, record.location) = (grid, location);
        if record.location.is_none() {
            // The same for all of an outcode.
            let outcode = postcode.outcode().to_string();
            let latitude = 49.0 + f64::from(outcode.bytes().fold(0_u16, |sum, c| sum + u16::from(c))) / 100.0;
            let location = Location::new(latitude, -2.5).unwrap();
            let about = Approximate { location, source: "GeoNames".into() };
            record.approximate = Some(about).filter(|_| outcode.len() % 2 == 0);
        }
        record.introduced = introduced;
        record.terminated = terminated.filter(|_| !live);
        record.deprivation_rank = rank;
        record.areas = Areas::owned(areas.into_iter().map(|(kind, (code, name, alias))| {
            let text = |text: Option<String>| text.map(String::into_boxed_str);
            // No other area has an alias, nor this one a name: see `divergence.rs`.
            let alias = alias.filter(|_| matches!(kind, AreaKind::Ccg | AreaKind::Nuts));
            let name = name.filter(|_| kind != AreaKind::OutputArea21);
            (kind, OwnedArea { code: Some(code.into()), name: text(name), alias: text(alias) })
        }));
        record
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn any_calls_are_answered_the_same_on_both_sides(calls in prop::collection::vec(any::call(), 1..40)) {
        runtime().block_on(async {
            let local = Arc::new(memory());
            let duplex = Duplex::over(local.clone()).await;
            for remote in [duplex.remote(), remote(Twice(duplex))] {
                let differences = differential(&*local, &remote, calls.clone()).await;
                prop_assert!(differences.is_empty(), "{}", differences[0]);
            }
            Ok(())
        })?;
    }

    #[test]
    fn any_text_is_read_the_same_on_both_sides(texts in prop::collection::vec(any::text(), 1..40)) {
        runtime().block_on(async {
            let local = Arc::new(memory());
            let remote = Duplex::over(local.clone()).await.remote();
            for text in texts {
                match (local.get_str(&text).await, remote.get_str(&text).await) {
                    (Ok(one), Ok(other)) => prop_assert_eq!(one, other, "{:?}", text),
                    (Err(one), Err(other)) => prop_assert_eq!(one.kind(), other.kind(), "{:?}", text),
                    (one, other) => prop_assert!(false, "{text:?}: {one:?} and {other:?}"),
                }
            }
            Ok(())
        })?;
    }

    /// Varies the data as well as the questions.
    #[test]
    fn any_records_come_over_the_wire_whole(records in prop::collection::vec(record(), 1..30)) {
        runtime().block_on(async {
            let info = Fixture::small().info().clone();
            let fixture = Fixture::new(info, records);
            let local = Arc::new(Local::new(fixture.dataset().unwrap()));
            let remote = Duplex::over(local.clone()).await.remote();
            let postcodes: Vec<_> = fixture.records().map(|record| record.postcode).collect();
            let mut calls = vec![AnyCall::Info, AnyCall::Lookup(postcodes.clone())];
            for postcode in postcodes {
                calls.push(AnyCall::Lookup(vec![postcode]));
                calls.push(AnyCall::Outcode(postcode.outcode()));
                calls.push(AnyCall::Search(postcode.to_string(), 5));
                let near = postcode_core::Nearest::to(postcode).radius(20_000.0);
                calls.push(AnyCall::Nearest(near));
            }
            let differences = differential(&*local, &remote, calls).await;
            prop_assert!(differences.is_empty(), "{}", differences[0]);
            Ok(())
        })?;
    }
}

/// Tests cases that the strategies above reach only sometimes.
#[tokio::test]
async fn the_odd_ones_are_answered_the_same_on_both_sides() {
    let local = Arc::new(memory());
    let remote = Duplex::over(local.clone()).await.remote();
    let texts = [
        "",
        " ",
        "\0",
        "%",
        "%%",
        "%2",
        "%2F",
        "/",
        "//",
        "/etc/passwd",
        "..",
        "../..",
        ".",
        "?",
        "?a=b&c=d",
        "#",
        "&",
        "+",
        "M1+1AD",
        "M1%201AD",
        "M1\u{a0}1AD",
        "\u{feff}",
        "\u{85}M1",
        "é",
        "M1é",
        "ﬀ",
        "ß",
        "İ",
        "\u{202e}",
        "\u{1f4ee}",
        "null",
        "undefined",
        "true",
        "0",
        "-1",
        "1e9",
        "{}",
        "[]",
        "lon",
        "lat",
        "q",
        "nearest",
        "autocomplete",
        "validate",
        "random",
        "postcodes",
        "info",
        "m1\r\nx-evil: 1",
        "M1\t1AD",
    ];
    let long = [
        "x".repeat(256),
        "x".repeat(257),
        "é".repeat(128),
        "é".repeat(129),
        "%".repeat(256),
        "\0".repeat(10_240),
    ];
    let mut calls = Vec::new();
    for text in texts.into_iter().map(str::to_owned).chain(long) {
        for limit in [0, 1, 100, 101] {
            calls.push(AnyCall::Autocomplete(text.clone(), limit));
            calls.push(AnyCall::Search(text.clone(), limit));
        }
    }
    let differences = differential(&*local, &remote, calls).await;
    assert!(differences.is_empty(), "{} differ, the first:\n{}", differences.len(), differences[0]);
    // A server that was asked all this still answers.
    assert!(remote.info().await.is_ok());
}
