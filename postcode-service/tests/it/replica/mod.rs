//! The replica: it downloads, follows, works without its service, and never uses damaged data.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod damage;
mod editions;
mod over;
mod start;
