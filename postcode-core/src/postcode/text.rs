//! Finds and replaces postcodes in running text.
//!
//! A postcode is found if it is a word or two, in any case. Its halves may be joined, or separated
//! by spaces, tabs, line ends or Unicode spaces. `AB101AB2` and `XSW1A 2AAX` contain none. Words
//! are those of Unicode (UAX #29): letters of all scripts, combining marks, digits and the
//! underscore belong to a word; ideographs and kana do not. So `SW1A 1AAé` contains none, and
//! `住所SW1A 1AAです` contains one.
//!
//! `Flat B1 2nd Floor` contains none either. After a space, `1st`, `2nd`, `3rd` and `4th` are second
//! halves only in the case of the first half, if no word such as `floor` follows, and if none such
//! as `flat` stands before the first half.
//!
//! The time grows only with the length of the text, and finding needs no memory.
//!
//! ```
//! use postcode_core::text;
//!
//! let letter = "From SW1A1AA (London) to M1 1AE.";
//! let found: Vec<_> = text::find(letter).map(|found| found.postcode.to_string()).collect();
//! assert_eq!(found, ["SW1A 1AA", "M1 1AE"]);
//! assert_eq!(text::replace(letter, |_| "[postcode]"), "From [postcode] (London) to [postcode].");
//! ```

mod found;
mod repairs;
mod words;

use std::borrow::Cow;
use std::iter::FusedIterator;
use std::ops::Range;

pub use super::typed::is_invisible;
pub use found::Found;
pub use repairs::{Repairs, repairs};

use super::{Bfpo, Outcode, PostalCode, Postcode, TerritoryCode, grammar};
use words::{Gap, Word, Words};

/// A code of any kind in a text.
///
/// ```
/// use postcode_core::text::Finder;
///
/// let text = "from BFPO 57 to E1 6";
/// let codes: Vec<_> = Finder::everything().find(text).map(|found| &text[found.range]).collect();
/// assert_eq!(codes, ["BFPO 57", "E1 6"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCode {
    /// The position in bytes.
    pub range: Range<usize>,
    /// The code.
    pub code: PostalCode,
}

/// Iterates over the whole postcodes in a text, from left to right.
///
/// ```
/// let mut found = postcode_core::text::find("no. 7, sw1a 1aa");
/// assert_eq!(found.next().map(|found| found.range), Some(7..15));
/// assert_eq!(found.next(), None);
/// ```
pub fn find(text: &str) -> Postcodes<'_> {
    Postcodes(Finder::new().find(text))
}

/// Replaces each whole postcode in a text. Borrows a text without postcodes.
///
/// ```
/// use postcode_core::text;
///
/// // Normalise them:
/// assert_eq!(text::replace("at sw1a1aa", |found| found.postcode.spaced()), "at SW1A 1AA");
/// // Keep no more than the district:
/// assert_eq!(text::replace("at SW1A 1AA", |found| found.postcode.outcode().text()), "at SW1A");
/// ```
pub fn replace<R: AsRef<str>>(text: &str, with: impl FnMut(&Found) -> R) -> Cow<'_, str> {
    splice(text, find(text), |found| found.range.clone(), with)
}

/// Finds other codes as well as whole postcodes.
///
/// ```
/// use postcode_core::text::Finder;
///
/// let text = "SW1A, NW1 and E1 6, BFPO 57, FIQQ 1ZZ";
/// let found: Vec<_> = Finder::everything().find(text).map(|found| found.code.to_string()).collect();
/// assert_eq!(found, ["SW1A", "NW1", "E1 6", "BFPO 57", "FIQQ 1ZZ"]);
/// assert_eq!(Finder::new().find(text).count(), 0);
/// assert_eq!(Finder::new().outcodes(true).replace(text, |_| "…"), "…, … and … 6, BFPO 57, FIQQ 1ZZ");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finder {
    outcodes: bool,
    sectors: bool,
    bfpo: bool,
    territories: bool,
}

impl Finder {
    /// Creates a finder for whole postcodes only.
    ///
    /// ```
    /// use postcode_core::text::Finder;
    ///
    /// let found = Finder::new().find("SW1A 1AA, near M1").count();
    /// assert_eq!(found, 1);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a finder for postcodes, outcodes, sectors, BFPO numbers and the territories' codes.
    ///
    /// ```
    /// use postcode_core::text::Finder;
    ///
    /// assert_eq!(Finder::everything().find("SW1A 1AA or BFPO 57").count(), 2);
    /// ```
    pub fn everything() -> Self {
        Self { outcodes: true, sectors: true, bfpo: true, territories: true }
    }

