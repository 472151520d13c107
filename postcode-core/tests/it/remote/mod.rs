//! Tests the HTTP client with fake servers: one that answers like ours, one that answers like
//! postcodes.io, and many that fail.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod answers;
mod batches;
mod errors;
mod fake;
mod faults;
mod places;
mod postcodes_io;
mod recorded;
mod sockets;
mod time;
mod units;
