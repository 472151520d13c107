//! A text, cut into lines and cells. A second thread unpacks while the first one reads cells.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use anyhow::{Context as _, Result, bail};

use super::source::Text;

/// The byte-order mark that spreadsheets write in front of UTF-8.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// The error of an import that was broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted: nothing was published")]
pub(crate) struct Interrupted;

/// Bytes in one chunk between the threads.
const CHUNK: usize = 1 << 20;
/// Chunks on their way; with [`CHUNK`] the memory that reading takes, however large the text.
const IN_FLIGHT: usize = 4;
/// Bytes of a line at most. An ONSPD row has some 450.
pub(super) const MAX_LINE: usize = 64 << 10;
/// Lines of a text at most. The UK has had 2.7 million postcodes.
const MAX_LINES: u64 = 50_000_000;
/// Cells of a line at most.
pub(super) const MAX_CELLS: usize = 512;
/// Lines that a row may span at most, where a quoted cell has line ends in it.
const MAX_SPAN: usize = 100;

/// The state that the reader and its thread share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Set to break off.
    pub(super) stop: AtomicBool,
    /// Bytes read so far, of all texts.
    pub(super) read: AtomicU64,
}

impl Shared {
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Calls `each` with every line and its number, from 1, without line ends; blank lines are passed
/// over.
pub(super) fn for_each_line(
    text: &Text,
    shared: &Shared,
    mut each: impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    std::thread::scope(|scope| {
        let (full, chunks) = sync_channel::<Vec<u8>>(IN_FLIGHT);
        let (empty, buffers) = channel::<Vec<u8>>();
        let reading =
            scope.spawn(move || text.read(|reader| read_chunks(reader, text, shared, &full, &buffers)));
        let consumed = consume(&chunks, &empty, shared, &mut each);
        // If this thread stops, the other one sees its channel closed.
        drop(chunks);
        match reading.join() {
            Ok(read) => consumed.and(read),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// How the rows of a text are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Stands between two cells.
    pub(super) delimiter: u8,
    /// Whether the first line is one like `sep=;`, which is not a row.
    pub(super) preamble: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self { delimiter: b',', preamble: false }
    }
}

/// Calls `each` with every row and the number of its first line. A row takes more lines if a quoted cell has line ends in
/// it. A quote that is left open must not swallow the rest of the text, so lines are joined only if that makes a row of
/// `cells` cells with every quote where it belongs. Otherwise the first line stays alone, and is then refused.
pub(super) fn for_each_row(
    text: &Text,
    shared: &Shared,
    layout: Layout,
    cells: Option<usize>,
    mut each: impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut held = Held { lines: VecDeque::new(), joined: Vec::new() };
    for_each_line(text, shared, |number, line| {
        if layout.preamble && number == 1 {
            return Ok(());
        }
        held.offer(number, line, layout.delimiter, cells, &mut each)
    })?;
    held.settle(layout.delimiter, cells, true, &mut each)
}

/// Lines that may be one row.
struct Held {
    lines: VecDeque<(u64, Vec<u8>)>,
    joined: Vec<u8>,
}

impl Held {
    /// Takes the next line.
    fn offer(
        &mut self,
        number: u64,
        line: &[u8],
        delimiter: u8,
        cells: Option<usize>,
        each: &mut impl FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let stays_open = || memchr::memchr(b'"', line).is_some() && quotes(line, delimiter) == Quotes::Open;
        if self.lines.is_empty() && !stays_open() {
            return each(number, line);
        }
        if !self.lines.is_empty() {
            self.joined.push(b'\n');
        }
        self.joined.extend_from_slice(line);
        self.lines.push_back((number, line.to_owned()));
        // One line with an open quote is not a row yet.
        if self.lines.len() == 1 { Ok(()) } else { self.settle(delimiter, cells, false, each) }
    }

    /// Passes on what is known to be a row, and keeps what may become one; at the `end` nothing may.
    fn settle(
        &mut self,
        delimiter: u8,
        cells: Option<usize>,
        end: bool,
        each: &mut impl FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        while let Some((number, first)) = self.lines.front() {
            match quotes(&self.joined, delimiter) {
                Quotes::Open if !end && self.lines.len() < MAX_SPAN && self.joined.len() < MAX_LINE => {
                    return Ok(());
                }
                Quotes::Closed(count) if cells.is_none_or(|cells| cells == count) => {
                    each(*number, &self.joined)?;
                    self.lines.clear();
                }
                _ => {
                    each(*number, first)?;
                    self.lines.pop_front();
                    self.release(delimiter, each)?;
                }
            }
            self.joined.clear();
            for (at, (_, line)) in self.lines.iter().enumerate() {
                if at > 0 {
                    self.joined.push(b'\n');
                }
                self.joined.extend_from_slice(line);
            }
        }
        Ok(())
    }

    /// Passes on the lines that are rows by themselves, up to one with an open quote.
    fn release(&mut self, delimiter: u8, each: &mut impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        while let Some((number, line)) = self.lines.front() {
            if quotes(line, delimiter) == Quotes::Open {
                return Ok(());
            }
            each(*number, line)?;
            self.lines.pop_front();
        }
        Ok(())
    }
}

/// The quotes of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    /// The last one is not closed.
    Open,
    /// Each is closed at the end of its cell; of so many cells.
    Closed(usize),
    /// One is followed by something else than the next cell.
    Loose,
}

fn quotes(text: &[u8], delimiter: u8) -> Quotes {
    if memchr::memchr(b'"', text).is_none() {
        return Quotes::Closed(memchr::memchr_iter(delimiter, text).count() + 1);
    }
    let (mut cells, mut rest, mut loose) = (1, text, false);
    loop {
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            rest = quoted;
            loop {
                let Some(at) = memchr::memchr(b'"', rest) else { return Quotes::Open };
                rest = &rest[at + 1..];
                let Some(doubled) = rest.strip_prefix(b"\"") else { break };
                rest = doubled;
            }
            loose |= rest.first().is_some_and(|next| *next != delimiter);
        }
        let Some(at) = memchr::memchr(delimiter, rest) else { break };
        rest = &rest[at + 1..];
        cells += 1;
    }
    if loose { Quotes::Loose } else { Quotes::Closed(cells) }
}

fn consume(
    chunks: &Receiver<Vec<u8>>,
    empty: &Sender<Vec<u8>>,
    shared: &Shared,
    each: &mut impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut number = 0;
    while let Ok(chunk) = chunks.recv() {
        if shared.stopped() {
            return Ok(());
        }
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &chunk) {
            number += 1;
            let line = &chunk[start..end];
            // Not tabs: in some tables they separate empty cells.
            let line = &line[..line.iter().rposition(|c| !matches!(c, b'\r' | b' ')).map_or(0, |at| at + 1)];
            start = end + 1;
            if !line.is_empty() {
                each(number, line)?;
            }
        }
        // The reader may be gone already.
        let _ = empty.send(chunk);
    }
    Ok(())
}

