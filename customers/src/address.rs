//! A postal address and the result of checking its postcode.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use postcode_core::{Answer, Postcode, Record};
use serde::{Serialize, Serializer};

use crate::AddressLink;

/// One of a customer's addresses. Its JSON is that of the HTTP API.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// # use customers::NewCustomer;
/// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
/// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
/// let ada = customers.create(ada).await?;
/// let main = &ada.addresses[0];
/// assert_eq!((main.id, main.kind.as_str(), main.postcode), (1, "main", ada.postcode));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Address {
    /// The number among the customer's addresses. A number is never reused.
    pub id: i64,
    /// The purpose of the address.
    pub kind: AddressKind,
    /// The postcode, normalised: `SW1A 1AA`.
    pub postcode: Postcode,
    /// The lines above the postcode, one entry a line.
    pub address_lines: Vec<String>,
    /// The first day on which the address is valid, if known.
    #[serde(serialize_with = "iso8601")]
    pub valid_from: Option<Date>,
    /// The last day on which the address is valid, if known.
    #[serde(serialize_with = "iso8601")]
    pub valid_to: Option<Date>,
    /// The lookup's answer about the postcode.
    #[serde(flatten)]
    pub check: AddressCheck,
    /// The entry of the address data that the address was chosen from; `None` if it was typed.
    #[serde(flatten)]
    pub link: Option<AddressLink>,
}

pub(crate) fn iso8601<S: Serializer>(date: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    match date {
        Some(date) => serializer.collect_str(date),
        None => serializer.serialize_none(),
    }
}

/// The purpose of an address.
///
/// ```
/// use customers::AddressKind;
///
/// assert_eq!("billing".parse::<AddressKind>()?, AddressKind::Billing);
/// assert_eq!(AddressKind::default(), AddressKind::Other);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressKind {
    /// The customer's current address. Each customer has exactly one.
    Main,
    /// Receives invoices.
    Billing,
    /// Receives goods.
    Delivery,
    /// The customer's previous address.
    Previous,
    /// Any other purpose.
    #[default]
    Other,
}

impl AddressKind {
    const ALL: [Self; 5] = [Self::Main, Self::Billing, Self::Delivery, Self::Previous, Self::Other];

    /// Returns the name that the API and the database use.
    ///
    /// ```
    /// use customers::AddressKind;
    ///
    /// assert_eq!(AddressKind::Delivery.as_str(), "delivery");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Billing => "billing",
            Self::Delivery => "delivery",
            Self::Previous => "previous",
            Self::Other => "other",
        }
    }
}

/// The error for a text that does not name an address kind.
///
/// ```
/// use customers::{AddressKind, ParseKindError};
///
/// let error = "invoice".parse::<AddressKind>().unwrap_err();
/// assert_eq!(error, ParseKindError);
/// assert!(error.to_string().contains("billing")); // it names what to give
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give one of main, billing, delivery, previous, other")]
pub struct ParseKindError;

impl FromStr for AddressKind {
    type Err = ParseKindError;
    fn from_str(name: &str) -> Result<Self, ParseKindError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(ParseKindError)
    }
}

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The result of checking an address's postcode.
///
/// ```
/// use customers::AddressStatus;
///
/// assert_eq!("not_covered".parse::<AddressStatus>()?, AddressStatus::NotCovered);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressStatus {
    /// The postcode is in use.
    Verified,
    /// Not known yet: the lookup failed or took too long. It is looked up again until it is known.
    Pending,
    /// The lookup's data leaves the area out, such as Northern Ireland (BT) with the embedded data,
    /// or the Forces (BF) with all data. It is looked up again now and then, and with every new
    /// edition.
    NotCovered,
    /// The postcode is no longer in use. District and location are the ones it had.
    Terminated,
    /// The postcode is well formed, but it has never existed.
    Unknown,
}

impl AddressStatus {
    const ALL: [Self; 5] = [Self::Verified, Self::Pending, Self::NotCovered, Self::Terminated, Self::Unknown];

    /// Returns the name that the API and the database use.
    ///
    /// ```
    /// use customers::AddressStatus;
    ///
    /// assert_eq!(AddressStatus::Verified.as_str(), "verified");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Pending => "pending",
            Self::NotCovered => "not_covered",
            Self::Terminated => "terminated",
            Self::Unknown => "unknown",
        }
    }
}

/// The error for a text that does not name an address status.
///
/// ```
/// use customers::{AddressStatus, ParseStatusError};
///
/// assert_eq!("open".parse::<AddressStatus>(), Err(ParseStatusError));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give one of verified, pending, not_covered, terminated, unknown")]
pub struct ParseStatusError;

impl FromStr for AddressStatus {
    type Err = ParseStatusError;
    fn from_str(name: &str) -> Result<Self, ParseStatusError> {
        Self::ALL.into_iter().find(|status| status.as_str() == name).ok_or(ParseStatusError)
    }
}

/// The lookup's answer about an address's postcode.
///
/// ```
/// use customers::{AddressCheck, AddressStatus};
/// use postcode_core::Answer;
///
/// let check = AddressCheck::from(&Answer::NotCovered);
/// assert_eq!((check.status, check.latitude), (AddressStatus::NotCovered, None));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AddressCheck {
    /// The status of the postcode.
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
    /// A check that has no answer yet.
    pub const PENDING: Self = Self::bare(AddressStatus::Pending);

    pub(crate) const fn bare(status: AddressStatus) -> Self {
        Self { status, admin_district: None, region: None, country: None, latitude: None, longitude: None }
    }

    /// Returns whether nothing is known about the postcode, so that it is looked up again.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.status, AddressStatus::Pending | AddressStatus::NotCovered)
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
            Answer::NotCovered => Self::bare(AddressStatus::NotCovered),
        }
    }
}
