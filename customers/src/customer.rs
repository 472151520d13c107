//! A customer.

use jiff::Timestamp;
use postcode_core::Postcode;
use serde::{Deserialize, Serialize, Serializer};

use crate::{Address, AddressCheck, AddressLink, CustomerId};

/// A customer account as stored. Serialises to the JSON of the HTTP API.
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
/// let json = serde_json::to_value(&ada)?;
/// assert_eq!((&json["postcode"], &json["address_status"]), (&"SW1Y 4JH".into(), &"verified".into()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Customer {
    /// The id, which never changes.
    pub id: CustomerId,
    /// The customer's name.
    pub name: String,
    /// The customer's email address.
    pub email: String,
    /// The postcode of the main address, normalised: `SW1A 1AA`.
    pub postcode: Postcode,
    /// The lines of the main address above the postcode, one entry a line.
    pub address_lines: Vec<String>,
    /// The lookup's answer about the main address's postcode.
    #[serde(flatten)]
    pub check: AddressCheck,
    /// The main address's [`Address::link`].
    #[serde(flatten)]
    pub link: Option<AddressLink>,
    /// When the account was created.
    #[serde(serialize_with = "rfc3339")]
    pub created_at: Timestamp,
    /// When the account last changed, by a caller or because an address was resolved.
    #[serde(serialize_with = "rfc3339")]
    pub updated_at: Timestamp,
    /// The revision, which grows by one with every change.
    #[serde(skip)]
    pub revision: i64,
    /// The telephone number in ITU-T E.164 form: `+442071234567`.
    pub phone: Option<String>,
    /// Notes about the customer.
    pub notes: Option<String>,
    /// The customer's ids in other systems.
    pub references: Vec<Reference>,
    /// All addresses: the main one first, then the others in the order in which they were added.
    pub addresses: Vec<Address>,
    /// When the account was deleted, if it was.
    #[serde(serialize_with = "rfc3339_if", skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// The position in listings.
    #[serde(skip)]
    pub(crate) seq: i64,
    /// The number of the next address.
    #[serde(skip)]
    pub(crate) next_address: i64,
}

impl Customer {
    /// Returns the address with that number.
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
    /// assert_eq!(ada.address(1).map(|address| address.postcode), Some(ada.postcode));
    /// assert_eq!(ada.address(2), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn address(&self, number: i64) -> Option<&Address> {
        self.addresses.iter().find(|address| address.id == number)
    }
}

/// A customer's id in another system.
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
/// use customers::Reference;
///
/// let reference = Reference { system: "crm".into(), id: "1815".into() };
/// let ada = NewCustomer { references: Some(vec![reference.clone()]), ..ada };
/// assert_eq!(customers.create(ada).await?.references, [reference]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The system, such as `crm`: 1 to [`MAX_REFERENCE`](crate::MAX_REFERENCE) characters.
    pub system: String,
    /// The customer's id there: 1 to [`MAX_REFERENCE`](crate::MAX_REFERENCE) characters.
    pub id: String,
}

/// Serialises a time as RFC 3339 in UTC, always with microseconds, so that texts sort like times.
pub(crate) fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.6}"))
}

pub(crate) fn rfc3339_if<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, serializer),
        None => serializer.serialize_none(),
    }
}
