//! Names of rows, as R writes them into a first column that has no heading.

use std::collections::HashSet;

use crate::{Scanner, Step, blank, value};

/// Rows that are looked at.
const ROWS: usize = 200;

/// Returns whether the rows below a header begin with the name of the row, for which the header has no cell.
///
/// `write.table` of R writes tables so. Each row must have one cell more than the header, and the first cells must differ.
/// In a table with commas they must also be quoted, as the header is, or count from 1. Otherwise it may be a comma too many.
/// The scanner has read the header; `whole` says that nothing follows `below`.
pub fn has_row_names(header: &[u8], scanner: &Scanner, below: &[u8], whole: bool) -> bool {
    let is_quoted = |cell: Option<&[u8]>| cell.is_some_and(|cell| cell.starts_with(b"\""));
    let headings = scanner.cells();
    let mut quoted = (0..headings).all(|n| is_quoted(scanner.cell(header, n)));
    let mut rows = scanner.clone();
    let (mut names, mut counted, mut spaced, mut filled) = (HashSet::new(), true, false, false);
    let mut rest = below;
    while names.len() < ROWS {
        if let Some(empty @ 1..) = blank(rest) {
            rest = rest.get(empty..).unwrap_or_default();
            continue;
        }
        rows.next_row();
        let Ok(Step::Row(len @ 1..)) = rows.scan(rest, whole) else { break };
        let (row, after) = rest.split_at(len);
        rest = after;
        if rows.is_blank_from(row, 0) || row.iter().all(|byte| *byte == 0x1a) {
            continue;
        }
        let name = value(rows.cell(row, 0).unwrap_or_default(), rows.quoting()).into_owned();
        if rows.cells() != headings + 1 || name.is_empty() || names.contains(&name) {
            return false;
        }
        quoted &= is_quoted(rows.cell(row, 0));
        counted &= name == (names.len() + 1).to_string().as_bytes();
        spaced |= (1..rows.cells()).any(|n| rows.cell(row, n).is_some_and(|cell| cell.starts_with(b" ")));
        filled |= !rows.is_blank_from(row, headings);
        names.insert(name);
    }
    let is_certain = quoted || scanner.delimiter() != b',' || counted && !spaced && names.len() > 1;
    headings > 0 && filled && !names.is_empty() && is_certain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dialect;

    fn found(table: &str) -> bool {
        let mut scanner = Scanner::of(&Dialect::of(table.as_bytes(), true));
        let Ok(Step::Row(len)) = scanner.scan(table.as_bytes(), true) else { return false };
        let (header, below) = table.as_bytes().split_at(len);
        has_row_names(header, &scanner, below, true)
    }

    #[test]
    fn tables_of_r_have_row_names() {
        for table in [
            "\"n\",\"p\"\n\"1\",\"Ada\",\"M1 1AE\"\n\"7\",\"Bob\",\"EH1 1YZ\"\n",
            "\"n\" \"p\"\n\"1\" \"Ada\" \"M1 1AE\"\n",
            "n\tp\nx1\tAda\tM1 1AE\n\nx2\tBob\tEH1 1YZ\n",
            "n,p\n1,Ada,M1 1AE\n2,Bob,\n",
        ] {
            assert!(found(table), "{table}");
        }
    }

    #[test]
    fn comma_too_many_is_not_a_row_name() {
        for table in [
            "n,p\n1,Ada\n2,Bob\n",
            "n,p\nAda,M1 1AE,x\nBob,M1 1AE\n",
            "name,address,p\nAda,1 The Mall, London,SW1A 1AA\nBob,2 The Mall, London,SW1A 1AA\n",
            "id,address,p\n1,1 The Mall, London,SW1A 1AA\n2,2 The Mall, London,SW1A 1AA\n",
            "n,p\n1,Ada,M1 1AE\n",
            "n,p\nAda,M1 1AE,\nBob,M1 1AE,\n",
            "n;p\n1;Ada;M1 1AE\n1;Bob;M1 1AE\n",
            "n,p\n",
            "",
        ] {
            assert!(!found(table), "{table}");
        }
    }
}
