//! The forms of an answer: lines for a script, tables with colour for a terminal, JSON, CSV.

use std::io::{self, IsTerminal, Write};

/// The options that say how an answer is written.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Shape {
    /// Write JSON, one value a line, in the field names of the HTTP API
    #[arg(long, short)]
    pub(crate) json: bool,
    /// Write CSV with a header
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Lines as scripts have read them from the beginning: standard output is not a terminal.
    Plain,
    /// For the person at a terminal.
    Terminal,
    Json,
    Csv,
}

impl Shape {
    pub(crate) fn format(self) -> Format {
        match self {
            Self { json: true, .. } => Format::Json,
            Self { csv: true, .. } => Format::Csv,
            _ if io::stdout().is_terminal() => Format::Terminal,
            _ => Format::Plain,
        }
    }
}

impl Format {
    /// Returns whether people read it, who also want the edition and attribution.
    pub(crate) fn is_for_people(self) -> bool {
        matches!(self, Self::Plain | Self::Terminal)
    }

    /// Returns the colours: those of a terminal, unless `NO_COLOR` is set or the terminal is dumb.
    pub(crate) fn paint(self) -> Paint {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Paint { on: self == Self::Terminal && !set("NO_COLOR") && !dumb }
    }
}

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(crate) fn doubtful(self, text: &str) -> String {
        self.with("33", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    /// Colours a status by what it means.
    pub(crate) fn status(self, text: &str) -> String {
        match text.split(' ').next() {
            Some("live") => self.good(text),
            Some("terminated" | "not") => self.doubtful(text),
            _ => self.bad(text),
        }
    }
}

/// Rows with a header: aligned for a terminal, or CSV.
///
/// Rows for a terminal are aligned page by page, so memory does not grow with their number.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<String>,
    format: Format,
    waiting: Vec<Vec<String>>,
    widths: Vec<usize>,
    begun: bool,
}

/// Rows that are aligned together.
const PAGE: usize = 1_000;

impl Table {
    pub(crate) fn new<S: Into<String>>(format: Format, header: impl IntoIterator<Item = S>) -> Self {
        let header: Vec<String> = header.into_iter().map(Into::into).collect();
        let widths = header.iter().map(|name| name.chars().count()).collect();
        Self { header, format, waiting: Vec::new(), widths, begun: false }
    }

    /// Adds a row of as many cells as the header has.
    pub(crate) fn row<S: Into<String>>(
        &mut self,
        out: &mut impl Write,
        cells: impl IntoIterator<Item = S>,
    ) -> io::Result<()> {
        self.waiting.push(cells.into_iter().map(Into::into).collect());
        if self.waiting.len() == PAGE { self.flush(out) } else { Ok(()) }
    }

    /// Writes the rows that wait. A table without rows is only its header, in CSV.
    pub(crate) fn flush(&mut self, out: &mut impl Write) -> io::Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        let headed = !std::mem::replace(&mut self.begun, true);
        if self.format == Format::Csv {
            let mut writer = csv::Writer::from_writer(&mut *out);
            if headed {
                writer.write_record(&self.header)?;
            }
            for row in &rows {
                writer.write_record(row)?;
            }
            return writer.flush();
        }
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let paint = self.format.paint();
        if headed && !rows.is_empty() {
            writeln!(out, "{}", paint.bold(&self.line(&self.header)))?;
        }
        for row in &rows {
            writeln!(out, "{}", self.line(row))?;
        }
        Ok(())
    }

    fn line(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&self.widths) {
            // Numbers are read by their last digit.
            let numeric = cell.parse::<f64>().is_ok();
            line += &if numeric { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
        }
        line.truncate(line.trim_end().len());
        line
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, Paint, Table};

    fn written(format: Format, rows: &[[&str; 2]]) -> String {
        let mut table = Table::new(format, ["postcode", "metres"]);
        let mut out = Vec::new();
        for row in rows {
            table.row(&mut out, row.iter().copied()).unwrap();
        }
        table.flush(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_has_its_header_once_and_quotes_what_needs_it() {
        assert_eq!(written(Format::Csv, &[["a,b", "1"], ["c", "2"]]), "postcode,metres\n\"a,b\",1\nc,2\n");
        assert_eq!(written(Format::Csv, &[]), "postcode,metres\n");
    }

    #[test]
    fn table_aligns_cells_and_is_empty_without_rows() {
        // Plain, so that the test's environment has no say about colours.
        let text = written(Format::Plain, &[["SW1A 1AA", "9.5"], ["Ynys Môn, Cymru", "1000.0"]]);
        assert_eq!(text, "postcode         metres\nSW1A 1AA            9.5\nYnys Môn, Cymru  1000.0\n");
        assert_eq!(written(Format::Plain, &[]), "");
    }

    #[test]
    fn colours_follow_the_status_and_can_be_off() {
        let (on, off) = (Paint { on: true }, Paint { on: false });
        assert_eq!(on.status("live"), "\x1b[32mlive\x1b[0m");
        assert_eq!(on.status("not covered"), "\x1b[33mnot covered\x1b[0m");
        assert_eq!(on.status("unknown"), "\x1b[31munknown\x1b[0m");
        assert_eq!(off.status("live"), "live");
        assert_eq!(Format::Plain.paint().bold("x"), "x");
    }
}
