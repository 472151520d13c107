//! Settings of a [`Remote`].

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::address::{Address, secret};
use super::client::Client;
use super::config::Config;
use super::credentials::TokenFile;
use super::network::Network;
use super::{Remote, Transport};
use crate::layers::{Budget, Resilience};
use crate::source::{Source, SourceUrl};
use crate::{Error, Result};

/// Retries that a client may make at its start.
const SAVED_RETRIES: u16 = 10;

/// Builds a [`Remote`]; created by [`Remote::builder`]. Methods overrule the options in the URL.
///
/// Values out of range are reported by [`build`](Self::build).
///
/// ```
/// use std::time::Duration;
/// use postcode_core::{ErrorKind, Remote};
///
/// let remote = Remote::builder("http://127.0.0.1:8080")
///     .timeout(Duration::from_millis(200))
///     .retries(1)
///     .build()?;
/// let error = Remote::builder("http://127.0.0.1:8080").retries(11).build().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidInput);
/// # Ok::<(), postcode_core::Error>(())
/// ```
#[must_use]
pub struct RemoteBuilder {
    config: Result<Config>,
    transport: Option<Arc<dyn Transport>>,
}

impl RemoteBuilder {
    pub(crate) fn new(url: &str) -> Self {
        match SourceUrl::parse(url) {
            Ok(url) => Self { config: config(url), transport: None },
            Err(error) => Self { config: Err(error), transport: None },
        }
    }

    /// Creates the builder, or returns at once what is wrong with the URL.
    pub(crate) fn from_url(url: SourceUrl) -> Result<Self> {
        Ok(Self { config: Ok(config(url)?), transport: None })
    }

    /// Sets an option from its text in a URL, or returns at once what is wrong with it.
    pub(crate) fn option(&mut self, name: &str, value: &str) -> Result<()> {
        match &mut self.config {
            Ok(config) => config.set(name, value),
            Err(error) => Err(error.clone()),
        }
    }

    /// Returns the same settings for another address, with its own authorization.
    pub(crate) fn elsewhere(&self, other: &Self) -> Self {
        let mut config = self.config.clone();
        match (&mut config, &other.config) {
            (Ok(config), Ok(other)) => config.address = other.address.clone(),
            (Ok(_), Err(error)) => config = Err(error.clone()),
            (Err(_), _) => {}
        }
        Self { config, transport: self.transport.clone() }
    }

    /// Copies the settings of retries and timeouts to the layers that replace or display them.
    pub(crate) fn tell(&self, resilience: &mut Resilience) {
        if let Ok(config) = &self.config {
            resilience.timeout = config.timeout();
            resilience.retries = u32::try_from(config.retries).unwrap_or(u32::MAX);
            resilience.backoff = config.backoff;
            resilience.retry_budget = config.retry_budget;
            resilience.deadline = config.deadline();
        }
    }

    /// Returns the address.
    pub(crate) fn address(&self) -> impl fmt::Display {
        fmt::from_fn(move |f| match &self.config {
            Ok(config) => fmt::Display::fmt(&config.address, f),
            Err(error) => write!(f, "({error})"),
        })
    }

    /// Returns the other settings, as options of a URL.
    pub(crate) fn options(&self) -> impl fmt::Display {
        fmt::from_fn(move |f| {
            let Ok(config) = &self.config else { return Ok(()) };
            let (connect_timeout, proxy) =
                (config.connect_timeout(), if config.environment_proxy { "env" } else { "none" });
            let (batch, concurrency, encoding) = (config.batch, config.concurrency, config.encoding.name());
            write!(
                f,
                "connect_timeout={connect_timeout:?} batch={batch} concurrency={concurrency} encoding={encoding} \
                 proxy={proxy}"
            )?;
            config.files().try_for_each(|(name, path)| write!(f, " {name}={}", path.display()))
        })
    }

    fn set(mut self, set: impl FnOnce(&mut Config) -> Result<()>) -> Self {
        if let Ok(config) = &mut self.config
            && let Err(error) = set(config)
        {
            self.config = Err(error);
        }
        self
    }

