//! Jobs: what comes in, goes out, and in which order, on either database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for production"
)]

#[path = "../common/mod.rs"]
mod common;

mod callbacks;
mod database;
mod fairness;
mod receiver;
mod requests;
mod results;
