//! Rows of a table out of a reader, for those who want cells and not the bytes between them.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};

use crate::title::{Signs, Title, Way};
use crate::{Dialect, Encoding, Fault, SAMPLE, Scanner, Step, ToUtf8, blank, foreign, has_row_names, value};

/// Bytes read at a time.
const CHUNK: usize = 64 << 10;
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads one row after another, in memory that does not grow with the table.
pub struct Records<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    converter: Option<ToUtf8>,
    scanner: Scanner,
    guess: Guess,
    line: u64,
    max_row: usize,
    max_cells: usize,
    /// Whether the delimiter was found, and not named.
    is_found: bool,
    /// Whether rows begin with a name of the row, for which the header has no cell; unknown before the header is read.
    row_names: Option<bool>,
}

#[derive(Clone, Copy, Debug)]
struct Guess {
    encoding: Encoding,
    named: bool,
    ascii: bool,
}

/// The known properties of a table before it is read, and the limits of a row.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The delimiter, if it is not to be found.
    pub delimiter: Option<u8>,
    /// The encoding, if it is not to be found.
    pub encoding: Option<Encoding>,
    /// Bytes of a row at most.
    pub max_row: usize,
    /// Cells of a row at most.
    pub max_cells: usize,
    /// Whether the first row has the names of the columns.
    pub header: bool,
}

/// Why a table can't be read on.
#[derive(Debug)]
pub enum Error {
    /// It can't be read at all.
    Read(io::Error),
    /// A row is too long: its line, and the bytes that it may have.
    TooLong(u64, usize),
    /// A row is malformed: its line, and why.
    Row(u64, Fault),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::TooLong(line, most) => {
                write!(f, "line {line}: a row of more than {most} bytes: is a quote left open?")
            }
            Self::Row(line, fault) => write!(f, "line {line}: {fault}"),
        }
    }
}

impl std::error::Error for Error {}