    /// Sets how long a call may take with its retries: 1 ms to 10 minutes. Unless set, two seconds,
    /// or twice the [`timeout`](Self::timeout) if that is longer.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// use std::time::Duration;
    ///
    /// let remote = Remote::builder("http://127.0.0.1:8080").deadline(Duration::from_secs(1)).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn deadline(self, deadline: Duration) -> Self {
        self.set(|config| config.set_deadline(deadline))
    }

    /// Sets how long one attempt may take: 1 ms to 10 minutes, one second unless set.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// use std::time::Duration;
    ///
    /// let remote = Remote::builder("http://127.0.0.1:8080").timeout(Duration::from_millis(200)).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(|config| config.set_timeout(timeout))
    }

    /// Sets how long opening a connection may take, within the attempt's timeout: 1 ms to 10
    /// minutes, half a second unless set.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// use std::time::Duration;
    ///
    /// let remote = Remote::builder("http://127.0.0.1:8080").connect_timeout(Duration::from_millis(100)).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.set(|config| config.set_connect_timeout(timeout))
    }

    /// Fits the settings to a caller that waits no longer than this: see
    /// [`Connector::within`](crate::Connector::within).
    pub(crate) fn within(self, limit: Duration) -> Self {
        self.set(|config| {
            config.hurry(limit);
            Ok(())
        })
    }

    /// Sets how often an attempt that failed temporarily is repeated within the deadline: 0 to 10,
    /// two unless set.
    ///
    /// An error after the last retry is [persistent](Error::is_persistent), so that an outer layer
    /// does not retry it again. With 0 retries the error stays transient, and the outer layer
    /// decides.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// let remote = Remote::builder("http://127.0.0.1:8080").retries(1).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn retries(self, retries: usize) -> Self {
        self.set(|config| config.set_retries(retries))
    }

    /// Sets the longest pause before the first retry: 1 ms to 10 minutes, 20 ms unless set. It
    /// doubles with each retry, up to a second. The actual pause is random, from zero to this.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// use std::time::Duration;
    ///
    /// let remote = Remote::builder("http://127.0.0.1:8080").backoff(Duration::from_millis(10)).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backoff(self, backoff: Duration) -> Self {
        self.set(|config| config.set_backoff(backoff))
    }

    /// Sets how many retries there may be per request, over all calls: 0 to 1, 0.2 unless set, with
    /// ten more saved. So retries add at most this share to the load of a service in trouble: see
    /// [`Budget`](crate::layers::Budget).
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// let remote = Remote::builder("http://127.0.0.1:8080").retry_budget(0.1).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn retry_budget(self, share: f64) -> Self {
        self.set(|config| config.set_retry_budget(share))
    }

    /// Sets how many postcodes one request contains: 1 to 10,000. Unless set 100, the limit of
    /// postcodes.io servers.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// let remote = Remote::builder("http://127.0.0.1:8080").batch(1_000).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn batch(self, batch: usize) -> Self {
        self.set(|config| config.set_batch(batch))
    }

    /// Sets how many requests of one batch run at a time: 1 to 64, four unless set.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// let remote = Remote::builder("http://127.0.0.1:8080").concurrency(8).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn concurrency(self, concurrency: usize) -> Self {
        self.set(|config| config.set_concurrency(concurrency))
    }

    /// Sets the `Authorization` header, `Bearer …` for example, instead of the user and password of
    /// the URL. Never shown.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// let remote = Remote::builder("http://127.0.0.1:8080").authorization("Bearer secret").build()?;
    /// assert!(!format!("{remote:?}").contains("secret"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn authorization(self, value: &str) -> Self {
        self.set(|config| {
            config.address.authorization = Some(secret(value)?);
            Ok(())
        })
    }

    /// Sends the token in this file as `Authorization: Bearer …`. The file is read when the client
    /// is built, again when it changes, and when the service refuses the token. The token is never
    /// shown.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("token");
    /// # std::fs::write(&path, "a-secret-of-this-test")?;
    /// let remote = Remote::builder("http://127.0.0.1:8080").token_file(&path).build()?;
    /// assert!(!format!("{remote:?}").contains("secret"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn token_file(self, path: impl Into<PathBuf>) -> Self {
        self.set(|config| {
            config.token_file = Some(path.into());
            Ok(())
        })
    }

    /// Presents this client certificate to the service. Both files are in PEM. They are read when the
    /// client is built, and again when they change.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// let remote = Remote::builder("https://postcodes.example").client_certificate("/nowhere/client.pem", "/nowhere/client.key");
    /// assert!(remote.build().is_err()); // the files can't be read
    /// ```
    pub fn client_certificate(self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.set(|config| {
            config.client_cert = Some(certificate.into());
            config.client_key = Some(key.into());
            Ok(())
        })
    }

    /// Trusts the certificates in this PEM text as well as those of the system: for a service with
    /// a private authority. May be called several times.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// let error = Remote::builder("https://postcodes.example").root_certificates(b"none").build().unwrap_err();
    /// assert!(error.to_string().contains("there is no certificate in it"));
    /// ```
    pub fn root_certificates(self, pem: &[u8]) -> Self {
        self.set(|config| {
            config.root_certificates.push(pem.to_owned());
            Ok(())
        })
    }

    /// Sets whether to use the proxy in `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    /// Unless set it is not used, so that a service next to the application is not called through a
    /// proxy.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// let remote = Remote::builder("http://127.0.0.1:8080").environment_proxy(true).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn environment_proxy(self, yes: bool) -> Self {
        self.set(|config| {
            config.environment_proxy = yes;
            Ok(())
        })
    }

    /// Sends requests through this transport and opens no connections: for tests with a server in
    /// the same process, or with faults.
    ///
    /// ```
    /// use postcode_core::remote::{RemoteBuilder, Transport};
    /// use postcode_core::Remote;
    ///
    /// /// Builds a client for a test.
    /// fn client(server: impl Transport) -> RemoteBuilder {
    ///     Remote::builder("http://in.process").retries(0).transport(server)
    /// }
    /// ```
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Creates the client. Nothing is sent yet.
    ///
    /// ```
    /// use postcode_core::Remote;
    ///
    /// assert!(Remote::builder("http://127.0.0.1:8080").batch(0).build().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an invalid URL, option or value;
    /// [`NotSupported`](crate::ErrorKind::NotSupported) for `unix:` on a system without Unix
    /// sockets.
    pub fn build(self) -> Result<Remote> {
        let config = self.config?;
        config.check_files()?;
        let token = config.token_file.as_deref().map(TokenFile::open).transpose()?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(Network::new(&config)?),
        };
        let budget = Budget::new(config.retry_budget, SAVED_RETRIES);
        Ok(Remote { inner: Arc::new(Client { config, token, transport, budget }) })
    }
}

impl fmt::Debug for RemoteBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RemoteBuilder");
        match &self.config {
            Ok(config) => debug.field("config", config),
            Err(error) => debug.field("error", error),
        };
        debug.field("transport", &self.transport).finish()
    }
}

fn config(url: SourceUrl) -> Result<Config> {
    let scheme = url.source.scheme().to_owned();
    let address = match url.source {
        Source::Http(url) => Address::http(*url)?,
        Source::Unix(socket) => Address::unix(socket),
        Source::Embedded | Source::File(_) | Source::Replica(_) => {
            return Err(Error::invalid(format!(
                "{scheme}: is not a service: write http://host:port, https://host or unix:/run/postcode.sock, or open \
                 it with postcode_core::connect"
            )));
        }
    };
    let mut config = Config::new(address);
    let mut seen = Vec::new();
    for (name, value) in &url.options {
        if seen.contains(&name) {
            return Err(Error::invalid(format!("option {name:?} is given twice: give it once")));
        }
        config.set(name, value)?;
        seen.push(name);
    }
    Ok(config)
}
