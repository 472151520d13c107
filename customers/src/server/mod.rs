//! The HTTP API of the customers, and the loop that serves it.

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

use tokio::sync::Semaphore;

use crate::Customers;

pub use guard::guarded;
pub use listen::{Limits, Listener, serve};
pub use postcode_edge::{HostName, Hosts};
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
}

impl Default for Options {
    fn default() -> Self {
        Self { require_if_match: false, hosts: None, request_timeout: Duration::from_secs(15), exports: 4 }
    }
}

/// What every route has.
#[derive(Clone, Debug)]
struct App {
    customers: Customers,
    options: Options,
    exports: Arc<Semaphore>,
}

type Answer<T> = Result<T, Problem>;
