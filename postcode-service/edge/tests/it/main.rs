//! The integration tests of postcode-edge, in one binary, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // In a test it is the failure.

mod connections;
mod refusals;
mod server;
