//! Finds bytes in short texts.

const LOW: u64 = u64::from_le_bytes([0x01; 8]);
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// Finds the first of some bytes. It looks at eight bytes at a time and has no cost to begin with, so in cells, which are
/// short, it is faster than `memchr`.
///
/// ```
/// use postcode_tables::AnyOf;
///
/// let quoted = AnyOf::new([b',', b'"', b'\r', b'\n']);
/// assert_eq!(quoted.first_in(b"Kingston upon Hull, City of"), Some(18));
/// assert_eq!(quoted.first_in(b"Westminster"), None);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AnyOf<const N: usize> {
    bytes: [u8; N],
    /// Each byte eight times.
    words: [u64; N],
}

impl<const N: usize> AnyOf<N> {
    /// Finds these bytes.
    pub fn new(bytes: [u8; N]) -> Self {
        Self { bytes, words: bytes.map(|byte| u64::from_le_bytes([byte; 8])) }
    }

    /// Returns where the first of the bytes is.
    #[inline]
    pub fn first_in(&self, text: &[u8]) -> Option<usize> {
        let (chunks, rest) = text.as_chunks::<8>();
        for (n, chunk) in chunks.iter().enumerate() {
            let chunk = u64::from_le_bytes(*chunk);
            // The lowest high bit that is set is that of the first byte that is 0 after XOR. Bits above it may be wrong.
            let found = self.words.iter().fold(0, |found, word| {
                let differs = chunk ^ word;
                found | (differs.wrapping_sub(LOW) & !differs & HIGH)
            });
            if found != 0 {
                return Some(n * 8 + (found.trailing_zeros() / 8) as usize);
            }
        }
        let at = rest.iter().position(|byte| self.bytes.contains(byte))?;
        Some(text.len() - rest.len() + at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn first_byte_is_found_as_one_by_one(text in proptest::collection::vec(prop_oneof![Just(b','), Just(b'-'), Just(0x80), any::<u8>()], 0..40)) {
            let wanted = [b',', b'\r', 0xff];
            let expected = text.iter().position(|byte| wanted.contains(byte));
            prop_assert_eq!(AnyOf::new(wanted).first_in(&text), expected);
        }
    }
}
