//! Finds postcodes with confused characters in running text.

use std::iter::FusedIterator;
use std::ops::Range;

use super::super::Postcode;
use super::found::Found;
use super::words::{Gap, Word, Words};

/// Iterates over the words of a text that [`Postcode::repair`] makes a postcode of, from left to right.
///
/// Words without any digit are left alone, because `SLOGAN` would be `S10 6AN`. Postcodes that need no repair are not among
/// them: [`find`](super::find) finds those.
///
/// ```
/// let found: Vec<_> = postcode_core::text::repairs("10 Downing St, SW1A OAA London").collect();
/// assert_eq!(found.len(), 1);
/// assert_eq!(found[0].postcode.to_string(), "SW1A 0AA");
/// ```
pub fn repairs(text: &str) -> Repairs<'_> {
    let mut words = Words::new(text);
    let word = words.next().map(|(_, word)| word);
    Repairs { text, words, word }
}

/// The postcodes with confused characters in a text, returned by [`repairs`].
///
/// ```
/// use postcode_core::text::{self, Repairs};
///
/// let found: Repairs<'_> = text::repairs("SW1A OAA or MI 1AE");
/// assert_eq!(found.count(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct Repairs<'t> {
    text: &'t str,
    words: Words<'t>,
    /// The next word.
    word: Option<Word>,
}

impl Repairs<'_> {
    fn repaired(&self, range: Range<usize>) -> Option<Found> {
        let repaired = Postcode::repair(self.text.get(range.clone())?).ok()?;
        repaired.is_changed().then_some(Found { range, postcode: repaired.value })
    }
}

impl Iterator for Repairs<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let has_digit = |bytes: &[u8]| bytes.iter().any(u8::is_ascii_digit);
        loop {
            let word = self.word.take()?;
            let next = self.words.next();
            let (first, second) =
                (word.bytes(), next.as_ref().map_or(&b""[..], |(_, second)| second.bytes()));
            if let Some((Gap::Space, after)) = &next
                && (2..=4).contains(&first.len())
                && second.len() == 3
                && (has_digit(first) || has_digit(second))
                && let Some(found) = self.repaired(word.start..after.end)
            {
                self.word = self.words.next().map(|(_, word)| word);
                return Some(found);
            }
            let whole = (5..=7).contains(&first.len()) && has_digit(first);
            let found = if whole { self.repaired(word.start..word.end) } else { None };
            self.word = next.map(|(_, word)| word);
            if found.is_some() {
                return found;
            }
        }
    }
}

impl FusedIterator for Repairs<'_> {}

#[cfg(test)]
mod tests {
    use super::repairs;

    fn found(text: &str) -> Vec<String> {
        repairs(text).map(|found| format!("{}={}", &text[found.range], found.postcode)).collect()
    }

    #[test]
    fn postcode_with_a_confused_character_is_found_in_a_text() {
        for (text, expected) in [
            ("10 Downing St, SW1A OAA London", &["SW1A OAA=SW1A 0AA"][..]),
            ("sw1aoaa", &["sw1aoaa=SW1A 0AA"]),
            ("SW1A OAA or MI 1AE", &["SW1A OAA=SW1A 0AA", "MI 1AE=M1 1AE"]),
            ("at SWIA 0AA.", &["SWIA 0AA=SW1A 0AA"]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn words_that_are_not_meant_as_postcodes_are_left_alone() {
        for text in [
            "",
            "SLOGAN",
            "SWIA OAA",
            "SW1A 1AA",
            "SW1A, OAA",
            "Flat 10 London",
            "0113 496 0000",
            "XSW1A OAAX",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
