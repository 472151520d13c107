//! The contract in the simplest possible code: slow, and easy to verify.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;

use super::{Fixture, find};
use crate::matching::place_name::{Query, folded, words};
use crate::query::check;
use crate::{
    Answer, AreaKind, DatasetInfo, Error, ErrorKind, GridSystem, Location, Nearest, NearestOutcodes,
    Neighbour, Origin, Outcode, OutcodeOrigin, OutcodeSummary, Page, Place, PlaceLookup, PlaceMatch,
    PlacePostcodes, PlaceQuery, Postcode, PostcodeLookup, Record, Result, ScottishLookup, ScottishPostcode,
    Within, unit,
};

/// A [`PostcodeLookup`] over a [`Fixture`] that goes through all records for every call. The suite
/// compares others with it, and tests of applications can use it.
///
/// Created by [`new`](Self::new). [`publish`](Self::publish) puts another edition in its place:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use postcode_core::PostcodeLookup;
/// use postcode_core::conformance::{Fixture, Reference};
///
/// let fixture = Fixture::small();
/// let lookup = Reference::new(fixture.clone());
/// assert_eq!(lookup.info().await?.edition, fixture.info().edition);
/// lookup.publish(fixture.next_edition());
/// assert_ne!(lookup.info().await?.fingerprint, fixture.info().fingerprint);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reference {
    fixture: RwLock<Arc<Fixture>>,
}

impl Reference {
    /// Creates a lookup over this fixture.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::PostcodeLookupExt;
    /// use postcode_core::conformance::{Fixture, Reference};
    ///
    /// let lookup = Reference::new(Fixture::small());
    /// assert_eq!(lookup.get_str("AB1 0AA").await?.status(), "terminated");
    /// assert_eq!(lookup.get_str("BT1 5GS").await?.status(), "not_covered");
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(fixture: Fixture) -> Self {
        Self { fixture: RwLock::new(Arc::new(fixture)) }
    }

