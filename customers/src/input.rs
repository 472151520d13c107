//! What a caller may say of a customer, and the check of it.

use std::fmt;

use email_address::{EmailAddress, Options};
use postcode_core::Postcode;
use serde::Serialize;

use crate::Customer;

/// The longest name, in characters.
pub const MAX_NAME: usize = 200;
/// The longest email address, in bytes (RFC 5321 section 4.5.3.1.3, without its angle brackets).
pub const MAX_EMAIL: usize = 254;
/// The longest text that is tried as a postcode, in bytes; room for generous spacing.
pub const MAX_POSTCODE: usize = 64;
/// The most address lines above the postcode.
pub const MAX_ADDRESS_LINES: usize = 10;
/// The longest address line, in characters.
pub const MAX_ADDRESS_LINE: usize = 200;

/// What makes a customer: to create one, or to replace what one holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewCustomer {
    /// 1 to [`MAX_NAME`] characters.
    pub name: String,
    /// A plain address such as `ada@example.com`, at most [`MAX_EMAIL`] bytes.
    pub email: String,
    /// A postcode as people type it.
    pub postcode: String,
    /// 1 to [`MAX_ADDRESS_LINES`] lines of 1 to [`MAX_ADDRESS_LINE`] characters; empty ones are left out.
    pub address_lines: Vec<String>,
}

/// A change to some of what a customer holds; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerPatch {
    /// See [`NewCustomer::name`].
    pub name: Option<String>,
    /// See [`NewCustomer::email`].
    pub email: Option<String>,
    /// See [`NewCustomer::postcode`].
    pub postcode: Option<String>,
    /// See [`NewCustomer::address_lines`].
    pub address_lines: Option<Vec<String>>,
}

impl CustomerPatch {
    /// What the customer is to hold after the change.
    pub(crate) fn over(self, customer: &Customer) -> NewCustomer {
        NewCustomer {
            name: self.name.unwrap_or_else(|| customer.name.clone()),
            email: self.email.unwrap_or_else(|| customer.email.clone()),
            postcode: self.postcode.unwrap_or_else(|| customer.postcode.to_string()),
            address_lines: self.address_lines.unwrap_or_else(|| customer.address_lines.clone()),
        }
    }
}

/// What a caller said, checked and normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) postcode: Postcode,
    pub(crate) address_lines: Vec<String>,
}

/// Everything that is wrong with what a caller said.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Invalid {
    /// One entry for each thing that is wrong.
    pub errors: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field, such as `postcode` or `address_lines[2]`.
    pub field: String,
    /// What is wrong with it and what to give instead.
    pub message: String,
}

impl Invalid {
    pub(crate) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError { field: field.into(), message: message.into() });
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

impl NewCustomer {
    /// Checks every field and normalises it: surrounding space goes, the postcode takes its usual form.
    ///
    /// # Errors
    /// All that is wrong, not only the first.
    pub(crate) fn check(self) -> Result<Details, Invalid> {
        let mut invalid = Invalid::default();
        let name = line(&mut invalid, "name", &self.name, MAX_NAME);
        let email = email(&mut invalid, &self.email);
        let postcode = postcode(&mut invalid, &self.postcode);
        let address_lines = address_lines(&mut invalid, &self.address_lines);
        match postcode {
            Some(postcode) if invalid.errors.is_empty() => {
                Ok(Details { name, email, postcode, address_lines })
            }
            _ => Err(invalid),
        }
    }
}

/// One line of text, trimmed.
fn line(invalid: &mut Invalid, field: &str, text: &str, max: usize) -> String {
    let text = text.trim();
    let length = text.chars().count();
    if text.is_empty() {
        invalid.add(field, "is empty");
    } else if length > max {
        invalid.add(field, format!("is {length} characters long: give at most {max}"));
    } else if text.chars().any(char::is_control) {
        invalid.add(field, "has a line break or another control character in it");
    }
    text.to_owned()
}

fn email(invalid: &mut Invalid, text: &str) -> String {
    let text = text.trim();
    let options = Options::default().without_display_text().without_domain_literal();
    if text.is_empty() {
        invalid.add("email", "is empty");
    } else if text.len() > MAX_EMAIL {
        invalid.add("email", format!("is {} bytes long: give at most {MAX_EMAIL}", text.len()));
    } else if let Err(error) = EmailAddress::parse_with_options(text, options) {
        invalid.add("email", format!("{}: {error}; give one such as ada@example.com", quoted(text)));
    }
    text.to_owned()
}

