//! Titles above the names of the columns, as people write them into sheets.

use postcode_tables::{Dialect, Encoding, Scanner, Step, blank};

use super::Plan;
use super::csv::{named, texts};
use super::reading::{self, Cell};

/// The most rows above the names of the columns.
const MOST: usize = 20;
/// The most cells with something in them in a row of a title: `Printed on`, `1 May`.
const CELLS: usize = 2;

/// The rows above the names of the columns.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Title {
    pub(super) bytes: usize,
    pub(super) lines: u64,
    /// The delimiter of the rows below.
    pub(super) delimiter: u8,
}

/// Finds out whether a table begins with a title: rows with little in them, and below them a row with more in it that names
/// the column of the postcodes. `found` is the dialect that the first rows tell, which is that of a title if there is one.
pub(super) fn find(
    sample: &[u8],
    whole: bool,
    found: Dialect,
    (plan, encoding): (&Plan, Encoding),
) -> Option<Title> {
    let others = postcode_tables::DELIMITERS.into_iter().filter(|other| *other != found.delimiter);
    let others = others.filter(|_| plan.delimiter.is_none());
    for delimiter in std::iter::once(found.delimiter).chain(others) {
        match above(sample, whole, Dialect { delimiter, ..found }, (plan, encoding)) {
            Above::Nothing => return None,
            Above::Unknown => {}
            Above::Title(title) => return Some(title),
        }
    }
    None
}

enum Above {
    /// The first row names the column.
    Nothing,
    /// No row names the column.
    Unknown,
    Title(Title),
}

fn above(sample: &[u8], whole: bool, dialect: Dialect, (plan, encoding): (&Plan, Encoding)) -> Above {
    let mut scanner = Scanner::of(&dialect);
    let (mut bytes, mut lines, mut most) = (0, 0, 0);
    for row in 0..MOST {
        while let Some(empty @ 1..) = blank(sample.get(bytes..).unwrap_or_default()) {
            (bytes, lines) = (bytes + empty, lines + 1);
        }
        let rest = sample.get(bytes..).unwrap_or_default();
        scanner.next_row();
        let Ok(Step::Row(len @ 1..)) = scanner.scan(rest, whole) else { break };
        let cells = texts(rest.get(..len).unwrap_or_default(), &scanner, encoding);
        let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
        if matches!(named(&cells, plan), Ok(Some(_))) {
            match row {
                0 => return Above::Nothing,
                _ if filled > most => {
                    return Above::Title(Title { bytes, lines, delimiter: dialect.delimiter });
                }
                _ => break,
            }
        }
        let is_postcode = |cell: &String| matches!(reading::read(cell, plan), Cell::Postcode(_));
        if filled > CELLS || cells.iter().any(is_postcode) {
            break;
        }
        most = most.max(filled);
        (bytes, lines) = (bytes + len, lines + scanner.lines());
    }
    Above::Unknown
}

#[cfg(test)]
mod tests {
    use super::super::{Column, Format};
    use super::*;

    fn found(table: &str) -> Option<(usize, u64, char)> {
        let plan = Plan::new(Format::Csv, Column::list("status").unwrap_or_default());
        let dialect = Dialect::of(table.as_bytes(), true);
        find(table.as_bytes(), true, dialect, (&plan, Encoding::Utf8))
            .map(|title| (title.bytes, title.lines, char::from(title.delimiter)))
    }

    #[test]
    fn rows_above_the_names_are_a_title() {
        for (table, expected) in [
            ("Customers,,\n\nid,postcode,n\n1,M1 1AE,2\n", Some((13, 2, ','))),
            ("Customers\nid;postcode;n\n1;M1 1AE;2\n", Some((10, 1, ';'))),
            (",,\nid,postcode,n\n", Some((3, 1, ','))),
            ("\"Two\nlines\"\nid,Post Code\n", Some((12, 2, ','))),
            ("Printed,1 May\nid,postcode,n\n", Some((14, 1, ','))),
        ] {
            assert_eq!(found(table), expected, "{table}");
        }
    }

    #[test]
    fn rows_of_a_table_are_not_a_title() {
        for table in [
            "postcode\nM1 1AE\n",
            "id,postcode\n1,M1 1AE\n",
            "id,where\n1,M1 1AE\nx,postcode\n",
            "name,code\nAda,postcode\n",
            "a,b,c\nid,postcode,n,m\n",
            "a\nb\n",
            "",
        ] {
            assert_eq!(found(table), None, "{table}");
        }
    }
}
