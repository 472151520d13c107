//! The listening side that `postcode-service` and `customers` share.
//!
//! Both programs take connections from people they do not know. What protects them is the same for both, so it is
//! written once, here:
//!
//! - where to listen: TCP or a Unix socket;
//! - connections: how many there may be, which one is closed when places run out, how slow a client may be, and how
//!   they end ([`serve`]);
//! - who is at the other end, behind a trusted proxy too ([`Peer`], [`Client`], [`Proxies`]).
#![deny(missing_docs)]

mod body;
mod connection;
mod files;
mod host;
mod listen;
mod pace;
mod peer;
mod places;
mod proxies;
mod serve;
mod watched;

pub use body::{RequestBody, TooSlow};
pub use listen::{Address, Listener, Stream};
pub use peer::{Caller, Client, Peer};
pub use proxies::{ClientHeader, Proxies};
pub use serve::{Accept, Handler, Limits, Plain, Refusal, serve, serve_with};

/// Any error, as bodies have them.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
