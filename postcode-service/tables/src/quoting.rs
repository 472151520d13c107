//! The meaning of quotes in a table.

use memchr::memmem;
use serde::{Deserialize, Serialize};

/// How cells are written that hold a delimiter, a line end or a quote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quoting {
    /// In quotes. A quote in the cell is doubled (RFC 4180).
    #[default]
    Doubled,
    /// In quotes. A quote in the cell has a backslash before it.
    Backslash,
    /// Quotes are characters like others.
    None,
}

/// Reads the name of a way to quote: `double`, `backslash` or `none`.
///
/// ```
/// use postcode_tables::{Quoting, quoting_named};
///
/// assert_eq!(quoting_named("none"), Ok(Quoting::None));
/// assert!(quoting_named("single").is_err());
/// ```
///
/// # Errors
/// For anything else; says what may be given.
pub fn quoting_named(text: &str) -> Result<Quoting, String> {
    match &*text.to_ascii_lowercase() {
        "double" | "doubled" => Ok(Quoting::Doubled),
        "backslash" => Ok(Quoting::Backslash),
        "none" => Ok(Quoting::None),
        _ => Err(format!("{text:?}: not a way to quote. Give double, backslash or none")),
    }
}

impl Quoting {
    /// Finds out how quotes are written within quoted cells. One of `separators` stands between two cells.
    ///
    /// It is the backslash only if no quote is doubled and the table is broken without it.
    pub(crate) fn of(sample: &[u8], separators: &[u8]) -> Self {
        if memmem::find(sample, b"\\\"").is_none() {
            return Self::Doubled;
        }
        let escaped = Quotes::count(sample, separators, true);
        let doubled = Quotes::count(sample, separators, false);
        let broken = doubled.loose > 0 || doubled.open || doubled.inside > escaped.inside;
        let is_backslash = escaped.escaped > 0 && escaped.doubled == 0 && escaped.loose == 0;
        if is_backslash && broken { Self::Backslash } else { Self::Doubled }
    }
}

/// The quotes of a sample.
#[derive(Default)]
struct Quotes {
    /// Those with a backslash before them.
    escaped: usize,
    /// Pairs of quotes.
    doubled: usize,
    /// Those that close a cell, and are not at its end.
    loose: usize,
    /// Those within a cell without quotes around it.
    inside: usize,
    /// Whether the last one is not closed.
    open: bool,
}

impl Quotes {
    fn count(sample: &[u8], separators: &[u8], escape: bool) -> Self {
        let ends = |byte: u8| separators.contains(&byte) || matches!(byte, b'\r' | b'\n');
        let mut found = Self::default();
        let (mut at, mut starts) = (0, true);
        while let Some(&byte) = sample.get(at) {
            at += 1;
            if !starts || byte != b'"' {
                found.inside += usize::from(byte == b'"');
                starts = ends(byte);
                continue;
            }
            (found.open, starts) = (true, false);
            while let Some(&byte) = sample.get(at) {
                at += match (byte, sample.get(at + 1)) {
                    (b'\\', Some(b'"')) if escape => {
                        found.escaped += 1;
                        2
                    }
                    (b'\\', Some(b'\\')) if escape => 2,
                    (b'"', Some(b'"')) => {
                        found.doubled += 1;
                        2
                    }
                    (b'"', next) => {
                        found.open = false;
                        found.loose += usize::from(next.is_some_and(|next| !ends(*next)));
                        1
                    }
                    _ => 1,
                };
                if !found.open {
                    break;
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslash_is_found_where_the_table_is_broken_without_it() {
        for table in [
            "n,p\n\"Ada \\\"x\\\" B\",M1 1AE\n",
            "n,p\n\"5\\\"\",M1 1AE\n\"6\",EH1 1YZ\n",
            "n,p\n\"\\\"Ada\\\", B\",\"M1 1AE\"\n",
            "n,p\n\"a\\\\\",\"\\\"\"\n",
            "n,p\n\"5\\\", long\",M1 1AE\n5\" pipe,M1 1AE\n",
        ] {
            assert_eq!(Quoting::of(table.as_bytes(), b","), Quoting::Backslash, "{table}");
        }
    }

    #[test]
    fn doubled_quotes_stay_doubled() {
        for table in [
            "n,p\n\"C:\\dir\\\",M1 1AE\n\"D:\\\",EH1 1YZ\n",
            "n,p\n\"C:\\dir\\\",\"M1 1AE\"\n",
            "n,p\n\"Ada \"\"x\"\" \\\"\"\",M1 1AE\n",
            "n,p\nAda \\\"x\\\",M1 1AE\n",
            "n,p\n\"C:\\\",M1 1AE\n5\" pipe,M1 1AE\n",
            "",
        ] {
            assert_eq!(Quoting::of(table.as_bytes(), b","), Quoting::Doubled, "{table}");
        }
    }
}
