//! Columns from address data.

use postcode_addresses::Address;

/// A column from address data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressColumn {
    Count,
    Status,
    Street,
    Town,
}

impl AddressColumn {
    pub(super) const ALL: [Self; 4] = [Self::Count, Self::Status, Self::Street, Self::Town];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Count => "address_count",
            Self::Status => "address_status",
            Self::Street => "address_street",
            Self::Town => "address_town",
        }
    }
}

/// Returns the street that all of these addresses have, with the smaller street in front of it.
pub(super) fn street(addresses: &[Address]) -> Option<String> {
    let first = addresses.first()?;
    let of = |address: &Address| (address.dependent_thoroughfare.clone(), address.thoroughfare.clone());
    let (small, large) = of(first);
    let same = addresses
        .iter()
        .all(|address| address.dependent_thoroughfare == small && address.thoroughfare == large);
    let parts: Vec<String> = [small, large].into_iter().filter(|part| !part.is_empty()).collect();
    (same && !parts.is_empty()).then(|| parts.join(", "))
}

/// Returns the post town that all of these addresses have.
pub(super) fn town(addresses: &[Address]) -> Option<&str> {
    let town = addresses.first()?.post_town.as_str();
    let same = !town.is_empty() && addresses.iter().all(|address| address.post_town == town);
    same.then_some(town)
}
