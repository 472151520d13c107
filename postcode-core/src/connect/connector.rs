//! A source URL that is checked but not opened yet.

use std::fmt;
use std::sync::Arc;

use crate::source::{Source, SourceUrl};
use crate::{Lookups, Result};

#[cfg(feature = "http")]
use super::service::{Behind, Service};
#[cfg(feature = "replica")]
use crate::ReplicaBuilder;
#[cfg(feature = "http")]
use crate::layers::{BreakerConfig, HedgeAfter, Order};
#[cfg(feature = "http")]
use crate::{Error, remote::RemoteBuilder};
#[cfg(feature = "http")]
use futures::future::BoxFuture;
#[cfg(feature = "http")]
use std::time::Duration;

/// Sets up the lookup that [`connect`](super::connect) opens: a URL whose options are checked,
/// which can be changed, shown, and then opened.
///
/// The `Display` writes all settings in effect on one line, defaults included and without secrets,
/// for the log at the start.
///
#[cfg_attr(feature = "http", doc = "```")]
#[cfg_attr(not(feature = "http"), doc = "```ignore")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> postcode_core::Result<()> {
/// use postcode_core::Connector;
/// use postcode_core::layers::HedgeAfter;
///
/// let source = Connector::new("http://user:secret@127.0.0.1:8080?timeout=200ms&bulkhead=64")?
///     .hedge(Some(HedgeAfter::Quantile(0.95)))
///     .remote(|client| client.retries(1));
/// assert_eq!(
///     source.to_string(),
///     "http://127.0.0.1:8080 timeout=200ms retries=1 backoff=20ms retry_budget=0.2 deadline=2s breaker=5/1s \
///      bulkhead=64 hedge=p95 join=off single_flight=off cache=off connect_timeout=500ms batch=100 concurrency=4 \
///      encoding=compact proxy=none"
/// );
/// let postcodes = source.connect().await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Connector(Kind);

#[derive(Debug)]
enum Kind {
    Embedded,
    #[cfg(feature = "dataset")]
    File(std::path::PathBuf, Box<crate::dataset::Demands>),
    #[cfg(feature = "http")]
    Service(Box<Service>),
    #[cfg(feature = "replica")]
    Replica(Box<ReplicaBuilder>),
    #[cfg(feature = "http")]
    Wrong(Error),
}

impl Connector {
    /// Parses a URL and checks it and its options: see [`connect`](super::connect) for both.
    ///
    /// ```
    /// # #[cfg(feature = "http")] {
    /// use postcode_core::{Connector, ErrorKind};
    ///
    /// let source = Connector::new("http://127.0.0.1:8080?retries=1")?; // nothing is sent yet
    /// let error = Connector::new("http://127.0.0.1:8080?retires=1").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidInput);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an invalid URL or an unknown option,
    /// with its name and the allowed ones; [`NotSupported`](crate::ErrorKind::NotSupported) for a
    /// service or a replica if the cargo feature is off.
    pub fn new(url: &str) -> Result<Self> {
        Self::nested(url, 0)
    }

    /// Creates a source to which `depth` others fall back. Only a service has a fallback.
    #[cfg_attr(not(feature = "http"), allow(unused_variables))]
    fn nested(url: &str, depth: usize) -> Result<Self> {
        let url = SourceUrl::parse(url)?;
        Ok(Self(match url.source {
            #[cfg(feature = "dataset")]
            Source::File(path) => {
                let demands = crate::dataset::Demands::default().with_options("file", &url.options)?;
                Kind::File(path, Box::new(demands))
            }
            #[cfg(not(feature = "dataset"))]
            Source::File(_) => return Err(super::feature_off("file", "dataset")),
            Source::Embedded => {
                url.no_options()?;
                Kind::Embedded
            }
            #[cfg(feature = "replica")]
            Source::Replica(service) => {
                let url = SourceUrl { source: *service, options: url.options };
                Kind::Replica(Box::new(ReplicaBuilder::from_url(url)?))
            }
            #[cfg(not(feature = "replica"))]
            Source::Replica(_) => return Err(super::feature_off(url.source.scheme(), "replica")),
            #[cfg(feature = "http")]
            Source::Http(_) | Source::Unix(_) => Kind::Service(Box::new(Service::new(url, depth, behind)?)),
            #[cfg(not(feature = "http"))]
            Source::Http(_) | Source::Unix(_) => {
                return Err(super::feature_off(url.source.scheme(), "http"));
            }
        }))
    }

