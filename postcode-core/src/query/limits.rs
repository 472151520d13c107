//! How much one call may ask for.

#[cfg(doc)]
use crate::{Page, PostcodeLookup, Region};

/// Postcodes in one [`PostcodeLookup::lookup`] at most.
pub const MAX_BATCH: usize = 10_000;
/// Answers of autocomplete, search and nearest outcodes at most.
pub const MAX_LIMIT: usize = 100;
/// Answers of [`PostcodeLookup::nearest`] at most. For more there is [`PostcodeLookup::within`].
pub const MAX_NEIGHBOURS: usize = 1_000;
/// The farthest that anything looks around a point, in metres: farther than from one end of the country to the other.
pub const MAX_RADIUS: f64 = 2_000_000.0;
/// The longest text for autocomplete and search, of postcodes and of places, in bytes.
pub const MAX_QUERY: usize = 256;
/// Postcodes in one [`Page`] at most.
pub const MAX_PAGE: usize = 1_000;
/// Corners of a [`Region::Polygon`] at most.
pub const MAX_CORNERS: usize = 1_000;
/// The longest code of an area, in bytes; those of ONS have nine.
pub const MAX_AREA_CODE: usize = 32;