fn postcode(invalid: &mut Invalid, text: &str) -> Option<Postcode> {
    if text.len() > MAX_POSTCODE {
        invalid.add("postcode", format!("is {} bytes long: give at most {MAX_POSTCODE}", text.len()));
        return None;
    }
    text.parse().map_err(|error| invalid.add("postcode", format!("{}: {error}", quoted(text)))).ok()
}

fn address_lines(invalid: &mut Invalid, lines: &[String]) -> Vec<String> {
    let mut checked = Vec::new();
    // Forms send their empty lines too; they say nothing, and are not part of an address.
    let filled = lines.iter().enumerate().filter(|(_, text)| !text.trim().is_empty());
    for (n, text) in filled.take(MAX_ADDRESS_LINES + 1) {
        checked.push(line(invalid, &format!("address_lines[{n}]"), text, MAX_ADDRESS_LINE));
    }
    if checked.is_empty() {
        invalid.add("address_lines", "has no line: give at least one, such as a house number and street");
    } else if checked.len() > MAX_ADDRESS_LINES {
        invalid.add("address_lines", format!("has too many lines: give at most {MAX_ADDRESS_LINES}"));
    }
    checked
}

/// A text quoted in a message, cut short where it is long.
fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> NewCustomer {
        NewCustomer {
            name: " Ada Lovelace ".into(),
            email: " ada@example.com ".into(),
            postcode: "sw1a1aa".into(),
            address_lines: vec!["  Buckingham Palace".into(), " ".into(), "London".into()],
        }
    }

    fn fields(new: NewCustomer) -> Vec<String> {
        new.check().unwrap_err().errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn what_is_said_is_normalised() {
        let details = new().check().unwrap();
        assert_eq!(details.name, "Ada Lovelace");
        assert_eq!(details.email, "ada@example.com");
        assert_eq!(details.postcode.to_string(), "SW1A 1AA");
        assert_eq!(details.address_lines, ["Buckingham Palace", "London"]);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let nothing = NewCustomer::default();
        assert_eq!(fields(nothing), ["name", "email", "postcode", "address_lines"]);
    }

    #[test]
    fn the_postcodes_error_says_why() {
        let error = NewCustomer { postcode: "nonsense".into(), ..new() }.check().unwrap_err();
        let why = "nonsense".parse::<Postcode>().unwrap_err();
        assert_eq!(error.to_string(), format!("postcode: \"nonsense\": {why}"));
    }

    #[test]
    fn limits_are_the_last_that_is_allowed() {
        let name = |n| NewCustomer { name: "ÿ".repeat(n), ..new() };
        assert!(name(MAX_NAME).check().is_ok());
        assert_eq!(fields(name(MAX_NAME + 1)), ["name"]);

        let lines = |n: usize| NewCustomer { address_lines: vec!["x".into(); n], ..new() };
        assert!(lines(MAX_ADDRESS_LINES).check().is_ok());
        assert_eq!(fields(lines(MAX_ADDRESS_LINES + 1)), ["address_lines"]);
        assert_eq!(fields(lines(1_000_000)), ["address_lines"]);

        let line = |n| NewCustomer { address_lines: vec!["a".into(), "x".repeat(n)], ..new() };
        assert!(line(MAX_ADDRESS_LINE).check().is_ok());
        assert_eq!(fields(line(MAX_ADDRESS_LINE + 1)), ["address_lines[1]"]);

        assert_eq!(fields(NewCustomer { postcode: " ".repeat(MAX_POSTCODE + 1), ..new() }), ["postcode"]);
        assert_eq!(fields(NewCustomer { name: "a\nb".into(), ..new() }), ["name"]);
    }

    #[test]
    fn emails_that_no_mail_reaches_are_refused() {
        for good in ["a@example.com", "o'neil+tag@mail.example.co.uk", "ünï@bücher.example"] {
            assert!(NewCustomer { email: good.into(), ..new() }.check().is_ok(), "{good}");
        }
        let long = format!("a@{}.example", "b".repeat(300));
        for bad in ["", "ada", "@example.com", "ada@", "a b@example.com", "a@b@c.d", "Ada <a@b.c>", &long] {
            assert_eq!(fields(NewCustomer { email: bad.into(), ..new() }), ["email"], "{bad}");
        }
    }
}