impl<R: Read> Records<R> {
    /// Reads the beginning of a table, and finds out how it is written.
    ///
    /// # Errors
    /// If it can't be read, or is not text, such as a Parquet file.
    pub fn new(reader: R, wanted: &Wanted) -> io::Result<Self> {
        let mut records = Self {
            reader,
            buffer: Vec::new(),
            start: 0,
            ended: false,
            converter: None,
            scanner: Scanner::new(b','),
            guess: Guess { encoding: Encoding::Utf8, named: wanted.encoding.is_some(), ascii: false },
            line: 1,
            max_row: wanted.max_row,
            max_cells: wanted.max_cells,
            is_found: wanted.delimiter.is_none(),
            row_names: (!wanted.header).then_some(false),
        };
        while records.buffer.len() < SAMPLE && records.more()? {}
        if let Some(kind) = foreign(&records.buffer) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, kind));
        }
        let found = Encoding::of(&records.buffer, records.ended);
        records.guess.encoding = wanted.encoding.unwrap_or(found.encoding);
        records.guess.ascii = found.ascii;
        if records.guess.encoding.is_wide() {
            let mut converter = ToUtf8::new(records.guess.encoding);
            let raw = std::mem::take(&mut records.buffer);
            converter.convert(&raw, records.ended, &mut records.buffer);
            records.converter = Some(converter);
        }
        if records.buffer.starts_with(MARK) {
            records.start = MARK.len();
        }
        let sample = records.buffer.get(records.start..).unwrap_or_default();
        let dialect = Dialect::with(wanted.delimiter, None, sample, records.ended);
        if dialect.preamble > 0 {
            records.start += dialect.preamble;
            records.line += 1;
            records.is_found = false;
        }
        records.scanner = Scanner::of(&dialect).at_most(wanted.max_cells);
        Ok(records)
    }

    /// Passes over a title above the names of the columns; see [`Title::find`]. Call it before the first row is read.
    pub fn pass_title(&mut self, see: impl Fn(&[String]) -> Signs) {
        let dialect =
            Dialect { delimiter: self.scanner.delimiter(), preamble: 0, quoting: self.scanner.quoting() };
        let way = Way { dialect, encoding: self.guess.encoding, is_found: self.is_found };
        if let Some(title) = Title::find(self.rest(), self.ended, &way, see) {
            self.start += title.bytes;
            self.line += title.lines;
            let dialect = Dialect { delimiter: title.delimiter, ..dialect };
            self.scanner = Scanner::of(&dialect).at_most(self.max_cells);
        }
    }

    /// The delimiter.
    pub fn delimiter(&self) -> u8 {
        self.scanner.delimiter()
    }

    /// The encoding, as far as it is known by now.
    pub fn encoding(&self) -> Encoding {
        self.guess.encoding
    }

    /// Returns whether rows begin with a name of the row, as R writes it. The header, which has no cell for it, is then
    /// given with an empty one. False before the header is read.
    pub fn has_row_names(&self) -> bool {
        self.row_names.unwrap_or_default()
    }

    /// Returns the next row that is not an empty line; `None` after the last.
    ///
    /// # Errors
    /// [`Error`]. The rows after it can't be read.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, Error> {
        loop {
            match blank(self.rest()) {
                Some(0) => break,
                Some(len) => self.start += len,
                None if self.more().map_err(Error::Read)? => continue,
                None if self.rest().is_empty() => return Ok(None),
                None => self.start += self.rest().len(),
            }
            self.line += 1;
        }
        let line = self.line;
        self.scanner.next_row();
        let len = loop {
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            match self.scanner.scan(rest, self.ended).map_err(|fault| Error::Row(fault.line(line), fault))? {
                Step::Row(len) if len <= self.max_row => break len,
                Step::More if rest.len() <= self.max_row => {}
                // The row begins above a quote that is left open.
                _ => {
                    let below = self.scanner.open_quote().unwrap_or_default();
                    return Err(Error::TooLong(line + below, self.max_row));
                }
            }
            self.more().map_err(Error::Read)?;
        };
        self.line += self.scanner.lines();
        let begin = self.start;
        self.start += len;
        let bytes = self.buffer.get(begin..self.start).unwrap_or_default();
        if self.guess.ascii && !self.guess.named && !bytes.is_ascii() {
            self.guess.ascii = false;
            self.guess.encoding = Encoding::of(bytes, true).encoding;
        }
        let mut lead = 0;
        if self.row_names.is_none() {
            let below = self.buffer.get(self.start..).unwrap_or_default();
            let found = has_row_names(bytes, &self.scanner, below, self.ended);
            self.row_names = Some(found);
            lead = usize::from(found);
        }
        Ok(Some(Record { line, bytes, scanner: &self.scanner, encoding: self.guess.encoding, lead }))
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Reads on; false if there is no more.
    fn more(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let mut chunk = vec![0; CHUNK];
        let read = loop {
            match self.reader.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.ended = read == 0;
        match &mut self.converter {
            Some(converter) => converter.convert(&chunk[..read], self.ended, &mut self.buffer),
            None => self.buffer.extend_from_slice(&chunk[..read]),
        }
        Ok(!self.ended)
    }
}

impl<R> fmt::Debug for Records<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("line", &self.line)
            .field("guess", &self.guess)
            .finish_non_exhaustive()
    }
}

/// A row.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The line on which it begins, from 1.
    pub line: u64,
    bytes: &'a [u8],
    scanner: &'a Scanner,
    encoding: Encoding,
    /// Empty cells before those that are written.
    lead: usize,
}

impl<'a> Record<'a> {
    /// Returns how many cells it has.
    pub fn cells(&self) -> usize {
        self.scanner.cells() + self.lead
    }

