//! Rows of delimited text, in memory that does not grow with the file.

use std::borrow::Cow;
use std::io::Read;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::error::{Error, Result};

/// The most bytes of a row. The longest columns of a known layout are a geometry and a full address.
pub(super) const MAX_ROW: usize = 64 << 10;
/// The most columns of a row.
const MAX_COLUMNS: usize = 256;
/// Bytes that are read at a time.
const CHUNK: usize = 256 << 10;

/// Reads one row after another.
pub(super) struct Rows<'a> {
    reader: &'a mut dyn Read,
    file: &'a str,
    parser: Reader,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    fields: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
    line: u64,
    pub(super) rows: u64,
    last_byte: u8,
    /// Values with letters outside ASCII, in UTF-8 and in Latin-1.
    pub(super) encodings: [u64; 2],
}

impl<'a> Rows<'a> {
    pub(super) fn new(reader: &'a mut dyn Read, file: &'a str, delimiter: u8) -> Self {
        Self {
            reader,
            file,
            parser: ReaderBuilder::new().delimiter(delimiter).build(),
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            ended: false,
            fields: vec![0; MAX_ROW],
            ends: vec![0; MAX_COLUMNS],
            count: 0,
            line: 0,
            rows: 0,
            last_byte: b'\n',
            encodings: [0; 2],
        }
    }

    /// Reads the next row. Returns whether there is one.
    pub(super) fn next(&mut self) -> Result<bool> {
        let (mut out, mut ends) = (0, 0);
        loop {
            if self.start == self.end && !self.ended {
                self.fill()?;
            }
            let input = &self.buffer[self.start..self.end];
            let (result, read, written, ended) =
                self.parser.read_record(input, &mut self.fields[out..], &mut self.ends[ends..]);
            if read > 0 {
                self.last_byte = input[read - 1];
            }
            self.start += read;
            out += written;
            ends += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(Error::TooLong {
                        file: self.file.to_owned(),
                        line: self.line + 1,
                        most: MAX_ROW,
                    });
                }
                ReadRecordResult::Record => {
                    self.count = ends;
                    self.line = self.parser.line();
                    if self.rows == 0 {
                        self.skip_mark();
                    }
                    self.rows += 1;
                    return Ok(true);
                }
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    fn fill(&mut self) -> Result<()> {
        let read = loop {
            match self.reader.read(&mut self.buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other.map_err(|source| Error::Read { file: self.file.to_owned(), source })?,
            }
        };
        (self.start, self.end, self.ended) = (0, read, read == 0);
        Ok(())
    }

    /// Removes the byte order mark from the first value.
    fn skip_mark(&mut self) {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        let Some(&first) = self.ends[..self.count].first() else { return };
        if self.fields[..first].starts_with(MARK) {
            self.fields.copy_within(MARK.len()..first, 0);
            self.fields[first - MARK.len()..first].fill(b' ');
        }
    }

    /// Returns the number of the row's line, counted from 1. In a file without line breaks in values it is exact.
    pub(super) fn line(&self) -> u64 {
        self.line.saturating_sub(u64::from(self.last_byte == b'\n')).max(1)
    }

    /// Returns whether the file ended without a line end after this row.
    pub(super) fn is_cut(&self) -> bool {
        !matches!(self.last_byte, b'\n' | b'\r')
    }

    pub(super) fn columns(&self) -> usize {
        self.count
    }

    /// Returns the bytes of a value without blanks around it. A missing column is empty.
    pub(super) fn bytes(&self, column: usize) -> &[u8] {
        if column >= self.count {
            return &[];
        }
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        self.fields[start..self.ends[column]].trim_ascii()
    }

    /// Returns a value as text.
    pub(super) fn text(&self, column: usize) -> Cow<'_, str> {
        decode(self.bytes(column))
    }

    /// Writes a value into a text.
    pub(super) fn put(&mut self, column: usize, text: &mut String) {
        text.clear();
        let bytes = self.bytes(column);
        if bytes.is_ascii() && !bytes.iter().any(u8::is_ascii_control) {
            text.push_str(std::str::from_utf8(bytes).unwrap_or_default());
            return;
        }
        let decoded = decode(bytes);
        // A line break or a tab in a value is a blank for people.
        text.extend(decoded.chars().map(|letter| if letter.is_control() { ' ' } else { letter }));
        if bytes.is_ascii() {
            return;
        }
        let latin = matches!(decoded, Cow::Owned(_));
        self.encodings[usize::from(latin)] += 1;
    }

    /// Returns a whole number, or `None` if the value is empty.
    ///
    /// # Errors
    /// Returns the value if it is not a whole number below the limit.
    pub(super) fn number(&self, column: usize, below: u64) -> std::result::Result<Option<u64>, String> {
        number(self.bytes(column), below)
    }

    /// Returns a decimal number, or `None` if the value is not one.
    pub(super) fn decimal(&self, column: usize) -> Option<f64> {
        std::str::from_utf8(self.bytes(column)).ok()?.parse().ok().filter(|number: &f64| number.is_finite())
    }
}

/// Reads a whole number. Zeros in front are allowed.
pub(super) fn number(bytes: &[u8], below: u64) -> std::result::Result<Option<u64>, String> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let mut value = 0_u64;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        value = value.saturating_mul(10).saturating_add(u64::from(digit));
        if digit > 9 || value >= below {
            return Err(decode(bytes).into_owned());
        }
    }
    Ok(Some(value))
}

/// Returns bytes as text: UTF-8 if they are that, and Latin-1 otherwise.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&byte| latin(byte)).collect()),
    }
}

/// Returns the letter of a byte of Latin-1. Where Latin-1 has control characters, Windows has quotation marks and dashes.
fn latin(byte: u8) -> char {
    match byte {
        0x91 | 0x92 => '\'',
        0x93 | 0x94 => '"',
        0x96 | 0x97 => '-',
        0x80..=0x9f => ' ',
        byte => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_apart_and_decoded() {
        let mut bytes: &[u8] = b"\xef\xbb\xbfa,\"b, \"\"c\"\"\",\r\nCaf\xe9,Caf\xc3\xa9, x \nlast";
        let mut rows = Rows::new(&mut bytes, "f", b',');
        assert!(rows.next().unwrap());
        assert_eq!(
            (rows.columns(), &*rows.text(0), &*rows.text(1), &*rows.text(2)),
            (3, "a", "b, \"c\"", "")
        );
        assert_eq!(rows.line(), 1);
        assert!(rows.next().unwrap());
        let mut text = String::new();
        rows.put(0, &mut text);
        assert_eq!(text, "Café");
        rows.put(1, &mut text);
        assert_eq!(text, "Café");
        assert_eq!((rows.encodings, rows.line(), &*rows.text(2), &*rows.text(9)), ([1, 1], 2, "x", ""));
        assert!(rows.next().unwrap());
        assert!(rows.is_cut());
        assert!(!rows.next().unwrap());
    }

    #[test]
    fn quote_that_is_left_open_is_an_error() {
        let long = format!("a,\"{}", "x".repeat(MAX_ROW));
        let mut bytes = long.as_bytes();
        assert!(matches!(Rows::new(&mut bytes, "f", b',').next(), Err(Error::TooLong { .. })));
    }
}
