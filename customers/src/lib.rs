//! Customer accounts with checked postal addresses: the consumer of [`postcode_core`].
//!
//! # Composition
//!
//! [`Customers`] holds two things: a [`Store`], and an `Arc<dyn PostcodeLookup>`. It never learns what is
//! behind the second:
//!
//! ```text
//! HTTP API ─▶ Customers ─┬─▶ Store                       an SQLite file, or PostgreSQL
//!                        └─▶ Arc<dyn PostcodeLookup>     in this process, a service, a mock, or any
//!                                                        decorator over them: whoever composes decides
//! ```
//!
//! So the promotion of the lookup from a library to a service changes nothing here, not a line and not the
//! compiled crate: without default features there is no HTTP client, no HTTP server and no dataset among
//! its dependencies. The `customers` program adds them, and takes the one URL that chooses.
//!
//! ```
//! use std::sync::Arc;
//!
//! use customers::{AddressStatus, Customers, NewCustomer, Store};
//! use postcode_core::{Answer, MockPostcodeLookup, Record};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In a test a mock; in a program what `postcode_core::connect(url)` gives.
//! let mut lookup = MockPostcodeLookup::new();
//! lookup.expect_lookup().returning(|postcodes| {
//!     Ok(postcodes.iter().map(|&postcode| Answer::Live(Record::live(postcode))).collect())
//! });
//!
//! let customers = Customers::new(Store::open("sqlite::memory:").await?, Arc::new(lookup));
//! let ada = customers
//!     .create(NewCustomer {
//!         name: "Ada Lovelace".into(),
//!         email: "ada@example.com".into(),
//!         postcode: "sw1y4jh".into(),
//!         address_lines: vec!["12 St James's Square".into(), "London".into()],
//!         ..NewCustomer::default()
//!     })
//!     .await?;
//! assert_eq!(ada.postcode.to_string(), "SW1Y 4JH");
//! assert_eq!(ada.check.status, AddressStatus::Verified);
//! assert_eq!(customers.get(ada.id).await?, ada);
//! # Ok(())
//! # }
//! ```
//!
//! # Never refused, never lost
//!
//! A text that is no postcode is refused, with the reason. Whether a postcode exists is for the lookup to say,
//! and that may be slow or down: every call of it has a time limit here
//! ([2 s](Customers::LOOKUP_TIMEOUT) unless set), and when it passes or the call fails, the account is stored
//! with its address [`Pending`](AddressStatus::Pending). So it is when the data leaves the postcode's part of
//! the country out (`BT` with the embedded data), because other data will know it.
//! [`Customers::keep_resolving`] asks again, in batches, until all is resolved.
//!
//! When a call returns, what it did is on disk. No transaction is open during a lookup: a change is
//! written on the condition that the customer is still at the revision that was read, so that of several that
//! change, move and resolve a customer at once, none undoes another's work.
//!
//! # Features
//!
//! - `server`: the HTTP API as an axum router, and the loop that serves it: the module `server`.
//! - `connect`: postcode-core's implementations of the lookup.
//! - `postgres-tls`: TLS for connections to PostgreSQL.
//! - `bin` (default): all of these, and the `customers` program.
#![deny(missing_docs)]

mod address;
mod audit;
mod change;
mod check;
mod customer;
mod draft;
mod error;
mod filter;
mod import;
mod input;
mod recheck;
mod resolve;
#[cfg(feature = "server")]
pub mod server;
mod service;
mod store;
mod surroundings;

pub use address::{Address, AddressCheck, AddressKind, AddressStatus, ParseKindError, ParseStatusError};
pub use audit::AuditEntry;
pub use customer::{Customer, CustomerId, ParseIdError, Reference};
pub use error::{Error, Result, StoreError};
pub use filter::{Filter, MAX_RADIUS, MAX_SEARCH};
pub use import::{Import, ImportId, ImportRow, ImportState, MAX_IMPORT, MAX_IMPORT_ROWS, MAX_IMPORTS};
pub use input::{
    CustomerPatch, FieldError, Invalid, MAX_ADDRESS_LINE, MAX_ADDRESS_LINES, MAX_ADDRESSES, MAX_EMAIL,
    MAX_NAME, MAX_NOTES, MAX_POSTCODE, MAX_REFERENCE, MAX_REFERENCES, NewAddress, NewCustomer,
};
pub use resolve::ResolveError;
pub use service::{Customers, MAX_TOKEN};
pub use store::{AuditPage, Cursor, Page, ParseCursorError, Store};
pub use surroundings::{Dot, Map};
