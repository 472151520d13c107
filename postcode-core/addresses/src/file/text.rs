//! Texts of addresses as a template and a number, and the dictionaries of templates.
//!
//! `Flat 12` and `Flat 13` share the template `Flat #`. In the file the number's place is a zero byte.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use postcode_core::dataset::container::{Container, Extent, Table, TableColumn, TableWriter};
use postcode_core::{Error, Result};
use xxhash_rust::xxh3::xxh3_64;

use super::layout::{DICTIONARIES, TEXT_OFFSETS, TEXTS};

/// Stands in a template for the number.
const PLACE: char = '\0';
/// The longest text in bytes. Royal Mail's longest element has 80 characters.
pub(super) const MAX_TEXT: usize = 1024;
/// A longer number stays in the template.
const MAX_DIGITS: usize = 9;

/// A text: the number of its template plus 1, or 0 for the empty text; and the number in it, or 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) template: u32,
    pub(super) number: u32,
}

impl Text {
    pub(super) const EMPTY: Self = Self { template: 0, number: 0 };
}

/// Splits a text at its last number. `template` receives the rest, with a zero byte in the place of the number.
pub(super) fn split(text: &str, template: &mut String) -> Option<u32> {
    template.clear();
    let bytes = text.as_bytes();
    let last = bytes.iter().rposition(u8::is_ascii_digit);
    let range = last.map(|last| {
        let first = bytes[..last].iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
        first..last + 1
    });
    let plain = |digits: &str| digits.len() <= MAX_DIGITS && (digits.len() == 1 || !digits.starts_with('0'));
    // Digits are ASCII, so that the range lies on the borders of characters.
    let split = range.filter(|range| text.get(range.clone()).is_some_and(plain));
    let Some(range) = split else {
        template.push_str(text);
        return None;
    };
    let number = text[range.clone()].parse().ok();
    template.push_str(&text[..range.start]);
    template.push(PLACE);
    template.push_str(&text[range.end..]);
    number
}

/// A template, cut where its number stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Template<'a> {
    before: &'a str,
    /// `None` if it has no number.
    after: Option<&'a str>,
}

impl<'a> Template<'a> {
    pub(super) const EMPTY: Self = Self { before: "", after: None };

    fn of(text: &'a str) -> Self {
        match text.split_once(PLACE) {
            Some((before, after)) => Self { before, after: Some(after) },
            None => Self { before: text, after: None },
        }
    }

    pub(super) fn has_number(&self) -> bool {
        self.after.is_some()
    }

    /// Puts the text in the place of another one.
    #[inline]
    pub(super) fn fill(&self, number: u32, out: &mut String) {
        out.clear();
        let Some(after) = self.after else {
            out.push_str(self.before);
            return;
        };
        let mut digits = [0; MAX_DIGITS + 1];
        let mut at = digits.len();
        let mut rest = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        // Once for all three, so that the text grows once.
        out.reserve(self.before.len() + digits.len() + after.len());
        out.push_str(self.before);
        digits[at..].iter().for_each(|digit| out.push(char::from(*digit)));
        out.push_str(after);
    }
}

/// A dictionary in a file.
#[derive(Debug)]
pub(super) struct Dictionary {
    offsets: Table,
    column: TableColumn,
    texts: postcode_core::dataset::container::Entry,
}

impl Dictionary {
    pub(super) fn read(file: &Container, number: u32) -> Result<Self> {
        let offsets = file.table(TEXT_OFFSETS + number)?;
        Ok(Self { column: offsets.column(0), offsets, texts: file.require(TEXTS + number)? })
    }

    /// How many templates there are.
    pub(super) fn len(&self) -> u32 {
        self.offsets.rows().saturating_sub(1)
    }

