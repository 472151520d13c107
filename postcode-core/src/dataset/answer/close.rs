//! Finds what is close: the nearest postcodes, if there are enough within some two kilometres.
//!
//! Searches squares of growing size in the index of points. Candidates are compared by the square of
//! their approximate distance; exact distances are computed only for those that may be answered.
//!
//! The answer is that of exact distances. Call `loosely(d)` the largest exact distance for an
//! approximate one and the reverse, and `last` the candidate with the `limit`th smallest approximate
//! distance. At least `limit` postcodes have an exact distance of at most `loosely(last)`. So each
//! postcode of the answer has one too, and an approximate distance of at most
//! `loosely(loosely(last))`. All postcodes within that are candidates, because the search goes on
//! until the square contains the circle of that radius.

use crate::Location;
use crate::dataset::Inner;
use crate::dataset::answer::cover::{Compass, Plane};
use crate::dataset::answer::nearest::Found;
use crate::dataset::section::cell_points::{
    CellIndex, CellPoints, PART_LATITUDE, PART_LONGITUDE, PARTS, Point,
};
use crate::dataset::section::keys::first;
use crate::dataset::section::rows::MICRO;
use crate::dataset::section::spatial::{CELL_LATITUDE, CELL_LONGITUDE};
use crate::postcode::Postcode;

/// The rings of parts around the part of the origin.
const RINGS: i32 = 8;
/// The cells in each direction from the origin's that the rings touch.
const CELLS: i32 = RINGS / PARTS as i32;
/// Up to this many results the origin's part is searched alone at first.
const FEW: usize = 4;
const ACROSS: usize = 2 * CELLS as usize + 1;
/// Farther east or west the rings would touch the 180th meridian.
const EASTERNMOST: f64 = 179.0;

/// A candidate: the square of its approximate distance in metres, and its place in micro-degrees.
#[derive(Clone, Copy)]
struct Candidate {
    square: f64,
    latitude: i32,
    longitude: i32,
    code: u32,
}

impl Candidate {
    fn place(&self) -> (i32, i32) {
        (self.latitude, self.longitude)
    }
}

impl Inner {
    /// Returns the same as [`rows_around`](Inner::rows_around), or `None` if the answer is not close
    /// enough to be found here.
    pub(super) fn close(
        &self,
        origin: Location,
        limit: usize,
        radius: f64,
        work: &mut u64,
    ) -> Option<Vec<Found>> {
        if origin.longitude().abs() > EASTERNMOST {
            return None;
        }
        let compass = Compass::at(origin, 0.0);
        let plane = compass.plane()?;
        let mut search = Search {
            plane,
            degrees: plane.degrees(f64::from((RINGS + 1) * PART_LATITUDE) / MICRO),
            cells: Cells::around(self, origin),
            candidates: Vec::with_capacity(128),
            bound: square(compass.loosely(radius)),
            work: 0,
        };
        let complete = search.rings(&compass, limit);
        *work += search.work;
        complete?;
        Some(self.exact(origin, limit, radius, &search.candidates, work))
    }

    fn exact(
        &self,
        origin: Location,
        limit: usize,
        radius: f64,
        candidates: &[Candidate],
        work: &mut u64,
    ) -> Vec<Found> {
        // Many postcodes share one point, and most of them follow one another.
        let mut last: Option<((i32, i32), f64)> = None;
        let mut near: Vec<(f64, u32)> = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let metres = match last {
                Some((place, metres)) if place == candidate.place() => metres,
                _ => {
                    *work += 1;
                    let degrees = |micro: i32| f64::from(micro) / MICRO;
                    let (latitude, longitude) = (degrees(candidate.latitude), degrees(candidate.longitude));
                    Location::new(latitude, longitude).map_or(f64::INFINITY, |at| origin.distance(at))
                }
            };
            last = Some((candidate.place(), metres));
            if metres <= radius {
                near.push((metres, candidate.code));
            }
        }
        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near.truncate(limit);
        let data: &[u8] = &self.bytes;
        let mut found = Vec::with_capacity(near.len());
        found.extend(near.into_iter().filter_map(|(metres, code)| {
            let postcode = Postcode::from_code(code)?;
            Some(Found { row: self.keys.row(data, postcode)?, postcode, metres })
        }));
        found
    }
}

fn square(metres: f64) -> f64 {
    metres * metres
}

