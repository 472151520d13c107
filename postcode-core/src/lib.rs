//! UK postcodes: values, lookup, and the same lookup as a service, behind one trait.
#![deny(missing_docs)]

#[cfg(feature = "conformance")]
pub mod conformance;
mod connect;
#[cfg(feature = "dataset")]
pub mod dataset;
mod error;
#[cfg(feature = "layers")]
pub mod layers;
#[cfg(feature = "dataset")]
mod local;
mod lookup;
pub mod model;
pub mod names;
#[cfg(any(feature = "conformance", feature = "dataset", feature = "http"))]
mod partial;
#[cfg(any(feature = "conformance", feature = "dataset"))]
mod place_name;
mod place_query;
pub mod postcode;
mod region;
#[cfg(feature = "http")]
pub mod remote;
#[cfg(feature = "replica")]
mod replica;
pub mod wire;

pub use connect::{Connector, connect};
pub use error::{Error, ErrorKind, Result};
#[cfg(feature = "dataset")]
pub use local::{Local, Opened};
#[cfg(feature = "mock")]
pub use lookup::MockPostcodeLookup;
pub use lookup::{
    MAX_BATCH, MAX_LIMIT, MAX_NEIGHBOURS, MAX_QUERY, MAX_RADIUS, Nearest, NearestOutcodes, Origin,
    OutcodeOrigin, PostcodeLookup, PostcodeLookupExt,
};
pub use model::{
    Answer, Approximate, Area, AreaKind, Areas, DatasetInfo, GridReference, GridSystem, Location, MatchKind,
    Neighbour, OutcodeSummary, OwnedArea, Place, PlaceMatch, PlacePostcodes, Record, ScottishArea,
    ScottishCodes, ScottishPostcode, Status, UserType, Validity, YearMonth,
};
pub use place_query::PlaceQuery;
pub use postcode::text;
pub use postcode::{
    Bfpo, Change, Outcode, ParseError, ParseReason, PostalCode, Postcode, PostcodeArea, Repaired, Sector,
    Territory, TerritoryCode,
};
pub use region::{MAX_AREA_CODE, MAX_CORNERS, MAX_PAGE, Page, Pages, Region, Within};
#[cfg(feature = "http")]
pub use remote::Remote;
#[cfg(feature = "replica")]
pub use replica::{Replica, ReplicaBuilder, ReplicaStatus};
