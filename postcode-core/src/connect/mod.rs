//! A URL in, a lookup out: which implementation an application uses is a setting, not code.

mod connector;
#[cfg(feature = "http")]
mod options;
#[cfg(feature = "http")]
mod service;

use std::sync::Arc;

use crate::{PostcodeLookup, Result};
pub use connector::Connector;

/// Opens the lookup that a URL names.
///
/// | URL | | cargo feature |
/// |---|---|---|
/// | `embedded:` | the country inside this binary | `embedded` |
/// | `file:/data/uk.postcodes`, `file:relative`, `file:///data/uk.postcodes` | a dataset file, mapped | `dataset` |
/// | `http://host:8080`, `https://host/prefix` | a postcode-service, or any postcodes.io server | `http` |
/// | `unix:/run/postcode.sock`, `unix:relative` | the same over a Unix socket | `http` |
/// | `replica:http://host:8080`, `replica:unix:/run/postcode.sock` | a copy of a service's data, in this process | `replica` |
///
/// Paths are percent-decoded (`%20` is a space, `%3F` a question mark). `file:` takes two options:
///
/// | option | default | |
/// |---|---|---|
/// | `verify` | `checksums` | what is checked before it answers: every byte against its checksum; `full`: also that the parts fit together; `off`: only header and structure, so that a damaged file may give wrong answers |
/// | `public_key` | none | a minisign public key, or the path of its file: the file must be signed for it, in `PATH.minisig` |
///
/// Checking checksums is the default because it finds any accidental damage, and costs milliseconds: it reads the file once.
///
/// The query of `http:`, `https:` and `unix:` takes
/// options, such as `http://host:8080?timeout=200ms&retries=2`:
///
/// | option | default | |
/// |---|---|---|
/// | `deadline` | `2s`, or twice the timeout if that is longer | for a call, with its retries; 1 ms to 10 minutes |
/// | `timeout` | `1s` | for one attempt; 1 ms to 10 minutes |
/// | `connect_timeout` | `500ms` | for a connection; 1 ms to 10 minutes |
/// | `retries` | `2` | of an attempt that failed for the moment; 0 to 10 |
/// | `backoff` | `20ms` | the longest pause before the first retry, doubled with each; 1 ms to 10 minutes |
/// | `retry_budget` | `0.2` | retries per request, over all calls; 0 to 1 |
/// | `batch` | `100` | postcodes in one request, which is what postcodes.io takes; 1 to 10000 |
/// | `concurrency` | `4` | requests of one batch at a time; 1 to 64 |
/// | `proxy` | `none` | `env`: the proxy that `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say |
/// | `token_file` | none | a file whose token is sent as `Authorization: Bearer …`; read again when it changes or is refused |
/// | `client_cert`, `client_key` | none | a client certificate and its key, both files in PEM, read again when they change; `https:` only |
/// | `ca_file` | none | a PEM file of authorities to trust besides the system's, read again when it changes; `https:` only |
/// | `breaker` | `5/1s` | stay away for a second after five failures in a row, or when half of the calls fail; `off` |
/// | `bulkhead` | `256` | calls under way at once, one more fails at once; 1 to 100000, or `off` |
/// | `hedge` | `off` | a second attempt when the first takes longer than `30ms`, or than 95 % do: `p95` |
/// | `join` | `off` | single lookups that are joined into one batch under load, at most; 2 to 10000 |
/// | `single_flight` | `off` | `on`: equal lookups at once share one call |
/// | `cache` | `off` | bytes of answers to keep; 1024 to 64 GiB |
/// | `cache_ttl` | `5m` | how old a kept answer may be; 1 ms to 10 minutes |
/// | `failover` | none | another endpoint of the same service, a URL without options; may be given several times |
/// | `order` | `given` | the endpoint to begin with; `round_robin`: each in turn |
/// | `fallback` | none | a URL of this table, for what the service can't answer: `embedded:`. Percent-encode `&` |
///
/// A call meets them in this order: fallback, cache, single flight, join, bulkhead, breaker, deadline, retry, hedge,
/// timeout, connection; see [`layers`](crate::layers). There is one mechanism of retries: with one endpoint it is
/// the client's ([`Remote`](crate::Remote)), which knows which requests of a batch failed, and a hedge is then around
/// it; with several the retries are over all of them, and each has a breaker of its own. What it gave up on is
/// marked [persistent](crate::Error::is_persistent). [`Connector`] sets the same from code, and shows what is in
/// effect.
///
/// That of `replica:` takes `dir`, where the copy is kept (`postcode` in the user's cache folder), `interval`, how
/// often the service is asked for its edition (`60s`; 100 ms to a day), `public_key` as above, for which the service's file
/// must be signed, and of the options above those of the client,
/// of which it uses `connect_timeout` and `proxy`.
///
/// Durations are written `200ms`, `1.5s` or `2m`. A user and password in the URL are sent as Basic
/// authorization and shown nowhere.
///
/// `embedded:` answers lookups of a few postcodes some milliseconds after this returns, and everything else when it is
/// unpacked, some tenths of a second later, on a thread of its own; calls wait for that. `file:` is ready when
/// this returns, or the error is here; opening it blocks for as long as it takes to map and check the dataset. For `http:`, `https:` and `unix:` nothing is sent yet: the service need not be
/// up, so that an application can start before it. They need a tokio runtime when they are called. `replica:` is ready
/// when this returns: with a copy from before without the service, else when it has downloaded one.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a URL that makes no sense or an unknown option, naming it
/// and what is allowed; [`NotSupported`](crate::ErrorKind::NotSupported) for a scheme whose cargo feature is
/// off, naming the feature; [`Dataset`](crate::ErrorKind::Dataset) for a file that can't be used.
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
pub async fn connect(url: &str) -> Result<Arc<dyn PostcodeLookup>> {
    Connector::new(url)?.connect().await
}

#[cfg(feature = "embedded")]
fn embedded() -> Result<Arc<dyn PostcodeLookup>> {
    Ok(Arc::new(crate::local::Embedded::open()?))
}

#[cfg(not(feature = "embedded"))]
fn embedded() -> Result<Arc<dyn PostcodeLookup>> {
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
