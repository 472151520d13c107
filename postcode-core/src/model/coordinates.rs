//! Coordinates as people type and paste them.

use super::{GridReference, GridSystem, Location};

/// Coordinates that were typed or pasted, by their notation.
///
/// ```
/// use postcode_core::Coordinates;
///
/// for text in ["51.501, -0.1416", "51°30'3.6\"N 0°8'29.76\"W", "N51.501 W0.1416", "[51.501; -0.1416]"] {
///     let location = Coordinates::parse(text).and_then(Coordinates::location).ok_or("not coordinates")?;
///     assert!((location.latitude() - 51.501).abs() < 1e-9, "{text}");
/// }
/// assert!(matches!(Coordinates::parse("TQ 29090 79645"), Some(Coordinates::Letters(_))));
/// assert_eq!(Coordinates::parse("SW1A 1AA"), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Coordinates {
    /// Latitude and longitude in decimal degrees.
    Degrees(Location),
    /// Latitude and longitude in degrees and minutes, perhaps with seconds.
    Minutes(Location),
    /// Longitude and latitude: only with latitude second the point is near these islands.
    Swapped(Location),
    /// A reference of the National Grid with letters, such as `TQ 290 796`: the middle of its square.
    Letters(GridReference),
    /// Eastings and northings in metres.
    Metres(GridReference),
}

impl Coordinates {
    /// Parses a latitude and a longitude, or a reference of the National Grid.
    ///
    /// Degrees may be decimal or have minutes and seconds. They may have the letters of directions, labels (`lat`, `lon`) and
    /// brackets. `geo:` URIs and links of map sites with `@51.5,-0.1` are read, too. Two letters and two digits (`TQ29`) are
    /// more likely an outcode than a grid reference.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        degrees(text).or_else(|| letters(text))
    }

    /// Returns the point, unless the coordinates are those of a grid.
    pub fn location(self) -> Option<Location> {
        match self {
            Self::Degrees(location) | Self::Minutes(location) | Self::Swapped(location) => Some(location),
            Self::Letters(_) | Self::Metres(_) => None,
        }
    }
}

/// A number, and the letter of a direction before or after it.
type Part = (f64, Option<char>);

/// Reads a latitude and a longitude, or two numbers of metres.
fn degrees(text: &str) -> Option<Coordinates> {
    let point = text.strip_prefix("geo:").map(|rest| rest.split([';', '?']).next().unwrap_or(rest));
    let link = text.split_once("/@").or_else(|| text.split_once("ll=")).filter(|_| text.contains("://"));
    let text = point.or(link.map(|(_, rest)| rest)).unwrap_or(text);
    let decimal_commas = with_points(text);
    let text = decimal_commas.as_deref().unwrap_or(text);
    let mut numbers = parts(text, link.is_some())?;
    if link.is_some() {
        numbers.truncate(2);
    }
    let named = numbers.iter().any(|(_, direction)| direction.is_some());
    if named && !text.contains(['.', '°', 'º']) && numbers.len() < 6 {
        // N1 5E is the beginning of a postcode.
        return None;
    }
    let marked = named || text.contains(['°', 'º']);
    if numbers.len() > 2 && !marked && text.matches([',', ';']).count() > 1 {
        // A list of numbers, such as the corners of a box.
        return None;
    }
    point_of(&numbers)
}

/// Returns a text with points for its decimal commas, if there are two numbers with one each.
fn with_points(text: &str) -> Option<String> {
    let is_one = |number: &str| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.trim_start_matches(['-', '−', '+']);
        number.split_once(',').is_some_and(|(whole, fraction)| digits(whole) && digits(fraction))
    };
    let numbers: Vec<&str> =
        text.split([';', ' ', '\t']).map(str::trim).filter(|number| !number.is_empty()).collect();
    (numbers.len() == 2 && numbers.iter().all(|number| is_one(number))).then(|| text.replace(',', "."))
}

