//! Opens a lookup of addresses from a URL.

use std::sync::Arc;

use postcode_core::{Error, PostcodeLookup, Result, redact};

use super::AddressLookup;

/// Opens the lookup of addresses that a URL names.
///
/// | URL | | cargo feature |
/// |---|---|---|
/// | `file:/data/uk.addresses` | a file of addresses, mapped; `postcodes` says which postcodes exist and where they are | `file` |
/// | `http://host:8080`, `https://host`, `unix:/run/postcode.sock` | a postcode-service with addresses | `http` |
///
/// The options are those of [`postcode_core::connect`] for a file and for the client of a service.
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
    Ok(Arc::new(super::RemoteAddresses::new(url)?))
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
