//! Parses values, and finds the best explanation if a text is invalid: another kind of code, or
//! what was probably meant.

use super::error::Wanted;
use super::repair::{self, Repaired};
use super::typed::{Typed, error};
use super::{
    Bfpo, Outcode, ParseError, ParseReason, PostalCode, Postcode, PostcodeArea, Sector, TerritoryCode, Text,
    grammar, usual,
};

pub(super) fn postcode(s: &str) -> Result<Postcode, ParseError> {
    match usual::parse(s.as_bytes()) {
        Some(postcode) => Ok(postcode),
        None => typed_postcode(s),
    }
}

#[cold]
fn typed_postcode(s: &str) -> Result<Postcode, ParseError> {
    let typed = Typed::read(s);
    grammar::postcode(&typed).map_err(|plain| explain(&typed, plain))
}

/// Replaces an error with a better explanation, if the text is another kind of code, or a postcode
/// with confused characters or without its last letter.
fn explain(typed: &Typed, plain: ParseError) -> ParseError {
    if plain.reason == ParseReason::Empty {
        return plain;
    }
    if let Some(code) = grammar::other(typed) {
        return error(Wanted::Postcode, ParseReason::OtherKind(code));
    }
    let Ok(bytes) = typed.of(Wanted::Postcode) else { return plain };
    if let Some(repaired) = repair::postcode(typed) {
        return ParseError { suggestion: Some(repaired.value.spaced()), ..plain };
    }
    match bytes {
        [outcode @ .., digit @ b'0'..=b'9', letter] if outcode.len() >= 2 => {
            match grammar::assemble(outcode, [*digit, *letter, b'A']) {
                Ok(_) => typed.missing(ParseReason::LastLetterMissing, Wanted::Postcode),
                Err(_) => plain,
            }
        }
        _ => plain,
    }
}

pub(super) fn outcode(s: &str) -> Result<Outcode, ParseError> {
    let typed = Typed::read(s);
    grammar::outcode(&typed).map_err(|plain| {
        if plain.reason == ParseReason::Empty {
            return plain;
        }
        if let Some(code) = grammar::any(&typed) {
            return error(Wanted::Outcode, ParseReason::OtherKind(code));
        }
        let suggestion = repair::outcode(&typed).map(|repaired| {
            let mut text = Text::new();
            text.push(repaired.value.text().as_bytes());
            text
        });
        ParseError { suggestion, ..plain }
    })
}

pub(super) fn sector(s: &str) -> Result<Sector, ParseError> {
    let typed = Typed::read(s);
    grammar::sector(&typed).map_err(|plain| match grammar::any(&typed) {
        Some(code) => error(Wanted::Sector, ParseReason::OtherKind(code)),
        None => plain,
    })
}

pub(super) fn area(s: &str) -> Result<PostcodeArea, ParseError> {
    let typed = Typed::read(s);
    grammar::area(&typed).ok_or_else(|| not_wanted(&typed, Wanted::Area))
}

pub(super) fn bfpo(s: &str) -> Result<Bfpo, ParseError> {
    let typed = Typed::read(s);
    grammar::bfpo(&typed).ok_or_else(|| not_wanted(&typed, Wanted::Bfpo))
}

pub(super) fn territory(s: &str) -> Result<TerritoryCode, ParseError> {
    let typed = Typed::read(s);
    let code =
        grammar::territory(&typed).or_else(|| TerritoryCode::of_postcode(grammar::postcode(&typed).ok()?));
    code.ok_or_else(|| not_wanted(&typed, Wanted::Territory))
}

/// Parses a code of any kind.
pub(super) fn postal_code(s: &str) -> Result<PostalCode, ParseError> {
    if let Some(postcode) = usual::parse(s.as_bytes()) {
        return Ok(postcode.into());
    }
    let typed = Typed::read(s);
    grammar::any(&typed).ok_or_else(|| nothing(&typed))
}

