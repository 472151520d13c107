//! Finds the address that a text means among the addresses of its postcode.

use crate::Address;

/// The longest text that is compared, in bytes. A longer one is not an address.
pub const MAX_TEXT: usize = 1_000;

/// Words for a part of a building. They mean the same: `Apt 2` is `Flat 2`.
const PARTS: [&str; 5] = ["FLAT", "APARTMENT", "APT", "UNIT", "SUITE"];
/// Words that say nothing.
const SILENT: [&str; 3] = ["THE", "NO", "NUMBER"];
/// Words and their usual abbreviations. `ST` is Street and Saint, so both become `ST`.
const SHORT: [(&str, &str); 16] = [
    ("AND", "&"),
    ("AVENUE", "AVE"),
    ("BUILDING", "BLDG"),
    ("BUILDINGS", "BLDGS"),
    ("CLOSE", "CL"),
    ("COURT", "CT"),
    ("CRESCENT", "CRES"),
    ("DRIVE", "DR"),
    ("GARDENS", "GDNS"),
    ("HOUSE", "HSE"),
    ("LANE", "LN"),
    ("PLACE", "PL"),
    ("ROAD", "RD"),
    ("SAINT", "ST"),
    ("SQUARE", "SQ"),
    ("STREET", "ST"),
];

/// The result of [`Candidates::find`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Match<'a> {
    /// The text means this address.
    One(&'a Address),
    /// The text fits several addresses equally well.
    Several,
    /// The text names a building, and the addresses are parts of it: it does not say which flat.
    Building,
    /// The text fits no address.
    Nothing,
}

impl Match<'_> {
    /// Returns the stable name: `one`, `several`, `building` or `none`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::One(_) => "one",
            Self::Several => "several",
            Self::Building => "building",
            Self::Nothing => "none",
        }
    }
}

/// The addresses of one postcode, prepared for comparison with texts.
///
/// A text fits an address if it names its premises: the number, the building and the part of it. Case, punctuation, the
/// order of the elements and usual abbreviations (`Rd`, `Apt`) don't matter. Everything in front of the street, and every
/// number, must be in the address, so a text of another house never fits. A building's name may be missing if the
/// address has a number too. What follows the street, such as a county, is not compared.
///
/// ```
/// use postcode_addresses::Address;
/// use postcode_addresses::matching::{Candidates, Match};
///
/// let flat = |flat: &str| Address {
///     sub_building: flat.into(),
///     building_number: "18".into(),
///     thoroughfare: "Ash Road".into(),
///     ..Address::default()
/// };
/// let addresses = [flat("Flat 1"), flat("Flat 2")];
/// let candidates = Candidates::new(&addresses);
/// assert_eq!(candidates.find("apt 2, 18 Ash Rd"), Match::One(&addresses[1]));
/// assert_eq!(candidates.find("18 Ash Road"), Match::Building);
/// assert_eq!(candidates.find("Flat 3, 18 Ash Road"), Match::Nothing);
/// ```
#[derive(Debug)]
pub struct Candidates<'a>(Vec<Candidate<'a>>);

impl<'a> Candidates<'a> {
    /// Prepares the addresses of one postcode.
    ///
    /// ```
    /// use postcode_addresses::matching::{Candidates, Match};
    ///
    /// assert_eq!(Candidates::new(&[]).find("18 Ash Road"), Match::Nothing);
    /// ```
    #[must_use]
    pub fn new(addresses: &'a [Address]) -> Self {
        Self(addresses.iter().map(Candidate::new).collect())
    }

