//! Rows out of a stream of bytes, as they are.

use std::sync::Arc;

use futures::stream::{Stream, StreamExt};
use postcode_tables::json::{self, ObjectScanner};
use postcode_tables::{Dialect, Encoding, Fault, Quoting, Scanner, Step, blank, trimmed, value};

use super::csv::Header;
use super::input::{Input, too_long};
use super::lines::Held;
use super::reading::{self, Cell, Lack};
use super::row::{Kind, Row, is_end_of_file};
use super::swallowed::{self, STRAY_QUOTE};
use super::tail::Tail;
use super::{Error, Format, MAX_ROW, Plan, lines};

pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";
/// The dialect of rows that are not CSV.
const COMMAS: Dialect = Dialect { delimiter: b',', preamble: 0, quoting: Quoting::Doubled };

/// Rows that are looked up together.
pub(super) struct Batch {
    /// The bytes before the rows: the header, with the first ones.
    pub(super) head: Vec<u8>,
    pub(super) bytes: Vec<u8>,
    pub(super) rows: Vec<Row>,
    pub(super) dialect: Dialect,
    /// The columns of CSV that hold the row's address.
    pub(super) address: Vec<usize>,
    pub(super) encoding: Encoding,
    pub(super) read: u64,
    /// The line of the first row.
    pub(super) line: u64,
    /// The notes since the last batch.
    pub(super) notes: Vec<String>,
    /// How the rows are to be read, which the first of them may have told.
    pub(super) plan: Arc<Plan>,
}

impl Batch {
    /// Reads the postcode of each row, which takes much longer than to find where the rows end.
    ///
    /// # Errors
    /// If a row is not of the kind that the file is of, or has a column that is to be added.
    pub(super) fn read(&mut self) -> Result<Vec<Cell>, Error> {
        self.mend_numbers();
        let nothing = || Cell::Not(Lack::Blank, String::new());
        let mut cells = Vec::with_capacity(self.rows.len());
        for n in 0..self.rows.len() {
            let Some(row) = self.rows.get(n).filter(|row| matches!(row.kind, Kind::Row)) else {
                cells.push(nothing());
                continue;
            };
            let bytes =
                self.bytes.get(row.range.clone()).and_then(|row_bytes| row_bytes.get(row.read.clone()));
            let bytes = bytes.unwrap_or_default();
            if self.plan.format == Format::Csv {
                cells.push(reading::read(
                    &self.encoding.text(&value(bytes, self.dialect.quoting)),
                    &self.plan,
                ));
                continue;
            }
            match lines::postcode(bytes, &self.plan) {
                Ok(Held::Object(cell)) => cells.push(cell),
                // A file of something else would go through as it is, and nobody would notice.
                Ok(Held::Other(why)) if self.plan.format == Format::Ndjson && self.line + n as u64 == 1 => {
                    return Err(Error::Invalid(format!("line 1: {why}: is the file lines of JSON?")));
                }
                Ok(Held::Other(why)) if self.plan.format == Format::Ndjson && self.plan.set_aside => {
                    self.rows[n].kind = Kind::Aside(Box::new((self.line_of(n), why)));
                    cells.push(nothing());
                }
                Ok(Held::Other(why)) | Err(why) => {
                    return Err(Error::Invalid(format!("line {}: {why}", self.line_of(n))));
                }
            }
        }
        Ok(cells)
    }

    /// Puts `null` for the numbers in JSON that Python writes and JSON does not have.
    fn mend_numbers(&mut self) {
        if self.plan.format == Format::Csv || !json::may_have_nan(&self.bytes) {
            return;
        }
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for row in &mut self.rows {
            let start = bytes.len();
            bytes
                .extend_from_slice(&json::without_nan(self.bytes.get(row.range.clone()).unwrap_or_default()));
            row.range = start..bytes.len();
            // The object ends with the row.
            row.read.end = if row.kind == Kind::Row { bytes.len() - start } else { row.read.end };
        }
        self.bytes = bytes;
    }

    /// The line on which the object of this row ends.
    fn line_of(&self, row: usize) -> u64 {
        let end = self.rows.get(row).map_or(0, |row| row.range.end);
        let before = match self.plan.format {
            // Each row is a line, also an empty one.
            Format::Ndjson => row,
            _ => memchr::memchr_iter(b'\n', self.bytes.get(..end).unwrap_or_default()).count(),
        };
        self.line + before as u64
    }
}

/// The encoding of the rows, as far as they have told it.
#[derive(Clone, Copy)]
pub(super) struct Told {
    pub(super) encoding: Encoding,
    /// Whether the encoding is known without doubt: nothing that comes can change it.
    pub(super) settled: bool,
}

