//! A customer's addresses in a request: the main one as flat fields, all of them in a list, or
//! both.

use jiff::civil::Date;
use postcode_addresses::AddressNumber;
use postcode_core::Postcode;
use serde::Serialize;

use super::fields;
use super::invalid::Invalid;
use crate::address::iso8601;
use crate::{Address, AddressKind, Customer, MAX_ADDRESSES};

/// A new or changed address.
///
/// ```
/// use customers::{AddressKind, NewAddress, NewCustomer};
///
/// let address = NewAddress {
///     kind: AddressKind::Main,
///     postcode: "SW1Y 4JH".into(),
///     address_lines: vec!["12 St James's Square".into(), "London".into()],
///     ..NewAddress::default()
/// };
/// let ada = NewCustomer { addresses: Some(vec![address]), ..NewCustomer::default() };
/// assert!(ada.postcode.is_empty()); // the main address is in the list
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewAddress {
    /// The id of the customer's address that this one replaces; `None` for a new address. Ignored
    /// for a new customer.
    pub id: Option<i64>,
    /// The purpose of the address.
    pub kind: AddressKind,
    /// A postcode as people type it.
    pub postcode: String,
    /// As [`NewCustomer::address_lines`](crate::NewCustomer::address_lines).
    pub address_lines: Vec<String>,
    /// The first day on which the address is valid, if known.
    #[serde(serialize_with = "iso8601")]
    pub valid_from: Option<Date>,
    /// The last day on which the address is valid, if known; not before the first.
    #[serde(serialize_with = "iso8601")]
    pub valid_to: Option<Date>,
    /// The entry of the address data that the address was chosen from, such as `udprn:12345678`.
    /// `Some("")` clears it; `None` keeps the stored one while postcode and lines stay the same.
    // Left out if absent, so that a request without it has the digest that it had in earlier
    // versions: see idempotency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_id: Option<String>,
}

/// An address, checked and normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AddressDetails {
    pub(crate) id: Option<i64>,
    pub(crate) kind: AddressKind,
    pub(crate) postcode: Postcode,
    pub(crate) address_lines: Vec<String>,
    pub(crate) valid_from: Option<Date>,
    pub(crate) valid_to: Option<Date>,
    pub(crate) address_id: Option<AddressNumber>,
}

impl From<&Address> for AddressDetails {
    fn from(address: &Address) -> Self {
        Self {
            id: Some(address.id),
            kind: address.kind,
            postcode: address.postcode,
            address_lines: address.address_lines.clone(),
            valid_from: address.valid_from,
            valid_to: address.valid_to,
            address_id: address.link.map(|link| link.id),
        }
    }
}

impl NewAddress {
    /// Checks the address, which replaces the stored one. Reports errors under the prefix `path`,
    /// such as `addresses[1].`.
    pub(crate) fn check(
        self,
        invalid: &mut Invalid,
        path: &str,
        stored: Option<&Address>,
    ) -> Option<AddressDetails> {
        let postcode = fields::postcode(invalid, &format!("{path}postcode"), &self.postcode);
        let address_lines =
            fields::address_lines(invalid, &format!("{path}address_lines"), &self.address_lines);
        if let (Some(from), Some(to)) = (self.valid_from, self.valid_to)
            && to < from
        {
            invalid.add(format!("{path}valid_to"), format!("{to} is before valid_from, {from}"));
        }
        let said = fields::address_id(invalid, &format!("{path}address_id"), self.address_id.as_deref());
        let Self { id, kind, valid_from, valid_to, .. } = self;
        let postcode = postcode?;
        let address_id = said.unwrap_or_else(|| kept_id(postcode, &address_lines, stored));
        Some(AddressDetails { id, kind, postcode, address_lines, valid_from, valid_to, address_id })
    }
}

/// Returns the entry that a stored address is linked to, if the address stays the same. A link to
/// another address than the written one would be wrong.
fn kept_id(postcode: Postcode, lines: &[String], stored: Option<&Address>) -> Option<AddressNumber> {
    let same = stored.filter(|stored| stored.postcode == postcode && stored.address_lines == lines)?;
    same.link.map(|link| link.id)
}

