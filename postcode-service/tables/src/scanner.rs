//! Finds where rows and cells of a delimited text end.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use memchr::{memchr, memchr2};

use crate::bytes::AnyOf;
use crate::{Dialect, Encoding, Quoting, value};

/// The most cells of a row.
const MAX_CELLS: usize = 10_000;

/// Finds the end of one row after another, and of the cells in it (RFC 4180, or by another [`Quoting`]).
///
/// A row ends at LF, CR or CRLF outside quotes, whichever the text has, also mixed. A quote opens a quoted cell only at the
/// cell's beginning; elsewhere it is a character like others. The scanner holds no bytes: the caller keeps the row.
#[derive(Clone, Debug)]
pub struct Scanner {
    delimiter: u8,
    quoting: Quoting,
    state: State,
    /// How far the row has been looked at.
    at: usize,
    /// Where each cell of the row ends.
    ends: Vec<usize>,
    breaks: u64,
    /// Line breaks of the row before the last quote that opened.
    opened: u64,
    /// Whether a quoted cell goes on after its closing quote.
    loose: bool,
    special: AnyOf<3>,
    most: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    CellStart,
    InCell,
    Quoted,
    /// After a quote within a quoted cell: the end of the quotes, or half of a doubled quote.
    AfterQuote,
}

/// How far [`Scanner::scan`] got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The row goes on after these bytes: call again with more of them.
    More,
    /// The row is whole and takes so many bytes, its line end included.
    Row(usize),
}

/// Why a row can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The text ends within quotes, which open so many lines below the first line of the row.
    OpenQuote(u64),
    /// More cells than a row may have, which is the number.
    TooManyCells(usize),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenQuote(_) => f.write_str("a quote opens here and is not closed to the end of the file"),
            Self::TooManyCells(most) => write!(f, "a row of more than {most} fields"),
        }
    }
}

impl std::error::Error for Fault {}

impl Fault {
    /// Returns the line that is at fault in a row that begins on line `first`.
    pub fn line(self, first: u64) -> u64 {
        match self {
            Self::OpenQuote(below) => first.saturating_add(below),
            Self::TooManyCells(_) => first,
        }
    }
}

