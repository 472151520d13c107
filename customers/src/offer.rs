//! Addresses to choose from, and lookups of those that were chosen.

use std::time::Duration;

use postcode_addresses::lookup::{MAX_ADDRESS_BATCH, MAX_ADDRESS_PAGE};
use postcode_addresses::{AddressAnswer, AddressLookup, AddressNumber, Style};
use postcode_core::{Error as LookupError, ErrorKind, Outcode, Postcode};
use serde::Serialize;
use tracing::warn;

use crate::link::Linked;
use crate::{Customers, Error, LinkStatus, MAX_ADDRESS_LINES, Result};

/// Some of the addresses of a postcode, to choose from.
///
/// ```
/// use customers::AddressOffer;
///
/// /// Returns whether there are more addresses than were offered after the first `skip`.
/// fn has_more(offer: &AddressOffer, skip: usize) -> bool {
///     skip + offer.items.len() < offer.total
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AddressOffer {
    /// The postcode.
    pub postcode: Postcode,
    /// `found`, `no_addresses`, `unknown` or `not_covered`.
    pub status: &'static str,
    /// How many addresses the postcode has.
    pub total: usize,
    /// The addresses of this page, in the order of the street.
    pub items: Vec<OfferedAddress>,
    /// The attribution of the data. Show it with the addresses.
    pub attribution: String,
}

/// An address to choose.
///
/// ```
/// use customers::OfferedAddress;
/// use postcode_addresses::Address;
///
/// let mut address = Address::default();
/// address.building_number = "12".to_owned();
/// address.thoroughfare = "St James's Square".to_owned();
/// address.post_town = "LONDON".to_owned();
/// let offered = OfferedAddress::from(&address);
/// assert_eq!(offered.lines[0], "12 St James's Square");
/// assert_eq!(offered.id, None); // the entry has no number
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OfferedAddress {
    /// The number that identifies the address. `None` if the data has no number for it.
    pub id: Option<AddressNumber>,
    /// The lines above the postcode, with the post town.
    pub lines: Vec<String>,
}

impl From<&postcode_addresses::Address> for OfferedAddress {
    fn from(address: &postcode_addresses::Address) -> Self {
        // A household shares its parent's UDPRN, so its own number comes first.
        let id = address
            .umprn
            .map(AddressNumber::Umprn)
            .or(address.udprn.map(AddressNumber::Udprn))
            .or(address.uprn.map(AddressNumber::Uprn));
        let mut lines = address.lines(Style::Guide, MAX_ADDRESS_LINES + 1);
        // The postcode has a separate field.
        if !address.postcode.is_empty() {
            lines.pop();
        }
        Self { id, lines }
    }
}

impl Customers {
    /// The most addresses in one offer.
    pub const MAX_OFFERED: usize = MAX_ADDRESS_PAGE;

    /// Returns whether there is address data to choose from.
    #[cfg(feature = "server")]
    pub(crate) fn offers_addresses(&self) -> bool {
        self.addresses.is_some()
    }

    /// Returns at most `limit` addresses of a postcode to choose from, after the first `skip`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// use customers::Error;
    /// use postcode_addresses::{AddressAnswer, AddressCoverage, MockAddressLookup};
    ///
    /// let postcode = "SW1Y 4JH".parse()?;
    /// // Without a lookup of addresses there are none to offer.
    /// assert!(matches!(customers.offer(postcode, 0, 10).await, Err(Error::Addresses(_))));
    ///
    /// let mut addresses = MockAddressLookup::new();
    /// addresses.expect_address_page().returning(|_, _, _| Ok(AddressAnswer::NoAddresses));
    /// addresses.expect_address_coverage().returning(|| Ok(AddressCoverage::default()));
    /// let offer = customers.with_addresses(Arc::new(addresses)).offer(postcode, 0, 10).await?;
    /// assert_eq!((offer.status, offer.total), ("no_addresses", 0));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Listing`](Error::Listing) if the limit is not 1 to [`MAX_OFFERED`](Self::MAX_OFFERED);
    /// [`Addresses`](Error::Addresses) if the address lookup fails. Its kind is
    /// [`NotSupported`](ErrorKind::NotSupported) if these customers have no address lookup.
    pub async fn offer(&self, postcode: Postcode, skip: usize, limit: usize) -> Result<AddressOffer> {
        if !(1..=Self::MAX_OFFERED).contains(&limit) {
            let most = Self::MAX_OFFERED;
            return Err(Error::Listing(format!("a limit of {limit}: give 1 to {most}")));
        }
        let Some(lookup) = &self.addresses else {
            let what = "there is no address data here: start the program with --addresses";
            return Err(Error::Addresses(LookupError::new(ErrorKind::NotSupported, what)));
        };
        let both =
            async { tokio::try_join!(lookup.address_page(postcode, skip, limit), lookup.address_coverage()) };
        let (answer, coverage) = within(self.lookup_timeout, both).await.map_err(Error::Addresses)?;
        Ok(AddressOffer {
            postcode,
            status: answer.status(),
            total: answer.total(),
            items: answer.addresses().iter().map(OfferedAddress::from).collect(),
            attribution: coverage.attribution,
        })
    }

