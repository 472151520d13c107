//! The answers of a lookup of addresses.

use serde::{Deserialize, Serialize};

use crate::Address;

/// The answer to a postcode. None of the four is an error.
///
/// [`status`](Self::status) names it, [`addresses`](Self::addresses) and [`total`](Self::total) read it without a match:
///
/// ```
/// use postcode_addresses::{Address, AddressAnswer, AddressPage};
///
/// let page = AddressPage { addresses: vec![Address::default()], total: 151 };
/// let answer = AddressAnswer::Found(page);
/// assert_eq!((answer.status(), answer.addresses().len(), answer.total()), ("found", 1, 151));
/// assert!(AddressAnswer::NoAddresses.addresses().is_empty());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum AddressAnswer {
    /// The postcode has addresses. Here is a page of them.
    Found(AddressPage),
    /// The postcode exists, or did once, and the data has no address of it.
    NoAddresses,
    /// There is no such postcode.
    Unknown,
    /// The data has no address in this postcode's outcode: it says nothing about the postcode.
    NotCovered,
}

impl AddressAnswer {
    /// Returns the stable name: `found`, `no_addresses`, `unknown` or `not_covered`.
    ///
    /// ```
    /// use postcode_addresses::AddressAnswer;
    ///
    /// assert_eq!(AddressAnswer::NotCovered.status(), "not_covered");
    /// ```
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::NoAddresses => "no_addresses",
            Self::Unknown => "unknown",
            Self::NotCovered => "not_covered",
        }
    }

    /// Returns the addresses, if there are any.
    ///
    /// ```
    /// use postcode_addresses::{Address, AddressAnswer, AddressPage};
    ///
    /// let page = AddressPage { addresses: vec![Address::default(); 2], total: 151 };
    /// assert_eq!(AddressAnswer::Found(page).addresses().len(), 2);
    /// assert!(AddressAnswer::Unknown.addresses().is_empty());
    /// ```
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        match self {
            Self::Found(page) => &page.addresses,
            _ => &[],
        }
    }

    /// Returns how many addresses the postcode has, on all pages.
    ///
    /// ```
    /// use postcode_addresses::{Address, AddressAnswer, AddressPage};
    ///
    /// let page = AddressPage { addresses: vec![Address::default(); 2], total: 151 };
    /// assert_eq!(AddressAnswer::Found(page).total(), 151);
    /// assert_eq!(AddressAnswer::NoAddresses.total(), 0);
    /// ```
    #[must_use]
    pub fn total(&self) -> usize {
        match self {
            Self::Found(page) => page.total,
            _ => 0,
        }
    }
}

/// Some of the addresses of a postcode.
///
/// ```
/// use postcode_addresses::AddressPage;
///
/// /// Returns whether there are addresses after this page, which began after `skip` others.
/// fn has_more(page: &AddressPage, skip: usize) -> bool {
///     skip + page.addresses.len() < page.total
/// }
/// assert!(!has_more(&AddressPage { addresses: Vec::new(), total: 12 }, 12));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddressPage {
    /// The addresses of this page.
    pub addresses: Vec<Address>,
    /// How many addresses the postcode has, on all pages.
    pub total: usize,
}

/// An address near a point.
///
/// ```
/// use postcode_addresses::AddressNeighbour;
///
/// fn line(near: &AddressNeighbour) -> String {
///     format!("{:.0} m: {}", near.distance, near.address.single_line())
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct AddressNeighbour {
    /// The address.
    pub address: Address,
    /// Metres from the point to the property, or to its postcode's location.
    pub distance: f64,
}

/// The edition, the licence and the extent of address data.
///
/// ```
/// use postcode_addresses::AddressCoverage;
///
/// fn footer(data: &AddressCoverage) -> String {
///     format!("{}: {} addresses. {}", data.edition, data.addresses, data.attribution)
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AddressCoverage {
    /// The edition, such as `PAF Y26M11`.
    pub edition: String,
    /// A hash of the data.
    pub fingerprint: String,
    /// The files that it was made from.
    pub sources: Vec<String>,
    /// The attribution that must be shown wherever the addresses are.
    pub attribution: String,
    /// The licence.
    pub licence: String,
    /// Who holds the licence.
    pub licensee: String,
    /// Whether the licence lets the licensee pass the data on.
    pub may_be_passed_on: bool,
    /// Addresses.
    pub addresses: u64,
    /// Postcodes that have addresses.
    pub postcodes: u64,
    /// Outcodes that have addresses.
    pub outcodes: u64,
    /// The postcode areas that have addresses, such as `SW`.
    pub areas: Vec<String>,
    /// How many entries come from each dataset, by its short name.
    pub datasets: std::collections::BTreeMap<String, u64>,
}
