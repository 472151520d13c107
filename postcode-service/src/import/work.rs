//! Adds the lines of tables as rows to the builder.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use anyhow::{Result, bail};
use postcode_core::AreaKind;
use postcode_core::dataset::{DatasetBuilder, Row};
use postcode_tables::Dialect;

use super::before::Before;
use super::beside::Beside;
use super::detect::{Found, Table};
use super::districts::Districts;
use super::doubts::{Finding, Findings};
use super::garbled::{self, Wrong};
use super::lines::{self, Interrupted, MARK, Malformed, Shared, Splitter};
use super::problems::{Problem, Problems};
use super::progress::Progress;
use super::report::Fill;
use super::row::{Areas, Refusal, RowReader};
use super::source::Text;
use crate::grid;

/// Rows that are located together, on all cores, before they go to the builder.
const BATCH: usize = 1 << 13;

/// An import on its way.
pub(super) struct Work<'a> {
    pub(super) shared: &'a Shared,
    progress: Progress,
    /// Bytes to read in all.
    total: u64,
    pub(super) problems: Problems,
    pub(super) findings: Findings,
    pub(super) builder: DatasetBuilder,
    pub(super) areas: Areas,
    pub(super) fill: Fill,
    pub(super) beside: Beside,
    /// The source of previous constituencies, if they are not in a column.
    pub(super) before: Option<Before>,
    /// Rows that have an area, by kind.
    pub(super) area_rows: [u64; AreaKind::ALL.len()],
    /// The postcode areas that have a row.
    pub(super) present: BTreeSet<String>,
    /// Whether no table has rows of more than one postcode area.
    pub(super) single_areas: bool,
    /// The area of the previous row, followed by those of the table so far.
    area: String,
    in_table: BTreeSet<String>,
    batch: Vec<Pending>,
}

