//! Rows that a stray quote makes a part of another row.

use postcode_tables::{Encoding, Scanner, Step, value};

use super::Plan;
use super::csv::Header;
use super::reading::{self, Cell};

/// The remedy for a quote that opens a cell by mistake.
pub(super) const STRAY_QUOTE: &str = "If it is a stray one, remove it, or read quotes as ordinary characters (--quote none, over HTTP quote=none)";

/// Returns whether a row that spans several lines holds others: each line between its first and its last one has as many
/// cells as the header, and a postcode where postcodes stand.
pub(super) fn has_rows(row: &[u8], header: &Header, (plan, encoding): (&Plan, Encoding)) -> bool {
    let mut lines = row.trim_ascii_end().split(|byte| matches!(byte, b'\r' | b'\n'));
    lines.next();
    lines.next_back();
    let mut scanner = Scanner::of(&header.dialect());
    let mut rows = 0;
    for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
        scanner.next_row();
        if !matches!(scanner.scan(line, true), Ok(Step::Row(_))) || scanner.cells() != header.fields {
            return false;
        }
        let cell = value(scanner.cell(line, header.postcode).unwrap_or_default(), header.quoting);
        if !matches!(reading::read(&encoding.text(&cell), plan), Cell::Postcode(_)) {
            return false;
        }
        rows += 1;
    }
    // A line of an address may be two cells of which one is a postcode.
    rows > 0 && (header.fields > 2 || rows > 1)
}

#[cfg(test)]
mod tests {
    use postcode_tables::Quoting;

    use super::super::{Column, Format};
    use super::*;

    fn found(row: &str, fields: usize, postcode: usize) -> bool {
        let plan = Plan::new(Format::Csv, Column::list("status").unwrap_or_default());
        let header = Header {
            delimiter: b',',
            quoting: Quoting::Doubled,
            postcode,
            fields,
            row_names: false,
            address: Vec::new(),
        };
        has_rows(row.as_bytes(), &header, (&plan, Encoding::Utf8))
    }

    #[test]
    fn quote_that_ends_in_a_later_row_has_swallowed_those_between() {
        assert!(found("1,\"Ada,SW1A 1AA\n2,Bob,M1 1AE\n3,\"Cy, Co\",EH1 1YZ\n", 3, 2));
        assert!(found("1,\"Ada,SW1A 1AA\r\n\r\n2,Bob,M1 1AE\r\n3,Cy 5\",EH1 1YZ\r\n", 3, 2));
        assert!(found("\"Ada,SW1A 1AA\nBob,M1 1AE\nCy,M1 1AE\nDi 5\",EH1 1YZ\n", 2, 1));
    }

    #[test]
    fn cell_with_several_lines_has_swallowed_nothing() {
        for (row, fields, postcode) in [
            ("1,\"12 High St\nLeeds\nUK\",LS1 4DY\n", 3, 2),
            ("1,\"12 High St\nLeeds, Yorks, UK\nUK\",LS1 4DY\n", 3, 2),
            ("\"12 High St\nLeeds, LS1 4DY\nUK\",LS1 4DY\n", 2, 1),
            ("\"12 High St\nLeeds\",LS1 4DY\n", 2, 1),
            ("1,Ada,LS1 4DY\n", 3, 2),
            ("\n", 1, 0),
        ] {
            assert!(!found(row, fields, postcode), "{row}");
        }
    }
}