/// Sends chunks that end with a line. Adds a line ending to the last one if it has none.
fn read_chunks(
    reader: &mut dyn Read,
    text: &Text,
    shared: &Shared,
    full: &SyncSender<Vec<u8>>,
    buffers: &Receiver<Vec<u8>>,
) -> Result<()> {
    let mut carry = Vec::new();
    let mut lines = 0;
    loop {
        let mut chunk = buffers.try_recv().unwrap_or_default();
        chunk.clear();
        chunk.append(&mut carry);
        let before = chunk.len();
        // read_to_end alone does not work: bytes before an error are valid, but the text is not
        // complete.
        let wanted = CHUNK.saturating_sub(before).max(1) as u64;
        let read = reader.take(wanted).read_to_end(&mut chunk).with_context(|| {
            format!("{}: can't be read to its end: is it whole? Nothing was published", text.display)
        })?;
        shared.read.fetch_add(read as u64, Ordering::Relaxed);
        if shared.stopped() {
            return Ok(());
        }
        let end = read == 0;
        if end && !chunk.is_empty() {
            chunk.push(b'\n');
        }
        // A CR that no LF follows ends a line, too. Of the last byte that is not known yet.
        for at in memchr::memchr_iter(b'\r', &chunk).collect::<Vec<_>>() {
            if chunk.get(at + 1).is_some_and(|next| *next != b'\n') {
                chunk[at] = b'\n';
            }
        }
        match memchr::memrchr(b'\n', &chunk) {
            Some(last) => {
                carry.extend_from_slice(&chunk[last + 1..]);
                chunk.truncate(last + 1);
                lines += memchr::memchr_iter(b'\n', &chunk).count() as u64;
                if full.send(chunk).is_err() {
                    return Ok(());
                }
            }
            None => carry = chunk,
        }
        if carry.len() > MAX_LINE {
            bail!("{}:{}: a line of more than {MAX_LINE} bytes: not a table", text.display, lines + 1);
        }
        if lines > MAX_LINES {
            bail!("{}: more than {MAX_LINES} lines: not a table of postcodes", text.display);
        }
        if end {
            return Ok(());
        }
    }
}

