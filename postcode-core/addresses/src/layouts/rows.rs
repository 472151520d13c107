//! Rows of delimited text, in memory that does not grow with the file.

use std::borrow::Cow;
use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::error::{Error, Result};

/// The most bytes of a row. The longest columns of a known layout are a geometry and a full address.
pub(super) const MAX_ROW: usize = 64 << 10;
/// The most columns of a row.
const MAX_COLUMNS: usize = 256;
/// For a file of fixed width, which has no delimiter: a line is one value.
pub(super) const NO_DELIMITER: u8 = 0x1f;
/// Bytes that are read at a time.
const CHUNK: usize = 256 << 10;

/// Bytes of values after which a block of rows ends.
const BLOCK: usize = 256 << 10;
/// The most blocks that wait for the reading thread.
const WAITING: usize = 4;

/// Rows that were taken apart together.
#[derive(Default)]
struct Block {
    /// The values of all rows behind each other. What is after the last one is kept for its memory.
    fields: Vec<u8>,
    /// Where each value ends.
    ends: Vec<usize>,
    rows: Vec<Row>,
}

/// A row of a block: its values and where it stands in the file.
#[derive(Clone, Copy, Default)]
struct Row {
    first: usize,
    count: usize,
    line: u64,
    last_byte: u8,
}

/// Takes rows apart.
struct Parser<'a> {
    reader: &'a mut dyn Read,
    file: &'a str,
    parser: Reader,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    /// Whether a row was read.
    begun: bool,
    /// The line of the previous row.
    line: u64,
    last_byte: u8,
    /// The error after the rows of the previous block.
    failed: Option<Error>,
}

impl<'a> Parser<'a> {
    fn new(reader: &'a mut dyn Read, file: &'a str, delimiter: u8) -> Self {
        Self {
            reader,
            file,
            // A line of fixed width is one value, whatever stands in it.
            parser: ReaderBuilder::new().delimiter(delimiter).quoting(delimiter != NO_DELIMITER).build(),
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            ended: false,
            begun: false,
            line: 0,
            last_byte: b'\n',
            failed: None,
        }
    }

