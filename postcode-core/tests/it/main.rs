//! The integration tests of postcode-core, in one binary, so that its dependencies are linked once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod embedded_country;
mod fuzz_corpora;
mod postcode_cases;
mod postcode_country;
mod postcode_errors;
mod postcode_properties;
mod remote;
