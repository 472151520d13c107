//! The order in which people expect addresses: numbers by value, flats of one building together.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::format::acts_as_number;
use crate::model::{Address, Dataset};

/// Compares texts without regard to case, and numbers in them by value: `1`, `1A`, `2`, `10`.
///
/// ```
/// use postcode_addresses::order::natural;
///
/// let mut numbers = ["10", "2", "1A", "1"];
/// numbers.sort_by(|a, b| natural(a, b));
/// assert_eq!(numbers, ["1", "1A", "2", "10"]);
/// ```
#[must_use]
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.trim(), b.trim());
    loop {
        let (Some(first), Some(second)) = (a.chars().next(), b.chars().next()) else {
            return a.len().cmp(&b.len());
        };
        let order = if first.is_ascii_digit() && second.is_ascii_digit() {
            let (left, right) = (digits(a), digits(b));
            (a, b) = (&a[left.len()..], &b[right.len()..]);
            let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
            left.len().cmp(&right.len()).then_with(|| left.cmp(right))
        } else {
            (a, b) = (&a[first.len_utf8()..], &b[second.len_utf8()..]);
            rank(first).cmp(&rank(second))
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn digits(text: &str) -> &str {
    let end = text.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

/// Digits come before letters, and a blank before everything.
fn rank(letter: char) -> (u8, char) {
    let class = match letter {
        ' ' => 0,
        letter if letter.is_alphabetic() => 3,
        letter if letter.is_numeric() => 2,
        _ => 1,
    };
    (class, letter.to_lowercase().next().unwrap_or(letter))
}

/// Compares two addresses of one postcode: by number or by the name that acts as one, then by building name,
/// sub-building, organisation, department and PO Box.
///
/// Premises with a name only come before those with a number. Floors are in their order: basement, ground (`GF1`,
/// `PF2`), `1F2`, `2F1`.
///
/// ```
/// use std::cmp::Ordering;
/// use postcode_addresses::{Address, order::compare};
///
/// let number = |number: &str| Address { building_number: number.into(), ..Address::default() };
/// assert_eq!(compare(&number("2"), &number("10")), Ordering::Less);
/// ```
#[must_use]
pub fn compare(a: &Address, b: &Address) -> Ordering {
    Key::of(a).compare(&Key::of(b))
}

/// Sorts the addresses of one postcode. Multiple Residence children follow their parent.
///
/// ```
/// use postcode_addresses::{Address, order};
///
/// let mut addresses = ["10", "2"].map(|number| Address { building_number: number.into(), ..Address::default() });
/// order::sort(&mut addresses);
/// assert_eq!(addresses[0].building_number, "2");
/// ```
pub fn sort(addresses: &mut [Address]) {
    let is_child = |address: &Address| address.dataset == Dataset::MultipleResidence;
    let keys: Vec<Key<'_>> = addresses.iter().map(Key::of).collect();
    let mut order: Vec<usize> = (0..addresses.len()).collect();
    if addresses.iter().any(is_child) {
        sort_families(addresses, &keys, &mut order);
    } else if keys.is_sorted_by(|a, b| a.compare(b).is_le()) {
        return;
    } else {
        order.sort_by(|&a, &b| keys[a].compare(&keys[b]));
    }
    let mut sorted: Vec<Address> = Vec::with_capacity(addresses.len());
    for at in order {
        sorted.push(std::mem::take(&mut addresses[at]));
    }
    for (place, address) in addresses.iter_mut().zip(sorted) {
        *place = address;
    }
}

/// Sorts the indices of addresses, children after their parent.
fn sort_families(addresses: &[Address], keys: &[Key<'_>], order: &mut [usize]) {
    let parents: HashMap<u32, usize> = addresses
        .iter()
        .enumerate()
        .filter(|(_, address)| address.dataset != Dataset::MultipleResidence)
        .filter_map(|(at, address)| Some((address.udprn?, at)))
        .collect();
    let family = |at: usize| -> usize {
        match &addresses[at] {
            Address { dataset: Dataset::MultipleResidence, udprn: Some(udprn), .. } => {
                parents.get(udprn).copied().unwrap_or(at)
            }
            _ => at,
        }
    };
    order.sort_by(|&a, &b| {
        let (family_a, family_b) = (family(a), family(b));
        if family_a == family_b {
            return (a != family_a)
                .cmp(&(b != family_b))
                .then_with(|| keys[a].compare(&keys[b]))
                .then(a.cmp(&b));
        }
        keys[family_a].compare(&keys[family_b]).then(family_a.cmp(&family_b))
    });
}

struct Key<'a> {
    /// The number or what acts as one, and the letter that is joined to it.
    number: (&'a str, &'a str),
    name: &'a str,
    floor: Option<(i8, &'a str)>,
    sub: &'a str,
    organisation: &'a str,
    department: &'a str,
    po_box: &'a str,
}

impl<'a> Key<'a> {
    fn of(address: &'a Address) -> Self {
        let name = address.building_name.trim();
        let sub = address.sub_building.trim();
        let plain = address.building_number.trim();
        let plain = if plain.bytes().all(|byte| byte == b'0') { "" } else { plain };
        let (number, name, sub) = if !plain.is_empty() {
            let joined = name.is_empty() && sub.len() == 1 && acts_as_number(sub);
            if joined { ((plain, sub), name, "") } else { ((plain, ""), name, sub) }
        } else if acts_as_number(name) {
            ((name, ""), "", sub)
        } else if name.is_empty() && acts_as_number(sub) {
            ((sub, ""), name, "")
        } else {
            (("", ""), name, sub)
        };
        Self {
            number,
            name,
            floor: floor(sub),
            sub,
            organisation: address.organisation.trim(),
            department: address.department.trim(),
            po_box: address.po_box.trim(),
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        natural(self.number.0, other.number.0)
            .then_with(|| natural(self.number.1, other.number.1))
            .then_with(|| natural(self.name, other.name))
            .then_with(|| match (self.floor, other.floor) {
                (Some((a, rest_a)), Some((b, rest_b))) => a.cmp(&b).then_with(|| natural(rest_a, rest_b)),
                _ => natural(self.sub, other.sub),
            })
            .then_with(|| natural(self.sub, other.sub))
            .then_with(|| natural(self.organisation, other.organisation))
            .then_with(|| natural(self.department, other.department))
            .then_with(|| natural(self.po_box, other.po_box))
    }
}

/// Returns the floor that a sub-building is on, and the rest of its text: `2F1`, `GF2`, `PF`, `BF1`, `First Floor Flat`.
fn floor(sub: &str) -> Option<(i8, &str)> {
    let bytes = sub.as_bytes();
    let number = |from: usize| sub.get(from..).filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    match bytes {
        [b'B' | b'b', b'F' | b'f', ..] => number(2).map(|rest| (-1, rest)),
        [b'G' | b'g' | b'P' | b'p', b'F' | b'f', ..] => number(2).map(|rest| (0, rest)),
        [floor @ b'1'..=b'9', b'F' | b'f', ..] => number(2).map(|rest| ((floor - b'0').cast_signed(), rest)),
        _ => {
            const NAMES: [(&str, i8); 12] = [
                ("basement", -1),
                ("ground floor", 0),
                ("first floor", 1),
                ("second floor", 2),
                ("third floor", 3),
                ("fourth floor", 4),
                ("fifth floor", 5),
                ("sixth floor", 6),
                ("seventh floor", 7),
                ("eighth floor", 8),
                ("ninth floor", 9),
                ("tenth floor", 10),
            ];
            let starts =
                |name: &str| sub.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
            NAMES.iter().find(|(name, _)| starts(name)).map(|&(name, floor)| (floor, &sub[name.len()..]))
        }
    }
}

/// Sorts addresses that are plain texts: by the number in front, with the flats of one building together.
///
/// ```
/// let mut lines = ["10 Ash Road", "2 Rose House Ash Road", "1 Rose House Ash Road", "3 Ash Road"];
/// postcode_addresses::order::sort_texts(&mut lines);
/// assert_eq!(lines, ["1 Rose House Ash Road", "2 Rose House Ash Road", "3 Ash Road", "10 Ash Road"]);
/// ```
pub fn sort_texts<T: AsRef<str>>(texts: &mut [T]) {
    let mut lowest: HashMap<String, String> = HashMap::new();
    for text in texts.iter() {
        let text = single_blanks(text.as_ref());
        let first = lowest.entry(after_number(&text)).or_insert_with(|| text.clone());
        if natural(&text, first).is_lt() {
            *first = text;
        }
    }
    texts.sort_by_cached_key(|text| {
        let text = single_blanks(text.as_ref());
        let first = lowest.get(&after_number(&text)).unwrap_or(&text).clone();
        Natural(first, text)
    });
}

#[derive(PartialEq, Eq)]
struct Natural(String, String);

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        natural(&self.0, &other.0).then_with(|| natural(&self.1, &other.1))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn single_blanks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns what stands after the number in front, in lower case, with single blanks.
fn after_number(text: &str) -> String {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    if let Some(at) = words.iter().take(2).position(|word| acts_as_number(word.trim_end_matches(','))) {
        words.remove(at);
    }
    words.join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn premises(sub: &str, name: &str, number: &str) -> Address {
        Address {
            sub_building: sub.into(),
            building_name: name.into(),
            building_number: number.into(),
            ..Address::default()
        }
    }

    #[test]
    fn numbers_are_compared_by_value() {
        let mut texts = ["10", "2", "1B", "1", "1A", "Flat 10", "Flat 2", "2/2", "2/1", "007"];
        texts.sort_by(|a, b| natural(a, b));
        assert_eq!(texts, ["1", "1A", "1B", "2", "2/1", "2/2", "007", "10", "Flat 2", "Flat 10"]);
    }

    #[test]
    fn addresses_of_a_postcode_are_in_the_order_of_the_street() {
        let expected = [
            premises("1", "Rose House", ""),
            premises("2", "Rose House", ""),
            premises("10", "Rose House", ""),
            premises("", "The Forge", ""),
            premises("BF1", "", "7"),
            premises("GF1", "", "7"),
            premises("PF2", "", "7"),
            premises("1F1", "", "7"),
            premises("2F1", "", "7"),
            premises("", "", "190"),
            premises("", "190a", ""),
            premises("", "", "191"),
            premises("A", "", "191"),
            premises("Flat 2", "", "191"),
            premises("Flat 10", "", "191"),
        ];
        let mut sorted = expected.to_vec();
        sorted.reverse();
        sort(&mut sorted);
        // The joined letter makes another number of it: 191A comes after all of 191.
        let mut expected = expected.to_vec();
        let joined = expected.remove(12);
        expected.push(joined);
        assert_eq!(sorted, expected);
    }

    #[test]
    fn children_follow_their_parent() {
        let parent = Address { udprn: Some(5), ..premises("", "", "40") };
        let child = |room: &str| Address {
            udprn: Some(5),
            umprn: Some(1),
            dataset: Dataset::MultipleResidence,
            ..premises(room, "", "40")
        };
        let mut list = [
            child("Room 10"),
            premises("", "", "41"),
            child("Room 2"),
            parent.clone(),
            premises("", "", "3"),
        ];
        sort(&mut list);
        let rooms: Vec<&str> = list.iter().map(|address| address.sub_building.as_str()).collect();
        assert_eq!(rooms, ["", "", "Room 2", "Room 10", ""]);
        assert_eq!(list[1], parent);
    }
}