/// Cuts rows into cells, by the rules of CSV.
pub(super) struct Splitter {
    reader: csv_core::Reader,
    delimiter: u8,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

/// Why a line is not a row of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    OpenQuote,
    TooLong,
}

impl Splitter {
    pub(super) fn new(delimiter: u8) -> Self {
        let reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, delimiter, bytes: vec![0; MAX_LINE], ends: vec![0; MAX_CELLS], count: 0 }
    }

    /// Takes a line; its cells are then [`cell`](Self::cell).
    pub(super) fn split(&mut self, line: &[u8]) -> Result<(), Malformed> {
        use csv_core::ReadRecordResult as Read;
        if line.len() > MAX_LINE {
            return Err(Malformed::TooLong);
        }
        self.count = 0;
        if memchr::memchr(b'"', line).is_none() {
            return self.split_unquoted(line);
        }
        self.reader.reset();
        let (result, _, written, ends) = self.reader.read_record(line, &mut self.bytes, &mut self.ends);
        match result {
            Read::InputEmpty => {}
            Read::Record | Read::End => {
                self.count = ends;
                return Ok(());
            }
            Read::OutputFull | Read::OutputEndsFull => return Err(Malformed::TooLong),
        }
        let (bytes, more) = (&mut self.bytes[written..], &mut self.ends[ends..]);
        match self.reader.read_record(b"\n", bytes, more) {
            (Read::Record, _, _, last) => {
                // csv-core counts the ends of a record across calls, so that they need no
                // correction.
                self.count = ends + last;
                Ok(())
            }
            (Read::InputEmpty, ..) => Err(Malformed::OpenQuote),
            _ => Err(Malformed::TooLong),
        }
    }

    fn split_unquoted(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let mut at = 0;
        let mut push = |cell: &[u8]| {
            let end = self.ends.get_mut(self.count).ok_or(Malformed::TooLong)?;
            self.bytes[at..at + cell.len()].copy_from_slice(cell);
            at += cell.len();
            *end = at;
            self.count += 1;
            Ok(())
        };
        let mut start = 0;
        for comma in memchr::memchr_iter(self.delimiter, line) {
            push(&line[start..comma])?;
            start = comma + 1;
        }
        push(&line[start..])
    }

    /// Returns the number of cells in the line.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Returns a cell, trimmed; empty if the line is shorter.
    pub(super) fn cell(&self, at: usize) -> &[u8] {
        if at >= self.count {
            return b"";
        }
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        self.bytes[start..self.ends[at]].trim_ascii()
    }

    /// Returns all cells as text.
    pub(super) fn texts(&self) -> Vec<String> {
        (0..self.count).map(|at| String::from_utf8_lossy(self.cell(at)).into_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(line: &str) -> Result<Vec<String>, Malformed> {
        let mut splitter = Splitter::new(b',');
        splitter.split(line.as_bytes())?;
        Ok(splitter.texts())
    }

    #[test]
    fn cells_with_and_without_quotes() {
        assert_eq!(cells("a, b ,,c").unwrap(), ["a", "b", "", "c"]);
        assert_eq!(cells("\"AB1 0AA\",\"\",1,\"x, y\"").unwrap(), ["AB1 0AA", "", "1", "x, y"]);
        assert_eq!(cells("\"say \"\"so\"\"\",2").unwrap(), ["say \"so\"", "2"]);
        assert_eq!(cells(",").unwrap(), ["", ""]);
    }

    #[test]
    fn an_open_quote_is_an_error_of_its_line() {
        let mut splitter = Splitter::new(b',');
        assert_eq!(splitter.split(b"\"AB1 0AA,1"), Err(Malformed::OpenQuote));
        assert_eq!(splitter.split(b"\"AB1 0AB\",2"), Ok(()));
        assert_eq!(splitter.texts(), ["AB1 0AB", "2"]);
    }

    #[test]
    fn quotes_are_closed_open_or_loose() {
        for (text, expected) in [
            ("a,b", Quotes::Closed(2)),
            ("\"a,b\",c", Quotes::Closed(2)),
            ("\"a\"\"b\",\"\"", Quotes::Closed(2)),
            ("a \"b\",c", Quotes::Closed(2)),
            ("x,\"a\nb\"", Quotes::Closed(2)),
            ("\"a,b", Quotes::Open),
            ("a,\"b\"\"", Quotes::Open),
            ("\"a\nb\"c\",d", Quotes::Loose),
        ] {
            assert_eq!(quotes(text.as_bytes(), b','), expected, "{text}");
        }
    }

    /// Lines as they come, and the rows that they make.
    #[test]
    fn lines_are_joined_only_where_that_makes_a_row() {
        for (lines, expected) in [
            (vec!["a,b", "\"c", "d\",e", "f,g"], vec!["1 a,b", "2 \"c\nd\",e", "4 f,g"]),
            // An open quote, and rows after it with and without quotes.
            (vec!["\"a,b", "c,d", "e,f"], vec!["1 \"a,b", "2 c,d", "3 e,f"]),
            (vec!["\"a,b", "\"c\",d", "e,f"], vec!["1 \"a,b", "2 \"c\",d", "3 e,f"]),
            (vec!["\"a,b", "\"c", "d\",e"], vec!["1 \"a,b", "2 \"c\nd\",e"]),
            (vec!["\"a", "b\",c,d", "e,f"], vec!["1 \"a", "2 b\",c,d", "3 e,f"]),
        ] {
            let mut held = Held { lines: VecDeque::new(), joined: Vec::new() };
            let mut rows = Vec::new();
            let mut each = |number: u64, row: &[u8]| {
                rows.push(format!("{number} {}", String::from_utf8_lossy(row)));
                Ok(())
            };
            for (number, line) in (1..).zip(&lines) {
                held.offer(number, line.as_bytes(), b',', Some(2), &mut each).unwrap();
            }
            held.settle(b',', Some(2), true, &mut each).unwrap();
            assert_eq!(rows, expected, "{lines:?}");
        }
    }

    #[test]
    fn too_many_cells_are_an_error() {
        assert_eq!(cells(&",".repeat(MAX_CELLS)), Err(Malformed::TooLong));
        assert_eq!(cells(&format!("\"\"{}", ",".repeat(MAX_CELLS))), Err(Malformed::TooLong));
        assert_eq!(cells(&",".repeat(MAX_CELLS - 1)).unwrap().len(), MAX_CELLS);
    }
}
