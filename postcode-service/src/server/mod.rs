//! The loop around the API: connections, limits, deadlines, metrics, logs, orderly shutdown.
//!
//! Written on hyper's connections and not on `axum::serve`, which a half-sent header can keep from ever shutting
//! down. Outside in: [`run`] takes connections and ends, [`Frontend`] answers a request:
//! request id and trace, shedding, deadline, the API, then metrics and log.

mod connection;
mod deadline;
mod frontend;
mod metrics;
mod run;
mod trace;

pub use frontend::Frontend;
pub use postcode_edge::{Address, Listener};
pub use run::run;

use std::time::Duration;

/// The limits of a server.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Connections at a time. Others wait in the listener's backlog.
    pub max_connections: usize,
    /// Requests at a time. Others are answered 503 at once.
    pub max_in_flight: usize,
    /// Bytes of a request's line and headers.
    pub max_header: usize,
    /// How long a request's header may take, and how long an idle connection is kept.
    pub header_timeout: Duration,
    /// How long a client may take nothing of an answer that is being sent, before its connection is closed.
    pub send_timeout: Duration,
    /// How long a request may take, its body included.
    pub request_timeout: Duration,
    /// How long requests under way may take to end at shutdown.
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_in_flight: 1_024,
            max_header: 16 * 1024,
            header_timeout: Duration::from_secs(30),
            send_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(10),
            drain: Duration::from_secs(10),
        }
    }
}
