//! The lookup over HTTP: [`Remote`], against a postcode-service or any postcodes.io server.

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

use crate::{PlaceLookup, PostcodeLookup, Result, ScottishLookup};
use async_trait::async_trait;
pub use builder::RemoteBuilder;
use call::Call;
use client::Client;
#[doc(hidden)]
pub use network::tls_provider;
pub use transport::Transport;

/// A [`PostcodeLookup`] over HTTP.
///
/// It speaks to a postcode-service, and to any server of postcodes.io, and tells from the answers which one it
/// has. Of a postcodes.io server it makes the most: what is null in bulk is asked for once more, one by one, to
/// tell terminated from unknown; `autocomplete` is put in this crate's order from the at most 100 that the server
/// gives. What such a server can't say is left out: of a terminated postcode there is the date and the location
/// only, nothing is "not covered", [`info`](PostcodeLookup::info), [`find_places`](PlaceLookup::find_places),
/// [`place_postcodes`](PlaceLookup::place_postcodes), [`within`](PostcodeLookup::within) and
/// [`outcodes`](PostcodeLookup::outcodes) are [`NotSupported`](crate::ErrorKind::NotSupported), places that rank alike come
/// in the server's order, and a batch of several requests is taken to be of one
/// edition, which a postcode-service proves by the header `postcode-edition`.
///
/// # Time
///
/// A call ends within its deadline, or that of the [caller](crate::layers::deadline) if it is earlier, with
/// [`Timeout`](crate::ErrorKind::Timeout) at the latest. Within it each attempt has a timeout, and what failed for
/// the moment is repeated, after a random pause or when the server said (`Retry-After`), as long as a
/// [budget](crate::layers::Budget) of all calls pays for it. The server is told how long it is waited for (`postcode-deadline-ms`) and under which id
/// to log the request (`x-request-id`).
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
    /// With the defaults and the options in the URL: see [`connect`](crate::connect) for both. Nothing is sent
    /// yet: the service need not be up.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a URL or an option that makes no sense.
    pub fn new(url: &str) -> Result<Self> {
        Self::builder(url).build()
    }

    /// To be set up further, from a URL with or without options.
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

/// The base address, without user and password.
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
                self.call().$method($($by_ref,)* $($value),*).await
            })*
        }
    };
}

crate::postcode_operations!([dispatch] []);
crate::place_operations!([dispatch] []);
crate::scottish_operations!([dispatch] []);
