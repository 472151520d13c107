//! Lookups for a person who enters an address: completion, a check, and a map.

use std::future::Future;

use postcode_core::{
    Answer, Error as LookupError, ErrorKind, Location, Postcode, PostcodeLookup, PostcodeLookupExt, Record,
    Region, unit,
};
use serde::{Serialize, Serializer};

use crate::{AddressCheck, Customers, Error, Result};

/// The most postcodes on one map: a few hundred kilobytes, and dots that can still be told apart.
const DOTS: usize = 3_000;
/// The smallest radius, in metres, to which a crowded map is narrowed.
const NARROWEST: f64 = 100.0;

/// The surroundings of a postcode: each live postcode around it, to be drawn as a dot.
///
/// ```
/// use customers::Map;
///
/// /// Returns the text below a map.
/// fn caption(map: &Map) -> String {
///     format!("{} postcodes within {:.0} m of {}. {}", map.around.len(), map.radius, map.postcode, map.attribution)
/// }
/// ```
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
///
/// ```
/// use customers::Dot;
/// use postcode_core::Location;
///
/// let dot = Dot { postcode: "SW1A 1AA".parse()?, at: Location::new(51.501, -0.1416)? };
/// assert_eq!(serde_json::to_string(&dot)?, r#"["SW1A 1AA",51.501,-0.1416]"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::sync::Arc;
    /// use customers::{Customers, Store};
    /// use postcode_core::MockPostcodeLookup;
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// lookup.expect_autocomplete().returning(|_, _| Ok(vec!["SW1Y 4JH".parse().expect("a postcode")]));
    /// let customers = Customers::new(Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// assert_eq!(customers.complete("sw1y 4j", 5).await?, ["SW1Y 4JH".parse()?]);
    /// assert!(customers.complete("sw1y 4j", 21).await.is_err()); // at most 20
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// use customers::AddressStatus;
    ///
    /// let check = customers.look_up("SW1Y 4JH".parse()?).await?;
    /// assert_eq!(check.status, AddressStatus::Verified);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Lookup`](Error::Lookup).
    pub async fn look_up(&self, postcode: Postcode) -> Result<AddressCheck> {
        // With the same key as the map, so that both views of a postcode agree.
        let postcodes = [postcode];
        let lookup = unit::scope(postcode.to_string(), self.lookup.lookup(&postcodes));
        let answers = self.limited(lookup).await?;
        Ok(answers.first().map_or(AddressCheck::PENDING, AddressCheck::from))
    }

    /// Returns advice about a postcode that the lookup's data does not cover, if there is any.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::sync::Arc;
    /// use customers::{Customers, Store};
    /// use postcode_core::{DatasetInfo, MockPostcodeLookup};
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// lookup.expect_info().returning(|| {
    ///     let mut info = DatasetInfo::new("May 2025");
    ///     info.not_covered = vec!["BT".to_owned()];
    ///     info.not_covered_advice = Some("Import an ONSPD.".to_owned());
    ///     Ok(info)
    /// });
    /// let customers = Customers::new(Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// assert_eq!(customers.advice("BT1 5GS".parse()?).await.as_deref(), Some("Import an ONSPD."));
    /// assert_eq!(customers.advice("SW1Y 4JH".parse()?).await, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn advice(&self, postcode: Postcode) -> Option<String> {
        // The answer is useful without the advice.
        let info = self.limited(self.lookup.info()).await.ok()?;
        info.advice(&postcode.area()).map(str::to_owned)
    }

    /// Returns the surroundings of a postcode within `radius` metres; `None` if it does not exist
    /// or has no location.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::sync::Arc;
    /// use customers::{Customers, Store};
    /// use postcode_core::{Answer, DatasetInfo, Location, MockPostcodeLookup, Page, Record};
    ///
    /// let mut record = Record::live("SW1Y 4JH".parse()?);
    /// record.location = Some(Location::new(51.5073, -0.1357)?);
    /// let page = Page::new(vec![record.clone()], None);
    /// let mut lookup = MockPostcodeLookup::new();
    /// lookup.expect_lookup().returning(move |_| Ok(vec![Answer::Live(record.clone())]));
    /// lookup.expect_within().returning(move |_| Ok(Some(page.clone())));
    /// lookup.expect_info().returning(|| Ok(DatasetInfo::new("May 2025")));
    /// let customers = Customers::new(Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// let map = customers.map("SW1Y 4JH".parse()?, 500.0).await?.ok_or("not on a map")?;
    /// assert_eq!((map.radius, map.around.len()), (500.0, 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Listing`](Error::Listing) if the radius is not 100 to
    /// [`MAX_MAP_RADIUS`](Self::MAX_MAP_RADIUS) metres; [`Lookup`](Error::Lookup).
    pub async fn map(&self, postcode: Postcode, radius: f64) -> Result<Option<Map>> {
        if !(NARROWEST..=Self::MAX_MAP_RADIUS).contains(&radius) {
            let widest = Self::MAX_MAP_RADIUS;
            return Err(Error::Listing(format!("a radius of {radius}: give {NARROWEST} to {widest} metres")));
        }
        // One limit and one side for the whole map, however many lookups it takes.
        let map = surroundings(&*self.lookup, postcode, radius);
        self.limited(unit::scope(postcode.to_string(), map)).await
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