    /// Fits the settings to a caller that drops a call after this time.
    ///
    /// The client gives up a little earlier. No attempt takes more than half of the time, so that
    /// there is a second one, at another endpoint if there are several, and a fallback is called in
    /// time. Without this, a call that the caller drops does not count as failed, so no breaker
    /// opens and no guard steps back. A source in this process does not wait and is unchanged.
    ///
    #[cfg_attr(feature = "http", doc = "```")]
    #[cfg_attr(not(feature = "http"), doc = "```ignore")]
    /// use std::time::Duration;
    /// use postcode_core::Connector;
    ///
    /// let source = Connector::new("http://127.0.0.1:8080")?.within(Duration::from_millis(500));
    /// assert!(source.to_string().contains(" timeout=225ms ") && source.to_string().contains(" deadline=450ms "));
    /// # Ok::<(), postcode_core::Error>(())
    /// ```
    #[must_use]
    pub fn within(self, limit: std::time::Duration) -> Self {
        #[cfg(feature = "http")]
        if let Kind::Service(service) = self.0 {
            return Self(Kind::Service(Box::new(service.within(limit))));
        }
        let _ = limit;
        self
    }

    /// Opens the source: see [`connect`](super::connect).
    ///
    /// ```
    /// # #[cfg(feature = "embedded")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::{Connector, PostcodeLookupExt};
    ///
    /// let source = Connector::new("embedded:")?;
    /// println!("{source}"); // for the log
    /// let postcodes = source.connect().await?;
    /// assert_eq!(postcodes.get_str("AB1 0AA").await?.status(), "terminated");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "embedded"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// The same as [`connect`](super::connect), and invalid values given to the methods above.
    pub async fn connect(self) -> Result<Arc<dyn Lookups>> {
        match self.0 {
            #[cfg(feature = "dataset")]
            Kind::File(path, demands) => {
                let dataset = crate::dataset::Dataset::open_checked(path, &demands)?;
                Ok(Arc::new(crate::Local::new(dataset)))
            }
            Kind::Embedded => super::embedded(),
            #[cfg(feature = "http")]
            Kind::Service(service) => service.connect().await,
            #[cfg(feature = "replica")]
            Kind::Replica(replica) => Ok(Arc::new(replica.start().await?)),
            #[cfg(feature = "http")]
            Kind::Wrong(error) => Err(error),
        }
    }
}

/// Settings of a service, the same as the options of its URL. A source in this process has no
/// options: setting one makes [`connect`](Connector::connect) fail.
#[cfg(feature = "http")]
impl Connector {
    fn set(self, set: impl FnOnce(&mut Service) -> Result<()>) -> Self {
        Self(match self.0 {
            Kind::Service(mut service) => match set(&mut service) {
                Ok(()) => Kind::Service(service),
                Err(error) => Kind::Wrong(error),
            },
            #[cfg(feature = "dataset")]
            Kind::File(..) => {
                Kind::Wrong(Error::invalid("file: is in this process and has no settings of a service"))
            }
            Kind::Embedded => {
                Kind::Wrong(Error::invalid("embedded: is in this process and has no settings of a service"))
            }
            #[cfg(feature = "replica")]
            Kind::Replica(_) => Kind::Wrong(Error::invalid(
                "replica: is in this process: set it up in its URL, or by Replica::builder",
            )),
            wrong => wrong,
        })
    }

    fn layers(self, set: impl FnOnce(&mut crate::layers::Resilience)) -> Self {
        self.set(|service| {
            set(&mut service.layers);
            Ok(())
        })
    }

