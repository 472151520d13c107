//! From Rust's positions in a text to those of JavaScript.

/// Counts the UTF-16 code units up to byte positions of a text. The positions have to grow, so that a long text with many
/// of them is read once.
pub(crate) struct Positions<'t> {
    text: &'t str,
    bytes: usize,
    units: usize,
}

impl<'t> Positions<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, bytes: 0, units: 0 }
    }

    /// Returns the code units in front of a byte position that is not before the previous one.
    pub(crate) fn at(&mut self, byte: usize) -> usize {
        let between = self.text.get(self.bytes..byte).unwrap_or_default();
        self.units += between.encode_utf16().count();
        self.bytes = byte.max(self.bytes);
        self.units
    }
}

#[cfg(test)]
mod tests {
    use super::Positions;

    #[test]
    fn characters_beyond_the_first_plane_count_as_two() {
        let text = "é😀SW1A 1AA";
        let mut positions = Positions::new(text);
        assert_eq!([0, 2, 6, text.len()].map(|byte| positions.at(byte)), [0, 1, 3, 11]);
    }
}
