//! Compares the parser with the npm library `postcode` 5.1, case by case. Every difference is
//! listed here, and explained in `docs/SYNTAX.md`.
#![allow(clippy::unwrap_used, clippy::panic)]

use postcode_core::{Outcode, Postcode, text};
use postcode_testing::shared;
use serde_json::Value;

fn cases() -> Option<Value> {
    let path = shared("cases/postcode-syntax.json")?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

fn str<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("{case}: no {key}"))
}

/// Runs each case. Every difference must be in the list with our result, and the list must contain
/// nothing else.
fn compare<T: PartialEq + std::fmt::Debug + Clone>(
    section: &str,
    ours: impl Fn(&Value) -> T,
    theirs: impl Fn(&Value) -> T,
    differences: &[(&str, T)],
) {
    let Some(cases) = cases() else { return };
    let list = cases[section].as_array().unwrap();
    assert!(!list.is_empty());
    let found: Vec<(&str, T)> = list
        .iter()
        .filter_map(|case| Some((str(case, "input"), ours(case))).filter(|(_, ours)| *ours != theirs(case)))
        .collect();
    for difference in &found {
        assert!(
            differences.contains(difference),
            "{section}: not a known difference: {difference:?} of {found:#?}"
        );
    }
    for difference in differences {
        assert!(found.contains(difference), "{section}: no difference any more: {difference:?}");
    }
}

fn owned(s: &str) -> Option<String> {
    Some(s.to_owned())
}

#[test]
fn parse() {
    compare(
        "parse",
        |case| str(case, "input").parse::<Postcode>().ok().map(|p| p.to_string()),
        |case| case["normalised"].as_str().map(str::to_owned),
        &[
            // People write punctuation between the halves and spaces within them.
            ("SW1A-2AA", owned("SW1A 2AA")),
            ("SW1A.2AA", owned("SW1A 2AA")),
            ("S W1A 2AA", owned("SW1A 2AA")),
            ("SW1A 2 AA", owned("SW1A 2AA")),
            // Spaces around, and the invisible characters that are copied with text.
            ("SW1A 2AA ", owned("SW1A 2AA")),
            ("E1 6AN\u{200b}", owned("E1 6AN")),
            ("\u{feff}E1 6AN", owned("E1 6AN")),
            // No area has Z as its second letter: ZZ99 is the NHS's pseudo-district for people without a postcode.
            ("ZZ99 9ZZ", None),
        ],
    );
    let Some(cases) = cases() else { return };
    let list = cases["parse"].as_array().unwrap();
    for case in list.iter().filter(|case| case["normalised"].is_string()) {
        let Ok(postcode) = str(case, "input").parse::<Postcode>() else { continue };
        let sub = postcode.sub_district();
        let parts = [
            ("outcode", Some(postcode.outcode().to_string())),
            ("incode", Some(postcode.incode().to_string())),
            ("area", Some(postcode.area().to_string())),
            ("district", Some(postcode.district().to_string())),
            ("subDistrict", sub.map(|s| s.to_string())),
            ("sector", Some(postcode.sector().to_string())),
            ("unit", Some(postcode.unit().to_string())),
        ];
        for (part, ours) in parts {
            assert_eq!(ours.as_deref(), case[part].as_str(), "{part} of {postcode}");
        }
    }
}

#[test]
fn valid_outcode() {
    compare(
        "valid_outcode",
        |case| str(case, "input").parse::<Outcode>().is_ok(),
        |case| case["validOutcode"].as_bool().unwrap(),
        &[
            // Spaces around are ignored, as for postcodes.
            (" A1", true),
        ],
    );
}

#[test]
fn fix() {
    // The library returns the text unchanged if it can't fix it; ours is an error then.
    compare(
        "fix",
        |case| {
            let input = str(case, "input");
            Postcode::repair(input).map_or(input.to_owned(), |repaired| repaired.value.to_string())
        },
        |case| str(case, "output").to_owned(),
        &[
            // Letters that are never used in their place: the library accepts or produces them.
            ("AB1O 1AB", "AB10 1AB".to_owned()),
            (" SW1A  2AO", " SW1A  2AO".to_owned()),
            ("SW1A 20A", "SW1A 20A".to_owned()),
            // Only one reading follows the rules; the library does not look at these places.
            ("5W1A 2AA", "SW1A 2AA".to_owned()),
            ("NIC 4AG", "N1C 4AG".to_owned()),
            ("CRO 2YR", "CR0 2YR".to_owned()),
            // No district has a leading 0; SO is Southampton.
            ("S01 OAA", "SO1 0AA".to_owned()),
            // OW, IW and LW are not areas, so the text is not repaired.
            ("0W1A OAA", "0W1A OAA".to_owned()),
            ("0W1 OAA", "0W1 OAA".to_owned()),
            ("1W1A 2AA", "1W1A 2AA".to_owned()),
        ],
    );
}

fn found(text: &str) -> Vec<String> {
    text::find(text).map(|found| text[found.range].to_owned()).collect()
}

#[test]
fn matched() {
    compare(
        "match",
        |case| found(str(case, "input")),
        |case| serde_json::from_value(case["output"].clone()).unwrap(),
        &[
            // Only whole words: these may be anything, for example an order number.
            ("A1 1AA1 1AA", vec![]),
            ("no1 at AB101AB2", vec![]),
        ],
    );
}

#[test]
fn ordinal_number_is_not_half_of_a_postcode() {
    for text in [
        "Flat B1 2nd Floor, Leeds",
        "Unit E1 1st Floor",
        "Block W1 3Rd and up",
        "Suite N1 4th",
        "flat b1 2nd floor",
        "flat b1 2nd-floor",
        "Unit 3, e1 1st avenue",
        "FLAT B1 2ND FLOOR, LEEDS",
        "B1 2ND FLOOR",
        "B1 1ST-FLOOR FLAT",
        "FLAT B1 3RD, LEEDS",
        "flat b1 3rd, leeds",
        "UNIT E1 4TH",
        "2ND FLOOR, FLAT 3RD",
    ] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
    for (text, expected) in [
        ("FLAT 3, B1 2ND", "B1 2ND"),
        ("FLAT, B1 2ND", "B1 2ND"),
        ("B1 2ND. FLOOR", "B1 2ND"),
        ("UNIT B1 2NE", "B1 2NE"),
        ("FLAT B1 2ND FLOOR LS1 4DY", "LS1 4DY"),
        ("leeds, b1 2nd", "b1 2nd"),
        ("leeds, b1 2nd. street", "b1 2nd"),
        ("at B12nd", "B12nd"),
        ("B1 2rd", "B1 2rd"),
        ("Flat B1 2nd Floor, LS1 4DY", "LS1 4DY"),
    ] {
        assert_eq!(found(text), [expected], "{text}");
    }
}

#[test]
fn replace() {
    compare(
        "replace",
        |case| text::replace(str(case, "input"), |_| str(case, "replacement")).into_owned(),
        |case| str(case, "result").to_owned(),
        &[
            // Only whole words.
            ("A1 1AA1 1AA", "A1 1AA1 1AA".to_owned()),
            ("no1 at AB101AB2", "no1 at AB101AB2".to_owned()),
            ("XSW1A 2AAX", "XSW1A 2AAX".to_owned()),
            // The replacement is text, not a JavaScript pattern.
            ("at SW1A 2AA", "at $$".to_owned()),
            ("at SW1A 2AA", "at $&".to_owned()),
            // A postcode like others, although it is retired.
            ("GIR 0AA", "POSTCODE".to_owned()),
        ],
    );
}
