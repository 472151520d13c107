//! Rows of CSV.

use postcode_tables::{AnyOf, Dialect, Encoding, Quoting, Scanner, line_end};

use super::column::Found;
use super::row::{Kind, Row};
use super::value::Value;
use super::{Column, POSTCODE_NAMES, Plan, short};

/// The header, read from the first row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Header {
    pub(super) delimiter: u8,
    #[serde(default)]
    pub(super) quoting: Quoting,
    pub(super) postcode: usize,
    pub(super) fields: usize,
    /// The columns that hold the address, if a column to add is about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) address: Vec<usize>,
    /// Whether rows begin with a name of the row, for which the header of the file has no cell.
    #[serde(default)]
    pub(super) row_names: bool,
}

/// Returns the text of the cells of a row. A spreadsheet's mark of UTF-8 is not part of the first one.
pub(super) fn texts(row: &[u8], fields: &Scanner, encoding: Encoding) -> Vec<String> {
    (0..fields.cells()).map(|n| text(row, fields, encoding, n)).collect()
}

/// Returns the text of one cell of a row.
pub(super) fn text(row: &[u8], fields: &Scanner, encoding: Encoding, n: usize) -> String {
    fields.text(row, n, encoding).trim_start_matches('\u{feff}').trim().to_owned()
}

/// The column of the postcode by its name: the one that is asked for, or the one that is called so. `None` if the names do
/// not tell.
pub(super) fn named(names: &[String], plan: &Plan) -> Result<Option<usize>, String> {
    let Some(wanted) = &plan.postcode else {
        let find = |wanted: &str| names.iter().position(|name| plain(name) == wanted);
        return Ok(POSTCODE_NAMES.iter().find_map(|wanted| find(wanted)));
    };
    let found = names.iter().position(|name| name.eq_ignore_ascii_case(wanted.trim()));
    found.map(Some).ok_or_else(|| {
        let is_number = wanted.trim().parse::<usize>().is_ok() && !plan.no_header;
        let advice = if is_number { HEADLESS } else { "" };
        format!("there is no column {}, only {}{advice}", short(wanted), known(names))
    })
}

/// Returns a note if other columns are called like the one of the postcode: the first is read.
pub(super) fn namesakes(names: &[String], postcode: usize) -> Option<String> {
    let name = names.get(postcode)?;
    let count = names.iter().filter(|other| plain(other) == plain(name)).count();
    (count > 1).then(|| {
        format!("{count} columns are called {}: the postcodes are taken from the first", short(name))
    })
}

/// Advice for those who name a column by its number.
const HEADLESS: &str =
    ". Columns have numbers only with --no-header (over HTTP header=none), for files without a line of names";

/// The names, for a message.
pub(super) fn known(names: &[String]) -> String {
    names.iter().take(50).map(|name| short(name)).collect::<Vec<_>>().join(", ")
}

impl Header {
    /// How the rows are written.
    pub(super) fn dialect(&self) -> Dialect {
        Dialect { delimiter: self.delimiter, preamble: 0, quoting: self.quoting }
    }

    /// Writes the header with the new columns to `out`.
    ///
    /// # Errors
    /// If a column is there already.
    pub(super) fn write(
        &self,
        row: &[u8],
        names: &[String],
        (plan, encoding): (&Plan, Encoding),
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let (end, cells) = (line_end(row), Cells::new(&self.dialect(), encoding));
        if self.row_names {
            out.extend_from_slice(if self.quoting == Quoting::None { b"" } else { b"\"\"" });
            out.push(self.delimiter);
        }
        out.extend_from_slice(&row[..end]);
        for column in &plan.columns {
            let added = format!("{}{column}", plan.prefix);
            if names.iter().any(|name| name.eq_ignore_ascii_case(&added)) {
                return Err(format!("there is a column {added:?} already: give the new ones a prefix"));
            }
            out.push(self.delimiter);
            cells.text(out, &added);
        }
        out.extend_from_slice(if end == row.len() { b"\n" } else { &row[end..] });
        Ok(())
    }

    /// Returns the row in the scanner, or `None` if it has values in more cells than the header: new cells would stand
    /// under the wrong names.
    pub(super) fn row(&self, bytes: &[u8], fields: &Scanner) -> Option<Row> {
        let mut row = Row {
            range: 0..bytes.len(),
            read: fields.range(self.postcode).unwrap_or_default(),
            missing: 0,
            keep: line_end(bytes),
            kind: Kind::Row,
        };
        match self.fields.checked_sub(fields.cells()) {
            Some(missing) => row.missing = missing,
            None if fields.is_blank_from(bytes, self.fields) => row.keep = fields.end_of(self.fields),
            None => return None,
        }
        if fields.is_blank_from(bytes, 0) {
            row.kind = Kind::Empty;
        }
        Some(row)
    }
}

/// A name without what people write differently.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// How cells are written.
pub(super) struct Cells {
    delimiter: u8,
    quoting: Quoting,
    encoding: Encoding,
    /// Finds the bytes that must be quoted (RFC 4180).
    quoted: AnyOf<4>,
}

impl Cells {
    pub(super) fn new(dialect: &Dialect, encoding: Encoding) -> Self {
        let Dialect { delimiter, quoting, .. } = *dialect;
        Self { delimiter, quoting, encoding, quoted: AnyOf::new([delimiter, b'"', b'\r', b'\n']) }
    }

    /// Adds the columns to a row; empty ones if nothing was found because nothing was there.
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        bytes: &[u8],
        row: &Row,
        columns: &[Column],
        found: Option<&Found<'_>>,
    ) {
        out.extend_from_slice(bytes.get(..row.keep).unwrap_or(bytes));
        out.extend(std::iter::repeat_n(self.delimiter, row.missing));
        for column in columns {
            out.push(self.delimiter);
            match found.map_or(Value::None, |found| column.value(found)) {
                Value::None => {}
                Value::Text(text) => self.text(out, &text),
                Value::Degrees(degrees) => Value::degrees(degrees, out),
                number @ Value::Number(_) => {
                    use std::io::Write;
                    // Writing to memory does not fail.
                    let _ = write!(out, "{number}");
                }
            }
        }
        out.extend_from_slice(&bytes[line_end(bytes)..]);
    }

    fn text(&self, out: &mut Vec<u8>, text: &str) {
        if self.quoted.first_in(text.as_bytes()).is_none() {
            self.encoding.push(out, text);
            return;
        }
        let quoted = match self.quoting {
            Quoting::Doubled => text.replace('"', "\"\""),
            Quoting::Backslash => text.replace('\\', "\\\\").replace('"', "\\\""),
            // Nothing can keep a delimiter in a cell.
            Quoting::None => {
                let delimiter = char::from(self.delimiter);
                self.encoding.push(out, &text.replace([delimiter, '\r', '\n'], " "));
                return;
            }
        };
        out.push(b'"');
        self.encoding.push(out, &quoted);
        out.push(b'"');
    }
}
