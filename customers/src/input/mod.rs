//! The data that a caller sends about a customer, and its checks.

pub(crate) mod addresses;
mod fields;
mod invalid;

use serde::Serialize;

use crate::{AddressKind, Customer, MAX_NAME, Reference};

pub(crate) use addresses::AddressDetails;
pub use addresses::NewAddress;
pub use invalid::{FieldError, Invalid};

/// The data of a customer, to create one or to replace a stored one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// use customers::NewCustomer;
///
/// let ada = NewCustomer {
///     name: "Ada Lovelace".into(),
///     email: "ada@example.com".into(),
///     postcode: "sw1y4jh".into(),
///     address_lines: vec!["12 St James's Square".into(), "London".into()],
///     ..NewCustomer::default()
/// };
/// assert_eq!(customers.create(ada).await?.postcode.to_string(), "SW1Y 4JH");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewCustomer {
    /// 1 to [`MAX_NAME`](crate::MAX_NAME) characters.
    pub name: String,
    /// A plain address such as `ada@example.com`, at most [`MAX_EMAIL`](crate::MAX_EMAIL) bytes. Must be unique among
    /// accounts, ignoring case.
    pub email: String,
    /// The main address's postcode as people type it. May be empty if
    /// [`addresses`](Self::addresses) contains the main address.
    pub postcode: String,
    /// The main address: 1 to [`MAX_ADDRESS_LINES`](crate::MAX_ADDRESS_LINES) lines of 1 to [`MAX_ADDRESS_LINE`](crate::MAX_ADDRESS_LINE) characters.
    /// Empty lines are dropped. May be empty if [`addresses`](Self::addresses) contains the main
    /// address.
    pub address_lines: Vec<String>,
    /// The main address's [`NewAddress::address_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_id: Option<String>,
    /// A telephone number as people type it. `Some("")` clears it; `None` keeps the stored value.
    pub phone: Option<String>,
    /// At most [`MAX_NOTES`](crate::MAX_NOTES) characters. `Some("")` clears them; `None` keeps the stored value.
    pub notes: Option<String>,
    /// At most [`MAX_REFERENCES`](crate::MAX_REFERENCES). `None` keeps the stored ones.
    pub references: Option<Vec<Reference>>,
    /// At most [`MAX_ADDRESSES`](crate::MAX_ADDRESSES). If the main address is not among them, the flat one or the stored
    /// one is used. `None` keeps the stored ones.
    pub addresses: Option<Vec<NewAddress>>,
}

/// A change to some fields of a customer. `None` keeps the stored value.
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
/// use customers::CustomerPatch;
///
/// let ada = customers.create(NewCustomer { notes: Some("calls on Mondays".into()), ..ada }).await?;
/// let patch = CustomerPatch { notes: Some("".into()), ..CustomerPatch::default() };
/// assert_eq!(customers.patch(ada.id, patch).await?.notes, None); // an empty text clears them
/// # Ok(())
/// # }
/// ```
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
    /// See [`NewAddress::address_id`].
    pub address_id: Option<String>,
    /// See [`NewCustomer::phone`].
    pub phone: Option<String>,
    /// See [`NewCustomer::notes`].
    pub notes: Option<String>,
    /// See [`NewCustomer::references`].
    pub references: Option<Vec<Reference>>,
    /// See [`NewCustomer::addresses`].
    pub addresses: Option<Vec<NewAddress>>,
}

impl From<NewCustomer> for CustomerPatch {
    fn from(new: NewCustomer) -> Self {
        let listed = new.addresses.is_some();
        Self {
            name: Some(new.name),
            email: Some(new.email),
            postcode: Some(new.postcode).filter(|postcode| !(listed && postcode.is_empty())),
            address_lines: Some(new.address_lines).filter(|lines| !(listed && lines.is_empty())),
            address_id: new.address_id,
            phone: new.phone,
            notes: new.notes,
            references: new.references,
            addresses: new.addresses,
        }
    }
}

/// A customer's data, checked and normalised, with the main address first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) phone: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) references: Vec<Reference>,
    pub(crate) addresses: Vec<AddressDetails>,
}

impl Details {
    /// Returns the details of a stored customer.
    pub(crate) fn of(customer: &Customer) -> Self {
        Self {
            name: customer.name.clone(),
            email: customer.email.clone(),
            phone: customer.phone.clone(),
            notes: customer.notes.clone(),
            references: customer.references.clone(),
            addresses: customer.addresses.iter().map(AddressDetails::from).collect(),
        }
    }
}

impl NewCustomer {
    /// Checks and normalises every field.
    ///
    /// # Errors
    /// All errors, not only the first.
    pub(crate) fn check(self) -> Result<Details, Invalid> {
        let lists_main = self.addresses.iter().flatten().any(|address| address.kind == AddressKind::Main);
        let (postcode, address_lines) = (self.postcode.clone(), self.address_lines.clone());
        let mut patch = CustomerPatch::from(self);
        if !lists_main {
            // A new account has no stored main address, so the flat fields are needed.
            (patch.postcode, patch.address_lines) = (Some(postcode), Some(address_lines));
        }
        patch.check(None)
    }
}

impl CustomerPatch {
    /// Returns the customer's details after the change.
    ///
    /// # Errors
    /// All errors, not only the first.
    pub(crate) fn check(self, current: Option<&Customer>) -> Result<Details, Invalid> {
        let mut invalid = Invalid::default();
        let held = |of: fn(&Customer) -> &String| current.map(of).cloned().unwrap_or_default();
        let name = self.name.unwrap_or_else(|| held(|customer| &customer.name));
        let name = fields::line(&mut invalid, "name", &name, MAX_NAME);
        let email = self.email.unwrap_or_else(|| held(|customer| &customer.email));
        let email = fields::email(&mut invalid, &email);
        let phone = match self.phone {
            Some(phone) => fields::phone(&mut invalid, &phone),
            None => current.and_then(|customer| customer.phone.clone()),
        };
        let notes = match self.notes {
            Some(notes) => fields::notes(&mut invalid, &notes),
            None => current.and_then(|customer| customer.notes.clone()),
        };
        let references = match self.references {
            Some(references) => fields::references(&mut invalid, &references),
            None => current.map(|customer| customer.references.clone()).unwrap_or_default(),
        };
        let (postcode, lines) = (self.postcode.as_deref(), self.address_lines.as_deref());
        let id = self.address_id.as_deref();
        let addresses = addresses::of(&mut invalid, postcode, lines, id, self.addresses, current);
        if invalid.errors.is_empty() {
            Ok(Details { name, email, phone, notes, references, addresses })
        } else {
            Err(invalid)
        }
    }
}

#[cfg(test)]
mod tests {
    use postcode_core::Postcode;

    use super::*;
    use crate::{MAX_ADDRESS_LINE, MAX_ADDRESS_LINES, MAX_POSTCODE};

    fn new() -> NewCustomer {
        NewCustomer {
            name: " Ada Lovelace ".into(),
            email: " ada@example.com ".into(),
            postcode: "sw1a1aa".into(),
            address_lines: vec!["  Buckingham Palace".into(), " ".into(), "London".into()],
            ..NewCustomer::default()
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
        assert_eq!(details.addresses[0].postcode.to_string(), "SW1A 1AA");
        assert_eq!(details.addresses[0].address_lines, ["Buckingham Palace", "London"]);
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
