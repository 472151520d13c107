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
//! - [`jobs`]: many rows, enriched in the background on a durable queue.
//! - [`cli`]: the subcommands of the program.

#[deny(missing_docs)]
pub mod api;
pub mod cli;
mod destination;
pub mod diff;
#[deny(missing_docs)]
pub mod enrich;
#[deny(missing_docs)]
pub mod fetch;
pub mod import;
#[deny(missing_docs)]
pub mod jobs;
#[cfg(feature = "mcp")]
#[deny(missing_docs)]
pub mod mcp;
mod meant;
mod months;
#[deny(missing_docs)]
pub mod prove;
#[deny(missing_docs)]
pub mod server;

pub use postcode_core::proof;
