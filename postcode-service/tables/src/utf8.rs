//! A text in any encoding, read as UTF-8.

use std::io::{self, Cursor, Read};

use crate::{Encoding, SAMPLE, ToUtf8};

/// Bytes read at a time where they are converted.
const CHUNK: usize = 64 << 10;
/// Bytes of the longest character in UTF-8.
const WIDEST: usize = 4;

/// Reads a text as UTF-8, whatever it is written in. A mark at its beginning stays.
///
/// Finds the encoding by the first bytes, and if those are ASCII by the first that are not.
///
/// ```
/// use std::io::Read;
/// use postcode_tables::{Encoding, Utf8Reader};
///
/// let mut reader = Utf8Reader::new(&b"Ynys M\xf4n"[..], None)?;
/// let mut text = String::new();
/// reader.read_to_string(&mut text)?;
/// assert_eq!((text.as_str(), reader.encoding()), ("Ynys Môn", Encoding::Windows1252));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Utf8Reader<R> {
    inner: R,
    encoding: Encoding,
    /// Whether only ASCII has been seen, which is the same in several encodings.
    undecided: bool,
    converter: Option<ToUtf8>,
    ready: Cursor<Vec<u8>>,
    /// The beginning of the first character that is not ASCII, if the rest of it has not come.
    held: Vec<u8>,
    ended: bool,
}

impl<R: Read> Utf8Reader<R> {
    /// Reads the beginning of a text, and finds its encoding if none is named.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn new(mut inner: R, named: Option<Encoding>) -> io::Result<Self> {
        let mut sample = Vec::new();
        inner.by_ref().take(SAMPLE as u64).read_to_end(&mut sample)?;
        let ended = sample.len() < SAMPLE;
        let guess = Encoding::of(&sample, ended);
        let undecided = named.is_none() && guess.ascii;
        let mut reader = Self {
            inner,
            encoding: Encoding::Utf8,
            undecided,
            converter: None,
            ready: Cursor::default(),
            held: Vec::new(),
            ended,
        };
        reader.is_in(named.unwrap_or(guess.encoding));
        reader.hold(sample);
        Ok(reader)
    }

    /// The encoding, as far as it is known by now.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn is_in(&mut self, encoding: Encoding) {
        self.encoding = encoding;
        self.converter = (encoding != Encoding::Utf8).then(|| ToUtf8::new(encoding));
    }

    /// Makes bytes of the text ready to be given on.
    fn hold(&mut self, mut raw: Vec<u8>) {
        if !self.held.is_empty() {
            raw.splice(..0, std::mem::take(&mut self.held));
        }
        if self.undecided
            && let Some(first) = raw.iter().position(|byte| !byte.is_ascii())
        {
            if raw.len() - first < WIDEST && !self.ended {
                self.held = raw.split_off(first);
                self.ready = Cursor::new(raw);
                return;
            }
            self.undecided = false;
            let guess = Encoding::of(raw.get(first..).unwrap_or_default(), self.ended);
            self.is_in(guess.encoding);
        }
        let text = match &mut self.converter {
            None => raw,
            Some(converter) => {
                let mut text = Vec::new();
                converter.convert(&raw, self.ended, &mut text);
                text
            }
        };
        self.ready = Cursor::new(text);
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let given = self.ready.read(buffer)?;
            if given > 0 || buffer.is_empty() || self.ended {
                return Ok(given);
            }
            // UTF-8 is not copied.
            if self.converter.is_none() && !self.undecided {
                return self.inner.read(buffer);
            }
            let mut raw = vec![0; CHUNK];
            let read = match self.inner.read(&mut raw) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            raw.truncate(read);
            self.ended = read == 0;
            self.hold(raw);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let one = buffer.len().min(1);
            self.0.read(&mut buffer[..one])
        }
    }

    fn read(text: &[u8], named: Option<Encoding>) -> (Vec<u8>, Encoding) {
        let mut all = Vec::new();
        let mut reader = Utf8Reader::new(text, named).unwrap();
        reader.read_to_end(&mut all).unwrap();
        let mut slowly = Vec::new();
        Utf8Reader::new(Slow(text), named).unwrap().read_to_end(&mut slowly).unwrap();
        assert_eq!(all, slowly);
        (all, reader.encoding())
    }

    #[test]
    fn text_of_any_encoding_is_read_as_utf_8() {
        let text = "Môn, Tŷ\r\n";
        for long in [0, SAMPLE, 3 * SAMPLE] {
            let text = format!("{}{text}", "x".repeat(long));
            assert_eq!(read(text.as_bytes(), None), (text.clone().into(), Encoding::Utf8));
            let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
            let marked = [b"\xff\xfe".to_vec(), wide(u16::to_le_bytes)].concat();
            let expected = format!("\u{feff}{text}");
            assert_eq!(read(&marked, None), (expected.into(), Encoding::Utf16Le));
            assert_eq!(
                read(&wide(u16::to_be_bytes), Some(Encoding::Utf16Be)),
                (text.into(), Encoding::Utf16Be)
            );
            let latin = [vec![b'x'; long], b"M\xf4n".to_vec()].concat();
            let expected = format!("{}Môn", "x".repeat(long));
            assert_eq!(read(&latin, None), (expected.into(), Encoding::Windows1252), "after {long} bytes");
        }
        assert_eq!(read(b"", None), (Vec::new(), Encoding::Utf8));
    }
}
