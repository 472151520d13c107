//! Reduces a typed text to its letters and digits, and keeps the position of each.

use super::error::Wanted;
use super::{ParseError, ParseReason};

/// The longest code has eight letters and digits: `BFPO 1234`.
const MAX: usize = 8;

/// The letters and digits of a text in capitals, without spaces, surrounding punctuation and invisible characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typed {
    bytes: [u8; MAX],
    at: [usize; MAX],
    written: [char; MAX],
    len: usize,
    /// Bit i: there was a space or a separator before character i.
    gaps: u16,
    separator: Option<Separator>,
    /// The first punctuation inside the text that only a whole postcode may have.
    punctuation: Option<(usize, char)>,
    /// Where reading stopped before the end, after `len` characters.
    stop: Option<Stop>,
    /// The length of the text in bytes.
    pub(super) end: usize,
}

/// A character that can't continue a code of any kind.
#[derive(Clone, Copy, Debug)]
struct Stop {
    at: usize,
    written: char,
    reason: ParseReason,
}

/// A hyphen, full stop or underscore between two characters.
#[derive(Clone, Copy, Debug)]
struct Separator {
    before: usize,
    at: usize,
    written: char,
}

/// Returns the capital ASCII letter or digit that a character means: itself, or its full-width
/// form.
pub(super) fn fold(c: char) -> Option<u8> {
    let narrow = match c {
        '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => {
            (u32::from(c) - 0xff00 + 0x20) as u8
        }
        c if c.is_ascii_alphanumeric() => c as u8,
        _ => return None,
    };
    Some(narrow.to_ascii_uppercase())
}

/// Returns whether a character is a space of any kind, a line end, or the zero-width space, which
/// is not in Unicode's `White_Space` but separates words.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{200b}'
}

/// Returns whether a character has no width and is ignored in postcodes. Such characters are often
/// copied with text: soft hyphen, zero-width joiners, direction marks, word joiner, byte order mark.
///
/// ```
/// use postcode_core::text::is_invisible;
///
/// assert!(is_invisible('\u{ad}')); // a soft hyphen, as word processors have it
/// assert!(!is_invisible(' '));
/// ```
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Returns whether a character may separate outcode and incode, once: hyphens and dashes, full
/// stop, underscore.
fn is_separator(c: char) -> bool {
    matches!(
        c,
        '-' | '.' | '_' | '\u{2010}'
            ..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}' | '\u{ff0e}' | '\u{ff3f}'
    )
}

/// Returns whether a character may be anywhere inside a whole postcode, because people write it so:
/// separators, slashes, brackets, quotes and apostrophes. The marks of lists and sentences are not
/// among them.
fn is_inner(c: char) -> bool {
    is_separator(c)
        || matches!(c, '/' | '\\' | '(' | ')' | '[' | ']' | '"' | '\'' | '`' | '´' | '·' | '\u{2018}'..='\u{201f}'
            | '\u{2044}' | '\u{2215}' | '\u{ff02}' | '\u{ff07}'..='\u{ff09}' | '\u{ff0f}' | '\u{ff3b}' | '\u{ff3d}')
}

/// Returns whether a character may surround a postcode, in any number: quotes, brackets, commas and
/// other punctuation, bullets.
fn is_surrounding(c: char) -> bool {
    is_separator(c)
        || matches!(c, '"' | '\'' | '`' | '´' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ',' | ';' | ':'
            | '!' | '?' | '*' | '|' | '«' | '»' | '‹' | '›' | '•' | '·' | '…' | '\u{2018}'..='\u{201f}'
            | '\u{3001}' | '\u{3002}' | '\u{3008}'..='\u{3011}' | '\u{ff01}' | '\u{ff02}' | '\u{ff07}'..='\u{ff09}'
            | '\u{ff0c}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ff1f}' | '\u{ff3b}' | '\u{ff3d}')
}

