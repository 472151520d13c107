//! Splits a text into words, each read once.

use super::super::typed::{fold, is_invisible, is_space};

/// The longest word that is a code or half of one.
const MAX: usize = 8;

/// A word of ASCII letters and digits (or their full-width forms), if it is short enough to be a code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
    bytes: [u8; MAX],
    len: usize,
    /// Whether it was written without lower-case letters.
    pub(super) capitals: bool,
    /// Whether it was written without capital letters.
    pub(super) lower: bool,
}

impl Word {
    /// Returns its characters in capitals, or nothing if it can't be a code.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// The separator between a word and the previous one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Any number of spaces of any kind, including line ends.
    Space,
    /// One hyphen.
    Hyphen,
    /// Anything else.
    Other,
}

/// Iterates over the words of a text, each with the gap before it.
#[derive(Clone, Debug)]
pub(super) struct Words<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Words<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Skips to the next word.
    fn gap(&mut self) -> Gap {
        let (mut spaces, mut hyphens, mut others) = (0_usize, 0_usize, 0_usize);
        let rest = &self.text[self.at..];
        let mut length = rest.len();
        for (i, c) in rest.char_indices() {
            if is_word(c) {
                length = i;
                break;
            }
            match c {
                '-' | '\u{2010}' | '\u{2011}' => hyphens += 1,
                c if is_space(c) => spaces += 1,
                c if is_invisible(c) => {}
                _ => others += 1,
            }
        }
        self.at += length;
        match (spaces, hyphens, others) {
            (1.., 0, 0) => Gap::Space,
            (0, 1, 0) => Gap::Hyphen,
            _ => Gap::Other,
        }
    }
}

impl Iterator for Words<'_> {
    type Item = (Gap, Word);

    fn next(&mut self) -> Option<(Gap, Word)> {
        let gap = self.gap();
        if self.at == self.text.len() {
            return None;
        }
        let start = self.at;
        let mut word = Word { start, end: start, bytes: [0; MAX], len: 0, capitals: true, lower: true };
        for (i, c) in self.text[start..].char_indices() {
            if is_word(c) {
                // Past MAX only the fact that it is too long matters.
                match (fold(c), word.bytes.get_mut(word.len)) {
                    (Some(byte), Some(to)) => {
                        *to = byte;
                        word.len += 1;
                    }
                    _ => word.len = MAX + 1,
                }
                word.capitals &= !c.is_lowercase();
                word.lower &= !c.is_uppercase();
                word.end = start + i + c.len_utf8();
            } else if !is_invisible(c) {
                break;
            }
        }
        self.at = word.end;
        Some((gap, word))
    }
}

/// Returns whether a character belongs to a word, by Unicode's word boundaries (UAX #29). The dot
/// and the apostrophe are always boundaries: `London.SW1A 1AA` and `SW1A 1AA's` contain a postcode.
fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    match c {
        // Combining marks.
        '\u{300}'..='\u{36f}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' => true,
        // Kana and ideographs (each a separate word), and scripts written without spaces.
        '\u{3040}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}'
        | '\u{20000}'..='\u{3ffff}'
        | '\u{e00}'..='\u{eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}' => false,
        // Superscripts (footnotes), fractions, number forms, circled numbers.
        '\u{b2}'
        | '\u{b3}'
        | '\u{b9}'
        | '\u{bc}'..='\u{be}'
        | '\u{2070}'..='\u{209c}'
        | '\u{2150}'..='\u{218b}'
        | '\u{2460}'..='\u{24ff}'
        | '\u{2776}'..='\u{2793}'
        | '\u{3007}'
        | '\u{3021}'..='\u{3029}' => false,
        c => c.is_alphanumeric(),
    }
}
