//! The addresses of the postcodes of some rows, if columns of them are asked for.

use std::collections::HashMap;

use postcode_addresses::lookup::MAX_ADDRESS_BATCH;
use postcode_addresses::{Address, AddressAnswer, AddressLookup};
use postcode_core::Postcode;

use super::{Column, Error};

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

/// The answers for the postcodes of some rows, each asked for once.
#[derive(Debug, Default)]
pub(super) struct Listed(HashMap<Postcode, AddressAnswer>);

impl Listed {
    /// Asks for the addresses of the postcodes, if one of the columns needs them.
    pub(super) async fn of(
        lookup: Option<&dyn AddressLookup>,
        columns: &[Column],
        postcodes: &[Postcode],
    ) -> Result<Self, Error> {
        let Some(column) = columns.iter().find(|column| column.needs_addresses()) else {
            return Ok(Self::default());
        };
        let Some(lookup) = lookup else {
            return Err(Error::Invalid(format!(
                "the column {column} needs address data, but none is open: give --addresses"
            )));
        };
        let mut each = postcodes.to_vec();
        each.sort_unstable();
        each.dedup();
        let mut listed = HashMap::with_capacity(each.len());
        for some in each.chunks(MAX_ADDRESS_BATCH) {
            let answers = lookup.addresses(some).await?;
            if answers.len() != some.len() {
                let (got, asked) = (answers.len(), some.len());
                return Err(Error::Invalid(format!(
                    "the addresses came as {got} answers for {asked} postcodes"
                )));
            }
            listed.extend(some.iter().copied().zip(answers));
        }
        Ok(Self(listed))
    }

    pub(super) fn get(&self, postcode: Option<Postcode>) -> Option<&AddressAnswer> {
        self.0.get(&postcode?)
    }
}
