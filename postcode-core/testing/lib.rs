//! Helpers for the tests of all crates, so that no outcome depends on the machine or on what the tests inherit.
//!
//! | variable | effect |
//! |---|---|
//! | `CI=true` | a skipped test fails |
//! | `POSTCODE_TEST_SKIPS` | a file (absolute path) that gets a line for each skipped test |
//! | `POSTCODE_SHARED` | the folder of that data; by default `shared` next to the workspace |
//! | `POSTCODE_TEST_SECONDS` | how long one [`Proof`] may go on past its small size |
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[cfg(feature = "archives")]
mod archives;
mod described;
mod environment;
mod proof;
mod recorded;
mod skip;
#[cfg(feature = "archives")]
mod tables;
#[cfg(test)]
mod tests;
mod wait;

#[cfg(feature = "archives")]
pub use archives::{brotli, gzip, zipped};
pub use described::check_described;
pub use environment::{command, signal};
pub use proof::Proof;
pub use recorded::recorded_files;
pub use skip::{shared, skip};
#[cfg(feature = "archives")]
pub use tables::{WAYS, Way, workbook};
pub use wait::{GENEROUS, Nobody, until};

/// Writes a line to standard error, bypassing the test harness, which hides the output of passing
/// tests.
pub fn say(line: &str) {
    use std::io::Write;
    // In one piece, because other tests write too. The stream may be closed.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
