//! Errors in the data that a caller sent.

use std::fmt;

use serde::Serialize;

/// The most errors that one response reports. A small body can have thousands.
const MAX_ERRORS: usize = 50;

/// The errors in the data that a caller sent.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// # use customers::NewCustomer;
/// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
/// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
/// use customers::Error;
///
/// let Err(Error::Invalid(invalid)) = customers.create(NewCustomer { name: "".into(), email: "ada".into(), ..ada }).await else {
///     panic!("it was accepted");
/// };
/// let fields: Vec<_> = invalid.errors.iter().map(|error| &*error.field).collect();
/// assert_eq!(fields, ["name", "email"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Invalid {
    /// One entry for each error, at most 50. If there are more, a last entry for the field `errors` says so.
    pub errors: Vec<FieldError>,
}

/// An error in one field.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// # use customers::NewCustomer;
/// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
/// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
/// use customers::Error;
///
/// let Err(Error::Invalid(invalid)) = customers.create(NewCustomer { postcode: "SWIY 4JH".into(), ..ada }).await else {
///     panic!("it was accepted");
/// };
/// let error = &invalid.errors[0];
/// assert_eq!((&*error.field, error.suggestion.as_deref()), ("postcode", Some("SW1Y 4JH")));
/// # Ok(())
/// # }
/// ```
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
    /// The field of the entry that says that there are more errors.
    pub(crate) const MORE: &str = "errors";

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
        let error = match self.errors.len() {
            0..MAX_ERRORS => FieldError { field: field.into(), message: message.into(), suggestion },
            MAX_ERRORS => FieldError {
                field: Self::MORE.to_owned(),
                message: format!("are more than {MAX_ERRORS}: correct these first to see the others"),
                suggestion: None,
            },
            _ => return,
        };
        self.errors.push(error);
    }

    /// Adds an error if a list has more than `max` entries. Returns whether it has.
    pub(crate) fn too_many(&mut self, field: &str, len: usize, max: usize) -> bool {
        let too_many = len > max;
        if too_many {
            self.add(field, format!("has {len} entries: give at most {max}"));
        }
        too_many
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_above_the_limit_are_one_entry_that_says_so() {
        let mut invalid = Invalid::default();
        for n in 0..MAX_ERRORS {
            invalid.add(format!("field{n}"), "is missing");
        }
        assert!(invalid.errors.iter().all(|error| error.message == "is missing"), "{invalid}");
        for n in 0..1_000 {
            invalid.add(format!("other{n}"), "is missing");
        }
        assert_eq!(invalid.errors.len(), MAX_ERRORS + 1);
        let last = invalid.errors.last().unwrap();
        assert_eq!(
            (&*last.field, &*last.message),
            (Invalid::MORE, "are more than 50: correct these first to see the others")
        );
    }
}