    /// Also finds single outcodes, in capitals and of an area in use, because `a4` and `m25`
    /// usually mean other things.
    ///
    /// ```
    /// use postcode_core::text::Finder;
    ///
    /// assert_eq!(Finder::new().outcodes(true).find("in SW1A and EH1").count(), 2);
    /// ```
    #[must_use]
    pub fn outcodes(self, outcodes: bool) -> Self {
        Self { outcodes, ..self }
    }

    /// Also finds single sectors, under the conditions of [`outcodes`](Self::outcodes).
    ///
    /// ```
    /// use postcode_core::text::Finder;
    ///
    /// assert_eq!(Finder::new().sectors(true).find("in SW1A 1").count(), 1);
    /// ```
    #[must_use]
    pub fn sectors(self, sectors: bool) -> Self {
        Self { sectors, ..self }
    }

    /// Also finds British Forces Post Office numbers.
    ///
    /// ```
    /// use postcode_core::text::Finder;
    ///
    /// assert_eq!(Finder::new().bfpo(true).find("BFPO 801").count(), 1);
    /// ```
    #[must_use]
    pub fn bfpo(self, bfpo: bool) -> Self {
        Self { bfpo, ..self }
    }

    /// Also finds the overseas territories' codes; Bermuda's only in capitals. `GX11 1AA` is then
    /// Gibraltar's code and not a postcode.
    ///
    /// ```
    /// use postcode_core::text::Finder;
    ///
    /// assert_eq!(Finder::new().territories(true).find("Stanley FIQQ 1ZZ").count(), 1);
    /// ```
    #[must_use]
    pub fn territories(self, territories: bool) -> Self {
        Self { territories, ..self }
    }

    /// Iterates over the codes in a text, from left to right.
    ///
    /// ```
    /// use postcode_core::text::Finder;
    ///
    /// let codes = Finder::new().outcodes(true).find("SW1A and SW1A 1AA");
    /// assert_eq!(codes.map(|found| found.code.to_string()).collect::<Vec<_>>(), ["SW1A", "SW1A 1AA"]);
    /// ```
    pub fn find(self, text: &str) -> Codes<'_> {
        let mut words = Words::new(text);
        let word = words.next().map(|(_, word)| word);
        Codes { finder: self, words, word, in_unit: false }
    }

    /// Replaces each code in a text. Borrows a text without codes.
    ///
    /// ```
    /// use postcode_core::text::Finder;
    ///
    /// let hidden = Finder::everything().replace("from BFPO 57 to SW1A 1AA", |_| "…");
    /// assert_eq!(hidden, "from … to …");
    /// ```
    pub fn replace<R: AsRef<str>>(self, text: &str, with: impl FnMut(&FoundCode) -> R) -> Cow<'_, str> {
        splice(text, self.find(text), |found| found.range.clone(), with)
    }

    /// Returns the code that two neighbouring words form.
    fn pair(self, first: &Word, gap: Gap, second: &Word) -> Option<PostalCode> {
        let (a, b) = (first.bytes(), second.bytes());
        match gap {
            Gap::Space => {
                let incode = <[u8; 3]>::try_from(b).ok();
                if let Some(postcode) = incode.and_then(|incode| grammar::halves(a, incode)) {
                    return Some(self.as_kind(postcode));
                }
                if self.bfpo && a == b"BFPO" {
                    return Bfpo::of_digits(b).map(PostalCode::Bfpo);
                }
                let capitals = first.capitals && second.capitals;
                if let ([digit], true, true) = (b, self.sectors, capitals && is_district(a)) {
                    return grammar::of_parts(a, *digit).map(PostalCode::Sector);
                }
                // Only Bermuda's codes have two characters before the space.
                if self.territories && (capitals || a.len() > 2) { joined(a, b) } else { None }
            }
            Gap::Hyphen if self.territories => joined(a, b),
            _ => None,
        }
    }

    /// Returns whether the second of two words is an ordinal number, as in `Flat B1 2nd Floor`, and
    /// not half of a postcode. `in_unit` says that the word before the first is one such as `flat`.
    fn is_ordinal(in_unit: bool, first: &Word, second: &Word, rest: &Words<'_>) -> bool {
        if !matches!(second.bytes(), b"1ST" | b"2ND" | b"3RD" | [b'0'..=b'9', b'T', b'H']) {
            return false;
        }
        let counted = |word: &Word| {
            matches!(
                word.bytes(),
                b"FLOOR" | b"FLR" | b"FL" | b"LEVEL" | b"STOREY" | b"FLAT" | b"AVENUE" | b"STREET"
            )
        };
        // In a text in one case only the words around tell.
        let same_case = second.capitals || first.lower && second.lower;
        !same_case
            || in_unit
            || rest.clone().next().is_some_and(|(gap, word)| gap != Gap::Other && counted(&word))
    }

    /// Returns whether the number of a part of a building follows a word.
    fn is_unit(word: &Word) -> bool {
        matches!(word.bytes(), b"FLAT" | b"UNIT" | b"SUITE" | b"BLOCK" | b"APT" | b"ROOM" | b"STUDIO")
    }

    /// Returns the code that a single word forms.
    fn single(self, word: &Word) -> Option<PostalCode> {
        let bytes = word.bytes();
        let halves = bytes.split_last_chunk::<3>();
        if let Some(postcode) = halves.and_then(|(a, b)| grammar::halves(a, *b)) {
            return Some(self.as_kind(postcode));
        }
        if self.outcodes && word.capitals && is_district(bytes) {
            return Outcode::from_bytes(bytes).map(PostalCode::Outcode);
        }
        if let (true, Some(digits)) = (self.bfpo, bytes.strip_prefix(b"BFPO")) {
            return Bfpo::of_digits(digits).map(PostalCode::Bfpo);
        }
        if self.territories { TerritoryCode::of(bytes, None).map(PostalCode::Territory) } else { None }
    }

    fn as_kind(self, postcode: Postcode) -> PostalCode {
        if self.territories { postcode.into() } else { PostalCode::Postcode(postcode) }
    }
}

