//! The HTTP API of the customers, and the loop that serves it.

mod access;
mod accounts;
mod addresses;
mod body;
mod conditions;
mod description;
mod guard;
mod imports;
pub mod json;
mod listen;
mod listing;
mod metrics;
mod page;
mod pieces;
mod problem;
mod query;
mod routes;
mod served;
pub mod sign_in;

use std::time::Duration;

use postcode_database::Recent;
use postcode_edge::Pool;

use crate::{AddressStatus, Customers};

pub use guard::guarded;
pub use listen::{serve, serve_with};
pub use metrics::Metrics;
pub use postcode_edge::{
    Access, Address, ClientHeader, GateLimits, HostName, Hosts, Limits, Listener, Proxies, Rate,
};
pub use problem::Problem;
pub use routes::{router, router_with};
pub use served::served;

/// Options for operators.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Whether to answer 428 to a change without `If-Match`, so that no client can overwrite a
    /// change that it has not read.
    pub require_if_match: bool,
    /// The accepted host names. `None` accepts any, and also skips the check of the origin; use it
    /// for a router inside another one that does both.
    pub hosts: Option<Hosts>,
    /// The time limit of a request, its body included; then it is answered 504. Uploads, exports
    /// and reports have separate limits.
    pub request_timeout: Duration,
    /// The most exports and reports at once, of which one client may have half. Others are answered
    /// 503.
    pub exports: usize,
    /// The access rules. By default everyone may do everything.
    pub access: Access,
    /// The counts that `/metrics` shows.
    pub metrics: Metrics,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            require_if_match: false,
            hosts: None,
            request_timeout: Duration::from_secs(15),
            exports: 4,
            access: Access::default(),
            metrics: Metrics::default(),
        }
    }
}

/// The state that every route shares.
#[derive(Clone, Debug)]
struct App {
    customers: Customers,
    options: Options,
    /// Limits how many exports and reports are sent at once.
    exports: Pool,
    /// Limits how many uploads are held in memory at once, some hundred megabytes each.
    uploads: Pool,
    /// Limits how many listings and histories are read at once.
    listings: Pool,
    /// The addresses by status for `/metrics`, if they could be counted. The count reads every address
    /// that is not verified.
    address_counts: Recent<Option<Vec<(AddressStatus, i64)>>>,
}

/// The most uploads at once.
const MAX_FILES: usize = 2;
/// The most listings and histories that are read at once: as many as have a connection.
const MAX_LISTINGS: usize = 3;
/// How long a listing waits for its place.
const LISTING_WAIT: Duration = Duration::from_secs(5);
/// Bytes a second. A slower upload, export or report loses its place to another when all places are taken.
const SCARCE_SPEED: u64 = 64 << 10;

/// How long a count of addresses is shown before they are counted again.
const COUNTS_KEPT: Duration = Duration::from_secs(5);

type Answer<T> = Result<T, Problem>;
