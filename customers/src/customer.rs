//! A customer, and what identifies one.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use postcode_core::Postcode;
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::{Address, AddressCheck};

/// A customer account as it is stored. Its JSON is that of the HTTP API.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Customer {
    /// Identifies it for ever.
    pub id: CustomerId,
    /// What the customer is called.
    pub name: String,
    /// Where mail reaches the customer.
    pub email: String,
    /// The postcode of the main address, normalised: `SW1A 1AA`.
    pub postcode: Postcode,
    /// The main address above the postcode, one entry a line.
    pub address_lines: Vec<String>,
    /// What the lookup said of the main address's postcode.
    #[serde(flatten)]
    pub check: AddressCheck,
    /// When the account was made.
    #[serde(serialize_with = "rfc3339")]
    pub created_at: Timestamp,
    /// When anything of it last changed, by its owner or because an address was resolved.
    #[serde(serialize_with = "rfc3339")]
    pub updated_at: Timestamp,
    /// One more with every change.
    #[serde(skip)]
    pub revision: i64,
    /// The telephone number as ITU-T E.164 writes it: `+442071234567`.
    pub phone: Option<String>,
    /// What is noted of the customer.
    pub notes: Option<String>,
    /// What other systems call the customer.
    pub references: Vec<Reference>,
    /// All addresses, the main one first, the others in the order in which they were added.
    pub addresses: Vec<Address>,
    /// When the account was deleted, if it was.
    #[serde(serialize_with = "rfc3339_if", skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Its place in listings.
    #[serde(skip)]
    pub(crate) seq: i64,
    /// The number of the next address.
    #[serde(skip)]
    pub(crate) next_address: i64,
}

impl Customer {
    /// The address of that number.
    pub fn address(&self, number: i64) -> Option<&Address> {
        self.addresses.iter().find(|address| address.id == number)
    }
}

/// What another system calls a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The system, such as `crm`: 1 to [`MAX_REFERENCE`](crate::MAX_REFERENCE) characters.
    pub system: String,
    /// The customer's id there: 1 to [`MAX_REFERENCE`](crate::MAX_REFERENCE) characters.
    pub id: String,
}

/// RFC 3339 in UTC, always with microseconds, so that texts sort as times do.
pub(crate) fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.6}"))
}

pub(crate) fn rfc3339_if<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// The id of a customer: a UUID of version 7, which begins with the time it was made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomerId(Uuid);

impl CustomerId {
    /// A new one.
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

/// A text that is no customer's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a customer's id, which is a UUID such as 019abc00-8f5e-7c3a-9d2b-1e4f5a6b7c8d")]
pub struct ParseIdError;

impl FromStr for CustomerId {
    type Err = ParseIdError;
    fn from_str(s: &str) -> Result<Self, ParseIdError> {
        // Only the usual form, so that one customer has one URL.
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