impl Told {
    /// The first byte that is not ASCII may tell the encoding. Returns a note about it.
    pub(super) fn notice(&mut self, row: &[u8], line: u64) -> Option<String> {
        if self.settled || row.is_ascii() {
            return None;
        }
        self.settled = true;
        self.encoding = Encoding::of(row, true).encoding;
        if self.encoding == Encoding::Utf8 {
            return None;
        }
        self.encoding = Encoding::Windows1252;
        Some(format!(
            "read and written as Windows-1252 from line {line} on, which is a guess: --encoding names another"
        ))
    }
}

/// Reads rows.
pub(super) struct Rows<'a> {
    pub(super) input: Input<'a>,
    pub(super) plan: Arc<Plan>,
    /// The number of the line that comes next, from 1.
    pub(super) line: u64,
    begun: bool,
    pub(super) csv: Option<(Header, Scanner)>,
    pub(super) objects: ObjectScanner,
    pub(super) told: Told,
    pub(super) notes: Vec<String>,
    /// The line of the names, until it comes again.
    pub(super) names: Vec<u8>,
    tail: Tail,
}

impl<'a> Rows<'a> {
    pub(super) fn new<S>(input: S, plan: Arc<Plan>) -> Self
    where
        S: Stream<Item = std::io::Result<bytes::Bytes>> + Send + 'a,
    {
        Self {
            input: Input::new(input.boxed(), plan.most),
            told: Told { encoding: plan.encoding.unwrap_or_default(), settled: plan.encoding.is_some() },
            plan,
            line: 1,
            begun: false,
            csv: None,
            objects: ObjectScanner::default(),
            notes: Vec::new(),
            names: Vec::new(),
            tail: Tail::default(),
        }
    }

    #[cfg(feature = "jobs")]
    /// Those of a file that begin at that line, after the header if it has one. They are in UTF-8 if the file is in a wide
    /// encoding.
    pub(super) fn resume<S>(input: S, plan: Arc<Plan>, line: u64, header: Option<Header>) -> Self
    where
        S: Stream<Item = std::io::Result<bytes::Bytes>> + Send + 'a,
    {
        let csv = header.map(|header| (Scanner::of(&header.dialect()), header));
        let objects = plan.shape.scanner(true);
        let mut rows = Self::new(input, plan);
        rows.told.settled = true;
        rows.objects = objects;
        Self { line, begun: true, csv: csv.map(|(scanner, header)| (header, scanner)), ..rows }
    }

    /// The header, once it is read.
    pub(super) fn header(&self) -> Option<&Header> {
        self.csv.as_ref().map(|(header, _)| header)
    }

    #[cfg(feature = "jobs")]
    /// The plan, with what the rows have told by now.
    pub(super) fn plan(&self) -> Plan {
        Plan { encoding: Some(self.told.encoding), ..(*self.plan).clone() }
    }