/// Reads the numbers of a text with their directions; `None` if anything else is in it.
fn parts(text: &str, is_link: bool) -> Option<Vec<Part>> {
    let mut numbers: Vec<Part> = Vec::new();
    let mut at = 0;
    let bytes = text.as_bytes();
    let mut direction = None;
    while at < text.len() {
        let c = text[at..].chars().next()?;
        match c {
            '0'..='9' | '-' | '−' | '+' | '.' => {
                let end = text[at + c.len_utf8()..]
                    .find(|c: char| !c.is_ascii_digit() && c != '.')
                    .map_or(text.len(), |end| at + c.len_utf8() + end);
                let value: f64 = text[at..end].replace('−', "-").parse().ok()?;
                if numbers.len() > 6 {
                    return None;
                }
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
            // Minutes and seconds have many signs.
            '°' | 'º' | '\'' | '′' | '’' | '‘' | '´' | '`' | 'ʹ' | '"' | '″' | '”' | '“' | 'ʺ' =>
                {}
            ' ' | '\u{a0}' | '\t' | '\r' | '\n' | ',' | ';' | ':' | '(' | ')' | '[' | ']' => {}
            // A link of a map goes on with the zoom: the two numbers before it are read.
            _ if is_link && numbers.len() >= 2 => break,
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
    Some(numbers)
}

/// Returns whether the letters of directions stand before their numbers, as in `N 51.5 W 0.1`.
fn direction_leads(text: &str) -> bool {
    text.trim_start_matches([' ', '(', '[']).starts_with(['N', 'S', 'E', 'W', 'n', 's', 'e', 'w'])
}

fn point_of(numbers: &[Part]) -> Option<Coordinates> {
    let each = match numbers.len() {
        2 => 1,
        4 => 2,
        6 => 3,
        _ => return None,
    };
    let axis = |parts: &[Part]| {
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
    let is_latitude = |direction: Option<char>| direction.map(|direction| matches!(direction, 'N' | 'S'));
    let (latitude, longitude) = match (is_latitude(one), is_latitude(other)) {
        (Some(first), Some(second)) if first == second => return None,
        (Some(false), _) | (_, Some(true)) => (second, first),
        _ => (first, second),
    };
    let named = one.is_some() || other.is_some();
    let whole = first.fract() == 0.0 && second.fract() == 0.0;
    if !named && each == 1 && whole && first.abs() > 180.0 {
        return on_grid(first, second).map(Coordinates::Metres);
    }
    let kind = if each == 1 { Coordinates::Degrees } else { Coordinates::Minutes };
    let point = Location::new(latitude, longitude).ok();
    let swapped = Location::new(longitude, latitude).ok();
    match (point, swapped) {
        (Some(point), _) if is_near(point) => Some(kind(point)),
        (_, Some(swapped)) if !named && is_near(swapped) => Some(Coordinates::Swapped(swapped)),
        (Some(point), _) => Some(kind(point)),
        (None, _) => None,
    }
}

/// Returns whether a point is near these islands.
fn is_near(point: Location) -> bool {
    (48.0..=62.0).contains(&point.latitude()) && (-10.0..=4.0).contains(&point.longitude())
}

/// Returns a reference in metres, if it is on the National Grid.
fn on_grid(eastings: f64, northings: f64) -> Option<GridReference> {
    let within = |metres: f64, most: u32| (0.0..f64::from(most)).contains(&metres).then_some(metres as u32);
    let (eastings, northings) = (within(eastings, 700_000)?, within(northings, 1_300_000)?);
    Some(GridReference { eastings, northings, system: GridSystem::Osgb })
}

/// Reads a reference of the National Grid with letters: `TQ 29090 79645`, `TQ290796`, `TQ 29 79`.
fn letters(text: &str) -> Option<Coordinates> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).take(13).collect();
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
    let half = f64::from(metres / 2);
    // The middle of the square that the reference names.
    let along = |square: i32, part: &str| {
        let part: u32 = part.parse().ok()?;
        Some(f64::from(square) * 100_000.0 + f64::from(part * metres) + half)
    };
    on_grid(along(column, east)?, along(row, north)?).map(Coordinates::Letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(eastings: u32, northings: u32) -> GridReference {
        GridReference { eastings, northings, system: GridSystem::Osgb }
    }

    #[test]
    fn point_is_read_in_every_common_notation() {
        for text in [
            "51.501,-0.1416",
            "51.501 -0.1416",
            " 51.501, -0.1416 ",
            "51.501;-0.1416",
            "51.501; -0.1416",
            "(51.501, −0.1416)",
            "[51.501, -0.1416]",
            "51,501; -0,1416",
            "51,501 -0,1416",
            "51.501N 0.1416W",
            "51.501° N, 0.1416° W",
            "N51.501 W0.1416",
            "N 51.501 W 0.1416",
            "(N 51.501, W 0.1416)",
            "0.1416W 51.501N",
            "lat 51.501, lon -0.1416",
            "latitude: 51.501, longitude: -0.1416",
            "geo:51.501,-0.1416",
            "https://maps.example/maps/@51.501,-0.1416,15z",
            "51°30'3.6\"N 0°8'29.76\"W",
            "51° 30′ 3.6″ N, 0° 8′ 29.76″ W",
            "51°30′03.6″N 000°08′29.76″W",
            "51°30'3.6''N\u{a0}0°8'29.76''W",
            "51 30 3.6 N, 0 8 29.76 W",
            "51 30 3.6, -0 8 29.76",
            "51 30.06 N 0 8.496 W",
        ] {
            let found = Coordinates::parse(text).and_then(Coordinates::location);
            let near = |point: Location| {
                (point.latitude() - 51.501).abs() < 1e-9 && (point.longitude() + 0.1416).abs() < 1e-9
            };
            assert!(found.is_some_and(near), "{text}: {found:?}");
        }
        let swapped = Coordinates::parse("-0.1416, 51.501");
        assert_eq!(swapped, Some(Coordinates::Swapped(Location::new(51.501, -0.1416).unwrap())));
        // A point elsewhere is a point.
        let elsewhere = Location::new(40.7, -74.0).unwrap();
        assert_eq!(Coordinates::parse("40.7, -74"), Some(Coordinates::Degrees(elsewhere)));
    }

    #[test]
    fn what_is_not_two_coordinates_is_none() {
        for text in [
            "",
            "51.5",
            "51.5, x",
            "1,2,3",
            "51.49,-0.15,51.51,-0.12",
            "51,0,52,1",
            "99.5,200.5",
            "51.5,-0.1,7",
            "51 70 0 N 0 8 0 W",
            "51.5N 0.1N",
            "5.5.5,1",
            "N1 5E",
            "North 5 East 6",
            "1 2 3 4 5 6 7 8 9 10",
        ] {
            assert_eq!(Coordinates::parse(text), None, "{text}");
        }
    }

    #[test]
    fn grid_reference_is_the_middle_of_its_square() {
        for (text, eastings, northings) in [
            ("TQ 29090 79645", 529_090, 179_645),
            ("tq2909079645", 529_090, 179_645),
            ("TQ 2909 7964", 529_095, 179_645),
            ("TQ290796", 529_050, 179_650),
            ("TQ 29 79", 529_500, 179_500),
            ("HU 47 41", 447_500, 1_141_500),
        ] {
            let expected = Some(Coordinates::Letters(grid(eastings, northings)));
            assert_eq!(Coordinates::parse(text), expected, "{text}");
        }
        for text in ["529090 179645", "529090, 179645"] {
            assert_eq!(Coordinates::parse(text), Some(Coordinates::Metres(grid(529_090, 179_645))), "{text}");
        }
        for text in ["TQ29", "TQ 290 79", "II 290 796", "AA 290 796", "TQ 290 79x", "800000 179645"] {
            assert_eq!(Coordinates::parse(text), None, "{text}");
        }
    }
}
