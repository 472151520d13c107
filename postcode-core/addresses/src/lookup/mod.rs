//! Looking addresses up: the trait that callers hold, and its implementations in this process and over HTTP.

mod answer;
#[cfg(feature = "layers")]
mod any;
#[cfg(feature = "layers")]
pub mod calls;
#[cfg(feature = "conformance")]
pub mod conformance;
mod connect;
#[cfg(feature = "file")]
mod local;
#[cfg(feature = "http")]
mod remote;
#[cfg(feature = "layers")]
mod saving;
pub mod wire;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
#[cfg(any(feature = "file", feature = "layers"))]
use postcode_core::Error;
use postcode_core::{Nearest, Outcode, Postcode, Result};

pub use self::answer::{AddressAnswer, AddressCoverage, AddressNeighbour, AddressPage};
#[cfg(feature = "layers")]
pub use self::any::AnyAddresses;
pub use self::connect::connect_addresses;
#[cfg(feature = "file")]
pub use self::local::LocalAddresses;
#[cfg(feature = "http")]
pub use self::remote::RemoteAddresses;
#[cfg(feature = "layers")]
pub use self::saving::OfAddresses;
pub use crate::number::AddressNumber;

/// The most postcodes or numbers in one call.
pub const MAX_ADDRESS_BATCH: usize = 100;
/// The most addresses of one postcode in one answer.
pub const MAX_ADDRESS_PAGE: usize = 100;
/// The most addresses around a point in one answer.
pub const MAX_ADDRESS_NEIGHBOURS: usize = 100;
/// The greatest radius around a point, in metres.
pub const MAX_ADDRESS_RADIUS: f64 = 2_000.0;

/// Looks addresses up, in this process or in another. It is a sibling of [`PostcodeLookup`](postcode_core::PostcodeLookup),
/// with its contract for errors, limits, cancellation and time.
///
/// - **Answers.** Addresses, a postcode that has none, a postcode that does not exist, and one in a part of the country that
///   the data leaves out are four different [`AddressAnswer`]s, all `Ok`. An implementation that has no address data at
///   all returns [`NotSupported`](postcode_core::ErrorKind::NotSupported).
/// - **Batches.** Answers come position by position, and from one edition.
/// - **Order.** The addresses of a postcode are in the order in which people expect them: 1, 1A, 2, 10. The households of a
///   Multiple Residence follow their parent.
/// - **Limits.** A batch has at most [`MAX_ADDRESS_BATCH`] items, a page at most [`MAX_ADDRESS_PAGE`] addresses. Beyond
///   them every implementation returns [`InvalidInput`](postcode_core::ErrorKind::InvalidInput), before any work.
///
/// ```
/// use postcode_addresses::AddressLookup;
/// use postcode_addresses::format::Style;
///
/// async fn offer(addresses: &dyn AddressLookup, postcode: postcode_core::Postcode) -> postcode_core::Result<Vec<String>> {
///     let answers = addresses.addresses(&[postcode]).await?;
///     let found = answers.iter().flat_map(|answer| answer.addresses());
///     Ok(found.map(|address| address.lines(Style::Guide, 3).join(", ")).collect())
/// }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait AddressLookup: Debug + Send + Sync + 'static {
    /// Returns the first [`MAX_ADDRESS_PAGE`] addresses of each postcode. At most [`MAX_ADDRESS_BATCH`] postcodes.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_addresses::{LocalAddresses, lookup::conformance};
    /// # let addresses = LocalAddresses::new(conformance::file()?).with_postcodes(std::sync::Arc::new(postcode_core::Local::new(conformance::postcodes()?)));
    /// use postcode_addresses::AddressLookup;
    ///
    /// let answers = addresses.addresses(&["ZE9 9AA".parse()?, "ZE9 9ZZ".parse()?]).await?;
    /// assert_eq!((answers[0].status(), answers[0].total()), ("found", 12));
    /// assert_eq!(answers[1].status(), "unknown");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "conformance"))]
    /// # fn main() {}
    /// ```
    async fn addresses(&self, postcodes: &[Postcode]) -> Result<Vec<AddressAnswer>>;

    /// Returns a page of the addresses of a postcode: at most `limit` of them, after the first `skip`. Beyond the last one
    /// the page is empty.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_addresses::{LocalAddresses, lookup::conformance};
    /// # let addresses = LocalAddresses::new(conformance::file()?).with_postcodes(std::sync::Arc::new(postcode_core::Local::new(conformance::postcodes()?)));
    /// use postcode_addresses::AddressLookup;
    ///
    /// let page = addresses.address_page("ZE9 9AA".parse()?, 10, 100).await?;
    /// assert_eq!((page.addresses().len(), page.total()), (2, 12)); // numbers 11 and 12
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "conformance"))]
    /// # fn main() {}
    /// ```
    async fn address_page(&self, postcode: Postcode, skip: usize, limit: usize) -> Result<AddressAnswer>;

    /// Returns the addresses with each of these numbers: mostly one or none. At most [`MAX_ADDRESS_BATCH`] numbers.
    ///
    /// Households of a Multiple Residence have the UDPRN and UPRN of their parent. Only their UMPRN finds them.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_addresses::{LocalAddresses, lookup::conformance};
    /// # let addresses = LocalAddresses::new(conformance::file()?).with_postcodes(std::sync::Arc::new(postcode_core::Local::new(conformance::postcodes()?)));
    /// use postcode_addresses::{AddressLookup, AddressNumber};
    ///
    /// let found = addresses.addresses_by_number(&[AddressNumber::Udprn(1_007)]).await?;
    /// assert_eq!(found[0][0].organisation, "Example Bakery Ltd");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "conformance"))]
    /// # fn main() {}
    /// ```
    async fn addresses_by_number(&self, numbers: &[AddressNumber]) -> Result<Vec<Vec<crate::Address>>>;

    /// Returns the addresses around a point or a postcode, nearest first, by the property's location or else by that of
    /// its postcode. `None` if the origin is a postcode that is unknown or has no location.
    ///
    /// At most [`MAX_ADDRESS_NEIGHBOURS`] within [`MAX_ADDRESS_RADIUS`]. Needs postcode data next to the address data,
    /// and is [`NotSupported`](postcode_core::ErrorKind::NotSupported) without it.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_addresses::{LocalAddresses, lookup::conformance};
    /// # let addresses = LocalAddresses::new(conformance::file()?).with_postcodes(std::sync::Arc::new(postcode_core::Local::new(conformance::postcodes()?)));
    /// use postcode_addresses::AddressLookup;
    /// use postcode_core::{Location, Nearest};
    ///
    /// let query = Nearest::to(Location::new(60.1, -1.2)?).limit(3);
    /// let near = addresses.nearest_addresses(&query).await?.ok_or("no such origin")?;
    /// assert_eq!((near.len(), near[0].distance), (3, 0.0)); // metres
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "conformance"))]
    /// # fn main() {}
    /// ```
    async fn nearest_addresses(&self, query: &Nearest) -> Result<Option<Vec<AddressNeighbour>>>;

    /// Returns a page of the streets of an outcode: at most `limit` of them, after the first `skip`. `None` if the data has no
    /// streets of it.
    ///
    /// They are for data without addresses, come from OS Open Names, and are marked
    /// [approximate](crate::Dataset::is_approximate).
    ///
    /// ```
    /// # #[cfg(feature = "conformance")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_addresses::{LocalAddresses, lookup::conformance};
    /// # let addresses = LocalAddresses::new(conformance::file()?).with_postcodes(std::sync::Arc::new(postcode_core::Local::new(conformance::postcodes()?)));
    /// use postcode_addresses::AddressLookup;
    ///
    /// let page = addresses.streets("ZE9".parse()?, 0, 2).await?.ok_or("no streets")?;
    /// assert_eq!((&*page.addresses[0].thoroughfare, page.total), ("Ash Road", 3));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "conformance"))]
    /// # fn main() {}
    /// ```
    async fn streets(&self, outcode: Outcode, skip: usize, limit: usize) -> Result<Option<AddressPage>>;

    /// Returns what the data is: edition, datasets, licence, areas.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_addresses::{LocalAddresses, lookup::conformance};
    /// # let addresses = LocalAddresses::new(conformance::file()?).with_postcodes(std::sync::Arc::new(postcode_core::Local::new(conformance::postcodes()?)));
    /// use postcode_addresses::AddressLookup;
    ///
    /// let data = addresses.address_coverage().await?;
    /// assert_eq!((data.edition.as_str(), data.addresses), ("invented addresses", 163));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "conformance"))]
    /// # fn main() {}
    /// ```
    async fn address_coverage(&self) -> Result<AddressCoverage>;
}

