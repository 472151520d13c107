//! The addresses of the postcodes of some rows, if columns of them are asked for.

use std::collections::HashMap;

use postcode_addresses::lookup::{MAX_ADDRESS_BATCH, MAX_ADDRESS_PAGE};
use postcode_addresses::{AddressAnswer, AddressLookup, AddressPage};
use postcode_core::Postcode;

use super::{Error, Plan};

/// The most addresses of one postcode that a row is compared with. Royal Mail gives a postcode at most 100 delivery points;
/// households behind them come on top.
const MAX_COMPARED: usize = 1_000;

/// The answers for the postcodes of some rows, each asked for once.
#[derive(Debug, Default)]
pub(super) struct Listed(HashMap<Postcode, AddressAnswer>);

impl Listed {
    /// Asks for the addresses of the postcodes, if one of the columns needs them.
    pub(super) async fn of(
        lookup: Option<&dyn AddressLookup>,
        plan: &Plan,
        postcodes: &[Postcode],
    ) -> Result<Self, Error> {
        let Some(column) = plan.columns.iter().find(|column| column.needs_addresses()) else {
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
        if plan.comparison().is_some() {
            for (postcode, answer) in &mut listed {
                complete(lookup, *postcode, answer).await?;
            }
        }
        Ok(Self(listed))
    }

    /// Returns the answer for the postcode of a row.
    pub(super) fn get(&self, postcode: Option<Postcode>) -> Option<&AddressAnswer> {
        self.0.get(&postcode?)
    }
}

/// Adds the addresses after the first page.
async fn complete(
    lookup: &dyn AddressLookup,
    postcode: Postcode,
    answer: &mut AddressAnswer,
) -> Result<(), Error> {
    while let AddressAnswer::Found(all) = answer
        && all.addresses.len() < all.total.min(MAX_COMPARED)
    {
        let next = lookup.address_page(postcode, all.addresses.len(), MAX_ADDRESS_PAGE).await?;
        let AddressAnswer::Found(AddressPage { addresses, .. }) = next else { break };
        if addresses.is_empty() {
            break;
        }
        all.addresses.extend(addresses);
    }
    Ok(())
}
