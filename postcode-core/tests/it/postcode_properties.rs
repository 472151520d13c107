//! Properties that hold for any text and any postcode.
#![allow(clippy::unwrap_used, clippy::panic)]

use postcode_core::text::{self, Finder};
use postcode_core::{Outcode, PostalCode, Postcode, PostcodeArea, Sector};
use proptest::prelude::*;

/// Generates postcodes of all formats.
fn postcode() -> impl Strategy<Value = Postcode> {
    let shapes = concat!(
        "([A-PR-UWYZ][0-9]|[A-PR-UWYZ][0-9]{2}|[A-PR-UWYZ][0-9][A-HJKMNPR-Y]|[A-PR-UWYZ][A-HK-Y][0-9]",
        "|[A-PR-UWYZ][A-HK-Y][0-9]{2}|[A-PR-UWYZ][A-HK-Y][0-9][ABEHMNPRVWXY]|GIR|NPT|XX[0-9]{1,2})",
        " [0-9][ABD-HJLNP-UW-Z]{2}"
    );
    shapes.prop_map(|text| text.parse().unwrap_or_else(|e| panic!("{text}: {e}")))
}

/// Generates texts that look like codes, most of which are not.
fn nearly() -> impl Strategy<Value = String> {
    "[A-Za-z0-9OIZS０-９Ａ-Ｚ \u{a0}\u{200b}\u{ad}\u{301}_.,'()-]{0,14}"
}