macro_rules! forward {
    ($([$($generic:ident)?] $pointer:ty;)*) => {$(
        #[deny(clippy::missing_trait_methods)]
        #[async_trait]
        impl<$($generic: AddressLookup + ?Sized)?> AddressLookup for $pointer {
            async fn addresses(&self, postcodes: &[Postcode]) -> Result<Vec<AddressAnswer>> {
                (**self).addresses(postcodes).await
            }

            async fn address_page(&self, postcode: Postcode, skip: usize, limit: usize) -> Result<AddressAnswer> {
                (**self).address_page(postcode, skip, limit).await
            }

            async fn addresses_by_number(&self, numbers: &[AddressNumber]) -> Result<Vec<Vec<crate::Address>>> {
                (**self).addresses_by_number(numbers).await
            }

            async fn nearest_addresses(&self, query: &Nearest) -> Result<Option<Vec<AddressNeighbour>>> {
                (**self).nearest_addresses(query).await
            }

            async fn streets(&self, outcode: Outcode, skip: usize, limit: usize) -> Result<Option<AddressPage>> {
                (**self).streets(outcode, skip, limit).await
            }

            async fn address_coverage(&self) -> Result<AddressCoverage> {
                (**self).address_coverage().await
            }
        }
    )*};
}

forward! {
    [T] Arc<T>;
    [T] Box<T>;
}

#[cfg(feature = "layers")]
use forward;

/// Checks a batch.
///
/// # Errors
/// [`InvalidInput`](postcode_core::ErrorKind::InvalidInput) for more than [`MAX_ADDRESS_BATCH`] items.
#[cfg(any(feature = "file", feature = "http"))]
fn check_batch(len: usize) -> Result<()> {
    if len > MAX_ADDRESS_BATCH {
        let what = format!("{len} postcodes or numbers in one call: give at most {MAX_ADDRESS_BATCH}");
        return Err(Error::invalid(what));
    }
    Ok(())
}

#[cfg(any(feature = "file", feature = "layers"))]
fn check_limit(limit: usize, most: usize) -> Result<()> {
    if !(1..=most).contains(&limit) {
        return Err(Error::invalid(format!("a limit of {limit}: give 1 to {most}")));
    }
    Ok(())
}

#[cfg(any(feature = "file", feature = "http"))]
fn check_nearest(query: &Nearest) -> Result<()> {
    check_limit(query.limit, MAX_ADDRESS_NEIGHBOURS)?;
    if !(0.0..=MAX_ADDRESS_RADIUS).contains(&query.radius) {
        let what = format!("a radius of {}: give 0 to {MAX_ADDRESS_RADIUS} metres", query.radius);
        return Err(Error::invalid(what));
    }
    Ok(())
}