/// Returns the customer's next addresses, the main one first. Adds errors to `invalid`.
pub(super) fn of(
    invalid: &mut Invalid,
    postcode: Option<&str>,
    address_lines: Option<&[String]>,
    address_id: Option<&str>,
    list: Option<Vec<NewAddress>>,
    current: Option<&Customer>,
) -> Vec<AddressDetails> {
    let before = invalid.errors.len();
    let flat_postcode = postcode.and_then(|text| fields::postcode(invalid, "postcode", text));
    let flat_lines = address_lines.map(|lines| fields::address_lines(invalid, "address_lines", lines));
    let flat_id = fields::address_id(invalid, "address_id", address_id);
    let (listed, mut others) = match list {
        Some(list) => listed(invalid, list, current),
        None => (None, others_of(current)),
    };
    let current = current.and_then(|customer| customer.addresses.first());
    if invalid.errors.len() > before {
        return Vec::new();
    }
    // If the list has no main address, use the current one or create one.
    let base = listed.clone().or_else(|| current.map(AddressDetails::from));
    let postcode =
        pick(flat_postcode, listed.as_ref().map(|main| main.postcode), current.map(|main| main.postcode));
    let lines = pick(
        flat_lines,
        listed.as_ref().map(|main| main.address_lines.clone()),
        current.map(|main| main.address_lines.clone()),
    );
    let differs = "differs from the main address in `addresses`: give only one of the two";
    let postcode = postcode.unwrap_or_else(|Differ| {
        invalid.add("postcode", differs);
        None
    });
    let lines = lines.unwrap_or_else(|Differ| {
        invalid.add("address_lines", differs);
        None
    });
    let (Some(postcode), Some(address_lines)) = (postcode, lines) else {
        if invalid.errors.len() == before {
            invalid.add(
                "postcode",
                "is missing: give it with address_lines, or a main address among `addresses`",
            );
        }
        return Vec::new();
    };
    // If no id is given it comes from the place that the address comes from.
    let other_id = match &listed {
        Some(main) if main.postcode == postcode && main.address_lines == address_lines => main.address_id,
        _ => kept_id(postcode, &address_lines, current),
    };
    let stored_id = current.map(|main| main.link.map(|link| link.id));
    let address_id = match pick(flat_id, listed.is_some().then_some(other_id), stored_id) {
        Ok(_) if flat_id.is_none() => other_id,
        Ok(picked) => picked.flatten(),
        Err(Differ) => {
            invalid.add("address_id", differs);
            None
        }
    };
    let (id, valid_from, valid_to) =
        base.map_or((None, None, None), |base| (base.id, base.valid_from, base.valid_to));
    let kind = AddressKind::Main;
    let mut all =
        vec![AddressDetails { id, kind, postcode, address_lines, valid_from, valid_to, address_id }];
    all.append(&mut others);
    limit(invalid, &all);
    all
}

/// Returns the main address of a list, and the others.
fn listed(
    invalid: &mut Invalid,
    list: Vec<NewAddress>,
    current: Option<&Customer>,
) -> (Option<AddressDetails>, Vec<AddressDetails>) {
    let (mut main, mut others) = (None, Vec::new());
    if invalid.too_many("addresses", list.len(), MAX_ADDRESSES) {
        return (main, others);
    }
    let mut ids = Vec::new();
    for (n, mut address) in list.into_iter().enumerate() {
        let path = format!("addresses[{n}].");
        match (address.id, current) {
            // All addresses of a new customer are new, even if the ids are from another customer.
            (_, None) => address.id = None,
            (Some(id), Some(customer)) if customer.address(id).is_none() => {
                invalid.add(
                    format!("{path}id"),
                    format!("the customer has no address {id}: leave the id out for a new one"),
                );
            }
            (Some(id), _) if ids.contains(&id) => {
                invalid.add(format!("{path}id"), "appears twice in the list")
            }
            (id, _) => ids.extend(id),
        }
        let stored = address.id.and_then(|id| current?.address(id));
        let Some(checked) = address.check(invalid, &path, stored) else { continue };
        match checked.kind {
            AddressKind::Main if main.is_some() => {
                invalid.add(format!("{path}kind"), "is main a second time: a customer has one main address");
            }
            AddressKind::Main => main = Some(checked),
            _ => others.push(checked),
        }
    }
    // The main address was given another kind, and no other address is main.
    let demoted = current.and_then(|customer| customer.addresses.first()).map(|main| main.id);
    if main.is_none() && demoted.is_some_and(|id| others.iter().any(|other| other.id == Some(id))) {
        invalid.add("addresses", "has no main address: give one of them the kind main");
    }
    (main, others)
}

fn others_of(current: Option<&Customer>) -> Vec<AddressDetails> {
    current.map_or_else(Vec::new, |customer| {
        customer.addresses.iter().skip(1).map(AddressDetails::from).collect()
    })
}

pub(crate) fn limit(invalid: &mut Invalid, addresses: &[AddressDetails]) {
    if addresses.len() > MAX_ADDRESSES {
        invalid.add("addresses", format!("are {}: a customer has at most {MAX_ADDRESSES}", addresses.len()));
    }
}

/// The error if both places give a value and both differ from the stored one.
#[derive(Debug)]
struct Differ;

/// Picks between the flat value and the one in the list: the one that differs from the stored
/// value. So a customer can be sent back as it was read, with a change in either place.
fn pick<T: PartialEq>(flat: Option<T>, listed: Option<T>, current: Option<T>) -> Result<Option<T>, Differ> {
    match (flat, listed) {
        (Some(flat), Some(listed)) if flat == listed || current.as_ref() == Some(&listed) => Ok(Some(flat)),
        (flat @ Some(_), listed @ Some(_)) => {
            if flat == current {
                Ok(listed)
            } else {
                Err(Differ)
            }
        }
        (flat, listed) => Ok(flat.or(listed).or(current)),
    }
}
