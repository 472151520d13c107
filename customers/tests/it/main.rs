//! The integration tests of customers, in one binary, so that its dependencies are linked once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod address_links;
#[cfg(feature = "bin")]
mod advice;
#[cfg(feature = "connect")]
mod any_lookup;
mod api;
mod changes;
#[cfg(feature = "connect")]
mod consumer;
mod databases;
mod description;
mod domain;
mod exports;
#[cfg(feature = "bin")]
mod fleet;
#[cfg(feature = "bin")]
mod full_disk;
#[cfg(feature = "connect")]
mod fuzz_corpora;
mod guard;
#[cfg(feature = "bin")]
mod http;
mod imports;
#[cfg(feature = "bin")]
mod ledger;
mod listing;
mod lookups;
mod migration;
mod near;
mod outage;
mod page;
mod plain;
#[cfg(feature = "bin")]
mod program;
#[cfg(feature = "bin")]
mod promotion;
mod recheck;
#[cfg(feature = "bin")]
mod record;
mod reported;
mod router;
#[cfg(feature = "bin")]
mod secured;
mod serve;
#[cfg(feature = "bin")]
mod service;
mod store;
#[cfg(feature = "bin")]
mod tarpit;
mod tokens;
#[cfg(feature = "connect")]
mod units;
#[cfg(feature = "bin")]
mod walk;