impl Scanner {
    /// For a text with this delimiter.
    pub fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            quoting: Quoting::Doubled,
            state: State::CellStart,
            at: 0,
            ends: Vec::new(),
            breaks: 0,
            opened: 0,
            loose: false,
            special: AnyOf::new([delimiter, b'\r', b'\n']),
            most: MAX_CELLS,
        }
    }

    /// For a text that is written so.
    pub fn of(dialect: &Dialect) -> Self {
        Self { quoting: dialect.quoting, ..Self::new(dialect.delimiter) }
    }

    /// Limits the cells of a row.
    #[must_use]
    pub fn at_most(self, cells: usize) -> Self {
        Self { most: cells, ..self }
    }

    /// The delimiter.
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Returns the meaning of quotes.
    pub fn quoting(&self) -> Quoting {
        self.quoting
    }

    /// Returns how many lines below the first line of the row the quotes open in which the scanner is.
    pub fn open_quote(&self) -> Option<u64> {
        (self.state == State::Quoted).then_some(self.opened)
    }

    /// Forgets the row, to begin another.
    pub fn next_row(&mut self) {
        self.state = State::CellStart;
        (self.at, self.breaks, self.opened, self.loose) = (0, 0, 0, false);
        self.ends.clear();
    }

    /// Looks for the end of the row that begins at `row[0]`. After [`Step::More`] call it again with the same bytes and
    /// those that follow; `ended` says that none follow.
    ///
    /// # Errors
    /// [`Fault`]. The row is lost then.
    pub fn scan(&mut self, row: &[u8], ended: bool) -> Result<Step, Fault> {
        loop {
            let rest = row.get(self.at..).unwrap_or_default();
            let Some(&byte) = rest.first() else {
                if !ended {
                    return Ok(Step::More);
                }
                if self.state == State::Quoted {
                    return Err(Fault::OpenQuote(self.opened));
                }
                self.end_cell()?;
                return Ok(Step::Row(row.len()));
            };
            match self.state {
                State::CellStart if byte == b'"' && self.quoting != Quoting::None => {
                    self.state = State::Quoted;
                    self.opened = self.breaks;
                    self.at += 1;
                }
                State::Quoted => {
                    let stop = match self.quoting {
                        Quoting::Backslash => memchr2(b'"', b'\\', rest),
                        _ => memchr(b'"', rest),
                    };
                    // Of a CR at the end only the next byte says whether it is half of a CRLF.
                    let held = stop.is_none() && !ended && rest.ends_with(b"\r");
                    let inside = stop.unwrap_or(rest.len() - usize::from(held));
                    self.breaks += breaks(&rest[..inside]);
                    self.at += inside;
                    match stop.and_then(|stop| rest.get(stop)) {
                        Some(b'"') => {
                            self.state = State::AfterQuote;
                            self.at += 1;
                        }
                        Some(_) => match rest.get(inside + 1) {
                            // The next byte says whether the backslash stands before a quote.
                            None if !ended => return Ok(Step::More),
                            Some(b'"' | b'\\') => self.at += 2,
                            _ => self.at += 1,
                        },
                        None if held => return Ok(Step::More),
                        None => {}
                    }
                }
                State::AfterQuote if byte == b'"' => {
                    self.state = State::Quoted;
                    self.at += 1;
                }
                State::CellStart | State::InCell | State::AfterQuote => {
                    let inside = self.special.first_in(rest);
                    if inside != Some(0) {
                        self.loose |= self.state == State::AfterQuote;
                        self.state = State::InCell;
                    }
                    let Some(inside) = inside else {
                        self.at = row.len();
                        continue;
                    };
                    self.at += inside;
                    let byte = rest[inside];
                    if byte == self.delimiter {
                        self.end_cell()?;
                        self.at += 1;
                        self.state = State::CellStart;
                        continue;
                    }
                    let len = match (byte, rest.get(inside + 1)) {
                        (b'\r', Some(b'\n')) => 2,
                        // An LF may follow.
                        (b'\r', None) if !ended => return Ok(Step::More),
                        _ => 1,
                    };
                    self.breaks += 1;
                    self.end_cell()?;
                    return Ok(Step::Row(self.at + len));
                }
            }
        }
    }

    fn end_cell(&mut self) -> Result<(), Fault> {
        if self.ends.len() == self.most {
            return Err(Fault::TooManyCells(self.most));
        }
        self.ends.push(self.at);
        Ok(())
    }

    /// Returns how many cells the row has.
    pub fn cells(&self) -> usize {
        self.ends.len()
    }

    /// Returns how many lines the row takes, at least 1.
    pub fn lines(&self) -> u64 {
        self.breaks.max(1)
    }

    /// Returns whether something follows the closing quote of a cell: `"a" b`. It may be a quote that opens by mistake, and
    /// is closed by the first quote of a later row.
    pub fn has_loose_quote(&self) -> bool {
        self.loose
    }

    /// Returns what a cell of the row says; empty past the last cell.
    pub fn text<'a>(&self, row: &'a [u8], n: usize, encoding: Encoding) -> Cow<'a, str> {
        match value(self.cell(row, n).unwrap_or_default(), self.quoting) {
            Cow::Borrowed(bytes) => encoding.text(bytes),
            Cow::Owned(bytes) => encoding.text(&bytes).into_owned().into(),
        }
    }

    /// Returns a cell of the row as it is written, with its quotes.
    pub fn cell<'a>(&self, row: &'a [u8], n: usize) -> Option<&'a [u8]> {
        row.get(self.range(n)?)
    }

    /// Returns where in the row a cell is.
    pub fn range(&self, n: usize) -> Option<Range<usize>> {
        Some(self.start(n)?..*self.ends.get(n)?)
    }

    /// Returns where the cells before the `n`th end, which is where a row of `n` cells would.
    pub fn end_of(&self, n: usize) -> usize {
        n.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0)
    }

    fn start(&self, n: usize) -> Option<usize> {
        match n.checked_sub(1) {
            None => Some(0),
            Some(before) => Some(self.ends.get(before)? + 1),
        }
    }

    /// Whether nothing but spaces is in the cells from the `n`th on.
    pub fn is_blank_from(&self, row: &[u8], n: usize) -> bool {
        let end = self.ends.last().copied().unwrap_or(0);
        let Some(rest) = self.start(n).and_then(|start| row.get(start.min(end)..end)) else { return true };
        let empty = |byte: &u8| *byte == self.delimiter || *byte == b'"' || byte.is_ascii_whitespace();
        rest.iter().all(empty)
    }
}