    /// Changes the client of each endpoint: its deadline, timeouts, retries, headers and transport.
    ///
    /// ```
    /// use postcode_core::Connector;
    ///
    /// let source = Connector::new("http://127.0.0.1:8080")?.remote(|client| client.retries(1));
    /// println!("{source:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn remote(self, set: impl Fn(RemoteBuilder) -> RemoteBuilder) -> Self {
        self.set(|service| {
            service.endpoints = std::mem::take(&mut service.endpoints).into_iter().map(set).collect();
            Ok(())
        })
    }

    /// Sets when to stop calling a service that fails: see [`Breaker`](crate::layers::Breaker). `None` never stops.
    /// Unless set, the defaults of [`BreakerConfig`](crate::layers::BreakerConfig) apply.
    ///
    /// ```
    /// use postcode_core::Connector;
    ///
    /// let source = Connector::new("http://127.0.0.1:8080")?.breaker(None);
    /// println!("{source:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn breaker(self, breaker: Option<BreakerConfig>) -> Self {
        self.layers(|layers| layers.breaker = breaker)
    }

    /// Sets how many calls run at once: see [`Bulkhead`](crate::layers::Bulkhead). `None` sets no limit. 256 unless set.
    ///
    /// ```
    /// use postcode_core::Connector;
    ///
    /// let source = Connector::new("http://127.0.0.1:8080")?.bulkhead(Some(64));
    /// println!("{source:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn bulkhead(self, calls: Option<usize>) -> Self {
        self.layers(|layers| layers.bulkhead = calls)
    }

    /// Sets when to start a second attempt: see [`Hedge`](crate::layers::Hedge). `None`, the default, starts none.
    ///
    /// ```
    /// use postcode_core::Connector;
    /// use postcode_core::layers::HedgeAfter;
    ///
    /// let source = Connector::new("http://127.0.0.1:8080")?.hedge(Some(HedgeAfter::Quantile(0.95)));
    /// println!("{source:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn hedge(self, after: Option<HedgeAfter>) -> Self {
        self.layers(|layers| layers.hedge = after)
    }

    /// Joins single lookups into batches of at most this many: see [`Batcher`](crate::layers::Batcher). `None`, the
    /// default, sends each alone.
    ///
    /// ```
    /// use postcode_core::Connector;
    ///
    /// let source = Connector::new("http://127.0.0.1:8080")?.join(Some(100));
    /// println!("{source:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn join(self, postcodes: Option<usize>) -> Self {
        self.layers(|layers| layers.join = postcodes)
    }

    /// Shares one call between equal lookups that run at once: see
    /// [`SingleFlight`](crate::layers::SingleFlight).
    ///
    /// ```
    /// use postcode_core::Connector;
    ///
    /// let source = Connector::new("http://127.0.0.1:8080")?.single_flight(true);
    /// println!("{source:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn single_flight(self, yes: bool) -> Self {
        self.layers(|layers| layers.single_flight = yes)
    }

    /// Sets how many bytes of answers to keep: see [`Cache`](crate::layers::Cache). `None`, the default, keeps none.
    ///
    /// ```
    /// use postcode_core::Connector;
    ///
    /// let source = Connector::new("http://127.0.0.1:8080")?.cache(Some(64 << 20));
    /// println!("{source:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cache(self, bytes: Option<u64>) -> Self {
        self.layers(|layers| layers.cache = bytes)
    }

    /// Sets how old a kept answer may be: 5 minutes unless set. Needs a [`cache`](Self::cache).
    ///
    /// ```
    /// use postcode_core::Connector;
    ///
    /// use std::time::Duration;
    ///
    /// let source = Connector::new("http://127.0.0.1:8080")?.cache(Some(64 << 20)).cache_ttl(Duration::from_secs(60));
    /// println!("{source:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cache_ttl(self, ttl: Duration) -> Self {
        self.layers(|layers| layers.cache_ttl = ttl)
    }

    /// Adds an endpoint of the same service, used when the previous ones fail. It takes over the
    /// settings made so far.
    ///
    /// ```
    /// use postcode_core::Connector;
    ///
    /// let source = Connector::new("http://127.0.0.1:8080")?.failover("http://127.0.0.1:8081");
    /// println!("{source:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn failover(self, url: &str) -> Self {
        self.set(|service| service.add_endpoint(url))
    }

    /// Sets which endpoint a call tries first, if there are several.
    ///
    /// ```
    /// use postcode_core::Connector;
    /// use postcode_core::layers::Order;
    ///
    /// let source = Connector::new("http://127.0.0.1:8080")?.failover("http://127.0.0.1:8081").order(Order::RoundRobin);
    /// println!("{source:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn order(self, order: Order) -> Self {
        self.set(|service| {
            service.order = order;
            Ok(())
        })
    }

    /// Sets a source that answers if this one fails.
    ///
    /// ```
    /// # #[cfg(feature = "embedded")] {
    /// use postcode_core::Connector;
    ///
    /// let library = Connector::new("embedded:")?;
    /// let source = Connector::new("http://127.0.0.1:8080")?.fallback(library);
    /// println!("{source:?}");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn fallback(self, source: Connector) -> Self {
        self.set(|service| {
            service.fallback = Some(Box::new(source));
            Ok(())
        })
    }
}

#[cfg(feature = "http")]
fn behind(url: &str, depth: usize) -> Result<Box<dyn Behind>> {
    Ok(Box::new(Connector::nested(url, depth)?))
}

#[cfg(feature = "http")]
impl Behind for Connector {
    fn is_service(&self) -> bool {
        matches!(self.0, Kind::Service(_))
    }

    fn within(self: Box<Self>, limit: Duration) -> Box<dyn Behind> {
        Box::new(Connector::within(*self, limit))
    }

    fn connect(self: Box<Self>) -> BoxFuture<'static, Result<Arc<dyn Lookups>>> {
        Box::pin(Connector::connect(*self))
    }
}

impl fmt::Display for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            #[cfg(feature = "dataset")]
            Kind::File(path, demands) => {
                let signed = if demands.public_key.is_some() { " signature=demanded" } else { "" };
                write!(f, "file:{} verify={}{signed}", path.display(), demands.verify)
            }
            Kind::Embedded => f.write_str("embedded:"),
            #[cfg(feature = "http")]
            Kind::Service(service) => service.fmt(f),
            #[cfg(feature = "replica")]
            Kind::Replica(replica) => replica.fmt(f),
            #[cfg(feature = "http")]
            Kind::Wrong(error) => error.fmt(f),
        }
    }
}
