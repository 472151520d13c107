//! Parses the usual form of a postcode, `SW1A 1AA` or `SW1A1AA` in any case, without a branch for
//! each character. All other texts are left to `grammar`.

use super::packed::{PER_LETTER, PER_OUTCODE, TAIL_AFTER_DIGIT, TAIL_AFTER_LETTER, UNIT_RANK, UNITS};
use super::{Postcode, rules};

/// The facts about a character. The low byte is its rank among digits and letters, as in `packed`,
/// the second byte its rank in a unit, and the bits above say what it may be.
type Facts = u32;

const FIRST: Facts = 1 << 16;
const SECOND: Facts = 1 << 17;
const DIGIT: Facts = 1 << 18;
/// A digit, or a letter that may be third or fourth, or the end of the outcode.
const THIRD: Facts = 1 << 19;
const FOURTH: Facts = 1 << 20;
const UNIT: Facts = 1 << 21;
/// Not the end of the outcode.
const PRESENT: Facts = 1 << 22;

/// The facts by character. Lower case counts as upper case. 0 stands for the end of the outcode.
static FACTS: [Facts; 256] = {
    let mut facts = [0; 256];
    facts[0] = THIRD | FOURTH;
    let mut n = 0;
    while n < 10 {
        facts[(b'0' + n) as usize] = (n as Facts + 1) | DIGIT | THIRD | FOURTH | PRESENT;
        n += 1;
    }
    n = 0;
    while n < 26 {
        let letter = b'A' + n;
        let mut fact = (n as Facts + 11) | PRESENT;
        if rules::FIRST.has(letter) {
            fact |= FIRST;
        }
        if rules::SECOND.has(letter) {
            fact |= SECOND;
        }
        if rules::THIRD.has(letter) {
            fact |= THIRD;
        }
        if rules::FOURTH.has(letter) {
            fact |= FOURTH;
        }
        if rules::UNIT.has(letter) {
            fact |= UNIT | (UNIT_RANK[letter as usize] as Facts) << 8;
        }
        facts[letter as usize] = fact;
        facts[letter.to_ascii_lowercase() as usize] = fact;
        n += 1;
    }
    facts
};

#[inline]
fn rank(facts: Facts) -> u32 {
    facts & 0xff
}

#[inline]
fn rank_in_unit(facts: Facts) -> u32 {
    facts >> 8 & 0xff
}

/// Returns the postcode, or `None` for any text that is not in the usual form or is an exception to
/// the rules.
#[inline]
pub(super) fn parse(s: &[u8]) -> Option<Postcode> {
    if !(5..=8).contains(&s.len()) {
        return None;
    }
    // Both overlap in all texts but the longest.
    let (start, end) = (u32::from_le_bytes(*s.first_chunk()?), *s.last_chunk::<4>()?);
    let [digit, one, two] = [end[1], end[2], end[3]].map(|c| FACTS[usize::from(c)]);
    let len = s.len() as u32 - 3 - u32::from(end[0] == b' ');
    if !(2..=4).contains(&len) {
        return None;
    }
    let outcode = start & u32::MAX >> (32 - 8 * len);
    let [a, b, c, d] = outcode.to_le_bytes().map(|c| FACTS[usize::from(c)]);
    let last = FACTS[(outcode >> (8 * len - 8)) as usize & 0xff];
    let lettered = b & DIGIT == 0;
    // `A9`, `A99`, `A9A`; and `AA9`, `AA99`, `AA9A`, whose number means nothing if it is not valid.
    let (valid, tail) = match lettered {
        false => (c & THIRD != 0 && d & PRESENT == 0 && len < 4, (rank(b) - 1) * TAIL_AFTER_DIGIT + rank(c)),
        true => (
            b & SECOND != 0 && c & DIGIT != 0 && d & FOURTH != 0,
            (10 * TAIL_AFTER_DIGIT)
                .wrapping_add(rank(b).wrapping_sub(11).wrapping_mul(TAIL_AFTER_LETTER))
                .wrapping_add(rank(c).wrapping_sub(1).wrapping_mul(37))
                .wrapping_add(rank(d)),
        ),
    };
    if !valid || a & FIRST == 0 || last & PRESENT == 0 || digit & DIGIT == 0 || one & two & UNIT == 0 {
        return None;
    }
    let outcode = (rank(a) - 11) * PER_LETTER + tail;
    let unit = rank_in_unit(one) * 21 + rank_in_unit(two);
    Postcode::from_code(outcode * PER_OUTCODE + (rank(digit) - 1) * UNITS + unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::postcode::grammar;

    /// Returns what the plain rules say of a text in the usual form.
    fn plain(s: &[u8]) -> Option<Postcode> {
        let capitals = s.to_ascii_uppercase();
        let (outcode, incode) = capitals.split_last_chunk::<3>()?;
        let outcode = outcode.strip_suffix(b" ").unwrap_or(outcode);
        grammar::ordinary(outcode, *incode)
    }

    #[test]
    fn every_outcode_is_parsed_as_the_rules_say() {
        const CHARS: &[u8] = b"\0 0189@[`{ABCDEFGHIJKLMNOPQRSTUVWXYZabijkqvxz\xff";
        for len in 1..=4 {
            for n in 0..CHARS.len().pow(len) {
                let outcode: Vec<u8> =
                    (0..len).map(|i| CHARS[n / CHARS.len().pow(i) % CHARS.len()]).collect();
                for incode in ["1AA", " 9zz"] {
                    let text = [outcode.as_slice(), incode.as_bytes()].concat();
                    assert_eq!(parse(&text), plain(&text), "{}", text.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn every_incode_is_parsed_as_the_rules_say() {
        for n in 0..1usize << 24 {
            let [a, b, c, _] = (n as u32).to_le_bytes();
            // A tenth of all others, and all of letters and digits.
            if n % 11 == 0 || [a, b, c].iter().all(u8::is_ascii_alphanumeric) {
                for outcode in ["M1", "SW1A "] {
                    let text = [outcode.as_bytes(), [a, b, c].as_slice()].concat();
                    assert_eq!(parse(&text), plain(&text), "{}", text.escape_ascii());
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_as_the_rules_say(s in prop::collection::vec(any::<u8>(), 0..10)) {
            prop_assert_eq!(parse(&s), plain(&s));
        }

        #[test]
        fn any_text_that_looks_like_one_is_parsed_as_the_rules_say(s in "[A-Za-z0-9 ]{2,5} ?[0-9][A-Za-z ]{2}") {
            prop_assert_eq!(parse(s.as_bytes()), plain(s.as_bytes()));
        }
    }
}
