//! The results of the suite.

use std::fmt::{self, Display};

/// The results of the suite, case by case. `Display` writes a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Report {
    /// The cases in the order of the suite.
    pub outcomes: Vec<Outcome>,
}

/// The result of one case.
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
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// Returns the cases whose promise is broken.
    pub fn failures(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Fail(_)))
    }

    /// Returns the cases whose operation the implementation does not support.
    pub fn not_supported(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::NotSupported(_)))
    }

    /// Asserts that every promise is kept, for a test.
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
