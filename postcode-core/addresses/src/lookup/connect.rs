//! Opens a lookup of addresses from a URL.

use std::sync::Arc;

#[cfg(feature = "http")]
use postcode_core::ServiceClients;
#[cfg(feature = "http")]
use postcode_core::layers::{
    Batcher, Breaker, Budget, Bulkhead, Cache, Deadline, Hedge, Resilience, Retry, SingleFlight,
};
use postcode_core::{Error, PostcodeLookup, Result, redact};

use super::AddressLookup;
#[cfg(feature = "http")]
use super::OfAddresses;

/// Opens the lookup of addresses that a URL names.
///
/// | URL | | cargo feature |
/// |---|---|---|
/// | `file:/data/uk.addresses` | a file of addresses, mapped; `postcodes` says which postcodes exist and where they are | `file` |
/// | `http://host:8080`, `https://host`, `unix:/run/postcode.sock` | a postcode-service with addresses | `http` |
///
/// The options are those of [`postcode_core::connect`] for a file, and for a service all but `fallback`. `join`,
/// `single_flight` and `cache` save calls for the addresses of postcodes: see [`OfAddresses`](super::OfAddresses). A batch
/// has at most 100 postcodes. Answers that a cache keeps are licensed data: your licence must allow it.
///
/// ```
/// use postcode_addresses::connect_addresses;
///
/// # fn example() -> postcode_core::Result<()> {
/// let addresses = connect_addresses("http://127.0.0.1:8080?retries=1", None)?; // nothing is sent yet
/// println!("{addresses:?}");
/// # Ok(()) }
/// let error = connect_addresses("ftp://127.0.0.1", None).unwrap_err();
/// assert_eq!(error.kind(), postcode_core::ErrorKind::InvalidInput);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`InvalidInput`](postcode_core::ErrorKind::InvalidInput) for an invalid URL or option;
/// [`NotSupported`](postcode_core::ErrorKind::NotSupported) if the cargo feature is off;
/// [`Dataset`](postcode_core::ErrorKind::Dataset) for a file that can't be used.
pub fn connect_addresses(
    url: &str,
    postcodes: Option<Arc<dyn PostcodeLookup>>,
) -> Result<Arc<dyn AddressLookup>> {
    let scheme = url.trim().split(':').next().unwrap_or_default().to_ascii_lowercase();
    match scheme.as_str() {
        "file" => file(url, postcodes),
        "http" | "https" | "unix" => service(url),
        _ => Err(Error::invalid(format!(
            "{}: not a source of addresses: write file:/path/uk.addresses, http://host:port, https://host or \
             unix:/run/postcode.sock",
            redact(url)
        ))),
    }
}

#[cfg(feature = "file")]
fn file(url: &str, postcodes: Option<Arc<dyn PostcodeLookup>>) -> Result<Arc<dyn AddressLookup>> {
    let local = super::LocalAddresses::from_url(url, Default::default())?;
    Ok(Arc::new(match postcodes {
        Some(postcodes) => local.with_postcodes(postcodes),
        None => local,
    }))
}

#[cfg(not(feature = "file"))]
fn file(_: &str, _: Option<Arc<dyn PostcodeLookup>>) -> Result<Arc<dyn AddressLookup>> {
    Err(off("file"))
}

#[cfg(feature = "http")]
fn service(url: &str) -> Result<Arc<dyn AddressLookup>> {
    use postcode_core::layers::Failover;

    let ServiceClients { clients, order, mut layers, .. } = ServiceClients::from_url(url)?;
    let mut clients: Vec<_> = clients.into_iter().map(super::RemoteAddresses::from).collect();
    let stack: Arc<dyn AddressLookup> = match (clients.pop(), clients.is_empty()) {
        // The client retries by itself.
        (Some(only), true) if layers.hedge.is_none() => Arc::new(only),
        (Some(only), true) => {
            let mut once = layers.clone();
            once.retries = 0;
            repeated(only, &once)
        }
        (last, _) => {
            let breaker = layers.breaker.take().ok_or_else(|| {
                Error::invalid(
                    "breaker=off with several endpoints: a breaker is needed to know which are down",
                )
            })?;
            repeated(Failover::new(clients.into_iter().chain(last), order, breaker)?, &layers)
        }
    };
    Ok(guarded(stack, &layers))
}

/// Adds hedge, retry and deadline: see `postcode_core::layers::resilient`.
#[cfg(feature = "http")]
fn repeated(attempt: impl AddressLookup, layers: &Resilience) -> Arc<dyn AddressLookup> {
    let mut stack: Arc<dyn AddressLookup> = Arc::new(attempt);
    if let Some(after) = layers.hedge {
        stack = Arc::new(Hedge::new(stack, after));
    }
    if layers.retries > 0 {
        let budget = Budget::new(layers.retry_budget, 10);
        stack = Arc::new(Retry::new(stack).retries(layers.retries).backoff(layers.backoff).budget(budget));
    }
    Arc::new(Deadline::new(stack, layers.deadline))
}

/// Adds breaker, bulkhead and the layers that save calls.
#[cfg(feature = "http")]
fn guarded(mut stack: Arc<dyn AddressLookup>, layers: &Resilience) -> Arc<dyn AddressLookup> {
    if let Some(breaker) = layers.breaker {
        stack = Arc::new(Breaker::with(stack, breaker));
    }
    if let Some(limit) = layers.bulkhead {
        stack = Arc::new(Bulkhead::new(stack, limit));
    }
    if let Some(size) = layers.join {
        let batcher = Batcher::of(OfAddresses, stack).max_size(size);
        stack = Arc::new(Deadline::new(batcher, layers.deadline.saturating_mul(2)));
    }
    if layers.single_flight {
        stack = Arc::new(SingleFlight::of(OfAddresses, stack));
    }
    if let Some(bytes) = layers.cache {
        stack = Arc::new(Cache::of(OfAddresses, stack, bytes).ttl(layers.cache_ttl));
    }
    stack
}

#[cfg(not(feature = "http"))]
fn service(_: &str) -> Result<Arc<dyn AddressLookup>> {
    Err(off("http"))
}

#[cfg(not(all(feature = "file", feature = "http")))]
fn off(feature: &str) -> Error {
    let what =
        format!("this source is not in this build: build it with feature {feature:?} of postcode-addresses");
    Error::new(postcode_core::ErrorKind::NotSupported, what)
}
