//! Room for uploads and those who watch, or the refusal.

use std::sync::Arc;

use http::StatusCode;
use postcode_core::ErrorKind;
use postcode_edge::{ClientKey, Place, Pool};

use crate::api::failure::Failure;

/// Begins to take memory for a body that is read whole: none before its bytes come.
pub(super) fn memory(bytes: &Pool, client: ClientKey) -> Result<Arc<Place>, Failure> {
    bytes.enter_with(client, 0).map(Arc::new).map_err(|_| no_memory())
}

pub(super) fn no_memory() -> Failure {
    too_many("uploads of JSON")
}

/// Takes a place in a pool.
pub(super) fn place(places: &Pool, client: ClientKey, what: &str) -> Result<Arc<Place>, Failure> {
    places.enter(client).map(Arc::new).map_err(|_| too_many(what))
}

pub(super) fn too_many(what: &str) -> Failure {
    let text = format!("Too many {what} at once. Try again in a moment");
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, ErrorKind::Overloaded.code()).retryable(Some(1))
}
