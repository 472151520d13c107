//! British postal addresses: what an address is, how it is written on an envelope, and how the files that hold
//! addresses are read.
//!
//! This crate contains no addresses. The files that it reads are licensed by Royal Mail, Ordnance Survey and Land and
//! Property Services, and you need their licence to use them.

#![deny(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "in a test it is the failure"))]

pub mod elements;
pub mod format;
#[cfg(feature = "layouts")]
pub mod layouts;
pub mod model;
pub mod order;
mod postcode;

pub use format::{Formatted, Style};
pub use model::{Address, Dataset, Geographic, Grid, Kind, PafKey, Point, Welsh};
