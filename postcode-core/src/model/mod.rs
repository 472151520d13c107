//! The types of the answers.

mod area;
mod dataset;
mod outcode;
mod place;
mod place_match;
mod position;
mod record;
mod scotland;
mod validity;

pub use area::{Area, AreaKind, AreaSource, Areas, OwnedArea};
pub use dataset::DatasetInfo;
pub use outcode::OutcodeSummary;
pub use place::Place;
#[cfg(feature = "dataset")]
pub(crate) use place::Square;
pub use place_match::{MatchKind, PlaceMatch, PlacePostcodes};
pub use position::{Approximate, GridReference, GridSystem, Location};
pub use record::{Answer, Neighbour, Record, Status, UserType, YearMonth};
pub use scotland::{ScottishArea, ScottishCodes, ScottishPostcode};
pub use validity::Validity;
