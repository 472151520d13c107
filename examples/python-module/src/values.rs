//! Postcodes as texts.

use postcode_core::Postcode;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Reads a postcode, or fails with the reason as a `ValueError`.
pub(crate) fn postcode(text: &str) -> PyResult<Postcode> {
    text.parse().map_err(|error| PyValueError::new_err(format!("{text:?}: {error}")))
}

/// Returns a postcode in its usual spelling.
#[pyfunction]
pub(crate) fn parse(text: &str) -> PyResult<String> {
    postcode(text).map(|postcode| postcode.to_string())
}

/// Returns whether a text has the form of a postcode.
#[pyfunction]
pub(crate) fn is_postcode(text: &str) -> bool {
    text.parse::<Postcode>().is_ok()
}

/// Returns a postcode in its usual spelling, with characters repaired that are often confused, and
/// the changes: position, character as written, character as read.
#[pyfunction]
pub(crate) fn repair(text: &str) -> PyResult<(String, Vec<(usize, String, String)>)> {
    let repaired =
        Postcode::repair(text).map_err(|error| PyValueError::new_err(format!("{text:?}: {error}")))?;
    let changes = repaired.changes().iter();
    let changes = changes.map(|change| (change.at, change.from.to_string(), change.to.to_string()));
    Ok((repaired.value.to_string(), changes.collect()))
}
