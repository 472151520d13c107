//! The context of the cases: the lookup, the right answers, and functions to compare them.

use std::fmt::Debug;

use crate::conformance::{Fixture, Reference};
use crate::{Error, ErrorKind, Postcode, PostcodeLookup, Result};

/// The context of the cases.
pub(crate) struct Suite<'a> {
    pub(super) lookup: &'a dyn PostcodeLookup,
    pub(super) fixture: &'a Fixture,
    /// Gives the right answers.
    pub(super) reference: Reference,
}

impl<'a> Suite<'a> {
    pub(crate) fn new(lookup: &'a dyn PostcodeLookup, fixture: &'a Fixture) -> Self {
        Self { lookup, fixture, reference: Reference::new(fixture.clone()) }
    }
}

/// A broken promise, or an unsupported operation.
pub(super) enum Broken {
    NotSupported(String),
    Fail(String),
}

pub(super) type Checked = Result<(), Broken>;

impl From<Error> for Broken {
    /// Turns an error into a failure: an answer is expected.
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::NotSupported => Self::NotSupported(error.to_string()),
            kind => Self::Fail(format!("an error where an answer is due: {kind:?}: {error}")),
        }
    }
}

/// Checks that two answers are equal.
pub(super) fn equal<T: Debug + PartialEq>(question: impl Debug, got: &T, due: &T) -> Checked {
    if got == due {
        return Ok(());
    }
    Err(Broken::Fail(format!("{question:?}: {} where {} is due", shorten(got), shorten(due))))
}

/// Checks a condition.
pub(super) fn holds(holds: bool, otherwise: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Broken::Fail(otherwise())) }
}

/// Checks that a call is refused as invalid input, and not as a transient error.
pub(super) fn refused<T: Debug>(question: impl Debug, got: Result<T>) -> Checked {
    match got {
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            holds(!error.is_transient(), || format!("{question:?}: InvalidInput that is transient"))?;
            holds(!error.message().is_empty(), || format!("{question:?}: InvalidInput without a message"))
        }
        Err(error) if error.kind() == ErrorKind::NotSupported => Err(error.into()),
        other => Err(Broken::Fail(format!("{question:?}: {} where InvalidInput is due", shorten(&other)))),
    }
}

fn shorten(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

pub(super) fn postcode(text: &str) -> Result<Postcode> {
    text.parse().map_err(|error| Error::invalid(format!("{text:?}: {error}")))
}