    /// Returns the status of each link. All are pending if the lookup fails.
    pub(crate) async fn link_statuses(&self, links: &[Linked]) -> Vec<LinkStatus> {
        let (Some(lookup), false) = (&self.addresses, links.is_empty()) else {
            return vec![LinkStatus::Pending; links.len()];
        };
        match statuses(&**lookup, links, self.lookup_timeout).await {
            Ok(statuses) => statuses,
            Err(error) => {
                warn!(kind = error.kind().code(), %error, "an address was not looked up: its link is pending");
                vec![LinkStatus::Pending; links.len()]
            }
        }
    }
}

/// Applies the time limit. The lookup promises a deadline, but a consumer must not depend on it.
pub(crate) async fn within<T>(
    limit: Duration,
    call: impl Future<Output = postcode_core::Result<T>>,
) -> postcode_core::Result<T> {
    tokio::time::timeout(limit, call).await.map_err(|_| {
        LookupError::new(ErrorKind::Timeout, format!("the address lookup gave no answer within {limit:?}"))
    })?
}

/// Looks links up, each call within the limit. Returns as many statuses as links.
pub(crate) async fn statuses(
    lookup: &dyn AddressLookup,
    links: &[Linked],
    limit: Duration,
) -> postcode_core::Result<Vec<LinkStatus>> {
    let mut statuses = Vec::with_capacity(links.len());
    let mut covered: Vec<(Outcode, bool)> = Vec::new();
    for batch in links.chunks(MAX_ADDRESS_BATCH) {
        let numbers: Vec<AddressNumber> = batch.iter().map(|(number, _)| *number).collect();
        let found = within(limit, lookup.addresses_by_number(&numbers)).await?;
        if found.len() != batch.len() {
            let what = format!("{} answers to a batch of {} numbers", found.len(), batch.len());
            return Err(LookupError::new(ErrorKind::Protocol, what));
        }
        for ((_, postcode), found) in batch.iter().zip(found) {
            let here = postcode.to_string();
            statuses.push(match found.as_slice() {
                [] if is_covered(lookup, *postcode, limit, &mut covered).await? => LinkStatus::NotListed,
                [] => LinkStatus::NotCovered,
                some if some.iter().any(|address| address.postcode == here) => LinkStatus::Listed,
                _ => LinkStatus::OtherPostcode,
            });
        }
    }
    Ok(statuses)
}

/// Returns whether the data has addresses in the postcode's outcode. Asks once for each outcode.
async fn is_covered(
    lookup: &dyn AddressLookup,
    postcode: Postcode,
    limit: Duration,
    known: &mut Vec<(Outcode, bool)>,
) -> postcode_core::Result<bool> {
    let outcode = postcode.outcode();
    if let Some((_, covered)) = known.iter().find(|(other, _)| *other == outcode) {
        return Ok(*covered);
    }
    let answer = within(limit, lookup.address_page(postcode, 0, 1)).await?;
    let covered = match answer {
        AddressAnswer::Found(_) | AddressAnswer::NoAddresses => true,
        AddressAnswer::NotCovered => false,
        // Says nothing about the other postcodes of the outcode.
        AddressAnswer::Unknown => return Ok(true),
    };
    known.push((outcode, covered));
    Ok(covered)
}
