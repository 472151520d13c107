//! The listening side that `postcode-service` and `customers` share.
//!
//! Both programs take connections from people they do not know. What protects them is the same for both, so it is
//! written once, here:
//!
//! - where to listen: TCP or a Unix socket;
//! - who may do what: tokens, client certificates and their scopes ([`Access`]);
//! - TLS ([`Tls`]), and that no server is open to other machines by accident ([`Security`]).
#![deny(missing_docs)]

mod access;
mod listen;
mod security;
mod tls;
#[cfg(feature = "cli")]
mod token_command;

pub use access::{
    Access, Identity, Claim, ClientCertificate, Denied, Entry, Fingerprint, Need, NewToken, Rule, Scope, Scopes, Tokens,
    revoke, speaks_for,
};
pub use security::{Security, SecurityOptions};
pub use tls::{Tls, TlsFiles, certificate_fingerprint};
#[cfg(feature = "cli")]
pub use token_command::TokenArgs;
pub use listen::{Address, Listener, Stream};
