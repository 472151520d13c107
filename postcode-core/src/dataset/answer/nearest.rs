//! Finds what is near: candidates from the spatial index by an approximate distance, then exact
//! distances on the WGS84 ellipsoid.

use std::cell::Cell;
use std::collections::BinaryHeap;

use crate::dataset::Dataset;
use crate::dataset::Inner;
use crate::dataset::answer::cover::Compass;
use crate::dataset::section::rows::MICRO;
use crate::dataset::section::spatial::cell_of;
use crate::query::check;
use crate::{
    Location, Nearest, NearestOutcodes, Neighbour, Origin, Outcode, OutcodeOrigin, OutcodeSummary, Postcode,
    Result,
};

/// The radius in metres of the first search after that of what is close. It doubles until there are
/// enough results.
const FIRST_RADIUS: f64 = 4_000.0;

/// A live postcode that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) row: u32,
    pub(crate) postcode: Postcode,
    pub(crate) metres: f64,
}

/// A candidate with its approximate distance.
#[derive(Clone, Copy, PartialEq)]
struct Candidate {
    about: f64,
    latitude: i32,
    longitude: i32,
    row: u32,
}

impl Candidate {
    fn key(&self) -> (f64, i32, i32, u32) {
        (self.about, self.latitude, self.longitude, self.row)
    }
}

impl Inner {
    /// Returns live postcodes within `radius` metres, nearest first, and those of equal distance in
    /// order. Adds to `work` the number of bands, cells and rows examined and of geodesics computed.
    pub(crate) fn rows_around(
        &self,
        origin: Location,
        limit: usize,
        radius: f64,
        work: &mut u64,
    ) -> Vec<Found> {
        if let Some(found) = self.close(origin, limit, radius, work) {
            return found;
        }
        let mut reach = FIRST_RADIUS.min(radius);
        loop {
            let found = self.circle(origin, limit, reach, work);
            if found.len() >= limit || reach >= radius {
                let data: &[u8] = &self.bytes;
                let with_postcode = |(row, metres)| {
                    let postcode = self.keys.postcode(data, row)?;
                    Some(Found { row, postcode, metres })
                };
                return found.into_iter().filter_map(with_postcode).collect();
            }
            // At sea there may be nothing for a long way.
            let wider = if found.is_empty() { 8.0 } else { 2.0 };
            reach = (reach * wider).min(radius);
        }
    }

    fn circle(&self, origin: Location, limit: usize, radius: f64, work: &mut u64) -> Vec<(u32, f64)> {
        let data: &[u8] = &self.bytes;
        let compass = Compass::at(origin, radius);
        let mut candidates: Vec<Candidate> = Vec::new();
        // The `limit` smallest approximate distances so far. Candidates much farther than the
        // largest of them are skipped.
        let mut best: BinaryHeap<ordered::Metres> = BinaryHeap::with_capacity(limit + 1);
        let horizon = Cell::new(compass.loosely(radius));
        let reaches = |band| compass.may_reach(band, horizon.get());
        let touches = |band, cell| compass.may_touch(band, cell, horizon.get());
        let micro = |degrees: f64| (degrees * MICRO) as i32;
        let start = cell_of(micro(origin.latitude()), micro(origin.longitude()));
        *work += self.spatial.visit_outward(data, start, reaches, touches, |row| {
            let Some((latitude, longitude)) = self.rows.micro(data, row) else { return };
            let (north, east) = (f64::from(latitude) / MICRO, f64::from(longitude) / MICRO);
            if compass.is_beyond(north, horizon.get()) {
                return;
            }
            let about = compass.about(north, east);
            if about > horizon.get() {
                return;
            }
            candidates.push(Candidate { about, latitude, longitude, row });
            best.push(ordered::Metres(about));
            if best.len() > limit {
                best.pop();
            }
            if best.len() == limit
                && let Some(farthest) = best.peek()
            {
                horizon.set(horizon.get().min(compass.loosely(compass.loosely(farthest.0))));
            }
        });
        candidates.retain(|candidate| candidate.about <= horizon.get());
        candidates
            .sort_unstable_by(|a, b| a.key().partial_cmp(&b.key()).unwrap_or(std::cmp::Ordering::Equal));
        // Many postcodes share one point, and are next to each other after sorting.
        let mut last: Option<((i32, i32), f64)> = None;
        let candidates = candidates.into_iter().map(|candidate| (candidate.about, candidate));
        let found = nearest_of(&compass, candidates, limit, radius, |candidate| {
            let place = (candidate.latitude, candidate.longitude);
            let metres = match last {
                Some((other, metres)) if other == place => metres,
                _ => {
                    *work += 1;
                    origin.distance(self.rows.location(data, candidate.row)?)
                }
            };
            last = Some((place, metres));
            self.rows.is_live(data, candidate.row).then_some(metres)
        });
        let mut found: Vec<_> =
            found.into_iter().map(|(candidate, metres)| (candidate.row, metres)).collect();
        found.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        found.truncate(limit);
        found
    }
}

