//! The integration tests of postcode-service, in one binary, so that its dependencies are linked
//! once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod addresses;
mod addresses_proof;
mod api;
mod beside;
mod command_line;
mod common;
mod compact;
mod compare;
mod compression;
mod conformance;
mod cost;
mod dataset_file;
mod diff;
mod enrich;
mod enrich_addresses;
mod enrich_columns;
mod enrich_files;
mod enrich_headings;
mod enrich_json;
mod enrich_quotes;
mod faults;
mod fetch;
mod fleet;
mod fuzz_corpora;
mod hosts;
mod hot;
mod http;
mod import;
mod jobs;
mod jobs_full_disk;
mod jobs_ledger;
mod jobs_program;
#[cfg(feature = "mcp")]
mod mcp;
#[cfg(feature = "mcp")]
mod mcp_http;
mod modes;
mod national_width;
mod operations;
mod page;
mod places;
mod program;
mod proof;
mod prove;
mod readers;
mod recorded;
mod regions;
mod replica;
mod reported;
mod server;
mod tls;
mod tokens;
mod verify_walk;
mod wrong;
