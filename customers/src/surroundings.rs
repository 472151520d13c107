//! Lookups for a person who enters an address: completion, a check, and a map.

use std::future::Future;

use postcode_core::{
    Answer, Error as LookupError, ErrorKind, Location, Postcode, PostcodeLookup, PostcodeLookupExt, Record,
    Region,
};
use serde::{Serialize, Serializer};

use crate::{AddressCheck, Customers, Error, Result};

/// The most postcodes on one map: a few hundred kilobytes, and dots that can still be told apart.
const DOTS: usize = 3_000;
/// The smallest radius, in metres, to which a crowded map is narrowed.
const NARROWEST: f64 = 100.0;

/// The surroundings of a postcode: each live postcode around it, to be drawn as a dot.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Map {
    /// The postcode in the middle.
    pub postcode: Postcode,
    /// The lookup's answer about it.
    #[serde(flatten)]
    pub check: AddressCheck,
    /// Metres from the middle to the edge: the requested radius, or less if there are too many
    /// postcodes.
    pub radius: f64,
    /// The postcodes around it that have a location, in the order of postcodes.
    pub around: Vec<Dot>,
    /// The attribution of the data. Show it with the map.
    pub attribution: String,
}

/// A postcode on a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// The postcode.
    pub postcode: Postcode,
    /// The location, WGS84.
    pub at: Location,
}

/// Serialises as `["SW1A 1AA", 51.501, -0.1416]`: the postcode, degrees north, degrees east.
impl Serialize for Dot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.postcode, self.at.latitude(), self.at.longitude()).serialize(serializer)
    }
}

impl Customers {
    /// The most completions.
    pub const MAX_COMPLETIONS: usize = 20;
    /// The largest radius of a map, in metres.
    pub const MAX_MAP_RADIUS: f64 = 5_000.0;

    /// Returns at most `limit` live postcodes with this beginning, in order.
    ///
    /// # Errors
    /// [`Listing`](Error::Listing) if the limit is not 1 to
    /// [`MAX_COMPLETIONS`](Self::MAX_COMPLETIONS); [`Lookup`](Error::Lookup).
    pub async fn complete(&self, beginning: &str, limit: usize) -> Result<Vec<Postcode>> {
        if !(1..=Self::MAX_COMPLETIONS).contains(&limit) {
            let most = Self::MAX_COMPLETIONS;
            return Err(Error::Listing(format!("a limit of {limit}: give 1 to {most}")));
        }
        self.limited(self.lookup.autocomplete(beginning, limit)).await
    }

    /// Looks a postcode up now. Stores nothing.
    ///
    /// # Errors
    /// [`Lookup`](Error::Lookup).
    pub async fn look_up(&self, postcode: Postcode) -> Result<AddressCheck> {
        let answers = self.limited(self.lookup.lookup(&[postcode])).await?;
        Ok(answers.first().map_or(AddressCheck::PENDING, AddressCheck::from))
    }

    /// Returns advice about a postcode that the lookup's data does not cover, if there is any.
    pub async fn advice(&self, postcode: Postcode) -> Option<String> {
        // The answer is useful without the advice.
        let info = self.limited(self.lookup.info()).await.ok()?;
        info.advice(&postcode.area()).map(str::to_owned)
    }

    /// Returns the surroundings of a postcode within `radius` metres; `None` if it does not exist
    /// or has no location.
    ///
    /// # Errors
    /// [`Listing`](Error::Listing) if the radius is not 100 to
    /// [`MAX_MAP_RADIUS`](Self::MAX_MAP_RADIUS) metres; [`Lookup`](Error::Lookup).
    pub async fn map(&self, postcode: Postcode, radius: f64) -> Result<Option<Map>> {
        if !(NARROWEST..=Self::MAX_MAP_RADIUS).contains(&radius) {
            let widest = Self::MAX_MAP_RADIUS;
            return Err(Error::Listing(format!("a radius of {radius}: give {NARROWEST} to {widest} metres")));
        }
        // One limit for the whole map, however many lookups it takes.
        self.limited(surroundings(&*self.lookup, postcode, radius)).await
    }

    /// Applies the time limit. The lookup promises a deadline, but a consumer must not depend on
    /// it.
    async fn limited<T>(&self, call: impl Future<Output = postcode_core::Result<T>> + Send) -> Result<T> {
        let limit = self.lookup_timeout;
        let late = |_| {
            LookupError::new(
                ErrorKind::Timeout,
                format!("the postcode lookup gave no answer within {limit:?}"),
            )
        };
        let answered = tokio::time::timeout(limit, call).await.map_err(late).and_then(|answer| answer);
        answered.map_err(Error::Lookup)
    }
}

async fn surroundings(
    lookup: &dyn PostcodeLookup,
    postcode: Postcode,
    mut radius: f64,
) -> postcode_core::Result<Option<Map>> {
    let answers = lookup.lookup(&[postcode]).await?;
    let Some(answer @ (Answer::Live(record) | Answer::Terminated(record))) = answers.first() else {
        return Ok(None);
    };
    let Some(centre) = record.location else { return Ok(None) };
    let records = loop {
        match dots(lookup, &Region::circle(centre, radius)).await? {
            Some(records) => break records,
            // A part of the circle would be a wrong map, so narrow the circle until it is complete.
            None if radius / 2.0 >= NARROWEST => radius /= 2.0,
            None => break Vec::new(),
        }
    };
    let dot = |record: &Record| Some(Dot { postcode: record.postcode, at: record.location? });
    let around = records.iter().filter_map(dot).collect();
    let attribution = lookup.info().await?.attribution;
    Ok(Some(Map { postcode, check: answer.into(), radius, around, attribution }))
}

/// Returns the postcodes of a region; `None` if there are too many to draw.
async fn dots(lookup: &dyn PostcodeLookup, region: &Region) -> postcode_core::Result<Option<Vec<Record>>> {
    let mut pages = lookup.pages(region.clone());
    let mut all = Vec::new();
    while let Some(records) = pages.next().await? {
        all.extend(records);
        if all.len() > DOTS {
            return Ok(None);
        }
    }
    Ok(Some(all))
}
