//! The types of the answers.
//!
//! | question | answer |
//! |---|---|
//! | one postcode | [`Answer`], with a [`Record`] if the data has one |
//! | the postcodes around a point | [`Neighbour`]s: a record and its distance |
//! | an outcode | [`OutcodeSummary`] |
//! | a place by its name | [`PlaceMatch`], with a [`Place`] |
//! | the Scottish directory | [`ScottishPostcode`] |
//! | the data itself | [`DatasetInfo`] |
//!
//! A record holds its areas by [`AreaKind`], each with its code and its name where the data has one. Records and answers implement
//! `Serialize` and `Deserialize` in the extended shape of the HTTP API. [`RecordView`](crate::wire::RecordView) writes the shape
//! of postcodes.io.
//!
//! ```
//! use postcode_core::{Answer, Record};
//!
//! let answer = Answer::Live(Record::live("SW1A 1AA".parse()?));
//! assert_eq!(answer.status(), "live");
//! let json = serde_json::to_string(&answer)?;
//! assert_eq!(serde_json::from_str::<Answer>(&json)?, answer);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod area;
mod area_texts;
mod coordinates;
mod dataset;
mod outcode;
mod place;
mod place_match;
mod position;
mod record;
mod scotland;
mod validity;

pub use area::{Area, AreaKind, AreaSource, Areas, OwnedArea};
pub(crate) use area_texts::AreaTextsBuilder;
pub use coordinates::Coordinates;
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