    /// Fills a block. At the end of the file it stays empty.
    fn fill(&mut self, block: &mut Block) -> Result<()> {
        block.rows.clear();
        block.ends.clear();
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut at = 0;
        while at < BLOCK {
            match self.row(block, at) {
                Ok(Some(end)) => at = end,
                Ok(None) => break,
                Err(error) if block.rows.is_empty() => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Adds the next row, its values from `at` on. Returns where they end, or `None` at the end of the file.
    fn row(&mut self, block: &mut Block, at: usize) -> Result<Option<usize>> {
        block.fields.resize(block.fields.len().max(at + MAX_ROW), 0);
        let first = block.ends.len();
        block.ends.resize(first + MAX_COLUMNS, 0);
        let (mut out, mut ends) = (0, 0);
        loop {
            if self.start == self.end && !self.ended {
                self.read()?;
            }
            let input = &self.buffer[self.start..self.end];
            let (result, read, written, ended) = self.parser.read_record(
                input,
                &mut block.fields[at + out..at + MAX_ROW],
                &mut block.ends[first + ends..],
            );
            if read > 0 {
                self.last_byte = input[read - 1];
            }
            self.start += read;
            out += written;
            ends += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    block.ends.truncate(first);
                    let line = self.line + 1;
                    return Err(Error::TooLong { file: self.file.to_owned(), line, most: MAX_ROW });
                }
                ReadRecordResult::Record => {
                    block.ends.truncate(first + ends);
                    block.ends[first..].iter_mut().for_each(|end| *end += at);
                    let line = self.parser.line();
                    // The parser stands on the next line, if the row had a line end.
                    self.line = line.saturating_sub(u64::from(self.last_byte == b'\n'));
                    block.rows.push(Row { first, count: ends, line, last_byte: self.last_byte });
                    if !std::mem::replace(&mut self.begun, true) {
                        skip_mark(&mut block.fields, block.ends.first().copied());
                    }
                    return Ok(Some(at + out));
                }
                ReadRecordResult::End => {
                    block.ends.truncate(first);
                    return Ok(None);
                }
            }
        }
    }

    fn read(&mut self) -> Result<()> {
        let read = loop {
            match self.reader.read(&mut self.buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other.map_err(|source| Error::Read { file: self.file.to_owned(), source })?,
            }
        };
        (self.start, self.end, self.ended) = (0, read, read == 0);
        Ok(())
    }
}

/// Removes the byte order mark from the first value.
fn skip_mark(fields: &mut [u8], first: Option<usize>) {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let Some(first) = first else { return };
    if fields[..first].starts_with(MARK) {
        fields.copy_within(MARK.len()..first, 0);
        fields[first - MARK.len()..first].fill(b' ');
    }
}

/// The way of blocks to the thread that reads rows, and of their memory back.
pub(super) struct Sending {
    blocks: SyncSender<Block>,
    used: Receiver<Block>,
}

/// The other side of [`Sending`].
pub(super) struct Receiving {
    blocks: Receiver<Block>,
    used: SyncSender<Block>,
}

/// Makes the way of blocks from one thread to another.
pub(super) fn channel() -> (Sending, Receiving) {
    let (blocks, taken) = sync_channel(WAITING);
    let (back, used) = sync_channel(WAITING);
    (Sending { blocks, used }, Receiving { blocks: taken, used: back })
}

/// Takes all rows apart, for [`Rows::received`] in another thread. Ends early if that one has ended.
pub(super) fn take_apart(reader: &mut dyn Read, file: &str, delimiter: u8, to: &Sending) -> Result<()> {
    let mut parser = Parser::new(reader, file, delimiter);
    loop {
        let mut block = to.used.try_recv().unwrap_or_default();
        parser.fill(&mut block)?;
        if block.rows.is_empty() || to.blocks.send(block).is_err() {
            return Ok(());
        }
    }
}

/// Where the rows come from.
enum Source<'a> {
    Here(Box<Parser<'a>>),
    Thread(Receiving),
}

/// Reads one row after another.
pub(super) struct Rows<'a> {
    source: Source<'a>,
    block: Block,
    /// The place of the next row in the block.
    next: usize,
    row: Row,
    pub(super) rows: u64,
    /// Values with letters outside ASCII, in UTF-8 and in Latin-1.
    pub(super) encodings: [u64; 2],
}

impl<'a> Rows<'a> {
    pub(super) fn new(reader: &'a mut dyn Read, file: &'a str, delimiter: u8) -> Self {
        Self::of(Source::Here(Box::new(Parser::new(reader, file, delimiter))))
    }

    /// Reads rows that another thread takes apart.
    pub(super) fn received(from: Receiving) -> Self {
        Self::of(Source::Thread(from))
    }

    fn of(source: Source<'a>) -> Self {
        let (block, row) = (Block::default(), Row { last_byte: b'\n', ..Row::default() });
        Self { source, block, next: 0, row, rows: 0, encodings: [0; 2] }
    }

    /// Reads the next row. Returns whether there is one.
    pub(super) fn next(&mut self) -> Result<bool> {
        if self.next == self.block.rows.len() {
            self.next = 0;
            match &mut self.source {
                Source::Here(parser) => parser.fill(&mut self.block)?,
                Source::Thread(receiving) => {
                    // An error of the other thread is told by that thread.
                    let block = receiving.blocks.recv().unwrap_or_default();
                    let used = std::mem::replace(&mut self.block, block);
                    let _ = receiving.used.try_send(used);
                }
            }
        }
        let Some(row) = self.block.rows.get(self.next) else { return Ok(false) };
        self.row = *row;
        self.next += 1;
        self.rows += 1;
        Ok(true)
    }

    /// Returns the number of the row's line, counted from 1. In a file without line breaks in values it is exact.
    pub(super) fn line(&self) -> u64 {
        self.row.line.saturating_sub(u64::from(self.row.last_byte == b'\n')).max(1)
    }

