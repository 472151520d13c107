//! Room for uploads and those who watch, or the refusal.

use std::sync::Arc;

use http::StatusCode;
use postcode_core::ErrorKind;
use postcode_edge::{ClientKey, Place, Pool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::failure::Failure;

/// Reserves memory for a body that is read whole.
pub(super) fn memory(bytes: Arc<Semaphore>, count: u32) -> Result<OwnedSemaphorePermit, Failure> {
    bytes.try_acquire_many_owned(count).map_err(|_| too_many("uploads of JSON"))
}

/// Takes a place in a pool.
pub(super) fn place(places: &Pool, client: ClientKey, what: &str) -> Result<Arc<Place>, Failure> {
    places.enter(client).map(Arc::new).map_err(|_| too_many(what))
}

pub(super) fn too_many(what: &str) -> Failure {
    let text = format!("Too many {what} at once. Try again in a moment");
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, text, ErrorKind::Overloaded.code()).retryable(Some(1))
}