fn check_found(text: &str) -> Result<(), TestCaseError> {
    let mut done = 0;
    for found in Finder::everything().find(text) {
        prop_assert!(found.range.start >= done && found.range.start < found.range.end);
        prop_assert!(text.is_char_boundary(found.range.start) && text.is_char_boundary(found.range.end));
        let written = &text[found.range.clone()];
        prop_assert_eq!(written.parse::<PostalCode>(), Ok(found.code), "{:?}", written);
        done = found.range.end;
    }
    let found: Vec<_> = text::find(text).collect();
    prop_assert!(found.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
    let replaced = text::replace(text, |found| &text[found.range.clone()]);
    prop_assert_eq!(replaced, text);
    Ok(())
}

fn check_parsed(text: &str) -> Result<(), TestCaseError> {
    match text.parse::<Postcode>() {
        Ok(postcode) => {
            prop_assert_eq!(postcode.to_string().parse(), Ok(postcode));
            prop_assert!(!Postcode::repair(text).unwrap().is_changed());
        }
        Err(e) => {
            prop_assert!(e.at() <= text.len() && text.is_char_boundary(e.at()), "{:?}", e);
            if let Some(found) = e.found() {
                prop_assert!(text[e.at()..].starts_with(found));
            }
            prop_assert!(!e.to_string().is_empty());
            match Postcode::repair(text) {
                Ok(repaired) => {
                    prop_assert_eq!(e.suggestion(), Some(repaired.value.spaced()));
                    prop_assert!(repaired.is_changed());
                    let mut changed = text.to_owned();
                    for change in repaired.changes().iter().rev() {
                        prop_assert!(text[change.at..].starts_with(change.from));
                        let end = change.at + change.from.len_utf8();
                        changed.replace_range(change.at..end, change.to.encode_utf8(&mut [0; 4]));
                    }
                    prop_assert_eq!(changed.parse(), Ok(repaired.value));
                }
                Err(same) => prop_assert_eq!(same, e),
            }
        }
    }
    if let Ok(outcode) = text.parse::<Outcode>() {
        prop_assert_eq!(outcode.to_string().parse(), Ok(outcode));
        prop_assert_eq!(outcode.to_string().parse(), Ok(PostalCode::Outcode(outcode)));
    }
    if let Ok(sector) = text.parse::<Sector>() {
        prop_assert_eq!(sector.to_string().parse(), Ok(PostalCode::Sector(sector)));
    }
    let _ = Outcode::repair(text);
    let _ = text.parse::<PostcodeArea>();
    match text.parse::<PostalCode>() {
        Ok(code) => {
            prop_assert_eq!(code.to_string().parse(), Ok(code));
            let json = serde_json::to_string(&code).unwrap();
            prop_assert_eq!(serde_json::from_str::<PostalCode>(&json).unwrap(), code);
        }
        Err(e) => prop_assert!(!e.to_string().is_empty()),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_parsed_or_explained(text in any::<String>()) {
        check_parsed(&text)?;
        check_found(&text)?;
    }

    #[test]
    fn any_text_that_looks_like_a_code_is_parsed_or_explained(text in nearly()) {
        check_parsed(&text)?;
        check_found(&text)?;
    }

    #[test]
    fn written_anyhow_it_is_the_same_postcode(
        postcode in postcode(),
        small in any::<[bool; 7]>(),
        wide in any::<[bool; 7]>(),
        gaps in proptest::collection::vec("[ \t\u{a0}\u{2003}\u{200b}\u{feff}]{0,2}", 8),
        around in prop::sample::select(vec![("", ""), ("\"", "\""), ("(", ")."), ("“", "”,"), ("[ ", " ]")]),
        separator in prop::sample::select(vec!["", "-", ".", "–", "_"]),
    ) {
        let compact = postcode.compact();
        let mut text = around.0.to_owned();
        for (i, c) in compact.chars().enumerate() {
            text.push_str(&gaps[i]);
            if i == compact.len() - 3 {
                text.push_str(separator);
            }
            let c = if small[i] { c.to_ascii_lowercase() } else { c };
            text.push(if wide[i] { char::from_u32(u32::from(c) + 0xfee0).unwrap() } else { c });
        }
        text.push_str(&gaps[7]);
        text.push_str(around.1);
        prop_assert_eq!(text.parse(), Ok(postcode), "{:?}", text);
    }

    #[test]
    fn order_is_that_of_the_text(a in postcode(), b in postcode()) {
        prop_assert_eq!(a.cmp(&b), a.spaced().as_str().cmp(b.spaced().as_str()));
        prop_assert_eq!(a.outcode().cmp(&b.outcode()), a.outcode().text().as_str().cmp(b.outcode().text().as_str()));
        prop_assert_eq!(a.sector().cmp(&b.sector()), a.sector().text().as_str().cmp(b.sector().text().as_str()));
        prop_assert_eq!(a == b, a.compact() == b.compact());
    }

    #[test]
    fn parts_belong_to_the_whole(postcode in postcode()) {
        prop_assert!(postcode.outcode().contains(postcode) && postcode.sector().contains(postcode));
        prop_assert_eq!(postcode.sector().outcode(), postcode.outcode());
        prop_assert!(postcode.outcode().sectors().any(|sector| sector == postcode.sector()));
        let json = serde_json::to_string(&(postcode, postcode.outcode(), postcode.sector())).unwrap();
        let back: (Postcode, Outcode, Sector) = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(back, (postcode, postcode.outcode(), postcode.sector()));
    }

    #[test]
    fn it_is_found_between_words(postcode in postcode(), before in "[a-z .,(]{0,8}[ (,.:]", after in "[ ),.'’/][a-z .]{0,8}") {
        // The text before may be the first half of another postcode only if it has a digit, which
        // it does not.
        let text = format!("{before}{postcode}{after}");
        let found: Vec<_> = text::find(&text).collect();
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].postcode, postcode);
        prop_assert_eq!(found[0].range.clone(), before.len()..before.len() + postcode.spaced().len());
    }
}

#[test]
fn long_texts_are_no_trouble() {
    // Each would take hours if the time grew with the square of the length.
    for part in [
        "SW1A ",
        "A1 1",
        " ",
        "\u{ad}",
        "A",
        "SW1A\u{ad}",
        "1",
        "\u{200b}",
        "E1\u{200b}",
        "-",
        "(",
        "SW1A 1AA ",
    ] {
        let text = part.repeat(4_000_000 / part.len());
        let expected = if part == "SW1A 1AA " { text.len() / part.len() } else { 0 };
        assert_eq!(text::find(&text).count(), expected, "{part:?}");
        let _ = Finder::everything().find(&text).count();
        assert!(
            text.parse::<Postcode>().is_err() && text.parse::<PostalCode>().is_err() || part.trim() == "1"
        );
    }
}
