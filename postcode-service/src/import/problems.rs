//! Rows that can't be imported: where they are and why.

use std::fmt;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// Problems shown one by one; the rest are counted, and written to `--errors`.
const SHOWN: u64 = 20;
/// The number of errors after which the import gives up.
const HOPELESS: u64 = 1_000_000;
/// Bytes of a value that are shown.
const VALUE: usize = 60;

/// A row that was left out.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    pub(super) file: &'a str,
    /// The line number from 1, the header included.
    pub(super) line: u64,
    /// The column's name; empty if it is the line as a whole.
    pub(super) column: &'a str,
    pub(super) value: &'a [u8],
    pub(super) reason: &'a str,
}

impl Problem<'_> {
    /// Returns the value, short and printable.
    fn shown(&self) -> String {
        let text = String::from_utf8_lossy(&self.value[..self.value.len().min(VALUE)]);
        let mut text: String = text.chars().flat_map(char::escape_debug).collect();
        if self.value.len() > VALUE {
            text.push('…');
        }
        text
    }
}

impl fmt::Display for Problem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.column.is_empty() {
            write!(f, "{} ", self.column)?;
        }
        write!(f, "\"{}\": {}", self.shown(), self.reason)
    }
}

/// Counts problems, shows the first, writes all to a file.
pub(super) struct Problems {
    count: u64,
    max: u64,
    file: Option<(PathBuf, csv::Writer<BufWriter<std::fs::File>>)>,
    /// The output for the first errors: standard error.
    show: Box<dyn FnMut(&str)>,
}

impl Problems {
    pub(super) fn new(max: u64, path: Option<&Path>, show: Box<dyn FnMut(&str)>) -> Result<Self> {
        let file = match path {
            None => None,
            Some(path) => {
                let cannot = || format!("{}: the file for errors can't be written", path.display());
                let file = std::fs::File::create(path).with_context(cannot)?;
                let mut writer = csv::Writer::from_writer(BufWriter::new(file));
                writer.write_record(["file", "line", "column", "value", "reason"]).with_context(cannot)?;
                Some((path.to_owned(), writer))
            }
        };
        Ok(Self { count: 0, max, file, show })
    }

    pub(super) fn add(&mut self, problem: &Problem<'_>) -> Result<()> {
        self.count += 1;
        if self.count <= SHOWN {
            (self.show)(&problem.to_string());
        } else if self.count == SHOWN + 1 {
            let all = match &self.file {
                Some((path, _)) => format!("all are in {}", path.display()),
                None => "--errors FILE keeps them all".to_owned(),
            };
            (self.show)(&format!("… more rows with errors; {all}"));
        }
        if let Some((path, writer)) = &mut self.file {
            let line = problem.line.to_string();
            writer
                .write_record([problem.file, &line, problem.column, &problem.shown(), problem.reason])
                .with_context(|| format!("{}: the file for errors can't be written", path.display()))?;
        }
        if self.count >= HOPELESS {
            bail!("{HOPELESS} rows with errors: given up, nothing was published");
        }
        Ok(())
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Ends the file after the last row. Too many errors fail the import.
    pub(super) fn finish(&mut self) -> Result<()> {
        if let Some((path, writer)) = &mut self.file {
            let cannot = || format!("{}: the file for errors can't be written", path.display());
            writer.flush().with_context(cannot)?;
        }
        if self.count > self.max {
            bail!(
                "{} rows with errors, more than the {} that --max-errors allows: nothing was published",
                self.count,
                self.max
            );
        }
        Ok(())
    }
}

impl Drop for Problems {
    fn drop(&mut self) {
        // Another error ends the import, but the rows found so far are still useful.
        if let Some((_, writer)) = &mut self.file {
            let _ = writer.flush();
        }
    }
}
