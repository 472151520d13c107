//! Titles above the names of the columns, as people write them into sheets.

use crate::{DELIMITERS, Dialect, Encoding, Scanner, Step, blank};

/// The most rows above the names of the columns.
const MOST: usize = 20;
/// The most cells with something in them in a row of a title: `Printed on`, `1 May`.
const CELLS: usize = 2;

/// The rows above the names of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Title {
    /// Their bytes.
    pub bytes: usize,
    /// Their lines.
    pub lines: u64,
    /// The delimiter of the rows below.
    pub delimiter: u8,
}

/// How a table is written, as far as its first rows tell.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// The dialect, which is that of the title if there is one.
    pub dialect: Dialect,
    /// The encoding; not a wide one.
    pub encoding: Encoding,
    /// Whether the delimiter was found, and not named: below the title it may be another one.
    pub is_found: bool,
}

/// Describes a row: what its cells say about the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// A column that has its usual name in this row, if the row may be that of the names.
    pub named: Option<usize>,
    /// The columns in which the row has a value such as the rows of the table have, and no title.
    pub values: Vec<usize>,
}

struct SeenRow {
    cells: Vec<String>,
    /// Cells with something in them.
    filled: usize,
    signs: Signs,
    /// Bytes and lines above it.
    above: (usize, u64),
}

impl Title {
    /// Finds out whether a table begins with a title. `sample` is its beginning, and `whole` says that nothing follows;
    /// `see` says what the cells of a row are.
    ///
    /// The row of the names is the one that has a usual name, if above it there are only rows with little in them, or if the
    /// next row has a value in that column: above it may be the names of groups of columns. If no row has a usual name, it is
    /// the first that has something above the first value.
    ///
    /// ```
    /// use postcode_tables::title::{Signs, Title, Way};
    /// use postcode_tables::{Dialect, Encoding};
    ///
    /// let table = b"Members of 2024\nname;email\nAda;ada@example.com\n";
    /// let way = Way { dialect: Dialect::of(table, true), encoding: Encoding::Utf8, is_found: true };
    /// let see = |cells: &[String]| Signs { named: cells.iter().position(|cell| cell == "email"), values: Vec::new() };
    /// let title = Title::find(table, true, &way, see).ok_or("no title")?;
    /// assert_eq!((title.bytes, title.lines, title.delimiter), (16, 1, b';'));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn find(sample: &[u8], whole: bool, way: &Way, see: impl Fn(&[String]) -> Signs) -> Option<Self> {
        let found = way.dialect;
        let others = DELIMITERS.into_iter().filter(|other| *other != found.delimiter && way.is_found);
        for delimiter in std::iter::once(found.delimiter).chain(others) {
            let rows = look(sample, whole, &Dialect { delimiter, ..found }, way.encoding, &see);
            match header(&rows) {
                Some(0) => return None,
                Some(n) => {
                    let (bytes, lines) = rows.get(n)?.above;
                    return Some(Self { bytes, lines, delimiter });
                }
                None => {}
            }
        }
        None
    }
}

/// Reads the first rows, up to the first with a value.
fn look(
    sample: &[u8],
    whole: bool,
    dialect: &Dialect,
    encoding: Encoding,
    see: &impl Fn(&[String]) -> Signs,
) -> Vec<SeenRow> {
    let mut scanner = Scanner::of(dialect);
    let mut rows = Vec::new();
    let (mut bytes, mut lines) = (0, 0);
    // The title, the names, and the first row.
    while rows.len() < MOST + 2 {
        while let Some(empty @ 1..) = blank(sample.get(bytes..).unwrap_or_default()) {
            (bytes, lines) = (bytes + empty, lines + 1);
        }
        let rest = sample.get(bytes..).unwrap_or_default();
        scanner.next_row();
        let Ok(Step::Row(len @ 1..)) = scanner.scan(rest, whole) else { break };
        let cell = |n| scanner.text(rest, n, encoding).trim_start_matches('\u{feff}').trim().to_owned();
        let cells: Vec<String> = (0..scanner.cells()).map(cell).collect();
        // A comment may have any number of commas.
        let is_comment = cells.first().is_some_and(|cell| cell.starts_with('#'));
        let filled = if is_comment { 1 } else { cells.iter().filter(|cell| !cell.is_empty()).count() };
        let signs = if is_comment { Signs::default() } else { see(&cells) };
        let is_row = !signs.values.is_empty();
        rows.push(SeenRow { cells, filled, signs, above: (bytes, lines) });
        if is_row {
            break;
        }
        (bytes, lines) = (bytes + len, lines + scanner.lines());
    }
    rows
}

