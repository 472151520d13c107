//! The link from a customer's address to an entry of the address data.

use std::fmt;
use std::str::FromStr;

use postcode_addresses::AddressNumber;
use postcode_core::Postcode;
use serde::Serialize;

/// The entry of the address data that an address was chosen from. Its JSON is that of the HTTP API.
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
/// use customers::LinkStatus;
///
/// let ada = NewCustomer { address_id: Some("udprn:12345678".into()), ..ada };
/// let link = customers.create(ada).await?.link.ok_or("no link")?;
/// assert_eq!(link.id.to_string(), "udprn:12345678");
/// assert_eq!(link.status, LinkStatus::Pending); // these customers have no address lookup
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AddressLink {
    /// The number of the entry: UDPRN, UMPRN or UPRN.
    #[serde(rename = "address_id")]
    pub id: AddressNumber,
    /// Whether the address data still has it.
    #[serde(rename = "address_id_status")]
    pub status: LinkStatus,
}

/// Whether the address data has the entry that an address is linked to.
///
/// ```
/// use customers::LinkStatus;
///
/// assert_eq!("other_postcode".parse::<LinkStatus>()?, LinkStatus::OtherPostcode);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkStatus {
    /// Not known yet: there is no address lookup, or it failed.
    Pending,
    /// The data has the address, at this postcode.
    Listed,
    /// The data has the address, at another postcode.
    OtherPostcode,
    /// The data does not have the address, or has lost it.
    NotListed,
    /// The data has no addresses in this area, so it says nothing about the address.
    NotCovered,
}

impl LinkStatus {
    const ALL: [Self; 5] =
        [Self::Pending, Self::Listed, Self::OtherPostcode, Self::NotListed, Self::NotCovered];

    /// Returns the name that the API and the database use.
    ///
    /// ```
    /// use customers::LinkStatus;
    ///
    /// assert_eq!(LinkStatus::NotListed.as_str(), "not_listed");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Listed => "listed",
            Self::OtherPostcode => "other_postcode",
            Self::NotListed => "not_listed",
            Self::NotCovered => "not_covered",
        }
    }
}

/// The error for a text that does not name a link status.
///
/// ```
/// use customers::{LinkStatus, ParseLinkStatusError};
///
/// assert_eq!("lost".parse::<LinkStatus>(), Err(ParseLinkStatusError));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give one of pending, listed, other_postcode, not_listed, not_covered")]
pub struct ParseLinkStatusError;

impl FromStr for LinkStatus {
    type Err = ParseLinkStatusError;
    fn from_str(name: &str) -> Result<Self, ParseLinkStatusError> {
        Self::ALL.into_iter().find(|status| status.as_str() == name).ok_or(ParseLinkStatusError)
    }
}

impl fmt::Display for LinkStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An entry of the address data and the postcode under which a customer has it.
pub(crate) type Linked = (AddressNumber, Postcode);