struct Search<'a> {
    plane: &'a Plane,
    /// The metres of a degree to the north, and at least to the east.
    degrees: (f64, f64),
    cells: Cells<'a>,
    candidates: Vec<Candidate>,
    /// Candidates farther away than the square root of this are not needed.
    bound: f64,
    work: u64,
}

impl Search<'_> {
    /// Collects all candidates, or returns `None` if the rings do not reach that far.
    fn rings(&mut self, compass: &Compass, limit: usize) -> Option<()> {
        // The part of the origin often has enough for a few.
        let start = i32::from(limit > FEW);
        for ring in start..=RINGS {
            self.row(ring, (-ring, ring))?;
            if ring > start {
                for north in 1 - ring..ring {
                    self.row(north, (-ring, -ring))?;
                    self.row(north, (ring, ring))?;
                }
            } else if ring > 0 {
                self.row(0, (-ring, ring))?;
            }
            if ring > 0 {
                self.row(-ring, (-ring, ring))?;
            }
            if self.candidates.len() >= limit {
                // As they are not negative, they are in the order of their bits.
                let bits = |candidate: &Candidate| candidate.square.to_bits();
                let (_, last, _) = self.candidates.select_nth_unstable_by_key(limit.checked_sub(1)?, bits);
                let farthest = compass.loosely(compass.loosely(last.square.sqrt()));
                self.bound = self.bound.min(square(farthest));
                let bound = self.bound;
                self.candidates.retain(|candidate| candidate.square <= bound);
            }
            let next = ring + 1;
            if [next, -next].iter().all(|n| self.cells.row_gap(*n, self.degrees.0) > self.bound)
                && [next, -next].iter().all(|n| self.cells.column_gap(*n, self.degrees.1) > self.bound)
            {
                return Some(());
            }
        }
        None
    }

    /// Adds the candidates in parts of a row, both inclusive; all are numbers relative to the
    /// origin's part. Skips parts beyond the bound.
    #[inline]
    fn row(&mut self, north: i32, (mut west, mut east): (i32, i32)) -> Option<()> {
        if self.cells.row_gap(north, self.degrees.0) > self.bound {
            return Some(());
        }
        while west < 0 && west <= east && self.cells.column_gap(west, self.degrees.1) > self.bound {
            west += 1;
        }
        while east > 0 && west <= east && self.cells.column_gap(east, self.degrees.1) > self.bound {
            east -= 1;
        }
        if west > east { Some(()) } else { self.parts(north, west, east) }
    }

    fn parts(&mut self, north: i32, west: i32, east: i32) -> Option<()> {
        const COUNT: i32 = PARTS as i32;
        let (part, at) = (self.cells.part, self.cells.at);
        let (row, west, east) = (part.0 + north, part.1 + west, part.1 + east);
        let band = row.div_euclid(COUNT);
        for cell in west.div_euclid(COUNT)..=east.div_euclid(COUNT) {
            self.work += 1;
            let Some(number) = self.cells.find(band, cell) else { continue };
            let points = self.cells.points(number, band, cell)?;
            let within = |part: i32| (part - cell * COUNT).clamp(0, COUNT - 1) as u32;
            let points = points.parts(row.rem_euclid(COUNT) as u32, (within(west), within(east)));
            self.work += points.len() as u64;
            let corner = (band * CELL_LATITUDE, cell * CELL_LONGITUDE);
            // From the origin to the corner.
            let gap = (f64::from(corner.0) - at.0, f64::from(corner.1) - at.1);
            for point in points {
                let north = (gap.0 + f64::from(point.north)) * (1.0 / MICRO);
                let east = (gap.1 + f64::from(point.east)) * (1.0 / MICRO);
                let square = self.plane.square_of(north, east);
                if square <= self.bound {
                    let (latitude, longitude) =
                        (corner.0 + i32::from(point.north), corner.1 + i32::from(point.east));
                    self.candidates.push(Candidate {
                        square,
                        latitude: latitude - 90_000_000,
                        longitude: longitude - 180_000_000,
                        code: point.code,
                    });
                }
            }
        }
        Some(())
    }
}

/// The cells around an origin.
struct Cells<'a> {
    inner: &'a Inner,
    index: &'a CellIndex,
    /// The origin's part: its row from the south pole, and its column from the 180th meridian.
    part: (i32, i32),
    /// The origin in micro-degrees from there.
    at: (f64, f64),
    /// The bands from the southernmost one, as positions in the table of bands.
    bands: [Option<u32>; ACROSS],
    /// The cells of each band from the westernmost one, as positions in the table of cells. They are
    /// looked up when first needed.
    cells: [Option<[Option<u32>; ACROSS]>; ACROSS],
}

