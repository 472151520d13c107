//! The HTTP API of the customers, and the loop that serves it.

mod body;
mod imports;
pub mod json;
mod listen;
mod page;
mod problem;
mod query;
mod routes;

pub use listen::{Limits, Listener, serve};
pub use problem::Problem;
pub use routes::router;
