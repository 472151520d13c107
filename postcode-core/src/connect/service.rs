//! Builds a client and its layers from the options of a service's URL.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::options::{self, set_layer};

use futures::future::BoxFuture;

use crate::layers::{Failover, Fallback, Order, Resilience, guarded, repeated};
use crate::remote::RemoteBuilder;
use crate::remote::config::OPTIONS;
use crate::source::{Source, SourceUrl, redact};
use crate::{Error, Lookups, Remote, Result};

/// The most endpoints of one service.
const MAX_ENDPOINTS: usize = 16;

/// The most sources that fall back to each other.
const MAX_FALLBACKS: usize = 4;

/// The clients of a service's URL, and how they are to be stacked.
#[doc(hidden)]
#[derive(Debug)]
#[non_exhaustive]
pub struct ServiceClients {
    pub clients: Vec<Remote>,
    pub order: Order,
    pub layers: Resilience,
}

impl ServiceClients {
    /// Reads the URL of a service, with the options of [`connect`](crate::connect) but for `fallback`.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an invalid URL or option.
    pub fn from_url(url: &str) -> Result<Self> {
        let url = SourceUrl::parse(url)?;
        if !matches!(url.source, Source::Http(_) | Source::Unix(_)) {
            return Err(Error::invalid(
                "not the URL of a service: write http://host:port, https://host or unix:/path",
            ));
        }
        let none: ReadBehind = |_, _| Err(Error::invalid("not for this lookup"));
        Service::new(url, 0, none)?.clients()
    }
}

/// A source that a service falls back to, not opened yet.
pub(super) trait Behind: fmt::Debug + fmt::Display + Send {
    /// Returns whether the source is called over a network.
    fn is_service(&self) -> bool;
    /// Fits the settings to a caller that waits no longer than this.
    fn within(self: Box<Self>, limit: Duration) -> Box<dyn Behind>;
    /// Opens the source.
    fn connect(self: Box<Self>) -> BoxFuture<'static, Result<Arc<dyn Lookups>>>;
}

/// Parses the URL of a source to which this many others fall back.
pub(super) type ReadBehind = fn(&str, usize) -> Result<Box<dyn Behind>>;

/// A service, not connected yet.
#[derive(Debug)]
pub(super) struct Service {
    /// At least one.
    pub(super) endpoints: Vec<RemoteBuilder>,
    pub(super) order: Order,
    /// Settings about attempts are taken from the endpoints instead.
    pub(super) layers: Resilience,
    pub(super) fallback: Option<Box<dyn Behind>>,
}

impl Service {
    /// Creates a service. `depth` other sources fall back to it, and `read` parses the URL of its
    /// fallback.
    pub(super) fn new(url: SourceUrl, depth: usize, read: ReadBehind) -> Result<Self> {
        let SourceUrl { source, options } = url;
        let first = RemoteBuilder::from_url(SourceUrl { source, options: Vec::new() })?;
        let mut service = Self {
            endpoints: vec![first],
            order: Order::AsGiven,
            layers: Resilience::default(),
            fallback: None,
        };
        // Endpoints come last, so that the order of the options does not matter.
        for (_, value) in options.iter().filter(|(name, _)| name == "failover") {
            service.add_endpoint(value)?;
        }
        let mut seen = Vec::new();
        for (name, value) in options.iter().filter(|(name, _)| name != "failover") {
            if seen.contains(&name) {
                return Err(Error::invalid(format!("option {name:?} is given twice: give it once")));
            }
            service.set(name, value, depth, read)?;
            seen.push(name);
        }
        Ok(service)
    }

    fn set(&mut self, name: &str, value: &str, depth: usize, read: ReadBehind) -> Result<()> {
        match name {
            _ if OPTIONS.contains(&name) => {
                self.endpoints.iter_mut().try_for_each(|endpoint| endpoint.option(name, value))
            }
            "order" => {
                self.order = match value {
                    "given" => Order::AsGiven,
                    "round_robin" => Order::RoundRobin,
                    _ => return Err(Error::invalid(format!("order={value:?}: give given or round_robin"))),
                };
                Ok(())
            }
            "fallback" if depth >= MAX_FALLBACKS => Err(Error::invalid(format!(
                "option fallback: a chain of more than {MAX_FALLBACKS} sources: give fewer"
            ))),
            "fallback" => {
                let wrong = |error: Error| Error::invalid(format!("option fallback: {error}"));
                self.fallback = Some(read(value, depth + 1).map_err(wrong)?);
                Ok(())
            }
            _ if options::LAYERS.contains(&name) => set_layer(&mut self.layers, name, value),
            _ => Err(Error::invalid(format!(
                "unknown option {name:?}: the options are {}, {}, failover, order and fallback",
                OPTIONS.join(", "),
                options::LAYERS.join(", ")
            ))),
        }
    }

