//! What a network, a service and its machine can do wrong, on real sockets and with real processes. Whatever
//! happens: a call gets its answer or a typed error within its deadline, nothing leaks, nothing else suffers, and when
//! the fault has passed all is well again by itself.
//!
//! Tests of the HTTP client alone, for each byte that can be wrong, are in `postcode-core/tests/it/remote/faults.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bulkhead;
mod load;
mod processes;
mod proxy;
mod rolling;
mod service;
mod table;