/// A row that is not in the builder yet.
struct Pending {
    row: Row,
    line: u64,
    /// The kinds of area that it has, a bit each.
    kinds: u32,
    /// Whether its location was computed.
    computed: bool,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        builder: DatasetBuilder,
        problems: Problems,
        progress: Progress,
        total: u64,
    ) -> Self {
        Self {
            shared,
            progress,
            total,
            problems,
            findings: Findings::default(),
            builder,
            areas: Areas::new(),
            fill: Fill::default(),
            beside: Beside::default(),
            before: None,
            area_rows: [0; AreaKind::ALL.len()],
            present: BTreeSet::new(),
            single_areas: true,
            area: String::new(),
            in_table: BTreeSet::new(),
            batch: Vec::with_capacity(BATCH),
        }
    }

    /// Reads a table of something else than postcodes to its end. `row` adds what a line holds to
    /// the builder, and says whether it holds anything that is wanted. Returns how many did.
    pub(super) fn read_rows(
        &mut self,
        found: &Found,
        columns: &[&str],
        header: bool,
        mut row: impl FnMut(&Splitter, &mut DatasetBuilder) -> Result<bool, Refusal>,
    ) -> Result<u64> {
        let text = &found.text;
        let mut splitter = Splitter::new(&found.dialect);
        let (mut header, mut wanted) = (header, 0);
        let shared = self.shared;
        lines::for_each_row(text, shared, &found.dialect, None, |number, line| {
            let line = without_mark(number, line);
            if std::mem::take(&mut header) || !self.split(text, &mut splitter, number, line)? {
                return Ok(());
            }
            let name_of = |at: usize| columns.get(at).copied().unwrap_or_default().to_owned();
            match row(&splitter, &mut self.builder) {
                Ok(false) => {}
                Ok(true) => {
                    wanted += 1;
                    self.look_at(text, (number, line), &splitter, |_| true, name_of);
                }
                Err(Refusal { column, reason }) => {
                    self.look_at(text, (number, line), &splitter, |_| true, name_of);
                    let value = column.map_or(line, |at| splitter.cell(at));
                    let column = column.and_then(|at| columns.get(at)).copied().unwrap_or_default();
                    let problem =
                        Problem { file: &text.display, line: number, column, value, reason: &reason };
                    self.problems.add(&problem)?;
                }
            }
            self.progress.at("reading", shared.read.load(Ordering::Relaxed), self.total);
            Ok(())
        })?;
        if shared.stopped() {
            bail!(Interrupted);
        }
        Ok(wanted)
    }

    /// Notes cells in a wrong encoding, in the columns that are kept, and with a byte-order mark,
    /// in any: where one is, another file begins.
    fn look_at(
        &mut self,
        text: &Text,
        (number, line): (u64, &[u8]),
        splitter: &Splitter,
        is_kept: impl Fn(usize) -> bool,
        name_of: impl Fn(usize) -> String,
    ) {
        if line.is_ascii() {
            return;
        }
        for at in 0..splitter.count() {
            let cell = splitter.cell(at);
            let wrong = match is_kept(at) {
                true => garbled::wrong_bytes(cell),
                false => memchr::memmem::find(cell, MARK).map(|_| Wrong::ByteOrderMark),
            };
            if let Some(wrong) = wrong {
                let shown = String::from_utf8_lossy(cell);
                self.findings.add(Finding::of_text(wrong, (&text.display, number), &name_of(at), &shown));
            }
        }
    }

    /// Cuts a line into cells; false if that can't be, which is noted.
    fn split(&mut self, text: &Text, splitter: &mut Splitter, number: u64, line: &[u8]) -> Result<bool> {
        let reason = if memchr::memchr(0, line).is_some() {
            "a NUL byte"
        } else {
            match splitter.split(line) {
                Ok(()) => return Ok(true),
                Err(Malformed::OpenQuote) => "a quote that is not closed",
                Err(Malformed::TooLong) => "too many cells, or too long",
            }
        };
        let problem = Problem { file: &text.display, line: number, column: "", value: line, reason };
        self.problems.add(&problem)?;
        Ok(false)
    }

    /// Reads a table to its end.
    pub(super) fn read(
        &mut self,
        text: &Text,
        table: &Table,
        dialect: &Dialect,
        districts: &Districts,
    ) -> Result<()> {
        let Some(mut reader) = RowReader::new(&table.columns, districts) else {
            bail!("{}: no column of postcodes", text.display);
        };
        let mut splitter = Splitter::new(dialect);
        let mut header = table.header;
        let shared = self.shared;
        let cells = Some(table.columns.names.len());
        lines::for_each_row(text, shared, dialect, cells, |number, line| {
            if std::mem::take(&mut header) {
                return Ok(());
            }
            let line = without_mark(number, line);
            self.line(text, table, &mut reader, &mut splitter, (number, line))?;
            if self.batch.len() == BATCH { self.flush(text) } else { Ok(()) }
        })?;
        self.flush(text)?;
        self.single_areas &= self.in_table.len() <= 1;
        self.in_table.clear();
        self.area.clear();
        if shared.stopped() {
            bail!(Interrupted);
        }
        Ok(())
    }

    fn line(
        &mut self,
        text: &Text,
        table: &Table,
        reader: &mut RowReader<'_>,
        splitter: &mut Splitter,
        (number, line): (u64, &[u8]),
    ) -> Result<()> {
        if !self.split(text, splitter, number, line)? {
            return Ok(());
        }
        // Spreadsheets leave rows of nothing but delimiters.
        if (0..splitter.count()).all(|at| splitter.cell(at).is_empty()) {
            return Ok(());
        }
        let is_kept = |at| table.columns.fields.iter().any(|(_, other)| *other == at);
        let name_of = |at: usize| table.columns.names.get(at).cloned().unwrap_or_default();
        self.look_at(text, (number, line), splitter, is_kept, name_of);
        match reader.row(splitter, &mut self.builder, &mut self.areas) {
            Ok(mut row) => {
                let mut kinds = reader.kinds();
                const BEFORE: u32 = 1 << AreaKind::ParliamentaryConstituencyBefore as u32;
                if let Some(before) = self.before.as_mut().filter(|_| kinds & BEFORE == 0) {
                    let set = before.set(&mut row, &mut self.areas, &mut self.builder);
                    kinds |=
                        u32::from(set.map_err(|why| anyhow::anyhow!("--boundaries-before: {why}"))?) * BEFORE;
                }
                self.batch.push(Pending { row, line: number, kinds, computed: false });
                Ok(())
            }
            Err(refusal) => {
                let column = refusal.column.and_then(|at| table.columns.names.get(at));
                let value = refusal.column.map_or(line, |at| splitter.cell(at));
                let column = column.map_or("", String::as_str);
                let reason = &*refusal.reason;
                self.problems.add(&Problem { file: &text.display, line: number, column, value, reason })
            }
        }
    }

    /// Locates the rows of the batch and gives them to the builder.
    fn flush(&mut self, text: &Text) -> Result<()> {
        locate(&mut self.batch);
        let mut batch = std::mem::take(&mut self.batch);
        for Pending { row, line, kinds, computed } in batch.drain(..) {
            // What else than a second row can be wrong has been checked already.
            if let Err(error) = self.builder.push(&row) {
                let value = row.postcode.spaced();
                let (value, reason) = (value.as_bytes(), error.message());
                self.problems.add(&Problem { file: &text.display, line, column: "", value, reason })?;
                continue;
            }
            self.fill.count(&row);
            self.fill.computed += u64::from(computed);
            for (kind, rows) in self.area_rows.iter_mut().enumerate() {
                *rows += u64::from(kinds >> kind & 1);
            }
            let area = row.postcode.area();
            if area != *self.area.as_str() {
                self.area = area.to_string();
                self.in_table.insert(self.area.clone());
                self.present.insert(self.area.clone());
            }
        }
        self.batch = batch;
        self.progress.at("reading", self.shared.read.load(Ordering::Relaxed), self.total);
        Ok(())
    }

    /// Returns the parts that are needed after the last line: the builder and its progress.
    pub(super) fn into_builder(self) -> (DatasetBuilder, Progress) {
        (self.builder, self.progress)
    }
}

/// Returns the line without a byte order mark, which may begin a file.
fn without_mark(number: u64, line: &[u8]) -> &[u8] {
    line.strip_prefix(MARK).filter(|_| number == 1).unwrap_or(line)
}

/// Computes what the source does not give. This is most of the work where all rows need it, so it
/// is shared out.
fn locate(batch: &mut [Pending]) {
    let wants = |pending: &Pending| pending.row.location.is_none() && pending.row.grid.is_some();
    let some = |rows: &mut [Pending]| {
        for pending in rows.iter_mut().filter(|pending| wants(pending)) {
            pending.row.location = pending.row.grid.and_then(grid::locate);
            pending.computed = pending.row.location.is_some();
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if threads == 1 || batch.iter().filter(|pending| wants(pending)).count() < BATCH / 8 {
        return some(batch);
    }
    std::thread::scope(|scope| {
        for rows in batch.chunks_mut(batch.len().div_ceil(threads)) {
            scope.spawn(move || some(rows));
        }
    });
}
