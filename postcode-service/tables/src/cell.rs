//! The text of a cell.

use std::borrow::Cow;

use crate::Quoting;

/// Returns what a cell says, without the quotes around it. After the closing quote the rest stays as it is.
pub fn value(cell: &[u8], quoting: Quoting) -> Cow<'_, [u8]> {
    match quoting {
        Quoting::Doubled => doubled(cell),
        Quoting::Backslash if cell.starts_with(b"\"") && memchr::memchr(b'\\', cell).is_some() => {
            escaped(cell)
        }
        Quoting::Backslash => doubled(cell),
        Quoting::None => cell.into(),
    }
}

/// Reads a cell whose quotes are doubled (RFC 4180).
fn doubled(cell: &[u8]) -> Cow<'_, [u8]> {
    let Some(quoted) = cell.strip_prefix(b"\"") else { return cell.into() };
    let simple = quoted.strip_suffix(b"\"").filter(|inner| memchr::memchr(b'"', inner).is_none());
    if let Some(inner) = simple {
        return inner.into();
    }
    let mut text = Vec::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some(at) = memchr::memchr(b'"', rest) {
        text.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(doubled) = rest.strip_prefix(b"\"") else { break };
        text.push(b'"');
        rest = doubled;
    }
    text.extend_from_slice(rest);
    text.into()
}

/// Reads a quoted cell with backslashes. Before a letter or digit a backslash is a character like others.
fn escaped(cell: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Vec::with_capacity(cell.len());
    let mut rest = cell.get(1..).unwrap_or_default();
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        text.extend_from_slice(&rest[..at]);
        let is_escape = rest[at] == b'\\';
        rest = &rest[at + 1..];
        match rest.split_first() {
            // A quote may be doubled, too.
            Some((b'"', after)) => {
                text.push(b'"');
                rest = after;
            }
            Some((next, after)) if is_escape && !next.is_ascii_alphanumeric() => {
                text.push(*next);
                rest = after;
            }
            _ if is_escape => text.push(b'\\'),
            _ => break,
        }
    }
    text.extend_from_slice(rest);
    text.into()
}

/// Returns a text without what spreadsheets put around it to keep it text: `="007"`, `='007` and `'007` are `007`. Spaces
/// around it go, too.
pub fn plain_text(text: &str) -> &str {
    let text = text.trim();
    if let Some(formula) = text.strip_prefix('=') {
        let formula = formula.trim_start();
        let quoted = formula.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        // A formula that computes something is left as it is.
        return quoted.filter(|inner| !inner.contains('"')).map_or(text, str::trim);
    }
    match text.strip_prefix('\'') {
        Some(rest) if !rest.contains('\'') => rest.trim(),
        _ => text,
    }
}

/// Returns bytes without ASCII spaces and byte-order mark around them.
pub fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_taken_off_as_rfc_4180_says() {
        for (cell, expected) in [
            ("a", "a"),
            ("\"a\"", "a"),
            ("\"\"", ""),
            ("\"a\"\"b\"", "a\"b"),
            ("\"a\"b", "ab"),
            ("\"a\"b\"", "ab\""),
            ("5\" pipe", "5\" pipe"),
            ("\"open", "open"),
        ] {
            assert_eq!(value(cell.as_bytes(), Quoting::Doubled), expected.as_bytes(), "{cell}");
            assert_eq!(value(cell.as_bytes(), Quoting::Backslash), expected.as_bytes(), "{cell}");
            assert_eq!(value(cell.as_bytes(), Quoting::None), cell.as_bytes());
        }
    }

    #[test]
    fn backslashes_before_signs_are_taken_off_within_quotes() {
        for (cell, expected) in [
            ("\"Ada \\\"x\\\"\"", "Ada \"x\""),
            ("\"a\\\\\"", "a\\"),
            ("\"a\\\nb\"", "a\nb"),
            ("\"C:\\dir\"", "C:\\dir"),
            ("\"a\"\"\\\"\"", "a\"\""),
            ("a\\\"b", "a\\\"b"),
            ("\"open\\", "open\\"),
        ] {
            assert_eq!(value(cell.as_bytes(), Quoting::Backslash), expected.as_bytes(), "{cell}");
        }
    }

    #[test]
    fn spreadsheet_tricks_to_keep_text_are_undone() {
        for (text, expected) in [
            ("=\"SW1A 1AA\"", "SW1A 1AA"),
            ("= \" x \" ", "x"),
            ("'007", "007"),
            ("'a' b", "'a' b"),
            ("=A1&\"x\"", "=A1&\"x\""),
            (" plain ", "plain"),
        ] {
            assert_eq!(plain_text(text), expected);
        }
    }
}
