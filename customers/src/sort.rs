//! The orders of a listing.

use std::fmt;
use std::str::FromStr;

/// The order of a listing. Its text is the name of a field, with `-` before it if the order
/// descends: `name`, `-updated`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort {
    /// The field.
    pub by: SortField,
    /// Whether the last comes first.
    pub descending: bool,
}

/// A field by which a listing can be sorted. Equal values are sorted by the creation of the
/// accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortField {
    /// The creation of the account.
    #[default]
    Created,
    /// The last change.
    Updated,
    /// The name, without case and accents.
    Name,
    /// The email, without case.
    Email,
    /// The postcode of the main address.
    Postcode,
}

impl SortField {
    pub(crate) const ALL: [Self; 5] = [Self::Created, Self::Updated, Self::Name, Self::Email, Self::Postcode];

    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Name => "name",
            Self::Email => "email",
            Self::Postcode => "postcode",
        }
    }
}

/// The error for a text that does not name an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give one of created, updated, name, email, postcode, with - before it to begin with the last")]
pub struct ParseSortError;

impl FromStr for Sort {
    type Err = ParseSortError;
    fn from_str(text: &str) -> Result<Self, ParseSortError> {
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let by = SortField::ALL.into_iter().find(|by| by.as_str() == name).ok_or(ParseSortError)?;
        Ok(Self { by, descending })
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.descending { "-" } else { "" }, self.by.as_str())
    }
}
