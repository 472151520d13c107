//! That the modes are one: the suite of the contract on every implementation, any calls on both sides, the wire of
//! earlier versions, and the list of what does differ.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod any;
mod differential;
mod divergence;
mod golden;
mod implementations;
mod in_memory;
mod plain;
mod table;
