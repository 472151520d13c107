//! The error of parsing: what is wrong with a text, and where.

use std::fmt;

use super::{PostalCode, Text};

/// The reason why a text is not a postcode (or outcode, or sector), and the position of the error.
///
/// It is `Copy` and does not contain the text: show the text next to it.
///
/// ```
/// use postcode_core::{ParseReason, Postcode};
///
/// let error = "SW1A OAA".parse::<Postcode>().unwrap_err();
/// assert_eq!(error.reason(), ParseReason::DigitExpected);
/// assert_eq!(error.at(), 5);
/// assert_eq!(error.found(), Some('O'));
/// assert_eq!(error.position(), Some(5));
/// assert_eq!(error.suggestion().as_deref(), Some("SW1A 0AA"));
/// assert_eq!(error.to_string(), "the 5th character, 'O', must be a digit; did you mean SW1A 0AA?");
///
/// let error = "SW1A".parse::<Postcode>().unwrap_err();
/// assert_eq!(error.to_string(), "SW1A is an outcode, not a whole postcode such as SW1A 1AA");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", Explained(self), Hint(self.suggestion))]
pub struct ParseError {
    pub(super) wanted: Wanted,
    pub(super) reason: ParseReason,
    pub(super) at: usize,
    pub(super) found: Option<char>,
    pub(super) position: Option<u8>,
    pub(super) suggestion: Option<Text<8>>,
}

/// The reason why a text is not a postcode.
///
/// ```
/// use postcode_core::{ParseReason, Postcode};
///
/// let reason = |text: &str| text.parse::<Postcode>().unwrap_err().reason();
/// assert_eq!(reason(""), ParseReason::Empty);
/// assert_eq!(reason("SW1A 1A"), ParseReason::LastLetterMissing);
/// assert!(matches!(reason("SW1A"), ParseReason::OtherKind(_))); // an outcode
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseReason {
    /// The text has only spaces and punctuation.
    Empty,
    /// The text has too few letters and digits, and is not a partial or other code either.
    TooShort {
        /// The number of letters and digits.
        len: u8,
    },
    /// A postcode is cut off before its last letter, such as `SW1A 1A`.
    LastLetterMissing,
    /// The text has too many letters and digits. The position is that of the first one too many.
    TooLong,
    /// A character is not a letter, digit, space or suitable punctuation, or is in the wrong place.
    Character,
    /// A digit is required here.
    DigitExpected,
    /// A letter is required here.
    LetterExpected,
    /// Royal Mail never uses this letter in this place.
    UnusedLetter {
        /// The letters that are used in this place.
        allowed: &'static str,
        /// Whether a digit would also be valid.
        or_digit: bool,
    },
    /// The text is not one of the existing codes.
    Unrecognised,
    /// The text is a valid code of another kind: a part of a postcode, a BFPO number, a territory's
    /// code, or a whole postcode instead of an outcode or sector.
    OtherKind(PostalCode),
}

/// The kind of code that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Postcode,
    Outcode,
    Sector,
    Area,
    Bfpo,
    Territory,
    Any,
}

impl Wanted {
    fn name(self) -> &'static str {
        match self {
            Self::Postcode => "a whole postcode such as SW1A 1AA",
            Self::Outcode => "an outcode such as SW1A",
            Self::Sector => "a sector such as SW1A 1",
            Self::Area => "a postcode area such as SW",
            Self::Bfpo => "a BFPO number such as BFPO 801",
            Self::Territory => "an overseas territory's code such as FIQQ 1ZZ",
            Self::Any => "a UK postal code such as SW1A 1AA",
        }
    }

    /// Returns the least and the most letters and digits.
    pub(super) fn lengths(self) -> (usize, usize) {
        match self {
            Self::Postcode => (5, 7),
            Self::Outcode => (2, 4),
            Self::Sector => (3, 5),
            Self::Area => (1, 2),
            Self::Bfpo => (5, 8),
            Self::Territory => (4, 7),
            Self::Any => (1, 8),
        }
    }
}

impl ParseError {
    /// Returns what is wrong.
    ///
    /// ```
    /// use postcode_core::{ParseReason, Postcode};
    ///
    /// let error = "SW1A 1A".parse::<Postcode>().unwrap_err();
    /// assert_eq!(error.reason(), ParseReason::LastLetterMissing);
    /// ```
    pub fn reason(&self) -> ParseReason {
        self.reason
    }

    /// Returns the position as a byte offset into the text: the start of the wrong character, the
    /// end of the text if something is missing, or 0 if the error is about the whole text.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let error = "SW1A 1A".parse::<Postcode>().unwrap_err();
    /// assert_eq!(error.at(), 7, "something is missing at the end");
    /// ```
    pub fn at(&self) -> usize {
        self.at
    }

    /// Returns the wrong character, as it was written, or `None` if the error is not about one
    /// character.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let error = "SW1A OAA".parse::<Postcode>().unwrap_err();
    /// assert_eq!(error.found(), Some('O')); // a letter in the place of a digit
    /// ```
    pub fn found(&self) -> Option<char> {
        self.found
    }

    /// Returns which letter or digit is wrong, counted from 1 without spaces and punctuation.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let error = "SW1A OAA".parse::<Postcode>().unwrap_err();
    /// assert_eq!(error.position(), Some(5)); // the letter O
    /// ```
    pub fn position(&self) -> Option<u8> {
        self.position
    }

    /// Returns the postcode or outcode that [`repair`](crate::Postcode::repair) would make of the
    /// text, if there is exactly one.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let error = "SWIA 1AA".parse::<Postcode>().unwrap_err();
    /// assert_eq!(error.suggestion().map(|text| text.to_string()).as_deref(), Some("SW1A 1AA"));
    /// ```
    pub fn suggestion(&self) -> Option<Text<8>> {
        self.suggestion
    }
}

struct Explained<'a>(&'a ParseError);

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseError { wanted, reason, .. } = *self.0;
        let name = wanted.name();
        let (least, most) = wanted.lengths();
        match (self.0.position, self.0.found) {
            (Some(position), Some(found)) => write!(f, "the {}, {found:?}, ", Ordinal(position))?,
            (None, Some(found)) => write!(f, "the character {found:?} ")?,
            _ => {}
        }
        match reason {
            ParseReason::Empty => write!(f, "there is nothing to read: give {name}"),
            ParseReason::TooShort { len } => {
                let s = if len == 1 { "" } else { "s" };
                write!(f, "too short: {len} character{s} where {name} has at least {least}")
            }
            ParseReason::LastLetterMissing => {
                f.write_str("too short: the last letter of the postcode is missing")
            }
            ParseReason::TooLong => write!(f, "is too many: {name} has at most {most}"),
            ParseReason::Character => write!(f, "does not belong there in {name}"),
            ParseReason::DigitExpected => f.write_str("must be a digit"),
            ParseReason::LetterExpected => f.write_str("must be a letter"),
            ParseReason::UnusedLetter { allowed, or_digit } => {
                let digit = if or_digit { "a digit or " } else { "" };
                write!(f, "is never used there: it must be {digit}one of {allowed}")
            }
            ParseReason::Unrecognised => write!(f, "the text is not {name}"),
            ParseReason::OtherKind(code) => write!(f, "{code} is {}, not {name}", code.kind()),
        }
    }
}

struct Ordinal(u8);

impl fmt::Display for Ordinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = match self.0 {
            1 => "st",
            2 => "nd",
            3 => "rd",
            _ => "th",
        };
        write!(f, "{}{suffix} character", self.0)
    }
}

struct Hint(Option<Text<8>>);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |suggestion| write!(f, "; did you mean {suggestion}?"))
    }
}
