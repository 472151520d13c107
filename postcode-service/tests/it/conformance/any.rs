//! Strategies for random calls.

use postcode_core::conformance::{AnyCall, Fixture};
use postcode_core::dataset::Dataset;
use postcode_core::{Location, Nearest, NearestOutcodes, Origin, OutcodeOrigin, PlaceQuery, Postcode};
use proptest::prelude::*;

/// Generates random text: what users type, characters that break URLs, and anything else.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "\0",
        "%",
        "%2F",
        "%00",
        "%zz",
        "/",
        "//",
        "..",
        "/../",
        "?",
        "#",
        "&",
        "=",
        "+",
        " ",
        "\t",
        "\r\n",
        "\u{85}",
        "\u{a0}",
        "\u{feff}",
        "\u{2028}",
        "é",
        "ß",
        "İ",
        "№",
        "\u{1f4ee}",
        "\u{202e}",
        "null",
        "M1",
        "1AD",
        "sw1a",
        "LS9",
        "'",
        "\"",
        "\\",
        "_",
        ".",
        "-",
        "\u{ffff}",
    ]);
    prop_oneof![
        4 => "[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9]?[A-Z]{0,2}",
        2 => "[mMsS1eElL9 ]{0,6}",
        2 => any::<String>(),
        3 => prop::collection::vec(pieces.clone(), 0..6).prop_map(|pieces| pieces.concat()),
        // Around the limit of 256 bytes, and far beyond.
        1 => (pieces, prop_oneof![250..260_usize, Just(10_240)])
            .prop_map(|(piece, bytes)| piece.repeat(bytes / piece.len().max(1))),
    ]
}

pub(crate) fn postcode() -> impl Strategy<Value = Postcode> {
    let known: Vec<_> = Fixture::small().records().map(|record| record.postcode).collect();
    let any = "[A-Z]{1,2}[0-9]{1,2}[A-Z]? [0-9][ABDEFGHJLNPQRSTUWXYZ]{2}";
    prop_oneof![
        3 => prop::sample::select(known),
        1 => any.prop_filter_map("no postcode", |text| text.parse().ok()),
    ]
}

pub(crate) fn location() -> impl Strategy<Value = Location> {
    let point = |latitude, longitude| Location::new(latitude, longitude).unwrap();
    prop_oneof![
        3 => (51.0..56.0_f64, -3.5..0.0_f64).prop_map(move |(latitude, longitude)| point(latitude, longitude)),
        1 => (-90.0..=90.0_f64, -180.0..=180.0_f64).prop_map(move |(latitude, longitude)| point(latitude, longitude)),
        1 => prop::sample::select(vec![
            (90.0, 0.0), (-90.0, 180.0), (0.0, -180.0), (-0.0, -0.0), (5e-324, 1e-300), (53.479, -2.235),
        ]).prop_map(move |(latitude, longitude)| point(latitude, longitude)),
    ]
}

fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 0..110_usize, 1 => Just(usize::MAX), 1 => any::<usize>()]
}

fn radius() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -10.0..25_000.0, 1 => any::<f64>()]
}

pub(crate) fn call() -> impl Strategy<Value = AnyCall> {
    let words = prop::sample::select(vec!["newport", "Dre-gôch", "dre goch", "st john's", "b", "kilbride"]);
    let name = prop_oneof![text(), words.prop_map(str::to_owned)];
    let area = prop_oneof![text(), "(?i)orkney|great britain"];
    let kind = prop_oneof![text(), "(?i)town|island|suburban area"];
    let typed = prop_oneof![name.clone(), "(?i)[newportlishbagc ]{1,12}"];
    let find = (typed, prop::option::weighted(0.2, area), prop::option::weighted(0.2, kind), limit());
    let find = find.prop_map(|(text, within, local_type, limit)| {
        let query = PlaceQuery::new(text).limit(limit);
        let query = within.into_iter().fold(query, PlaceQuery::within);
        AnyCall::FindPlaces(local_type.into_iter().fold(query, PlaceQuery::local_type))
    });
    let code = prop_oneof![text(), "(?i)osgb10(0[0-9]|1[0-5])", "osgb200[0-4]"];
    let page = (code.clone(), prop::option::of(postcode()), limit());
    let outcode = postcode().prop_map(|postcode| OutcodeOrigin::from(postcode.outcode()));
    let around = prop_oneof![location().prop_map(OutcodeOrigin::from), outcode];
    let outcodes = (around, limit(), radius()).prop_map(|(origin, limit, radius)| {
        AnyCall::NearestOutcodes(NearestOutcodes::to(origin).limit(limit).radius(radius))
    });
    let origin = prop_oneof![location().prop_map(Origin::from), postcode().prop_map(Origin::from)];
    prop_oneof![
        1 => Just(AnyCall::Info),
        2 => outcodes,
        2 => code.prop_map(AnyCall::Place),
        3 => (name, limit()).prop_map(|(name, limit)| AnyCall::Places(name, limit)),
        4 => find,
        3 => page.prop_map(|(code, after, limit)| AnyCall::PlacePostcodes(code, after, limit)),
        2 => postcode().prop_map(AnyCall::Scottish),
        3 => prop::collection::vec(postcode(), 0..250).prop_map(AnyCall::Lookup),
        2 => postcode().prop_map(|postcode| AnyCall::Lookup(vec![postcode])),
        2 => postcode().prop_map(|postcode| AnyCall::Outcode(postcode.outcode())),
        4 => (text(), limit()).prop_map(|(text, limit)| AnyCall::Autocomplete(text, limit)),
        4 => (text(), limit()).prop_map(|(text, limit)| AnyCall::Search(text, limit)),
        4 => (origin, limit(), radius())
            .prop_map(|(origin, limit, radius)| AnyCall::Nearest(Nearest::to(origin).limit(limit).radius(radius))),
    ]
}

/// Calls about a dataset that is too large to list: real postcodes from all over it.
pub(crate) fn calls_of_the_country(dataset: &Dataset, many: usize) -> Vec<AnyCall> {
    let mut rng = fastrand::Rng::with_seed(4);
    let step = (dataset.info().live + dataset.info().terminated) as usize / many;
    let mut calls = vec![AnyCall::Info];
    let mut batch = Vec::new();
    for record in dataset.iter().step_by(step.max(1)) {
        let (postcode, limit) = (record.postcode, rng.usize(1..=100));
        batch.push(postcode);
        calls.push(match calls.len() % 5 {
            0 => AnyCall::Outcode(postcode.outcode()),
            1 => AnyCall::Autocomplete(postcode.to_string()[..rng.usize(1..5)].to_owned(), limit),
            2 => AnyCall::Search(postcode.to_string()[..rng.usize(1..=6)].to_owned(), limit),
            3 => AnyCall::Nearest(Nearest::to(postcode).limit(limit).radius(rng.f64() * 2_000.0)),
            _ => AnyCall::Lookup(std::mem::take(&mut batch)),
        });
    }
    calls
}
