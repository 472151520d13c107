//! The limits of connections.

use std::time::Duration;

use crate::Proxies;

/// The limits of connections.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The most connections at once. When there are more, the one that has been idle longest is
    /// closed, then slow ones. Lowered to fit the limit of open files.
    pub connections: usize,
    /// Connections beyond those, on which only vital requests are answered ([`Handler::is_vital`](crate::Handler::is_vital)).
    pub reserved: usize,
    /// The most connections of one address, or /64 of IPv6, at once; 0 for no limit. `None` is a
    /// quarter of [`connections`](Self::connections), and no limit for this machine's own
    /// addresses. Never applies to Unix sockets and trusted proxies.
    pub per_address: Option<usize>,
    /// Bytes of a request's line and headers.
    pub max_header: usize,
    /// How long a connection may be idle, and a request's header take.
    pub header: Duration,
    /// How long a client may read nothing of an answer in transmission before its connection is
    /// closed.
    pub send: Duration,
    /// How long a client that sends a header or a body may be below the least speed.
    pub patience: Duration,
    /// Bytes a second: a client that sends or reads more slowly, in the long run, loses its
    /// connection. It doubles with each minute up to 64 times. 0 for any speed.
    pub least_speed: u64,
    /// How long requests in flight may take to finish at the end.
    pub drain: Duration,
    /// The proxies that are believed when they name a client.
    pub proxies: Proxies,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            reserved: 16,
            per_address: None,
            max_header: 16 * 1024,
            header: Duration::from_secs(30),
            send: Duration::from_secs(30),
            patience: Duration::from_secs(10),
            least_speed: 1024,
            drain: Duration::from_secs(10),
            proxies: Proxies::default(),
        }
    }
}