impl<'a> Cells<'a> {
    fn around(inner: &'a Inner, origin: Location) -> Self {
        let spatial = &inner.spatial;
        let new_index = || CellIndex::new(spatial.cells.rows(), spatial.rows.rows());
        let at = ((origin.latitude() + 90.0) * MICRO, (origin.longitude() + 180.0) * MICRO);
        let part = ((at.0 / f64::from(PART_LATITUDE)) as i32, (at.1 / f64::from(PART_LONGITUDE)) as i32);
        let south = (part.0 / PARTS as i32 - CELLS).max(0) as u32;
        let bands = consecutive(0..spatial.bands.rows(), south, |n| spatial.band(&inner.bytes, n));
        let index = inner.cell_points.get_or_init(new_index);
        Self { inner, index, part, at, bands, cells: [None; ACROSS] }
    }

    /// Returns the position of a cell in the table of cells, if it has any row.
    #[inline]
    fn find(&mut self, band: i32, cell: i32) -> Option<u32> {
        let first = (self.part.0 / PARTS as i32 - CELLS, self.part.1 / PARTS as i32 - CELLS);
        let (band, column) = ((band - first.0) as usize, (cell - first.1) as usize);
        let position = (*self.bands.get(band)?)?;
        let (spatial, data) = (&self.inner.spatial, &*self.inner.bytes);
        let cells = self.cells.get_mut(band)?.get_or_insert_with(|| {
            consecutive(spatial.cells_of(data, position), first.1.max(0) as u32, |n| spatial.cell(data, n))
        });
        *cells.get(column)?
    }

    /// Returns the points of a cell, or `None` if there are too many.
    #[inline]
    fn points(&self, number: u32, band: i32, cell: i32) -> Option<&'a CellPoints> {
        let (inner, data) = (self.inner, &*self.inner.bytes);
        let entries = || inner.spatial.entries_of(data, number);
        let point = |entry| {
            let row = inner.spatial.row(data, entry).filter(|row| inner.rows.is_live(data, *row))?;
            let (latitude, longitude) = inner.rows.micro(data, row)?;
            let north = latitude.checked_add(90_000_000)?.checked_sub(band * CELL_LATITUDE)?;
            let east = longitude.checked_add(180_000_000)?.checked_sub(cell * CELL_LONGITUDE)?;
            Point::new(north, east, inner.keys.postcode(data, row)?.code())
        };
        self.index.get(number, entries, point)
    }

    /// Returns the square of a distance below those of all points in a row of parts, or in one
    /// farther in the same direction.
    #[inline]
    fn row_gap(&self, north: i32, degree: f64) -> f64 {
        square(gap(self.at.0, self.part.0, north, PART_LATITUDE) * degree)
    }

    /// Returns the same for a column, as far as the rings reach to the north and south.
    #[inline]
    fn column_gap(&self, east: i32, degree: f64) -> f64 {
        square(gap(self.at.1, self.part.1, east, PART_LONGITUDE) * degree)
    }
}

/// Returns the degrees from a place in a part to the nearer edge of the part at an offset, 0 for the
/// part itself.
#[inline]
fn gap(at: f64, part: i32, offset: i32, size: i32) -> f64 {
    let edge = |part: i32| f64::from(part) * f64::from(size);
    match offset {
        0 => 0.0,
        1.. => (edge(part + offset) - at) * (1.0 / MICRO),
        _ => (at - edge(part + offset + 1)) * (1.0 / MICRO),
    }
}

/// Returns the positions of numbers from `least` on in a sorted part of a table.
fn consecutive(
    part: std::ops::Range<u32>,
    least: u32,
    number: impl Fn(u32) -> Option<u32>,
) -> [Option<u32>; ACROSS] {
    let count = part.end.saturating_sub(part.start);
    let start =
        part.start.saturating_add(first(count, |n| number(part.start + n).is_none_or(|it| it >= least)));
    let mut positions = [None; ACROSS];
    for position in start..part.end.min(start.saturating_add(ACROSS as u32)) {
        let column = number(position).and_then(|it| it.checked_sub(least));
        match column.and_then(|column| positions.get_mut(column as usize)) {
            Some(place) => *place = Some(position),
            None => break,
        }
    }
    positions
}
