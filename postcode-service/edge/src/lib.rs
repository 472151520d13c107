//! The listening side that `postcode-service` and `customers` share.
//!
//! Both programs take connections from people they do not know. What protects them is the same for both, so it is
//! written once, here:
//!
//! - where to listen: TCP or a Unix socket.
//! - which names the server answers to, and which pages may call it.
#![deny(missing_docs)]

mod hosts;
mod listen;

pub use hosts::{HostName, Hosts, Refused};
pub use listen::{Address, Listener, Stream};