    /// Returns whether the file ended without a line end after this row.
    pub(super) fn is_cut(&self) -> bool {
        !matches!(self.row.last_byte, b'\n' | b'\r')
    }

    pub(super) fn columns(&self) -> usize {
        self.row.count
    }

    /// Returns the bytes of a value without blanks around it. A missing column is empty.
    pub(super) fn bytes(&self, column: usize) -> &[u8] {
        self.untrimmed(column).trim_ascii()
    }

    /// Returns the bytes of a value. A missing column is empty.
    pub(super) fn untrimmed(&self, column: usize) -> &[u8] {
        if column >= self.row.count {
            return &[];
        }
        let at = self.row.first + column;
        // Values stand behind each other, also those of different rows.
        let start = at.checked_sub(1).map_or(0, |before| self.block.ends[before]);
        &self.block.fields[start..self.block.ends[at]]
    }

    /// Returns a value as text.
    pub(super) fn text(&self, column: usize) -> Cow<'_, str> {
        decode(self.bytes(column))
    }

    /// Writes a value into a text.
    pub(super) fn put(&mut self, column: usize, text: &mut String) {
        let encoding = put(self.bytes(column), text);
        self.count(encoding);
    }

    /// Counts the encoding of a text that [`put`] wrote.
    #[inline]
    pub(super) fn count(&mut self, latin: Option<bool>) {
        if let Some(latin) = latin {
            self.encodings[usize::from(latin)] += 1;
        }
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

/// Writes bytes into a text. Returns whether letters outside ASCII are in Latin-1, if there are any.
pub(super) fn put(bytes: &[u8], text: &mut String) -> Option<bool> {
    text.clear();
    if bytes.is_ascii() && !bytes.iter().any(u8::is_ascii_control) {
        text.push_str(std::str::from_utf8(bytes).unwrap_or_default());
        return None;
    }
    let decoded = decode(bytes);
    // A line break or a tab in a value is a blank for people.
    text.extend(decoded.chars().map(|letter| if letter.is_control() { ' ' } else { letter }));
    (!bytes.is_ascii()).then_some(matches!(decoded, Cow::Owned(_)))
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
    fn rows_of_many_blocks_are_the_same_here_and_from_another_thread() {
        let mut text = String::new();
        for n in 0..60_000 {
            text.push_str(&format!("{n},\"value {n}\",{}\n", "x".repeat(n % 40)));
        }
        let (sending, receiving) = channel();
        let mut other = text.as_bytes();
        let mut bytes = text.as_bytes();
        std::thread::scope(|scope| {
            let taking = scope.spawn(move || take_apart(&mut other, "f", b',', &sending));
            let (mut here, mut there) = (Rows::new(&mut bytes, "f", b','), Rows::received(receiving));
            for n in 0..60_000_usize {
                assert!(here.next().unwrap() && there.next().unwrap());
                for rows in [&here, &there] {
                    let expected = (n.to_string(), format!("value {n}"), n % 40, 3, n as u64 + 1);
                    let (text, line) = (|at| rows.text(at).into_owned(), rows.line());
                    assert_eq!((text(0), text(1), rows.bytes(2).len(), rows.columns(), line), expected);
                }
            }
            assert!(!here.next().unwrap() && !there.next().unwrap() && !there.next().unwrap());
            taking.join().unwrap().unwrap();
        });
    }

    #[test]
    fn rows_before_an_error_are_read() {
        let text = format!("a,b\nc,d\n\"{}", "x".repeat(MAX_ROW + 1));
        let mut bytes = text.as_bytes();
        let mut rows = Rows::new(&mut bytes, "f", b',');
        assert!(rows.next().unwrap() && rows.next().unwrap());
        assert!(matches!(rows.next(), Err(Error::TooLong { line: 3, .. })));
    }

    #[test]
    fn quote_that_is_left_open_is_an_error() {
        let long = format!("a,\"{}", "x".repeat(MAX_ROW));
        let mut bytes = long.as_bytes();
        assert!(matches!(Rows::new(&mut bytes, "f", b',').next(), Err(Error::TooLong { .. })));
    }
}
