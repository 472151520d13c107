//! UK postcodes over HTTP: the API of postcodes.io over any
//! [`PostcodeLookup`](postcode_core::PostcodeLookup), and the tools for the data behind it.
//!
//! - [`api`]: the routes and their answers, without sockets: a request in, a response out.
//! - [`server`]: the loop around it: listening, limits, deadlines, metrics, logs, orderly shutdown.
//! - [`import`]: makes a dataset file from the publications of ONS and Ordnance Survey.
//! - [`fetch`]: downloads those publications.
//! - [`diff`]: compares two editions.
//! - [`prove`]: compares every answer of two sources.
//! - [`proof`]: one hash over all answers, and the way from it to those that differ.
//! - [`enrich`]: adds columns to files of rows by their postcodes.
//! - [`jobs`]: many rows, enriched in the background on a durable queue; [`worker`] does them.
//!
//! # Features
//!
//! All but the last two are defaults. Without any, the library is the API, its server, `enrich`, `diff` and `prove`.
//!
//! | feature | adds | because |
//! |---|---|---|
//! | `cli` | the command line and the program; implies `import` and `jobs` | clap and what commands print |
//! | `import` | `import` and `fetch` | zip and terminals |
//! | `jobs` | `jobs`. Without it `/jobs` answers 501 | two databases and a queue |
//! | `postgres-tls` | TLS to the PostgreSQL of jobs | TLS in the database driver |
//! | `columnar` | `enrich` for Parquet and Arrow files | a third more time for a first build |
//! | `mcp` | the lookups as tools for assistants | an SDK |
//!
//! # Errors
//!
//! Import, fetch and prove fail with [`Error`], whose [kind](ErrorKind) says what a caller can do.

#[deny(missing_docs)]
pub mod api;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "import")]
mod destination;
pub mod diff;
#[deny(missing_docs)]
pub mod enrich;
mod error;
#[cfg(feature = "import")]
#[deny(missing_docs)]
pub mod fetch;
mod grid;
#[cfg(feature = "import")]
pub mod import;
#[cfg(feature = "jobs")]
#[deny(missing_docs)]
pub mod jobs;
#[cfg(not(feature = "jobs"))]
#[path = "no_jobs.rs"]
pub mod jobs;
#[cfg(feature = "mcp")]
#[deny(missing_docs)]
pub mod mcp;
mod meant;
mod months;
mod ostn15;
#[deny(missing_docs)]
pub mod prove;
#[deny(missing_docs)]
pub mod server;
#[cfg(feature = "jobs")]
#[deny(missing_docs)]
pub mod worker;

pub use error::{Error, ErrorKind, Result};
pub use postcode_core::proof;
