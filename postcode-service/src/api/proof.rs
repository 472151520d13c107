//! `/proof`: the hash of all answers, and the tree below it. Not in postcodes.io.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::get;
use http::StatusCode;
use postcode_core::dataset::Dataset;
use postcode_core::wire::path;
use postcode_core::wire::{MAX_PROOF_NODES, PROOF_OF};
use postcode_core::{ErrorKind, Lookups};

use super::App;
use super::params::Params;
use super::reply::{Failure, Outcome, data};
use crate::proof::Tree;

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

/// The hashes of an edition, computed in the background from the first request on.
#[derive(Clone, Default)]
pub(super) struct AnswerRoot(Option<Arc<Hashes>>);

struct Hashes {
    /// Lists what the lookup is asked about.
    dataset: Dataset,
    tree: OnceLock<Arc<Tree>>,
    begun: AtomicBool,
}

impl AnswerRoot {
    pub(super) fn of(dataset: Dataset) -> Self {
        Self(Some(Arc::new(Hashes { dataset, tree: OnceLock::new(), begun: AtomicBool::new(false) })))
    }

    /// Returns whether anyone has asked for it.
    pub(super) fn is_wanted(&self) -> bool {
        self.0.as_ref().is_some_and(|state| state.begun.load(Ordering::Relaxed))
    }

    /// Starts to compute the hashes, unless that has been done. It uses half of the cores at most.
    pub(super) fn begin(&self, lookup: &Arc<dyn Lookups>) {
        let Some(state) = self.0.clone() else { return };
        if state.begun.swap(true, Ordering::Relaxed) {
            return;
        }
        let lookup = lookup.clone();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        tokio::spawn(async move {
            match Tree::build(lookup, state.dataset.clone(), cores.div_ceil(2)).await {
                Ok(tree) => {
                    tracing::info!(root = %tree.root(), "the root of all answers");
                    let _ = state.tree.set(Arc::new(tree));
                }
                Err(error) => {
                    tracing::error!(error = ?error, "the root of all answers was not computed");
                    state.begun.store(false, Ordering::Relaxed);
                }
            }
        });
    }

    fn tree(&self, lookup: &Arc<dyn Lookups>) -> Result<Arc<Tree>, Failure> {
        let Some(state) = &self.0 else {
            let text = "This server does not list its postcodes, so it has no root of all answers";
            return Err(Failure::new(StatusCode::NOT_IMPLEMENTED, text, ErrorKind::NotSupported.code()));
        };
        if let Some(tree) = state.tree.get() {
            return Ok(tree.clone());
        }
        self.begin(lookup);
        let text = "The root of all answers is being computed. Try again in a moment";
        let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, ErrorKind::Overloaded.code());
        Err(failure.retryable(Some(1)))
    }
}

impl fmt::Debug for AnswerRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tree = self.0.as_ref().and_then(|state| state.tree.get());
        f.debug_tuple("AnswerRoot").field(&tree).finish()
    }
}
