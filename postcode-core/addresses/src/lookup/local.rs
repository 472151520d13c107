//! The lookup in this process, over a file of addresses.

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use postcode_core::dataset::Demands;
use postcode_core::dataset::container::file_url;
use postcode_core::{Answer, Error, ErrorKind, Location, Nearest, Outcode, Postcode, PostcodeLookup, Result};

use super::{
    AddressAnswer, AddressCoverage, AddressLookup, AddressNeighbour, AddressNumber, AddressPage,
    MAX_ADDRESS_PAGE, check_batch, check_limit, check_nearest,
};
use crate::Address;
use crate::file::{AddressFile, Addresses};

/// Looks addresses up in this process, in an [`AddressFile`].
///
/// Postcode data next to it says which postcodes exist and where they are. Without it, a postcode that has no address
/// in a covered outcode is unknown, and there are no addresses near a point.
///
/// Created by [`new`](Self::new). [`with_postcodes`](Self::with_postcodes) adds postcode data, [`replace`](Self::replace) puts
/// another [`file`](Self::file) in its place, and [`snapshot`](Self::snapshot) keeps the present one:
///
/// ```
/// # #[cfg(feature = "conformance")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use postcode_addresses::{AddressLookup, LocalAddresses, lookup::conformance};
///
/// let postcodes = Arc::new(postcode_core::Local::new(conformance::postcodes()?));
/// let addresses = LocalAddresses::new(conformance::file()?).with_postcodes(postcodes);
/// let frozen = addresses.snapshot();
/// addresses.replace(conformance::file()?);
/// assert_eq!(addresses.file().fingerprint(), frozen.file().fingerprint());
/// assert_eq!(addresses.addresses(&["ZE9 9AA".parse()?]).await?[0].total(), 12);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "conformance"))]
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct LocalAddresses {
    file: ArcSwap<AddressFile>,
    postcodes: Option<Arc<dyn PostcodeLookup>>,
}

