//! Cursors of listings.

use std::fmt;
use std::str::FromStr;

/// A position in the listing of customers, or in the history of one. Its text is opaque and stays
/// valid for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The place of the last account or change before the position.
    pub(super) after: i64,
}

/// The error for a text that is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: give the `next_cursor` of a page as it is")]
pub struct ParseCursorError;

/// The version of the text form, before the place in hexadecimal digits.
const VERSION: char = 'a';

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}{:x}", self.after)
    }
}

impl FromStr for Cursor {
    type Err = ParseCursorError;
    fn from_str(s: &str) -> Result<Self, ParseCursorError> {
        let digits = s.strip_prefix(VERSION).ok_or(ParseCursorError)?;
        let after = i64::from_str_radix(digits, 16).map_err(|_| ParseCursorError)?;
        let cursor = Self { after };
        // One cursor has one text: no sign, no leading zeros.
        if after < 0 || cursor.to_string() != s {
            return Err(ParseCursorError);
        }
        Ok(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        for after in [0, 1, 255, i64::MAX] {
            let cursor = Cursor { after };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for bad in ["", "a", "1", "b1", "a-1", "a+1", "a01", "aFF", "a8000000000000000", "a1 ", "é"] {
            assert_eq!(bad.parse::<Cursor>(), Err(ParseCursorError), "{bad}");
        }
    }
}
