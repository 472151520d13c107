//! The spatial index: the live postcodes in each cell of about a kilometre.
//!
//! Cells are 0.009 degrees of latitude by 0.015 of longitude. There are three packed tables, like
//! compressed sparse rows: bands of latitude that have cells, cells that have rows, and the rows of
//! each cell.

use std::ops::Range;

use crate::Result;
use crate::dataset::file::format::{Frame, section};
use crate::dataset::file::packed_table::{Column, PackedTable};
use crate::dataset::section::areas::table;
use crate::dataset::section::keys::first;

/// The height of a cell in micro-degrees.
pub(crate) const CELL_LATITUDE: i32 = 9_000;
/// The width of a cell in micro-degrees.
pub(crate) const CELL_LONGITUDE: i32 = 15_000;
/// The number of cells around the earth.
pub(crate) const CELLS_AROUND: u32 = 360_000_000 / CELL_LONGITUDE as u32;

/// The columns: the number of a band or cell, and where its parts begin in the next table.
pub(crate) const NUMBER: u16 = 0;
pub(crate) const FIRST: u16 = 1;
/// The column of the last table.
pub(crate) const ROW: u16 = 0;

/// Returns the band of a place in micro-degrees, and the cell within it.
#[inline]
pub(crate) fn cell_of(latitude: i32, longitude: i32) -> (u32, u32) {
    let north = latitude.saturating_add(90_000_000).max(0) as u32;
    let east = longitude.saturating_add(180_000_000).max(0) as u32;
    (north / CELL_LATITUDE as u32, east / CELL_LONGITUDE as u32 % CELLS_AROUND)
}

/// Returns the middle of a cell: latitude and longitude in degrees.
pub(crate) fn middle_of(band: u32, cell: u32) -> (f64, f64) {
    let degrees = |number: u32, size: i32| (f64::from(number) + 0.5) * f64::from(size) / 1e6;
    (degrees(band, CELL_LATITUDE) - 90.0, degrees(cell, CELL_LONGITUDE) - 180.0)
}

/// The tables of the index.
#[derive(Debug)]
pub(crate) struct Spatial {
    pub(crate) bands: PackedTable,
    pub(crate) cells: PackedTable,
    pub(crate) rows: PackedTable,
    band: Column,
    first_cell: Column,
    cell: Column,
    first_entry: Column,
    row: Column,
}

impl Spatial {
    pub(crate) fn read(frame: &Frame, data: &[u8], origin: &str) -> Result<Self> {
        let [bands, cells, rows] = [section::BANDS, section::CELLS, section::CELL_ROWS];
        let bands = table(frame, data, bands, origin)?;
        let cells = table(frame, data, cells, origin)?;
        let rows = table(frame, data, rows, origin)?;
        Ok(Self {
            band: bands.column(NUMBER),
            first_cell: bands.column(FIRST),
            cell: cells.column(NUMBER),
            first_entry: cells.column(FIRST),
            row: rows.column(ROW),
            bands,
            cells,
            rows,
        })
    }

    pub(crate) fn band(&self, data: &[u8], n: u32) -> Option<u32> {
        self.bands.get_u32(data, n, self.band)
    }

    pub(crate) fn cell(&self, data: &[u8], n: u32) -> Option<u32> {
        self.cells.get_u32(data, n, self.cell)
    }

    pub(crate) fn row(&self, data: &[u8], n: u32) -> Option<u32> {
        self.rows.get_u32(data, n, self.row)
    }

    /// Returns the cells of the band at this position in the table, as positions in the table of
    /// cells.
    pub(crate) fn cells_of(&self, data: &[u8], n: u32) -> Range<u32> {
        let at = |n| self.bands.get_u32(data, n, self.first_cell);
        let end = if n + 1 < self.bands.rows() { at(n + 1) } else { None };
        at(n).unwrap_or(0)..end.unwrap_or(self.cells.rows())
    }

    /// Returns the entries of the cell at this position in the table.
    pub(crate) fn entries_of(&self, data: &[u8], n: u32) -> Range<u32> {
        let at = |n| self.cells.get_u32(data, n, self.first_entry);
        let end = if n + 1 < self.cells.rows() { at(n + 1) } else { None };
        at(n).unwrap_or(0)..end.unwrap_or(self.rows.rows())
    }

    /// Returns the parallels in degrees between which all rows lie.
    pub(crate) fn latitudes(&self, data: &[u8]) -> (f64, f64) {
        let edge = |band: u32| f64::from(band) * f64::from(CELL_LATITUDE) / 1e6 - 90.0;
        let last = self.bands.rows().checked_sub(1).and_then(|n| self.band(data, n));
        match self.band(data, 0).zip(last) {
            Some((first, last)) => (edge(first), edge(last.saturating_add(1))),
            None => (-90.0, 90.0),
        }
    }

    /// Returns how many rows are in these ranges of bands and cells, both inclusive.
    pub(crate) fn count(&self, data: &[u8], bands: (u32, u32), cells: &[(u32, u32)]) -> u32 {
        self.entries(data, bands, cells).iter().map(|range| range.end.saturating_sub(range.start)).sum()
    }

