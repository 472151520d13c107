//! Finds out what a typed or pasted text means: a postcode, a part of one, a point, a place.

use postcode_core::{GridReference, GridSystem, Location, Outcode, Postcode, Sector, text};

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
    if let Some(point) = coordinates(text).or_else(|| grid_reference(text)) {
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

/// Reads a latitude and a longitude: decimal degrees, degrees with minutes and seconds, with or
/// without the letters of directions, `geo:` URIs and links of map sites with `@51.5,-0.1`.
fn coordinates(text: &str) -> Option<Meaning> {
    let point = text.strip_prefix("geo:").map(|rest| rest.split([';', '?']).next().unwrap_or(rest));
    let link = text.split_once("/@").or_else(|| text.split_once("ll=")).filter(|_| text.contains("://"));
    let text = point.or(link.map(|(_, rest)| rest)).unwrap_or(text);
    let mut numbers = Vec::new();
    let mut at = 0;
    let bytes = text.as_bytes();
    // Of each number: the value, and the letter of a direction before or after it.
    let mut direction = None;
    while at < text.len() {
        let c = text[at..].chars().next()?;
        match c {
            '0'..='9' | '-' | '−' | '+' | '.' => {
                let end = text[at + c.len_utf8()..]
                    .find(|c: char| !c.is_ascii_digit() && c != '.')
                    .map_or(text.len(), |end| at + c.len_utf8() + end);
                let value: f64 = text[at..end].replace('−', "-").parse().ok()?;
                numbers.push((value, direction.take()));
                at = end;
                continue;
            }
            'N' | 'S' | 'E' | 'W' | 'n' | 's' | 'e' | 'w' => {
                let alone = |c: Option<&u8>| c.is_none_or(|c| !c.is_ascii_alphabetic());
                let before = at.checked_sub(1).and_then(|at| bytes.get(at));
                if !alone(before) || !alone(bytes.get(at + 1)) {
                    return None;
                }
                let c = c.to_ascii_uppercase();
                let next_is_number = text[at + 1..].trim_start().starts_with(|c: char| c.is_ascii_digit());
                match numbers.last_mut() {
                    // It belongs to the number before it, unless that has one, or none is before it.
                    Some((_, of @ None)) if !(next_is_number && direction_leads(text)) => *of = Some(c),
                    _ => direction = Some(c),
                }
            }
            ' ' | ',' | ';' | '°' | 'º' | '\'' | '′' | '’' | '"' | '″' | '”' | '\t' | '(' | ')' | ':' =>
                {}
            // A link of a map goes on with the zoom: the two numbers before it are read.
            _ if link.is_some() && numbers.len() >= 2 => break,
            // Labels: lat 51.5, lon -0.1.
            'l' | 'L' => {
                let word = text[at..].split(|c: char| !c.is_ascii_alphabetic()).next()?;
                let known = ["lat", "latitude", "lon", "lng", "long", "longitude"];
                if !known.contains(&word.to_ascii_lowercase().as_str()) {
                    return None;
                }
                at += word.len();
                continue;
            }
            _ => return None,
        }
        at += c.len_utf8();
    }
    if link.is_some() {
        numbers.truncate(2);
    }
    let named = numbers.iter().any(|(_, direction)| direction.is_some());
    if named && !text.contains(['.', '°', 'º']) && numbers.len() < 6 {
        // N1 5E is the beginning of a postcode.
        return None;
    }
    point_of(&numbers)
}

/// Returns whether the letters of directions stand before their numbers, as in `N 51.5 W 0.1`.
fn direction_leads(text: &str) -> bool {
    text.trim_start().starts_with(['N', 'S', 'E', 'W', 'n', 's', 'e', 'w'])
}

fn point_of(numbers: &[(f64, Option<char>)]) -> Option<Meaning> {
    let each = match numbers.len() {
        2 => 1,
        4 => 2,
        6 => 3,
        _ => return None,
    };
    let axis = |parts: &[(f64, Option<char>)]| {
        let (degrees, _) = *parts.first()?;
        let rest = &parts[1..];
        if rest.iter().any(|(part, _)| !(0.0..60.0).contains(part)) {
            return None;
        }
        let fraction = rest.iter().rev().fold(0.0, |sum, (part, _)| (sum + part) / 60.0);
        let direction = parts.iter().find_map(|(_, direction)| *direction);
        let value = degrees.abs() + fraction;
        let negative = degrees.is_sign_negative() || matches!(direction, Some('S' | 'W'));
        Some((if negative { -value } else { value }, direction))
    };
    let ((first, one), (second, other)) = (axis(&numbers[..each])?, axis(&numbers[each..])?);
    let (latitude, longitude) = match (one, other) {
        (Some('E' | 'W'), _) | (_, Some('N' | 'S')) => (second, first),
        _ => (first, second),
    };
    let named = one.is_some() || other.is_some();
    let whole = first.fract() == 0.0 && second.fract() == 0.0;
    if !named && each == 1 && whole && first.abs() > 180.0 {
        return on_grid(first, second);
    }
    let what = if each == 1 { "a latitude and longitude" } else { "degrees, minutes and seconds" };
    let point = Location::new(latitude, longitude).ok();
    let swapped = Location::new(longitude, latitude).ok();
    match (point, swapped) {
        (Some(point), _) if near(point) => Some(Meaning::Point(point, what)),
        (_, Some(swapped)) if !named && near(swapped) => Some(Meaning::Swapped(swapped)),
        (Some(point), _) => Some(Meaning::Point(point, what)),
        (None, _) => None,
    }
}

/// Returns whether a point is near these islands.
fn near(point: Location) -> bool {
    (48.0..=62.0).contains(&point.latitude()) && (-10.0..=4.0).contains(&point.longitude())
}

/// Reads eastings and northings in metres.
fn on_grid(eastings: f64, northings: f64) -> Option<Meaning> {
    let within = |metres: f64, most: u32| (0.0..f64::from(most)).contains(&metres).then_some(metres as u32);
    let (eastings, northings) = (within(eastings, 700_000)?, within(northings, 1_300_000)?);
    let location = grid::locate(GridReference { eastings, northings, system: GridSystem::Osgb })?;
    Some(Meaning::Point(location, "eastings and northings"))
}

/// Reads a reference of the National Grid with letters: `TQ 29090 79645`, `TQ290796`, `TQ2979`.
///
/// Two letters and two digits (`TQ29`) are more likely an outcode.
fn grid_reference(text: &str) -> Option<Meaning> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if !compact.is_ascii() || !(6..=12).contains(&compact.len()) {
        return None;
    }
    let (letters, digits) = compact.split_at(2);
    if !digits.bytes().all(|b| b.is_ascii_digit()) || !digits.len().is_multiple_of(2) {
        return None;
    }
    // The letters count squares of 500 km and of 100 km, row by row from the north-west, without I.
    let index = |letter: u8| {
        let letter = letter.to_ascii_uppercase();
        match letter {
            b'A'..=b'H' => Some(i32::from(letter - b'A')),
            b'J'..=b'Z' => Some(i32::from(letter - b'A' - 1)),
            _ => None,
        }
    };
    let (first, second) = (index(letters.as_bytes()[0])?, index(letters.as_bytes()[1])?);
    let column = (first + 3) % 5 * 5 + second % 5;
    let row = 19 - first / 5 * 5 - second / 5;
    let (east, north) = digits.split_at(digits.len() / 2);
    let metres = 10_u32.pow(5 - u32::try_from(east.len()).ok()?);
    let half = f64::from(metres) / 2.0;
    // The middle of the square that the reference names.
    let along = |square: i32, part: &str| {
        let part: u32 = part.parse().ok()?;
        Some(f64::from(square) * 100_000.0 + f64::from(part * metres) + if metres > 1 { half } else { 0.0 })
    };
    let (eastings, northings) = (along(column, east)?, along(row, north)?);
    match on_grid(eastings.floor(), northings.floor())? {
        Meaning::Point(location, _) => Some(Meaning::Point(location, "a grid reference")),
        other => Some(other),
    }
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
    fn coordinates_are_understood_in_every_common_notation() {
        for text in [
            "51.501,-0.1416",
            "51.501 -0.1416",
            "51.501, -0.1416",
            "(51.501, −0.1416)",
            "51.501N 0.1416W",
            "51.501° N, 0.1416° W",
            "N 51.501 W 0.1416",
            "0.1416W 51.501N",
            "lat 51.501, lon -0.1416",
            "latitude: 51.501, longitude: -0.1416",
            "geo:51.501,-0.1416",
            "https://maps.example/maps/@51.501,-0.1416,15z",
            "51°30'3.6\"N 0°8'29.76\"W",
            "51° 30′ 3.6″ N, 0° 8′ 29.76″ W",
            "51 30.06 N 0 8.496 W",
        ] {
            let (latitude, longitude, _) = point(text);
            assert!(
                (latitude - 51.501).abs() < 1e-6 && (longitude + 0.1416).abs() < 1e-6,
                "{text}: {latitude} {longitude}"
            );
        }
        assert!(
            matches!(understand("-0.1416, 51.501"), Meaning::Swapped(point) if point.latitude() == 51.501)
        );
        // A point elsewhere is a point.
        assert_eq!(point("40.7, -74").0, 40.7);
        for text in ["51.5", "51.5, x", "1,2,3", "99.5,200.5", "51.5,-0.1,7", "51 70 0 N 0 8 0 W", "5.5.5,1"]
        {
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
