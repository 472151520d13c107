//! Distances with units, and coordinates with their order.

use anyhow::bail;
use postcode_core::{Coordinates, Location};

use crate::grid;

/// Parses a distance: `500`, `500m`, `1km`, `0.5 mi`, `1_000 yd`. Without a unit it is metres.
pub(super) fn metres(text: &str) -> Result<f64, String> {
    let text = text.trim();
    // The e of 1e3 is a part of the number.
    let number = |(at, c): (usize, char)| {
        c.is_alphabetic() && !(c == 'e' && text[at + 1..].starts_with(|c: char| c.is_ascii_digit()))
    };
    let end = text.char_indices().find(|found| number(*found)).map_or(text.len(), |(at, _)| at);
    let (number, unit) = text.split_at(end);
    let each = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "m" | "metre" | "metres" | "meter" | "meters" => 1.0,
        "km" | "kilometre" | "kilometres" | "kilometer" | "kilometers" => 1_000.0,
        "mi" | "mile" | "miles" => 1_609.344,
        "yd" | "yard" | "yards" => 0.9144,
        "ft" | "foot" | "feet" => 0.3048,
        other => return Err(format!("unknown unit {other:?}: write 500, 500m, 1km, 2mi or 100yd")),
    };
    let number = number.trim().replace('_', "");
    let metres = number.parse::<f64>().ok().map(|number| number * each);
    let metres = metres.filter(|metres| metres.is_finite() && *metres >= 0.0);
    metres.ok_or_else(|| "write a distance such as 500, 500m, 1km, 2mi or 100yd".to_owned())
}

/// Parses a point: a latitude and a longitude, or a reference of the National Grid, in any notation of [`Coordinates`].
pub(super) fn location(text: &str) -> anyhow::Result<Location> {
    match grid::point(text) {
        Some((Coordinates::Swapped(_), meant)) => bail!(
            "{:?}: latitude comes first. Did you mean {},{}?",
            text.trim(),
            meant.latitude(),
            meant.longitude()
        ),
        Some((_, point)) => Ok(point),
        None => {
            // Two numbers say better what is wrong.
            if let Some([latitude, longitude]) = numbers(text).as_deref() {
                Location::new(*latitude, *longitude)?;
            }
            bail!(
                "{:?}: not a point. Write LATITUDE,LONGITUDE in degrees, such as 51.501,-0.1419 or 51°30'3.6\"N 0°8'30\"W, \
                 or a grid reference such as TQ 290 796",
                text.trim()
            )
        }
    }
}

/// Parses numbers with commas or spaces between them.
pub(super) fn numbers(text: &str) -> Option<Vec<f64>> {
    let words = text.split([',', ' ', '\t', '\n']).map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| word.parse().ok()).collect()
}

/// Returns whether no point lies near these islands, and all do with latitude and longitude
/// exchanged.
pub(super) fn is_swapped(points: &[(f64, f64)]) -> bool {
    let near = |latitude: f64, longitude: f64| {
        (48.0..=62.0).contains(&latitude) && (-10.0..=4.0).contains(&longitude)
    };
    !points.is_empty()
        && points.iter().all(|&(latitude, longitude)| !near(latitude, longitude) && near(longitude, latitude))
}

#[cfg(test)]
mod tests {
    use postcode_core::Location;

    use super::{is_swapped, location, metres};

    #[test]
    fn distance_with_any_unit_is_metres() {
        for (text, expected) in [
            ("500", 500.0),
            ("500m", 500.0),
            (" 1.5 km ", 1_500.0),
            ("2mi", 3_218.688),
            ("100 YD", 91.44),
            ("10_000", 10_000.0),
            ("1e3", 1_000.0),
            ("0", 0.0),
        ] {
            let read = metres(text);
            assert!(read.as_ref().is_ok_and(|read| (read - expected).abs() < 1e-9), "{text}: {read:?}");
        }
        for text in ["", "km", "-5", "1 furlong", "nan", "inf", "1km2", "5,5km"] {
            assert!(metres(text).is_err(), "{text}: {:?}", metres(text));
        }
    }

    #[test]
    fn swapped_coordinates_are_named_with_what_was_meant() {
        assert_eq!(location("51.501, -0.1419").unwrap().latitude(), 51.501);
        assert_eq!(location("51.501 -0.1419").unwrap().longitude(), -0.1419);
        let why = location(" -0.1419,51.501").unwrap_err().to_string();
        assert!(why.ends_with("Did you mean 51.501,-0.1419?"), "{why}");
        for text in ["TQ 29090 79645", "529090 179645", "51°30'3.66\"N 0°8'29.6\"W"] {
            let found = location(text).unwrap();
            assert!(found.distance(Location::new(51.50101, -0.141563).unwrap()) < 10.0, "{text}: {found:?}");
        }
        assert!(location("95,0").unwrap_err().to_string().starts_with("latitude 95"));
        for text in ["", "51.5", "51.5,x", "51.5,0,0", "95,0", "TQ29"] {
            assert!(location(text).is_err(), "{text}");
        }
        // A point elsewhere is not a mistake.
        assert!(location("40.7,-74").is_ok());
        assert!(!is_swapped(&[]));
        assert!(!is_swapped(&[(-0.1, 51.5), (51.5, -0.1)]));
    }
}
