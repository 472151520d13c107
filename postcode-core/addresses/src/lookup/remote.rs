//! The lookup over HTTP, in a postcode-service that has addresses.

use async_trait::async_trait;
use postcode_core::wire::{code, path};
use postcode_core::{Error, ErrorKind, Nearest, Origin, Outcode, Postcode, Remote, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::{AnswerBody, NeighbourBody, NumberBody};
use super::{
    AddressAnswer, AddressCoverage, AddressLookup, AddressNeighbour, AddressNumber, AddressPage,
    MAX_ADDRESS_BATCH, MAX_ADDRESS_PAGE, check_batch, check_limit, check_nearest,
};
use crate::Address;

/// Looks addresses up over HTTP. The deadline, the retries and the other settings are those of
/// [`Remote`](postcode_core::Remote).
///
/// Queries go in the bodies of requests, so that no log of addresses on the way has them. Calls need a tokio runtime.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use postcode_addresses::RemoteAddresses;
///
/// let addresses = RemoteAddresses::new("http://127.0.0.1:8080?retries=1")?; // nothing is sent yet
/// assert!(RemoteAddresses::new("ftp://127.0.0.1").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RemoteAddresses(Remote);

impl From<Remote> for RemoteAddresses {
    fn from(client: Remote) -> Self {
        Self(client)
    }
}

impl AsRef<Remote> for RemoteAddresses {
    fn as_ref(&self) -> &Remote {
        &self.0
    }
}

impl RemoteAddresses {
    /// Creates a client from a URL with options. Nothing is sent yet.
    ///
    /// ```
    /// use postcode_addresses::RemoteAddresses;
    ///
    /// assert!(RemoteAddresses::new("http://127.0.0.1:8080?timeout=200ms").is_ok());
    /// let error = RemoteAddresses::new("http://127.0.0.1:8080?patience=1s").unwrap_err();
    /// assert_eq!(error.kind(), postcode_core::ErrorKind::InvalidInput); // an unknown option
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for an invalid URL or option.
    pub fn new(url: &str) -> Result<Self> {
        Remote::new(url).map(Self)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        target: String,
        body: Option<&(impl Serialize + Sync)>,
        records: usize,
    ) -> Result<T> {
        // A server that does not know the route does not know addresses.
        match self.0.exchange(target, body, records, &[code::RESOURCE_NOT_FOUND]).await? {
            Some(result) => Ok(result),
            None => {
                let what = format!("{} does not answer with addresses: is it a postcode-service?", self.0);
                Err(Error::new(ErrorKind::NotSupported, what))
            }
        }
    }

    async fn answers(&self, query: &Query<'_>) -> Result<Vec<AddressAnswer>> {
        let postcodes = query.postcodes;
        let records = postcodes.len().saturating_mul(query.limit);
        let items: Vec<AnswerBody> = self.ask(path::ADDRESSES.to_owned(), Some(query), records).await?;
        let matching = items.len() == postcodes.len()
            && items.iter().zip(postcodes).all(|(item, asked)| item.query == asked.spaced().as_str());
        if !matching {
            return Err(protocol("the response is not for the postcodes that were asked for"));
        }
        let answers: Result<Vec<AddressAnswer>> = items.into_iter().map(AnswerBody::into_answer).collect();
        let answers = answers?;
        if answers.iter().any(|answer| answer.addresses().len() > query.limit) {
            return Err(protocol("the response has more addresses than were asked for"));
        }
        Ok(answers)
    }
}

fn protocol(what: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, what)
}

#[derive(Serialize)]
struct Query<'a> {
    postcodes: &'a [Postcode],
    skip: usize,
    limit: usize,
}

#[derive(Serialize)]
struct Numbers<'a> {
    numbers: &'a [AddressNumber],
}

/// A request without a body.
const NOTHING: Option<&()> = None;

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl AddressLookup for RemoteAddresses {
    async fn addresses(&self, postcodes: &[Postcode]) -> Result<Vec<AddressAnswer>> {
        check_batch(postcodes.len())?;
        if postcodes.is_empty() {
            return Ok(Vec::new());
        }
        self.answers(&Query { postcodes, skip: 0, limit: MAX_ADDRESS_PAGE }).await
    }

    async fn address_page(&self, postcode: Postcode, skip: usize, limit: usize) -> Result<AddressAnswer> {
        check_limit(limit, MAX_ADDRESS_PAGE)?;
        let answers = self.answers(&Query { postcodes: &[postcode], skip, limit }).await?;
        answers.into_iter().next().ok_or_else(|| protocol("the response is empty"))
    }

    async fn addresses_by_number(&self, numbers: &[AddressNumber]) -> Result<Vec<Vec<Address>>> {
        check_batch(numbers.len())?;
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let records = MAX_ADDRESS_BATCH.saturating_mul(10);
        let items: Vec<NumberBody> =
            self.ask(path::ADDRESSES.to_owned(), Some(&Numbers { numbers }), records).await?;
        let matching = items.len() == numbers.len()
            && items.iter().zip(numbers).all(|(item, asked)| item.query == asked.to_string());
        if !matching {
            return Err(protocol("the response is not for the numbers that were asked for"));
        }
        Ok(items.into_iter().map(|item| item.addresses.into_iter().map(Address::from).collect()).collect())
    }

    async fn nearest_addresses(&self, query: &Nearest) -> Result<Option<Vec<AddressNeighbour>>> {
        check_nearest(query)?;
        let (limit, radius) = (query.limit, query.radius);
        let origin = match query.origin {
            Origin::Location(at) => format!("lon={}&lat={}", at.longitude(), at.latitude()),
            Origin::Postcode(postcode) => format!("postcode={}", postcode.compact()),
        };
        let target = format!("{}?{origin}&limit={limit}&radius={radius}", path::ADDRESSES_NEAREST);
        let found: Option<Vec<NeighbourBody>> = self.ask(target, NOTHING, limit).await?;
        let Some(found) = found else { return Ok(None) };
        if found.len() > limit {
            return Err(protocol("the response has more addresses than were asked for"));
        }
        Ok(Some(found.into_iter().map(AddressNeighbour::from).collect()))
    }

    async fn streets(&self, outcode: Outcode, skip: usize, limit: usize) -> Result<Option<AddressPage>> {
        check_limit(limit, MAX_ADDRESS_PAGE)?;
        let target =
            format!("{}?skip={skip}&limit={limit}", path::filled(path::OUTCODE_STREETS, &[&outcode]));
        let item: AnswerBody = self.ask(target, NOTHING, limit).await?;
        match item.into_answer()? {
            AddressAnswer::Found(page) if page.addresses.len() > limit => {
                Err(protocol("the response has more streets than were asked for"))
            }
            AddressAnswer::Found(page) => Ok(Some(page)),
            _ => Ok(None),
        }
    }

    async fn address_coverage(&self) -> Result<AddressCoverage> {
        self.ask(path::ADDRESSES_INFO.to_owned(), NOTHING, 1).await
    }
}