    /// Returns the address that the text means. The text may have commas or line breaks, and may end with the postcode.
    ///
    /// ```
    /// use postcode_addresses::Address;
    /// use postcode_addresses::matching::{Candidates, Match};
    ///
    /// let cottage = Address { building_name: "Rose Cottage".into(), ..Address::default() };
    /// let addresses = [cottage];
    /// assert_eq!(Candidates::new(&addresses).find("ROSE COTTAGE"), Match::One(&addresses[0]));
    /// ```
    #[must_use]
    pub fn find(&self, text: &str) -> Match<'a> {
        if text.len() > MAX_TEXT {
            return Match::Nothing;
        }
        let text = words(text);
        let (mut best, mut rank, mut building) = (Match::Nothing, None, false);
        for candidate in &self.0 {
            match candidate.fit(&text) {
                Fit::None => {}
                Fit::Building => building = true,
                Fit::Whole(fitting) if Some(fitting) > rank => {
                    (best, rank) = (Match::One(candidate.address), Some(fitting));
                }
                Fit::Whole(fitting) if Some(fitting) == rank => best = Match::Several,
                Fit::Whole(_) => {}
            }
        }
        if building && best == Match::Nothing { Match::Building } else { best }
    }
}

/// How well a text fits an address.
enum Fit {
    None,
    /// The text does not say which part of the building.
    Building,
    /// Whether the text names the building, and how many names of the organisation it has.
    Whole((bool, usize)),
}

/// The role of an element of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Organisation,
    Part,
    Building,
    Number,
    Street,
    Place,
    Postcode,
}

/// An address, and the words of its elements.
#[derive(Debug)]
struct Candidate<'a> {
    address: &'a Address,
    /// The longest first, so that the number 12 does not take a part of 12A.
    elements: Vec<(Role, Vec<String>)>,
}

impl<'a> Candidate<'a> {
    fn new(address: &'a Address) -> Self {
        let po_box = match address.po_box.as_str() {
            "" => String::new(),
            number => format!("PO Box {number}"),
        };
        let compact = address.postcode.replace(' ', "");
        let mut elements: Vec<(Role, Vec<String>)> = [
            (Role::Organisation, address.organisation.as_str()),
            (Role::Organisation, &address.department),
            (Role::Number, &po_box),
            (Role::Part, &address.sub_building),
            (Role::Building, &address.building_name),
            (Role::Number, &address.building_number),
            (Role::Street, &address.dependent_thoroughfare),
            (Role::Street, &address.thoroughfare),
            (Role::Place, &address.double_dependent_locality),
            (Role::Place, &address.dependent_locality),
            (Role::Place, &address.post_town),
            (Role::Postcode, &address.postcode),
            (Role::Postcode, &compact),
        ]
        .map(|(role, text)| (role, words(text)))
        .into();
        elements.retain(|(_, words)| !words.is_empty());
        elements.sort_by_key(|(_, words)| std::cmp::Reverse(words.len()));
        Self { address, elements }
    }

    fn has(&self, role: Role) -> bool {
        self.elements.iter().any(|(other, _)| *other == role)
    }

    fn fit(&self, text: &[String]) -> Fit {
        let mut named = vec![false; self.elements.len()];
        // An address in the country has no street. Then its place is what follows the premises.
        let last = if self.has(Role::Street) { Role::Street } else { Role::Place };
        let (mut rest, mut is_past) = (text, false);
        while let Some(word) = rest.first() {
            let taken = self.elements.iter().enumerate().find_map(|(n, (_, words))| {
                if named[n] {
                    return None;
                }
                let optional = words.strip_prefix(&[PARTS[0].to_owned()]).filter(|rest| !rest.is_empty());
                let after = rest.strip_prefix(&words[..]).or_else(|| rest.strip_prefix(optional?))?;
                Some((n, after))
            });
            match taken {
                Some((n, after)) => {
                    named[n] = true;
                    is_past |= self.elements[n].0 == last;
                    rest = after;
                }
                None if is_past && !is_number(word) && *word != PARTS[0] => rest = &rest[1..],
                None => return Fit::None,
            }
        }
        let lacks =
            |role| self.elements.iter().zip(&named).any(|((other, _), named)| *other == role && !named);
        let names = |role| {
            self.elements.iter().zip(&named).filter(|((other, _), named)| *other == role && **named).count()
        };
        let is_building = names(Role::Number) + names(Role::Building) > 0;
        if lacks(Role::Number) || (lacks(Role::Building) && !self.has(Role::Number)) {
            return Fit::None;
        }
        if lacks(Role::Part) {
            return if is_building { Fit::Building } else { Fit::None };
        }
        // Without premises the organisation is all that tells this address from others.
        if !is_building
            && names(Role::Part) == 0
            && (lacks(Role::Organisation) || !self.has(Role::Organisation))
        {
            return Fit::None;
        }
        Fit::Whole((!lacks(Role::Building), names(Role::Organisation)))
    }
}

