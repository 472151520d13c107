//! The columns of a file of customers, by their headings.

use crate::MAX_ADDRESS_LINES;

/// The most columns: more than all known ones.
pub(super) const MAX_COLUMNS: usize = 64;

/// The columns that are added to rows that failed: the line, and why. An import ignores them, so that the mended file can be
/// sent as it is.
pub(crate) const ADDED: [&str; 2] = ["import_line", "import_reason"];

/// The meaning of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    /// A part of the name, such as a first name.
    NamePart,
    Email,
    Postcode,
    Address,
    AddressLine,
    Phone,
    Notes,
    Reference(String),
    /// A column without a heading, as spreadsheets leave them.
    Unnamed,
    /// A column that was added to the rows that failed in an earlier import.
    Added,
    /// A column that the caller leaves out.
    Ignored,
}

impl Column {
    /// Recognises a heading, also as other tools write it: `Post Code`, `E-mail`, `Address Line 1`.
    pub(super) fn named(header: &str) -> Option<Self> {
        let header = header.trim();
        if let Some((kind, system)) = header.split_once(':').filter(|(kind, _)| plain(kind) == "reference") {
            return (!kind.is_empty()).then(|| Self::Reference(system.trim().into()));
        }
        Some(match plain(header).as_str() {
            "" => Self::Unnamed,
            _ if ADDED.contains(&header) => Self::Added,
            "name" | "fullname" | "customer" | "customername" | "contactname" => Self::Name,
            "namepart" | "firstname" | "forename" | "givenname" | "lastname" | "surname" | "familyname" => {
                Self::NamePart
            }
            "email" | "emailaddress" | "mail" => Self::Email,
            "postcode" | "postalcode" | "zip" | "zipcode" => Self::Postcode,
            "address" | "addresslines" | "fulladdress" => Self::Address,
            "addressline" | "street" | "streetaddress" | "town" | "city" | "county" => Self::AddressLine,
            "phone" | "phonenumber" | "telephone" | "telephonenumber" | "tel" | "mobile" | "mobilenumber" => {
                Self::Phone
            }
            "notes" | "note" | "comments" | "comment" => Self::Notes,
            name => {
                let number = name.strip_prefix("addressline").or_else(|| name.strip_prefix("address"))?;
                let number: usize = number.parse().ok()?;
                (1..=MAX_ADDRESS_LINES).contains(&number).then_some(Self::AddressLine)?
            }
        })
    }

    /// Returns the column of that name, as callers give it.
    pub(super) fn meant(name: &str) -> Option<Self> {
        match name.trim() {
            "ignore" => Some(Self::Ignored),
            "" => None,
            name => Self::named(name).filter(|column| *column != Self::Unnamed),
        }
    }

    /// Returns the name under which callers give the column. [`meant`](Self::meant) reads it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Name => "name".into(),
            Self::NamePart => "name_part".into(),
            Self::Email => "email".into(),
            Self::Postcode => "postcode".into(),
            Self::Address => "address".into(),
            Self::AddressLine => "address_line".into(),
            Self::Phone => "phone".into(),
            Self::Notes => "notes".into(),
            Self::Reference(system) => format!("reference:{system}"),
            Self::Unnamed | Self::Added | Self::Ignored => "ignore".into(),
        }
    }

    /// Returns a name for a column that may appear once only.
    pub(super) fn once(&self, header: &str) -> Option<String> {
        Some(match self {
            Self::Name => "name".into(),
            Self::Email => "email".into(),
            Self::Postcode => "postcode".into(),
            Self::Address => "address".into(),
            Self::Phone => "phone".into(),
            Self::Notes => "notes".into(),
            Self::Unnamed | Self::Added | Self::Ignored => return None,
            Self::NamePart | Self::AddressLine | Self::Reference(_) => plain(header),
        })
    }
}

/// Returns a heading without what tools write differently.
pub(super) fn plain(header: &str) -> String {
    let ignored = |c: &char| matches!(c, ' ' | '_' | '-' | '.' | '\u{a0}');
    header.trim().chars().filter(|c| !ignored(c)).flat_map(char::to_lowercase).collect()
}

/// Returns the names of the columns that a file of customers needs and this one does not have.
pub(super) fn missing(columns: &[Column]) -> Vec<&'static str> {
    let has = |wanted: fn(&Column) -> bool| columns.iter().any(wanted);
    let needed = [
        ("name", has(|column| matches!(column, Column::Name | Column::NamePart))),
        ("email", has(|column| matches!(column, Column::Email))),
        ("postcode", has(|column| matches!(column, Column::Postcode))),
        ("address", has(|column| matches!(column, Column::Address | Column::AddressLine))),
    ];
    needed.into_iter().filter(|(_, has)| !has).map(|(name, _)| name).collect()
}
