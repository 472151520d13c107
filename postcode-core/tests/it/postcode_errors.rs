//! Tests the error messages for texts that are not postcodes.
#![allow(clippy::unwrap_used, clippy::panic)]

use postcode_core::{
    Bfpo, Outcode, ParseReason, PostalCode, Postcode, PostcodeArea, Sector, Territory, TerritoryCode,
};

fn says(text: &str) -> String {
    text.parse::<Postcode>().unwrap_err().to_string()
}

#[test]
fn each_reason_is_told_with_its_place() {
    let whole = "a whole postcode such as SW1A 1AA";
    for (text, at, message) in [
        ("", 0, format!("there is nothing to read: give {whole}")),
        (" (…) ", 0, format!("there is nothing to read: give {whole}")),
        ("A9A", 0, format!("A9A is an outcode, not {whole}")),
        ("sw1a 1", 0, format!("SW1A 1 is a sector, not {whole}")),
        ("SW1A1", 0, format!("SW1A 1 is a sector, not {whole}")),
        ("SW", 0, format!("SW is a postcode area, not {whole}")),
        ("bfpo 801", 0, format!("BFPO 801 is a British Forces Post Office number, not {whole}")),
        ("BFPO 1234", 0, format!("BFPO 1234 is a British Forces Post Office number, not {whole}")),
        ("FIQQ 1ZZ", 0, format!("FIQQ 1ZZ is an overseas territory's own code, not {whole}")),
        ("foo", 3, format!("too short: 3 characters where {whole} has at least 5")),
        ("SW1A 1A", 7, "too short: the last letter of the postcode is missing".to_owned()),
        ("SW1A 1AA1", 8, format!("the 8th character, '1', is too many: {whole} has at most 7")),
        ("SW1A+1AA", 4, format!("the character '+' does not belong there in {whole}")),
        ("SW1A,1AA", 4, format!("the character ',' does not belong there in {whole}")),
        ("ＳW1A–OAA", 9, "the 5th character, 'O', must be a digit; did you mean SW1A 0AA?".to_owned()),
        ("1A1 1AA", 0, "the 1st character, '1', must be a letter; did you mean LA1 1AA?".to_owned()),
        ("SWX 1AA", 2, "the 3rd character, 'X', must be a digit".to_owned()),
        (
            "QW1 1AA",
            0,
            "the 1st character, 'Q', is never used there: it must be one of ABCDEFGHIJKLMNOPRSTUWYZ".into(),
        ),
        (
            "SJ1 1AA",
            1,
            "the 2nd character, 'J', is never used there: it must be one of ABCDEFGHKLMNOPQRSTUVWXY".into(),
        ),
        (
            "W1Q 1AA",
            2,
            "the 3rd character, 'Q', is never used there: it must be a digit or one of \
            ABCDEFGHJKMNPRSTUVWXY; did you mean W10 1AA?"
                .into(),
        ),
        (
            "SW1Z 1AA",
            3,
            "the 4th character, 'Z', is never used there: it must be a digit or one of ABEHMNPRVWXY; \
            did you mean SW12 1AA?"
                .into(),
        ),
        (
            "SW1A 1CA",
            6,
            "the 6th character, 'C', is never used there: it must be one of ABDEFGHJLNPQRSTUWXYZ".into(),
        ),
        ("SW1A 1A1", 7, "the 7th character, '1', must be a letter; did you mean SW1A 1AL?".into()),
    ] {
        let error = text.parse::<Postcode>().unwrap_err();
        assert_eq!(error.to_string(), message, "{text:?}");
        assert_eq!(error.at(), at, "{text:?}");
    }
    assert_eq!("NPT 0VA".parse::<Postcode>().map(|p| p.to_string()), Ok("NPT 0VA".to_owned()));
    assert!(says("NPT 1VA").contains("never used"));
    assert_eq!("XX10 1AA".parse::<Postcode>().map(|p| p.to_string()), Ok("XX10 1AA".to_owned()));
}

#[test]
fn punctuation_inside_a_postcode_is_ignored() {
    for text in [
        "(SW1A) 1AA",
        "SW-1A 1AA",
        "S.W.1.A. 1.A.A.",
        "SW1A/1AA",
        "SW1A - 1AA",
        "SW1A\u{2011}1AA",
        "SW1A\u{2014}\u{2014}1AA",
        "\u{201c}SW1A\u{201d} \u{201c}1AA\u{201d}",
        "[SW1A][1AA]",
        "SW1A\\1AA",
    ] {
        assert_eq!(text.parse::<Postcode>().map(|p| p.to_string()), Ok("SW1A 1AA".to_owned()), "{text}");
    }
    // Parts of postcodes are too short for that, and so are repairs.
    for text in ["S.W.1", "(SW)1", "E-1-6"] {
        assert!(text.parse::<Outcode>().is_err() && text.parse::<Sector>().is_err(), "{text}");
    }
    assert!("5, M1 1AE".parse::<Postcode>().is_err());
    assert_eq!("(SW1A) OAA".parse::<Postcode>().unwrap_err().suggestion(), None);
}

