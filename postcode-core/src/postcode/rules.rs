//! The rules about which characters Royal Mail uses in which place.
//!
//! The rules come from the Programmer's Guide to PAF and from BS 7666, extended by what ONSPD
//! (November 2025, 2,720,556 live and terminated postcodes) really contains. `docs/SYNTAX.md` lists
//! them with their sources.

use super::ParseReason;

/// A character that breaks a rule: its index among the letters and digits, from 0, and the rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) index: usize,
    pub(super) reason: ParseReason,
}

/// The letters allowed in one place.
pub(super) struct Letters {
    mask: u32,
    text: &'static str,
}

impl Letters {
    const fn new(text: &'static str) -> Self {
        let (bytes, mut mask, mut i) = (text.as_bytes(), 0, 0);
        while i < bytes.len() {
            mask |= 1 << (bytes[i] - b'A');
            i += 1;
        }
        Self { mask, text }
    }

    pub(super) const fn has(&self, c: u8) -> bool {
        c.is_ascii_uppercase() && self.mask >> (c - b'A') & 1 == 1
    }
}

/// All letters except Q, V, X. The only exception is the area `XX`.
pub(super) const FIRST: Letters = Letters::new("ABCDEFGHIJKLMNOPRSTUWYZ");
/// All letters except I, J, Z.
pub(super) const SECOND: Letters = Letters::new("ABCDEFGHKLMNOPQRSTUVWXY");
/// The last letter of `A9A`. The guide has ABCDEFGHJKPSTUW; the retired districts W1M, W1N, W1R,
/// W1V, W1X and W1Y add MNRVXY.
pub(super) const THIRD: Letters = Letters::new("ABCDEFGHJKMNPRSTUVWXY");
/// The last letter of `AA9A`.
pub(super) const FOURTH: Letters = Letters::new("ABEHMNPRVWXY");
/// The last two letters: all except C, I, K, M, O, V.
pub(super) const UNIT: Letters = Letters::new("ABDEFGHJLNPQRSTUWXYZ");

/// The two outcodes without a digit, both retired: Girobank, and Newport before it became NP.
pub(super) const LETTERS_ONLY: [&[u8; 3]; 2] = [b"GIR", b"NPT"];

fn digit(s: &[u8], index: usize) -> Result<(), Fault> {
    if s[index].is_ascii_digit() { Ok(()) } else { Err(Fault { index, reason: ParseReason::DigitExpected }) }
}

fn letter(s: &[u8], index: usize, letters: &Letters) -> Result<(), Fault> {
    let c = s[index];
    if letters.has(c) {
        Ok(())
    } else if c.is_ascii_uppercase() {
        Err(Fault { index, reason: ParseReason::UnusedLetter { allowed: letters.text, or_digit: false } })
    } else {
        Err(Fault { index, reason: ParseReason::LetterExpected })
    }
}

fn digit_or_letter(s: &[u8], index: usize, letters: &Letters) -> Result<(), Fault> {
    if s[index].is_ascii_digit() || letters.has(s[index]) {
        return Ok(());
    }
    Err(Fault { index, reason: ParseReason::UnusedLetter { allowed: letters.text, or_digit: true } })
}

/// Checks an outcode in capitals, from left to right.
#[inline]
pub(super) fn outcode(s: &[u8]) -> Result<(), Fault> {
    if !(2..=4).contains(&s.len()) {
        return Err(Fault { index: 0, reason: ParseReason::Character });
    }
    if s.len() == 3 && LETTERS_ONLY.iter().any(|o| o.as_slice() == s) {
        return Ok(());
    }
    if !s.starts_with(b"XX") {
        letter(s, 0, &FIRST)?;
    }
    match s.len() {
        2 => digit(s, 1),
        3 if s[1].is_ascii_digit() => digit_or_letter(s, 2, &THIRD),
        3 => letter(s, 1, &SECOND).and_then(|()| digit(s, 2)),
        _ => {
            letter(s, 1, &SECOND)?;
            digit(s, 2)?;
            digit_or_letter(s, 3, &FOURTH)
        }
    }
}

/// Checks the incode after an outcode. Positions of faults count from the beginning of the incode.
#[inline]
pub(super) fn incode(outcode: &[u8], s: [u8; 3]) -> Result<(), Fault> {
    digit(&s, 0)?;
    // V is in one real but retired postcode: NPT 0VA.
    if outcode == b"NPT" && s == *b"0VA" {
        return Ok(());
    }
    letter(&s, 1, &UNIT)?;
    letter(&s, 2, &UNIT)
}

/// Returns whether an outcode follows the rules, ignoring exceptions: [`outcode`] without the
/// reason, at a fraction of the cost.
#[inline]
pub(super) fn is_ordinary_outcode(s: &[u8]) -> bool {
    match *s {
        [a, b] => FIRST.has(a) && b.is_ascii_digit(),
        [a, b, c] if b.is_ascii_digit() => FIRST.has(a) && (c.is_ascii_digit() || THIRD.has(c)),
        [a, b, c] => FIRST.has(a) && SECOND.has(b) && c.is_ascii_digit(),
        [a, b, c, d] => {
            FIRST.has(a) && SECOND.has(b) && c.is_ascii_digit() && (d.is_ascii_digit() || FOURTH.has(d))
        }
        _ => false,
    }
}

/// Returns whether an incode follows the rules, ignoring exceptions.
#[inline]
pub(super) fn is_ordinary_incode([digit, a, b]: [u8; 3]) -> bool {
    digit.is_ascii_digit() && UNIT.has(a) && UNIT.has(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ordinary_keeps_the_rules_and_the_rest_are_the_known_exceptions() {
        const CHARS: &[u8] = b" 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let mut exceptions = 0;
        for n in 0..CHARS.len().pow(4) {
            let s = [n / 50_653, n / 1_369 % 37, n / 37 % 37, n % 37].map(|i| CHARS[i]);
            let s = s.trim_ascii_end();
            let (ordinary, allowed) = (is_ordinary_outcode(s), outcode(s).is_ok());
            assert!(!ordinary || allowed, "{}", s.escape_ascii());
            if allowed && !ordinary {
                assert!(s.starts_with(b"XX") || s == b"GIR" || s == b"NPT", "{}", s.escape_ascii());
                exceptions += 1;
            }
        }
        assert_eq!(exceptions, 10 + 100 + 10 * 12 + 2);
    }
}
