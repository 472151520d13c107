//! The integration tests of postcode-database, in one binary, so that its dependencies are linked
//! once.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

mod postgres;
mod sqlite;
