//! What can go wrong with customers and their store.

use std::error::Error as StdError;
use std::sync::Arc;

use crate::{CustomerId, ImportId, Invalid, MAX_IMPORTS};

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. For an account a failed postcode lookup is no error: its address is pending.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was said of a customer can't be accepted.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A listing was asked for with a limit, cursor or filter that can't be.
    #[error("{0}")]
    Listing(String),
    /// There is no such customer, or no longer.
    #[error("there is no customer {0}")]
    NotFound(CustomerId),
    /// The customer has no address of that number.
    #[error("customer {0} has no address {1}")]
    NoAddress(CustomerId, i64),
    /// An account without its main address would be none.
    #[error(
        "address {1} is the main address of customer {0}: change it, or make another one the main one first"
    )]
    MainAddress(CustomerId, i64),
    /// Another account has that email address.
    #[error("another account has the email address {0:?}")]
    EmailTaken(String),
    /// The customer is not at the revision that the caller read.
    #[error("customer {0} is at revision {1} by now: read it, and decide again")]
    Precondition(CustomerId, i64),
    /// The key of a request that is to be done once was given to another request.
    #[error("this idempotency key was given to another request: give each request a key of its own")]
    KeyReused,
    /// Others changed the customer each time that this change was about to be stored.
    #[error("customer {0} is being changed by others: read it and try again")]
    Conflict(CustomerId),
    /// A file to be imported can't be, as a whole.
    #[error("{0}")]
    BadImport(String),
    /// There is no such import, or no longer.
    #[error("there is no import {0}")]
    NoImport(ImportId),
    /// As many imports wait as may.
    #[error("{MAX_IMPORTS} imports wait or are worked on: send this one when one of them is done")]
    TooManyImports,
    /// The postcode lookup failed, where nothing could be answered without it.
    #[error("the postcode lookup failed: {0}")]
    Lookup(#[source] postcode_core::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store could not do its work; nothing was half done.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    message: String,
    kind: Kind,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    NoRoom,
    Busy,
    Unavailable,
    Taken,
    Timeout,
    Other,
}

impl StoreError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: Kind::Other, source: None }
    }

    pub(crate) fn no_room(message: impl Into<String>) -> Self {
        Self { kind: Kind::NoRoom, ..Self::new(message) }
    }

    pub(crate) fn busy(message: impl Into<String>) -> Self {
        Self { kind: Kind::Busy, ..Self::new(message) }
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self { kind: Kind::Unavailable, ..Self::new(message) }
    }

    pub(crate) fn taken(message: impl Into<String>) -> Self {
        Self { kind: Kind::Taken, ..Self::new(message) }
    }

    pub(crate) fn timeout(message: impl Into<String>) -> Self {
        Self { kind: Kind::Timeout, ..Self::new(message) }
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let source: Box<dyn StdError + Send + Sync> = source.into();
        self.source = Some(source.into());
        self
    }

    /// Returns whether the disk is full, so that trying again helps once there is room.
    pub fn is_no_room(&self) -> bool {
        self.kind == Kind::NoRoom
    }

    /// Whether there was too much to do, so that trying again helps.
    pub fn is_busy(&self) -> bool {
        self.kind == Kind::Busy
    }

    /// Whether the database could not be reached, so that trying again helps once it is back.
    pub fn is_unavailable(&self) -> bool {
        self.kind == Kind::Unavailable
    }

    /// Whether a read took longer than it may, so that asking for less helps.
    pub fn is_timeout(&self) -> bool {
        self.kind == Kind::Timeout
    }

    /// Whether what must be there once was there already.
    pub(crate) fn is_taken(&self) -> bool {
        self.kind == Kind::Taken
    }
}
