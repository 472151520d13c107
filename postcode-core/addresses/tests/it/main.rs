//! Tests of the crate from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod format;
mod format_properties;
#[cfg(feature = "layouts")]
mod layouts;
#[cfg(feature = "layouts")]
mod layouts_bad_input;
