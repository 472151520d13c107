//! What the suite found.

use std::fmt::{self, Display};

/// What the suite found, case by case. `Display` is a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Report {
    /// The cases in the order of the suite.
    pub outcomes: Vec<Outcome>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its name.
    pub case: &'static str,
    /// The sentence of the contract that it checks.
    pub promise: &'static str,
    /// How it went.
    pub verdict: Verdict,
}

/// How a case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The promise is kept.
    Pass,
    /// The implementation says that it has not that operation, with this message.
    NotSupported(String),
    /// The promise is broken, in this way.
    Fail(String),
}

impl Report {
    /// Whether no promise is broken.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The cases whose promise is broken.
    pub fn failures(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Fail(_)))
    }

    /// The cases that the implementation says it has no operation for.
    pub fn not_supported(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::NotSupported(_)))
    }

    /// For a test.
    ///
    /// # Panics
    /// With the table, if a promise is broken or an operation is missing.
    #[track_caller]
    pub fn assert_complete(&self) {
        self.assert_passed();
        #[expect(clippy::panic, reason = "an assertion")]
        if self.not_supported().next().is_some() {
            panic!("some operations are not supported:\n{self}");
        }
    }

    /// For a test of an implementation that has not all operations.
    ///
    /// # Panics
    /// With the table, if a promise is broken.
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
