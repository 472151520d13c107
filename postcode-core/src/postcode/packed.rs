//! Packs a postcode into 32 bits, ordered as postcodes sort.
//!
//! A postcode is `outcode × digit × unit` in mixed radix. The same number is its sort key, and
//! gives the key of its sector (`code / UNITS`) and of its outcode (`code / (UNITS * 10)`), so that
//! the dataset's index needs no other key. Numbers are stored plus one, which makes
//! `Option<Postcode>` as small as `Postcode`.
//!
//! The order is that of the spaced form in ASCII: a space before digits before letters (`M1 1AD` <
//! `M11 1AA` < `MK1 1AA`).

#[cfg(feature = "dataset")]
use std::ops::Range;

/// The letters that Royal Mail uses in a unit (the last two characters), plus `V`.
///
/// C, I, K, M, O and V are never used, so that a unit is not misread. `V` is included because ONSPD
/// has one retired postcode with it, `NPT 0VA`; the parser refuses it everywhere else.
pub(crate) const UNIT_LETTERS: &[u8; 21] = b"ABDEFGHJLNPQRSTUVWXYZ";

/// Possible units of a sector: two unit letters.
pub(crate) const UNITS: u32 = 21 * 21;

/// Packed postcodes in one outcode: ten sector digits of [`UNITS`] each.
pub(crate) const PER_OUTCODE: u32 = UNITS * 10;

/// Third and fourth characters after a letter in second place: a digit and nothing else, a digit
/// and a digit or letter (37 ways), or a letter and nothing else (`GIR`, `NPT`).
pub(super) const TAIL_AFTER_LETTER: u32 = 10 * 37 + 26;
/// Third character after a digit in second place: none, a digit or a letter.
pub(super) const TAIL_AFTER_DIGIT: u32 = 37;
/// Outcodes with one first letter.
pub(super) const PER_LETTER: u32 = 10 * TAIL_AFTER_DIGIT + 26 * TAIL_AFTER_LETTER;
/// One more than the largest packed outcode.
pub(crate) const OUTCODES: u32 = 26 * PER_LETTER;

/// Maps nothing to 0, digits to 1–10 and letters to 11–36.
fn rank37(c: Option<u8>) -> Option<u32> {
    match c {
        None => Some(0),
        Some(c @ b'0'..=b'9') => Some(u32::from(c - b'0') + 1),
        Some(c @ b'A'..=b'Z') => Some(u32::from(c - b'A') + 11),
        Some(_) => None,
    }
}

fn char37(rank: u32) -> Option<u8> {
    match rank {
        0 => None,
        1..=10 => Some(b'0' + (rank - 1) as u8),
        _ => Some(b'A' + (rank - 11) as u8),
    }
}

/// Returns the number of an outcode in capitals, or `None` if it does not have the format of one
/// (`A9`, `A99`, `A9A`, `AA9`, `AA99`, `AA9A`, `AAA`). It does not check which letters are in use.
#[inline]
pub(crate) fn encode_outcode(s: &[u8]) -> Option<u32> {
    let (&first, &second) = (s.first()?, s.get(1)?);
    if !first.is_ascii_uppercase() || s.len() > 4 {
        return None;
    }
    let base = u32::from(first - b'A') * PER_LETTER;
    match second {
        b'0'..=b'9' if s.len() <= 3 => {
            Some(base + u32::from(second - b'0') * TAIL_AFTER_DIGIT + rank37(s.get(2).copied())?)
        }
        b'A'..=b'Z' => {
            let tail = match *s.get(2)? {
                d @ b'0'..=b'9' => u32::from(d - b'0') * 37 + rank37(s.get(3).copied())?,
                l @ b'A'..=b'Z' if s.len() == 3 => 370 + u32::from(l - b'A'),
                _ => return None,
            };
            Some(base + 10 * TAIL_AFTER_DIGIT + u32::from(second - b'A') * TAIL_AFTER_LETTER + tail)
        }
        _ => None,
    }
}

