//! The addresses of the postcodes of some rows, if columns of them are asked for.

use std::collections::HashMap;

use postcode_addresses::lookup::MAX_ADDRESS_BATCH;
use postcode_addresses::{AddressAnswer, AddressLookup};
use postcode_core::Postcode;

use super::{Column, Error};

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
