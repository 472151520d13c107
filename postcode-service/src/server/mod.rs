//! The loop around the API: connections, limits, deadlines, metrics, logs, orderly shutdown.
//!
//! Outside in: [`run`] takes connections and ends, by [`postcode_edge::serve`]; [`Frontend`]
//! answers a request: request id and trace, shedding, deadline, the API, then metrics and log.

mod deadline;
mod frontend;
mod metrics;
mod run;
mod trace;

pub use frontend::Frontend;
pub use postcode_edge::{Address, GateLimits, Limits, Listener, Proxies, Rate};
pub use run::run;

use std::time::Duration;

/// The limits of a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// The most connections at once. When there are more, the one that has been idle longest is
    /// closed.
    pub max_connections: usize,
    /// Connections beyond those, for `/ping`, `/ready`, `/health` and `/metrics` only.
    pub reserved_connections: usize,
    /// The most connections of one client address at once, see [`Limits::per_address`].
    pub max_connections_per_address: Option<usize>,
    /// The most requests in progress at once, counted from when their body has arrived. Others are
    /// answered 503 at once.
    pub max_in_flight: usize,
    /// The most requests at once whose body is still arriving. Beyond that the slowest is refused.
    pub max_waiting: usize,
    /// The most requests of one client at once, see [`GateLimits::per_client`].
    pub max_in_flight_per_client: Option<usize>,
    /// The rate of one address, see [`GateLimits::address_rate`].
    pub rate_per_address: Option<Rate>,
    /// The rate limit of one caller with a token.
    pub rate_per_caller: Option<Rate>,
    /// Bytes of a request's line and headers.
    pub max_header: usize,
    /// How long a request's header may take, and how long an idle connection is kept.
    pub header_timeout: Duration,
    /// How long a client may read nothing of an answer in transmission before its connection is
    /// closed.
    pub send_timeout: Duration,
    /// How long a client that sends a header or a body may be slower than the least speed.
    pub patience: Duration,
    /// Bytes a second that a client sends or reads at least, see [`Limits::least_speed`].
    pub least_speed: u64,
    /// How long a request may take, its body included.
    pub request_timeout: Duration,
    /// How long requests in flight may take to finish at shutdown.
    pub drain: Duration,
    /// The proxies that are believed when they name a client.
    pub proxies: Proxies,
}

impl Default for Options {
    fn default() -> Self {
        let (limits, gate) = (Limits::default(), GateLimits::default());
        Self {
            max_connections: limits.connections,
            reserved_connections: limits.reserved,
            max_connections_per_address: limits.per_address,
            max_in_flight: gate.in_flight,
            max_waiting: gate.waiting,
            max_in_flight_per_client: gate.per_client,
            rate_per_address: gate.address_rate,
            rate_per_caller: gate.caller_rate,
            max_header: limits.max_header,
            header_timeout: limits.header,
            send_timeout: limits.send,
            patience: limits.patience,
            least_speed: limits.least_speed,
            request_timeout: Duration::from_secs(10),
            drain: limits.drain,
            proxies: limits.proxies,
        }
    }
}

impl Options {
    /// Returns the limits of requests.
    fn gate(&self) -> GateLimits {
        let mut limits = GateLimits::default();
        limits.in_flight = self.max_in_flight;
        limits.waiting = self.max_waiting;
        limits.per_client = self.max_in_flight_per_client;
        limits.address_rate = self.rate_per_address;
        limits.caller_rate = self.rate_per_caller;
        limits
    }

    /// Returns the limits of connections.
    fn limits(self) -> Limits {
        let mut limits = Limits::default();
        limits.connections = self.max_connections;
        limits.reserved = self.reserved_connections;
        limits.per_address = self.max_connections_per_address;
        limits.max_header = self.max_header;
        limits.header = self.header_timeout;
        limits.send = self.send_timeout;
        limits.patience = self.patience;
        limits.least_speed = self.least_speed;
        limits.drain = self.drain;
        limits.proxies = self.proxies;
        limits
    }
}
