//! The cells of a sheet, written as CSV.

use std::io::{self, BufWriter, Seek, Write};

use crate::opened::invalid;
use crate::options::Options;
use crate::spool::Spool;

/// Rows and columns of a sheet at most: those of Excel.
pub(super) const MAX_ROWS: u32 = 1 << 20;
pub(super) const MAX_COLUMNS: u32 = 1 << 14;
/// Bytes of the CSV at most.
const MAX_CSV: u64 = 1 << 30;

/// A sheet that was read.
pub(super) struct ReadSheet {
    pub(super) csv: Spool,
    /// Empty rows above the first.
    pub(super) margin: u32,
    /// Formulas that nobody has computed.
    pub(super) formulas: u64,
}

/// Writes cells as CSV. They come by rows, from left to right.
pub(super) struct Csv {
    out: BufWriter<Spool>,
    row: u32,
    column: u32,
    bytes: u64,
    any: bool,
    margin: u32,
    pub(super) formulas: u64,
}

impl Csv {
    pub(super) fn new(options: &Options) -> Self {
        let out = BufWriter::new(Spool::new(options));
        Self { out, row: 0, column: 0, bytes: 0, any: false, margin: 0, formulas: 0 }
    }

    pub(super) fn cell(&mut self, (row, column): (u32, u32), text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        if row >= MAX_ROWS || column >= MAX_COLUMNS {
            return Err(invalid("the workbook has a cell outside of what Excel allows"));
        }
        if row < self.row || row == self.row && self.any && column < self.column {
            return Err(invalid("the workbook has its cells out of order: save the sheet as CSV"));
        }
        // Empty rows above the first are a margin.
        if !self.any {
            (self.row, self.margin) = (row, row);
        }
        while self.row < row {
            self.write(b"\r\n")?;
            (self.row, self.column) = (self.row + 1, 0);
        }
        while self.column < column {
            self.write(b",")?;
            self.column += 1;
        }
        self.any = true;
        if text.contains([',', '"', '\r', '\n']) {
            self.write(format!("\"{}\"", text.replace('"', "\"\"")).as_bytes())
        } else {
            self.write(text.as_bytes())
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        if self.bytes > MAX_CSV {
            return Err(invalid(&format!("a sheet of more than {MAX_CSV} bytes: save it as CSV")));
        }
        self.out.write_all(bytes)
    }

    /// The CSV; `None` if the sheet is empty.
    pub(super) fn finish(mut self) -> io::Result<Option<ReadSheet>> {
        if !self.any {
            return Ok(None);
        }
        self.write(b"\r\n")?;
        let mut file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Some(ReadSheet { csv: file, margin: self.margin, formulas: self.formulas }))
    }
}