    /// Returns what a cell says, in bytes; empty past the last cell.
    pub fn value(&self, n: usize) -> Cow<'a, [u8]> {
        let cell = n.checked_sub(self.lead).and_then(|n| self.scanner.cell(self.bytes, n));
        value(cell.unwrap_or_default(), self.scanner.quoting())
    }

    /// Returns what a cell says; empty past the last cell.
    pub fn text(&self, n: usize) -> Cow<'a, str> {
        match n.checked_sub(self.lead) {
            Some(n) => self.scanner.text(self.bytes, n, self.encoding),
            None => "".into(),
        }
    }

    /// Whether a cell is text in the encoding of the table; what is not is read as Windows-1252.
    pub fn is_text(&self, n: usize) -> bool {
        self.encoding == Encoding::Windows1252 || std::str::from_utf8(&self.value(n)).is_ok()
    }

    /// Whether nothing but spaces is in the cells from the `n`th on.
    pub fn is_blank_from(&self, n: usize) -> bool {
        self.scanner.is_blank_from(self.bytes, n.saturating_sub(self.lead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted =
        Wanted { delimiter: None, encoding: None, max_row: 100, max_cells: 9, header: true };

    fn read(table: &[u8]) -> Result<Vec<(u64, Vec<String>)>, Error> {
        let mut records = Records::new(table, &WANTED).unwrap();
        let mut rows = Vec::new();
        while let Some(row) = records.next_record()? {
            rows.push((row.line, (0..row.cells()).map(|n| row.text(n).into_owned()).collect()));
        }
        Ok(rows)
    }

    fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>) {
        (line, cells.iter().map(|&cell| cell.to_owned()).collect())
    }

    #[test]
    fn file_that_is_not_text_is_an_error_that_names_its_kind() {
        let error = Records::new(&b"PAR1\x15\x04"[..], &WANTED).unwrap_err();
        assert!(error.to_string().starts_with("a Parquet file"), "{error}");
    }

    #[test]
    fn one_table_is_read_alike_however_it_is_written() {
        let table = "name;town\r\n\r\n\"Zoë;\r\nB\";Leeds\r\nC;\r\n";
        let expected = [row(1, &["name", "town"]), row(3, &["Zoë;\r\nB", "Leeds"]), row(5, &["C", ""])];
        let wide = |bytes: fn(u16) -> [u8; 2]| {
            format!("\u{feff}{table}").encode_utf16().flat_map(bytes).collect::<Vec<u8>>()
        };
        for written in [
            table.as_bytes().to_vec(),
            format!("\u{feff}{table}").into_bytes(),
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
            table
                .replace('ë', "\u{1}")
                .into_bytes()
                .iter()
                .map(|b| if *b == 1 { 0xeb } else { *b })
                .collect(),
        ] {
            assert_eq!(read(&written).unwrap(), expected);
        }
        assert_eq!(read(b"sep=;\ra;b\r").unwrap(), [row(2, &["a", "b"])]);
        assert_eq!(read(b"").unwrap(), []);
    }

    #[test]
    fn header_of_r_gets_an_empty_cell_for_the_names_of_rows() {
        let table = b"\"n\" \"p\"\n\"1\" \"Ada \\\"x\\\"\" \"M1 1AE\"\n";
        let expected = [row(1, &["", "n", "p"]), row(2, &["1", "Ada \"x\"", "M1 1AE"])];
        assert_eq!(read(table).unwrap(), expected);
        let mut records = Records::new(&table[..], &WANTED).unwrap();
        assert!(!records.has_row_names());
        records.next_record().unwrap();
        assert!(records.has_row_names());
        assert_eq!(read(b"\"\",\"n\"\n\"1\",\"Ada\"\n").unwrap()[0], row(1, &["", "n"]));
    }

    #[test]
    fn table_without_a_header_has_no_names_of_rows() {
        let table = b"\"n\" \"p\"\n\"1\" \"Ada\" \"M1 1AE\"\n";
        let mut records = Records::new(&table[..], &Wanted { header: false, ..WANTED }).unwrap();
        assert_eq!(records.next_record().unwrap().unwrap().cells(), 2);
        assert!(!records.has_row_names());
    }

    #[test]
    fn title_is_passed_over_and_lines_stay_what_they_are() {
        let table = "\u{feff}List of 2024\n\nn;zip\n1;M1\n";
        let wide: Vec<u8> = table.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let see = |cells: &[String]| Signs {
            named: cells.iter().position(|cell| cell == "zip"),
            ..Signs::default()
        };
        for table in [table.as_bytes(), &wide] {
            let mut records = Records::new(table, &WANTED).unwrap();
            records.pass_title(see);
            assert_eq!(records.delimiter(), b';');
            let header = records.next_record().unwrap().unwrap();
            assert_eq!((header.line, header.text(1)), (3, "zip".into()));
        }
        let mut records = Records::new(&b"n,p\n1,M1\n"[..], &WANTED).unwrap();
        records.pass_title(see);
        assert_eq!(records.next_record().unwrap().unwrap().line, 1);
    }

    #[test]
    fn what_is_too_much_is_refused_with_its_line() {
        let long = format!("a\n{}", "x".repeat(200));
        assert!(matches!(read(long.as_bytes()), Err(Error::TooLong(2, 100))));
        assert!(matches!(read(b"a\n,,,,,,,,,,\n"), Err(Error::Row(2, Fault::TooManyCells(9)))));
        let open = format!("a\n\"b\nc\",\"{}", "x".repeat(200_000));
        assert!(matches!(read(open.as_bytes()), Err(Error::TooLong(3, 100))), "where the quote opens");
        assert!(matches!(read(b"a\n\"b\n"), Err(Error::Row(2, Fault::OpenQuote(0)))));
    }
}
