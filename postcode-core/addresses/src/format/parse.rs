//! From lines back to elements, by the words that British addresses are made of.

use super::numbers::{acts_as_number, is_letter};
use crate::model::Address;

/// Words at the end of a street's name.
const STREETS: [&str; 44] = [
    "ALLEY",
    "APPROACH",
    "AVENUE",
    "BANK",
    "BOULEVARD",
    "BROW",
    "BYPASS",
    "CAUSEWAY",
    "CHASE",
    "CIRCUS",
    "CLOSE",
    "COMMON",
    "CRESCENT",
    "CROSS",
    "DRIVE",
    "END",
    "ESPLANADE",
    "ESTATE",
    "FIELDS",
    "GARDENS",
    "GATE",
    "GREEN",
    "GROVE",
    "HILL",
    "LANE",
    "MEADOW",
    "MEWS",
    "PARADE",
    "PARK",
    "PASSAGE",
    "PATH",
    "PLACE",
    "QUAY",
    "RISE",
    "ROAD",
    "ROW",
    "SQUARE",
    "STREET",
    "STRAND",
    "TERRACE",
    "VALE",
    "WALK",
    "WAY",
    "YARD",
];

/// Words at the end of a building's name.
const BUILDINGS: [&str; 36] = [
    "ANNEXE",
    "APARTMENTS",
    "BARN",
    "BARNS",
    "BUILDING",
    "BUILDINGS",
    "BUNGALOW",
    "CENTRE",
    "CHAMBERS",
    "CHAPEL",
    "CHURCH",
    "COTTAGE",
    "COTTAGES",
    "COURT",
    "CROFT",
    "FARM",
    "FARMHOUSE",
    "GRANGE",
    "HALL",
    "HEIGHTS",
    "HOUSE",
    "HOUSES",
    "INN",
    "LODGE",
    "MANOR",
    "MANSIONS",
    "MILL",
    "POINT",
    "RECTORY",
    "SCHOOL",
    "STUDIOS",
    "TOWER",
    "TOWERS",
    "VICARAGE",
    "VILLA",
    "WHARF",
];

/// Words in front of the number of a part of a building.
const PARTS: [&str; 18] = [
    "APARTMENT",
    "APT",
    "BASEMENT",
    "BEDSIT",
    "BLOCK",
    "FIRST",
    "FLAT",
    "FLOOR",
    "GROUND",
    "MAISONETTE",
    "OFFICE",
    "ROOM",
    "SECOND",
    "SHOP",
    "STALL",
    "STUDIO",
    "SUITE",
    "UNIT",
];

/// Reads an address from lines, or from one line with commas.
///
/// No list of streets and towns stands behind this, only the words that they end in. So it gives back the elements of an
/// address that Guide has written, if street, building and flat have such words; a name without one may be taken for an
/// organisation or a locality. It never fails: a part that fits nowhere becomes a locality or an organisation.
///
/// ```
/// let address = postcode_addresses::format::parse("Flat 2, Rose House, 18 Ash Road, Norwood, EXAMPLETON, ZZ1 1ZZ");
/// assert_eq!(address.sub_building, "Flat 2");
/// assert_eq!((address.building_number.as_str(), address.thoroughfare.as_str()), ("18", "Ash Road"));
/// assert_eq!((address.dependent_locality.as_str(), address.post_town.as_str()), ("Norwood", "EXAMPLETON"));
/// ```
#[must_use]
pub fn parse(text: &str) -> Address {
    let mut address = Address::default();
    let mut parts: Vec<&str> =
        text.split(['\n', '\r', ',']).map(str::trim).filter(|part| !part.is_empty()).collect();
    take_postcode(&mut parts, &mut address);
    if let Some(town) = parts.pop_if(|town| !is_premises(town)) {
        address.post_town = town.to_uppercase();
    }
    let street = place_streets(&mut parts, &mut address);
    place_premises(parts, street, &mut address);
    address
}

/// Takes the postcode off the last part.
fn take_postcode(parts: &mut Vec<&str>, address: &mut Address) {
    let Some(last) = parts.pop() else { return };
    if crate::postcode::put(last.as_bytes(), &mut address.postcode) {
        return;
    }
    // The postcode may stand on the line of the town, in two words or one.
    let words: Vec<(usize, &str)> =
        last.split(' ').map(|word| (word.as_ptr() as usize - last.as_ptr() as usize, word)).collect();
    for count in [2, 1] {
        if let Some(&(at, _)) =
            words.len().checked_sub(count).filter(|&at| at > 0).and_then(|at| words.get(at))
            && crate::postcode::put(&last.as_bytes()[at..], &mut address.postcode)
        {
            parts.push(last[..at].trim_end());
            return;
        }
    }
    parts.push(last);
}

fn last_word(part: &str) -> &str {
    part.rsplit(' ').next().unwrap_or(part)
}

fn ends_in(part: &str, words: &[&str]) -> bool {
    // A word alone is a name: "Park" is not a street.
    part.contains(' ') && words.iter().any(|word| word.eq_ignore_ascii_case(last_word(part)))
}