/// Returns the candidates that may be among the `limit` nearest, in the order of their approximate
/// distances. Exact distances are computed only for these.
fn nearest_of<T: Copy>(
    compass: &Compass,
    candidates: impl Iterator<Item = (f64, T)>,
    limit: usize,
    radius: f64,
    mut exact: impl FnMut(T) -> Option<f64>,
) -> Vec<(T, f64)> {
    let mut best: BinaryHeap<ordered::Metres> = BinaryHeap::new();
    let mut found = Vec::new();
    for (about, candidate) in candidates {
        let farthest = best.peek().filter(|_| best.len() >= limit);
        if farthest.is_some_and(|farthest| about > compass.loosely(farthest.0)) {
            break;
        }
        if let Some(metres) = exact(candidate).filter(|metres| *metres <= radius) {
            found.push((candidate, metres));
            best.push(ordered::Metres(metres));
            if best.len() > limit {
                best.pop();
            }
        }
    }
    found
}

/// Distances as heap keys; they are never NaN.
mod ordered {
    use std::cmp::Ordering;

    #[derive(PartialEq)]
    pub(crate) struct Metres(pub(crate) f64);

    impl Eq for Metres {}

    impl Ord for Metres {
        fn cmp(&self, other: &Self) -> Ordering {
            self.0.total_cmp(&other.0)
        }
    }

    impl PartialOrd for Metres {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }
}

impl Dataset {
    /// Returns the live postcodes around a point or a postcode: see
    /// [`PostcodeLookup::nearest`](crate::PostcodeLookup::nearest).
    ///
    /// ```
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let dataset = builder.build()?;
    /// use postcode_core::{Nearest, Postcode};
    ///
    /// let palace: Postcode = "SW1A 1AA".parse()?;
    /// let near = dataset.nearest(&Nearest::to(palace).radius(1500.0))?.ok_or("no location")?;
    /// assert_eq!(near[1].record.postcode.to_string(), "SW1A 2AA");
    /// assert_eq!(near[1].distance.round(), 1007.0); // metres
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a limit or a radius out of range.
    pub fn nearest(&self, query: &Nearest) -> Result<Option<Vec<Neighbour>>> {
        check::nearest(query)?;
        let origin = match query.origin {
            Origin::Location(location) => Some(location),
            Origin::Postcode(postcode) => self.location(postcode),
        };
        Ok(origin.map(|origin| self.neighbours(origin, query.limit, query.radius)))
    }

    /// Returns the live postcodes within `radius` metres of a point, at most `limit`: see
    /// [`nearest`](Self::nearest).
    ///
    /// ```
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let dataset = builder.build()?;
    /// let near = dataset.around(Location::new(51.501, -0.1416)?, 10, 100.0)?;
    /// assert_eq!(near.len(), 1);
    /// assert_eq!(near[0].record.postcode.to_string(), "SW1A 1AA");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a limit or a radius out of range.
    pub fn around(&self, origin: Location, limit: usize, radius: f64) -> Result<Vec<Neighbour>> {
        check::nearest(&Nearest::to(origin).limit(limit).radius(radius))?;
        Ok(self.neighbours(origin, limit, radius))
    }

    fn neighbours(&self, origin: Location, limit: usize, radius: f64) -> Vec<Neighbour> {
        let found = self.inner().rows_around(origin, limit, radius, &mut 0);
        found.iter().map(|it| Neighbour::new(self.record(it.row, it.postcode), it.metres)).collect()
    }

    /// Returns the outcodes around a point or an outcode: see
    /// [`PostcodeLookup::nearest_outcodes`](crate::PostcodeLookup::nearest_outcodes).
    ///
    /// ```
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let dataset = builder.build()?;
    /// use postcode_core::NearestOutcodes;
    ///
    /// let near = dataset.nearest_outcodes(&NearestOutcodes::to(Location::new(53.48, -2.23)?))?.unwrap_or_default();
    /// assert_eq!(near[0].outcode.to_string(), "M1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a limit or a radius out of range.
    pub fn nearest_outcodes(&self, query: &NearestOutcodes) -> Result<Option<Vec<OutcodeSummary>>> {
        check::nearest_outcodes(query)?;
        let (inner, data) = (self.inner(), &*self.inner().bytes);
        let origin = match query.origin {
            OutcodeOrigin::Location(location) => Some(location),
            OutcodeOrigin::Outcode(outcode) => inner
                .keys
                .outcode(data, outcode)
                .and_then(|(n, _)| inner.keys.outcode_entry(data, n))
                .and_then(|entry| entry.centroid()),
        };
        let Some(origin) = origin else { return Ok(None) };
        let found = self.outcodes_around(origin, query.limit, query.radius)?;
        Ok(Some(found.into_iter().map(|(summary, _)| summary).collect()))
    }