/// Returns whether these are an outcode of an area in use. `NPT` and `GIR` are too similar to other
/// abbreviations to stand alone.
fn is_district(bytes: &[u8]) -> bool {
    grammar::rules_hold(bytes)
        && bytes.iter().any(u8::is_ascii_digit)
        && Outcode::from_bytes(bytes).and_then(Outcode::postcode_area).is_some()
}

/// Returns a territory's code from two halves.
fn joined(a: &[u8], b: &[u8]) -> Option<PostalCode> {
    let mut both = [0; 8];
    let both = both.get_mut(..a.len() + b.len())?;
    both[..a.len()].copy_from_slice(a);
    both[a.len()..].copy_from_slice(b);
    TerritoryCode::of(both, Some(a.len())).map(PostalCode::Territory)
}

/// The codes in a text, returned by [`Finder::find`].
///
/// ```
/// use postcode_core::text::{Codes, Finder};
///
/// let codes: Codes<'_> = Finder::everything().find("NW1 and FIQQ 1ZZ");
/// assert_eq!(codes.count(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct Codes<'t> {
    finder: Finder,
    words: Words<'t>,
    /// The next word.
    word: Option<Word>,
    /// Whether it follows a word such as `flat`.
    in_unit: bool,
}

impl Iterator for Codes<'_> {
    type Item = FoundCode;

    fn next(&mut self) -> Option<FoundCode> {
        loop {
            let word = self.word.take()?;
            let next = self.words.next();
            if let Some((gap, second)) = &next
                && !Finder::is_ordinal(self.in_unit, &word, second, &self.words)
                && let Some(code) = self.finder.pair(&word, *gap, second)
            {
                let range = word.start..second.end;
                self.word = self.words.next().map(|(_, word)| word);
                self.in_unit = false;
                return Some(FoundCode { range, code });
            }
            self.in_unit = next.as_ref().is_some_and(|(gap, _)| *gap == Gap::Space) && Finder::is_unit(&word);
            self.word = next.map(|(_, word)| word);
            if let Some(code) = self.finder.single(&word) {
                return Some(FoundCode { range: word.start..word.end, code });
            }
        }
    }
}

impl FusedIterator for Codes<'_> {}

/// The postcodes in a text, returned by [`find`].
///
/// ```
/// use postcode_core::text::{self, Postcodes};
///
/// let postcodes: Postcodes<'_> = text::find("SW1A 1AA or M1 1AE");
/// assert_eq!(postcodes.count(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct Postcodes<'t>(Codes<'t>);

impl Iterator for Postcodes<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        self.0.find_map(|FoundCode { range, code }| Some(Found { range, postcode: code.postcode()? }))
    }
}

impl FusedIterator for Postcodes<'_> {}

fn splice<T, R: AsRef<str>>(
    text: &str,
    found: impl Iterator<Item = T>,
    range: impl Fn(&T) -> Range<usize>,
    mut with: impl FnMut(&T) -> R,
) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    for found in found {
        let range = range(&found);
        out.push_str(&text[done..range.start]);
        out.push_str(with(&found).as_ref());
        done = range.end;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}
