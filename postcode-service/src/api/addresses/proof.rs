//! `/addresses/proof`: the hash of the addresses of all postcodes, and the tree below it.

use axum::extract::{RawQuery, State};
use postcode_core::proof::Hashes;

use super::attributed::answer;
use crate::api::App;
use crate::api::failure::Outcome;
use crate::api::params::Params;
use crate::api::proof::nodes;

pub(super) async fn proof(State(app): State<App>, RawQuery(query): RawQuery) -> Outcome {
    let addresses = app.addresses.get()?;
    let of = nodes(&Params::parse(query.as_deref()))?;
    let tree = app.addresses.root.tree(&addresses)?;
    answer(&addresses, tree.proof(&of).await?, None)
}
