//! Reads rows from a stream of bytes, unchanged.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{Stream, StreamExt};
use memchr::memchr;
use postcode_core::Postcode;

use super::csv::{Header, Splitter, is_blank};
use super::{Error, Format, MAX_PREFIX, MAX_ROW, Plan, lines};

/// A row of a batch.
pub(super) struct Row {
    /// The position of the row in the batch's bytes, with its line ending.
    pub(super) range: Range<usize>,
    /// The postcode, or why there is none.
    pub(super) postcode: Result<Postcode, String>,
    /// Fields that it lacks before those that are added, in CSV.
    pub(super) missing: usize,
    /// Whether the row is copied unchanged: an empty line, or one that is not an object.
    pub(super) as_it_is: bool,
}

/// Rows that are looked up together.
pub(super) struct Batch {
    /// The output before the rows: the header, with the first ones.
    pub(super) head: Vec<u8>,
    pub(super) bytes: Vec<u8>,
    pub(super) rows: Vec<Row>,
    pub(super) delimiter: u8,
    pub(super) read: u64,
}

/// Reads rows.
pub(super) struct Rows<S> {
    input: Input<S>,
    plan: Arc<Plan>,
    /// The number of the line that comes next, from 1.
    pub(super) line: u64,
    csv: Option<(Header, Splitter)>,
}

impl<S: Stream<Item = std::io::Result<Bytes>> + Unpin> Rows<S> {
    pub(super) fn new(input: S, plan: Arc<Plan>) -> Self {
        let input = Input { source: input, buffer: Vec::new(), start: 0, ended: false, read: 0 };
        Self { input, plan, line: 1, csv: None }
    }

    /// Reads the rows of a file from that line on, after the header if it has one.
    pub(super) fn resume(input: S, plan: Arc<Plan>, line: u64, header: Option<Header>) -> Self {
        let csv = header.map(|header| (Splitter::of(header.delimiter), header));
        Self { line, csv: csv.map(|(splitter, header)| (header, splitter)), ..Self::new(input, plan) }
    }

    /// Returns the header, once it has been read.
    pub(super) fn header(&self) -> Option<&Header> {
        self.csv.as_ref().map(|(header, _)| header)
    }

    /// Returns at most `most` rows; `None` at the end. A file with only a header gives one batch
    /// without rows.
    pub(super) async fn next(&mut self, most: usize) -> Result<Option<Batch>, Error> {
        let mut batch =
            Batch { head: Vec::new(), bytes: Vec::new(), rows: Vec::new(), delimiter: b',', read: 0 };
        if self.line == 1 {
            self.begin(&mut batch.head).await?;
        }
        while batch.rows.len() < most && batch.bytes.len() < MAX_ROW {
            let start = batch.bytes.len();
            let Some(row) = self.row(&mut batch.bytes).await? else { break };
            let range = start..batch.bytes.len();
            let lines = batch.bytes[range.clone()].iter().filter(|b| **b == b'\n').count().max(1);
            self.line += lines as u64;
            batch.rows.push(Row { range, ..row });
        }
        if batch.rows.is_empty() && batch.head.is_empty() {
            return Ok(None);
        }
        batch.delimiter = self.csv.as_ref().map_or(b',', |(header, _)| header.delimiter);
        batch.read = self.input.read - self.input.rest().len() as u64;
        Ok(Some(batch))
    }

    /// Writes the header with the names of the new columns.
    async fn begin(&mut self, head: &mut Vec<u8>) -> Result<(), Error> {
        if self.plan.prefix.len() > MAX_PREFIX {
            return Err(Error::Invalid(format!(
                "a prefix of more than {MAX_PREFIX} bytes: give a shorter one"
            )));
        }
        if self.plan.format == Format::Ndjson {
            return Ok(());
        }
        loop {
            while is_blank(self.input.rest()).is_none() && self.input.more(self.line).await? {}
            match is_blank(self.input.rest()) {
                Some(blank) if blank > 0 => self.input.take(blank, head),
                _ => break,
            }
            self.line += 1;
        }
        // The delimiter is found by the first line, which must be here for that.
        self.input.line(self.line).await?;
        if self.input.rest().is_empty() {
            return Err(Error::Invalid("the file is empty: give CSV with a header".to_owned()));
        }
        let mut splitter = Splitter::new(self.input.rest());
        let mut bytes = Vec::new();
        self.split(&mut splitter, &mut bytes).await?;
        self.line += 1;
        let header = Header::read(&bytes, &splitter, &self.plan, head).map_err(Error::Invalid)?;
        self.csv = Some((header, splitter));
        Ok(())
    }

