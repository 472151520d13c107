//! The live postcodes of a region, by sector: first the sectors that touch it, then the postcodes of each.
//!
//! A sector holds 441 postcodes at most, all near each other. So the boxes around them, and for each kind of area the sectors that
//! it reaches into, are small indexes (some hundred kilobytes), made from the rows when first asked for; and since
//! sectors are in the order of postcodes, a page costs what it holds, wherever it begins. What is small on the map is found in
//! the spatial index of the file instead, without any of that.

use super::compass::{Compass, Cover};
use super::rows::MICRO;
use super::{Dataset, Inner};
use crate::postcode::{PER_OUTCODE, UNITS};
use crate::{AreaKind, Page, Postcode, Record, Region, Result, Within};

/// Entries of the spatial index that are looked at for a page: a millisecond's work. A region of more goes by sectors.
const CANDIDATES: u32 = 10_000;

/// The least and the greatest latitude and longitude of a sector's live postcodes, in micro-degrees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SectorBox {
    latitude: (i32, i32),
    longitude: (i32, i32),
}

impl SectorBox {
    /// Of nothing.
    const EMPTY: Self = Self { latitude: (i32::MAX, i32::MIN), longitude: (i32::MAX, i32::MIN) };

    fn add(&mut self, (latitude, longitude): (i32, i32)) {
        self.latitude = (self.latitude.0.min(latitude), self.latitude.1.max(latitude));
        self.longitude = (self.longitude.0.min(longitude), self.longitude.1.max(longitude));
    }

    fn touches(&self, cover: &Cover) -> bool {
        let apart = |own: (i32, i32), other: (i32, i32)| own.1 < other.0 || own.0 > other.1;
        !apart(self.latitude, cover.latitude)
            && cover.longitudes().iter().any(|other| !apart(self.longitude, *other))
    }
}

/// For each area of a kind, by its number, the sectors with live postcodes in it, in order.
#[derive(Debug, Default)]
pub(crate) struct AreaSectors {
    /// Where the sectors of each area begin, and after the last one where they end.
    starts: Vec<u32>,
    sectors: Vec<u32>,
}

impl AreaSectors {
    fn of(&self, area: u32) -> &[u32] {
        let at = |n: usize| self.starts.get(n).map(|start| *start as usize);
        let part = at(area as usize).zip(at(area as usize + 1));
        part.and_then(|(start, end)| self.sectors.get(start..end)).unwrap_or_default()
    }
}

impl Inner {
    fn sector_boxes(&self) -> &[SectorBox] {
        self.sector_boxes.get_or_init(|| {
            let data: &[u8] = &self.bytes;
            let sectors = 0..self.keys.sector_count();
            sectors
                .map(|sector| {
                    let mut around = SectorBox::EMPTY;
                    let live = self.rows_of_sector(sector).filter(|&row| self.rows.is_live(data, row));
                    live.filter_map(|row| self.rows.micro(data, row)).for_each(|at| around.add(at));
                    around
                })
                .collect()
        })
    }

    fn area_sectors(&self, kind: AreaKind) -> Option<&AreaSectors> {
        let index = self.area_sectors.get(kind as usize)?;
        Some(index.get_or_init(|| self.find_area_sectors(kind)))
    }

    fn find_area_sectors(&self, kind: AreaKind) -> AreaSectors {
        let data: &[u8] = &self.bytes;
        let areas = self.areas.count(kind);
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        let mut here: Vec<u32> = Vec::new();
        for sector in 0..self.keys.sector_count() {
            let live = self.rows_of_sector(sector).filter(|&row| self.rows.is_live(data, row));
            let sets = live.filter_map(|row| self.rows.area_set(data, row));
            here.extend(sets.filter_map(|set| self.areas.number(data, set, kind)));
            here.sort_unstable();
            here.dedup();
            // A number beyond the dictionary is damage, and no area.
            pairs.extend(here.drain(..).filter(|&area| area < areas).map(|area| (area, sector)));
        }
        pairs.sort_unstable();
        let starts = (0..=areas).map(|area| pairs.partition_point(|pair| pair.0 < area) as u32).collect();
        AreaSectors { starts, sectors: pairs.into_iter().map(|(_, sector)| sector).collect() }
    }

    fn rows_of_sector(&self, sector: u32) -> std::ops::Range<u32> {
        let (data, count): (&[u8], u32) = (&self.bytes, self.rows.count());
        let start = self.keys.first_row(data, sector).unwrap_or(count);
        let end = self.keys.first_row(data, sector.saturating_add(1)).unwrap_or(count);
        // A damaged index may say anything.
        start..end.min(count).min(start.saturating_add(UNITS))
    }

