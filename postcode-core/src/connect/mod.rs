//! Opens a lookup from a URL, so that the implementation is a setting and not code.

mod connector;
#[cfg(feature = "http")]
mod options;
#[cfg(feature = "http")]
mod service;

use std::sync::Arc;

use crate::{Lookups, Result};
pub use connector::Connector;
#[cfg(feature = "http")]
pub use service::ServiceClients;

/// Opens the lookup that a URL names.
///
/// | URL | | cargo feature |
/// |---|---|---|
/// | `embedded:` | the country data inside this binary | `embedded` |
/// | `file:/data/uk.postcodes`, `file:relative`, `file:///data/uk.postcodes` | a dataset file, mapped | `dataset` |
/// | `http://host:8080`, `https://host/prefix` | a postcode-service, or any postcodes.io server | `http` |
/// | `unix:/run/postcode.sock`, `unix:relative` | the same over a Unix socket | `http` |
/// | `replica:http://host:8080`, `replica:unix:/run/postcode.sock` | a copy of a service's data, in this process | `replica` |
///
/// Paths are percent-decoded (`%20` is a space, `%3F` a question mark). `file:` takes two options:
///
/// | option | default | |
/// |---|---|---|
/// | `verify` | `checksums` | what is checked first. `checksums`: every byte against its checksum; `full`: also that the parts fit together; `off`: only header and structure, so a damaged file may give wrong answers |
/// | `public_key` | none | a minisign public key, or the path of its file: the file must be signed with it, in `PATH.minisig` |
///
/// Checksums are the default because they find any accidental damage and cost milliseconds: the
/// file is read once.
///
/// The query of `http:`, `https:` and `unix:` takes options, such as
/// `http://host:8080?timeout=200ms&retries=2`:
///
/// | option | default | |
/// |---|---|---|
/// | `deadline` | `2s`, or twice the timeout if that is longer | limit of a call with its retries; 1 ms to 10 minutes |
/// | `timeout` | `1s` | limit of one attempt; 1 ms to 10 minutes |
/// | `connect_timeout` | `500ms` | limit of opening a connection; 1 ms to 10 minutes |
/// | `retries` | `2` | retries of an attempt that failed temporarily; 0 to 10 |
/// | `backoff` | `20ms` | the longest pause before the first retry, doubled with each; 1 ms to 10 minutes |
/// | `retry_budget` | `0.2` | retries per request over all calls; 0 to 1 |
/// | `batch` | `100` | postcodes in one request (postcodes.io accepts 100); 1 to 10000 |
/// | `concurrency` | `4` | requests of one batch at a time; 1 to 64 |
/// | `encoding` | `compact` | how answers with many records are asked for: `compact`, which any server may answer with JSON, or `json` |
/// | `proxy` | `none` | `env`: the proxy set in `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` |
/// | `token_file` | none | a file whose token is sent as `Authorization: Bearer …`; read again when it changes or is refused |
/// | `client_cert`, `client_key` | none | a client certificate and its key, both files in PEM, read again when they change; `https:` only |
/// | `ca_file` | none | a PEM file of authorities to trust as well as the system's, read again when it changes; `https:` only |
/// | `breaker` | `5/1s` | stop calling for a second after five failures in a row, or when half of the calls fail; `off` |
/// | `bulkhead` | `256` | calls that run at once, one more fails at once; 1 to 100000, or `off` |
/// | `hedge` | `off` | start a second attempt when the first takes longer than `30ms`, or than 95 % of calls do: `p95` |
/// | `join` | `off` | the most single lookups that are joined into one batch under load; 2 to 10000 |
/// | `single_flight` | `off` | `on`: equal lookups that run at once share one call |
/// | `cache` | `off` | bytes of answers to keep; 1024 to 64 GiB |
/// | `cache_ttl` | `5m` | how old a kept answer may be; 1 ms to 10 minutes |
/// | `failover` | none | another endpoint of the same service, a URL without options; may be given several times |
/// | `order` | `given` | the endpoint to try first; `round_robin`: each in turn |
/// | `fallback` | none | a URL of this table that answers if the service fails, such as `embedded:`. Percent-encode `&` |
///
/// A call passes these in order: fallback, cache, single flight, join, bulkhead, breaker, deadline,
/// retry, hedge, timeout, connection; see [`layers`](crate::layers). With one endpoint the client
/// ([`Remote`](crate::Remote)) retries, because it knows which requests of a batch failed; a hedge is
/// then around it. With several endpoints the retries go over all of them, and each endpoint has a
/// separate breaker. After the last retry the error is marked
/// [persistent](crate::Error::is_persistent). [`Connector`] makes the same settings in code, and shows
/// those in effect.
///
/// The query of `replica:` takes `dir`, the folder of the copy (`postcode` in the user's cache folder),
/// `interval`, how often the service is asked for its edition (`60s`; 100 ms to a day), and
/// `public_key` as above, with which the service's file must be signed. It also takes the client's
/// options above, of which it uses `connect_timeout` and `proxy`.
///
/// Durations are written `200ms`, `1.5s` or `2m`. A user and password in the URL are sent as Basic
/// authorization and never shown.
///
/// When is the lookup ready?
///
/// - `embedded:` answers lookups of a few postcodes some milliseconds after this returns. Everything
///   else waits until the data is unpacked on a separate thread, some tenths of a second later.
/// - `file:` is ready when this returns. Opening blocks while the dataset is mapped and checked.
/// - `http:`, `https:` and `unix:` send nothing yet: the service need not be up, so an application can
///   start before it. Their calls need a tokio runtime.
/// - `replica:` is ready when this returns: with a stored copy at once, else after the download.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an invalid URL or an unknown option, with
/// its name and the allowed ones; [`NotSupported`](crate::ErrorKind::NotSupported) for a scheme
/// whose cargo feature is off, with the feature's name; [`Dataset`](crate::ErrorKind::Dataset) for
/// a file that can't be used.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use postcode_core::{ErrorKind, connect};
///
/// let error = connect("localhost:8080").await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidInput);
/// assert!(error.to_string().contains("write http://localhost:8080"));
/// # }
/// ```
pub async fn connect(url: &str) -> Result<Arc<dyn Lookups>> {
    Connector::new(url)?.connect().await
}

#[cfg(feature = "embedded")]
fn embedded() -> Result<Arc<dyn Lookups>> {
    Ok(Arc::new(crate::local::Embedded::open()?))
}

#[cfg(not(feature = "embedded"))]
fn embedded() -> Result<Arc<dyn Lookups>> {
    Err(feature_off("embedded", "embedded"))
}

#[cfg(not(all(feature = "embedded", feature = "http", feature = "replica")))]
fn feature_off(scheme: &str, feature: &str) -> crate::Error {
    crate::Error::new(
        crate::ErrorKind::NotSupported,
        format!(
            "{scheme}: is not in this build: build it with feature {feature:?} of postcode-core \
             (postcode-core = {{ …, features = [{feature:?}] }})"
        ),
    )
}

#[cfg(test)]
mod tests;

#[cfg(test)]
#[cfg(feature = "http")]
mod service_tests;
