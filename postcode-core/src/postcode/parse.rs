//! From what people type to a value, or to the reason why not.

use super::error::Wanted;
use super::typed::{Typed, error};
use super::{Outcode, ParseError, ParseReason, Postcode, Sector, kind, repair, rules};

pub(super) fn postcode(s: &str) -> Result<Postcode, ParseError> {
    match clean(s.as_bytes()) {
        Some(postcode) => Ok(postcode),
        None => typed_postcode(s),
    }
}

/// `SW1A 1AA` and `SW1A1AA` in any case: nearly all texts there are, at a tenth of the cost.
#[inline]
fn clean(s: &[u8]) -> Option<Postcode> {
    if !(5..=8).contains(&s.len()) {
        return None;
    }
    let (rest, incode) = s.split_last_chunk::<3>()?;
    let rest = rest.strip_suffix(b" ").unwrap_or(rest);
    let mut outcode = [0; 4];
    let outcode = outcode.get_mut(..rest.len())?;
    outcode.copy_from_slice(rest);
    outcode.make_ascii_uppercase();
    ordinary(outcode, incode.map(|c| c.to_ascii_uppercase()))
}

/// A postcode of its halves in capitals, if they keep the rules. Exceptions to the rules are left to [`assemble`].
#[inline]
fn ordinary(outcode: &[u8], incode: [u8; 3]) -> Option<Postcode> {
    if !rules::is_ordinary_outcode(outcode) || !rules::is_ordinary_incode(incode) {
        return None;
    }
    Postcode::from_parts(outcode, incode[0], [incode[1], incode[2]])
}

/// A postcode of its halves in capitals, without the reason why not.
#[inline]
pub(super) fn halves(outcode: &[u8], incode: [u8; 3]) -> Option<Postcode> {
    if !incode[0].is_ascii_digit() {
        return None;
    }
    ordinary(outcode, incode).or_else(|| assemble(outcode, incode).ok())
}

/// A postcode of its halves in capitals, or which of their characters breaks which rule.
pub(super) fn assemble(outcode: &[u8], incode: [u8; 3]) -> Result<Postcode, rules::Fault> {
    rules::outcode(outcode)?;
    rules::incode(outcode, incode)
        .map_err(|fault| rules::Fault { index: fault.index + outcode.len(), ..fault })?;
    Postcode::from_parts(outcode, incode[0], [incode[1], incode[2]])
        .ok_or(rules::Fault { index: 0, reason: ParseReason::Character })
}

#[cold]
fn typed_postcode(s: &str) -> Result<Postcode, ParseError> {
    plain_postcode(s).map_err(|error| explain(s, error))
}

/// A postcode, without asking what else the text could be.
fn plain_postcode(s: &str) -> Result<Postcode, ParseError> {
    let typed = Typed::read(s, Wanted::Postcode)?;
    of_typed(&typed)
}

pub(super) fn of_typed(typed: &Typed) -> Result<Postcode, ParseError> {
    let bytes = typed.bytes();
    let Some((outcode, incode)) = bytes.split_last_chunk::<3>().filter(|(outcode, _)| outcode.len() >= 2)
    else {
        return Err(typed.missing(ParseReason::TooShort { len: bytes.len() as u8 }, Wanted::Postcode));
    };
    typed.separated_only_at(Some(outcode.len()), Wanted::Postcode)?;
    assemble(outcode, *incode).map_err(|fault| typed.fault(fault.index, fault.reason, Wanted::Postcode))
}

/// A better reason, where the text is another kind of code, or a postcode with some characters confused or its
/// last letter cut off.
fn explain(s: &str, plain: ParseError) -> ParseError {
    if plain.reason == ParseReason::Empty {
        return plain;
    }
    if let Some(code) = kind::other(s) {
        return error(Wanted::Postcode, ParseReason::OtherKind(code));
    }
    let Ok(typed) = Typed::read(s, Wanted::Postcode) else { return plain };
    if let Some(repaired) = repair::postcode(&typed) {
        return ParseError { suggestion: Some(repaired.value.spaced()), ..plain };
    }
    match typed.bytes() {
        [outcode @ .., digit @ b'0'..=b'9', letter] if outcode.len() >= 2 => {
            match assemble(outcode, [*digit, *letter, b'A']) {
                Ok(_) => typed.missing(ParseReason::LastLetterMissing, Wanted::Postcode),
                Err(_) => plain,
            }
        }
        _ => plain,
    }
}

