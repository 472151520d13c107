//! The orders of a listing.

use std::fmt;
use std::str::FromStr;

/// The order of a listing. Its text is the name of a field, with `-` before it if the order
/// descends: `name`, `-updated`.
///
/// ```
/// use customers::{Sort, SortField};
///
/// let sort: Sort = "-updated".parse()?;
/// assert_eq!(sort, Sort { by: SortField::Updated, descending: true });
/// assert_eq!(sort.to_string(), "-updated");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort {
    /// The field.
    pub by: SortField,
    /// Whether the last comes first.
    pub descending: bool,
}

/// A field by which a listing can be sorted. Equal values are sorted by the creation of the
/// accounts.
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
/// use customers::{Filter, Sort, SortField};
///
/// customers.create(ada.clone()).await?;
/// customers.create(NewCustomer { name: "Åsa Berg".into(), email: "asa@example.com".into(), ..ada }).await?;
/// let filter = Filter { sort: Sort { by: SortField::Name, descending: false }, ..Filter::default() };
/// let page = customers.search(&filter, 10, None).await?;
/// assert_eq!(page.items[1].name, "Åsa Berg"); // A, d and then A, s
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortField {
    /// The creation of the account.
    #[default]
    Created,
    /// The last change.
    Updated,
    /// The name, without case and accents.
    Name,
    /// The email, without case.
    Email,
    /// The postcode of the main address.
    Postcode,
}

impl SortField {
    pub(crate) const ALL: [Self; 5] = [Self::Created, Self::Updated, Self::Name, Self::Email, Self::Postcode];

    /// Returns the name that the API uses.
    ///
    /// ```
    /// use customers::SortField;
    ///
    /// assert_eq!(SortField::Postcode.as_str(), "postcode");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Name => "name",
            Self::Email => "email",
            Self::Postcode => "postcode",
        }
    }
}

/// The error for a text that does not name an order.
///
/// ```
/// use customers::{ParseSortError, Sort};
///
/// let error = "size".parse::<Sort>().unwrap_err();
/// assert_eq!(error, ParseSortError);
/// assert!(error.to_string().starts_with("give one of created, updated, name"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give one of created, updated, name, email, postcode, with - before it to begin with the last")]
pub struct ParseSortError;

impl FromStr for Sort {
    type Err = ParseSortError;
    fn from_str(text: &str) -> Result<Self, ParseSortError> {
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let by = SortField::ALL.into_iter().find(|by| by.as_str() == name).ok_or(ParseSortError)?;
        Ok(Self { by, descending })
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.descending { "-" } else { "" }, self.by.as_str())
    }
}
