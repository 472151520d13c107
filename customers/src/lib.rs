//! Customer accounts with checked postal addresses: the consumer of [`postcode_core`].
//!
//! # Composition
//!
//! [`Customers`] holds a [`Store`] and an `Arc<dyn PostcodeLookup>`. It does not know which
//! implementation is behind the second:
//!
//! ```text
//! HTTP API ─▶ Customers ─┬─▶ Store                       an SQLite file, or PostgreSQL
//!                        ├─▶ Arc<dyn PostcodeLookup>     in this process, a service, a mock, or any
//!                        │                               decorator over them, chosen by the caller
//!                        └─▶ Arc<dyn AddressLookup>      the same, and optional
//! ```
//!
//! So moving the lookup from a library to a service changes nothing here: not a line, and not the
//! compiled crate. Without default features it does not depend on an HTTP client, an HTTP server or
//! a dataset. The `customers` program adds them, and takes the URL that chooses.
//!
//! ```
//! use std::sync::Arc;
//!
//! use customers::{AddressStatus, Customers, NewCustomer, Store};
//! use postcode_core::{Answer, MockPostcodeLookup, Record};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In a test, a mock. In a program, the result of `postcode_core::connect(url)`.
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
//! # Accounts are never refused because of the lookup, and never lost
//!
//! A text that is not a postcode is refused, with the reason. Only the lookup knows whether a
//! postcode exists, and it may be slow or down. So every lookup has a time limit ([2
//! s](Customers::LOOKUP_TIMEOUT) by default). If it passes or the lookup fails, the account is
//! stored and its address is [`Pending`](AddressStatus::Pending). If the data does not cover its
//! area (`BT` with the embedded data), it is [`NotCovered`](AddressStatus::NotCovered), and asked
//! about again once an hour, because other data may. [`Customers::keep_resolving`] asks, in
//! batches, until all addresses are resolved.
//!
//! When a call returns, its effect is on disk. No transaction is open during a lookup. Concurrent
//! changes never overwrite each other: an update fails if the customer's revision has moved on.
//!
//! # Features
//!
//! - `server`: the module `server`, with the HTTP API as an axum router and the loop that serves
//!   it.
//! - `connect`: the implementations of both lookups.
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
mod fold;
mod ids;
mod import;
mod importing;
mod input;
mod limits;
mod link;
mod offer;
mod recheck;
mod relink;
mod resolve;
#[cfg(feature = "server")]
pub mod server;
mod service;
mod sort;
mod store;
mod surroundings;

pub use address::{Address, AddressCheck, AddressKind, AddressStatus, ParseKindError, ParseStatusError};
pub use audit::AuditEntry;
pub use customer::{Customer, Reference};
pub use error::{Error, Result, StoreError};
pub use filter::{Filter, MAX_RADIUS, MAX_SEARCH};
pub use ids::{CustomerId, ImportId, ParseIdError};
pub use import::{FailedRow, Import, ImportRow, ImportState, Mapping, Preview, PreviewColumn};
pub use input::{CustomerPatch, FieldError, Invalid, NewAddress, NewCustomer};
pub use limits::{
    MAX_ADDRESS_LINE, MAX_ADDRESS_LINES, MAX_ADDRESSES, MAX_EMAIL, MAX_IMPORT, MAX_IMPORT_BYTES,
    MAX_IMPORT_ROWS, MAX_IMPORTS, MAX_NAME, MAX_NOTES, MAX_POSTCODE, MAX_REFERENCE, MAX_REFERENCES,
};
pub use link::{AddressLink, LinkStatus, ParseLinkStatusError};
pub use offer::{AddressOffer, OfferedAddress};
pub use resolve::ResolveError;
pub use service::{Customers, MAX_TOKEN};
pub use sort::{ParseSortError, Sort, SortField};
pub use store::{AuditPage, Cursor, Page, ParseCursorError, Store, Total};
pub use surroundings::{Dot, Map};
