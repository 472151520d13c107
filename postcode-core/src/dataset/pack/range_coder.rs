//! An adaptive binary range coder, as in LZMA: each bit takes as much space as it was unlikely.

use super::streams::Writer;

/// The bits of a probability as the coder takes it.
const SCALE: u32 = 12;
/// A probability learns at two rates, and the coder takes the mean of both.
const FAST: u32 = 5;
const SLOW: u32 = 8;
const TOP: u32 = 1 << 24;

/// The probability that a bit is 0, which is learned from the previous bits of its kind.
#[derive(Clone, Copy)]
pub(crate) struct Probability {
    fast: u16,
    slow: u16,
}

impl Probability {
    pub(crate) const HALF: Self = Self { fast: 1 << 15, slow: 1 << 15 };

    /// Returns it as one byte, which [`from_byte`](Self::from_byte) makes a probability of again.
    pub(crate) fn to_byte(self) -> u8 {
        (self.slow >> 8) as u8
    }

    pub(crate) fn from_byte(byte: u8) -> Self {
        let value = u16::from(byte) << 8 | 0x80;
        Self { fast: value, slow: value }
    }

    /// Between 1 and `1 << SCALE`, both excluded.
    #[inline]
    fn zero(self) -> u32 {
        let mean = (u32::from(self.fast) + u32::from(self.slow)) >> (17 - SCALE);
        mean.clamp(8, (1 << SCALE) - 8)
    }

    #[inline]
    fn learn(&mut self, bit: bool) {
        if bit {
            self.fast -= self.fast >> FAST;
            self.slow -= self.slow >> SLOW;
        } else {
            self.fast += (u16::MAX - self.fast) >> FAST;
            self.slow += (u16::MAX - self.slow) >> SLOW;
        }
    }
}

/// Encodes or decodes bits. A model of the data is written once, over this trait, and so is the same
/// in both directions: an encoder returns the bits that it is given, a decoder ignores them.
pub(crate) trait Bits {
    fn bit(&mut self, probability: &mut Probability, bit: bool) -> bool;

    /// Codes a bit that is as likely 0 as 1.
    fn even(&mut self, bit: bool) -> bool;

    /// Codes a number of as many bits as there are levels in the tree of `1 << bits` probabilities.
    #[inline]
    fn tree(&mut self, tree: &mut [Probability], bits: u32, value: u32) -> u32 {
        let mut node = 1usize;
        for level in (0..bits).rev() {
            let bit = value >> level & 1 != 0;
            let bit = tree.get_mut(node).is_some_and(|probability| self.bit(probability, bit));
            node = node << 1 | usize::from(bit);
        }
        node as u32 - (1 << bits)
    }

    /// Codes the low bits of a number of any size.
    fn bits(&mut self, bits: u32, value: u32) -> u32 {
        (0..bits).rev().fold(0, |n, level| n << 1 | u32::from(self.even(value >> level & 1 != 0)))
    }

    /// Codes a number of which most are small: its length in bits by the tree, and then its bits.
    fn number(&mut self, lengths: &mut [Probability; 64], value: u32) -> u32 {
        let length = self.tree(lengths, 6, 32 - value.leading_zeros()).min(32);
        match length {
            0 | 1 => length,
            _ => 1 << (length - 1) | self.bits(length - 1, value & ((1 << (length - 1)) - 1)),
        }
    }
}

pub(crate) struct Encoder {
    out: Vec<u8>,
    low: u64,
    range: u32,
    /// The last byte, which a carry may still change, and the 0xFF bytes after it.
    pending: u8,
    full: u64,
    first: bool,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self { out: Vec::new(), low: 0, range: u32::MAX, pending: 0, full: 0, first: true }
    }

    fn shift(&mut self) {
        if self.low < 0xFF00_0000 || self.low > u64::from(u32::MAX) {
            let carry = (self.low >> 32) as u8;
            if !std::mem::take(&mut self.first) {
                self.out.push(self.pending.wrapping_add(carry));
            }
            for _ in 0..std::mem::take(&mut self.full) {
                self.out.push(0xFFu8.wrapping_add(carry));
            }
            self.pending = (self.low >> 24) as u8;
        } else {
            self.full += 1;
        }
        self.low = (self.low & 0x00FF_FFFF) << 8;
    }

    pub(crate) fn finish(mut self, out: &mut Writer) {
        (0..5).for_each(|_| self.shift());
        out.bytes(&self.out);
    }

    fn normalise(&mut self) {
        while self.range < TOP {
            self.range <<= 8;
            self.shift();
        }
    }
}

