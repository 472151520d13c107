//! Where accounts are kept.

mod failure;
mod file;
mod open;
mod sqlite;

use std::fmt;
use std::str::FromStr;

use postcode_core::Postcode;

use crate::{Customer, CustomerId};

pub use sqlite::Store;

/// Some customers of a listing, and where it goes on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// The customers, oldest account first.
    pub items: Vec<Customer>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

impl Page {
    /// The largest page.
    pub const MAX: usize = 1000;
}

/// A place in the listing of customers. Its text is opaque, and stays good for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The place of the last account before it.
    after: i64,
}

/// A text that no page gave as its cursor.
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
        // One cursor has one text: no sign, no zeros before it.
        if after < 0 || cursor.to_string() != s {
            return Err(ParseCursorError);
        }
        Ok(cursor)
    }
}

/// A pending address that is to be asked for now.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) id: CustomerId,
    pub(crate) revision: i64,
    pub(crate) postcode: Postcode,
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