/// Returns whether a word is a number, or a letter that stands with one: the `A` of `12A`.
fn is_number(word: &str) -> bool {
    word.len() == 1 || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a line completes a text that is being typed: each word of the text begins a word of the line, or is
/// another way to write it (`Road` and `Rd`). The order of the words does not matter.
///
/// ```
/// use postcode_addresses::matching::is_completion;
///
/// assert!(is_completion("Flat 2, 18 Ash Road, Exampleton", "ash r 18"));
/// assert!(is_completion("18 Ash Road, Exampleton", "18 Ash Rd"));
/// assert!(!is_completion("18 Ash Road, Exampleton", "19 ash"));
/// ```
#[must_use]
pub fn is_completion(line: &str, typed: &str) -> bool {
    if line.len() > MAX_TEXT || typed.len() > MAX_TEXT {
        return false;
    }
    let (line_words, line_short) = (split(line), words(line));
    split(typed).iter().all(|word| {
        let written = words(word);
        line_words.iter().any(|other| other.starts_with(word.as_str()))
            || written.iter().all(|word| line_short.contains(word))
    })
}

/// Takes a text apart into words in capitals, each of letters or of digits only, as the words that they are short for.
fn words(text: &str) -> Vec<String> {
    let mut words = split(text);
    words.retain(|word| !SILENT.contains(&word.as_str()));
    for word in &mut words {
        if PARTS.contains(&word.as_str()) {
            PARTS[0].clone_into(word);
        } else if let Some((_, short)) = SHORT.iter().find(|(long, _)| long == word) {
            (*short).clone_into(word);
        } else if word.bytes().all(|byte| byte.is_ascii_digit()) && word.len() > 1 {
            *word = word.trim_start_matches('0').to_owned();
        }
    }
    words
}

/// Takes a text apart into words in capitals, each of letters or of digits only.
fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = ' ';
    for letter in
        text.chars().filter(|letter| !matches!(letter, '\'' | '’' | '.')).flat_map(char::to_uppercase)
    {
        let is_same = (letter.is_alphabetic() && last.is_alphabetic())
            || (letter.is_ascii_digit() && last.is_ascii_digit())
            || (letter == '&' && last == '&');
        if letter.is_alphanumeric() || letter == '&' {
            match words.last_mut().filter(|_| is_same) {
                Some(word) => word.push(letter),
                None => words.push(letter.to_string()),
            }
        }
        last = letter;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(elements: &str) -> Address {
        let mut address = Address {
            thoroughfare: "Ash Road".into(),
            dependent_locality: "Norwood".into(),
            post_town: "EXAMPLETON".into(),
            postcode: "ZZ1 1ZZ".into(),
            ..Address::default()
        };
        for element in elements.split(';') {
            let (key, value) = element.split_once('=').unwrap();
            let field = match key {
                "org" => &mut address.organisation,
                "box" => &mut address.po_box,
                "part" => &mut address.sub_building,
                "name" => &mut address.building_name,
                "number" => &mut address.building_number,
                "street" => &mut address.thoroughfare,
                other => panic!("{other}"),
            };
            value.clone_into(field);
        }
        address
    }

    /// Shows which of the addresses a text means, by its place in the list.
    fn found(addresses: &[&str], text: &str) -> String {
        let addresses: Vec<Address> = addresses.iter().map(|elements| address(elements)).collect();
        match Candidates::new(&addresses).find(text) {
            Match::One(found) => {
                addresses.iter().position(|address| std::ptr::eq(address, found)).unwrap().to_string()
            }
            other => other.name().to_owned(),
        }
    }

    #[test]
    fn number_names_the_house_and_no_other() {
        let street = ["number=1", "number=10", "name=12A", "number=12"];
        for (text, expected) in [
            ("1 Ash Road, Norwood, Exampleton, ZZ1 1ZZ", "0"),
            ("1, ASH RD, EXAMPLETON, LOAMSHIRE", "0"),
            ("No. 10 The Ash Road", "1"),
            ("12a Ash Road", "2"),
            ("12 A Ash Road", "2"),
            ("0012 Ash Road", "3"),
            ("12", "3"),
            ("12B Ash Road", "none"),
            ("2 Ash Road", "none"),
            ("1 Elm Road", "none"),
            ("1 Ash Road, Flat 4", "none"),
            ("Ash Road", "none"),
            ("", "none"),
        ] {
            assert_eq!(found(&street, text), expected, "{text}");
        }
    }

    #[test]
    fn flat_is_told_from_its_building() {
        let house = [
            "part=Flat 1;name=Rose House;number=18",
            "part=Flat 2;name=Rose House;number=18",
            "part=Flat 18;name=Rose House;number=2",
            "part=First Floor Flat;number=20",
        ];
        for (text, expected) in [
            ("Flat 2, Rose House, 18 Ash Road", "1"),
            ("18, FLAT 2, ASH ROAD", "1"),
            ("2, FLAT 18, ASH ROAD", "2"),
            ("Apartment 1\n18 Ash Road\nExampleton\nZZ11ZZ", "0"),
            ("Flat 2, Oak House, 18 Ash Road", "none"),
            ("Flat 3, Rose House, 18 Ash Road", "none"),
            ("Rose House, 18 Ash Road", "building"),
            ("18 Ash Road", "building"),
            ("first floor flat 20 ash road", "3"),
        ] {
            assert_eq!(found(&house, text), expected, "{text}");
        }
    }

    #[test]
    fn name_must_be_the_whole_name() {
        let houses = ["name=The Cottage;street=Rose Lane", "name=Rose Cottage;street=Rose Lane"];
        assert_eq!(found(&houses, "The Cottage, Rose Lane"), "0");
        assert_eq!(found(&houses, "Rose Cottage Rose Ln"), "1");
        assert_eq!(found(&houses[..1], "Rose Cottage, Rose Lane"), "none");
        assert_eq!(found(&houses[1..], "The Cottage, Rose Lane"), "none");
    }

    #[test]
    fn organisation_decides_between_equal_premises() {
        let shops =
            ["org=Example Bakery Ltd;number=5", "org=Sample & Sons;number=5", "org=Box Office;box=77"];
        assert_eq!(found(&shops, "5 Ash Road"), "several");
        assert_eq!(found(&shops, "Sample and Sons, 5 Ash Road"), "1");
        assert_eq!(found(&shops, "P.O. Box 77"), "2");
        assert_eq!(found(&["org=Example Bakery Ltd"], "Example Bakery Ltd, Ash Road"), "0");
        assert_eq!(found(&["org=Example Bakery Ltd"], "Ash Road"), "none");
    }

    #[test]
    fn saints_apostrophes_and_abbreviations_are_read() {
        assert_eq!(found(&["number=3;street=St. John's Street"], "3 Saint Johns St"), "0");
        assert_eq!(found(&["name=Unit 4"], "4 Ash Road"), "0");
        assert_eq!(found(&["name=7-9"], "7 - 9 Ash Road"), "0");
        assert_eq!(found(&["number=1"], &"1 Ash Road ".repeat(100)), "none");
    }

    #[test]
    fn words_that_are_being_typed_begin_words_of_the_line() {
        let line = "Room 1001, Heronbank, Gibbet Hill Road, Coventry, CV4";
        for typed in ["", "10", "room 1001", "heron road", "hill rd", "the gibbet", "Coventry, CV4"] {
            assert!(is_completion(line, typed), "{typed}");
        }
        for typed in ["1002", "ronbank", "hill st", &"a".repeat(MAX_TEXT + 1)] {
            assert!(!is_completion(line, typed), "{typed}");
        }
    }
}
