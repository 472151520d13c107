//! `/proof`: the hash of all answers, and the tree below it. Not in postcodes.io.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::get;
use postcode_core::wire::path;
use postcode_core::wire::{MAX_PROOF_NODES, PROOF_OF};

use super::App;
use super::failure::{Failure, Outcome};
use super::params::Params;
use super::reply::data;

/// The longest name of a node.
const MAX_NAME: usize = 32;

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::PROOF, get(proof))
}

async fn proof(State(app): State<App>, RawQuery(query): RawQuery) -> Outcome {
    let edition = app.edition();
    let of = nodes(&Params::parse(query.as_deref()))?;
    let tree = edition.root.tree(&edition.lookup)?;
    data(&edition, &tree.proof(&of).await?)
}

/// Reads the nodes whose children are asked for.
pub(super) fn nodes(params: &Params) -> Result<Vec<String>, Failure> {
    let Some(list) = params.get(PROOF_OF).filter(|list| !list.is_empty()) else { return Ok(Vec::new()) };
    let names: Vec<String> = list.split(',').take(MAX_PROOF_NODES + 1).map(str::to_owned).collect();
    if names.len() > MAX_PROOF_NODES {
        return Err(Failure::bad_request(format!("more than {MAX_PROOF_NODES} nodes in of: ask for fewer")));
    }
    match names.iter().find(|name| name.len() > MAX_NAME) {
        Some(_) => Err(Failure::bad_request(format!("a node in of is longer than {MAX_NAME} bytes"))),
        None => Ok(names),
    }
}
