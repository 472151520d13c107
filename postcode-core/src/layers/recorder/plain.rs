//! A call as plain data, which can be written to a file and made again.

use std::any::Any;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::layers::call::{self, Call};
use crate::{
    Error, Location, Lookups, Nearest, NearestOutcodes, Origin, OutcodeOrigin, Postcode, Region, Result,
    Within,
};

/// The most characters that a private text keeps: those of an outcode.
const PRIVATE_TEXT: usize = 4;

/// A call as plain data. It can be written as JSON, and made again on any lookup.
///
/// Postcodes are texts, because a private one is only a sector.
///
/// ```
/// use postcode_core::layers::PlainCall;
///
/// let call = PlainCall::LookupOne { postcode: "SW1A 1AA".to_owned() };
/// let text = serde_json::to_string(&call)?;
/// assert_eq!(text, r#"{"method":"lookup_one","postcode":"SW1A 1AA"}"#);
/// assert_eq!(serde_json::from_str::<PlainCall>(&text)?, call);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
#[allow(missing_docs, reason = "each field is the argument of that name")]
#[non_exhaustive]
pub enum PlainCall {
    /// [`PostcodeLookup::lookup_one`](crate::PostcodeLookup::lookup_one).
    LookupOne { postcode: String },
    /// [`PostcodeLookup::lookup`](crate::PostcodeLookup::lookup).
    Lookup { postcodes: Vec<String> },
    /// [`PostcodeLookup::outcode`](crate::PostcodeLookup::outcode).
    Outcode { outcode: String },
    /// [`PostcodeLookup::outcodes`](crate::PostcodeLookup::outcodes).
    Outcodes { text: String, limit: usize },
    /// [`PostcodeLookup::autocomplete`](crate::PostcodeLookup::autocomplete).
    Autocomplete { text: String, limit: usize },
    /// [`PostcodeLookup::search`](crate::PostcodeLookup::search).
    Search { text: String, limit: usize },
    /// [`PostcodeLookup::nearest`](crate::PostcodeLookup::nearest), to a postcode or a point.
    Nearest { to: PlainOrigin, limit: usize, radius: f64 },
    /// [`PostcodeLookup::nearest_outcodes`](crate::PostcodeLookup::nearest_outcodes), to an outcode or a point.
    NearestOutcodes { to: PlainOrigin, limit: usize, radius: f64 },
    /// [`PostcodeLookup::within`](crate::PostcodeLookup::within): the first page of a region.
    Within { region: PlainRegion, limit: usize },
    /// [`PlaceLookup::place`](crate::PlaceLookup::place).
    Place { code: String },
    /// [`PlaceLookup::places`](crate::PlaceLookup::places).
    Places { text: String, limit: usize },
}

/// The origin of a [`PlainCall`].
///
/// ```
/// use postcode_core::layers::PlainOrigin;
///
/// assert_eq!(serde_json::to_string(&PlainOrigin::Point([51.5, -0.14]))?, "[51.5,-0.14]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PlainOrigin {
    /// Latitude and longitude.
    Point([f64; 2]),
    /// A postcode or an outcode.
    Named(String),
}

/// The region of a [`PlainCall`].
///
/// ```
/// use postcode_core::layers::PlainRegion;
///
/// let region: PlainRegion = serde_json::from_str(r#"{"outcode":"SW1A"}"#)?;
/// assert_eq!(region, PlainRegion::Outcode("SW1A".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each field is the one of that name in Region")]
#[non_exhaustive]
pub enum PlainRegion {
    /// A circle: latitude and longitude of its centre, and metres.
    Circle { centre: [f64; 2], radius: f64 },
    /// An area by its code.
    Area(String),
    /// An outcode.
    Outcode(String),
    /// A sector.
    Sector(String),
}

/// `nearest to M1 1AE within 310 m, at most 7`
impl fmt::Display for PlainCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LookupOne { postcode } => write!(f, "lookup of {postcode}"),
            Self::Lookup { postcodes } => write!(f, "lookup of {}", postcodes.join(", ")),
            Self::Outcode { outcode } => write!(f, "outcode {outcode}"),
            Self::Outcodes { text, limit } => write!(f, "outcodes {text:?}, at most {limit}"),
            Self::Autocomplete { text, limit } => write!(f, "autocomplete {text:?}, at most {limit}"),
            Self::Search { text, limit } => write!(f, "search {text:?}, at most {limit}"),
            Self::Nearest { to, limit, radius } => {
                write!(f, "nearest to {to} within {radius} m, at most {limit}")
            }
            Self::NearestOutcodes { to, limit, radius } => {
                write!(f, "outcodes nearest to {to} within {radius} m, at most {limit}")
            }
            Self::Within { region, limit } => write!(f, "within {region}, at most {limit}"),
            Self::Place { code } => write!(f, "place {code:?}"),
            Self::Places { text, limit } => write!(f, "places {text:?}, at most {limit}"),
        }
    }
}