/// Returns the numbers of the outcodes that begin with these capitals and digits, or `None` if none
/// does.
#[cfg(feature = "dataset")]
pub(crate) fn outcodes_beginning(s: &[u8]) -> Option<Range<u32>> {
    let Some((&first, rest)) = s.split_first() else { return Some(0..OUTCODES) };
    if !first.is_ascii_uppercase() {
        return None;
    }
    let base = u32::from(first - b'A') * PER_LETTER;
    let (start, count) = match *rest {
        [] => (base, PER_LETTER),
        [digit @ b'0'..=b'9'] => (base + u32::from(digit - b'0') * TAIL_AFTER_DIGIT, TAIL_AFTER_DIGIT),
        [letter @ b'A'..=b'Z', ref rest @ ..] => {
            let base = base + 10 * TAIL_AFTER_DIGIT + u32::from(letter - b'A') * TAIL_AFTER_LETTER;
            match *rest {
                [] => (base, TAIL_AFTER_LETTER),
                [digit @ b'0'..=b'9'] => (base + u32::from(digit - b'0') * 37, 37),
                _ => (encode_outcode(s)?, 1),
            }
        }
        _ => (encode_outcode(s)?, 1),
    };
    Some(start..start + count)
}

/// Returns the numbers within an outcode of the incodes that begin with these capitals and digits,
/// or `None` if none does.
#[cfg(feature = "dataset")]
pub(crate) fn incodes_beginning(s: &[u8]) -> Option<Range<u32>> {
    let (&digit, unit) = s.split_first()?;
    let start = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))? * UNITS;
    match *unit {
        [] => Some(start..start + UNITS),
        [first] => {
            let start = start + encode_unit(first, UNIT_LETTERS[0])?;
            Some(start..start + UNIT_LETTERS.len() as u32)
        }
        [first, second] => {
            let start = start + encode_unit(first, second)?;
            Some(start..start + 1)
        }
        _ => None,
    }
}

/// Converts back from [`encode_outcode`]: returns the characters and their number.
pub(crate) fn decode_outcode(code: u32) -> ([u8; 4], usize) {
    let mut out = [b' '; 4];
    let mut len = 0;
    let mut push = |c: u8| {
        out[len] = c;
        len += 1;
    };
    push(b'A' + (code / PER_LETTER) as u8);
    let rest = code % PER_LETTER;
    if rest < 10 * TAIL_AFTER_DIGIT {
        push(b'0' + (rest / TAIL_AFTER_DIGIT) as u8);
        char37(rest % TAIL_AFTER_DIGIT).into_iter().for_each(push);
    } else {
        let rest = rest - 10 * TAIL_AFTER_DIGIT;
        push(b'A' + (rest / TAIL_AFTER_LETTER) as u8);
        let tail = rest % TAIL_AFTER_LETTER;
        if tail < 370 {
            push(b'0' + (tail / 37) as u8);
            char37(tail % 37).into_iter().for_each(push);
        } else {
            push(b'A' + (tail - 370) as u8);
        }
    }
    (out, len)
}

/// Maps a letter to its index in [`UNIT_LETTERS`], or to 255 if it is not there.
pub(super) const UNIT_RANK: [u8; 256] = {
    let mut table = [255; 256];
    let mut i = 0;
    while i < UNIT_LETTERS.len() {
        table[UNIT_LETTERS[i] as usize] = i as u8;
        i += 1;
    }
    table
};

/// Returns the number of a two-letter unit within its sector, below [`UNITS`].
#[inline]
pub(crate) fn encode_unit(first: u8, second: u8) -> Option<u32> {
    let (a, b) = (UNIT_RANK[usize::from(first)], UNIT_RANK[usize::from(second)]);
    (a != 255 && b != 255).then(|| u32::from(a) * 21 + u32::from(b))
}

/// Converts back from [`encode_unit`].
pub(crate) fn decode_unit(unit: u32) -> [u8; 2] {
    [UNIT_LETTERS[(unit / 21) as usize % 21], UNIT_LETTERS[(unit % 21) as usize]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcode_number_is_one_outcode_and_keeps_the_order() {
        let mut before = String::new();
        for code in 0..OUTCODES {
            let (bytes, len) = decode_outcode(code);
            assert_eq!(encode_outcode(&bytes[..len]), Some(code));
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            assert!(before < text, "{before} then {text}");
            before = text;
        }
    }

    #[test]
    fn every_unit_number_is_one_unit() {
        for unit in 0..UNITS {
            let [a, b] = decode_unit(unit);
            assert_eq!(encode_unit(a, b), Some(unit));
        }
        assert_eq!(encode_unit(b'C', b'A'), None);
        assert_eq!(encode_unit(b'A', b'a'), None);
    }

    #[test]
    fn all_postcodes_fit_in_32_bits_with_one_to_spare() {
        assert!(u64::from(OUTCODES) * u64::from(PER_OUTCODE) < u64::from(u32::MAX));
    }
}