    /// Returns the entries of the table of rows in the bands and cells of these ranges, both inclusive.
    pub(crate) fn entries(&self, data: &[u8], bands: (u32, u32), cells: &[(u32, u32)]) -> Vec<Range<u32>> {
        // No row is in two cells, so a damaged index can't make this longer than a whole one.
        let mut budget = self.rows.rows();
        let start = first(self.bands.rows(), |n| self.band(data, n).is_none_or(|band| band >= bands.0));
        let touched = (start..self.bands.rows())
            .take_while(|&band| self.band(data, band).is_some_and(|number| number <= bands.1));
        let mut entries = Vec::new();
        for all in touched.map(|band| self.cells_of(data, band)) {
            let count = all.end.saturating_sub(all.start);
            for &(low, high) in cells {
                let from = first(count, |n| self.cell(data, all.start + n).is_none_or(|it| it >= low));
                let after = first(count, |n| self.cell(data, all.start + n).is_none_or(|it| it > high));
                if from < after {
                    let start = self.entries_of(data, all.start + from).start;
                    let end =
                        self.entries_of(data, all.start + after - 1).end.min(start.saturating_add(budget));
                    budget -= end.saturating_sub(start);
                    entries.push(start..end);
                }
            }
        }
        entries
    }

    /// Calls `visit` with every row in these ranges of bands and cells, both inclusive. Skips cells
    /// for which `touches`, given the band and the cell, returns false.
    pub(crate) fn visit(
        &self,
        data: &[u8],
        bands: (u32, u32),
        cells: &[(u32, u32)],
        touches: impl Fn(u32, u32) -> bool,
        mut visit: impl FnMut(u32),
    ) {
        // No row is in two cells, so a damaged index can't take longer than an intact one.
        let mut budget = self.rows.rows();
        let start = first(self.bands.rows(), |n| self.band(data, n).is_none_or(|band| band >= bands.0));
        for band in start..self.bands.rows() {
            let Some(number) = self.band(data, band).filter(|number| *number <= bands.1) else { break };
            let all = self.cells_of(data, band);
            for &(low, high) in cells {
                let count = all.end.saturating_sub(all.start);
                let from =
                    first(count, |n| self.cell(data, all.start + n).is_none_or(|number| number >= low));
                for cell in all.start + from..all.end {
                    let Some(east) = self.cell(data, cell).filter(|east| *east <= high) else { break };
                    if !touches(number, east) {
                        continue;
                    }
                    for entry in self.entries_of(data, cell) {
                        match self.row(data, entry) {
                            Some(row) if budget > 0 => visit(row),
                            _ => return,
                        }
                        budget -= 1;
                    }
                }
            }
        }
    }

    /// Calls `visit` with rows around a band and a cell of it, nearest bands and cells first.
    /// Continues in each direction while `reaches` accepts the band and `touches` the cell; both
    /// are given numbers and may become stricter on the way. Returns how many bands, cells and rows
    /// were examined.
    pub(crate) fn visit_outward(
        &self,
        data: &[u8],
        (band, cell): (u32, u32),
        reaches: impl Fn(u32) -> bool,
        touches: impl Fn(u32, u32) -> bool,
        mut visit: impl FnMut(u32),
    ) -> u64 {
        let mut around = Around { spatial: self, data, cell, budget: self.rows.rows(), work: 0 };
        let count = self.bands.rows();
        let mut north = first(count, |n| self.band(data, n).is_none_or(|it| it >= band));
        let mut south = north;
        loop {
            let above = if north < count { self.band(data, north) } else { None };
            let below = south.checked_sub(1).and_then(|n| self.band(data, n));
            let (n, number) = match (above.filter(|it| reaches(*it)), below.filter(|it| reaches(*it))) {
                (Some(above), below) if below.is_none_or(|it| above.abs_diff(band) <= it.abs_diff(band)) => {
                    north += 1;
                    (north - 1, above)
                }
                (_, Some(below)) => {
                    south -= 1;
                    (south, below)
                }
                _ => return around.work,
            };
            around.band(n, |cell| touches(number, cell), &mut visit);
        }
    }
}

/// Visits the rows around a cell.
struct Around<'a> {
    spatial: &'a Spatial,
    data: &'a [u8],
    cell: u32,
    /// No row is in two cells, so a damaged index can't take longer than an intact one.
    budget: u32,
    work: u64,
}

impl Around<'_> {
    /// Visits the cells of the band at this position in the table, to the east and then to the
    /// west.
    fn band(&mut self, n: u32, touches: impl Fn(u32) -> bool, visit: &mut impl FnMut(u32)) {
        const HALF: u32 = CELLS_AROUND / 2;
        self.work += 1;
        let (spatial, data, cell) = (self.spatial, self.data, self.cell);
        let all = spatial.cells_of(data, n);
        let count = all.end.saturating_sub(all.start);
        let split = first(count, |n| spatial.cell(data, all.start + n).is_none_or(|it| it >= cell));
        // The cells of a band form a circle.
        for step in 0..count {
            let at = all.start + (split + step) % count;
            let Some(it) = spatial.cell(data, at) else { break };
            let east = (it % CELLS_AROUND + CELLS_AROUND - cell) % CELLS_AROUND;
            if east > HALF || !touches(it) || !self.rows(at, visit) {
                break;
            }
        }
        for step in 1..=count {
            let at = all.start + (split + (count - step)) % count;
            let Some(it) = spatial.cell(data, at) else { break };
            let west = (cell + CELLS_AROUND - it % CELLS_AROUND) % CELLS_AROUND;
            if west == 0 || west >= HALF || !touches(it) || !self.rows(at, visit) {
                break;
            }
        }
        self.work += 2;
    }

    /// Visits the rows of a cell. Returns false if there are more than possible.
    fn rows(&mut self, cell: u32, visit: &mut impl FnMut(u32)) -> bool {
        self.work += 1;
        for entry in self.spatial.entries_of(self.data, cell) {
            match self.spatial.row(self.data, entry) {
                Some(row) if self.budget > 0 => visit(row),
                _ => return false,
            }
            self.budget -= 1;
            self.work += 1;
        }
        true
    }
}
