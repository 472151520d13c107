//! Cursors of listings.

use std::fmt;
use std::str::FromStr;

use crate::{Sort, SortField};

/// A position in a listing of customers, or in the history of one. Its text is opaque and stays
/// valid for ever.
///
/// ```
/// use customers::Cursor;
///
/// let cursor: Cursor = "a1".parse()?; // the `next_cursor` of a page
/// assert_eq!(cursor.to_string(), "a1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The place of the last account or change before the position.
    pub(super) after: i64,
    /// The order of the listing, and the value by which that account is sorted. `None` for the
    /// usual order, in which its place is enough.
    pub(super) key: Option<(Sort, String)>,
}

/// The error for a text that is not a cursor.
///
/// ```
/// use customers::{Cursor, ParseCursorError};
///
/// assert_eq!("page 2".parse::<Cursor>(), Err(ParseCursorError));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: give the `next_cursor` of a page as it is")]
pub struct ParseCursorError;

/// The version of the text form, before the place in hexadecimal digits.
const VERSION: char = 'a';
/// The version of the text form for other orders: then the order, the place and the value.
const SORTED: char = 'b';

impl Cursor {
    /// Creates the position after an account in a listing of that order.
    pub(super) fn new(sort: Sort, after: i64, key: String) -> Self {
        Self { after, key: (sort != Sort::default()).then_some((sort, key)) }
    }

    /// Returns the order of the listing that the cursor belongs to.
    pub(crate) fn sort(&self) -> Sort {
        self.key.as_ref().map_or(Sort::default(), |(sort, _)| *sort)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            None => write!(f, "{VERSION}{:x}", self.after),
            Some((sort, key)) => {
                write!(f, "{SORTED}{}{:x}-", letter(*sort), self.after)?;
                key.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

impl FromStr for Cursor {
    type Err = ParseCursorError;
    fn from_str(s: &str) -> Result<Self, ParseCursorError> {
        let cursor = match s.strip_prefix(VERSION) {
            Some(digits) => Self { after: place(digits)?, key: None },
            None => sorted(s.strip_prefix(SORTED).ok_or(ParseCursorError)?)?,
        };
        // One cursor has one text: no sign, no leading zeros.
        if cursor.after < 0 || cursor.to_string() != s {
            return Err(ParseCursorError);
        }
        Ok(cursor)
    }
}

fn place(digits: &str) -> Result<i64, ParseCursorError> {
    i64::from_str_radix(digits, 16).map_err(|_| ParseCursorError)
}

fn sorted(text: &str) -> Result<Cursor, ParseCursorError> {
    let mut letters = text.chars();
    let sort = letters.next().and_then(sort_of).ok_or(ParseCursorError)?;
    let (after, digits) = letters.as_str().split_once('-').ok_or(ParseCursorError)?;
    let bytes: Option<Vec<u8>> =
        (0..digits.len()).step_by(2).map(|n| u8::from_str_radix(digits.get(n..n + 2)?, 16).ok()).collect();
    let key = String::from_utf8(bytes.ok_or(ParseCursorError)?).map_err(|_| ParseCursorError)?;
    // PostgreSQL takes no NUL, and a time is a number.
    if key.contains('\0') || (sort.by == SortField::Updated && key.parse::<i64>().is_err()) {
        return Err(ParseCursorError);
    }
    Ok(Cursor { after: place(after)?, key: Some((sort, key)) })
}

/// Returns the letter of an order: a capital if it descends.
fn letter(sort: Sort) -> char {
    let letter = match sort.by {
        SortField::Created => 'c',
        SortField::Updated => 'u',
        SortField::Name => 'n',
        SortField::Email => 'e',
        SortField::Postcode => 'p',
    };
    if sort.descending { letter.to_ascii_uppercase() } else { letter }
}

fn sort_of(wanted: char) -> Option<Sort> {
    let all =
        SortField::ALL.into_iter().flat_map(|by| [false, true].map(|descending| Sort { by, descending }));
    all.filter(|sort| *sort != Sort::default()).find(|sort| letter(*sort) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        for after in [0, 1, 255, i64::MAX] {
            let cursor = Cursor { after, key: None };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for sort in ["-created", "updated", "name", "-name", "email", "-postcode"] {
            let cursor = Cursor::new(sort.parse().unwrap(), 255, "12".to_owned());
            assert_eq!(cursor.to_string().parse(), Ok(cursor), "{sort}");
        }
        let text = Cursor::new("name".parse().unwrap(), 7, "zo\u{eb} o'neil".to_owned()).to_string();
        assert_eq!(text, "bn7-7a6fc3ab206f276e65696c");
        for bad in [
            "",
            "a",
            "1",
            "b1",
            "a-1",
            "a+1",
            "a01",
            "aFF",
            "a8000000000000000",
            "a1 ",
            "\u{e9}",
            "b",
            "bc7-",
            "bx7-61",
            "bn7",
            "bn07-61",
            "bn7-6",
            "bn7-6A",
            "bn7-+1",
            "bn7-ff",
            "bn7-00",
            "bu7-61",
            "bn-61",
            "bn-1-61",
            "bn7-\u{e9}",
        ] {
            assert_eq!(bad.parse::<Cursor>(), Err(ParseCursorError), "{bad}");
        }
    }
}
