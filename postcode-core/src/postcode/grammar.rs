//! The grammar: parses each kind of value from the letters and digits of a text, or finds the
//! character that breaks a rule.
//!
//! A text is read once, into a [`Typed`]. This module does not ask what else the text could be:
//! that is done in `explain`.

use super::error::Wanted;
use super::typed::{Typed, error};
use super::{
    Bfpo, Outcode, ParseError, ParseReason, PostalCode, Postcode, PostcodeArea, Sector, TerritoryCode, rules,
};

/// Returns a postcode from its halves in capitals, if they follow the rules. Exceptions to the
/// rules are handled by [`assemble`].
#[inline]
pub(super) fn ordinary(outcode: &[u8], incode: [u8; 3]) -> Option<Postcode> {
    if !rules::is_ordinary_outcode(outcode) || !rules::is_ordinary_incode(incode) {
        return None;
    }
    Postcode::from_parts(outcode, incode[0], [incode[1], incode[2]])
}

/// Returns a postcode from its halves in capitals, without a reason on failure.
#[inline]
pub(super) fn halves(outcode: &[u8], incode: [u8; 3]) -> Option<Postcode> {
    if !incode[0].is_ascii_digit() {
        return None;
    }
    ordinary(outcode, incode).or_else(|| assemble(outcode, incode).ok())
}

/// Returns a postcode from its halves in capitals, or the character that breaks a rule.
pub(super) fn assemble(outcode: &[u8], incode: [u8; 3]) -> Result<Postcode, rules::Fault> {
    rules::outcode(outcode)?;
    rules::incode(outcode, incode)
        .map_err(|fault| rules::Fault { index: fault.index + outcode.len(), ..fault })?;
    Postcode::from_parts(outcode, incode[0], [incode[1], incode[2]])
        .ok_or(rules::Fault { index: 0, reason: ParseReason::Character })
}

/// Returns a sector from an outcode in capitals and a digit.
pub(super) fn of_parts(outcode: &[u8], digit: u8) -> Option<Sector> {
    let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
    Sector::from_code(Outcode::from_bytes(outcode)?.code() * 10 + digit)
}

/// Returns whether these characters, in capitals, form an outcode.
pub(super) fn rules_hold(outcode: &[u8]) -> bool {
    rules::outcode(outcode).is_ok()
}

/// Parses a whole postcode. The incode is always the last three characters, so punctuation can be
/// anywhere.
pub(super) fn postcode(typed: &Typed) -> Result<Postcode, ParseError> {
    let bytes = typed.of(Wanted::Postcode)?;
    let Some((outcode, incode)) = bytes.split_last_chunk::<3>().filter(|(outcode, _)| outcode.len() >= 2)
    else {
        return Err(typed.missing(ParseReason::TooShort { len: bytes.len() as u8 }, Wanted::Postcode));
    };
    assemble(outcode, *incode).map_err(|fault| typed.fault(fault.index, fault.reason, Wanted::Postcode))
}

/// Parses an outcode. `E1 6` is not one, but a sector.
pub(super) fn outcode(typed: &Typed) -> Result<Outcode, ParseError> {
    let bytes = typed.of(Wanted::Outcode)?;
    typed.separated_only_at(None, Wanted::Outcode)?;
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

/// Parses a sector.
pub(super) fn sector(typed: &Typed) -> Result<Sector, ParseError> {
    let bytes = typed.of(Wanted::Sector)?;
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

/// Parses a sector that can't be an outcode: its digit is separate, or too many characters precede
/// it.
fn sector_not_outcode(typed: &Typed) -> Option<Sector> {
    let bytes = typed.of(Wanted::Sector).ok()?;
    let last = bytes.len() - 1;
    (typed.has_gap_before(last) || !rules_hold(bytes)).then(|| sector(typed).ok()).flatten()
}

/// Parses a postcode area.
pub(super) fn area(typed: &Typed) -> Option<PostcodeArea> {
    let bytes = typed.of(Wanted::Area).ok()?;
    typed.separated_only_at(None, Wanted::Area).ok()?;
    PostcodeArea::of(bytes)
}

/// Parses a British Forces Post Office number.
pub(super) fn bfpo(typed: &Typed) -> Option<Bfpo> {
    let bytes = typed.of(Wanted::Bfpo).ok()?;
    typed.separated_only_at(Some(4), Wanted::Bfpo).ok()?;
    Bfpo::of_digits(bytes.strip_prefix(b"BFPO")?)
}

/// Parses an overseas territory's code.
pub(super) fn territory(typed: &Typed) -> Option<TerritoryCode> {
    let bytes = typed.of(Wanted::Territory).ok()?;
    let mut gaps = (1..bytes.len()).filter(|i| typed.has_gap_before(*i));
    let gap = gaps.next();
    if gaps.next().is_some() || typed.is_punctuated() {
        return None;
    }
    TerritoryCode::of(bytes, gap)
}

/// Parses a code that is not a whole postcode, by the likeliest reading.
pub(super) fn other(typed: &Typed) -> Option<PostalCode> {
    territory(typed)
        .map(PostalCode::Territory)
        .or_else(|| bfpo(typed).map(PostalCode::Bfpo))
        .or_else(|| sector_not_outcode(typed).map(PostalCode::Sector))
        .or_else(|| outcode(typed).ok().map(PostalCode::Outcode))
        .or_else(|| area(typed).map(PostalCode::Area))
}

/// Parses a code of any kind.
pub(super) fn any(typed: &Typed) -> Option<PostalCode> {
    match postcode(typed) {
        Ok(postcode) => Some(postcode.into()),
        Err(_) => other(typed),
    }
}
