//! The hash of all answers of an edition, and the tree below it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use http::StatusCode;
use postcode_core::dataset::Dataset;
use postcode_core::{ErrorKind, Lookups};

use crate::api::failure::Failure;
use crate::proof::Tree;

/// The hashes of an edition, computed in the background from the first request on.
#[derive(Clone, Default)]
pub(in crate::api) struct AnswerRoot(Option<Arc<Hashes>>);

struct Hashes {
    /// Lists what the lookup is asked about.
    dataset: Dataset,
    tree: OnceLock<Arc<Tree>>,
    begun: AtomicBool,
}

impl AnswerRoot {
    pub(in crate::api) fn of(dataset: Dataset) -> Self {
        Self(Some(Arc::new(Hashes { dataset, tree: OnceLock::new(), begun: AtomicBool::new(false) })))
    }

    /// Returns whether anyone has asked for it.
    pub(in crate::api) fn is_wanted(&self) -> bool {
        self.0.as_ref().is_some_and(|state| state.begun.load(Ordering::Relaxed))
    }

    /// Starts to compute the hashes, unless that has been done. It uses half of the cores at most. What has not changed
    /// since the earlier edition is not hashed again.
    pub(in crate::api) fn begin(&self, lookup: &Arc<dyn Lookups>, earlier: Option<&Self>) {
        let Some(state) = self.0.clone() else { return };
        if state.begun.swap(true, Ordering::Relaxed) {
            return;
        }
        let lookup = lookup.clone();
        let earlier = earlier.and_then(|root| root.0.as_ref()?.tree.get().cloned());
        let at_once = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).div_ceil(2);
        tokio::spawn(async move {
            let dataset = state.dataset.clone();
            let built = match earlier {
                Some(earlier) => Tree::build_after(&earlier, lookup, dataset, at_once).await,
                None => Tree::build(lookup, dataset, at_once).await,
            };
            match built {
                Ok(tree) => {
                    tracing::info!(root = %tree.root(), hashed = tree.hashed(), "the root of all answers");
                    let _ = state.tree.set(Arc::new(tree));
                }
                Err(error) => {
                    tracing::error!(error = ?error, "the root of all answers was not computed");
                    state.begun.store(false, Ordering::Relaxed);
                }
            }
        });
    }

    pub(in crate::api) fn tree(&self, lookup: &Arc<dyn Lookups>) -> Result<Arc<Tree>, Failure> {
        let Some(state) = &self.0 else {
            let text = "This server does not list its postcodes, so it has no root of all answers";
            return Err(Failure::new(StatusCode::NOT_IMPLEMENTED, text, ErrorKind::NotSupported.code()));
        };
        if let Some(tree) = state.tree.get() {
            return Ok(tree.clone());
        }
        self.begin(lookup, None);
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
