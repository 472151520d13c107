//! The next state of an account before it is stored.

use std::collections::HashMap;

use jiff::Timestamp;
use postcode_core::Postcode;

use crate::check::Checked;
use crate::input::{AddressDetails, Details};
use crate::link::Linked;
use crate::{Address, AddressCheck, AddressKind, AddressLink, Customer, CustomerId, LinkStatus};

/// The next state of an account, and when its addresses are to be looked up again.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) customer: Customer,
    /// One entry for each address: a time if and only if the address is pending or
    /// not covered.
    pub(crate) due: Vec<Option<Timestamp>>,
}

/// The lookups' answers so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    pub(crate) postcodes: HashMap<Postcode, Checked>,
    pub(crate) links: HashMap<Linked, LinkStatus>,
}

/// Returns the stored check of an address, if its postcode is the same and known.
fn known<'a>(current: Option<&'a Customer>, details: &AddressDetails) -> Option<&'a AddressCheck> {
    let address = current?.address(details.id?)?;
    (address.postcode == details.postcode && !address.check.is_open()).then_some(&address.check)
}

/// Returns the postcodes that must be looked up before these details are stored, each once.
pub(crate) fn unknown(current: Option<&Customer>, details: &Details, answers: &Answers) -> Vec<Postcode> {
    let asking = details.addresses.iter().filter(|address| known(current, address).is_none());
    let mut postcodes: Vec<Postcode> = asking.map(|address| address.postcode).collect();
    postcodes.retain(|postcode| !answers.postcodes.contains_key(postcode));
    postcodes.sort_unstable();
    postcodes.dedup();
    postcodes
}

/// Returns the stored link of an address, if it is the same and known.
fn known_link(current: Option<&Customer>, details: &AddressDetails) -> Option<AddressLink> {
    let address = current?.address(details.id?)?;
    address.link.filter(|link| {
        let same = address.postcode == details.postcode && Some(link.id) == details.address_id;
        same && link.status != LinkStatus::Pending
    })
}

/// Returns the links that must be looked up before these details are stored, each once.
pub(crate) fn unknown_links(current: Option<&Customer>, details: &Details, answers: &Answers) -> Vec<Linked> {
    let asking = details.addresses.iter().filter(|address| known_link(current, address).is_none());
    let mut links: Vec<Linked> =
        asking.filter_map(|address| Some((address.address_id?, address.postcode))).collect();
    links.retain(|link| !answers.links.contains_key(link));
    links.sort_unstable();
    links.dedup();
    links
}

impl Draft {
    /// Creates the next state from the details and the answers. The first address is the main one.
    /// Returns `None` without an address, which the check of the details rules out.
    pub(crate) fn new(current: Option<&Customer>, details: Details, answers: &Answers) -> Option<Self> {
        let mut next = current.map_or(1, |customer| customer.next_address);
        let (mut addresses, mut due) = (Vec::new(), Vec::new());
        for details in details.addresses {
            let checked = match known(current, &details) {
                Some(check) => Checked { check: check.clone(), due: None },
                None => answers.postcodes.get(&details.postcode).cloned().unwrap_or_else(Checked::unanswered),
            };
            let id = details.id.unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            let link = known_link(current, &details).or_else(|| {
                let id = details.address_id?;
                let status = answers.links.get(&(id, details.postcode)).copied();
                Some(AddressLink { id, status: status.unwrap_or(LinkStatus::Pending) })
            });
            let AddressDetails { kind, postcode, address_lines, valid_from, valid_to, .. } = details;
            addresses.push(Address {
                id,
                kind,
                postcode,
                address_lines,
                valid_from,
                valid_to,
                check: checked.check,
                link,
            });
            due.push(checked.due);
        }
        // The order in which they are read: the main one first, then by number.
        let mut order: Vec<_> = addresses.into_iter().zip(due).collect();
        order.sort_by_key(|(address, _)| (address.kind != AddressKind::Main, address.id));
        let (addresses, due): (Vec<_>, Vec<_>) = order.into_iter().unzip();
        let now = now();
        let main = addresses.first()?;
        let customer = Customer {
            id: current.map_or_else(CustomerId::generate, |customer| customer.id),
            name: details.name,
            email: details.email,
            postcode: main.postcode,
            address_lines: main.address_lines.clone(),
            check: main.check.clone(),
            link: main.link,
            created_at: current.map_or(now, |customer| customer.created_at),
            updated_at: current.map_or(now, |customer| customer.updated_at.max(now)),
            revision: current.map_or(1, |customer| customer.revision + 1),
            phone: details.phone,
            notes: details.notes,
            references: details.references,
            addresses,
            deleted_at: None,
            seq: current.map_or(0, |customer| customer.seq),
            next_address: next,
        };
        Some(Self { customer, due })
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.due.iter().any(Option::is_some)
    }
}

/// Returns the current time with the database's precision.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}
