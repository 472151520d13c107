//! Encodings of text: found or named.

use std::borrow::Cow;
use std::fmt;

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};
use serde::{Deserialize, Serialize};

/// The byte-order mark in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// An encoding that tables come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, with or without a mark.
    #[default]
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
    /// Windows-1252, which older programs of Windows write; ISO 8859-1 is read as this.
    Windows1252,
}

/// An encoding as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The encoding.
    pub encoding: Encoding,
    /// Whether a mark or the bytes themselves leave no doubt.
    pub certain: bool,
    /// Whether nothing but ASCII was seen: what follows may say more.
    pub ascii: bool,
}

impl Encoding {
    /// Returns the encoding of that name, in any case: `utf-8`, `utf-16`, `utf-16be`, `windows-1252`, `cp1252`, `latin1` …
    pub fn named(name: &str) -> Option<Self> {
        let plain: String =
            name.chars().filter(char::is_ascii_alphanumeric).flat_map(char::to_lowercase).collect();
        Some(match &*plain {
            "utf8" | "utf8sig" | "usascii" | "ascii" => Self::Utf8,
            // RFC 2781: without a mark it is big-endian; in practice it is what Windows writes.
            "utf16" | "utf16le" | "unicode" => Self::Utf16Le,
            "utf16be" => Self::Utf16Be,
            "windows1252" | "cp1252" | "1252" | "latin1" | "iso88591" | "l1" | "ansi" => Self::Windows1252,
            _ => return None,
        })
    }

    /// Returns the encoding whose mark a text begins with, and the length of the mark in bytes.
    pub fn marked(start: &[u8]) -> Option<(Self, usize)> {
        match start {
            [0xff, 0xfe, ..] => Some((Self::Utf16Le, 2)),
            [0xfe, 0xff, ..] => Some((Self::Utf16Be, 2)),
            _ if start.starts_with(MARK) => Some((Self::Utf8, MARK.len())),
            _ => None,
        }
    }

    /// Finds the encoding of a text by its beginning. `whole` says that nothing follows the sample.
    pub fn of(sample: &[u8], whole: bool) -> Guess {
        let guess = |encoding, certain| Guess { encoding, certain, ascii: false };
        if let Some((encoding, _)) = Self::marked(sample) {
            return guess(encoding, true);
        }
        // Latin text in UTF-16 is every second byte 0.
        let pairs = sample.chunks_exact(2);
        let (count, mut low, mut high) = (pairs.len(), 0, 0);
        for pair in pairs {
            low += usize::from(pair[1] == 0 && pair[0] != 0);
            high += usize::from(pair[0] == 0 && pair[1] != 0);
        }
        if count >= 4 && low * 10 >= count * 9 {
            return guess(Self::Utf16Le, false);
        }
        if count >= 4 && high * 10 >= count * 9 {
            return guess(Self::Utf16Be, false);
        }
        if sample.is_ascii() {
            return Guess { encoding: Self::Utf8, certain: false, ascii: true };
        }
        // Some bad bytes in UTF-8 do not make it another encoding.
        let (mut good, mut bad) = (0, 0);
        let mut chunks = sample.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
            // A character that the sample cuts in two is not invalid.
            let cut = chunks.peek().is_none() && !whole && chunk.invalid().len() < 4;
            bad += usize::from(!chunk.invalid().is_empty() && !cut);
        }
        if bad == 0 || good > bad { guess(Self::Utf8, bad == 0) } else { guess(Self::Windows1252, false) }
    }

    /// Whether a character may take two bytes of which one is that of an ASCII character.
    pub fn is_wide(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }

    /// Returns the text of a cell. What is not UTF-8 where that is expected is read as Windows-1252. Not for wide encodings,
    /// which are converted as a whole.
    pub fn text(self, bytes: &[u8]) -> Cow<'_, str> {
        match std::str::from_utf8(bytes) {
            Ok(text) if self != Self::Windows1252 || text.is_ascii() => text.into(),
            _ => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        }
    }

    /// Adds a text to bytes of this encoding. What the encoding lacks loses its accent, or becomes `?`. Not for wide
    /// encodings.
    pub fn push(self, out: &mut Vec<u8>, text: &str) {
        if self != Self::Windows1252 || text.is_ascii() {
            out.extend_from_slice(text.as_bytes());
            return;
        }
        for c in text.chars() {
            let mut buffer = [0; 4];
            let (bytes, _, lacking) = WINDOWS_1252.encode(c.encode_utf8(&mut buffer));
            if lacking {
                // Welsh has w and y with a circumflex, which Windows-1252 lacks.
                let plain = match c {
                    'ŵ' | 'ẁ' | 'ẃ' | 'ẅ' => b'w',
                    'Ŵ' | 'Ẁ' | 'Ẃ' | 'Ẅ' => b'W',
                    'ŷ' | 'ỳ' => b'y',
                    'Ŷ' | 'Ỳ' => b'Y',
                    _ => b'?',
                };
                out.push(plain);
            } else {
                out.extend_from_slice(&bytes);
            }
        }
    }

    /// Returns UTF-8 in this encoding if it is a wide one; other bytes stay as they are.
    pub fn widened(self, utf8: Vec<u8>) -> Vec<u8> {
        let bytes = match self {
            Self::Utf16Le => u16::to_le_bytes,
            Self::Utf16Be => u16::to_be_bytes,
            _ => return utf8,
        };
        String::from_utf8_lossy(&utf8).encode_utf16().flat_map(bytes).collect()
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "Windows-1252",
        })
    }
}

