//! What is near: candidates from the spatial index by a cheap distance, then the geodesic on WGS84.

use std::cell::Cell;
use std::collections::BinaryHeap;

use super::compass::{Compass, Cover};
use super::rows::MICRO;
use super::{Dataset, Inner};
use crate::lookup::check;
use crate::{Location, Nearest, NearestOutcodes, Neighbour, Origin, OutcodeOrigin, OutcodeSummary, Result};

/// The first circle that is searched, in metres; it doubles until it holds enough.
const FIRST_RADIUS: f64 = 250.0;

/// Something found: its cheap distance, then what it is.
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
    /// Live rows within `radius` metres, nearest first, those of equal distance in the order of postcodes.
    pub(crate) fn rows_around(&self, origin: Location, limit: usize, radius: f64) -> Vec<(u32, f64)> {
        let mut reach = FIRST_RADIUS.min(radius);
        loop {
            let found = self.circle(origin, limit, reach);
            if found.len() >= limit || reach >= radius {
                return found;
            }
            reach = (reach * 2.0).min(radius);
        }
    }

    fn circle(&self, origin: Location, limit: usize, radius: f64) -> Vec<(u32, f64)> {
        let data: &[u8] = &self.bytes;
        let compass = Compass::at(origin, radius);
        let cover = Cover::of_circle(origin, radius);
        let mut candidates: Vec<Candidate> = Vec::new();
        // The `limit` smallest cheap distances so far: what is much farther than their largest is out.
        let mut best: BinaryHeap<ordered::Metres> = BinaryHeap::with_capacity(limit + 1);
        let horizon = Cell::new(compass.loosely(radius));
        let touches = |band, cell| compass.may_touch(band, cell, horizon.get());
        self.spatial.visit(data, cover.bands(), &cover.cells(), touches, |row| {
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
        let mut found: Vec<(u32, f64)> = Vec::with_capacity(candidates.len());
        // Many postcodes share one point, and lie side by side after sorting.
        let mut last: Option<((i32, i32), f64)> = None;
        for candidate in candidates {
            let place = (candidate.latitude, candidate.longitude);
            let metres = match last {
                Some((other, metres)) if other == place => metres,
                _ => match self.rows.location(data, candidate.row) {
                    Some(location) => origin.distance(location),
                    None => continue,
                },
            };
            last = Some((place, metres));
            if metres <= radius && self.rows.is_live(data, candidate.row) {
                found.push((candidate.row, metres));
            }
        }
        found.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        found.truncate(limit);
        found
    }
}

/// Distances as heap keys; they are never NaN.
mod ordered {
    use std::cmp::Ordering;

    #[derive(PartialEq)]
    pub(super) struct Metres(pub(super) f64);

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
    /// The live postcodes around a point or a postcode, as
    /// [`PostcodeLookup::nearest`](crate::PostcodeLookup::nearest) says.
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

    /// The live postcodes around a point, as [`nearest`](Self::nearest).
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a limit or a radius out of range.
    pub fn around(&self, origin: Location, limit: usize, radius: f64) -> Result<Vec<Neighbour>> {
        check::nearest(&Nearest::to(origin).limit(limit).radius(radius))?;
        Ok(self.neighbours(origin, limit, radius))
    }

    fn neighbours(&self, origin: Location, limit: usize, radius: f64) -> Vec<Neighbour> {
        let rows = self.inner().rows_around(origin, limit, radius);
        rows.into_iter()
            .filter_map(|(row, metres)| {
                let postcode = self.inner().keys.postcode(&self.inner().bytes, row)?;
                Some(Neighbour::new(self.record(row, postcode), metres))
            })
            .collect()
    }

    /// The outcodes around a point or an outcode, as
    /// [`PostcodeLookup::nearest_outcodes`](crate::PostcodeLookup::nearest_outcodes) says.
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

    /// The outcodes whose mean location is within `radius` metres of a point, nearest first, those of equal distance in
    /// their order, with their distances.
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
        // A degree of latitude is nowhere shorter than 110,574 m.
        let north = radius / 110_000.0 + 1e-5;
        let mut found: Vec<_> = (0..inner.keys.outcode_count())
            .filter_map(|n| {
                let entry = inner.keys.outcode_entry(data, n)?;
                let centroid = entry.centroid()?;
                if (centroid.latitude() - origin.latitude()).abs() > north {
                    return None;
                }
                Some((entry.outcode()?, origin.distance(centroid)))
            })
            .filter(|(_, metres)| *metres <= radius)
            .collect();
        found.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        found.truncate(limit);
        Ok(found.into_iter().filter_map(|(code, metres)| Some((self.outcode(code)?, metres))).collect())
    }
}
