//! The lookup over HTTP: [`Remote`] calls a postcode-service or any postcodes.io server.

mod address;
mod builder;
mod call;
mod client;
pub(crate) mod config;
mod credentials;
mod lookup;
mod network;
mod places;
mod queries;
#[cfg(feature = "replica")]
mod raw;
mod regions;
mod reply;
mod retry_after;
mod transport;

use std::fmt;
use std::sync::Arc;

use crate::query::check;
use crate::{
    Answer, DatasetInfo, Nearest, NearestOutcodes, Neighbour, Outcode, OutcodeSummary, Page, Place,
    PlaceMatch, PlacePostcodes, PlaceQuery, Postcode, PostcodeLookup, Record, Result, ScottishPostcode,
    Within,
};
use async_trait::async_trait;
pub use builder::RemoteBuilder;
use call::Call;
use client::Client;
#[doc(hidden)]
pub use network::tls_provider;
pub use transport::Transport;

/// Looks postcodes up over HTTP. It is a [`PostcodeLookup`].
///
/// It calls a postcode-service or any postcodes.io server, and recognises from the answers which one it
/// is. A postcodes.io server says less, so:
///
/// - Postcodes that are null in bulk are requested again, one by one, to tell terminated from unknown.
/// - `autocomplete` sorts the at most 100 results of the server into this crate's order.
/// - A terminated postcode has only its date and location, and no postcode is "not covered".
/// - [`info`](PostcodeLookup::info), [`find_places`](PostcodeLookup::find_places),
///   [`place_postcodes`](PostcodeLookup::place_postcodes), [`within`](PostcodeLookup::within) and
///   [`outcodes`](PostcodeLookup::outcodes) are [`NotSupported`](crate::ErrorKind::NotSupported).
/// - Places that rank equally keep the server's order.
/// - A batch of several requests is assumed to come from one edition. A postcode-service proves it with
///   the header `postcode-edition`.
///
/// # Time
///
/// A call ends within its deadline, or that of the [caller](crate::layers::deadline) if it is earlier,
/// with [`Timeout`](crate::ErrorKind::Timeout) at the latest. Each attempt has a timeout. An attempt that
/// failed temporarily is repeated after a random pause, or when the server said (`Retry-After`), as long
/// as the retry [budget](crate::layers::Budget) of all calls allows it. Each request tells the server how
/// long the caller waits (`postcode-deadline-ms`) and its id for the logs (`x-request-id`).
///
/// # Runtime
///
/// Calls need a tokio runtime with I/O and time enabled. Clones share one pool of connections.
///
/// ```no_run
/// # async fn example() -> postcode_core::Result<()> {
/// use std::time::Duration;
/// use postcode_core::{PostcodeLookupExt, Remote};
///
/// let remote = Remote::builder("http://127.0.0.1:8080").timeout(Duration::from_millis(200)).build()?;
/// let answer = remote.get_str("SW1A 1AA").await?;
/// println!("{answer:?}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Remote {
    inner: Arc<Client>,
}

impl Remote {
    /// Creates a client with the defaults and the options in the URL: see [`connect`](crate::connect) for
    /// both. Nothing is sent yet: the service need not be up.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// let remote = Remote::new("http://127.0.0.1:8080?timeout=200ms")?;
    /// assert_eq!(remote.to_string(), "http://127.0.0.1:8080");
    /// # Ok::<(), postcode_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an invalid URL or option.
    pub fn new(url: &str) -> Result<Self> {
        Self::builder(url).build()
    }

    /// Creates a builder from a URL with or without options.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// let remote = Remote::builder("http://user:secret@127.0.0.1:8080/prefix?timeout=200ms").retries(0).build()?;
    /// assert_eq!(remote.to_string(), "http://127.0.0.1:8080/prefix");
    /// assert!(!format!("{remote:?}").contains("secret"));
    /// # Ok::<(), postcode_core::Error>(())
    /// ```
    pub fn builder(url: &str) -> RemoteBuilder {
        RemoteBuilder::new(url)
    }

    fn call(&self) -> Call<'_> {
        Call::new(&self.inner)
    }
}

/// Writes the base address, without user and password.
impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner.config.address, f)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.inner.config).finish()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl PostcodeLookup for Remote {
    async fn lookup(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        check::batch(postcodes.len())?;
        self.call().lookup(postcodes).await
    }

    async fn outcode(&self, outcode: Outcode) -> Result<Option<OutcodeSummary>> {
        self.call().outcode(outcode).await
    }

    async fn autocomplete(&self, prefix: &str, limit: usize) -> Result<Vec<Postcode>> {
        check::limit(limit)?;
        check::text(prefix)?;
        self.call().autocomplete(prefix, limit).await
    }

    async fn search(&self, query: &str, limit: usize) -> Result<Vec<Record>> {
        check::limit(limit)?;
        check::text(query)?;
        self.call().search(query, limit).await
    }

    async fn nearest(&self, query: &Nearest) -> Result<Option<Vec<Neighbour>>> {
        check::nearest(query)?;
        self.call().nearest(query).await
    }

    async fn within(&self, query: &Within) -> Result<Option<Page>> {
        query.check()?;
        self.call().within(query).await
    }

    async fn outcodes(&self, prefix: &str, limit: usize) -> Result<Vec<Outcode>> {
        check::limit(limit)?;
        check::text(prefix)?;
        self.call().outcodes(prefix, limit).await
    }

    async fn random(&self, outcode: Option<Outcode>) -> Result<Option<Record>> {
        self.call().random(outcode).await
    }

    async fn nearest_outcodes(&self, query: &NearestOutcodes) -> Result<Option<Vec<OutcodeSummary>>> {
        check::nearest_outcodes(query)?;
        self.call().nearest_outcodes(query).await
    }

    async fn place(&self, code: &str) -> Result<Option<Place>> {
        check::text(code)?;
        self.call().place(code).await
    }

    async fn places(&self, query: &str, limit: usize) -> Result<Vec<Place>> {
        check::limit(limit)?;
        check::text(query)?;
        self.call().places(query, limit).await
    }

    async fn find_places(&self, query: &PlaceQuery) -> Result<Vec<PlaceMatch>> {
        query.check()?;
        self.call().find_places(query).await
    }

    async fn place_postcodes(
        &self,
        code: &str,
        after: Option<Postcode>,
        limit: usize,
    ) -> Result<Option<PlacePostcodes>> {
        check::limit(limit)?;
        check::text(code)?;
        self.call().place_postcodes(code, after, limit).await
    }

    async fn random_place(&self) -> Result<Option<Place>> {
        self.call().random_place().await
    }

    async fn scottish_postcode(&self, postcode: Postcode) -> Result<Option<ScottishPostcode>> {
        self.call().scottish_postcode(postcode).await
    }

    async fn info(&self) -> Result<DatasetInfo> {
        self.call().info().await
    }
}
