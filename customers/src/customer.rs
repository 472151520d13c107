//! A customer, and what is known of the address.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use postcode_core::{Answer, Postcode, Record};
use serde::{Serialize, Serializer};
use uuid::Uuid;

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
    /// The postcode of the postal address, normalised: `SW1A 1AA`.
    pub postcode: Postcode,
    /// The postal address above the postcode, one entry a line.
    pub address_lines: Vec<String>,
    /// What the lookup said of the postcode.
    #[serde(flatten)]
    pub check: AddressCheck,
    /// When the account was made.
    #[serde(serialize_with = "rfc3339")]
    pub created_at: Timestamp,
    /// When anything of it last changed, by its owner or because its address was resolved.
    #[serde(serialize_with = "rfc3339")]
    pub updated_at: Timestamp,
    /// One more with every change.
    #[serde(skip)]
    pub revision: i64,
}

/// RFC 3339 in UTC, always with microseconds, so that texts sort as times do.
fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.6}"))
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

/// Whether the postcode of an address is one, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressStatus {
    /// The postcode is in use.
    Verified,
    /// Not known yet: the lookup failed, took too long, or its data leaves this part of the country out
    /// (Northern Ireland's BT with the embedded data). It is looked up again until it is known.
    Pending,
    /// The postcode is no longer in use; district and location are those it had.
    Terminated,
    /// Well formed, but there is no such postcode.
    Unknown,
}

impl AddressStatus {
    const ALL: [Self; 4] = [Self::Verified, Self::Pending, Self::Terminated, Self::Unknown];

    /// Its name in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Pending => "pending",
            Self::Terminated => "terminated",
            Self::Unknown => "unknown",
        }
    }

    /// The inverse of [`as_str`](Self::as_str).
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// What the lookup said of an address's postcode.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AddressCheck {
    /// Whether it is one.
    #[serde(rename = "address_status")]
    pub status: AddressStatus,
    /// The local authority district's name.
    pub admin_district: Option<String>,
    /// The region's name; England only.
    pub region: Option<String>,
    /// The country's name.
    pub country: Option<String>,
    /// Degrees north, WGS84.
    pub latitude: Option<f64>,
    /// Degrees east, WGS84.
    pub longitude: Option<f64>,
}

impl AddressCheck {
    /// Not known yet.
    pub const PENDING: Self = Self::bare(AddressStatus::Pending);

    pub(crate) const fn bare(status: AddressStatus) -> Self {
        Self { status, admin_district: None, region: None, country: None, latitude: None, longitude: None }
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.status == AddressStatus::Pending
    }

    fn of(status: AddressStatus, record: &Record) -> Self {
        Self {
            status,
            admin_district: record.admin_district().map(Into::into),
            region: record.region().map(Into::into),
            country: record.country().map(Into::into),
            latitude: record.location.map(|location| location.latitude()),
            longitude: record.location.map(|location| location.longitude()),
        }
    }
}

impl From<&Answer> for AddressCheck {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Live(record) => Self::of(AddressStatus::Verified, record),
            Answer::Terminated(record) => Self::of(AddressStatus::Terminated, record),
            Answer::Unknown => Self::bare(AddressStatus::Unknown),
            // Other data, loaded later, will know it: see `AddressStatus::Pending`.
            Answer::NotCovered => Self::PENDING,
        }
    }
}
