//! The sections of the file: their contents, and how they are read.

pub(crate) mod approximate;
pub(crate) mod areas;
pub(crate) mod cell_points;
pub(crate) mod fields;
pub(crate) mod keys;
pub(crate) mod place_finder;
pub(crate) mod place_index;
pub(crate) mod places;
pub(crate) mod rows;
pub(crate) mod scotland;
pub(crate) mod sectors;
pub(crate) mod spatial;
