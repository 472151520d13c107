//! Columns from address data.

use postcode_addresses::Address;
use postcode_addresses::matching::Match;

use super::value::Value;

/// A column from address data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressColumn {
    Count,
    Status,
    Street,
    Town,
    /// Whether the row's own address is one of them.
    Match,
    Udprn,
    Umprn,
    Uprn,
    /// The address that the row means, as Royal Mail writes it.
    Line,
}

impl AddressColumn {
    pub(super) const ALL: [Self; 9] = [
        Self::Count,
        Self::Status,
        Self::Street,
        Self::Town,
        Self::Match,
        Self::Udprn,
        Self::Umprn,
        Self::Uprn,
        Self::Line,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Count => "address_count",
            Self::Status => "address_status",
            Self::Street => "address_street",
            Self::Town => "address_town",
            Self::Match => "address_match",
            Self::Udprn => "address_udprn",
            Self::Umprn => "address_umprn",
            Self::Uprn => "address_uprn",
            Self::Line => "address_line",
        }
    }

    /// Returns whether the column is about the row's own address.
    pub(super) fn needs_text(self) -> bool {
        matches!(self, Self::Match | Self::Udprn | Self::Umprn | Self::Uprn | Self::Line)
    }

    /// Returns the value for the address that the row means.
    pub(super) fn of_match(self, matched: Match<'_>) -> Value<'static> {
        if self == Self::Match {
            return Value::Text(matched.name().into());
        }
        let Match::One(address) = matched else { return Value::None };
        let number = match self {
            Self::Udprn => address.udprn.map(u64::from),
            Self::Umprn => address.umprn.map(u64::from),
            Self::Uprn => address.uprn,
            _ => return Value::Text(address.single_line().into()),
        };
        number.map_or(Value::None, Value::Number)
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