/// Line breaks in quoted text.
fn breaks(text: &[u8]) -> u64 {
    let paired = |at: &usize| text[*at] == b'\r' && text.get(at + 1) == Some(&b'\n');
    memchr::memchr2_iter(b'\r', b'\n', text).filter(|at| !paired(at)).count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &[u8], size: usize) -> Result<Vec<Vec<String>>, Fault> {
        rows_of(text, size, Quoting::Doubled)
    }

    fn rows_of(text: &[u8], size: usize, quoting: Quoting) -> Result<Vec<Vec<String>>, Fault> {
        let mut scanner = Scanner::of(&Dialect { delimiter: b',', preamble: 0, quoting });
        let (mut start, mut seen, mut rows) = (0, 0, Vec::new());
        while start < text.len() {
            scanner.next_row();
            let taken = loop {
                seen = seen.max(start);
                match scanner.scan(&text[start..seen], seen == text.len())? {
                    Step::Row(taken) => break taken,
                    Step::More => seen = (seen + size).min(text.len()),
                }
            };
            let row = &text[start..start + taken];
            let cell =
                |n| String::from_utf8(value(scanner.cell(row, n).unwrap(), quoting).into_owned()).unwrap();
            rows.push((0..scanner.cells()).map(cell).collect());
            start += taken;
        }
        Ok(rows)
    }

    #[test]
    fn every_line_end_ends_a_row_outside_quotes() {
        let expected = vec![vec!["a", "b"], vec!["1\r2\n3", "4"], vec!["5", ""]];
        for text in ["a,b\r\"1\r2\n3\",4\r5,", "a,b\n\"1\r2\n3\",4\r\n5,\n", "a,b\r\n\"1\r2\n3\",4\r5,\r"] {
            for size in 1..5 {
                assert_eq!(rows(text.as_bytes(), size).unwrap(), expected, "{text:?} by {size}");
            }
        }
        assert_eq!(rows(b"a\n\"b", 9), Err(Fault::OpenQuote(0)));
        assert_eq!(rows(&[b','; MAX_CELLS], 99), Err(Fault::TooManyCells(MAX_CELLS)));
    }

    #[test]
    fn open_quote_is_told_with_its_line() {
        for size in [1, 99] {
            let fault = rows(b"\"a\nb\",\"c\nd\",\"e\nf\n", size).unwrap_err();
            assert_eq!((fault, fault.line(5)), (Fault::OpenQuote(2), 7));
        }
    }

    #[test]
    fn backslashes_and_plain_quotes_are_read_as_they_are_meant() {
        for size in [1, 2, 99] {
            let text = b"\"a\\\"\n,b\",c\n\"\\\\\",d\\\"\n";
            let expected = vec![vec!["a\"\n,b", "c"], vec!["\\", "d\\\""]];
            assert_eq!(rows_of(text, size, Quoting::Backslash).unwrap(), expected);
            let expected = vec![vec!["\"a", "b"], vec!["c\"", "\"\""]];
            assert_eq!(rows_of(b"\"a,b\nc\",\"\"\n", size, Quoting::None).unwrap(), expected);
        }
        assert_eq!(rows_of(b"\"a\\", 9, Quoting::Backslash), Err(Fault::OpenQuote(0)));
    }

    #[test]
    fn text_after_a_closing_quote_is_seen() {
        for (row, expected) in [
            ("\"a\" b,c\n", true),
            ("x,\"a\nb\"c\",d\n", true),
            ("\"a\"b", true),
            ("\"a\"\"b\",\"c\"\r\n", false),
            ("a \"b\" c,d\n", false),
            ("\"\",\"\"", false),
        ] {
            for end in [row.len() / 2, row.len()] {
                let mut scanner = Scanner::new(b',');
                // Whatever came before.
                scanner.scan(b"\"x\"y\n", true).unwrap();
                scanner.next_row();
                if end < row.len() {
                    assert_eq!(scanner.scan(&row.as_bytes()[..end], false), Ok(Step::More));
                }
                assert_eq!(scanner.scan(row.as_bytes(), true), Ok(Step::Row(row.len())));
                assert_eq!(scanner.has_loose_quote(), expected, "{row}");
            }
        }
    }

    #[test]
    fn lines_are_counted_within_quotes() {
        let mut scanner = Scanner::new(b',');
        let row = b"\"a\r\nb\rc\n\",x\r\n";
        for end in 0..row.len() {
            assert_eq!(scanner.scan(&row[..end], false), Ok(Step::More));
        }
        assert_eq!(scanner.scan(row, true), Ok(Step::Row(row.len())));
        assert_eq!(scanner.lines(), 4);
    }

    #[test]
    fn cells_to_the_right_are_seen_to_be_blank() {
        let mut scanner = Scanner::new(b',');
        let row = b"a,b, ,\"\",\n";
        scanner.scan(row, true).unwrap();
        assert_eq!((scanner.cells(), scanner.end_of(2)), (5, 3));
        assert!(scanner.is_blank_from(row, 2) && !scanner.is_blank_from(row, 1));
    }

    proptest! {
        /// However the bytes come, the rows are those of the whole.
        #[test]
        fn pieces_make_no_difference(text in "[ab,\\\\\"\r\n]{0,40}", size in 1usize..9) {
            prop_assert_eq!(rows(text.as_bytes(), size), rows(text.as_bytes(), 99));
            let escaped = |size| rows_of(text.as_bytes(), size, Quoting::Backslash);
            prop_assert_eq!(escaped(size), escaped(99));
        }
    }
}
