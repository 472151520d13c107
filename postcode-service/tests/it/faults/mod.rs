//! Faults of the network, a service and its machine, on real sockets and with real processes. In
//! every case a call gets its answer or a typed error within its deadline, nothing leaks, other
//! calls are not affected, and everything recovers by itself when the fault has passed.
//!
//! Tests of the HTTP client alone, for each byte that can be wrong, are in
//! `postcode-core/tests/it/remote/faults.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bulkhead;
mod load;
mod processes;
mod proxy;
mod rolling;
mod service;
mod table;
