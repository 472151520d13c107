//! A text, cut into lines and cells. A second thread unpacks while the first one reads cells.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use anyhow::{Context as _, Result, bail};
use postcode_tables::{Dialect, Fault, Scanner, Step, value};

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

/// Calls `each` with every row and the number of its first line. A row takes more lines if a quoted cell has line ends in
/// it. A quote that is left open must not swallow the rest of the text, so lines are joined only if that makes a row of
/// `cells` cells with every quote where it belongs. Otherwise the first line stays alone, and is then refused.
pub(super) fn for_each_row(
    text: &Text,
    shared: &Shared,
    dialect: &Dialect,
    cells: Option<usize>,
    mut each: impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut held = Held::new(dialect, cells);
    for_each_line(text, shared, |number, line| {
        if dialect.preamble > 0 && number == 1 {
            return Ok(());
        }
        held.offer(number, line, &mut each)
    })?;
    held.settle(true, &mut each)
}

/// Lines that may be one row.
struct Held {
    scanner: Scanner,
    /// Cells of a row, if they are known.
    cells: Option<usize>,
    lines: VecDeque<(u64, Vec<u8>)>,
    joined: Vec<u8>,
}

impl Held {
    fn new(dialect: &Dialect, cells: Option<usize>) -> Self {
        let scanner = Scanner::of(dialect).at_most(MAX_CELLS);
        Self { scanner, cells, lines: VecDeque::new(), joined: Vec::new() }
    }

    /// Takes the next line.
    fn offer(
        &mut self,
        number: u64,
        line: &[u8],
        each: &mut impl FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        if self.lines.is_empty() {
            let may_be_open = memchr::memchr(b'"', line).is_some();
            if !may_be_open || quotes(&mut self.scanner, line) != Quotes::Open {
                return each(number, line);
            }
        }
        if !self.lines.is_empty() {
            self.joined.push(b'\n');
        }
        self.joined.extend_from_slice(line);
        self.lines.push_back((number, line.to_owned()));
        // One line with an open quote is not a row yet.
        if self.lines.len() == 1 { Ok(()) } else { self.settle(false, each) }
    }

