//! The listening side that `postcode-service` and `customers` share.
//!
//! Both programs accept connections from unknown clients. Their protection is the same, so it is
//! written once, here:
//!
//! - addresses to listen on: TCP or a Unix socket;
//! - the host names that the server accepts, and which pages may call it ([`Hosts`]);
//! - connections: how many there may be, which one is closed when places run out, how slow a client
//!   may be, and how they end ([`serve`]);
//! - limits on requests: in progress, for each client, and by rate ([`Gate`]); places for long work
//!   ([`Pool`]);
//! - compressed responses ([`Compression`]);
//! - the log, which delays no answer (`log`, with the feature of that name);
//! - the client of a connection, behind a trusted proxy too ([`Peer`], [`Client`], [`Proxies`]);
//! - access control: tokens, client certificates and their scopes ([`Access`]);
//! - TLS ([`Tls`]), and a check that no server is open to other machines by accident
//!   ([`Security`]);
//! - a page of reference of an HTTP API, made from its OpenAPI document ([`reference`](mod@reference));
//! - error messages without secrets ([`without_secrets`]);
//! - the metrics of another server ([`metrics_of`]);
//! - what the process takes of the machine, for metrics ([`process_metrics`]), and their labels
//!   ([`status_class`]), and the pieces of requests in logs ([`cut`]);
//! - webhooks: the addresses they may reach, and their signatures (`webhook`, with the feature of that name);
//! - the command line: configuration by options, environment and a file, tokens, completions and
//!   man pages (`cli`, with the feature of that name).
#![deny(missing_docs)]

mod accept;
mod access;
mod body;
#[cfg(feature = "cli")]
pub mod cli;
mod compress;
mod connection;
mod files;
mod gate;
mod handler;
mod host;
mod hosts;
mod labels;
mod limits;
mod listen;
#[cfg(feature = "log")]
pub mod log;
mod media;
mod pace;
mod peer;
mod phase;
mod places;
mod pool;
mod process;
mod proxies;
mod rate;
pub mod reference;
pub mod refused;
mod rest;
mod scrape;
mod secrets;
mod security;
mod serve;
mod stream;
/// The atomics of what is lock-free. `postcode-core/testing/interleavings` puts loom's in their place.
mod sync {
    pub(crate) use std::sync::atomic;
}
mod tls;
mod watched;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use accept::{Accept, Plain};
pub use access::{
    Access, Claim, Denied, Entry, Fingerprint, Identity, Need, NewToken, Rule, Scope, Scopes, Tokens,
    is_from_trusted_proxy, revoke, speaks_for,
};
pub use body::{RequestBody, TooSlow};
pub use compress::{Accepted, Compression};
pub use gate::{Admitted, Gate, GateLimits, ReadError, Refused, Sheddable, Turn, read};
pub use handler::{Handler, Refusal};
pub use hosts::{HostName, Hosts, NotAllowed};
pub use labels::{cut, status_class};
pub use limits::Limits;
pub use listen::{Address, Listener};
pub use media::MediaType;
pub use peer::{Caller, Client, Peer, TrustedProxy};
pub use pool::{ClientKey, Full, Lost, Place, Pool, Yields};
pub use process::{MetricsFormat, process_metrics};
pub use proxies::{ClientHeader, Proxies};
pub use rate::Rate;
pub use scrape::{metric, metrics_of};
pub use secrets::without_secrets;
pub use security::{Security, SecurityOptions};
pub use serve::{serve, serve_with};
pub use stream::Stream;
pub use tls::{Tls, TlsFiles, certificate_fingerprint};

/// Any error, as in response bodies.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