    /// So many rows, fewer at the end; `None` after it. A file of a header only has one batch without rows.
    pub(super) async fn next(&mut self, most: usize) -> Result<Option<Batch>, Error> {
        let (mut head, mut bytes, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        if !self.begun {
            self.begun = true;
            self.begin(&mut head).await?;
        }
        let line = self.line;
        if let Some((header, mut scanner)) = self.csv.take() {
            let done = self.table_rows(&header, &mut scanner, most, (&mut bytes, &mut rows)).await;
            self.csv = Some((header, scanner));
            done?;
            self.end_of_table().await?;
        } else {
            while rows.len() < most && bytes.len() < MAX_ROW {
                let row = match self.plan.format {
                    Format::Json => self.object(&mut bytes).await?,
                    _ => self.line_row(&mut bytes).await?,
                };
                let Some(row) = row else { break };
                rows.push(row);
            }
        }
        if rows.is_empty() && head.is_empty() {
            return Ok(None);
        }
        Ok(Some(Batch {
            head,
            bytes,
            rows,
            dialect: self.header().map_or(COMMAS, Header::dialect),
            address: self.header().map_or_else(Vec::new, |header| header.address.clone()),
            encoding: self.told.encoding,
            read: self.input.taken(),
            line,
            notes: std::mem::take(&mut self.notes),
            plan: self.plan.clone(),
        }))
    }

    /// Notes the last rows of a table if they may be totals or footnotes.
    async fn end_of_table(&mut self) -> Result<(), Error> {
        if self.tail.is_empty() {
            return Ok(());
        }
        while self.input.rest().is_empty() && self.input.more(self.line).await? {}
        if self.input.rest().is_empty() {
            self.notes.extend(std::mem::take(&mut self.tail).note());
        }
        Ok(())
    }

    /// Rows of CSV, so many or all that follow, with their bytes.
    async fn table_rows(
        &mut self,
        header: &Header,
        scanner: &mut Scanner,
        most: usize,
        (bytes, rows): (&mut Vec<u8>, &mut Vec<Row>),
    ) -> Result<(), Error> {
        let mut within = false;
        loop {
            let (len, wanting) =
                self.whole_rows(header, (scanner, &mut within), most, (bytes.len(), rows))?;
            self.input.take(len, bytes);
            if !wanting {
                return Ok(());
            }
            self.read_on(scanner).await?;
        }
    }

    /// The rows that have come whole. Returns how many bytes they are, and whether more are wanted. `within` says that the
    /// scanner has seen the beginning of the first row already.
    fn whole_rows(
        &mut self,
        header: &Header,
        (scanner, within): (&mut Scanner, &mut bool),
        most: usize,
        (taken, rows): (usize, &mut Vec<Row>),
    ) -> Result<(usize, bool), Error> {
        let (rest, ended) = (self.input.rest(), self.input.ended);
        let mut start = 0;
        while rows.len() < most && taken + start < MAX_ROW {
            let row = rest.get(start..).unwrap_or_default();
            if !*within {
                let empty = match blank(row) {
                    None if !ended => return Ok((start, true)),
                    None if row.is_empty() => break,
                    None => 1,
                    Some(_) if is_end_of_file(row) && !ended => return Ok((start, true)),
                    Some(_) if is_end_of_file(row) => row.len(),
                    Some(empty) => empty,
                };
                if empty > 0 {
                    rows.push(Row::blank(taken + start..taken + start + empty));
                    start += empty;
                    self.line += 1;
                    continue;
                }
                scanner.next_row();
            }
            let len = match scanner.scan(row, ended).map_err(|fault| faulty(fault, self.line))? {
                Step::Row(len) if len > MAX_ROW + 1 => return Err(too_long(self.line)),
                Step::Row(len) => len,
                Step::More => {
                    *within = true;
                    return Ok((start, true));
                }
            };
            *within = false;
            let row = row.get(..len).unwrap_or_default();
            self.notes.extend(self.told.notice(row, self.line));
            // Where files are put one after the other.
            if !self.names.is_empty() && trimmed(row) == self.names {
                self.names.clear();
                self.notes.push(format!(
                    "line {} has the names of the columns again: it is kept, and counts as a row without a postcode",
                    self.line
                ));
            }
            let range = taken + start..taken + start + len;
            let lines = scanner.lines();
            // Why the row can't be read, and more advice for those who do not set it aside.
            let found = if lines > 2 && swallowed::has_rows(row, header, (&self.plan, self.told.encoding)) {
                let why = format!("a cell in quotes goes on for {lines} lines, which look like rows");
                Err((why, format!(". {STRAY_QUOTE}")))
            } else {
                header.row(row, scanner).ok_or_else(|| {
                    let (cells, fields) = (scanner.cells(), header.fields);
                    let of =
                        if self.plan.no_header { "most of the first rows have" } else { "the header has" };
                    let why = format!("{cells} fields, and {of} {fields}: quote what holds a delimiter");
                    (why, String::new())
                })
            };
            rows.push(match found {
                Ok(found) => {
                    self.tail.see((row, self.line), scanner, header, (&self.plan, self.told.encoding));
                    Row { range, ..found }
                }
                Err((why, _)) if self.plan.set_aside => {
                    Row { kind: Kind::Aside(Box::new((self.line, why))), ..Row::blank(range) }
                }
                Err((why, advice)) => {
                    return Err(Error::Invalid(format!("line {}: {why}{advice}", self.line)));
                }
            });
            start += len;
            self.line += lines;
        }
        Ok((start, false))
    }

    /// Scans the next row of CSV, which is not taken. Returns its length.
    pub(super) async fn whole_row(&mut self, scanner: &mut Scanner) -> Result<usize, Error> {
        scanner.next_row();
        loop {
            let fault = |fault| faulty(fault, self.line);
            match scanner.scan(self.input.rest(), self.input.ended).map_err(fault)? {
                Step::Row(len) if len > MAX_ROW + 1 => return Err(too_long(self.line)),
                Step::Row(len) => return Ok(len),
                Step::More => self.read_on(scanner).await?,
            }
        }
    }

    /// Reads on in a row of CSV that is not whole.
    async fn read_on(&mut self, scanner: &Scanner) -> Result<(), Error> {
        if let Some(below) = scanner.open_quote().filter(|_| self.input.rest().len() > MAX_ROW) {
            return Err(Error::Invalid(format!(
                "line {}: a quote opens here, and is not closed within the {MAX_ROW} bytes that a row may have. \
                 {STRAY_QUOTE}",
                self.line + below
            )));
        }
        self.input.more(self.line).await.map(drop)
    }
}

/// Returns the error for a row of CSV that begins on that line.
fn faulty(fault: Fault, line: u64) -> Error {
    let line = fault.line(line);
    Error::Invalid(match fault {
        Fault::OpenQuote(_) => format!("line {line}: {fault}. {STRAY_QUOTE}"),
        Fault::TooManyCells(_) => format!("line {line}: {fault}"),
    })
}
