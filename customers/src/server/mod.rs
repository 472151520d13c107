//! The HTTP API of the customers, and the loop that serves it.

mod access;
mod accounts;
mod addresses;
mod body;
mod conditions;
mod guard;
mod imports;
pub mod json;
mod listen;
mod listing;
mod page;
mod pieces;
mod problem;
mod query;
mod routes;

use std::sync::Arc;
use std::time::Duration;

use postcode_edge::Pool;
use tokio::sync::Semaphore;

use crate::Customers;

pub use guard::guarded;
pub use listen::{serve, serve_with};
pub use postcode_edge::{
    Access, Address, ClientHeader, GateLimits, HostName, Hosts, Limits, Listener, Proxies, Rate,
};
pub use problem::Problem;
pub use routes::{router, router_with};

/// What an operator may want otherwise.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Refuse a change of a customer without `If-Match`: 428. So that no client can overwrite what it has not read.
    pub require_if_match: bool,
    /// The names that are answered to. `None`: any, and no request is asked which page sent it; for a router within another
    /// one, which sees to that.
    pub hosts: Option<Hosts>,
    /// How long a request may take, its body included: then it is answered 504. Uploads, exports and reports keep their own
    /// time.
    pub request_timeout: Duration,
    /// Exports and reports that are sent at once: others are answered 503.
    pub exports: usize,
    /// Who may do what. By default everybody may do everything.
    pub access: Access,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            require_if_match: false,
            hosts: None,
            request_timeout: Duration::from_secs(15),
            exports: 4,
            access: Access::default(),
        }
    }
}

/// What every route has.
#[derive(Clone, Debug)]
struct App {
    customers: Customers,
    options: Options,
    exports: Arc<Semaphore>,
    /// Files that are being received and stored: some hundred megabytes of memory each.
    uploads: Pool,
}

/// The most of them at a time.
const MAX_FILES: usize = 2;
/// Bytes a second: a file that comes more slowly loses its place when all are taken.
const SCARCE_SPEED: u64 = 64 << 10;

type Answer<T> = Result<T, Problem>;
