//! The points of the spatial index's cells, ready to be compared: positions next to codes, sorted into
//! parts of a quarter of a kilometre.
//!
//! The file has only the rows of each cell, and a row is somewhere else in memory. So the points of a
//! cell are collected when it is first searched. All cells of a country take about 15 bytes for each
//! live postcode.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::dataset::section::spatial::{CELL_LATITUDE, CELL_LONGITUDE};

/// The parts of a cell in each direction.
pub(crate) const PARTS: u32 = 4;
/// The height and the width of a part in micro-degrees.
pub(crate) const PART_LATITUDE: i32 = CELL_LATITUDE / PARTS as i32;
pub(crate) const PART_LONGITUDE: i32 = CELL_LONGITUDE / PARTS as i32;
/// Two 16-bit offsets in each word: where each part begins, and where the last one ends.
const HEADER: usize = ((PARTS * PARTS + 1) as usize).div_ceil(2);

/// The points of one cell: the offsets of its parts, row by row from the south-west, then two words
/// for each point.
pub(crate) struct CellPoints(Box<[u32]>);

/// A live postcode with a location: its position in the cell in micro-degrees, and its code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) north: u16,
    pub(crate) east: u16,
    pub(crate) code: u32,
}

impl Point {
    /// Creates a point from its position in micro-degrees from the corner of its cell, or returns
    /// `None` if it is not in the cell.
    pub(crate) fn new(north: i32, east: i32, code: u32) -> Option<Self> {
        let inside = (0..CELL_LATITUDE).contains(&north) && (0..CELL_LONGITUDE).contains(&east);
        let (north, east) = (u16::try_from(north).ok()?, u16::try_from(east).ok()?);
        inside.then_some(Self { north, east, code })
    }

    fn part(self) -> usize {
        let (north, east) = (i32::from(self.north) / PART_LATITUDE, i32::from(self.east) / PART_LONGITUDE);
        (north * PARTS as i32 + east) as usize
    }
}

impl CellPoints {
    /// Collects points, or returns `None` if there are more than its offsets can count.
    pub(crate) fn new(mut points: Vec<Point>) -> Option<Self> {
        let count = u16::try_from(points.len()).ok()?;
        points.sort_unstable_by_key(|point| (point.part(), point.code));
        let mut words = Vec::with_capacity(HEADER + points.len() * 2);
        let start =
            |part: usize| points.partition_point(|point| point.part() < part).min(count.into()) as u32;
        words.extend((0..HEADER).map(|n| start(n * 2) | start(n * 2 + 1) << 16));
        for point in &points {
            words.extend([u32::from(point.north) | u32::from(point.east) << 16, point.code]);
        }
        Some(Self(words.into()))
    }

    fn offset(&self, part: u32) -> usize {
        let word = self.0.get(part as usize / 2).copied().unwrap_or_default();
        (word >> (part % 2 * 16) & 0xffff) as usize
    }

    /// Iterates over the points of the parts in one row, both inclusive.
    #[inline]
    pub(crate) fn parts(&self, row: u32, parts: (u32, u32)) -> impl ExactSizeIterator<Item = Point> {
        let (start, end) = (self.offset(row * PARTS + parts.0), self.offset(row * PARTS + parts.1 + 1));
        let points = self.0.get(HEADER..).unwrap_or_default().as_chunks::<2>().0;
        points.get(start..end).unwrap_or_default().iter().map(|[position, code]| Point {
            north: *position as u16,
            east: (position >> 16) as u16,
            code: *code,
        })
    }
}

/// The points of all cells, each collected when first needed.
pub(crate) struct CellIndex {
    cells: Box<[OnceLock<Option<CellPoints>>]>,
    /// No row is in two cells, so a damaged index can't take more memory than an intact one.
    budget: AtomicU32,
}

impl CellIndex {
    /// Creates the index of a number of cells with a number of points in all.
    pub(crate) fn new(cells: u32, points: u32) -> Self {
        Self { cells: (0..cells).map(|_| OnceLock::new()).collect(), budget: AtomicU32::new(points) }
    }

    /// Returns the points of a cell, or `None` if it has too many. On the first call they are taken
    /// from `point`, which is given each of the cell's entries.
    #[inline]
    pub(crate) fn get(
        &self,
        cell: u32,
        entries: impl FnOnce() -> Range<u32>,
        point: impl Fn(u32) -> Option<Point>,
    ) -> Option<&CellPoints> {
        let collect = || {
            let entries = entries();
            let count = entries.end.saturating_sub(entries.start);
            let within = |free: u32| free.checked_sub(count);
            let few = count <= u32::from(u16::MAX)
                && self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_ok();
            if few { CellPoints::new(entries.filter_map(point).collect()) } else { None }
        };
        self.cells.get(cell as usize)?.get_or_init(collect).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_cell_are_the_points_in_them() {
        let mut rng = fastrand::Rng::with_seed(4);
        let points: Vec<Point> = (0..500)
            .map(|code| Point::new(rng.i32(0..CELL_LATITUDE), rng.i32(0..CELL_LONGITUDE), code).unwrap())
            .collect();
        let cell = CellPoints::new(points.clone()).unwrap();
        for row in 0..PARTS {
            for west in 0..PARTS {
                for east in west..PARTS {
                    let mut found: Vec<u32> = cell.parts(row, (west, east)).map(|point| point.code).collect();
                    found.sort_unstable();
                    let is_in = |point: &&Point| {
                        let parts = (point.part() as u32 / PARTS, point.part() as u32 % PARTS);
                        parts.0 == row && (west..=east).contains(&parts.1)
                    };
                    let due: Vec<u32> = points.iter().filter(is_in).map(|point| point.code).collect();
                    assert_eq!(found, due, "{row} {west} {east}");
                }
            }
        }
        assert!(CellPoints::new(vec![points[0]; 65_536]).is_none());
        assert!(Point::new(-1, 0, 0).is_none() && Point::new(0, CELL_LONGITUDE, 0).is_none());
    }
}