impl Typed {
    /// Reads a text. Stops at the first character that can't belong to a code of any kind.
    pub(super) fn read(s: &str) -> Self {
        let mut typed = Self {
            bytes: [0; MAX],
            at: [0; MAX],
            written: ['\0'; MAX],
            len: 0,
            gaps: 0,
            separator: None,
            punctuation: None,
            stop: None,
            end: s.len(),
        };
        let mut gap = false;
        // Punctuation since the last letter or digit: the first mark, whether there are more, and
        // the first that can't be inside a postcode.
        let mut marks: Option<(usize, char)> = None;
        let mut many = false;
        let mut foreign: Option<(usize, char)> = None;
        for (at, c) in s.char_indices() {
            let Some(byte) = fold(c) else {
                if is_surrounding(c) || is_inner(c) {
                    many |= marks.is_some();
                    marks = marks.or(Some((at, c)));
                    foreign = foreign.or((!is_inner(c)).then_some((at, c)));
                } else if is_space(c) {
                    gap = true;
                } else if !is_invisible(c) {
                    typed.stop = Some(Stop { at, written: c, reason: ParseReason::Character });
                    break;
                }
                continue;
            };
            let i = typed.len;
            if let (Some((at, written)), true) = (marks, i > 0) {
                if let Some((at, written)) = foreign {
                    typed.stop = Some(Stop { at, written, reason: ParseReason::Character });
                    break;
                }
                if many || !is_separator(written) || typed.separator.is_some() {
                    typed.punctuation = typed.punctuation.or(Some((at, written)));
                } else {
                    typed.separator = Some(Separator { before: i, at, written });
                }
                gap = true;
            }
            if i == MAX {
                typed.stop = Some(Stop { at, written: c, reason: ParseReason::TooLong });
                break;
            }
            typed.gaps |= u16::from(gap && i > 0) << i;
            (typed.bytes[i], typed.at[i], typed.written[i]) = (byte, at, c);
            typed.len += 1;
            (gap, marks, many, foreign) = (false, None, false, None);
        }
        typed
    }

    /// Returns whether the text has no letter or digit, and nothing that stopped the reading.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0 && self.stop.is_none()
    }

    /// Returns the letters and digits, if their number and their separators allow a code of this
    /// kind.
    pub(super) fn of(&self, wanted: Wanted) -> Result<&[u8], ParseError> {
        let most = wanted.lengths().1;
        if self.len > most {
            return Err(self.fault(most, ParseReason::TooLong, wanted));
        }
        match self.stop {
            Some(Stop { at, written, reason }) => {
                let position = (reason == ParseReason::TooLong).then_some(self.len as u8 + 1);
                Err(ParseError { at, found: Some(written), position, ..error(wanted, reason) })
            }
            None if self.len == 0 => Err(error(wanted, ParseReason::Empty)),
            None => Ok(self.bytes()),
        }
    }

    /// Returns all letters and digits, ignoring what follows them.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Returns the position and the original form of character `i`.
    pub(super) fn written(&self, i: usize) -> (usize, char) {
        (self.at[i], self.written[i])
    }

    /// Returns whether there was a space or a separator before character `i`.
    pub(super) fn has_gap_before(&self, i: usize) -> bool {
        self.gaps >> i & 1 == 1
    }

    /// Checks that punctuation, if there is any, is one separator between the two halves of the
    /// code.
    pub(super) fn separated_only_at(&self, i: Option<usize>, wanted: Wanted) -> Result<(), ParseError> {
        let separator = self.separator.filter(|s| i != Some(s.before)).map(|s| (s.at, s.written));
        // Name the first of the two.
        match separator.into_iter().chain(self.punctuation).min() {
            Some((at, written)) => {
                Err(ParseError { at, found: Some(written), ..error(wanted, ParseReason::Character) })
            }
            None => Ok(()),
        }
    }

    /// Returns whether there is more punctuation inside the text than one separator.
    pub(super) fn is_punctuated(&self) -> bool {
        self.punctuation.is_some()
    }

    /// Returns the error of a rule that character `i` breaks.
    pub(super) fn fault(&self, i: usize, reason: ParseReason, wanted: Wanted) -> ParseError {
        let (at, written) = self.written(i);
        ParseError { at, found: Some(written), position: Some(i as u8 + 1), ..error(wanted, reason) }
    }

    /// Returns the error of something missing at the end.
    pub(super) fn missing(&self, reason: ParseReason, wanted: Wanted) -> ParseError {
        ParseError { at: self.end, ..error(wanted, reason) }
    }
}

/// Returns an error about the text as a whole.
pub(super) fn error(wanted: Wanted, reason: ParseReason) -> ParseError {
    ParseError { wanted, reason, at: 0, found: None, position: None, suggestion: None }
}
