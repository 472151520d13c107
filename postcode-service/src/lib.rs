//! UK postcodes over HTTP: the API of postcodes.io over any
//! [`PostcodeLookup`](postcode_core::PostcodeLookup), and the tools for the data behind it.
//!
//! - [`api`]: the routes and what they answer, without sockets: a request in, a response out.
//! - [`server`]: the loop around it: listening, limits, deadlines, metrics, logs, orderly shutdown.
//! - [`import`]: from what ONS and Ordnance Survey publish to a dataset file.
//! - [`diff`]: two editions compared.
//! - [`enrich`]: files of rows, with what is known of their postcodes added.
//! - [`jobs`]: many rows, enriched in the background on a durable queue.
//! - [`cli`]: the subcommands of the program.

#[deny(missing_docs)]
pub mod api;
pub mod cli;
mod destination;
pub mod diff;
#[deny(missing_docs)]
pub mod enrich;
pub mod import;
#[deny(missing_docs)]
pub mod jobs;
#[deny(missing_docs)]
pub mod server;
