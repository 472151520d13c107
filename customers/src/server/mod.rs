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
mod problem;
mod query;
mod routes;

use crate::Customers;

use postcode_edge::Pool;

pub use listen::{serve, serve_with};
pub use postcode_edge::{Access, Address, ClientHeader, GateLimits, Limits, Listener, Proxies, Rate};
pub use problem::Problem;
pub use routes::{router, router_with};

/// What an operator may want otherwise.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Refuse a change of a customer without `If-Match`: 428. So that no client can overwrite what it has not read.
    pub require_if_match: bool,
    /// Who may do what. By default everybody may do everything.
    pub access: Access,
}

/// What every route has.
#[derive(Clone, Debug)]
struct App {
    customers: Customers,
    options: Options,
    /// Files that are being received and stored: some hundred megabytes of memory each.
    uploads: Pool,
}

/// The most of them at a time.
const MAX_UPLOADS: usize = 2;
/// Bytes a second: a file that comes more slowly loses its place when all are taken.
const SCARCE_SPEED: u64 = 64 << 10;

type Answer<T> = Result<T, Problem>;
