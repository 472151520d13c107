//! Tests every current or former postcode of the United Kingdom in ONSPD of November 2025.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader};

use postcode_core::{PostalCode, Postcode, PostcodeArea, text};
use postcode_testing::shared;

#[test]
fn every_real_postcode_parses_and_keeps_its_text_its_parts_and_its_order() {
    let Some(path) = shared("data/uk_postcodes_joined_nov2025.csv.zst") else { return };
    let file = zstd::Decoder::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut parsed = Vec::with_capacity(2_800_000);
    let mut texts = String::with_capacity(2_800_000 * 9);
    for line in BufReader::new(file).lines().skip(1) {
        let line = line.unwrap();
        let written = line.split(',').next().unwrap();
        let postcode: Postcode = written.parse().unwrap_or_else(|e| panic!("{written}: {e}"));
        assert_eq!(postcode.spaced(), *written);
        let (outcode, incode) = written.split_once(' ').unwrap();
        assert_eq!(postcode.outcode().text(), *outcode);
        assert_eq!(postcode.incode(), *incode);
        assert_eq!(format!("{outcode}{incode}").parse(), Ok(postcode));
        assert_eq!(written.parse(), Ok(PostalCode::Postcode(postcode)));
        let sector = &written[..written.len() - 2];
        assert_eq!(postcode.sector().text(), *sector);
        assert_eq!(sector.parse(), Ok(PostalCode::Sector(postcode.sector())));
        assert_eq!(outcode.parse(), Ok(PostalCode::Outcode(postcode.outcode())));
        assert_eq!(postcode.unit(), incode[1..]);
        assert!(outcode.starts_with(&*postcode.district()) && outcode.starts_with(&*postcode.area()));
        assert_eq!(postcode.sub_district().is_some(), outcode.len() > postcode.district().len());
        if outcode != "GIR" {
            assert!(postcode.outcode().postcode_area().is_some(), "{written}: area not in the table");
        }
        parsed.push(postcode);
        texts.push_str(written);
        texts.push('\n');
    }
    assert_eq!(parsed.len(), 2_720_556);

    let found: Vec<_> = text::find(&texts).map(|found| found.postcode).collect();
    assert!(found == parsed, "all of them are found in running text");

    let mut written: Vec<_> = texts.lines().collect();
    written.sort_unstable();
    parsed.sort_unstable();
    assert!(written.iter().zip(&parsed).all(|(text, postcode)| postcode.spaced() == **text));

    let mut areas: Vec<_> = parsed.iter().filter_map(|p| p.outcode().postcode_area()).collect();
    areas.dedup();
    let missing: Vec<_> =
        PostcodeArea::all().filter(|a| !areas.contains(a)).map(PostcodeArea::code).collect();
    assert_eq!(missing, ["BF", "BX", "GX", "XX"], "the areas that ONSPD leaves out");
}