/// Reads the name of an encoding, as an option of a program.
///
/// # Errors
/// For a name that is not known; says what may be given.
pub fn encoding_named(text: &str) -> Result<Encoding, String> {
    Encoding::named(text).ok_or_else(|| "give utf-8, utf-16le, utf-16be or windows-1252".to_owned())
}

/// Converts a text to UTF-8, piece by piece. A mark at its beginning stays.
#[derive(Debug)]
pub struct ToUtf8 {
    decoder: Decoder,
    ended: bool,
}

impl ToUtf8 {
    /// From an encoding.
    pub fn new(encoding: Encoding) -> Self {
        let encoding = match encoding {
            Encoding::Utf8 => encoding_rs::UTF_8,
            Encoding::Utf16Le => UTF_16LE,
            Encoding::Utf16Be => UTF_16BE,
            Encoding::Windows1252 => WINDOWS_1252,
        };
        Self { decoder: encoding.new_decoder_without_bom_handling(), ended: false }
    }

    /// Adds the text of the next bytes to `out`; `last` says that none follow; what is given after that is ignored. What is malformed becomes U+FFFD.
    pub fn convert(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        self.ended = last;
        let mut rest = bytes;
        let mut buffer = [0; 8 << 10];
        loop {
            let (result, read, written, _) = self.decoder.decode_to_utf8(rest, &mut buffer, last);
            out.extend_from_slice(&buffer[..written]);
            rest = &rest[read..];
            if result == encoding_rs::CoderResult::InputEmpty {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sample: &[u8]) -> Encoding {
        Encoding::of(sample, true).encoding
    }

    #[test]
    fn encodings_are_found() {
        assert_eq!(of(b"plain"), Encoding::Utf8);
        assert_eq!(of("\u{feff}x".as_bytes()), Encoding::Utf8);
        assert_eq!(of("Ynys Môn".as_bytes()), Encoding::Utf8);
        assert_eq!(of(b"SW1A\xa01AA"), Encoding::Windows1252);
        assert_eq!(of("Môn é è \u{a0}".as_bytes()), Encoding::Utf8);
        assert_eq!(of(b"M\xc3\xb4n \xc3\xa9 \xff"), Encoding::Utf8, "one bad byte among good ones");
        assert_eq!(of(b"\xff\xfea\0"), Encoding::Utf16Le);
        assert_eq!(of(b"a\0b\0c\0d\0"), Encoding::Utf16Le);
        assert_eq!(of(b"\0a\0b\0c\0d"), Encoding::Utf16Be);
        assert!(Encoding::of(b"abc\xc3", false).encoding == Encoding::Utf8, "cut in two");
    }

    #[test]
    fn utf16_goes_through_in_any_pieces() {
        let text = "\u{feff}Môn\t😀\r\n";
        for (encoding, bytes) in [
            (Encoding::Utf16Le, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
            (Encoding::Utf16Be, text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ] {
            let (mut converter, mut out) = (ToUtf8::new(encoding), Vec::new());
            bytes.iter().for_each(|byte| converter.convert(&[*byte], false, &mut out));
            converter.convert(&[], true, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
            assert_eq!(encoding.widened(out), bytes);
        }
    }

    #[test]
    fn windows_1252_is_read_and_written() {
        assert_eq!(Encoding::Utf8.text(b"SW1A\xa01AA"), "SW1A\u{a0}1AA");
        assert_eq!(Encoding::Windows1252.text(b"caf\xe9 \x96"), "café –");
        let mut out = Vec::new();
        Encoding::Windows1252.push(&mut out, "Ynys Môn, Tŷ, 日");
        assert_eq!(out, b"Ynys M\xf4n, Ty, ?");
        assert_eq!(Encoding::named("ISO-8859-1"), Some(Encoding::Windows1252));
        assert_eq!(Encoding::named("ebcdic"), None);
    }
}
