//! UK postcodes for Rust: check them, complete them, place them on a map, and look them up in your own process or in a
//! service, behind one trait.
//!
//! The country is inside: every postcode of Great Britain, Jersey, Guernsey and the Isle of Man, live and terminated.
//! No file, no database and no key is needed. The data has a date, and it does not hold everything that ONS publishes:
//! see [Data](#data).
//!
//! # Quick start
//!
//! A [`Postcode`] is a value of four bytes. Parsing needs no data and no runtime:
//!
//! ```
//! use postcode_core::Postcode;
//!
//! let postcode: Postcode = "sw1a1aa".parse()?;
//! assert_eq!(postcode.to_string(), "SW1A 1AA");
//! assert_eq!(postcode.outcode().to_string(), "SW1A");
//!
//! let error = "SWIA 1AA".parse::<Postcode>().unwrap_err();
//! assert_eq!(error.suggestion().map(|s| s.to_string()).as_deref(), Some("SW1A 1AA"));
//! # Ok::<(), postcode_core::ParseError>(())
//! ```
//!
//! A [`Dataset`](dataset::Dataset) answers without a runtime, in a fraction of a microsecond:
//!
//! ```
//! # #[cfg(feature = "embedded")] {
//! use postcode_core::dataset::Dataset;
//!
//! let country = Dataset::embedded()?;
//! let answer = country.get("SW1A 1AA".parse()?);
//! let record = answer.record().ok_or("not in the data")?;
//! assert_eq!(record.admin_district(), Some("Westminster"));
//! assert_eq!(record.country(), Some("England"));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`connect`] gives the same answers through a trait, from wherever its URL says. The application does not change
//! when the URL does:
//!
//! ```
//! # #[cfg(feature = "embedded")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> postcode_core::Result<()> {
//! use postcode_core::{PostcodeLookup, PostcodeLookupExt, connect};
//!
//! let postcodes = connect("embedded:").await?; // or "http://127.0.0.1:8080"
//! assert_eq!(postcodes.get_str("AB1 0AA").await?.status(), "terminated");
//! assert_eq!(postcodes.autocomplete("SW1A 1A", 1).await?.len(), 1);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "embedded"))]
//! # fn main() {}
//! ```
//!
//! # Four answers
//!
//! A lookup has four different [`Answer`]s. None of them is an error, and an error never means "not found".
//!
//! | answer | meaning |
//! |---|---|
//! | [`Answer::Live`] | in use, with its [`Record`] |
//! | [`Answer::Terminated`] | was in use once, with its last record |
//! | [`Answer::Unknown`] | has the shape of a postcode, but the data has never had it |
//! | [`Answer::NotCovered`] | lies in an area that the data leaves out, such as Northern Ireland in the embedded data |
//!
//! ```
//! # #[cfg(feature = "embedded")] {
//! use postcode_core::dataset::Dataset;
//!
//! let country = Dataset::embedded()?;
//! let status = |text: &str| Ok::<_, postcode_core::ParseError>(country.get(text.parse()?).status());
//! assert_eq!(status("EH1 1YZ")?, "live");
//! assert_eq!(status("AB1 0AA")?, "terminated");
//! assert_eq!(status("SW1A 9ZZ")?, "unknown");
//! assert_eq!(status("BT1 5GS")?, "not_covered");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What do you want to do?
//!
//! | I want to … | use |
//! |---|---|
//! | check or format a postcode | [`Postcode`], by `parse()` |
//! | repair a typing error | [`Postcode::repair`] |
//! | read a full postcode, an outcode, a sector or a BFPO number, whichever it is | [`PostalCode`] |
//! | find the postcodes in any text | [`text::find`] |
//! | look a postcode up without a runtime | [`dataset::Dataset`] |
//! | read a few fields of many postcodes as fast as possible | [`Dataset::find_many`](dataset::Dataset::find_many) |
//! | look postcodes up, here or in a service, by a setting | [`connect`], [`PostcodeLookup`], [`PostcodeLookupExt`] |
//! | complete what a person types | [`PostcodeLookup::autocomplete`] |
//! | list the postcodes around a point | [`PostcodeLookup::nearest`] with [`Nearest`]. The radius is 100 metres unless set |
//! | list the postcodes of a circle, box, polygon, area, outcode or sector | [`PostcodeLookup::within`] with [`Within`] |
//! | search for a place by name | [`PlaceLookup::find_places`] with [`PlaceQuery`]. Needs imported data |
//! | call a service, with every setting in code | [`Remote`], [`Connector`] |
//! | keep a copy of a service's data in this process | [`Replica`] |
//! | add a cache, retries, a circuit breaker or a time limit | [`layers`] |
//! | move live traffic from the library to a service, and back | [`layers::Promotion`] |
//! | have several calls answered by one side of a promotion, or from one edition | [`unit`](mod@unit) |
//! | send a record as the JSON of the service | [`wire::RecordView`], which implements `Serialize` |
//! | fake the lookup in a test | `MockPostcodeLookup`, feature `mock` |
//! | check an implementation of my own | [`conformance`] |
//! | write a dataset file | [`dataset::DatasetBuilder`], or `postcode-service import` |
//!
//! # Many at once
//!
//! A batch costs little more than a single call, over HTTP above all. One batch is answered from one edition of the
//! data, position by position.
//!
//! ```
//! # #[cfg(feature = "embedded")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use postcode_core::{Postcode, PostcodeLookup, connect};
//!
//! let postcodes = connect("embedded:").await?;
//! let batch: Vec<Postcode> = ["SW1A 1AA", "EH1 1YZ"].iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
//! let answers = postcodes.lookup(&batch).await?;
//! assert!(answers.iter().all(|answer| answer.is_live()));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "embedded"))]
//! # fn main() {}
//! ```
//!
//! # Features
//!
//! Every feature adds and none takes away. Without any, the crate has the values and their parsing, and its tree is ten
//! crates.
//!
//! | feature | default | adds | because |
//! |---|---|---|---|
//! | `lookup` | with any other | [`PostcodeLookup`], [`Record`], [`connect`], [`Error`], [`wire`] | who only checks a text needs neither URLs nor JSON |
//! | `dataset` | with `embedded` | [`dataset`], [`Local`], `file:` | a reader that only calls a service needs no file format |
//! | `embedded` | yes | the country, `embedded:` | ten megabytes and a decompressor |
//! | `http` | | [`Remote`], `http:`, `https:`, `unix:`; implies `layers` | an HTTP client and TLS |
//! | `replica` | | [`Replica`], `replica:`, [`proof`]; implies `dataset` and `http` | downloads and keeps files |
//! | `layers` | | [`layers`] | tokio |
//! | `conformance` | | [`conformance`] | for tests |
//! | `mock` | | `MockPostcodeLookup` | for tests |
//!
//! A program that only validates:
//!
//! ```toml
//! [dependencies]
//! postcode-core = { version = "0.1", default-features = false }
//! ```
//!
//! A program that starts with the library and may move to a service:
//!
//! ```toml
//! [dependencies]
//! postcode-core = { version = "0.1", features = ["http"] }
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! ```
//!
//! # Errors
//!
//! There is one [`Error`]. Decide by [`kind`](Error::kind) and [`is_transient`](Error::is_transient), show its
//! `Display`, and log its source. An invalid text is a [`ParseError`], which says which character is wrong and what
//! was probably meant.
//!
//! # Data
//!
//! The embedded data comes from ONS, Ordnance Survey, the NHS and National Records of Scotland.
//! [`PostcodeLookup::info`] says its edition and attribution. Per postcode it has the status, grid reference, latitude and
//! longitude (WGS84), ward, district, county, region and country, police force and NHS areas, census areas of 2011, dates,
//! user type and positional quality.
//!
//! The embedded data does not know:
//!
//! - Status: it is that of April 2025.
//! - Jersey, Guernsey and the Isle of Man have no location.
//! - Northern Ireland is left out, because the licence of its postcodes is another one. The answer is `NotCovered`.
//! - Parishes, constituencies, census areas of 2021 in England and Wales, travel to work areas and others. Import an
//!   ONSPD to have them:
//!   `postcode-service import ONSPD_NOV_2025.zip --out uk.postcodes`, then `connect("file:uk.postcodes")`.
//!
//! The data is under the Open Government Licence v3.0. Whatever carries it carries the attribution that
//! [`DatasetInfo`] holds. The code is MIT or Apache-2.0.
//!
//! # What does a service add?
//!
//! `postcode-service` answers the same questions over HTTP, in the API of postcodes.io: for programs in other
//! languages, for one copy of the data in place of many, and for updates without a release of the application. A call
//! over HTTP costs about as much as a thousand lookups in process. In a batch of a hundred, each postcode costs about as
//! much as a hundred lookups. Start with the library. Move when one of those three reasons applies.
#![deny(missing_docs)]

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "lookup")]
mod connect;
#[cfg(feature = "dataset")]
pub mod dataset;
#[cfg(feature = "lookup")]
mod error;
#[cfg(feature = "layers")]
pub mod layers;
#[cfg(feature = "dataset")]
mod local;
#[cfg(feature = "lookup")]
mod lookup;
#[cfg(any(feature = "conformance", feature = "dataset", feature = "http"))]
mod matching;
#[cfg(feature = "lookup")]
pub mod model;
#[cfg(feature = "lookup")]
pub mod names;
pub mod postcode;
#[cfg(feature = "replica")]
pub mod proof;
#[cfg(feature = "lookup")]
mod query;
#[cfg(feature = "http")]
pub mod remote;
#[cfg(feature = "replica")]
mod replica;
#[cfg(feature = "lookup")]
mod source;
/// The atomics of what is lock-free. `testing/interleavings` puts loom's in their place.
#[cfg(feature = "layers")]
mod sync {
    pub(crate) use std::sync::atomic;
}
#[cfg(feature = "lookup")]
pub mod wire;

#[cfg(feature = "http")]
#[doc(hidden)]
pub use connect::ServiceClients;
#[cfg(feature = "lookup")]
pub use connect::{Connector, connect};
#[cfg(feature = "lookup")]
pub use error::{Error, ErrorKind, Result};
#[cfg(feature = "dataset")]
pub use local::{Local, Opened};
#[cfg(feature = "lookup")]
pub use lookup::unit;
#[cfg(feature = "lookup")]
pub use lookup::{AnyLookup, Lookups, Pages, PlaceLookup, PostcodeLookup, PostcodeLookupExt, ScottishLookup};
#[cfg(feature = "mock")]
pub use lookup::{MockLookups, MockPlaceLookup, MockPostcodeLookup, MockScottishLookup};
#[cfg(feature = "lookup")]
pub use model::{
    Answer, Approximate, Area, AreaKind, Areas, Coordinates, DatasetInfo, GridReference, GridSystem,
    Location, MatchKind, Neighbour, OutcodeSummary, OwnedArea, Place, PlaceMatch, PlacePostcodes, Record,
    ScottishArea, ScottishCodes, ScottishPostcode, Status, UserType, Validity, YearMonth,
};
pub use postcode::text;
pub use postcode::{
    Bfpo, Change, Outcode, ParseError, ParseReason, PostalCode, Postcode, PostcodeArea, Repaired, Sector,
    Territory, TerritoryCode,
};
#[cfg(feature = "lookup")]
pub use query::{
    MAX_AREA_CODE, MAX_BATCH, MAX_CORNERS, MAX_LIMIT, MAX_NEIGHBOURS, MAX_PAGE, MAX_QUERY, MAX_RADIUS,
    Nearest, NearestOutcodes, Origin, OutcodeOrigin, Page, PlaceQuery, Region, Within,
};
#[cfg(feature = "http")]
pub use remote::Remote;
#[cfg(feature = "replica")]
pub use replica::{Replica, ReplicaBuilder, ReplicaStatus};
#[cfg(feature = "lookup")]
pub use source::{path_or_url, redact};

/// Re-exports for the code that the macros of this crate generate.
#[cfg(feature = "lookup")]
#[doc(hidden)]
pub mod private {
    pub use async_trait::async_trait;

    pub use crate::lookup::Around;
    pub use crate::lookup::call::{Call, Reply, Sealed};
    pub use crate::lookup::place_calls::*;
    pub use crate::lookup::postcode_calls::*;
    pub use crate::lookup::scottish_calls::*;
}