pub(super) fn outcode(s: &str) -> Result<Outcode, ParseError> {
    plain_outcode(s).map_err(|plain| {
        if plain.reason == ParseReason::Empty {
            return plain;
        }
        if let Ok(code) = kind::recognise(s) {
            return error(Wanted::Outcode, ParseReason::OtherKind(code));
        }
        let repaired = Typed::read(s, Wanted::Outcode).ok().and_then(|typed| repair::outcode(&typed));
        let suggestion = repaired.map(|repaired| {
            let mut text = super::Text::new();
            text.push(repaired.value.text().as_bytes());
            text
        });
        ParseError { suggestion, ..plain }
    })
}

/// An outcode, without asking what else the text could be. `E1 6` is none: that is a sector.
pub(super) fn plain_outcode(s: &str) -> Result<Outcode, ParseError> {
    let typed = Typed::read(s, Wanted::Outcode)?;
    typed.separated_only_at(None, Wanted::Outcode)?;
    let bytes = typed.bytes();
    if bytes.len() < 2 {
        return Err(typed.missing(ParseReason::TooShort { len: bytes.len() as u8 }, Wanted::Outcode));
    }
    rules::outcode(bytes).map_err(|fault| typed.fault(fault.index, fault.reason, Wanted::Outcode))?;
    let last = bytes.len() - 1;
    if typed.has_gap_before(last) && bytes[last].is_ascii_digit() && rules_hold(&bytes[..last]) {
        return Err(typed.fault(last, ParseReason::Character, Wanted::Outcode));
    }
    Outcode::from_bytes(bytes).ok_or(error(Wanted::Outcode, ParseReason::Character))
}

pub(super) fn sector(s: &str) -> Result<Sector, ParseError> {
    plain_sector(s).map_err(|plain| match kind::recognise(s) {
        Ok(code) => error(Wanted::Sector, ParseReason::OtherKind(code)),
        Err(_) => plain,
    })
}

/// A sector, without asking what else the text could be.
fn plain_sector(s: &str) -> Result<Sector, ParseError> {
    let typed = Typed::read(s, Wanted::Sector)?;
    let bytes = typed.bytes();
    let Some((&digit, outcode)) = bytes.split_last().filter(|(_, outcode)| outcode.len() >= 2) else {
        return Err(typed.missing(ParseReason::TooShort { len: bytes.len() as u8 }, Wanted::Sector));
    };
    typed.separated_only_at(Some(outcode.len()), Wanted::Sector)?;
    let fault = |fault: rules::Fault| typed.fault(fault.index, fault.reason, Wanted::Sector);
    rules::outcode(outcode).map_err(fault)?;
    of_parts(outcode, digit)
        .ok_or(rules::Fault { index: outcode.len(), reason: ParseReason::DigitExpected })
        .map_err(fault)
}

/// A sector that can't be read as an outcode: its digit stands apart, or an outcode has no place for it.
pub(super) fn sector_not_outcode(s: &str) -> Option<Sector> {
    let typed = Typed::read(s, Wanted::Sector).ok()?;
    let bytes = typed.bytes();
    let last = bytes.len() - 1;
    (typed.has_gap_before(last) || !rules_hold(bytes)).then(|| plain_sector(s).ok()).flatten()
}

/// A sector of an outcode in capitals and a digit.
pub(super) fn of_parts(outcode: &[u8], digit: u8) -> Option<Sector> {
    let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
    Sector::from_code(Outcode::from_bytes(outcode)?.code() * 10 + digit)
}

/// Whether these are the characters of an outcode, in capitals.
pub(super) fn rules_hold(outcode: &[u8]) -> bool {
    rules::outcode(outcode).is_ok()
}

/// A whole postcode, without explaining why not.
pub(super) fn quick(s: &str) -> Option<Postcode> {
    clean(s.as_bytes()).or_else(|| plain_postcode(s).ok())
}

/// The error of a text that is no code of any kind: that of a whole postcode, where it comes near to one.
pub(super) fn nothing(s: &str) -> ParseError {
    let unrecognised = error(Wanted::Any, ParseReason::Unrecognised);
    match plain_postcode(s) {
        Err(plain) => match explain(s, plain) {
            e @ ParseError { reason: ParseReason::TooShort { .. } | ParseReason::TooLong, .. } => {
                ParseError { at: e.at, ..unrecognised }
            }
            e => ParseError { wanted: Wanted::Any, ..e },
        },
        Ok(_) => unrecognised,
    }
}

/// The error of a text that is not the wanted kind of code: what it is instead, if anything.
pub(super) fn not_wanted(s: &str, wanted: Wanted) -> ParseError {
    match kind::recognise(s) {
        Ok(code) => error(wanted, ParseReason::OtherKind(code)),
        Err(e) if e.reason == ParseReason::Empty => error(wanted, ParseReason::Empty),
        Err(_) => error(wanted, ParseReason::Unrecognised),
    }
}
