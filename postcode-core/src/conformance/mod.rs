//! The contract of [`PostcodeLookup`](crate::PostcodeLookup) as a suite with which any implementation can be checked.
//!
//! Fill your implementation with the records of a [`Fixture`] and run [`check`]:
//!
//! ```
//! use postcode_core::conformance::{Fixture, Reference, check};
//!
//! # futures::executor::block_on(async {
//! let fixture = Fixture::small();
//! let lookup = Reference::new(fixture.clone()); // yours here
//! check(&lookup, &fixture).await.assert_complete();
//! # });
//! ```
//!
//! [`check_any`] checks a lookup with any data, for example a service in production.
//! [`check_editions`] checks that no batch mixes two editions, for an implementation whose dataset
//! can change. [`differential`] checks that two implementations give equal answers, or errors of
//! the same kind, to any calls.

mod cases;
#[cfg(feature = "dataset")]
mod dataset;
mod differential;
mod find;
mod fixture;
mod reference;
mod report;
#[cfg(test)]
mod tests;

pub use cases::check_editions;
pub use differential::{AnyCall, Difference, differential};
pub use fixture::Fixture;
pub use reference::Reference;
pub use report::{Outcome, Report, Verdict};

use crate::{ErrorKind, Lookups, Record, Result};

/// Runs the whole suite on an implementation that is filled with the records of a fixture.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use postcode_core::conformance::{Fixture, Reference, check};
///
/// let fixture = Fixture::small();
/// let lookup = Reference::new(fixture.clone()); // yours here
/// assert!(check(&lookup, &fixture).await.passed());
/// # Ok(())
/// # }
/// ```
pub async fn check(lookup: &dyn Lookups, fixture: &Fixture) -> Report {
    run(cases::CASES, &cases::Suite::new(lookup, fixture)).await
}

/// The number of live postcodes that [`check_any`] samples.
const SAMPLES: usize = 12;

/// Runs the part of the suite that needs no fixture on a lookup with any data. It checks that
/// answers are consistent, that limits apply, and the general behaviour. The calls are derived from
/// a few random postcodes of the lookup.
///
/// ```
/// use postcode_core::conformance::{Fixture, Reference, check_any};
///
/// # futures::executor::block_on(async {
/// let lookup = Reference::new(Fixture::small()); // or `connect("http://…")`
/// check_any(&lookup).await.assert_complete();
/// # });
/// ```
pub async fn check_any(lookup: &dyn Lookups) -> Report {
    let fixture = match sample(lookup).await {
        Ok(fixture) => fixture,
        Err(error) => {
            let verdict = match error.kind() {
                ErrorKind::NotSupported => Verdict::NotSupported(error.to_string()),
                _ => Verdict::Fail(format!("no sample of the data: {error}")),
            };
            let promise = "info and random answer";
            return Report { outcomes: vec![Outcome { case: "sample", promise, verdict }] };
        }
    };
    run(cases::ANY, &cases::Suite::new(lookup, &fixture)).await
}

async fn sample(lookup: &dyn Lookups) -> Result<Fixture> {
    let info = lookup.info().await?;
    let mut records: Vec<Record> = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        records.extend(lookup.random(None).await?);
    }
    Ok(Fixture::new(info, records))
}

async fn run(cases: &[cases::Case], suite: &cases::Suite<'_>) -> Report {
    let mut outcomes = Vec::with_capacity(cases.len());
    for case in cases {
        outcomes.push(case.run(suite).await);
    }
    Report { outcomes }
}