#[test]
fn a_suggestion_is_in_an_area_that_exists() {
    for text in ["D02 X285", "22222", "10115", "K1A 0B1", "ZZ9", "9021O", "1W1A 2AA"] {
        assert_eq!(text.parse::<Postcode>().unwrap_err().suggestion(), None, "{text}");
        assert_eq!(text.parse::<Outcode>().unwrap_err().suggestion(), None, "{text}");
    }
    assert_eq!("GXI1 1AA".parse::<Postcode>().unwrap_err().suggestion().as_deref(), Some("GX11 1AA"));
}

#[test]
fn parts_say_what_they_are_not() {
    let error = "E1 6".parse::<Outcode>().unwrap_err();
    assert_eq!(error.to_string(), "E1 6 is a sector, not an outcode such as SW1A");
    assert!(matches!(error.reason(), ParseReason::OtherKind(PostalCode::Sector(_))));
    let error = "SW1A 1AA".parse::<Outcode>().unwrap_err();
    assert_eq!(error.to_string(), "SW1A 1AA is a whole postcode, not an outcode such as SW1A");
    let error = "SWIA".parse::<Outcode>().unwrap_err();
    assert_eq!(error.to_string(), "the 3rd character, 'I', must be a digit; did you mean SW1A?");
    let error = "SW1A".parse::<Sector>().unwrap_err();
    assert_eq!(error.to_string(), "SW1A is an outcode, not a sector such as SW1A 1");
    let error = "QQ".parse::<PostcodeArea>().unwrap_err();
    assert_eq!(error.to_string(), "the text is not a postcode area such as SW");
    let error = "SW1".parse::<Bfpo>().unwrap_err();
    assert_eq!(error.to_string(), "SW1 is an outcode, not a BFPO number such as BFPO 801");
    let error = serde_json::from_str::<Postcode>("\"SW1A OAA\"").unwrap_err();
    assert!(error.to_string().contains("\"SW1A OAA\": the 5th character"), "{error}");
}

#[test]
fn each_kind_of_code_is_recognised() {
    for (text, usual, territory) in [
        ("ascn1zz", "ASCN 1ZZ", Territory::AscensionIsland),
        ("BBND 1ZZ", "BBND 1ZZ", Territory::BritishIndianOceanTerritory),
        ("BIQQ 1ZZ", "BIQQ 1ZZ", Territory::BritishAntarcticTerritory),
        ("FIQQ 1ZZ", "FIQQ 1ZZ", Territory::FalklandIslands),
        ("PCRN 1ZZ", "PCRN 1ZZ", Territory::PitcairnIslands),
        ("SIQQ 1ZZ", "SIQQ 1ZZ", Territory::SouthGeorgia),
        ("STHL 1ZZ", "STHL 1ZZ", Territory::SaintHelena),
        ("TDCU 1ZZ", "TDCU 1ZZ", Territory::TristanDaCunha),
        ("TKCA 1ZZ", "TKCA 1ZZ", Territory::TurksAndCaicosIslands),
        ("GX11 1AA", "GX11 1AA", Territory::Gibraltar),
        ("AI-2640", "AI-2640", Territory::Anguilla),
        ("ky1-1001", "KY1-1001", Territory::CaymanIslands),
        ("VG1110", "VG1110", Territory::BritishVirginIslands),
        ("MSR1110", "MSR 1110", Territory::Montserrat),
        ("HM 12", "HM 12", Territory::Bermuda),
        ("CR 04", "CR 04", Territory::Bermuda),
        ("HM GX", "HM GX", Territory::Bermuda),
    ] {
        let code: TerritoryCode = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!((code.to_string().as_str(), code.territory()), (usual, territory));
        assert_eq!(text.parse(), Ok(PostalCode::Territory(code)));
    }
    for outside in
        ["VG1161", "VG1109", "MSR 1109", "MSR 1351", "KY0-1001", "AAAA 1ZZ", "BFPO 0", "BFPO 12345"]
    {
        assert!(outside.parse::<PostalCode>().is_err(), "{outside}");
    }
    assert!(matches!("CR 12".parse(), Ok(PostalCode::Outcode(o)) if o.text() == "CR12"));
    assert!(matches!("SW11".parse(), Ok(PostalCode::Outcode(_))));
    assert!(matches!("SW1 1".parse(), Ok(PostalCode::Sector(_))));
    assert!(matches!("BF1 3AA".parse(), Ok(PostalCode::Postcode(_))));
    assert!(
        matches!("JE2 3AB".parse::<PostalCode>(), Ok(code) if code.territory() == Some(Territory::Jersey))
    );
}

#[test]
fn words_end_where_unicode_says() {
    use postcode_core::text;
    let found = |s: &str| text::find(s).map(|f| s[f.range].to_owned()).collect::<Vec<_>>();
    for whole in
        ["SW1A 1AA's", "住所SW1A 1AAです", "London.SW1A 1AA", "SW1A 1AA²", "«SW1A\n1AA»", "ＳＷ１Ａ　１ＡＡ"]
    {
        assert_eq!(found(whole).len(), 1, "{whole}");
    }
    for none in [
        "éSW1A 1AA",
        "SW1A 1AAé",
        "SW1A 1AA\u{301}",
        "SW1A 1AA_",
        "SW1A, 1AA",
        "SW1A-1AA",
        "ЖSW1A 1AA",
        "SW1A 1AA1",
    ] {
        assert!(found(none).is_empty(), "{none}");
    }
    assert_eq!(found("E1 6AN 7 E1\u{a0}6AN"), ["E1 6AN", "E1\u{a0}6AN"]);
}