    /// Returns the outcodes whose mean location is within `radius` metres of a point, with their
    /// distances. The nearest are first, and those of equal distance are in order.
    ///
    /// ```
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let dataset = builder.build()?;
    /// let near = dataset.outcodes_around(Location::new(53.48, -2.23)?, 10, 25_000.0)?;
    /// let (summary, metres) = &near[0];
    /// assert_eq!((summary.outcode.to_string(), metres.round()), ("M1".to_owned(), 193.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a limit or a radius out of range.
    pub fn outcodes_around(
        &self,
        origin: Location,
        limit: usize,
        radius: f64,
    ) -> Result<Vec<(OutcodeSummary, f64)>> {
        check::nearest_outcodes(&NearestOutcodes::to(origin).limit(limit).radius(radius))?;
        let (inner, data) = (self.inner(), &*self.inner().bytes);
        let compass = Compass::at(origin, radius);
        let mut near: Vec<(f64, (Outcode, Location))> = (0..inner.keys.outcode_count())
            .filter_map(|n| {
                let entry = inner.keys.outcode_entry(data, n)?;
                let centroid = entry.centroid()?;
                if compass.is_beyond(centroid.latitude(), compass.loosely(radius)) {
                    return None;
                }
                let about = compass.about(centroid.latitude(), centroid.longitude());
                Some((about, (entry.outcode()?, centroid)))
            })
            .filter(|(about, _)| *about <= compass.loosely(radius))
            .collect();
        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let exact = |(_, centroid): (Outcode, Location)| Some(origin.distance(centroid));
        let found = nearest_of(&compass, near.into_iter(), limit, radius, exact);
        let mut found: Vec<_> = found.into_iter().map(|((outcode, _), metres)| (outcode, metres)).collect();
        found.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        found.truncate(limit);
        Ok(found.into_iter().filter_map(|(code, metres)| Some((self.outcode(code)?, metres))).collect())
    }
}

#[cfg(all(test, feature = "embedded"))]
mod tests {
    use super::*;
    use crate::{MAX_NEIGHBOURS, MAX_RADIUS};

    /// Searches for the most expensive query, in steps from the worst so far, and counts the work.
    #[test]
    fn nearest_of_the_worst_point_has_bounded_work() {
        let country = Dataset::embedded().unwrap();
        let mut rng = fastrand::Rng::with_seed(3);
        let cost = |(latitude, longitude, radius): (f64, f64, f64), limit: usize| {
            let origin = Location::new(latitude, longitude).unwrap();
            let mut work = 0;
            let found = country.inner().rows_around(origin, limit, radius, &mut work);
            assert!(found.len() <= limit);
            work
        };
        for limit in [1, 10, MAX_NEIGHBOURS] {
            let mut worst = 0;
            for _ in 0..12 {
                let mut at = (44.0 + 24.0 * rng.f64(), 30.0 * rng.f64() - 18.0, MAX_RADIUS);
                let mut here = cost(at, limit);
                let mut step = 4.0;
                for _ in 0..24 {
                    let next = (
                        (at.0 + step * (rng.f64() - 0.5)).clamp(-90.0, 90.0),
                        at.1 + step * (rng.f64() - 0.5),
                        if rng.u8(..4) == 0 { MAX_RADIUS * rng.f64() } else { at.2 },
                    );
                    let there = cost(next, limit);
                    if there > here {
                        (at, here) = (next, there);
                    } else {
                        step *= 0.85;
                    }
                }
                worst = worst.max(here);
            }
            println!("the {limit} nearest: {worst} units at worst");
            // There are 1.77 million rows, all of which were examined in the past. Now only those
            // in a ring as wide as the error of the approximate distances are: 80,627 at worst for
            // the nearest one.
            assert!(worst < 200_000, "{worst} for {limit}");
        }
    }

    #[test]
    fn nearest_from_afar_are_those_of_all_rows() {
        let country = Dataset::embedded().unwrap();
        let (inner, data) = (country.inner(), country.as_bytes());
        let live = || (0..inner.rows.count()).filter(|row| inner.rows.is_live(data, *row));
        for (latitude, longitude) in [(62.0, -1.0), (54.0, -20.0), (48.0, 8.0), (51.4, 2.5), (89.9, 100.0)] {
            let origin = Location::new(latitude, longitude).unwrap();
            let compass = Compass::at(origin, MAX_RADIUS);
            let mut near: Vec<_> = live()
                .filter_map(|row| {
                    let at = inner.rows.location(data, row)?;
                    let about = compass.about(at.latitude(), at.longitude());
                    Some((about, row, at))
                })
                .collect();
            near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            let bound = compass.loosely(compass.loosely(near[49].0));
            let mut due: Vec<_> = near
                .into_iter()
                .take_while(|(about, ..)| *about <= bound)
                .map(|(_, row, at)| (row, origin.distance(at)))
                .filter(|(_, metres)| *metres <= MAX_RADIUS)
                .collect();
            due.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
            due.truncate(50);
            let found = inner.rows_around(origin, 50, MAX_RADIUS, &mut 0);
            let found: Vec<_> = found.iter().map(|it| (it.row, it.metres)).collect();
            assert_eq!(found, due, "{latitude} {longitude}");
        }
    }
}