    /// Passes on what is known to be a row, and keeps what may become one; at the `end` nothing may.
    fn settle(&mut self, end: bool, each: &mut impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        while let Some((number, first)) = self.lines.front() {
            match quotes(&mut self.scanner, &self.joined) {
                Quotes::Open if !end && self.lines.len() < MAX_SPAN && self.joined.len() < MAX_LINE => {
                    return Ok(());
                }
                Quotes::Closed(count) if self.cells.is_none_or(|cells| cells == count) => {
                    each(*number, &self.joined)?;
                    self.lines.clear();
                }
                _ => {
                    each(*number, first)?;
                    self.lines.pop_front();
                    self.release(each)?;
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
    fn release(&mut self, each: &mut impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        while let Some((number, line)) = self.lines.front() {
            if quotes(&mut self.scanner, line) == Quotes::Open {
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

fn quotes(scanner: &mut Scanner, text: &[u8]) -> Quotes {
    if memchr::memchr(b'"', text).is_none() {
        return Quotes::Closed(memchr::memchr_iter(scanner.delimiter(), text).count() + 1);
    }
    scanner.next_row();
    match scanner.scan(text, true) {
        Err(Fault::OpenQuote(_)) | Ok(Step::More) => Quotes::Open,
        // Otherwise the row ends before the text does.
        Ok(Step::Row(len)) if len == text.len() && !scanner.has_loose_quote() => {
            Quotes::Closed(scanner.cells())
        }
        Ok(Step::Row(_)) | Err(Fault::TooManyCells(_)) => Quotes::Loose,
    }
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

/// Cuts rows into cells.
pub(super) struct Splitter {
    scanner: Scanner,
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
    pub(super) fn new(dialect: &Dialect) -> Self {
        let scanner = Scanner::of(dialect).at_most(MAX_CELLS);
        Self { scanner, bytes: vec![0; MAX_LINE], ends: vec![0; MAX_CELLS], count: 0 }
    }

    /// Takes a line; its cells are then [`cell`](Self::cell).
    pub(super) fn split(&mut self, line: &[u8]) -> Result<(), Malformed> {
        if line.len() > MAX_LINE {
            return Err(Malformed::TooLong);
        }
        self.count = 0;
        if memchr::memchr(b'"', line).is_none() {
            return self.split_unquoted(line);
        }
        self.scanner.next_row();
        self.scanner.scan(line, true).map_err(|fault| match fault {
            Fault::OpenQuote(_) => Malformed::OpenQuote,
            Fault::TooManyCells(_) => Malformed::TooLong,
        })?;
        let mut at = 0;
        for (n, end) in self.ends.iter_mut().enumerate().take(self.scanner.cells()) {
            let cell = value(self.scanner.cell(line, n).unwrap_or_default(), self.scanner.quoting());
            let Some(place) = self.bytes.get_mut(at..at + cell.len()) else { return Err(Malformed::TooLong) };
            place.copy_from_slice(&cell);
            at += cell.len();
            *end = at;
        }
        self.count = self.scanner.cells();
        Ok(())
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
        for comma in memchr::memchr_iter(self.scanner.delimiter(), line) {
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
}

#[cfg(test)]
mod tests {
    use postcode_tables::Quoting;

    use super::*;

    const COMMAS: Dialect = Dialect { delimiter: b',', preamble: 0, quoting: Quoting::Doubled };
    const BACKSLASHES: Dialect = Dialect { quoting: Quoting::Backslash, ..COMMAS };

    fn texts(splitter: &Splitter) -> Vec<String> {
        (0..splitter.count()).map(|at| String::from_utf8_lossy(splitter.cell(at)).into_owned()).collect()
    }

    fn cells(line: &str) -> Result<Vec<String>, Malformed> {
        let mut splitter = Splitter::new(&COMMAS);
        splitter.split(line.as_bytes())?;
        Ok(texts(&splitter))
    }

    #[test]
    fn cells_with_and_without_quotes() {
        assert_eq!(cells("a, b ,,c").unwrap(), ["a", "b", "", "c"]);
        assert_eq!(cells("\"AB1 0AA\",\"\",1,\"x, y\"").unwrap(), ["AB1 0AA", "", "1", "x, y"]);
        assert_eq!(cells("\"say \"\"so\"\"\",2").unwrap(), ["say \"so\"", "2"]);
        assert_eq!(cells(",").unwrap(), ["", ""]);
        let mut splitter = Splitter::new(&BACKSLASHES);
        splitter.split(b"\"a \\\"b\\\", c\",\"d\"").unwrap();
        assert_eq!(texts(&splitter), ["a \"b\", c", "d"]);
    }

    #[test]
    fn an_open_quote_is_an_error_of_its_line() {
        let mut splitter = Splitter::new(&COMMAS);
        assert_eq!(splitter.split(b"\"AB1 0AA,1"), Err(Malformed::OpenQuote));
        assert_eq!(splitter.split(b"\"AB1 0AB\",2"), Ok(()));
        assert_eq!(texts(&splitter), ["AB1 0AB", "2"]);
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
            assert_eq!(quotes(&mut Scanner::of(&COMMAS), text.as_bytes()), expected, "{text}");
        }
        let text = b"\"a \\\"\nb\",c";
        assert_eq!(quotes(&mut Scanner::of(&BACKSLASHES), text), Quotes::Closed(2));
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
            let mut held = Held::new(&COMMAS, Some(2));
            let mut rows = Vec::new();
            let mut each = |number: u64, row: &[u8]| {
                rows.push(format!("{number} {}", String::from_utf8_lossy(row)));
                Ok(())
            };
            for (number, line) in (1..).zip(&lines) {
                held.offer(number, line.as_bytes(), &mut each).unwrap();
            }
            held.settle(true, &mut each).unwrap();
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