impl LocalAddresses {
    /// Creates a lookup from an open file.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_addresses::{AddressLookup, LocalAddresses, lookup::conformance};
    ///
    /// let addresses = LocalAddresses::new(conformance::file()?);
    /// assert_eq!(addresses.addresses(&["ZE9 9AA".parse()?]).await?[0].total(), 12);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "conformance"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn new(file: AddressFile) -> Self {
        Self { file: ArcSwap::from_pointee(file), postcodes: None }
    }

    /// Opens the file of a URL: `file:/path/uk.addresses`, with the options `verify` and `public_key`.
    ///
    /// ```
    /// use postcode_addresses::LocalAddresses;
    /// use postcode_core::dataset::Demands;
    ///
    /// let error = LocalAddresses::from_url("file:/nowhere/uk.addresses", Demands::default()).unwrap_err();
    /// assert_eq!(error.kind(), postcode_core::ErrorKind::Dataset);
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for another URL; [`Dataset`](ErrorKind::Dataset) for a file that can't be
    /// used.
    pub fn from_url(url: &str, demands: Demands) -> Result<Self> {
        match file_url(url, demands)? {
            Some((path, demands)) => AddressFile::open_checked(path, &demands).map(Self::new),
            None => {
                let shown = postcode_core::redact(url);
                Err(Error::invalid(format!(
                    "{shown}: not a file of addresses: write file:/path/uk.addresses"
                )))
            }
        }
    }

    /// Sets the postcode data.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::Arc;
    /// use postcode_addresses::{AddressLookup, LocalAddresses, lookup::conformance};
    ///
    /// let bare = "ZE9 9AE".parse()?; // a postcode in use without addresses
    /// let addresses = LocalAddresses::new(conformance::file()?);
    /// assert_eq!(addresses.addresses(&[bare]).await?[0].status(), "unknown");
    /// let postcodes = Arc::new(postcode_core::Local::new(conformance::postcodes()?));
    /// let addresses = addresses.with_postcodes(postcodes);
    /// assert_eq!(addresses.addresses(&[bare]).await?[0].status(), "no_addresses");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "conformance"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn with_postcodes(self, postcodes: Arc<dyn PostcodeLookup>) -> Self {
        Self { postcodes: Some(postcodes), ..self }
    }

    /// Returns the current file. It stays the same edition even if another replaces it.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// use postcode_addresses::LocalAddresses;
    ///
    /// assert_eq!(LocalAddresses::new(file).file().metadata().addresses, 163);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn file(&self) -> Arc<AddressFile> {
        self.file.load_full()
    }

    /// Returns a lookup over the current file that does not change when this one's file is replaced.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// use std::sync::Arc;
    /// use postcode_addresses::LocalAddresses;
    ///
    /// let addresses = LocalAddresses::new(file);
    /// let frozen = addresses.snapshot();
    /// addresses.replace(conformance::file()?);
    /// assert!(!Arc::ptr_eq(&addresses.file(), &frozen.file())); // the snapshot keeps the first
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self { file: ArcSwap::new(self.file()), postcodes: self.postcodes.clone() }
    }

    /// Replaces the file. Running calls finish with the previous one.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// use postcode_addresses::LocalAddresses;
    /// use postcode_addresses::file::{AddressFile, AddressWriter, Metadata};
    ///
    /// let addresses = LocalAddresses::new(file);
    /// let writer = AddressWriter::new(std::io::Cursor::new(Vec::new()), Metadata::new("another edition"))?;
    /// addresses.replace(AddressFile::from_bytes(writer.finish()?.0.into_inner())?);
    /// assert_eq!(addresses.file().metadata().edition, "another edition");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace(&self, file: AddressFile) {
        self.file.store(Arc::new(file));
    }

    /// Returns a page of the addresses in the file, or `None` if it has none of the postcode.
    fn page(
        file: &AddressFile,
        postcode: Postcode,
        skip: usize,
        limit: usize,
    ) -> Result<Option<AddressPage>> {
        file.get(postcode)?.map(|all| Self::part(all, skip, limit)).transpose()
    }

    /// Returns some of these addresses.
    fn part(mut all: Addresses<'_>, skip: usize, limit: usize) -> Result<AddressPage> {
        let total = all.left();
        let mut addresses = Vec::with_capacity(total.saturating_sub(skip).min(limit));
        let mut skipped = 0;
        while addresses.len() < limit
            && let Some(address) = all.next()?
        {
            match skipped < skip {
                true => skipped += 1,
                false => addresses.push(address.clone()),
            }
        }
        Ok(AddressPage { addresses, total })
    }

    /// Says why these postcodes have no addresses.
    async fn missing(&self, file: &AddressFile, postcodes: &[Postcode]) -> Result<Vec<AddressAnswer>> {
        let known = match &self.postcodes {
            Some(lookup) if !postcodes.is_empty() => lookup.lookup(postcodes).await?,
            _ => Vec::new(),
        };
        let answer = |(n, postcode): (usize, &Postcode)| match known.get(n) {
            _ if !file.covers(postcode.outcode()) => match known.get(n) {
                Some(Answer::Unknown) => AddressAnswer::Unknown,
                _ => AddressAnswer::NotCovered,
            },
            Some(Answer::Live(_) | Answer::Terminated(_) | Answer::NotCovered) => AddressAnswer::NoAddresses,
            Some(Answer::Unknown) | None => AddressAnswer::Unknown,
        };
        Ok(postcodes.iter().enumerate().map(answer).collect())
    }
}

