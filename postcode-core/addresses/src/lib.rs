//! British postal addresses: what an address is, how it is written on an envelope, and how the files that hold
//! addresses are read.
//!
//! This crate contains no addresses. The files that it reads are licensed by Royal Mail, Ordnance Survey and Land and
//! Property Services, and you need their licence to use them.

#![deny(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "in a test it is the failure"))]

pub mod elements;
#[cfg(feature = "file")]
pub mod file;
pub mod format;
#[cfg(feature = "layouts")]
pub mod layouts;
#[cfg(feature = "lookup")]
pub mod lookup;
pub mod matching;
pub mod model;
#[cfg(feature = "lookup")]
mod number;
pub mod order;
mod postcode;
#[cfg(feature = "proof")]
pub mod proof;

pub use format::{Formatted, Style};
#[cfg(feature = "file")]
pub use lookup::LocalAddresses;
#[cfg(feature = "mock")]
pub use lookup::MockAddressLookup;
#[cfg(feature = "http")]
pub use lookup::RemoteAddresses;
#[cfg(feature = "lookup")]
pub use lookup::{
    AddressAnswer, AddressCoverage, AddressLookup, AddressNeighbour, AddressPage, connect_addresses,
};
pub use model::{Address, Dataset, Geographic, Grid, Kind, PafKey, Point, Welsh};
#[cfg(feature = "lookup")]
pub use number::AddressNumber;
