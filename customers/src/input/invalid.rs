//! Errors in the data that a caller sent.

use std::fmt;

use serde::Serialize;

/// All errors in the data that a caller sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Invalid {
    /// One entry for each error.
    pub errors: Vec<FieldError>,
}

/// An error in one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field, such as `postcode` or `addresses[1].address_lines[2]`.
    pub field: String,
    /// The message: what is wrong, and what to give instead.
    pub message: String,
    /// The value that was probably meant, if there is exactly one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl Invalid {
    pub(crate) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.add_with(field, message, None);
    }

    /// Adds an error with what was probably meant.
    pub(crate) fn add_with(
        &mut self,
        field: impl Into<String>,
        message: impl Into<String>,
        suggestion: Option<String>,
    ) {
        self.errors.push(FieldError { field: field.into(), message: message.into(), suggestion });
    }

    pub(crate) fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut invalid = Self::default();
        invalid.add(field, message);
        invalid
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.errors.iter().enumerate() {
            let separator = if n == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", error.field, error.message)?;
        }
        Ok(())
    }
}
