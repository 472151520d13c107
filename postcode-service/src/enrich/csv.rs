//! Rows of CSV.

use postcode_tables::{Encoding, Scanner, line_end, value};

use super::column::{Found, Value};
use super::reading::{self, Cell};
use super::rows::Row;
use super::{Column, POSTCODE_NAMES, Plan, short};

/// The header, read from the first row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Header {
    pub(super) delimiter: u8,
    pub(super) postcode: usize,
    pub(super) fields: usize,
}

/// Returns the text of the cells of a row. A spreadsheet's mark of UTF-8 is not part of the first one.
pub(super) fn texts(row: &[u8], fields: &Scanner, encoding: Encoding) -> Vec<String> {
    let text = |n| {
        let cell = value(fields.cell(row, n).unwrap_or_default());
        encoding.text(&cell).trim_start_matches('\u{feff}').trim().to_owned()
    };
    (0..fields.cells()).map(text).collect()
}

/// The column of the postcode by its name: the one that is asked for, or the one that is called so. `None` if the names do
/// not tell.
pub(super) fn named(names: &[String], plan: &Plan) -> Result<Option<usize>, String> {
    let Some(wanted) = &plan.postcode else {
        let find = |wanted: &str| names.iter().position(|name| plain(name) == wanted);
        return Ok(POSTCODE_NAMES.iter().find_map(|wanted| find(wanted)));
    };
    let found = names.iter().position(|name| name.eq_ignore_ascii_case(wanted.trim()));
    found.map(Some).ok_or_else(|| format!("there is no column {}, only {}", short(wanted), known(names)))
}

/// The names, for a message.
pub(super) fn known(names: &[String]) -> String {
    names.iter().take(50).map(|name| short(name)).collect::<Vec<_>>().join(", ")
}

impl Header {
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
        let end = line_end(row);
        out.extend_from_slice(&row[..end]);
        for column in &plan.columns {
            let added = format!("{}{column}", plan.prefix);
            if names.iter().any(|name| name.eq_ignore_ascii_case(&added)) {
                return Err(format!("there is a column {added:?} already: give the new ones a prefix"));
            }
            out.push(self.delimiter);
            field(out, &added, self.delimiter, encoding);
        }
        out.extend_from_slice(if end == row.len() { b"\n" } else { &row[end..] });
        Ok(())
    }

    /// Reads the row in the scanner.
    pub(super) fn row(&self, bytes: &[u8], fields: &Scanner, (plan, encoding): (&Plan, Encoding)) -> Parsed {
        let cell = value(fields.cell(bytes, self.postcode).unwrap_or_default());
        let cell = reading::read(&encoding.text(&cell), plan);
        let mut parsed = Parsed { cell, missing: 0, keep: line_end(bytes), empty: false, ragged: false };
        match self.fields.checked_sub(fields.cells()) {
            Some(missing) => parsed.missing = missing,
            None if fields.is_blank_from(bytes, self.fields) => parsed.keep = fields.end_of(self.fields),
            None => parsed.ragged = true,
        }
        parsed.empty = matches!(parsed.cell, Cell::Not(..)) && fields.is_blank_from(bytes, 0);
        parsed
    }
}

/// A row that was read.
pub(super) struct Parsed {
    pub(super) cell: Cell,
    /// Cells that it lacks before those that are added.
    pub(super) missing: usize,
    /// Bytes of it that stay before what is added: all but empty cells beyond the header's.
    pub(super) keep: usize,
    /// Whether there is nothing in any cell.
    pub(super) empty: bool,
    /// Whether it has more cells than the header, and something in them: what is added would stand under other names.
    pub(super) ragged: bool,
}

/// A name without what people write differently.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// Adds the columns to a row; empty ones if nothing was found because nothing was there.
pub(super) fn write(
    out: &mut Vec<u8>,
    bytes: &[u8],
    row: &Row,
    columns: &[Column],
    found: Option<&Found<'_>>,
    (delimiter, encoding): (u8, Encoding),
) {
    out.extend_from_slice(bytes.get(..row.keep).unwrap_or(bytes));
    out.extend(std::iter::repeat_n(delimiter, row.missing));
    for column in columns {
        out.push(delimiter);
        match found.map_or(Value::None, |found| column.value(found)) {
            Value::Text(text) => field(out, &text, delimiter, encoding),
            other => {
                use std::io::Write;
                // Writing to memory does not fail.
                let _ = write!(out, "{other}");
            }
        }
    }
    out.extend_from_slice(&bytes[line_end(bytes)..]);
}

/// Quoted where it must be (RFC 4180).
fn field(out: &mut Vec<u8>, text: &str, delimiter: u8, encoding: Encoding) {
    let must = |b: u8| b == delimiter || matches!(b, b'"' | b'\r' | b'\n');
    if !text.bytes().any(must) {
        encoding.push(out, text);
        return;
    }
    out.push(b'"');
    encoding.push(out, &text.replace('"', "\"\""));
    out.push(b'"');
}
