//! The hashes over all addresses of a server.

use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use postcode_addresses::LocalAddresses;
use postcode_addresses::proof::Tree;
use postcode_core::ErrorKind;
use tokio::task::JoinHandle;

use crate::api::failure::Failure;

/// The hashes of the file that is served, computed in the background from the first request on.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct AddressRoot(Arc<Mutex<Option<Computed>>>);

#[derive(Debug)]
struct Computed {
    fingerprint: String,
    tree: Option<Arc<Tree>>,
    work: JoinHandle<()>,
}

impl Drop for Computed {
    fn drop(&mut self) {
        self.work.abort();
    }
}

impl AddressRoot {
    /// Returns the hashes if they are there, and starts to compute them if nobody has. The hashes of one file are kept.
    pub(in crate::api) fn tree(&self, addresses: &LocalAddresses) -> Result<Arc<Tree>, Failure> {
        let file = addresses.file();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let current = state.as_ref().filter(|state| state.fingerprint == file.fingerprint());
        if let Some(tree) = current.and_then(|state| state.tree.clone()) {
            return Ok(tree);
        }
        if current.is_none() {
            let (root, fingerprint) = (self.clone(), file.fingerprint().to_owned());
            let lookup = Arc::new(addresses.snapshot());
            let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            let work = tokio::spawn(async move {
                let built = Tree::build(lookup, file.clone(), cores.div_ceil(2)).await;
                root.done(file.fingerprint(), built);
            });
            *state = Some(Computed { fingerprint, tree: None, work });
        }
        let text = "The root of all addresses is being computed. Try again in a moment";
        let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, ErrorKind::Overloaded.code());
        Err(failure.retryable(Some(1)))
    }

    fn done(&self, fingerprint: &str, built: postcode_core::Result<Tree>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(current) = state.as_mut().filter(|state| state.fingerprint == fingerprint) else { return };
        match built {
            Ok(tree) => {
                tracing::info!(root = %tree.root(), "the root of all addresses");
                current.tree = Some(Arc::new(tree));
            }
            Err(error) => {
                tracing::error!(error = ?error, "the root of all addresses was not computed");
                *state = None;
            }
        }
    }
}
