//! The limits of one call.

#[cfg(doc)]
use crate::{Page, PostcodeLookup, Region};

/// The most postcodes in one [`PostcodeLookup::lookup`].
pub const MAX_BATCH: usize = 10_000;
/// The most answers of autocomplete, search and nearest outcodes.
pub const MAX_LIMIT: usize = 100;
/// The most answers of [`PostcodeLookup::nearest`]. For more, use [`PostcodeLookup::within`].
pub const MAX_NEIGHBOURS: usize = 1_000;
/// The largest radius, in metres: longer than the whole country.
pub const MAX_RADIUS: f64 = 2_000_000.0;
/// The longest text for autocomplete and search, of postcodes and of places, in bytes.
pub const MAX_QUERY: usize = 256;
/// The most postcodes in one [`Page`].
pub const MAX_PAGE: usize = 1_000;
/// The most corners of a [`Region::Polygon`].
pub const MAX_CORNERS: usize = 1_000;
/// The longest code of an area, in bytes. ONS codes have nine.
pub const MAX_AREA_CODE: usize = 32;
