//! The lookup over HTTP: [`Remote`] calls a postcode-service or any postcodes.io server.
//!
//! | I want to … | use |
//! |---|---|
//! | call one server | [`Remote::new`] with its URL |
//! | set time limits, retries, credentials or a proxy in code | [`Remote::builder`] |
//! | speak HTTP by a client of my own | [`RemoteBuilder::transport`] with a [`Transport`] |
//! | have the mode as a setting, with more layers | [`connect`](crate::connect), [`Connector`](crate::Connector) |
//!
//! ```
//! use postcode_core::remote::{Remote, RemoteBuilder};
//!
//! // Nothing is sent before the first call.
//! let remote: RemoteBuilder = Remote::builder("http://127.0.0.1:8080").retries(1);
//! assert_eq!(remote.build()?.to_string(), "http://127.0.0.1:8080");
//! # Ok::<(), postcode_core::Error>(())
//! ```
//!
//! All calls fail with the one [`Error`](crate::Error). `Unavailable`, `Timeout` and `Overloaded` are temporary. `Protocol` is
//! an answer that this crate can't read.

mod address;
mod builder;
mod call;
mod client;
mod coding;
pub(crate) mod config;
mod credentials;
mod fleet;
mod lookup;
mod network;
mod places;
mod proof;
mod queries;
#[cfg(feature = "replica")]
mod raw;
mod regions;
mod reply;
mod retry_after;
mod transport;

use std::fmt;
use std::sync::Arc;

use crate::layers::span;
use crate::{PlaceLookup, PostcodeLookup, Result, ScottishLookup};
use async_trait::async_trait;
pub use builder::RemoteBuilder;
use call::Call;
use client::Client;
pub use fleet::RemoteFleet;
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
/// - [`info`](PostcodeLookup::info), [`find_places`](PlaceLookup::find_places),
///   [`place_postcodes`](PlaceLookup::place_postcodes), [`within`](PostcodeLookup::within) and
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

    /// Asks a route that this crate has no operation for, with the deadline and the retries of other calls: by GET, or by
    /// POST with a body. Returns `None` for 404 with one of these codes. For `postcode-addresses`, not for applications.
    ///
    /// # Errors
    /// The same as other calls.
    #[doc(hidden)]
    pub async fn exchange<T: serde::de::DeserializeOwned>(
        &self,
        target: String,
        body: Option<&(impl serde::Serialize + Sync)>,
        records: usize,
        missing: &[&str],
    ) -> Result<Option<T>> {
        let ask = match body {
            Some(body) => call::Ask::post(target, body, records)?,
            None => call::Ask::get(target, records),
        };
        let reply = self.call().ask(&ask).await?;
        if reply.says(missing, &[]) { Ok(None) } else { reply.result().map(Some) }
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

/// Each method is the [`Call`]'s of that name.
macro_rules! dispatch {
    ([] $trait:ident $(
        $method:ident $call:ident $hook:ident $same:ident
        ($(&$by_ref:ident: $of:ty),*; $($value:ident: $type:ty),*) -> $reply:ty;
    )*) => {
        #[deny(clippy::missing_trait_methods)]
        #[async_trait]
        impl $trait for Remote {
            $(async fn $method(&self, $($by_ref: &$of,)* $($value: $type),*) -> Result<$reply> {
                let call = self.call();
                span::called(stringify!($method), "remote", call.$method($($by_ref,)* $($value),*)).await
            })*
        }
    };
}

crate::postcode_operations!([dispatch] []);
crate::place_operations!([dispatch] []);
crate::scottish_operations!([dispatch] []);
