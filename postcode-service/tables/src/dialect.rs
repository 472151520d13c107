//! By what a table separates its cells.

/// The delimiters that are found, the likeliest first.
pub const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows that are compared to find the delimiter.
const ROWS: usize = 200;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Stands between two cells.
    pub delimiter: u8,
    /// Bytes of the line `sep=;` at the beginning, which some spreadsheets write; 0 without that line.
    pub preamble: usize,
}

impl Dialect {
    /// Finds the delimiter by a sample, which is the beginning of the table; `whole` says that nothing follows it.
    ///
    /// A delimiter within quotes does not count. Of those in the first row the one wins by which most other rows have as many
    /// cells as the first, then the one that the first row has most of.
    pub fn of(sample: &[u8], whole: bool) -> Self {
        if let Some(found) = preamble(sample) {
            return found;
        }
        let rows = count(sample, whole);
        let Some((first, others)) = rows.split_first() else {
            return Self { delimiter: b',', preamble: 0 };
        };
        let score = |n: &usize| {
            let same = others.iter().filter(|row| row[*n] == first[*n]).count();
            (same, first[*n])
        };
        // Of equals the last is found: a comma, then.
        let best = (0..DELIMITERS.len()).rev().filter(|n| first[*n] > 0).max_by_key(score);
        Self { delimiter: DELIMITERS[best.unwrap_or(0)], preamble: 0 }
    }

    /// Creates a dialect with a given delimiter. The line `sep=` is still not a row.
    pub fn named(delimiter: u8, sample: &[u8]) -> Self {
        Self { delimiter, preamble: preamble(sample).map_or(0, |found| found.preamble) }
    }
}

/// Reads the name of a delimiter: one ASCII character, or `tab`, `comma`, `semicolon`, `pipe`, `space`.
///
/// # Errors
/// For anything else; says what may be given.
pub fn delimiter_named(text: &str) -> Result<u8, String> {
    let named = match &*text.to_ascii_lowercase() {
        "tab" | "\\t" => Some(b'\t'),
        "comma" => Some(b','),
        "semicolon" => Some(b';'),
        "pipe" | "bar" => Some(b'|'),
        "space" => Some(b' '),
        _ => None,
    };
    match (named, text.as_bytes()) {
        (Some(named), _) => Ok(named),
        (None, [byte]) if !byte.is_ascii_alphanumeric() && byte.is_ascii() && !b"\"\r\n\0".contains(byte) => {
            Ok(*byte)
        }
        _ => Err(format!("{text:?}: not a delimiter. Give one character such as ; or the word tab")),
    }
}

/// The line `sep=;` of Excel.
fn preamble(sample: &[u8]) -> Option<Dialect> {
    let line = sample.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let after = sample.get(line.len()..).unwrap_or_default();
    let end = line.len() + crate::blank(after).or_else(|| (after == b"\r").then_some(1))?;
    let unquoted = line.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(line);
    let (name, delimiter) = unquoted.split_at_checked(4)?;
    match delimiter {
        [delimiter] if name.eq_ignore_ascii_case(b"sep=") => {
            Some(Dialect { delimiter: *delimiter, preamble: end })
        }
        _ => None,
    }
}

/// How often each delimiter stands outside quotes, in each row that is not empty.
fn count(sample: &[u8], whole: bool) -> Vec<[usize; 4]> {
    let mut rows = Vec::new();
    let mut row = [0; 4];
    let (mut quoted, mut before, mut any) = (false, b'\n', false);
    for &byte in sample {
        if quoted {
            quoted = byte != b'"';
        } else if byte == b'"' {
            // After a closing quote this one doubles it.
            quoted = before == b'"' || matches!(before, b'\r' | b'\n') || DELIMITERS.contains(&before);
            any = true;
        } else if matches!(byte, b'\r' | b'\n') {
            if any {
                rows.push(std::mem::take(&mut row));
            }
            any = false;
            if rows.len() == ROWS {
                return rows;
            }
        } else {
            if let Some(n) = DELIMITERS.iter().position(|delimiter| *delimiter == byte) {
                row[n] += 1;
            }
            any |= !byte.is_ascii_whitespace();
        }
        before = byte;
    }
    if any && (whole || rows.is_empty()) {
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_is_found_outside_quotes() {
        for (table, delimiter) in [
            ("a,b\n1,2\n", b','),
            ("id;PCD\n1;M1 1AE\n", b';'),
            ("a\tb;c\n1\t2\n", b'\t'),
            ("Name,\"Which? (GP; dentist; other)\",Postcode\nA,GP,M1\n", b','),
            ("Name,Which? (GP; dentist; other),Postcode\nA,GP,M1\nB,GP,M1\n", b','),
            ("\"a\"\"; ; ;\",b\n", b','),
            ("a|b\n", b'|'),
            ("postcode\nM1\n", b','),
            ("", b','),
            ("a;b,c\n1;2,5\n2;3\n", b';'),
        ] {
            assert_eq!(Dialect::of(table.as_bytes(), true), Dialect { delimiter, preamble: 0 }, "{table}");
        }
    }

    #[test]
    fn the_line_sep_says_the_delimiter() {
        assert_eq!(Dialect::of(b"sep=;\r\na,b;c\n", true), Dialect { delimiter: b';', preamble: 7 });
        assert_eq!(Dialect::of(b"\"SEP=|\"\na\n", true), Dialect { delimiter: b'|', preamble: 8 });
        assert_eq!(Dialect::of(b"sep=,,\n", true).preamble, 0);
        assert_eq!(Dialect::named(b',', b"sep=;\ra\r"), Dialect { delimiter: b',', preamble: 6 });
    }

    #[test]
    fn delimiters_have_names() {
        assert_eq!(delimiter_named("tab"), Ok(b'\t'));
        assert_eq!(delimiter_named("~"), Ok(b'~'));
        assert!(delimiter_named("ab").is_err() && delimiter_named("\"").is_err());
        assert!(delimiter_named("x").is_err() && delimiter_named("é").is_err());
    }
}
