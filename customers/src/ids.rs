//! Ids of customers and of imports.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use uuid::Uuid;

/// The id of a customer: a UUID of version 7, which begins with its creation time.
///
/// ```
/// use customers::CustomerId;
///
/// let id: CustomerId = "019abc00-8f5e-7c3a-9d2b-1e4f5a6b7c8d".parse()?;
/// assert_eq!(id.to_string(), "019abc00-8f5e-7c3a-9d2b-1e4f5a6b7c8d");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomerId(Uuid);

impl CustomerId {
    /// Creates a new id.
    pub(crate) fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CustomerId({self})")
    }
}

/// The error for a text that is not a customer id.
///
/// ```
/// use customers::{CustomerId, ParseIdError};
///
/// // Another form of a UUID would give one customer two URLs.
/// assert_eq!("019abc008f5e7c3a9d2b1e4f5a6b7c8d".parse::<CustomerId>(), Err(ParseIdError));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a customer's id, which is a UUID such as 019abc00-8f5e-7c3a-9d2b-1e4f5a6b7c8d")]
pub struct ParseIdError;

impl FromStr for CustomerId {
    type Err = ParseIdError;
    fn from_str(s: &str) -> Result<Self, ParseIdError> {
        // Accept only the usual form, so that one customer has one URL.
        match Uuid::try_parse(s) {
            Ok(uuid) if s.len() == 36 => Ok(Self(uuid)),
            _ => Err(ParseIdError),
        }
    }
}

impl Serialize for CustomerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The id of an import: a UUID of version 7.
///
/// ```
/// use customers::ImportId;
///
/// let id: ImportId = "019abc00-8f5e-7c3a-9d2b-1e4f5a6b7c8d".parse()?;
/// assert_eq!(id.to_string(), "019abc00-8f5e-7c3a-9d2b-1e4f5a6b7c8d");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImportId(Uuid);

impl ImportId {
    /// Creates a new id.
    pub(crate) fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for ImportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for ImportId {
    type Err = ParseIdError;
    fn from_str(s: &str) -> Result<Self, ParseIdError> {
        match Uuid::try_parse(s) {
            Ok(uuid) if s.len() == 36 => Ok(Self(uuid)),
            _ => Err(ParseIdError),
        }
    }
}

impl Serialize for ImportId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
