//! The listening side that `postcode-service` and `customers` share.
//!
//! Both programs take connections from people they do not know. What protects them is the same for
//! both, so it is written once, here:
//!
//! - where to listen: TCP or a Unix socket;
//! - which names the server answers to, and which pages may call it ([`Hosts`]);
//! - connections: how many there may be, which one is closed when places run out, how slow a client
//!   may be, and how they end ([`serve`]);
//! - requests: how many are worked on at a time, and of one client, and in a time ([`Gate`]);
//!   places for what takes long ([`Pool`]);
//! - the log, which keeps no answer waiting (`log`, with the feature of that name);
//! - who is at the other end, behind a trusted proxy too ([`Peer`], [`Client`], [`Proxies`]);
//! - who may do what: tokens, client certificates and their scopes ([`Access`]);
//! - TLS ([`Tls`]), and that no server is open to other machines by accident ([`Security`]);
//! - error messages without secrets ([`without_secrets`]).
#![deny(missing_docs)]

mod access;
mod body;
mod connection;
mod files;
mod gate;
mod host;
mod hosts;
mod listen;
#[cfg(feature = "log")]
pub mod log;
mod pace;
mod peer;
mod phase;
mod places;
mod pool;
mod proxies;
mod rate;
pub mod refused;
mod rest;
mod secrets;
mod security;
mod serve;
/// The atomics of what is lock-free. `postcode-core/testing/interleavings` puts loom's in their place.
mod sync {
    pub(crate) use std::sync::atomic;
}
mod tls;
#[cfg(feature = "cli")]
mod token_command;
mod watched;

pub use access::{
    Access, Claim, Denied, Entry, Fingerprint, Identity, Need, NewToken, Rule, Scope, Scopes, Tokens,
    is_from_trusted_proxy, revoke, speaks_for,
};
pub use body::{RequestBody, TooSlow};
pub use gate::{Admitted, Gate, GateLimits, ReadError, Refused, Turn, read};
pub use hosts::{HostName, Hosts, NotAllowed};
pub use listen::{Address, Listener, Stream};
pub use peer::{Caller, Client, Peer, TrustedProxy};
pub use pool::{ClientKey, Full, Lost, Place, Pool, Yields};
pub use proxies::{ClientHeader, Proxies};
pub use rate::Rate;
pub use secrets::without_secrets;
pub use security::{Security, SecurityOptions};
pub use serve::{Accept, Handler, Limits, Plain, Refusal, serve, serve_with};
pub use tls::{Tls, TlsFiles, certificate_fingerprint};
#[cfg(feature = "cli")]
pub use token_command::TokenArgs;

/// Any error, as bodies have them.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
