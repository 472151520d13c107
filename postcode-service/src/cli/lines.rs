//! Lines of a text that may be anything: too long, not UTF-8, without an end.

use std::io;

use postcode_tables::{Encoding, ToUtf8};
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// No postcode is longer, however it is spaced.
const LONGEST: usize = 1_024;

/// A line that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unread {
    /// The part of it that can be printed.
    pub(super) shown: String,
    pub(super) why: String,
}

/// Reads lines that end at LF, CR or CRLF; memory does not grow with their length.
///
/// Reads UTF-16 if the text begins with its mark. Otherwise a line that is not UTF-8 is read as Windows-1252.
pub(super) struct Lines<R> {
    input: R,
    /// Bytes read from the input, converted to UTF-8 if they are UTF-16.
    ready: Vec<u8>,
    /// The number of bytes of `ready` that are already returned.
    given: usize,
    converter: Option<ToUtf8>,
    begun: bool,
    ended: bool,
    /// Whether the previous line ended with CR, so that an LF is a part of its end.
    after_cr: bool,
    line: Vec<u8>,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            ready: Vec::new(),
            given: 0,
            converter: None,
            begun: false,
            ended: false,
            after_cr: false,
            line: Vec::new(),
        }
    }

    /// Returns the next line without its end, or why it can't be read.
    /// `None` at the end.
    pub(super) async fn next(&mut self) -> io::Result<Option<Result<String, Unread>>> {
        if !self.begun {
            self.begun = true;
            self.begin().await?;
        }
        self.line.clear();
        let mut total = 0;
        loop {
            if self.given == self.ready.len() && !self.more().await? {
                if total == 0 {
                    return Ok(None);
                }
                break;
            }
            let rest = &self.ready[self.given..];
            if std::mem::take(&mut self.after_cr) && rest.starts_with(b"\n") {
                self.given += 1;
                continue;
            }
            let end = memchr::memchr2(b'\n', b'\r', rest);
            let part = &rest[..end.unwrap_or(rest.len())];
            let room = (LONGEST + 1).saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            total += part.len() + 1;
            self.after_cr = end.is_some_and(|end| rest[end] == b'\r');
            self.given += end.map_or(rest.len(), |end| end + 1);
            if end.is_some() {
                break;
            }
        }
        if self.line.len() > LONGEST {
            let start = String::from_utf8_lossy(&self.line[..64]).into_owned();
            let why = format!("a line of more than {LONGEST} bytes");
            return Ok(Some(Err(Unread { shown: start, why })));
        }
        Ok(Some(Ok(Encoding::Utf8.text(&self.line).into_owned())))
    }

    /// Reads the mark at the beginning, if there is one.
    async fn begin(&mut self) -> io::Result<()> {
        let mut start = Vec::new();
        // A mark has at most three bytes. Only those begin with such a byte, or a character that is not ASCII, so a
        // person who types is not kept waiting.
        let unclear = |start: &[u8]| start.len() < 3 && start.first().is_none_or(|first| *first >= 0xef);
        while !self.ended && unclear(&start) {
            self.ended = take(&mut self.input, &mut start).await? == 0;
        }
        let (encoding, mark) = Encoding::marked(&start).unwrap_or_default();
        if encoding.is_wide() {
            self.converter = Some(ToUtf8::new(encoding));
        }
        self.make_ready(&start[mark..]);
        Ok(())
    }

    /// Reads on; false if there is no more.
    async fn more(&mut self) -> io::Result<bool> {
        self.ready.clear();
        self.given = 0;
        let mut read = Vec::new();
        while self.ready.is_empty() && !self.ended {
            read.clear();
            self.ended = take(&mut self.input, &mut read).await? == 0;
            self.make_ready(&read);
        }
        Ok(!self.ready.is_empty())
    }

    fn make_ready(&mut self, bytes: &[u8]) {
        match &mut self.converter {
            Some(converter) => converter.convert(bytes, self.ended, &mut self.ready),
            None => self.ready.extend_from_slice(bytes),
        }
    }
}

/// Takes the bytes that are there, or waits for some. Returns how many, 0 at the end.
async fn take(input: &mut (impl AsyncBufRead + Unpin), out: &mut Vec<u8>) -> io::Result<usize> {
    let bytes = input.fill_buf().await?;
    let len = bytes.len();
    out.extend_from_slice(bytes);
    input.consume(len);
    Ok(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads lines with a small buffer, so that they span several.
    async fn read(text: &[u8]) -> Vec<Result<String, Unread>> {
        let mut lines = Lines::new(tokio::io::BufReader::with_capacity(7, text));
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            read.push(line);
        }
        read
    }

    #[tokio::test]
    async fn line_of_any_encoding_and_end_is_read() {
        let text = "SW1A 1AA\r\nM1\u{a0}1AE\rEH1 1YZ\n\r\r\nlast\r\n";
        let expected = ["SW1A 1AA", "M1\u{a0}1AE", "EH1 1YZ", "", "", "last"].map(|line| Ok(line.to_owned()));
        let marked = format!("\u{feff}{text}");
        assert_eq!(read(text.as_bytes()).await, expected);
        assert_eq!(read(marked.as_bytes()).await, expected);
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let wide: Vec<u8> = marked.encode_utf16().flat_map(bytes).collect();
            assert_eq!(read(&wide).await, expected);
        }
        let old: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
        assert_eq!(read(&old).await, expected);
        for empty in ["".as_bytes(), b"\xef\xbb\xbf", b"\xff\xfe"] {
            assert!(read(empty).await.is_empty(), "{empty:?}");
        }
        assert_eq!(read(b"\xef").await, [Ok("ï".to_owned())]);
    }

    #[tokio::test]
    async fn every_line_is_given_whatever_it_holds() {
        let long = "x".repeat(5_000);
        let text = [b"AB10 1AB\r\n\n\xff\xfe\n".as_slice(), long.as_bytes(), b"\nlast"].concat();
        let read = read(&text).await;
        assert_eq!(read.len(), 5);
        assert_eq!(read[0], Ok("AB10 1AB".to_owned()));
        assert_eq!(read[1], Ok(String::new()));
        let unread = |shown: &str, why: &str| Err(Unread { shown: shown.to_owned(), why: why.to_owned() });
        assert_eq!(read[2], Ok("ÿþ".to_owned()));
        assert_eq!(read[3], unread(&"x".repeat(64), "a line of more than 1024 bytes"));
        assert_eq!(read[4], Ok("last".to_owned()));
    }
}
