//! Why a text is not what it was taken for, and where.

use std::fmt;

use super::{PostalCode, Text};

/// Why a text is not a postcode (or outcode, or sector), and where.
///
/// It is `Copy` and holds no copy of the text: show the text beside it.
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

/// What is wrong with a text that is no postcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseReason {
    /// Nothing but spaces and punctuation.
    Empty,
    /// Fewer letters and digits than there must be, and not a partial or other code either.
    TooShort {
        /// How many there are.
        len: u8,
    },
    /// A postcode cut off before its last letter, such as `SW1A 1A`.
    LastLetterMissing,
    /// More letters and digits than there may be; the place is that of the first too many.
    TooLong,
    /// A character that is neither letter, digit, space nor fitting punctuation, or that stands in the wrong place.
    Character,
    /// There must be a digit.
    DigitExpected,
    /// There must be a letter.
    LetterExpected,
    /// A letter that Royal Mail never uses in this place.
    UnusedLetter {
        /// The letters that are used in this place.
        allowed: &'static str,
        /// Whether a digit could stand there too.
        or_digit: bool,
    },
    /// None of the codes that there are.
    Unrecognised,
    /// The text is right, as a code of another kind: a part of a postcode, a BFPO number, a territory's code, or
    /// a whole postcode where an outcode or sector was asked for.
    OtherKind(PostalCode),
}

/// What the text was to be.
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

    /// How many letters and digits it has at least and at most.
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
    /// What is wrong.
    pub fn reason(&self) -> ParseReason {
        self.reason
    }

    /// Where, as a byte offset into the text: the beginning of the character at fault, the end of the text where
    /// something is missing, 0 where it is the text as a whole.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The character at fault, as it was written. `None` where it is not a matter of one character.
    pub fn found(&self) -> Option<char> {
        self.found
    }

    /// Which letter or digit is at fault, from 1. Spaces and punctuation do not count.
    pub fn position(&self) -> Option<u8> {
        self.position
    }

    /// The postcode or outcode that [`repair`](crate::Postcode::repair) would make of the text, if there is one
    /// without doubt.
    pub fn suggestion(&self) -> Option<Text<8>> {
        self.suggestion
    }
}

struct Explained<'a>(&'a ParseError);

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseError { wanted, reason, at, .. } = *self.0;
        let name = wanted.name();
        let (least, most) = wanted.lengths();
        match (self.0.position, self.0.found) {
            (Some(position), Some(found)) => write!(f, "the {}, {found:?}, ", Ordinal(position))?,
            (None, Some(found)) => write!(f, "{found:?} at byte {at} ")?,
            _ => {}
        }
        match reason {
            ParseReason::Empty => write!(f, "there is no letter or digit in the text: give {name}"),
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
