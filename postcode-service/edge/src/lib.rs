//! The listening side that `postcode-service` and `customers` share.
//!
//! Both programs take connections from people they do not know. What protects them is the same for both, so it is
//! written once, here:
//!
//! - where to listen: TCP or a Unix socket;
//! - connections: how many there may be, which one is closed when places run out, how slow a client may be, and how
//!   they end ([`serve`]);
//! - who is at the other end, behind a trusted proxy too ([`Peer`], [`Client`], [`Proxies`]);
//! - who may do what: tokens, client certificates and their scopes ([`Access`]);
//! - TLS ([`Tls`]), and that no server is open to other machines by accident ([`Security`]).
#![deny(missing_docs)]

mod access;
mod body;
mod connection;
mod files;
mod host;
mod listen;
mod pace;
mod peer;
mod places;
mod proxies;
mod security;
mod serve;
mod tls;
#[cfg(feature = "cli")]
mod token_command;
mod watched;

pub use access::{
    Access, Claim, Denied, Entry, Fingerprint, Identity, Need, NewToken, Rule, Scope, Scopes, Tokens,
    is_from_trusted_proxy, revoke, speaks_for,
};
pub use body::{RequestBody, TooSlow};
pub use listen::{Address, Listener, Stream};
pub use peer::{Caller, Client, Peer, TrustedProxy};
pub use proxies::{ClientHeader, Proxies};
pub use security::{Security, SecurityOptions};
pub use serve::{Accept, Handler, Limits, Plain, Refusal, serve, serve_with};
pub use tls::{Tls, TlsFiles, certificate_fingerprint};
#[cfg(feature = "cli")]
pub use token_command::TokenArgs;

/// Any error, as bodies have them.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