impl fmt::Display for PlainOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point([latitude, longitude]) => write!(f, "{latitude},{longitude}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for PlainRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Circle { centre: [latitude, longitude], radius } => {
                write!(f, "{radius} m of {latitude},{longitude}")
            }
            Self::Area(name) | Self::Outcode(name) | Self::Sector(name) => f.write_str(name),
        }
    }
}

fn point(location: Location) -> [f64; 2] {
    [location.latitude(), location.longitude()]
}

fn location([latitude, longitude]: [f64; 2]) -> Result<Location> {
    Location::new(latitude, longitude)
}

fn parsed<T: std::str::FromStr<Err: fmt::Display>>(text: &str) -> Result<T> {
    text.parse().map_err(|error| Error::invalid(format!("{text:?}: {error}")))
}

impl From<Origin> for PlainOrigin {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Location(location) => Self::Point(point(location)),
            Origin::Postcode(postcode) => Self::Named(postcode.to_string()),
        }
    }
}

impl From<OutcodeOrigin> for PlainOrigin {
    fn from(origin: OutcodeOrigin) -> Self {
        match origin {
            OutcodeOrigin::Location(location) => Self::Point(point(location)),
            OutcodeOrigin::Outcode(outcode) => Self::Named(outcode.to_string()),
        }
    }
}

impl PlainRegion {
    /// Returns a region as plain data. `None` for boxes, polygons and areas of one kind.
    fn of(region: &Region) -> Option<Self> {
        Some(match region {
            Region::Circle { centre, radius } => Self::Circle { centre: point(*centre), radius: *radius },
            Region::Area { code, kind: None } => Self::Area(code.clone()),
            Region::Outcode(outcode) => Self::Outcode(outcode.to_string()),
            Region::Sector(sector) => Self::Sector(sector.to_string()),
            _ => return None,
        })
    }

    fn region(&self) -> Result<Region> {
        Ok(match self {
            Self::Circle { centre, radius } => Region::circle(location(*centre)?, *radius),
            Self::Area(code) => Region::area(code.clone()),
            Self::Outcode(outcode) => Region::Outcode(parsed(outcode)?),
            Self::Sector(sector) => Region::Sector(parsed(sector)?),
        })
    }
}

impl PlainCall {
    /// Returns a call as plain data. `None` for what it does not describe: random postcodes, information, later pages, polygons.
    pub(super) fn of<L: ?Sized, C: Call<L>>(call: &C) -> Option<Self> {
        let owned = call.clone().into_owned();
        let call: &dyn Any = &owned;
        if let Some(call::LookupOne { postcode, .. }) = call.downcast_ref() {
            return Some(Self::LookupOne { postcode: postcode.to_string() });
        }
        if let Some(call::Lookup { postcodes, .. }) = call.downcast_ref() {
            return Some(Self::Lookup { postcodes: postcodes.iter().map(Postcode::to_string).collect() });
        }
        if let Some(call::OutcodeOf { outcode, .. }) = call.downcast_ref() {
            return Some(Self::Outcode { outcode: outcode.to_string() });
        }
        if let Some(call::Outcodes { prefix, limit, .. }) = call.downcast_ref() {
            return Some(Self::Outcodes { text: prefix.to_string(), limit: *limit });
        }
        if let Some(call::Autocomplete { prefix, limit, .. }) = call.downcast_ref() {
            return Some(Self::Autocomplete { text: prefix.to_string(), limit: *limit });
        }
        if let Some(call::Search { query, limit, .. }) = call.downcast_ref() {
            return Some(Self::Search { text: query.to_string(), limit: *limit });
        }
        if let Some(call::NearestTo { query, .. }) = call.downcast_ref() {
            let Nearest { origin, limit, radius, .. } = **query;
            return Some(Self::Nearest { to: origin.into(), limit, radius });
        }
        if let Some(call::NearestOutcodesTo { query, .. }) = call.downcast_ref() {
            let NearestOutcodes { origin, limit, radius, .. } = **query;
            return Some(Self::NearestOutcodes { to: origin.into(), limit, radius });
        }
        if let Some(call::PageOf { query, .. }) = call.downcast_ref() {
            let region = PlainRegion::of(&query.region).filter(|_| query.after.is_none())?;
            return Some(Self::Within { region, limit: query.limit });
        }
        if let Some(call::PlaceOf { code, .. }) = call.downcast_ref() {
            return Some(Self::Place { code: code.to_string() });
        }
        let call::Places { query, limit, .. } = call.downcast_ref()?;
        Some(Self::Places { text: query.to_string(), limit: *limit })
    }