/// The property's location, if it is known in degrees.
fn location_of(address: &Address) -> Option<Location> {
    let at = address.point?.geographic?;
    Location::new(at.latitude, at.longitude).ok()
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl AddressLookup for LocalAddresses {
    async fn addresses(&self, postcodes: &[Postcode]) -> Result<Vec<AddressAnswer>> {
        check_batch(postcodes.len())?;
        let file = self.file();
        let pages: Result<Vec<_>> =
            postcodes.iter().map(|postcode| Self::page(&file, *postcode, 0, MAX_ADDRESS_PAGE)).collect();
        let pages = pages?;
        let without: Vec<Postcode> = postcodes
            .iter()
            .zip(&pages)
            .filter(|(_, page)| page.is_none())
            .map(|(postcode, _)| *postcode)
            .collect();
        let mut missing = self.missing(&file, &without).await?.into_iter();
        let answer = |page: Option<AddressPage>| match page {
            Some(page) => AddressAnswer::Found(page),
            None => missing.next().unwrap_or(AddressAnswer::Unknown),
        };
        Ok(pages.into_iter().map(answer).collect())
    }

    async fn address_page(&self, postcode: Postcode, skip: usize, limit: usize) -> Result<AddressAnswer> {
        check_limit(limit, MAX_ADDRESS_PAGE)?;
        let file = self.file();
        match Self::page(&file, postcode, skip, limit)? {
            Some(page) => Ok(AddressAnswer::Found(page)),
            None => Ok(self.missing(&file, &[postcode]).await?.pop().unwrap_or(AddressAnswer::Unknown)),
        }
    }

    async fn addresses_by_number(&self, numbers: &[AddressNumber]) -> Result<Vec<Vec<Address>>> {
        check_batch(numbers.len())?;
        let file = self.file();
        numbers.iter().map(|number| file.find(*number)).collect()
    }

    async fn nearest_addresses(&self, query: &Nearest) -> Result<Option<Vec<AddressNeighbour>>> {
        check_nearest(query)?;
        let Some(postcodes) = &self.postcodes else {
            let what = "there is no postcode data next to the address data, so locations are not known";
            return Err(Error::new(ErrorKind::NotSupported, what));
        };
        // As many postcodes as addresses are enough: each has at least one, or is passed over.
        let wider =
            Nearest::to(query.origin).limit(postcode_core::MAX_NEIGHBOURS.min(1_000)).radius(query.radius);
        let Some(around) = postcodes.nearest(&wider).await? else { return Ok(None) };
        let centre = match query.origin {
            postcode_core::Origin::Location(location) => Some(location),
            postcode_core::Origin::Postcode(postcode) => {
                postcodes.lookup_one(postcode).await?.record().and_then(|record| record.location)
            }
        };
        let file = self.file();
        let mut found: Vec<AddressNeighbour> = Vec::new();
        for neighbour in around {
            // Properties lie around their postcode's location, so that those of the next postcodes may be nearer.
            let far = found.len() >= query.limit.saturating_mul(4);
            if far && file.metadata().points == 0 {
                break;
            }
            let Some(mut addresses) = file.get(neighbour.record.postcode)? else { continue };
            while let Some(address) = addresses.next()? {
                let distance = match (centre, location_of(address)) {
                    (Some(centre), Some(at)) => centre.distance(at),
                    _ => neighbour.distance,
                };
                if distance <= query.radius && found.len() < MOST_CANDIDATES {
                    found.push(AddressNeighbour { address: address.clone(), distance });
                }
            }
        }
        // Stable: addresses at the same place keep the order of their postcode.
        found.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        found.truncate(query.limit);
        Ok(Some(found))
    }

    async fn streets(&self, outcode: Outcode, skip: usize, limit: usize) -> Result<Option<AddressPage>> {
        check_limit(limit, MAX_ADDRESS_PAGE)?;
        self.file().streets(outcode)?.map(|all| Self::part(all, skip, limit)).transpose()
    }

    async fn address_coverage(&self) -> Result<AddressCoverage> {
        let file = self.file();
        let metadata = file.metadata().clone();
        Ok(AddressCoverage {
            edition: metadata.edition,
            fingerprint: file.fingerprint().to_owned(),
            sources: metadata.sources,
            attribution: metadata.attribution,
            licence: metadata.licence,
            licensee: metadata.licensee,
            may_be_passed_on: metadata.may_be_passed_on,
            addresses: metadata.addresses,
            postcodes: metadata.postcodes,
            outcodes: metadata.outcodes,
            areas: metadata.areas,
            datasets: metadata.datasets,
        })
    }
}

/// The most addresses that are compared for one answer.
const MOST_CANDIDATES: usize = 20_000;
