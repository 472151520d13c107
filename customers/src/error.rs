//! Errors of customers and their store.

use std::error::Error as StdError;
use std::sync::Arc;

use crate::{CustomerId, ImportId, Invalid, MAX_IMPORT_BYTES, MAX_IMPORTS};

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why a call failed. A failed postcode lookup is not an error for an account: its address
/// is pending.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// # use customers::NewCustomer;
/// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
/// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
/// use customers::Error;
///
/// customers.create(ada.clone()).await?;
/// match customers.create(ada).await {
///     Err(Error::EmailTaken(email)) => assert_eq!(email, "ada@example.com"),
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The customer's data is not valid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The limit, cursor or filter of a listing is not valid.
    #[error("{0}")]
    Listing(String),
    /// The customer does not exist, or has been deleted.
    #[error("there is no customer {0}")]
    NotFound(CustomerId),
    /// The customer has no address with that number.
    #[error("customer {0} has no address {1}")]
    NoAddress(CustomerId, i64),
    /// The main address can't be removed.
    #[error(
        "address {1} is the main address of customer {0}: change it, or make another one the main one first"
    )]
    MainAddress(CustomerId, i64),
    /// Another account has that email address.
    #[error("another account has the email address {0:?}")]
    EmailTaken(String),
    /// The customer has changed since the caller read it.
    #[error("customer {0} is at revision {1} by now: read it, and decide again")]
    Precondition(CustomerId, i64),
    /// The idempotency key was already used for another request.
    #[error("this idempotency key was given to another request: give each request a separate key")]
    KeyReused,
    /// Other changes came first each time that this change was retried.
    #[error("customer {0} is being changed by others: read it and try again")]
    Conflict(CustomerId),
    /// The file to import is not valid as a whole.
    #[error("{0}")]
    BadImport(String),
    /// The import does not exist, or is no longer kept.
    #[error("there is no import {0}")]
    NoImport(ImportId),
    /// The maximum number of imports is waiting or running.
    #[error("{MAX_IMPORTS} imports wait or are worked on: send this one when one of them is done")]
    TooManyImports,
    /// The rows of earlier imports take [`MAX_IMPORT_BYTES`].
    #[error(
        "rows of earlier imports that wait or failed take {} MiB, which is the most: wait until imports are done, or \
         cancel some. Failed rows are removed 30 days after their import",
        MAX_IMPORT_BYTES >> 20
    )]
    ImportsFull,
    /// The rows of earlier imports of this client take half of [`MAX_IMPORT_BYTES`].
    #[error(
        "rows of your earlier imports that wait or failed take {} MiB, which is the most of one client: wait until imports \
         are done, or cancel some. Failed rows are removed 30 days after their import",
        MAX_IMPORT_BYTES >> 21
    )]
    ImportShareFull,
    /// The postcode lookup failed, and the request can't be answered without it.
    #[error("the postcode lookup failed: {0}")]
    Lookup(#[source] postcode_core::Error),
    /// The address lookup failed, or the program has no address data.
    #[error("the address lookup failed: {0}")]
    Addresses(#[source] postcode_core::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An error of the store. The failed operation changed nothing.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use customers::{Store, StoreError};
///
/// /// Returns whether the same call may succeed later.
/// fn may_succeed(error: &StoreError) -> bool {
///     error.is_busy() || error.is_unavailable() || error.is_no_room()
/// }
///
/// let error = Store::open("mysql://localhost/customers").await.unwrap_err();
/// assert!(!may_succeed(&error));
/// assert!(error.to_string().contains("give sqlite://FILE"));
/// # Ok(())
/// # }
/// ```
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
    ///
    /// ```
    /// use customers::Error;
    ///
    /// /// Returns the status of an HTTP response.
    /// fn status(error: &Error) -> u16 {
    ///     match error {
    ///         Error::Store(error) if error.is_no_room() => 507,
    ///         _ => 500,
    ///     }
    /// }
    /// # assert_eq!(status(&Error::KeyReused), 500);
    /// ```
    pub fn is_no_room(&self) -> bool {
        self.kind == Kind::NoRoom
    }

    /// Returns whether the database is busy, so that trying again helps.
    ///
    /// ```
    /// use customers::Error;
    ///
    /// /// Returns how many seconds to wait before the next attempt.
    /// fn retry_after(error: &Error) -> Option<u64> {
    ///     matches!(error, Error::Store(error) if error.is_busy()).then_some(1)
    /// }
    /// assert_eq!(retry_after(&Error::KeyReused), None);
    /// ```
    pub fn is_busy(&self) -> bool {
        self.kind == Kind::Busy
    }

    /// Returns whether the database could not be reached, so that trying again helps once it is
    /// back.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use customers::Store;
    ///
    /// let error = Store::open("mysql://localhost/customers").await.unwrap_err();
    /// assert!(!error.is_unavailable()); // the URL is wrong, so waiting does not help
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_unavailable(&self) -> bool {
        self.kind == Kind::Unavailable
    }

    /// Returns whether a read took longer than [allowed](crate::Store::READ_LIMIT), so that asking for less
    /// helps.
    ///
    /// ```
    /// use customers::{Customers, Error, Filter, Page, Result};
    ///
    /// /// Asks for fewer customers if the first page took too long.
    /// async fn page(customers: &Customers, filter: &Filter) -> Result<Page> {
    ///     match customers.search(filter, 1_000, None).await {
    ///         Err(Error::Store(error)) if error.is_timeout() => customers.search(filter, 50, None).await,
    ///         page => page,
    ///     }
    /// }
    /// ```
    pub fn is_timeout(&self) -> bool {
        self.kind == Kind::Timeout
    }

    /// Returns whether a unique value already existed.
    pub(crate) fn is_taken(&self) -> bool {
        self.kind == Kind::Taken
    }
}
