//! Finds out what a typed or pasted text means: a postcode, a part of one, a point, a place.

use postcode_core::{Coordinates, Location, Outcode, Postcode, Sector, text};

use crate::grid;

/// The meaning of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Meaning {
    Postcode(Postcode),
    /// It was not quite a postcode, and exactly one can be meant.
    Repaired(Postcode),
    /// A longer text holds these, at least one.
    Found(Vec<Postcode>),
    Outcode(Outcode),
    Sector(Sector),
    /// A point, and what the text is: `a latitude and longitude`.
    Point(Location, &'static str),
    /// Latitude and longitude were exchanged.
    Swapped(Location),
    /// None of these: perhaps the name of a place, or the beginning of a postcode.
    Other,
}

/// The most postcodes of a text that are shown.
const MOST: usize = 20;

pub(super) fn understand(text: &str) -> Meaning {
    let text = text.trim();
    if let Ok(postcode) = text.parse() {
        return Meaning::Postcode(postcode);
    }
    if let Ok(outcode) = text.parse() {
        return Meaning::Outcode(outcode);
    }
    if let Ok(sector) = text.parse() {
        return Meaning::Sector(sector);
    }
    if let Some(point) = point(text) {
        return point;
    }
    let mut found: Vec<Postcode> = Vec::new();
    for one in text::find(text).map(|found| found.postcode) {
        if !found.contains(&one) && found.len() < MOST {
            found.push(one);
        }
    }
    if !found.is_empty() {
        return Meaning::Found(found);
    }
    match Postcode::repair(text) {
        Ok(repaired) => Meaning::Repaired(repaired.value),
        Err(_) => Meaning::Other,
    }
}

/// Returns the point that a text names.
fn point(text: &str) -> Option<Meaning> {
    let (coordinates, location) = grid::point(text)?;
    let what = match coordinates {
        Coordinates::Swapped(_) => return Some(Meaning::Swapped(location)),
        Coordinates::Minutes(_) => "degrees, minutes and seconds",
        Coordinates::Letters(_) => "a grid reference",
        Coordinates::Metres(_) => "eastings and northings",
        _ => "a latitude and longitude",
    };
    Some(Meaning::Point(location, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(text: &str) -> (f64, f64, &'static str) {
        match understand(text) {
            Meaning::Point(point, what) => (point.latitude(), point.longitude(), what),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn postcodes_and_their_parts_are_understood_in_any_form() {
        let palace: Postcode = "SW1A 1AA".parse().unwrap();
        for text in ["sw1a1aa", " SW1A 1AA ", "SW1A  1AA"] {
            assert_eq!(understand(text), Meaning::Postcode(palace), "{text}");
        }
        assert_eq!(understand("SWIA 1AA"), Meaning::Repaired(palace));
        assert_eq!(understand("SW1A"), Meaning::Outcode("SW1A".parse().unwrap()));
        assert_eq!(understand("SW1A 1"), Meaning::Sector("SW1A 1".parse().unwrap()));
        let downing: Postcode = "SW1A 2AA".parse().unwrap();
        let address = "10 Downing Street,\nLondon SW1A 2AA, UK";
        assert_eq!(understand(address), Meaning::Found(vec![downing]));
        assert_eq!(understand("SW1A1AA, SW1A2AA and sw1a 1aa"), Meaning::Found(vec![palace, downing]));
        for text in ["", "hello", "Newport", "SW1A 1A", "Leeds 6", "1", "N", "North 5 East 6"] {
            assert_eq!(understand(text), Meaning::Other, "{text}");
        }
    }

    #[test]
    fn coordinates_are_understood_and_named() {
        for (text, expected) in [
            ("51.501,-0.1416", "a latitude and longitude"),
            ("[51.501; -0.1416]", "a latitude and longitude"),
            ("N51.501 W0.1416", "a latitude and longitude"),
            ("51°30'3.6\"N 0°8'29.76\"W", "degrees, minutes and seconds"),
        ] {
            let (latitude, longitude, what) = point(text);
            assert!((latitude - 51.501).abs() < 1e-6 && (longitude + 0.1416).abs() < 1e-6, "{text}");
            assert_eq!(what, expected, "{text}");
        }
        assert!(
            matches!(understand("-0.1416, 51.501"), Meaning::Swapped(point) if point.latitude() == 51.501)
        );
        for text in ["51.5", "51.5, x", "1,2,3", "99.5,200.5", "51 70 0 N 0 8 0 W"] {
            assert_eq!(understand(text), Meaning::Other, "{text}");
        }
    }

    #[test]
    fn grid_references_are_understood_with_letters_and_without() {
        // Buckingham Palace: 529090 E, 179645 N.
        for (text, metres) in [
            ("529090 179645", 1.0),
            ("529090, 179645", 1.0),
            ("TQ 29090 79645", 1.0),
            ("tq2909079645", 1.0),
            ("TQ 2909 7964", 10.0),
            ("TQ 290 796", 100.0),
            ("TQ 29 79", 1_000.0),
        ] {
            let (latitude, longitude, _) = point(text);
            let here = Location::new(latitude, longitude).unwrap();
            let palace = Location::new(51.50101, -0.141563).unwrap();
            assert!(here.distance(palace) < metres + 10.0, "{text}: {latitude} {longitude}");
        }
        // Lerwick, in the north of Shetland's square HU.
        assert!((point("HU 47 41").0 - 60.15).abs() < 0.05);
        for text in ["TQ 290 79", "II 290 796", "AA 290 796", "TQ 290 79x"] {
            assert_eq!(understand(text), Meaning::Other, "{text}");
        }
    }
}