impl Bits for Encoder {
    fn bit(&mut self, probability: &mut Probability, bit: bool) -> bool {
        let bound = (self.range >> SCALE) * probability.zero();
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        probability.learn(bit);
        self.normalise();
        bit
    }

    fn even(&mut self, bit: bool) -> bool {
        self.range >>= 1;
        if bit {
            self.low += u64::from(self.range);
        }
        self.normalise();
        bit
    }
}

/// Reads zeros after the end of its input.
pub(crate) struct Decoder<'a> {
    input: &'a [u8],
    range: u32,
    code: u32,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        let mut decoder = Self { input, range: u32::MAX, code: 0 };
        (0..4).for_each(|_| decoder.shift());
        decoder
    }

    #[inline]
    fn shift(&mut self) {
        let byte = match self.input.split_first() {
            Some((byte, rest)) => {
                self.input = rest;
                *byte
            }
            None => 0,
        };
        self.code = self.code << 8 | u32::from(byte);
    }
}

impl Bits for Decoder<'_> {
    #[inline]
    fn bit(&mut self, probability: &mut Probability, _: bool) -> bool {
        let bound = (self.range >> SCALE) * probability.zero();
        let bit = self.code >= bound;
        if bit {
            self.code -= bound;
            self.range -= bound;
        } else {
            self.range = bound;
        }
        probability.learn(bit);
        // A probability is never below 8 in 4096, so that two bytes are enough; one mostly is.
        while self.range < TOP {
            self.range <<= 8;
            self.shift();
        }
        bit
    }

    #[inline]
    fn even(&mut self, _: bool) -> bool {
        self.range >>= 1;
        let bit = self.code >= self.range;
        if bit {
            self.code -= self.range;
        }
        if self.range < TOP {
            self.range <<= 8;
            self.shift();
        }
        bit
    }
}

#[cfg(test)]
mod tests {
    use super::super::streams::Reader;
    use super::*;

    #[test]
    fn decoder_returns_what_was_encoded() {
        let mut random = fastrand::Rng::with_seed(7);
        let values: Vec<(bool, u32, u32)> = (0..100_000)
            .map(|n| (random.u8(..) < 3, random.u32(..16), random.u32(..) >> (n % 33).min(31)))
            .collect();
        let code = |coder: &mut dyn FnMut(usize, (bool, u32, u32)) -> (bool, u32, u32)| -> Vec<_> {
            values.iter().enumerate().map(|(n, value)| coder(n, *value)).collect()
        };
        fn step<B: Bits>(
            coder: &mut B,
            model: &mut ([Probability; 1], [Probability; 16], [Probability; 64]),
            (bit, small, large): (bool, u32, u32),
        ) -> (bool, u32, u32) {
            let bit = coder.bit(&mut model.0[0], bit);
            let small = coder.tree(&mut model.1, 4, small);
            (bit, small, coder.number(&mut model.2, large))
        }
        let fresh = || ([Probability::HALF; 1], [Probability::HALF; 16], [Probability::HALF; 64]);
        let (mut encoder, mut model) = (Encoder::new(), fresh());
        code(&mut |_, value| step(&mut encoder, &mut model, value));
        let mut out = Writer::default();
        encoder.finish(&mut out);
        let bytes = Reader(&out.0).bytes().unwrap();
        let (mut decoder, mut model) = (Decoder::new(bytes), fresh());
        assert_eq!(code(&mut |_, _| step(&mut decoder, &mut model, (false, 0, 0))), values);
    }
}
