//! What can go wrong with customers and their store.

use std::error::Error as StdError;

use crate::{CustomerId, Invalid};

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. For an account a failed postcode lookup is no error: its address is pending.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was said of a customer can't be accepted.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A listing was asked for with a limit or cursor that can't be.
    #[error("{0}")]
    Listing(String),
    /// There is no such customer, or no longer.
    #[error("there is no customer {0}")]
    NotFound(CustomerId),
    /// Others changed the customer each time that this change was about to be stored.
    #[error("customer {0} is being changed by others: read it and try again")]
    Conflict(CustomerId),
    /// The postcode lookup failed, where nothing could be answered without it.
    #[error("the postcode lookup failed: {0}")]
    Lookup(#[source] postcode_core::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store could not do its work; nothing was half done.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    message: String,
    busy: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl StoreError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), busy: false, source: None }
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn with_busy(mut self, busy: bool) -> Self {
        self.busy = busy;
        self
    }

    /// Whether there was too much to do, so that trying again helps.
    pub fn is_busy(&self) -> bool {
        self.busy
    }
}