    /// Returns a template by its number plus 1. 0 is the empty text.
    #[inline]
    pub(super) fn get<'a>(&self, file: &'a Container, template: u32) -> Option<Template<'a>> {
        let Some(row) = template.checked_sub(1) else { return Some(Template::EMPTY) };
        let at = |row| self.offsets.get(file, row, self.column).and_then(|at| usize::try_from(at).ok());
        let bytes = file.of(self.texts).get(at(row)?..at(row.checked_add(1)?)?)?;
        std::str::from_utf8(bytes).ok().map(Template::of)
    }

    /// Checks that every template is valid.
    pub(super) fn verify(&self, file: &Container, number: usize) -> Result<()> {
        let name = DICTIONARIES.get(number).copied().unwrap_or_default();
        let wrong = |row: u32| file.damaged(name, self.texts.start, format_args!("text {row} is not valid"));
        for row in 1..=self.len() {
            self.get(file, row).ok_or_else(|| wrong(row))?;
        }
        let end = self.offsets.get(file, self.len(), self.column);
        let begin = self.offsets.get(file, 0, self.column);
        if begin != Some(0) || end != Some(self.texts.len as u64) {
            return Err(file.damaged(name, self.texts.start, "the offsets do not fit the texts"));
        }
        Ok(())
    }
}

/// Passes a hash on.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Numbers texts by first use.
#[derive(Default)]
pub(super) struct DictionaryWriter {
    texts: Vec<u8>,
    /// Where each text begins.
    offsets: Vec<u64>,
    by_hash: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    /// Texts whose hash another text has as well.
    others: HashMap<String, u32>,
}

impl DictionaryWriter {
    /// Returns the number of a text plus 1.
    pub(super) fn number(&mut self, text: &str) -> Result<u32> {
        if text.is_empty() {
            return Ok(0);
        }
        let hash = xxh3_64(text.as_bytes());
        if let Some(&number) = self.by_hash.get(&hash) {
            if self.text(number) == text.as_bytes() {
                return Ok(number);
            }
            if let Some(&number) = self.others.get(text) {
                return Ok(number);
            }
        }
        let number = u32::try_from(self.offsets.len() + 1)
            .map_err(|_| Error::invalid("more than 4 billion different texts in one file of addresses"))?;
        self.offsets.push(self.texts.len() as u64);
        self.texts.extend_from_slice(text.as_bytes());
        match self.by_hash.entry(hash) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(number);
            }
            std::collections::hash_map::Entry::Occupied(_) => {
                self.others.insert(text.to_owned(), number);
            }
        }
        Ok(number)
    }

    fn text(&self, number: u32) -> &[u8] {
        let row = number as usize - 1;
        let end = self.offsets.get(row + 1).map_or(self.texts.len(), |end| *end as usize);
        self.offsets.get(row).and_then(|start| self.texts.get(*start as usize..end)).unwrap_or_default()
    }

    /// Returns the two sections: offsets and texts.
    pub(super) fn finish(self) -> (Vec<u8>, Vec<u8>) {
        let mut offsets = Vec::new();
        let mut extent = Extent::NONE;
        let all = || self.offsets.iter().copied().chain([self.texts.len() as u64]).map(|at| Some(at as i64));
        all().for_each(|at| extent.see(at));
        let mut table = TableWriter::new(&mut offsets, self.offsets.len() + 1, &[(0, extent)]);
        all().for_each(|at| table.push(at));
        table.finish();
        (offsets, self.texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_split_at_its_last_number() {
        for (text, template, number) in [
            ("Flat 12", "Flat \0", Some(12)),
            ("Flat 2/1", "Flat 2/\0", Some(1)),
            ("29A", "\0A", Some(29)),
            ("007", "007", None),
            ("0", "\0", Some(0)),
            ("Unit 1234567890", "Unit 1234567890", None),
            ("Tŷ 3 Ü", "Tŷ \0 Ü", Some(3)),
            ("", "", None),
        ] {
            let mut rest = String::new();
            assert_eq!(split(text, &mut rest), number, "{text}");
            assert_eq!(rest, template);
            let mut back = "x".to_owned();
            Template::of(&rest).fill(number.unwrap_or_default(), &mut back);
            assert_eq!(back, text);
        }
    }

    #[test]
    fn dictionary_numbers_texts_by_first_use() {
        let mut dictionary = DictionaryWriter::default();
        let numbers = ["b", "a", "", "b"].map(|text| dictionary.number(text).unwrap());
        assert_eq!(numbers, [1, 2, 0, 1]);
    }
}
