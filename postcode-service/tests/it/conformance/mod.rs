//! Tests that both modes behave alike: the contract's suite on every implementation, random calls
//! on both sides, the wire format of earlier versions, and a list of all differences.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod any;
mod differential;
mod divergence;
mod golden;
mod implementations;
pub(crate) mod in_memory;
mod plain;
mod table;