/// Returns the error of a text that is not a code of any kind: that of a whole postcode, if the
/// text is similar to one.
fn nothing(typed: &Typed) -> ParseError {
    let unrecognised = error(Wanted::Any, ParseReason::Unrecognised);
    match grammar::postcode(typed) {
        Err(plain) => match explain(typed, plain) {
            e @ ParseError { reason: ParseReason::TooShort { .. } | ParseReason::TooLong, .. } => {
                ParseError { at: e.at, ..unrecognised }
            }
            e => ParseError { wanted: Wanted::Any, ..e },
        },
        Ok(_) => unrecognised,
    }
}

/// Returns the error of a text that is not the expected kind of code, and says what it is instead.
fn not_wanted(typed: &Typed, wanted: Wanted) -> ParseError {
    match grammar::any(typed) {
        Some(code) => error(wanted, ParseReason::OtherKind(code)),
        None if typed.is_empty() => error(wanted, ParseReason::Empty),
        None => error(wanted, ParseReason::Unrecognised),
    }
}

impl Postcode {
    /// Parses a text. If it is not a postcode, also reads characters that are easily confused: O, Q
    /// and D as 0, I and L as 1, Z as 2, S as 5, G as 6, B as 8, and I as L if only L is used.
    ///
    /// A text that is a postcode is never changed, so `SO1 0AA` stays. The area must be in use, so
    /// `K1A 0B1` is not repaired. If there are several readings, those are preferred whose district
    /// has no leading 0, then the one with the fewest changes. If two remain, or the text has digits
    /// only, it is not repaired.
    ///
    /// # Errors
    /// The error of parsing, if there is no such reading or more than one.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let repaired = Postcode::repair("SWIA OAA")?;
    /// assert_eq!(repaired.value.to_string(), "SW1A 0AA");
    /// let changes: Vec<_> = repaired.changes().iter().map(|c| (c.at, c.from, c.to)).collect();
    /// assert_eq!(changes, [(2, 'I', '1'), (5, 'O', '0')]);
    ///
    /// assert!(!Postcode::repair("SW1A 0AA")?.is_changed());
    /// assert!(Postcode::repair("1W1A 2AA").is_err());
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn repair(text: &str) -> Result<Repaired<Self>, ParseError> {
        let as_it_stands = postcode(text);
        match as_it_stands {
            Ok(postcode) => Ok(Repaired::new(postcode)),
            // A text that is already another code, such as the outcode `S0`, is not changed to a
            // postcode.
            Err(e) if e.suggestion.is_none() => Err(e),
            Err(e) => repair::postcode(&Typed::read(text)).ok_or(e),
        }
    }

    /// Returns the postcodes that may be meant, if no postcode area has the letters of this one.
    ///
    /// `C01 1AA` has the form of a postcode, and there is no area C. With one character of the outcode read as
    /// another that looks like it, it is in Colchester. For a postcode in an area in use there is nothing to return.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let meant = |text: &str| Ok::<_, postcode_core::ParseError>(text.parse::<Postcode>()?.look_alikes());
    /// assert_eq!(meant("C01 1AA")?, ["CO1 1AA".parse()?]);
    /// assert_eq!(meant("I61 1AA")?, ["L61 1AA".parse()?, "IG1 1AA".parse()?]);
    /// assert_eq!(meant("CO1 1AA")?, []);
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn look_alikes(self) -> Vec<Self> {
        repair::look_alikes(self)
    }
}

impl Outcode {
    /// Parses and repairs an outcode, like [`Postcode::repair`].
    ///
    /// # Errors
    /// The error of parsing, if there is no such reading or more than one.
    ///
    /// ```
    /// use postcode_core::Outcode;
    ///
    /// assert_eq!(Outcode::repair("5W1A")?.value.to_string(), "SW1A");
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn repair(text: &str) -> Result<Repaired<Self>, ParseError> {
        let as_it_stands = outcode(text);
        match as_it_stands {
            Ok(outcode) => Ok(Repaired::new(outcode)),
            Err(e) if e.suggestion.is_none() => Err(e),
            Err(e) => repair::outcode(&Typed::read(text)).ok_or(e),
        }
    }
}
