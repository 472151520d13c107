//! The listening side that `postcode-service` and `customers` share.
//!
//! Both programs take connections from people they do not know. What protects them is the same for both, so it is
//! written once, here:
//!
//! - where to listen: TCP or a Unix socket;
//! - error messages without secrets.
#![deny(missing_docs)]

mod listen;
mod secrets;

pub use listen::{Address, Listener, Stream};
pub use secrets::without_secrets;
