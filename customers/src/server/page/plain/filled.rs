//! The fields of the form for a customer without JavaScript.

use jiff::civil::Date;

use super::html::about;
use crate::{Customer, FieldError, MAX_ADDRESSES, NewAddress, NewCustomer};

/// The purposes of a further address, each in words.
pub(super) const KINDS: [(&str, &str); 4] =
    [("billing", "Billing"), ("delivery", "Delivery"), ("previous", "Previous"), ("other", "Other")];

/// Returns the purpose of an address in words.
pub(super) fn kind_text(kind: &str) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("Other", |(_, text)| text)
}

/// The fields of the form, as they were sent.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) postcode: String,
    /// The chosen address: its id and its lines, one each line.
    pub(super) chosen: String,
    pub(super) address_lines: String,
    pub(super) notes: String,
    /// So that a form that is sent twice creates one account.
    pub(super) key: String,
    /// The account that is edited, as it was read.
    pub(super) revision: String,
    /// The doubtful postcode that the user was asked about.
    pub(super) kept: String,
    /// The addresses besides the main one.
    pub(super) others: Vec<Other>,
    /// The button that was pressed.
    pub(super) pressed: String,
}

/// A further address, as it was sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Other {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) postcode: String,
    pub(super) address_lines: String,
    pub(super) valid_from: String,
    pub(super) valid_to: String,
}

impl From<Vec<(String, String)>> for Filled {
    fn from(pairs: Vec<(String, String)>) -> Self {
        let mut filled = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "name" => filled.name = value,
                "email" => filled.email = value,
                "phone" => filled.phone = value,
                "postcode" => filled.postcode = value,
                "chosen" => filled.chosen = value.replace("\r\n", "\n"),
                "address_lines" => filled.address_lines = value,
                "notes" => filled.notes = value,
                "key" => filled.key = value,
                "revision" => filled.revision = value,
                "kept" => filled.kept = value,
                "do" => filled.pressed = value,
                name => {
                    if let Some(field) = filled.other(name) {
                        *field = value;
                    }
                }
            }
        }
        filled
    }
}

impl From<&Customer> for Filled {
    fn from(customer: &Customer) -> Self {
        let others = customer.addresses.iter().skip(1).map(|address| Other {
            id: address.id.to_string(),
            kind: address.kind.to_string(),
            postcode: address.postcode.to_string(),
            address_lines: address.address_lines.join("\n"),
            valid_from: address.valid_from.map(|date| date.to_string()).unwrap_or_default(),
            valid_to: address.valid_to.map(|date| date.to_string()).unwrap_or_default(),
        });
        Self {
            name: customer.name.clone(),
            email: customer.email.clone(),
            phone: customer.phone.clone().unwrap_or_default(),
            postcode: customer.postcode.to_string(),
            address_lines: customer.address_lines.join("\n"),
            notes: customer.notes.clone().unwrap_or_default(),
            revision: customer.revision.to_string(),
            others: others.collect(),
            ..Self::default()
        }
    }
}

impl Filled {
    /// Returns the field `addresses-N-NAME` of a further address.
    fn other(&mut self, name: &str) -> Option<&mut String> {
        let (n, name) = name.strip_prefix("addresses-")?.split_once('-')?;
        let n: usize = n.parse().ok().filter(|n| *n < MAX_ADDRESSES)?;
        if self.others.len() <= n {
            self.others.resize(n + 1, Other::default());
        }
        let other = self.others.get_mut(n)?;
        Some(match name {
            "id" => &mut other.id,
            "kind" => &mut other.kind,
            "postcode" => &mut other.postcode,
            "address_lines" => &mut other.address_lines,
            "valid_from" => &mut other.valid_from,
            "valid_to" => &mut other.valid_to,
            _ => return None,
        })
    }

    /// Returns the customer, or what is wrong and at which field.
    pub(super) fn customer(&self) -> Result<NewCustomer, Vec<FieldError>> {
        let typed: Vec<String> = self.address_lines.lines().map(str::to_owned).collect();
        let mut chosen = self.chosen.lines();
        let id = chosen.next().unwrap_or_default();
        let chosen: Vec<String> = chosen.map(str::to_owned).collect();
        let address_lines = if self.address_lines.trim().is_empty() { chosen.clone() } else { typed };
        // Lines may be added to an address of the list. Without its own lines it is another address.
        let whole = |line: &String| address_lines.iter().any(|other| other.trim() == line.as_str());
        let linked = !id.is_empty() && chosen.iter().all(whole);
        let mut errors = Vec::new();
        // An empty field must not mean that the stored value stays.
        let edits = !self.revision.is_empty();
        if edits && self.postcode.trim().is_empty() {
            errors.push(about("postcode", "enter a postcode, such as SW1A 1AA"));
        }
        if edits && address_lines.iter().all(|line| line.trim().is_empty()) {
            errors.push(about("address_lines", "enter at least one line, such as a house number and street"));
        }
        let others: Vec<NewAddress> =
            self.others.iter().enumerate().map(|(n, other)| other.address(n, &mut errors)).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(NewCustomer {
            name: self.name.clone(),
            email: self.email.clone(),
            postcode: self.postcode.clone(),
            address_id: linked.then(|| id.to_owned()),
            address_lines,
            phone: Some(self.phone.clone()),
            notes: Some(self.notes.clone()),
            addresses: Some(others),
            ..NewCustomer::default()
        })
    }
}

impl Other {
    fn address(&self, n: usize, errors: &mut Vec<FieldError>) -> NewAddress {
        let mut date = |name: &str, text: &str| match text.trim() {
            "" => None,
            text => text
                .parse::<Date>()
                .map_err(|_| {
                    errors.push(about(
                        &format!("addresses[{n}].{name}"),
                        "enter a date, for example 2025-11-30",
                    ));
                })
                .ok(),
        };
        let (valid_from, valid_to) = (date("valid_from", &self.valid_from), date("valid_to", &self.valid_to));
        let kind = self.kind.parse().unwrap_or_else(|error: crate::ParseKindError| {
            errors.push(about(&format!("addresses[{n}].kind"), error.to_string()));
            crate::AddressKind::Other
        });
        NewAddress {
            id: self.id.parse().ok(),
            kind,
            postcode: self.postcode.clone(),
            address_lines: self.address_lines.lines().map(str::to_owned).collect(),
            valid_from,
            valid_to,
            address_id: None,
        }
    }
}