/// Returns which of the first rows has the names of the columns; `None` if they do not tell. Only the last may have values.
fn header(rows: &[SeenRow]) -> Option<usize> {
    let few = |n: usize| {
        let most = rows.get(n).map_or(0, |row| row.filled);
        rows.iter().take(n).all(|row| row.filled <= CELLS && row.filled < most)
    };
    let named = |row: &SeenRow| row.signs.named.filter(|_| row.signs.values.is_empty());
    if let Some((n, column)) = rows.iter().enumerate().find_map(|(n, row)| Some((n, named(row)?))) {
        let is_above_a_value = rows.get(n + 1).is_some_and(|row| row.signs.values.contains(&column));
        return (n == 0 || few(n) || is_above_a_value).then_some(n);
    }
    let (first, above) = rows.split_last()?;
    let column = *first.signs.values.first()?;
    if above.is_empty() {
        return Some(0);
    }
    let is_empty = |row: &SeenRow| row.cells.get(column).is_none_or(|cell| cell.is_empty());
    let n = above.iter().position(|row| row.filled > 1 && !is_empty(row))?;
    // A title stands in the first column, whatever is below.
    let is_title = few(n) && above.iter().take(n).all(|row| column == 0 || is_empty(row));
    (is_title || are_groups(above.get(..=n)?, is_empty)).then_some(n)
}

/// Returns whether above the last row there are names of groups of columns: none is where the values are, and in the last row
/// there is more. A row with numbers in it is more likely one of the table.
fn are_groups(rows: &[SeenRow], is_empty: impl Fn(&SeenRow) -> bool) -> bool {
    let Some((names, groups)) = rows.split_last() else { return false };
    let is_number = |cell: &String| cell.starts_with(|c: char| c.is_ascii_digit());
    groups.iter().all(|row| is_empty(row) && row.filled < names.filled) && !names.cells.iter().any(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name is `zip`, and a value begins with `M1`.
    fn see(cells: &[String]) -> Signs {
        let is_value = |n: &usize| cells.get(*n).is_some_and(|cell| cell.starts_with("M1"));
        Signs {
            named: cells.iter().position(|cell| cell.eq_ignore_ascii_case("zip")),
            values: (0..cells.len()).filter(is_value).collect(),
        }
    }

    fn found(table: &str) -> Option<(usize, u64, char)> {
        let dialect = Dialect::of(table.as_bytes(), true);
        let way = Way { dialect, encoding: Encoding::Utf8, is_found: true };
        Title::find(table.as_bytes(), true, &way, see)
            .map(|title| (title.bytes, title.lines, char::from(title.delimiter)))
    }

    #[test]
    fn rows_above_the_names_are_a_title() {
        for (table, expected) in [
            ("Customers,,\n\nid,zip,n\n1,M1 1AE,2\n", Some((13, 2, ','))),
            ("Customers\nid;zip;n\n1;M1 1AE;2\n", Some((10, 1, ';'))),
            (",,\nid,zip,n\n", Some((3, 1, ','))),
            ("\"Two\nlines\"\nid,Zip\n", Some((12, 2, ','))),
            ("Printed,1 May\nid,zip,n\n", Some((14, 1, ','))),
            ("# a, b, c, d\n# e\nid,zip,n\n1,M1 1AE,2\n", Some((17, 2, ','))),
        ] {
            assert_eq!(found(table), expected, "{table}");
        }
    }

    #[test]
    fn names_that_are_not_usual_are_found_by_the_values_below() {
        for (table, expected) in [
            ("Customers,,\nid,home,n\n1,M1 1AE,2\n", Some((12, 1, ','))),
            ("Customers,,\n\nid,home,n\n1,,2\n2,M1 1AE,2\n", Some((13, 2, ','))),
            ("Customers\nid;home;n\n1;M1 1AE;2\n", Some((10, 1, ';'))),
            ("Customers,,\nhome,id,n\nM1 1AE,1,2\n", Some((12, 1, ','))),
        ] {
            assert_eq!(found(table), expected, "{table}");
        }
    }

    #[test]
    fn names_of_groups_of_columns_are_above_the_names() {
        for (table, lines) in [
            (",,Home,,Work,\nn,id,street,zip,street,zip\nA,1,x,M1 1AE,y,M1 1AF\n", 1),
            ("Who,,Home,,Work,\nn,id,street,zip,street,place\nA,1,x,M1 1AE,y,z\n", 1),
            ("Who,Who,Home,Home\nn,id,street,zip\nA,1,x,M1 1AE\n", 1),
            // Without a usual name.
            (",,Sales,,2023,,2024\nref,site,region,where,Q1,Q2,Q1\n1,A,N,M1 1AE,5,6,7\n", 1),
            ("List\n,,Sales,,2023,,2024\nref,site,region,where,Q1,Q2,Q1\n1,A,N,M1 1AE,5,6,7\n", 2),
        ] {
            assert_eq!(found(table).map(|(_, lines, _)| lines), Some(lines), "{table}");
        }
    }

    #[test]
    fn rows_of_a_table_are_not_a_title() {
        for table in [
            "zip\nM1 1AE\n",
            "id,zip\n1,M1 1AE\n",
            "id,where\n1,M1 1AE\nx,zip\n",
            "name,code\nAda,zip\n",
            "a,b,c\nid,zip,n,m\n",
            "n,home\nAda,\nBob,M1 1AE\n",
            ",home\n0,x\n1,M1 1AE\n",
            "n,a,b,,c\n1,x,y,nonsense,z\n2,x,y,M1 1AE,z\n",
            "1,M1 1AE,x\n2,,y\n",
            "a\nb\n",
            "",
        ] {
            assert_eq!(found(table), None, "{table}");
        }
    }
}
