//! Totals and footnotes below a table, as people write them into sheets.

use postcode_tables::{Encoding, Scanner, value};

use super::Plan;
use super::csv::{self, Header};
use super::reading::{self, Cell};

/// The most cells with something in them in a footnote.
const CELLS: usize = 2;

/// The rows at the end, as far as they are read, that may be totals or footnotes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tail {
    rows: u64,
    /// The line of the first one.
    line: u64,
}

impl Tail {
    pub(super) fn is_empty(self) -> bool {
        self.rows == 0
    }

    /// Looks at a row of a table, which is in the scanner, and begins on that line.
    pub(super) fn see(
        &mut self,
        (row, line): (&[u8], u64),
        fields: &Scanner,
        header: &Header,
        context: (&Plan, Encoding),
    ) {
        if fields.is_blank_from(row, 0) {
            return;
        }
        if !is_remark(row, fields, header, context) {
            self.rows = 0;
            return;
        }
        if self.rows == 0 {
            self.line = line;
        }
        self.rows += 1;
    }

    /// Returns a note about the rows, now that nothing follows them.
    pub(super) fn note(self) -> Option<String> {
        (self.rows > 0).then(|| {
            format!(
                "from line {} to the end the rows have no postcode and little else: totals or footnotes? They are kept, and \
                 count as rows without a postcode",
                self.line
            )
        })
    }
}

/// Returns whether a row has no postcode, and is a total or has few cells with something in them.
fn is_remark(row: &[u8], fields: &Scanner, header: &Header, (plan, encoding): (&Plan, Encoding)) -> bool {
    let cell = fields.cell(row, header.postcode).unwrap_or_default();
    let has_none = value(cell, header.quoting).trim_ascii().is_empty();
    // The usual row ends here.
    if !has_none && !fields.is_blank_from(row, CELLS) {
        return false;
    }
    let text = |n: usize| csv::text(row, fields, encoding, n);
    let filled: Vec<usize> = (0..fields.cells()).filter(|n| !text(*n).is_empty()).collect();
    let is_few = filled.len() <= CELLS && filled.len() * 2 <= header.fields;
    let is_total = || {
        let first = filled.first().map(|n| text(*n).to_lowercase()).unwrap_or_default();
        ["total", "grand total", "sum"]
            .iter()
            .any(|word| first.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)))
    };
    (is_few || has_none && is_total())
        && (has_none || !matches!(reading::read(&text(header.postcode), plan), Cell::Postcode(_)))
}

#[cfg(test)]
mod tests {
    use postcode_tables::{Quoting, Step};

    use super::super::{Column, Format};
    use super::*;

    /// Returns the line of the note about a table whose second column of four has the postcodes.
    fn noted(rows: &[&str]) -> Option<u64> {
        let plan = Plan::new(Format::Csv, Column::list("status").unwrap());
        let header = Header {
            delimiter: b',',
            quoting: Quoting::Doubled,
            postcode: 1,
            fields: 4,
            row_names: false,
            address: Vec::new(),
        };
        let mut scanner = Scanner::of(&header.dialect());
        let mut tail = Tail::default();
        for (line, row) in (2..).zip(rows) {
            scanner.next_row();
            assert!(matches!(scanner.scan(row.as_bytes(), true), Ok(Step::Row(_))));
            tail.see((row.as_bytes(), line), &scanner, &header, (&plan, Encoding::Utf8));
        }
        assert_eq!(tail.is_empty(), tail.note().is_none());
        tail.note().is_some().then_some(tail.line)
    }

    #[test]
    fn totals_and_footnotes_are_seen_at_the_end_only() {
        for (rows, expected) in [
            (&["Ada,M1 1AE,1,2", "Total,,3,4"][..], Some(3)),
            (&["Ada,M1 1AE,1,2", ",,,", "Grand total: 7", "Source: the council"], Some(4)),
            (&["Ada,M1 1AE,1,2", ",Source: the council,,"], Some(3)),
            (&["Ada,M1 1AE,1,2", "Notes"], Some(3)),
            (&["Notes", "Ada,M1 1AE,1,2"], None),
            (&["Ada,M1 1AE,1,2", "Bob,M1 1AE"], None),
            (&["Ada,M1 1AE,1,2", "Bob,,1,2"], None),
            (&["Totally,,1,2"], None),
            (&[], None),
        ] {
            assert_eq!(noted(rows), expected, "{rows:?}");
        }
    }
}