    /// Returns the call without what may be somebody's home: of a postcode the sector, of a text the first four characters,
    /// of a point about a kilometre.
    ///
    /// ```
    /// use postcode_core::layers::PlainCall;
    ///
    /// let call = PlainCall::LookupOne { postcode: "SW1A 1AA".to_owned() };
    /// assert_eq!(call.without_whole_postcodes().to_string(), "lookup of SW1A 1");
    /// ```
    #[must_use]
    pub fn without_whole_postcodes(mut self) -> Self {
        for postcode in self.postcodes_mut() {
            if let Ok(whole) = postcode.parse::<Postcode>() {
                *postcode = whole.sector().to_string();
            }
        }
        let rounded = |point: &mut [f64; 2]| *point = point.map(|degrees| (degrees * 100.0).round() / 100.0);
        match &mut self {
            Self::Outcodes { text, .. }
            | Self::Autocomplete { text, .. }
            | Self::Search { text, .. }
            | Self::Places { text, .. } => *text = text.chars().take(PRIVATE_TEXT).collect(),
            Self::Nearest { to: PlainOrigin::Point(point), .. }
            | Self::NearestOutcodes { to: PlainOrigin::Point(point), .. }
            | Self::Within { region: PlainRegion::Circle { centre: point, .. }, .. } => rounded(point),
            _ => {}
        }
        self
    }

    /// Returns the texts that are postcodes, or sectors if the call is private.
    ///
    /// ```
    /// use postcode_core::layers::PlainCall;
    ///
    /// let mut call = PlainCall::LookupOne { postcode: "SW1A 1".to_owned() };
    /// for text in call.postcodes_mut() {
    ///     text.push_str("AA");
    /// }
    /// assert_eq!(call.to_string(), "lookup of SW1A 1AA");
    /// ```
    pub fn postcodes_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::LookupOne { postcode } => vec![postcode],
            Self::Lookup { postcodes } => postcodes.iter_mut().collect(),
            Self::Nearest { to: PlainOrigin::Named(postcode), .. } => vec![postcode],
            _ => Vec::new(),
        }
    }

    /// Makes the call. Returns the answer as text. Floats in it are exact, so equal texts are equal answers.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # let library = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::layers::PlainCall;
    ///
    /// let call = PlainCall::Autocomplete { text: "SW1A".to_owned(), limit: 10 };
    /// assert_eq!(call.answer(&library).await?, "[Postcode(SW1A 1AA)]");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// Returns the error of the lookup, and [`InvalidInput`](crate::ErrorKind::InvalidInput) for a text that is not what it
    /// should be, such as a sector for a postcode.
    pub async fn answer(&self, lookup: &dyn Lookups) -> Result<String> {
        fn text(answer: impl fmt::Debug) -> String {
            format!("{answer:?}")
        }
        Ok(match self {
            Self::LookupOne { postcode } => text(lookup.lookup_one(parsed(postcode)?).await?),
            Self::Lookup { postcodes } => {
                let postcodes =
                    postcodes.iter().map(|text| parsed(text)).collect::<Result<Vec<Postcode>>>()?;
                text(lookup.lookup(&postcodes).await?)
            }
            Self::Outcode { outcode } => text(lookup.outcode(parsed(outcode)?).await?),
            Self::Outcodes { text: prefix, limit } => text(lookup.outcodes(prefix, *limit).await?),
            Self::Autocomplete { text: prefix, limit } => text(lookup.autocomplete(prefix, *limit).await?),
            Self::Search { text: query, limit } => text(lookup.search(query, *limit).await?),
            Self::Nearest { to, limit, radius } => {
                let query = match to {
                    PlainOrigin::Point(point) => Nearest::to(location(*point)?),
                    PlainOrigin::Named(name) => Nearest::to(parsed::<Postcode>(name)?),
                };
                text(lookup.nearest(&query.limit(*limit).radius(*radius)).await?)
            }
            Self::NearestOutcodes { to, limit, radius } => {
                let query = match to {
                    PlainOrigin::Point(point) => NearestOutcodes::to(location(*point)?),
                    PlainOrigin::Named(name) => NearestOutcodes::to(parsed::<crate::Outcode>(name)?),
                };
                text(lookup.nearest_outcodes(&query.limit(*limit).radius(*radius)).await?)
            }
            Self::Within { region, limit } => {
                text(lookup.within(&Within::of(region.region()?).limit(*limit)).await?)
            }
            Self::Place { code } => text(lookup.place(code).await?),
            Self::Places { text: query, limit } => text(lookup.places(query, *limit).await?),
        })
    }
}