    pub(super) fn add_endpoint(&mut self, url: &str) -> Result<()> {
        if self.endpoints.len() == MAX_ENDPOINTS {
            return Err(Error::invalid(format!("more than {MAX_ENDPOINTS} endpoints: give fewer")));
        }
        let wrong = |why: &dyn fmt::Display| Error::invalid(format!("option failover: {why}"));
        let url_of = SourceUrl::parse(url).map_err(|error| wrong(&error))?;
        if !url_of.options.is_empty() {
            let shown = redact(url);
            return Err(wrong(&format_args!(
                "{shown:?}: an endpoint takes its options from the first one: write them there"
            )));
        }
        let address = RemoteBuilder::from_url(url_of).map_err(|error| wrong(&error))?;
        // The first always exists.
        let endpoint = self.endpoints.first().map(|first| first.elsewhere(&address)).unwrap_or(address);
        self.endpoints.push(endpoint);
        Ok(())
    }

    /// Fits the settings to a caller that waits no longer than `limit`.
    pub(super) fn within(mut self, limit: Duration) -> Self {
        // Joined calls may wait for another batch first. A fallback service needs part of the time
        // too.
        let mut share = if self.layers.join.is_some() { limit / 2 } else { limit };
        if let Some(fallback) = self.fallback.take() {
            if fallback.is_service() {
                share /= 2;
            }
            self.fallback = Some(fallback.within(share));
        }
        self.endpoints = self.endpoints.into_iter().map(|endpoint| endpoint.within(share)).collect();
        self
    }

    /// Returns the layers, with the settings about attempts of the endpoints.
    fn resilience(&self) -> Resilience {
        let mut layers = self.layers.clone();
        if let Some(first) = self.endpoints.first() {
            first.tell(&mut layers);
        }
        layers
    }

    /// Returns the clients of the endpoints with their order and layers, for lookups of another kind over the same
    /// service. With several endpoints the clients don't retry: the layers do.
    pub(super) fn clients(self) -> Result<ServiceClients> {
        if self.fallback.is_some() {
            return Err(Error::invalid("option fallback: not for this lookup"));
        }
        let layers = self.resilience();
        let single = self.endpoints.len() == 1;
        let build = |endpoint: RemoteBuilder| if single { endpoint } else { endpoint.retries(0) }.build();
        let clients: Result<Vec<Remote>> = self.endpoints.into_iter().map(build).collect();
        Ok(ServiceClients { clients: clients?, order: self.order, layers })
    }

    pub(super) async fn connect(self) -> Result<Arc<dyn Lookups>> {
        let mut layers = self.resilience();
        let Self { mut endpoints, order, fallback, .. } = self;
        let stack: Arc<dyn Lookups> = match (endpoints.pop(), endpoints.is_empty()) {
            // The client retries by itself, because it knows which requests of a batch failed.
            (Some(only), true) if layers.hedge.is_none() => Arc::new(only.build()?),
            (Some(only), true) => {
                let once = Resilience { retries: 0, ..layers.clone() };
                repeated(only.build()?, &once)
            }
            // Retried over all endpoints, so that one that hangs does not use up the whole
            // deadline.
            (last, _) => {
                let breaker = layers.breaker.take().ok_or_else(|| {
                    Error::invalid(
                        "breaker=off with several endpoints: a breaker is needed to know which are down",
                    )
                })?;
                let clients: Result<Vec<_>> =
                    endpoints.into_iter().chain(last).map(|endpoint| endpoint.retries(0).build()).collect();
                repeated(Failover::new(clients?, order, breaker)?, &layers)
            }
        };
        let stack = guarded(stack, &layers);
        match fallback {
            None => Ok(stack),
            Some(second) => Ok(Arc::new(Fallback::new(stack, second.connect().await?))),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, others)) = self.endpoints.split_first() else { return Ok(()) };
        write!(f, "{} {} {}", first.address(), self.resilience(), first.options())?;
        for other in others {
            write!(f, " failover={}", other.address())?;
        }
        if !others.is_empty() {
            let order = if self.order == Order::AsGiven { "given" } else { "round_robin" };
            write!(f, " order={order}")?;
        }
        match &self.fallback {
            None => Ok(()),
            Some(source) => write!(f, " fallback=({source})"),
        }
    }
}
