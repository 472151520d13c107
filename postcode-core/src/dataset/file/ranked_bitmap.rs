//! A bitmap that knows how many bits are set before each bit, which maps a key to its number in
//! order.
//!
//! A line of 64 bytes, one cache line, has 441 bits (the possible units of a sector) in seven
//! words. The eighth word has the number of bits set in all previous lines (32 bits) and, within
//! the line, before words 2, 4 and 6 (9 bits each). So finding a key's number reads one line and
//! takes at most two popcounts. No keys are stored, and a missing key is recognised in the same
//! line.

use crate::dataset::file::bytes::u64_at;
use crate::postcode::UNITS;

/// Bytes of a line.
pub(crate) const LINE: usize = 64;
/// Bits of a line.
pub(crate) const BITS: u32 = UNITS;
const WORDS: usize = 7;

/// Returns the lines needed for a space of `keys` keys.
pub(crate) const fn lines_for(keys: u32) -> usize {
    keys.div_ceil(BITS) as usize
}

/// The bits of one line.
pub(crate) type Words = [u64; WORDS];

/// Returns the number of the key at `bit` of the line, if it is set.
#[inline]
pub(crate) fn rank(lines: &[u8], line: usize, bit: u32) -> Option<u32> {
    let line: &[u8; LINE] = lines.get(line * LINE..)?.first_chunk()?;
    if word(line, bit / 64) & 1 << (bit % 64) == 0 || bit >= WORDS as u32 * 64 {
        return None;
    }
    Some(count(line, bit))
}

/// Returns a byte of the line, so that the line comes into the processor's cache.
#[inline]
pub(crate) fn touch(lines: &[u8], line: usize) -> u8 {
    lines.get(line * LINE).copied().unwrap_or_default()
}

/// Returns how many keys there are before `bit` of the line.
#[inline]
pub(crate) fn before(lines: &[u8], line: usize, bit: u32) -> Option<u32> {
    let line: &[u8; LINE] = lines.get(line * LINE..)?.first_chunk()?;
    (bit < WORDS as u32 * 64).then(|| count(line, bit))
}

#[inline]
fn word(line: &[u8; LINE], n: u32) -> u64 {
    u64_at(line, n as usize * 8).unwrap_or_default()
}

#[inline]
fn count(line: &[u8; LINE], bit: u32) -> u32 {
    let (at, counts) = (bit / 64, word(line, WORDS as u32));
    // Nothing comes before word 0, but shifting the base would not give zero.
    let before = if at < 2 { 0 } else { (counts >> (32 + 9 * (at / 2 - 1))) as u32 & 511 };
    let even = if at % 2 == 1 { word(line, at - 1).count_ones() } else { 0 };
    let own = (word(line, at) & ((1 << (bit % 64)) - 1)).count_ones();
    (counts as u32).wrapping_add(before + even + own)
}

/// Returns the number of the first key of the line.
#[inline]
pub(crate) fn base(lines: &[u8], line: usize) -> Option<u32> {
    u64_at(lines, line * LINE + WORDS * 8).map(|word| word as u32)
}

/// Returns the bits of the line.
pub(crate) fn words(lines: &[u8], line: usize) -> Option<Words> {
    let bytes = lines.get(line * LINE..)?.first_chunk::<LINE>()?;
    let mut words: Words = std::array::from_fn(|n| u64_at(bytes, n * 8).unwrap_or_default());
    words[WORDS - 1] &= (1 << (BITS - 384)) - 1;
    Some(words)
}

/// Returns the position of the `n`th set bit of the line.
pub(crate) fn select(words: &Words, mut n: u32) -> Option<u32> {
    for (at, &word) in words.iter().enumerate() {
        if n < word.count_ones() {
            let mut word = word;
            for _ in 0..n {
                word &= word - 1;
            }
            return Some(at as u32 * 64 + word.trailing_zeros());
        }
        n -= word.count_ones();
    }
    None
}

/// Appends lines in order, each with the count of the previous ones.
pub(crate) fn write<'a>(out: &mut Vec<u8>, lines: impl Iterator<Item = &'a Words>) {
    let mut base = 0;
    for words in lines {
        let counts = words.map(u64::count_ones);
        let [two, four, six] = [2, 4, 6].map(|n| u64::from(counts[..n].iter().sum::<u32>()));
        for word in words {
            out.extend_from_slice(&word.to_le_bytes());
        }
        let last = u64::from(base) | two << 32 | four << 41 | six << 50;
        out.extend_from_slice(&last.to_le_bytes());
        base += counts.iter().sum::<u32>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn rank_and_select_agree_with_a_set(keys in prop::collection::btree_set(0u32..BITS * 5, 0..900)) {
            let mut lines = vec![[0u64; WORDS]; 5];
            for &key in &keys {
                lines[(key / BITS) as usize][(key % BITS / 64) as usize] |= 1 << (key % BITS % 64);
            }
            let mut bytes = Vec::new();
            write(&mut bytes, lines.iter());
            let numbered: BTreeSet<_> = keys.iter().enumerate().map(|(n, &key)| (key, n as u32)).collect();
            for key in 0..BITS * 5 {
                let expected = numbered.range((key, 0)..).next().filter(|(k, _)| *k == key).map(|(_, n)| *n);
                prop_assert_eq!(rank(&bytes, (key / BITS) as usize, key % BITS), expected);
                let less = keys.range(..key).count() as u32;
                prop_assert_eq!(before(&bytes, (key / BITS) as usize, key % BITS), Some(less));
            }
            for &(key, n) in &numbered {
                let line = (key / BITS) as usize;
                let within = n - base(&bytes, line).unwrap();
                prop_assert_eq!(select(&words(&bytes, line).unwrap(), within), Some(key % BITS));
            }
        }
    }

    #[test]
    fn beyond_the_end_is_nothing() {
        assert_eq!(rank(&[0xff; 63], 0, 3), None);
        assert_eq!(rank(&[0xff; 64], 1, 3), None);
        assert_eq!(rank(&[0xff; 64], 0, 511), None);
    }
}
