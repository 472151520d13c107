//! By what a table separates its cells.

use memchr::memmem;

use crate::Quoting;

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
    /// The meaning of quotes.
    pub quoting: Quoting,
}

impl Dialect {
    /// Finds out how a table is written by a sample, which is its beginning; `whole` says that nothing follows it.
    ///
    /// A delimiter within quotes does not count. Of those in the first row the one wins by which most other rows have as many
    /// cells as the first, then the one that the first row has most of.
    pub fn of(sample: &[u8], whole: bool) -> Self {
        Self::with(None, None, sample, whole)
    }

    /// Creates a dialect with a given delimiter. The line `sep=` is still not a row.
    pub fn named(delimiter: u8, sample: &[u8]) -> Self {
        Self::with(Some(delimiter), None, sample, false)
    }

    /// Creates a dialect with what is given, and finds the rest out.
    pub fn with(delimiter: Option<u8>, quoting: Option<Quoting>, sample: &[u8], whole: bool) -> Self {
        let (preamble, said) = preamble(sample).map_or((0, None), |(len, said)| (len, Some(said)));
        let rows = sample.get(preamble..).unwrap_or_default();
        let delimiter = delimiter.or(said).or_else(|| is_spaced(rows).then_some(b' '));
        let separators = delimiter.as_ref().map_or(&DELIMITERS[..], std::slice::from_ref);
        let quoting = quoting.unwrap_or_else(|| Quoting::of(rows, separators));
        let delimiter = delimiter.unwrap_or_else(|| likeliest(&count(rows, whole, quoting)));
        Self { delimiter, preamble, quoting }
    }
}

/// Returns the delimiter by what was counted in each row.
fn likeliest(rows: &[[usize; 4]]) -> u8 {
    let Some((first, others)) = rows.split_first() else { return b',' };
    let score = |n: &usize| {
        let same = others.iter().filter(|row| row[*n] == first[*n]).count();
        (same, first[*n])
    };
    // Of equals the last is found: a comma, then.
    let best = (0..DELIMITERS.len()).rev().filter(|n| first[*n] > 0).max_by_key(score);
    DELIMITERS[best.unwrap_or(0)]
}

/// Returns whether the first row has quoted cells with one space between them, as `write.table` of R writes it.
fn is_spaced(sample: &[u8]) -> bool {
    let line = sample.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let cells = memmem::find_iter(line, b"\" \"").count() + 1;
    let quotes = memchr::memchr_iter(b'"', line).count();
    line.starts_with(b"\"") && line.ends_with(b"\"") && cells > 1 && quotes == 2 * cells
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

/// Reads whether a table has a line of headings: `first`, or `none` if its first line is a row like others.
///
/// ```
/// use postcode_tables::header_named;
///
/// assert_eq!((header_named("none"), header_named("first")), (Ok(false), Ok(true)));
/// ```
///
/// # Errors
/// For anything else; says what may be given.
pub fn header_named(text: &str) -> Result<bool, String> {
    match &*text.to_ascii_lowercase() {
        "first" => Ok(true),
        "none" => Ok(false),
        _ => Err(format!(
            "{text:?}: not a place of the headings. Give none if the first line is a row, or leave it out"
        )),
    }
}

/// Returns how long the line `sep=;` of Excel is, and what it says.
fn preamble(sample: &[u8]) -> Option<(usize, u8)> {
    let line = sample.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let after = sample.get(line.len()..).unwrap_or_default();
    let end = line.len() + crate::blank(after).or_else(|| (after == b"\r").then_some(1))?;
    let unquoted = line.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(line);
    let (name, delimiter) = unquoted.split_at_checked(4)?;
    match delimiter {
        [delimiter] if name.eq_ignore_ascii_case(b"sep=") => Some((end, *delimiter)),
        _ => None,
    }
}

/// How often each delimiter stands outside quotes, in each row that is not empty.
fn count(sample: &[u8], whole: bool, quoting: Quoting) -> Vec<[usize; 4]> {
    let mut rows = Vec::new();
    let mut row = [0; 4];
    let (mut quoted, mut escaped, mut before, mut any) = (false, false, b'\n', false);
    for &byte in sample {
        if quoted {
            quoted = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\' && quoting == Quoting::Backslash;
        } else if byte == b'"' && quoting != Quoting::None {
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
            ("\"a\" \"b c\"\n\"1\" 2 3\n", b' '),
            ("\"a\" \"b\",c\n1,2\n", b','),
        ] {
            let expected = Dialect { delimiter, preamble: 0, quoting: Quoting::Doubled };
            assert_eq!(Dialect::of(table.as_bytes(), true), expected, "{table}");
        }
    }

    #[test]
    fn the_line_sep_says_the_delimiter() {
        let dialect = |delimiter, preamble| Dialect { delimiter, preamble, quoting: Quoting::Doubled };
        assert_eq!(Dialect::of(b"sep=;\r\na,b;c\n", true), dialect(b';', 7));
        assert_eq!(Dialect::of(b"\"SEP=|\"\na\n", true), dialect(b'|', 8));
        assert_eq!(Dialect::of(b"sep=,,\n", true).preamble, 0);
        assert_eq!(Dialect::named(b',', b"sep=;\ra\r"), dialect(b',', 6));
    }

    #[test]
    fn quoting_and_delimiter_are_found_together() {
        let table = b"n,p\n\"Ada \\\"; ;\\\", B\",M1 1AE\n";
        let found = Dialect::of(table, true);
        assert_eq!(found, Dialect { delimiter: b',', preamble: 0, quoting: Quoting::Backslash });
        let table = b"n;p\n\"A;M1 1AE\nB;EH1 1YZ\n";
        let found = Dialect::with(None, Some(Quoting::None), table, true);
        assert_eq!(found, Dialect { delimiter: b';', preamble: 0, quoting: Quoting::None });
    }

    #[test]
    fn delimiters_have_names() {
        assert_eq!(delimiter_named("tab"), Ok(b'\t'));
        assert_eq!(delimiter_named("~"), Ok(b'~'));
        assert!(delimiter_named("ab").is_err() && delimiter_named("\"").is_err());
        assert!(delimiter_named("x").is_err() && delimiter_named("é").is_err());
        assert!(header_named("").is_err() && header_named("false").is_err());
    }
}
