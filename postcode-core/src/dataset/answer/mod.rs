//! The queries that a [`Dataset`](super::Dataset) answers, one per file.

pub(crate) mod approximate;
pub(crate) mod close;
pub(crate) mod cover;
pub(crate) mod name_order;
pub(crate) mod nearest;
pub(crate) mod outcode;
pub(crate) mod place_postcodes;
pub(crate) mod places;
pub(crate) mod polygon;
pub(crate) mod random;
pub(crate) mod record_ref;
pub(crate) mod region;
pub(crate) mod scotland;
pub(crate) mod search;