    /// Replaces the fixture with a new edition. Running calls finish with the previous one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::PostcodeLookup;
    /// use postcode_core::conformance::{Fixture, Reference};
    ///
    /// let lookup = Reference::new(Fixture::small());
    /// lookup.publish(Fixture::small().next_edition());
    /// assert_eq!(lookup.info().await?.edition, "Conformance fixture, next");
    /// # Ok(())
    /// # }
    /// ```
    pub fn publish(&self, fixture: Fixture) {
        *self.fixture.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fixture);
    }

    fn fixture(&self) -> Arc<Fixture> {
        self.fixture.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the fixture, if it has the edition that the caller demands.
    fn current(&self) -> Result<Arc<Fixture>> {
        let fixture = self.fixture();
        unit::check_edition(&fixture.info().fingerprint)?;
        Ok(fixture)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl PostcodeLookup for Reference {
    async fn lookup_one(&self, postcode: Postcode) -> Result<Answer> {
        Ok(answer(&*self.current()?, postcode))
    }

    async fn lookup(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        check::batch(postcodes.len())?;
        let fixture = self.current()?;
        Ok(postcodes.iter().map(|postcode| answer(&fixture, *postcode)).collect())
    }

    async fn outcode(&self, outcode: Outcode) -> Result<Option<OutcodeSummary>> {
        Ok(summary(&*self.current()?, outcode))
    }

    async fn autocomplete(&self, prefix: &str, limit: usize) -> Result<Vec<Postcode>> {
        check::limit(limit)?;
        check::text(prefix)?;
        let prefix = compact(&prefix.to_uppercase());
        let begins = |record: &&Record| record.postcode.compact().starts_with(&prefix);
        Ok(self.current()?.live().filter(begins).map(|record| record.postcode).take(limit).collect())
    }

    async fn search(&self, query: &str, limit: usize) -> Result<Vec<Record>> {
        check::limit(limit)?;
        check::text(query)?;
        Ok(search(&*self.current()?, query, limit))
    }

    async fn nearest(&self, query: &Nearest) -> Result<Option<Vec<Neighbour>>> {
        check::nearest(query)?;
        let fixture = self.current()?;
        let origin = match query.origin {
            Origin::Location(location) => Some(location),
            Origin::Postcode(postcode) => fixture.get(postcode).and_then(|record| record.location),
        };
        Ok(origin.map(|origin| around(&fixture, origin, query)))
    }

    async fn within(&self, query: &Within) -> Result<Option<Page>> {
        query.check()?;
        let fixture = self.current()?;
        let all: Vec<&Record> = fixture.live().filter(|record| query.region.contains(record)).collect();
        if all.is_empty() && query.region.is_named() {
            return Ok(None);
        }
        let rest = all.into_iter().filter(|record| query.after.is_none_or(|after| record.postcode > after));
        Ok(Some(Page::of(rest.take(query.limit + 1).cloned().collect(), query.limit)))
    }

    async fn outcodes(&self, prefix: &str, limit: usize) -> Result<Vec<Outcode>> {
        check::limit(limit)?;
        check::text(prefix)?;
        let prefix = compact(&prefix.to_uppercase());
        let mut outcodes: Vec<_> = self.current()?.live().map(|record| record.postcode.outcode()).collect();
        outcodes.dedup();
        outcodes.retain(|outcode| outcode.text().starts_with(&prefix));
        outcodes.truncate(limit);
        Ok(outcodes)
    }

    async fn random(&self, outcode: Option<Outcode>) -> Result<Option<Record>> {
        let fixture = self.current()?;
        let of_outcode =
            |record: &&Record| outcode.is_none_or(|outcode| record.postcode.outcode() == outcode);
        let records: Vec<_> = fixture.live().filter(of_outcode).collect();
        Ok(records.get(any(records.len())).map(|record| (*record).clone()))
    }

    async fn nearest_outcodes(&self, query: &NearestOutcodes) -> Result<Option<Vec<OutcodeSummary>>> {
        check::nearest_outcodes(query)?;
        let fixture = self.current()?;
        let centre = |summary: &OutcodeSummary| Location::new(summary.latitude?, summary.longitude?).ok();
        let origin = match query.origin {
            OutcodeOrigin::Location(location) => Some(location),
            OutcodeOrigin::Outcode(outcode) => summary(&fixture, outcode).as_ref().and_then(centre),
        };
        let Some(origin) = origin else { return Ok(None) };
        let mut outcodes: Vec<_> = fixture.live().map(|record| record.postcode.outcode()).collect();
        outcodes.dedup();
        let mut found = Vec::new();
        for summary in outcodes.into_iter().filter_map(|outcode| summary(&fixture, outcode)) {
            let Some(metres) = centre(&summary).map(|centre| origin.distance(centre)) else { continue };
            if metres <= query.radius {
                found.push((metres, summary));
            }
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found.truncate(query.limit);
        Ok(Some(found.into_iter().map(|(_, summary)| summary).collect()))
    }

    async fn info(&self) -> Result<DatasetInfo> {
        Ok(self.fixture().info().clone())
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl PlaceLookup for Reference {
    async fn place(&self, code: &str) -> Result<Option<Place>> {
        check::text(code)?;
        let Some(code) = Place::code_of(code) else { return Ok(None) };
        let fixture = self.current()?;
        has("places", fixture.info().places)?;
        Ok(fixture.places().find(|place| place.code == code).cloned())
    }

    async fn places(&self, query: &str, limit: usize) -> Result<Vec<Place>> {
        check::limit(limit)?;
        check::text(query)?;
        let fixture = self.current()?;
        has("places", fixture.info().places)?;
        Ok(places(&fixture, query, limit))
    }

    async fn find_places(&self, query: &PlaceQuery) -> Result<Vec<PlaceMatch>> {
        query.check()?;
        let fixture = self.current()?;
        has("places", fixture.info().places)?;
        Ok(find::find_places(&fixture, query))
    }

    async fn place_postcodes(
        &self,
        code: &str,
        after: Option<Postcode>,
        limit: usize,
    ) -> Result<Option<PlacePostcodes>> {
        check::limit(limit)?;
        check::text(code)?;
        let Some(code) = Place::code_of(code) else { return Ok(None) };
        let fixture = self.current()?;
        has("places", fixture.info().places)?;
        let mut places = fixture.places().chain(fixture.wider_places());
        let Some(place) = places.find(|place| place.code == code) else { return Ok(None) };
        let square = place.square()?;
        let inside = |record: &&Record| {
            let grid = record.grid.filter(|grid| grid.system == GridSystem::Osgb);
            record.location.is_some() && grid.is_some_and(|grid| square.holds(grid.eastings, grid.northings))
        };
        let all = fixture.live().filter(|_| place.latitude.is_some()).filter(inside);
        let all: Vec<Postcode> = all.map(|record| record.postcode).collect();
        Ok(Some(PlacePostcodes::page(&all, after, limit)))
    }

    async fn random_place(&self) -> Result<Option<Place>> {
        let fixture = self.current()?;
        has("places", fixture.info().places)?;
        Ok(fixture.places().nth(any(fixture.places().count())).cloned())
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ScottishLookup for Reference {
    async fn scottish_postcode(&self, postcode: Postcode) -> Result<Option<ScottishPostcode>> {
        let fixture = self.current()?;
        has("Scottish postcodes", fixture.info().scottish_postcodes)?;
        Ok(fixture.scottish().find(|entry| entry.postcode == postcode).cloned())
    }
}

/// Returns any number below `below`. The clock's nanoseconds are random enough here.
fn any(below: usize) -> usize {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    now.subsec_nanos() as usize % below.max(1)
}

/// Returns an error if the fixture has no such things.
fn has(what: &str, count: u64) -> Result<()> {
    match count {
        0 => Err(Error::new(ErrorKind::NotSupported, format!("the fixture has no {what}"))),
        _ => Ok(()),
    }
}

fn places(fixture: &Fixture, text: &str, limit: usize) -> Vec<Place> {
    let Some(query) = Query::of(text) else { return Vec::new() };
    let names = |place: &Place| -> Vec<String> {
        std::iter::once(&place.name_1).chain(&place.name_2).cloned().collect()
    };
    let mut ranked: Vec<_> = fixture
        .places()
        .filter_map(|place| {
            let ranks = names(place).into_iter().filter_map(|name| query.rank(&words(&name)));
            Some((ranks.max_by(f64::total_cmp)?, place))
        })
        .collect();
    // Stable sorts, the last one first: places that are equal in all remain in the order of codes.
    ranked.sort_by_key(|(_, place)| folded(&place.name_1));
    ranked.sort_by_key(|(_, place)| Place::size_class(&place.local_type));
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    if !ranked.is_empty() {
        return ranked.into_iter().take(limit).map(|(_, place)| place.clone()).collect();
    }
    let mut begun: Vec<_> = fixture
        .places()
        .filter_map(|place| {
            let mut begun = names(place).iter().map(|name| folded(name)).collect::<Vec<_>>();
            begun.retain(|name| name.starts_with(&query.prefix));
            Some((begun.into_iter().min()?, place))
        })
        .collect();
    begun.sort_by(|a, b| a.0.cmp(&b.0));
    begun.into_iter().take(limit).map(|(_, place)| place.clone()).collect()
}

fn answer(fixture: &Fixture, postcode: Postcode) -> Answer {
    match fixture.get(postcode) {
        Some(record) => record.clone().into(),
        None if fixture.covers(postcode) => Answer::Unknown,
        None => Answer::NotCovered,
    }
}

fn around(fixture: &Fixture, origin: Location, query: &Nearest) -> Vec<Neighbour> {
    let mut found = Vec::new();
    for record in fixture.live() {
        let Some(location) = record.location else { continue };
        let metres = origin.distance(location);
        if metres <= query.radius {
            found.push(Neighbour::new(record.clone(), metres));
        }
    }
    // A stable sort: postcodes at the same distance remain in the order of postcodes.
    found.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    found.truncate(query.limit);
    found
}

fn summary(fixture: &Fixture, outcode: Outcode) -> Option<OutcodeSummary> {
    let records: Vec<_> = fixture.live().filter(|record| record.postcode.outcode() == outcode).collect();
    if records.is_empty() {
        return None;
    }
    let mean =
        |values: Vec<f64>| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    let of_location = |get: fn(Location) -> f64| {
        mean(records.iter().filter_map(|record| record.location.map(get)).collect())
    };
    let of_grid = |get: fn(&crate::GridReference) -> u32| {
        let values = records.iter().filter_map(|record| record.grid.as_ref().map(get).map(f64::from));
        mean(values.collect()).map_or(0, |metres| metres.round() as u32)
    };
    let names = |kind| {
        let mut names: Vec<_> =
            records.iter().filter_map(|record| record.area_name(kind)).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        names
    };
    let mut summary = OutcodeSummary::new(outcode);
    summary.latitude = of_location(Location::latitude);
    summary.longitude = of_location(Location::longitude);
    summary.eastings = of_grid(|grid| grid.eastings);
    summary.northings = of_grid(|grid| grid.northings);
    summary.admin_district = names(AreaKind::AdminDistrict);
    summary.parish = names(AreaKind::Parish);
    summary.admin_county = names(AreaKind::AdminCounty);
    summary.admin_ward = names(AreaKind::AdminWard);
    summary.country = names(AreaKind::Country);
    summary.parliamentary_constituency = names(AreaKind::ParliamentaryConstituency);
    Some(summary)
}

/// Returns whether JavaScript's `\s` and `trim`, which postcodes.io uses, treat a character as
/// white space.
fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

fn compact(text: &str) -> String {
    text.chars().filter(|c| !is_space(*c)).collect()
}

/// Matches `[a-z]{1,2}\d[a-z\d]?`.
fn is_outcode(text: &str) -> bool {
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = &text.as_bytes()[letters..];
    let has_rest = match rest {
        [digit] => digit.is_ascii_digit(),
        [digit, last] => digit.is_ascii_digit() && (last.is_ascii_digit() || last.is_ascii_uppercase()),
        _ => false,
    };
    (1..=2).contains(&letters) && has_rest
}

/// Matches `(\w+)\s+(\w+)`.
fn two_words(text: &str) -> Option<(&str, &str)> {
    let words: Vec<_> = text.split(is_space).filter(|word| !word.is_empty()).collect();
    let is_word = |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match words[..] {
        [one, two] if is_word(one) && is_word(two) => Some((one, two)),
        _ => None,
    }
}

/// The algorithm of `GET /postcodes?q=` in postcodes.io 18.
fn search(fixture: &Fixture, query: &str, limit: usize) -> Vec<Record> {
    let upper = query.to_uppercase();
    let text = upper.trim_matches(is_space);
    let contained = compact(text);
    let keep = |window: Vec<&Record>| -> Vec<Record> {
        let contains = |record: &&&Record| record.postcode.compact().contains(&contained);
        window.iter().take(limit).filter(contains).map(|record| (*record).clone()).collect()
    };
    let by_spaced = |from: String| {
        keep(fixture.live().filter(|record| record.postcode.spaced().as_str() >= from.as_str()).collect())
    };
    let mut kept = Vec::new();
    if is_outcode(text) {
        kept = by_spaced(format!("{text} "));
    }
    if kept.is_empty()
        && let Some((one, two)) = two_words(text)
    {
        kept = by_spaced(format!("{one} {two}"));
    }
    if kept.is_empty() {
        let mut window: Vec<_> =
            fixture.live().filter(|record| record.postcode.compact().as_str() >= text).collect();
        window.sort_by_key(|record| record.postcode.compact().as_str().to_owned());
        kept = keep(window);
    }
    match kept.iter().find(|record| record.postcode.compact().as_str() == contained) {
        Some(exact) => vec![exact.clone()],
        None => kept,
    }
}
