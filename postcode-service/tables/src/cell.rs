//! The text of a cell.

use std::borrow::Cow;

/// Returns what a cell says, without the quotes around it (RFC 4180). After the closing quote the rest stays as it is.
pub fn value(cell: &[u8]) -> Cow<'_, [u8]> {
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
            assert_eq!(value(cell.as_bytes()), expected.as_bytes(), "{cell}");
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
