//! The results of the suite.

use std::fmt::{self, Display};

/// The results of the suite, case by case. `Display` writes a table.
///
/// [`passed`](Self::passed) sums it up, [`failures`](Self::failures) and [`not_supported`](Self::not_supported) list cases,
/// and [`assert_complete`](Self::assert_complete) and [`assert_passed`](Self::assert_passed) end a test:
///
/// ```
/// use postcode_core::conformance::{Outcome, Report, Verdict};
///
/// let broken = Outcome { case: "order", promise: "postcodes ascend", verdict: Verdict::Fail("M1 after N1".to_owned()) };
/// let report = Report { outcomes: vec![broken] };
/// assert!(!report.passed());
/// assert_eq!(report.failures().count(), 1);
/// assert_eq!(report.not_supported().count(), 0);
/// println!("{report}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Report {
    /// The cases in the order of the suite.
    pub outcomes: Vec<Outcome>,
}

/// The result of one case.
///
/// ```
/// use postcode_core::conformance::{Outcome, Verdict};
///
/// let outcome = Outcome { case: "order", promise: "postcodes ascend", verdict: Verdict::Pass };
/// assert_eq!(outcome.verdict, Verdict::Pass);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The name of the case.
    pub case: &'static str,
    /// The promise of the contract that it checks.
    pub promise: &'static str,
    /// The result.
    pub verdict: Verdict,
}

/// The result of a case.
///
/// ```
/// use postcode_core::conformance::Verdict;
///
/// let verdict = Verdict::NotSupported("the data has no places".to_owned());
/// assert!(!matches!(verdict, Verdict::Fail(_)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The promise is kept.
    Pass,
    /// The implementation does not support the operation, with this message.
    NotSupported(String),
    /// The promise is broken, with this message.
    Fail(String),
}

impl Report {
    /// Returns whether no promise is broken.
    ///
    /// ```
    /// use postcode_core::conformance::{Outcome, Report, Verdict};
    ///
    /// let outcome = |verdict| Outcome { case: "place", promise: "a place by its code", verdict };
    /// let report = |verdict| Report { outcomes: vec![outcome(verdict)] };
    /// assert!(report(Verdict::NotSupported("the data has no places".to_owned())).passed());
    /// assert!(!report(Verdict::Fail("another place".to_owned())).passed());
    /// ```
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// Returns the cases whose promise is broken.
    ///
    /// ```
    /// use postcode_core::conformance::{Outcome, Report, Verdict};
    ///
    /// let outcome = |case, verdict| Outcome { case, promise: "postcodes ascend", verdict };
    /// let broken = Verdict::Fail("M1 after N1".to_owned());
    /// let report = Report { outcomes: vec![outcome("search", Verdict::Pass), outcome("nearest", broken)] };
    /// assert_eq!(report.failures().map(|outcome| outcome.case).collect::<Vec<_>>(), ["nearest"]);
    /// ```
    pub fn failures(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Fail(_)))
    }

    /// Returns the cases whose operation the implementation does not support.
    ///
    /// ```
    /// use postcode_core::conformance::{Outcome, Report, Verdict};
    ///
    /// let verdict = Verdict::NotSupported("the data has no places".to_owned());
    /// let report = Report { outcomes: vec![Outcome { case: "place", promise: "a place by its code", verdict }] };
    /// assert_eq!(report.not_supported().count(), 1);
    /// ```
    pub fn not_supported(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::NotSupported(_)))
    }

    /// Asserts that every promise is kept, for a test.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::conformance::{Fixture, Reference, check};
    ///
    /// let fixture = Fixture::small();
    /// check(&Reference::new(fixture.clone()), &fixture).await.assert_complete();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics with the table if a promise is broken or an operation is not supported.
    #[track_caller]
    pub fn assert_complete(&self) {
        self.assert_passed();
        #[expect(clippy::panic, reason = "an assertion")]
        if self.not_supported().next().is_some() {
            panic!("some operations are not supported:\n{self}");
        }
    }

    /// Asserts that every supported promise is kept, for a test of an implementation without some
    /// operations.
    ///
    /// ```
    /// use postcode_core::conformance::{Outcome, Report, Verdict};
    ///
    /// let verdict = Verdict::NotSupported("the data has no places".to_owned());
    /// Report { outcomes: vec![Outcome { case: "place", promise: "by code", verdict }] }.assert_passed();
    /// ```
    ///
    /// # Panics
    /// Panics with the table if a promise is broken.
    #[track_caller]
    pub fn assert_passed(&self) {
        #[expect(clippy::panic, reason = "an assertion")]
        if !self.passed() {
            panic!("the contract of PostcodeLookup is not kept:\n{self}");
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Outcome { case, promise, verdict } in &self.outcomes {
            match verdict {
                Verdict::Pass => writeln!(f, "pass           {case:32} {promise}")?,
                Verdict::NotSupported(message) => {
                    writeln!(f, "not supported  {case:32} {promise}\n               {message}")?;
                }
                Verdict::Fail(message) => {
                    writeln!(f, "FAIL           {case:32} {promise}\n               {message}")?;
                }
            }
        }
        let failed = self.failures().count();
        let missing = self.not_supported().count();
        write!(
            f,
            "{} passed, {missing} not supported, {failed} failed",
            self.outcomes.len() - failed - missing
        )
    }
}