    /// Reads the next row and appends its bytes to `out`.
    async fn row(&mut self, out: &mut Vec<u8>) -> Result<Option<Row>, Error> {
        let row = |postcode, missing, as_it_is| Ok(Some(Row { range: 0..0, postcode, missing, as_it_is }));
        while is_blank(self.input.rest()).is_none() && self.input.more(self.line).await? {}
        match is_blank(self.input.rest()) {
            None if self.input.rest().is_empty() => return Ok(None),
            None => {
                self.input.take(1, out);
                return row(Err(String::new()), 0, true);
            }
            Some(0) => {}
            Some(blank) => {
                self.input.take(blank, out);
                return row(Err(String::new()), 0, true);
            }
        }
        if let Some((header, mut splitter)) = self.csv.take() {
            let done = self.split(&mut splitter, out).await;
            let found = header.postcode(&splitter);
            self.csv = Some((header, splitter));
            done?;
            let wrong = |why| Error::Invalid(format!("line {}: {why}", self.line));
            let (postcode, missing) = found.map_err(wrong)?;
            return row(postcode, missing, false);
        }
        let end = self.input.line(self.line).await?;
        let found = lines::postcode(&self.input.rest()[..end], &self.plan);
        self.input.take(end, out);
        match found {
            Ok(lines::Found::Object(postcode)) => row(postcode, 0, false),
            // A file in another format would be copied unchanged without any warning.
            Ok(lines::Found::Other(why)) if self.line == 1 => {
                Err(Error::Invalid(format!("line 1: {why}: is the file lines of JSON?")))
            }
            Ok(lines::Found::Other(why)) => row(Err(why), 0, true),
            Err(why) => Err(Error::Invalid(format!("line {}: {why}", self.line))),
        }
    }

    /// Reads a row of CSV: its bytes into `out`, its fields into the splitter.
    async fn split(&mut self, splitter: &mut Splitter, out: &mut Vec<u8>) -> Result<(), Error> {
        splitter.begin();
        loop {
            let wrong = |why| Error::Invalid(format!("line {}: {why}", self.line));
            let (taken, done) = splitter.feed(self.input.rest(), self.input.ended).map_err(wrong)?;
            self.input.take(taken, out);
            if done {
                return Ok(());
            }
            self.input.more(self.line).await?;
        }
    }
}

/// The input that has been read but not consumed.
struct Input<S> {
    source: S,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    read: u64,
}

impl<S: Stream<Item = std::io::Result<Bytes>> + Unpin> Input<S> {
    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn take(&mut self, len: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.rest()[..len]);
        self.start += len;
    }

    /// Returns where the next line ends.
    async fn line(&mut self, line: u64) -> Result<usize, Error> {
        let mut seen = 0;
        loop {
            let new = self.rest().get(seen..).unwrap_or_default();
            if let Some(end) = memchr(b'\n', new) {
                return Ok(seen + end + 1);
            }
            seen = self.rest().len();
            if !self.more(line).await? {
                return Ok(seen);
            }
        }
    }

    /// Reads more input. Returns false at the end.
    async fn more(&mut self, line: u64) -> Result<bool, Error> {
        if self.rest().len() > MAX_ROW {
            return Err(Error::Invalid(format!("line {line}: a row of more than {MAX_ROW} bytes")));
        }
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        match self.source.next().await {
            Some(bytes) => {
                let bytes = bytes?;
                self.read += bytes.len() as u64;
                self.buffer.extend_from_slice(&bytes);
            }
            None => self.ended = true,
        }
        Ok(!self.ended)
    }
}