/// Returns the number in front of a street, and the street.
fn split_number(part: &str) -> Option<(&str, &str)> {
    let (number, rest) = part.split_once(' ')?;
    (acts_as_number(number) && !rest.trim().is_empty()).then_some((number, rest.trim_start()))
}

/// Returns whether a part begins with a word such as FLAT.
fn is_part(part: &str) -> bool {
    let first = part.split(' ').next().unwrap_or(part);
    PARTS.iter().any(|word| word.eq_ignore_ascii_case(first))
}

fn is_premises(part: &str) -> bool {
    is_part(part)
        || split_number(part).is_some()
        || acts_as_number(part)
        || ends_in(part, &BUILDINGS)
        || po_box(part).is_some()
}

fn po_box(part: &str) -> Option<&str> {
    let rest =
        part.get(..6).filter(|start| start.eq_ignore_ascii_case("PO BOX")).map(|_| part[6..].trim())?;
    (!rest.is_empty()).then_some(rest)
}

/// Takes streets and localities off the end. Returns the number in front of them.
fn place_streets<'p>(parts: &mut Vec<&'p str>, address: &mut Address) -> Option<&'p str> {
    // A sub-building that acts as a number stands in front of a building's name, and not of a street.
    let in_front = |part: &&str| {
        split_number(part)
            .is_some_and(|(_, rest)| !ends_in(rest, &BUILDINGS) || ends_in(rest, &["COURT", "COTTAGES"]))
    };
    let streets: Vec<usize> =
        (0..parts.len()).filter(|&at| ends_in(parts[at], &STREETS) && po_box(parts[at]).is_none()).collect();
    let numbered = parts.iter().position(|part| in_front(part) && !is_part(part));
    let last = match (streets.last(), numbered) {
        (Some(&last), Some(numbered)) if numbered > last => None,
        (last, _) => last.copied(),
    };
    // The first of the two streets carries the number. A smaller street may end in COURT, as a building does.
    let first = match (last, numbered) {
        (Some(last), Some(numbered)) if numbered <= last => Some(numbered.max(last.saturating_sub(1))),
        (Some(last), _) => Some(streets.iter().copied().find(|&at| at + 1 == last).unwrap_or(last)),
        (None, numbered) => numbered,
    };
    let Some(first) = first else {
        // No street: localities follow the last part that is premises.
        let from = parts.iter().rposition(|part| is_premises(part)).map_or(parts.len().min(1), |at| at + 1);
        let localities = parts.split_off(from);
        place_localities(&localities, address);
        return None;
    };
    let mut tail = parts.split_off(first);
    let mut number = None;
    if let Some(part) = tail.first_mut()
        && let Some((found, rest)) = split_number(part)
    {
        number = Some(found);
        *part = rest;
    }
    match last {
        Some(last) if last > first => {
            tail[0].clone_into(&mut address.dependent_thoroughfare);
            tail[1].clone_into(&mut address.thoroughfare);
            place_localities(&tail[2..], address);
        }
        Some(_) => {
            tail[0].clone_into(&mut address.thoroughfare);
            place_localities(&tail[1..], address);
        }
        // A number in front of a locality.
        None => place_localities(&tail, address),
    }
    number
}

fn place_localities(parts: &[&str], address: &mut Address) {
    match parts {
        [] => {}
        [one] => (*one).clone_into(&mut address.dependent_locality),
        [first, rest @ ..] => {
            (*first).clone_into(&mut address.double_dependent_locality);
            address.dependent_locality = rest.join(", ");
        }
    }
}

/// Places what stands before the street.
fn place_premises(mut parts: Vec<&str>, number: Option<&str>, address: &mut Address) {
    if let Some(at) = parts.iter().position(|part| po_box(part).is_some()) {
        address.po_box = po_box(parts.remove(at)).unwrap_or_default().to_owned();
    }
    let mut name = "";
    if let Some(part) =
        parts.pop_if(|part| !is_part(part) && (ends_in(part, &BUILDINGS) || split_number(part).is_some()))
    {
        name = part;
        if let Some((sub, rest)) = split_number(part) {
            sub.clone_into(&mut address.sub_building);
            name = rest;
        }
    }
    if address.sub_building.is_empty()
        && let Some(part) = parts
            .pop_if(|part| is_part(part) || acts_as_number(part) || (part.contains('/') && part.len() <= 6))
    {
        // A unit with nothing but a street is a building name in Royal Mail's files, and a flat is not.
        part.clone_into(&mut address.sub_building);
    }
    if name.is_empty()
        && let Some(part) = parts.pop_if(|part| part.starts_with('('))
    {
        name = part;
    }
    match number {
        Some(number) if number.len() <= 4 && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            number.clone_into(&mut address.building_number);
            name.clone_into(&mut address.building_name);
        }
        // A range or a suffix stands at the end of the name.
        Some(number) if !name.is_empty() && !is_letter(number) => {
            address.building_name = format!("{name} {number}")
        }
        Some(number) => number.clone_into(&mut address.building_name),
        None => name.clone_into(&mut address.building_name),
    }
    match parts.as_slice() {
        [] => {}
        [organisation] => (*organisation).clone_into(&mut address.organisation),
        [organisation, rest @ ..] => {
            (*organisation).clone_into(&mut address.organisation);
            address.department = rest.join(", ");
        }
    }
}
