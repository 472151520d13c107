//! Text that was read or written in a wrong encoding somewhere on its way.

/// The kind of damage in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// UTF-8 that was taken for Windows-1252 (`Ynys MÃ´n`), or a replacement character.
    Encoding,
    /// A byte-order mark, which has no place but at the start of a file.
    ByteOrderMark,
}

/// The characters that Windows-1252 has for the bytes 80 to 9F: what else may follow the first
/// letter of a garbled pair.
const HIGH: &str = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";

/// Returns the damage in a text, if any.
pub(super) fn wrong(text: &str) -> Option<Wrong> {
    if text.is_ascii() {
        return None;
    }
    if text.contains('\u{feff}') {
        return Some(Wrong::ByteOrderMark);
    }
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let follows = ('\u{80}'..='\u{bf}').contains(&next) || HIGH.contains(next);
        let garbled = match c {
            '\u{fffd}' => true,
            'Â' | 'Ã' | 'Ä' | 'Å' => follows,
            // Of quotes and dashes, which take three bytes.
            'â' => next == '€' || ('\u{80}'..='\u{9f}').contains(&next),
            _ => false,
        };
        if garbled {
            return Some(Wrong::Encoding);
        }
    }
    None
}

/// Checks bytes in the same way. Invalid UTF-8 is reported elsewhere.
pub(super) fn wrong_bytes(bytes: &[u8]) -> Option<Wrong> {
    if bytes.is_ascii() { None } else { wrong(std::str::from_utf8(bytes).ok()?) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_wrong_encoding_are_seen() {
        let found = ["Ynys MÃ´n", "T\u{fffd}n", "St Johnâ€™s", "Å´", "Ã‰ire", "Courtâ\u{94}¬Ã¡", "TÅ·-du"];
        for garbled in found {
            assert_eq!(wrong(garbled), Some(Wrong::Encoding), "{garbled}");
        }
        assert_eq!(wrong("\u{feff}Leeds"), Some(Wrong::ByteOrderMark));
        assert_eq!(wrong_bytes(b"\xef\xbb\xbfAB1 0AA"), Some(Wrong::ByteOrderMark));
        for right in ["Ynys Môn", "Tŷ-du", "Château Vert", "Saint-Âme", "St John’s", "Pâté", "An Àird", ""]
        {
            assert_eq!(wrong(right), None, "{right}");
        }
        assert_eq!(wrong_bytes(b"T\xfdn"), None);
    }
}