    /// The numbers that a code has as an area of these kinds.
    fn areas_of(&self, code: &str, kind: Option<AreaKind>) -> Vec<(AreaKind, u32)> {
        let kinds = AreaKind::ALL.into_iter().filter(|other| kind.is_none_or(|kind| kind == *other));
        let find = |kind, code: &str| self.areas.find(&self.bytes, kind, code);
        let capitals = code.to_ascii_uppercase();
        kinds.filter_map(|kind| Some((kind, find(kind, code).or_else(|| find(kind, &capitals))?))).collect()
    }
}

/// Collects a page: one record more than it holds, to know whether there are more.
struct Collected<'a> {
    dataset: &'a Dataset,
    from: u32,
    wanted: usize,
    records: Vec<Record>,
}

impl Collected<'_> {
    fn is_full(&self) -> bool {
        self.records.len() >= self.wanted
    }

    fn take(&mut self, row: u32, postcode: Postcode) {
        self.records.push(self.dataset.record(row, postcode));
    }

    /// The live rows with codes in a range for which `holds`.
    fn range(&mut self, start: u32, end: u32, holds: impl Fn(u32) -> bool) {
        let inner = self.dataset.inner();
        let data: &[u8] = &inner.bytes;
        for (row, postcode) in inner.keys.scan(data, start.max(self.from)) {
            if postcode.code() >= end || self.is_full() {
                return;
            }
            if inner.rows.is_live(data, row) && holds(row) {
                self.take(row, postcode);
            }
        }
    }

    fn sectors(&mut self, sectors: impl Iterator<Item = u32>, holds: impl Fn(u32) -> bool) {
        let inner = self.dataset.inner();
        for code in sectors.filter_map(|sector| inner.keys.sector_code(&inner.bytes, sector)) {
            if self.is_full() {
                return;
            }
            let start = code.saturating_mul(UNITS);
            if start.saturating_add(UNITS) > self.from {
                self.range(start, start.saturating_add(UNITS), &holds);
            }
        }
    }

    fn rows(&mut self, rows: &[u32], holds: impl Fn(u32) -> bool) {
        let inner = self.dataset.inner();
        let data: &[u8] = &inner.bytes;
        for &row in rows {
            if self.is_full() {
                return;
            }
            if inner.rows.is_live(data, row)
                && holds(row)
                && let Some(postcode) = inner.keys.postcode(data, row)
            {
                self.take(row, postcode);
            }
        }
    }
}

impl Dataset {
    /// A page of the live postcodes of a region, as [`PostcodeLookup::within`](crate::PostcodeLookup::within) says.
    ///
    /// The first call for a kind of area, and the first for a large circle, box or polygon, goes through all rows once and keeps
    /// an index of some hundred kilobytes.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a limit, a radius, a box, a polygon or a code out of range.
    pub fn within(&self, query: &Within) -> Result<Option<Page>> {
        query.check()?;
        let from = query.after.map_or(0, |after| after.code().saturating_add(1));
        let mut page = self.collect(&query.region, from, query.limit.saturating_add(1));
        if page.is_empty() && query.region.is_named() {
            // Is there nothing more, or was there never anything?
            let any = from > 0 && !self.collect(&query.region, 0, 1).is_empty();
            return Ok(any.then(Page::default));
        }
        page.shrink_to_fit();
        Ok(Some(Page::of(page, query.limit)))
    }

    /// As many of a region's live records as are wanted, from a code on.
    fn collect(&self, region: &Region, from: u32, wanted: usize) -> Vec<Record> {
        let mut found = Collected { dataset: self, from, wanted, records: Vec::new() };
        match region {
            Region::Outcode(outcode) => {
                let start = outcode.code().saturating_mul(PER_OUTCODE);
                found.range(start, start.saturating_add(PER_OUTCODE), |_| true);
            }
            Region::Sector(sector) => {
                let start = sector.code().saturating_mul(UNITS);
                found.range(start, start.saturating_add(UNITS), |_| true);
            }
            Region::Area { code, kind } => self.collect_area(&mut found, code, *kind),
            Region::Circle { .. } | Region::Box { .. } | Region::Polygon(_) => {
                self.collect_shape(&mut found, region, CANDIDATES);
            }
        }
        found.records
    }

    fn collect_area(&self, found: &mut Collected<'_>, code: &str, kind: Option<AreaKind>) {
        let inner = self.inner();
        let data: &[u8] = &inner.bytes;
        let areas = inner.areas_of(code, kind);
        let indexes = areas.iter().filter_map(|(kind, area)| Some((inner.area_sectors(*kind)?, *area)));
        let mut sectors: Vec<u32> = indexes.flat_map(|(index, area)| index.of(area)).copied().collect();
        sectors.sort_unstable();
        sectors.dedup();
        found.sectors(sectors.into_iter(), |row| {
            let is =
                |set| areas.iter().any(|(kind, area)| inner.areas.number(data, set, *kind) == Some(*area));
            inner.rows.area_set(data, row).is_some_and(is)
        });
    }

