//! The state of a replica.

use std::time::SystemTime;

#[cfg(doc)]
use crate::Replica;
use crate::{DatasetInfo, Error};

/// The edition that a [`Replica`] uses, and the state of its connection to the service.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use postcode_core::ReplicaStatus;
///
/// /// Returns how long ago the service was reached.
/// fn age(status: &ReplicaStatus) -> Option<Duration> {
///     SystemTime::now().duration_since(status.confirmed?).ok()
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplicaStatus {
    /// The edition that answers.
    pub info: DatasetInfo,
    /// When the service last confirmed or delivered this edition.
    pub confirmed: Option<SystemTime>,
    /// The reason why the last try failed, if it did.
    pub error: Option<Error>,
    /// How many times a new edition has replaced the previous one.
    pub editions: u64,
}
