//! Lines of a text that may be anything: too long, not UTF-8, without an end.

use std::io;

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

/// Reads lines; memory does not grow with their length.
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: Vec::new() }
    }

    /// Returns the next line without its end, or why it can't be read.
    /// `None` at the end.
    pub(super) async fn next(&mut self) -> io::Result<Option<Result<String, Unread>>> {
        self.line.clear();
        let mut total = 0;
        loop {
            let buffer = self.input.fill_buf().await?;
            if buffer.is_empty() {
                if total == 0 {
                    return Ok(None);
                }
                break;
            }
            let end = buffer.iter().position(|b| *b == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = (LONGEST + 1).saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            total += part.len() + 1;
            let used = end.map_or(buffer.len(), |end| end + 1);
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        if self.line.len() > LONGEST {
            let start = String::from_utf8_lossy(&self.line[..64]).into_owned();
            let why = format!("a line of more than {LONGEST} bytes");
            return Ok(Some(Err(Unread { shown: start, why })));
        }
        Ok(Some(match std::str::from_utf8(&self.line) {
            Ok(text) => Ok(text.to_owned()),
            Err(e) => {
                let shown = String::from_utf8_lossy(&self.line).into_owned();
                Err(Unread { shown, why: format!("not UTF-8 from byte {} on", e.valid_up_to()) })
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_line_is_given_whatever_it_holds() {
        let long = "x".repeat(5_000);
        let text = [b"AB10 1AB\r\n\n\xff\xfe\n".as_slice(), long.as_bytes(), b"\nlast"].concat();
        // A small buffer, so that lines span several.
        let mut lines = Lines::new(tokio::io::BufReader::with_capacity(7, text.as_slice()));
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            read.push(line);
        }
        assert_eq!(read.len(), 5);
        assert_eq!(read[0], Ok("AB10 1AB".to_owned()));
        assert_eq!(read[1], Ok(String::new()));
        let unread = |shown: &str, why: &str| Err(Unread { shown: shown.to_owned(), why: why.to_owned() });
        assert_eq!(read[2], unread("\u{fffd}\u{fffd}", "not UTF-8 from byte 0 on"));
        assert_eq!(read[3], unread(&"x".repeat(64), "a line of more than 1024 bytes"));
        assert_eq!(read[4], Ok("last".to_owned()));
    }
}
