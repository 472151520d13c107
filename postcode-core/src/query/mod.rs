//! Queries and their limits.

#[cfg(any(feature = "conformance", feature = "dataset", feature = "http", feature = "layers"))]
pub(crate) mod check;
mod limits;
mod nearest;
mod places;
mod region;
mod within;

pub use limits::{
    MAX_AREA_CODE, MAX_BATCH, MAX_CORNERS, MAX_LIMIT, MAX_NEIGHBOURS, MAX_PAGE, MAX_QUERY, MAX_RADIUS,
};
pub use nearest::{Nearest, NearestOutcodes, Origin, OutcodeOrigin};
pub use places::PlaceQuery;
pub use region::Region;
#[cfg(feature = "dataset")]
pub(crate) use region::{Edge, Side, edges, in_edges, side};
pub use within::{Page, Within};
