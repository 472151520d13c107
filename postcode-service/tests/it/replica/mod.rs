//! The replica: downloads, follows, goes on alone, and never answers from what came damaged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod damage;
mod editions;
mod over;
mod start;
