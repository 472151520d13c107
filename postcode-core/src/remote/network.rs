//! The transport over TCP, TLS or a Unix socket.

use std::error::Error as StdError;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::redirect;
use tokio::time::Instant;

use super::config::Config;
use super::{Transport, credentials};
use crate::{Error, ErrorKind, Result};

/// Shorter than the keep-alive of most servers (5 s for Node.js, 60 to 75 s for others). The usual
/// 90 seconds are longer, and turn idle connections into errors.
const POOL_IDLE: Duration = Duration::from_secs(15);

/// HTTP/1.1 with a pool of kept-alive connections. Follows no redirects, and uses no proxy unless
/// asked.
#[derive(Debug)]
pub(super) struct Network {
    config: Config,
    current: Mutex<Current>,
}

/// The client, and what is known of the files that it was built from.
#[derive(Debug)]
struct Current {
    client: reqwest::Client,
    files: Vec<credentials::Stamp>,
    looked: Instant,
}

impl Network {
    pub(super) fn new(config: &Config) -> Result<Self> {
        Ok(Self { config: config.clone(), current: Mutex::new(Current::build(config)?) })
    }

    /// Returns the client. If a certificate file has changed, it is a new client with new
    /// connections.
    fn client(&self) -> reqwest::Client {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if !current.files.is_empty() && current.looked.elapsed() >= credentials::LOOK_AGAIN {
            current.looked = Instant::now();
            if stamps(&self.config) != current.files
                // While only one of the two files is replaced, they don't match: the old client stays.
                && let Ok(new) = Current::build(&self.config)
            {
                *current = new;
            }
        }
        current.client.clone()
    }
}

fn stamps(config: &Config) -> Vec<credentials::Stamp> {
    let files = [&config.client_cert, &config.client_key, &config.ca_file];
    files.into_iter().flatten().map(|path| credentials::stamp(path)).collect()
}

impl Current {
    fn build(config: &Config) -> Result<Self> {
        // The times are read first, so that a change after it is noticed the next time.
        let files = stamps(config);
        Ok(Self { client: client(config)?, files, looked: Instant::now() })
    }
}

