//! The database code that `postcode-service` and `customers` share, for SQLite and PostgreSQL.
//!
//! - [`begin`] starts every transaction that writes. A connection that failed to begin, commit or
//!   roll back is closed and replaced, so one full disk does not end all later writes.
//! - [`replace_broken`] does the same for transactions that a library begins on the pool.
//! - [`Cause`] classifies a failure, so that both programs answer it alike.
//! - [`Readiness`] is the write that `/ready` tries.
//! - [`Recent`] keeps the result of a query for a while.
//! - [`make_private`] creates a database file that only its owner can read.
#![deny(missing_docs)]

mod cause;
mod private;
mod readiness;
mod recent;
#[cfg(feature = "testing")]
pub mod testing;
mod transaction;

pub use cause::Cause;
pub use private::make_private;
pub use readiness::{FILLERS, Readiness};
pub use recent::Recent;
pub use transaction::{Transaction, Transactional, begin, replace_broken};
