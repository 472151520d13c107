//! How a replica stands with its service.

use std::time::SystemTime;

#[cfg(doc)]
use crate::Replica;
use crate::{DatasetInfo, Error};

/// What a [`Replica`] has, and how it stands with its service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplicaStatus {
    /// The edition that answers.
    pub info: DatasetInfo,
    /// When the service last said that this is its edition, or gave it.
    pub confirmed: Option<SystemTime>,
    /// Why the last try failed, if it did.
    pub error: Option<Error>,
    /// How often another edition has taken over.
    pub editions: u64,
}
