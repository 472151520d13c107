//! Tests of the crate from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod format;
mod format_properties;
#[cfg(feature = "layouts")]
mod fuzz_corpora;
#[cfg(feature = "layouts")]
mod layouts;
#[cfg(feature = "layouts")]
mod layouts_bad_input;
#[cfg(all(feature = "conformance", feature = "proof"))]
mod proof;