fn client(config: &Config) -> Result<reqwest::Client> {
    tls_provider();
    let mut builder = reqwest::Client::builder()
        .http1_only()
        .user_agent(concat!("postcode-core/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(config.connect_timeout())
        .pool_idle_timeout(POOL_IDLE)
        .tcp_nodelay(true);
    if !config.environment_proxy {
        builder = builder.no_proxy();
    }
    if config.address.is_tls() {
        let mut certificates = Vec::new();
        for pem in &config.root_certificates {
            certificates.extend(authorities("a root certificate", pem)?);
        }
        if let Some(path) = &config.ca_file {
            certificates.extend(authorities(
                &format!("ca_file={}", path.display()),
                &credentials::authorities(path)?,
            )?);
        }
        builder = builder.tls_certs_merge(certificates);
        if let (Some(certificate), Some(key)) = (&config.client_cert, &config.client_key) {
            builder = builder.identity(credentials::identity(certificate, key)?);
        }
    } else {
        // Otherwise the system's certificates are read, which takes time, and fails on a
        // system without any.
        builder = builder.tls_certs_only([]);
    }
    if let Some(socket) = &config.address.socket {
        builder = unix_socket(builder, socket)?;
    }
    builder.build().map_err(|e| {
        let causes = causes(&e).map(ToString::to_string).collect::<Vec<_>>().join(": ");
        Error::new(
            ErrorKind::Internal,
            format!("the HTTP client for {} can't be set up: {causes}", config.address),
        )
        .with_source(e)
    })
}

/// Reads at least one certificate. `name` says where the text comes from.
fn authorities(name: &str, pem: &[u8]) -> Result<Vec<reqwest::Certificate>> {
    let found = reqwest::Certificate::from_pem_bundle(pem)
        .map_err(|e| Error::invalid(format!("{name} can't be read: give PEM text")).with_source(e))?;
    if found.is_empty() {
        let begin = "-----BEGIN CERTIFICATE-----";
        return Err(Error::invalid(format!(
            "{name}: there is no certificate in it: give PEM text with {begin}"
        )));
    }
    Ok(found)
}

/// Makes ring the process's TLS provider, unless the application has installed one.
///
/// reqwest is built without a provider and panics if it finds none.
///
/// ```
/// use postcode_core::remote::tls_provider;
/// use rustls::crypto::CryptoProvider;
///
/// tls_provider();
/// assert!(CryptoProvider::get_default().is_some()); // reqwest finds one now
/// ```
pub fn tls_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was first, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

#[cfg(unix)]
fn unix_socket(builder: reqwest::ClientBuilder, path: &std::path::Path) -> Result<reqwest::ClientBuilder> {
    Ok(builder.unix_socket(path))
}

#[cfg(not(unix))]
fn unix_socket(_: reqwest::ClientBuilder, path: &std::path::Path) -> Result<reqwest::ClientBuilder> {
    let message = format!("unix:{}: there are no Unix sockets on this system: use http:", path.display());
    Err(Error::new(ErrorKind::NotSupported, message))
}

#[async_trait]
impl Transport for Network {
    async fn send(&self, request: http::Request<Bytes>, limit: usize) -> Result<http::Response<Bytes>> {
        let request = reqwest::Request::try_from(request).map_err(|e| self.explain(e))?;
        let mut response = self.client().execute(request).await.map_err(|e| self.explain(e))?;
        let announced = response.content_length().unwrap_or(0);
        if announced > limit as u64 {
            return Err(too_long(limit));
        }
        // Don't allocate the whole `Content-Length` up front: a server may lie.
        let mut body = Vec::with_capacity(announced.min(1 << 20) as usize);
        while let Some(chunk) = response.chunk().await.map_err(|e| self.explain(e))? {
            if body.len() + chunk.len() > limit {
                return Err(too_long(limit));
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = http::Response::new(Bytes::from(body));
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

fn too_long(limit: usize) -> Error {
    Error::new(
        ErrorKind::Protocol,
        format!("the response is longer than {limit} bytes, more than any valid response to this request"),
    )
}

impl Network {
    /// Explains an error and says what to do.
    fn explain(&self, error: reqwest::Error) -> Error {
        let error = error.without_url();
        let (kind, message) = self.classify(&error);
        Error::new(kind, message).with_source(error)
    }

    fn classify(&self, error: &reqwest::Error) -> (ErrorKind, String) {
        use ErrorKind::{InvalidInput, Protocol, Timeout, Unavailable};
        if error.is_builder() {
            return (InvalidInput, format!("the request can't be made: {error}"));
        }
        if error.is_timeout() {
            let why =
                format!("no connection within {:?} (option connect_timeout)", self.config.connect_timeout());
            return (Timeout, why);
        }
        if error.is_dns() {
            return (Unavailable, "the host's name can't be resolved: check it".to_owned());
        }
        let last = causes(error).last().map(ToString::to_string).unwrap_or_default();
        for cause in causes(error) {
            if let Some(cause) = cause.downcast_ref::<hyper::Error>()
                && cause.is_parse()
            {
                return (Protocol, format!("the response is not HTTP: {last}"));
            }
            let Some(cause) = cause.downcast_ref::<io::Error>() else { continue };
            match cause.kind() {
                io::ErrorKind::ConnectionRefused => {
                    return (Unavailable, "connection refused: is the service running there?".to_owned());
                }
                io::ErrorKind::NotFound => {
                    return (
                        Unavailable,
                        "there is no such socket: is the service running there?".to_owned(),
                    );
                }
                io::ErrorKind::PermissionDenied => {
                    return (Unavailable, "not allowed to connect: check the permissions".to_owned());
                }
                // A TLS handshake reports a response that it can't parse or a certificate that it
                // does not trust.
                io::ErrorKind::InvalidData if error.is_connect() => {
                    let advice = match last.contains("certificate") {
                        true => {
                            ". Name the certificate of the authority to trust with ca_file=FILE in the URL"
                        }
                        false => "",
                    };
                    return (Protocol, format!("no secure connection: {last}{advice}"));
                }
                _ => {}
            }
        }
        let what = if error.is_connect() { "no connection" } else { "the connection broke" };
        (Unavailable, format!("{what}: {last}"))
    }
}

/// Returns an error, its cause, the cause of that and so on, including errors wrapped in I/O
/// errors, which `source` skips.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
        Some(error)
    })
}