    fn collect_shape(&self, found: &mut Collected<'_>, region: &Region, candidates: u32) {
        let inner = self.inner();
        let data: &[u8] = &inner.bytes;
        let Some(cover) = cover(region) else { return };
        let compass = match region {
            Region::Circle { centre, radius } => Some((Compass::at(*centre, *radius), *radius)),
            _ => None,
        };
        let holds = |row: u32| match (inner.rows.micro(data, row), &compass) {
            (None, _) => false,
            (Some((latitude, longitude)), Some((compass, radius))) => {
                compass.is_within(f64::from(latitude) / MICRO, f64::from(longitude) / MICRO, *radius)
            }
            (Some(_), None) => inner.rows.location(data, row).is_some_and(|at| region.surrounds(at)),
        };
        let cells = cover.cells();
        if inner.spatial.count(data, cover.bands(), &cells) <= candidates {
            // Rows are in the order of postcodes.
            let start = inner.keys.scan(data, found.from).next().map_or(u32::MAX, |(row, _)| row);
            let mut rows = Vec::new();
            inner.spatial.visit(
                data,
                cover.bands(),
                &cells,
                |_, _| true,
                |row| {
                    if row >= start {
                        rows.push(row);
                    }
                },
            );
            rows.sort_unstable();
            found.rows(&rows, holds);
        } else {
            let boxes = inner.sector_boxes().iter().enumerate();
            let touched = boxes.filter(|(_, around)| around.touches(&cover)).map(|(sector, _)| sector as u32);
            found.sectors(touched, holds);
        }
    }
}

/// What a shape lies in.
fn cover(region: &Region) -> Option<Cover> {
    match region {
        Region::Circle { centre, radius } => Some(Cover::of_circle(*centre, *radius)),
        Region::Box { south_west, north_east } => Some(Cover::of_points(&[*south_west, *north_east])),
        Region::Polygon(corners) => Some(Cover::of_points(corners)),
        Region::Area { .. } | Region::Outcode(_) | Region::Sector(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{DatasetBuilder, Metadata, Row};
    use crate::{Location, MAX_RADIUS};

    /// Some thousand postcodes in a few dozen sectors, each sector around a place of its own.
    fn scattered(rng: &mut fastrand::Rng) -> Dataset {
        let mut builder = DatasetBuilder::new(Metadata::new("scattered"));
        let start = "LS1 0AA".parse::<Postcode>().unwrap().code();
        for sector in 0..40 {
            let middle = (50.0 + 9.0 * rng.f64(), -6.0 + 8.0 * rng.f64());
            for _ in 0..100 {
                let code = start + sector * UNITS + rng.u32(..UNITS);
                let Some(postcode) = Postcode::from_code(code) else { continue };
                let mut row = if rng.u8(..5) == 0 { Row::terminated(postcode) } else { Row::live(postcode) };
                let micro = |degrees: f64, by: f64| ((degrees + by / 20.0) * MICRO).round() / MICRO;
                let at = Location::new(micro(middle.0, rng.f64()), micro(middle.1, rng.f64()));
                row.location = at.ok().filter(|_| rng.u8(..20) > 0);
                // Drawn twice is refused.
                let _ = builder.push(&row);
            }
        }
        builder.build().unwrap()
    }

    #[test]
    fn both_ways_to_a_shape_find_what_is_in_it() {
        let mut rng = fastrand::Rng::with_seed(11);
        let dataset = scattered(&mut rng);
        let live: Vec<Record> =
            dataset.iter().filter(|record| record.status == crate::Status::Live).collect();
        assert!(live.len() > 2_000, "{}", live.len());
        let mut found_some = 0;
        for _ in 0..300 {
            let mut near = || {
                let at = live[rng.usize(..live.len())].location;
                at.unwrap_or(Location::new(54.0, -2.0).unwrap())
            };
            let (a, b, c) = (near(), near(), near());
            let corner = |pick: fn(f64, f64) -> f64| {
                Location::new(pick(a.latitude(), b.latitude()), pick(a.longitude(), b.longitude())).unwrap()
            };
            let radius = 10_f64.powf(rng.f64() * MAX_RADIUS.log10());
            for region in [
                Region::circle(a, radius),
                Region::circle(a, a.distance(b)),
                Region::Box { south_west: corner(f64::min), north_east: corner(f64::max) },
                Region::Polygon(vec![a, b, c]),
            ] {
                let due: Vec<_> = live.iter().filter(|record| region.contains(record)).collect();
                found_some += usize::from(!due.is_empty());
                let from = if rng.bool() { 0 } else { live[rng.usize(..live.len())].postcode.code() };
                let due: Vec<_> = due.into_iter().filter(|it| it.postcode.code() >= from).take(90).collect();
                for candidates in [0, u32::MAX] {
                    let mut found = Collected { dataset: &dataset, from, wanted: 90, records: Vec::new() };
                    dataset.collect_shape(&mut found, &region, candidates);
                    assert_eq!(found.records.iter().collect::<Vec<_>>(), due, "{region} {candidates}");
                }
            }
        }
        assert!(found_some > 900, "{found_some}");
    }
}
