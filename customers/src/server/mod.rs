//! The HTTP API of the customers, and the loop that serves it.

mod accounts;
mod addresses;
mod body;
mod conditions;
mod imports;
pub mod json;
mod listen;
mod listing;
mod page;
mod problem;
mod query;
mod routes;

use crate::Customers;

pub use listen::serve;
pub use postcode_edge::{Address, ClientHeader, Limits, Listener, Proxies};
pub use problem::Problem;
pub use routes::{router, router_with};

/// What an operator may want otherwise.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Refuse a change of a customer without `If-Match`: 428. So that no client can overwrite what it has not read.
    pub require_if_match: bool,
}

/// What every route has.
#[derive(Clone, Debug)]
struct App {
    customers: Customers,
    options: Options,
}

type Answer<T> = Result<T, Problem>;
