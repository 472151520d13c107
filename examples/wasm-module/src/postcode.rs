//! Answers about postcodes, in the shape that JavaScript sees.

use postcode_core::text::Finder;
use postcode_core::{ParseError, ParseReason, PostalCode, Postcode};
use serde::Serialize;

use crate::position::Positions;

/// Whether a text is a postcode: its parts, or what is wrong.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Check {
    /// It is one.
    Valid(Box<Valid>),
    /// It is not.
    Invalid(Invalid),
}

/// A postcode and its parts.
#[derive(Debug, Serialize)]
pub struct Valid {
    valid: bool,
    postcode: String,
    outcode: String,
    incode: String,
    sector: String,
    unit: String,
    area: String,
    /// `null` if no area in use has these letters.
    area_name: Option<&'static str>,
    district: String,
    sub_district: Option<String>,
}

/// The reason why a text is not a postcode.
#[derive(Debug, Serialize)]
pub struct Invalid {
    valid: bool,
    reason: &'static str,
    message: String,
    /// In UTF-16 code units.
    at: usize,
    found: Option<char>,
    suggestion: Option<String>,
    /// The code that the text is instead.
    other: Option<Code>,
}

impl Check {
    /// Checks a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match text.parse::<Postcode>() {
            Ok(postcode) => Self::Valid(Box::new(Valid::of(postcode))),
            Err(error) => Self::Invalid(Invalid::of(text, &error)),
        }
    }
}

impl Valid {
    fn of(postcode: Postcode) -> Self {
        Self {
            valid: true,
            postcode: postcode.to_string(),
            outcode: postcode.outcode().to_string(),
            incode: postcode.incode().to_string(),
            sector: postcode.sector().to_string(),
            unit: postcode.unit().to_string(),
            area: postcode.area().to_string(),
            area_name: postcode.outcode().postcode_area().map(|area| area.name()),
            district: postcode.district().to_string(),
            sub_district: postcode.sub_district().map(|text| text.to_string()),
        }
    }
}

impl Invalid {
    fn of(text: &str, error: &ParseError) -> Self {
        Self {
            valid: false,
            reason: reason(error.reason()),
            message: error.to_string(),
            at: Positions::new(text).at(error.at()),
            found: error.found(),
            suggestion: error.suggestion().map(|text| text.to_string()),
            other: match error.reason() {
                ParseReason::OtherKind(code) => Some(Code::from(code)),
                _ => None,
            },
        }
    }
}

/// Returns the stable name of a reason.
fn reason(reason: ParseReason) -> &'static str {
    match reason {
        ParseReason::Empty => "empty",
        ParseReason::TooShort { .. } => "too_short",
        ParseReason::LastLetterMissing => "last_letter_missing",
        ParseReason::TooLong => "too_long",
        ParseReason::Character => "character",
        ParseReason::DigitExpected => "digit_expected",
        ParseReason::LetterExpected => "letter_expected",
        ParseReason::UnusedLetter { .. } => "unused_letter",
        ParseReason::OtherKind(_) => "other_kind",
        _ => "unrecognised",
    }
}

/// A postcode that was read from a text with confused characters.
#[derive(Debug, Serialize)]
pub struct Repair {
    postcode: String,
    changes: Vec<Change>,
}

/// A character that was read as another one.
#[derive(Debug, Serialize)]
pub struct Change {
    /// In UTF-16 code units.
    at: usize,
    from: char,
    to: char,
}

impl Repair {
    /// Repairs a text, if only one reading makes sense.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let repaired = Postcode::repair(text).ok()?;
        let mut positions = Positions::new(text);
        let changes = repaired.changes().iter();
        Some(Self {
            postcode: repaired.value.to_string(),
            changes: changes
                .map(|change| Change { at: positions.at(change.at), from: change.from, to: change.to })
                .collect(),
        })
    }
}

/// A postal code of any kind.
#[derive(Debug, Serialize)]
pub struct Code {
    kind: &'static str,
    code: String,
    /// The overseas territory or Crown dependency that it belongs to.
    territory: Option<&'static str>,
}

impl Code {
    /// Reads a text as whatever code it is.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        text.parse::<PostalCode>().ok().map(Self::from)
    }
}

impl From<PostalCode> for Code {
    fn from(code: PostalCode) -> Self {
        Self {
            kind: code.kind_name(),
            code: code.text().to_string(),
            territory: code.territory().map(|territory| territory.name()),
        }
    }
}

/// A code in a text.
#[derive(Debug, Serialize)]
pub struct Found {
    /// In UTF-16 code units.
    start: usize,
    /// In UTF-16 code units.
    end: usize,
    #[serde(flatten)]
    code: Code,
}

impl Found {
    /// Finds the postcodes in a text, or the codes of every kind.
    #[must_use]
    pub fn all(text: &str, everything: bool) -> Vec<Self> {
        let finder = if everything { Finder::everything() } else { Finder::new() };
        let mut positions = Positions::new(text);
        finder
            .find(text)
            .map(|found| Self {
                start: positions.at(found.range.start),
                end: positions.at(found.range.end),
                code: found.code.into(),
            })
            .collect()
    }
}
