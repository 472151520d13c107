//! The live postcodes of a region: first the sectors that touch it, then the postcodes of each
//! sector.
//!
//! A sector has at most 441 postcodes, all close together. So the boxes around sectors, and the
//! sectors that each area reaches, are small indexes (some hundred kilobytes), built from the rows
//! when first needed. Sectors are in the order of postcodes, so a page costs only what it contains,
//! wherever it begins. Small regions are found with the spatial index of the file, and need no such
//! index.

use crate::dataset::Dataset;
use crate::dataset::Inner;
use crate::dataset::answer::cover::{Compass, Cover};
use crate::dataset::answer::polygon::PolygonIndex;
use crate::dataset::section::rows::MICRO;
use crate::dataset::section::sectors::{AreaSectors, SectorBox};
use crate::postcode::{PER_OUTCODE, UNITS};
use crate::query::edges;
use crate::{AreaKind, Location, Page, Record, Region, Result, Within};

/// The most entries of the spatial index that are examined for a page: a millisecond of work.
/// Larger regions go by sectors.
const CANDIDATES: u32 = 10_000;

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
            // A number beyond the dictionary is damage, and not an area.
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
        // A damaged index may contain any number.
        start..end.min(count).min(start.saturating_add(UNITS))
    }

    /// Returns the numbers of a code as an area of these kinds.
    fn areas_of(&self, code: &str, kind: Option<AreaKind>) -> Vec<(AreaKind, u32)> {
        let kinds = AreaKind::ALL.into_iter().filter(|other| kind.is_none_or(|kind| kind == *other));
        let find = |kind, code: &str| self.areas.find(&self.bytes, kind, code);
        let capitals = code.to_ascii_uppercase();
        kinds.filter_map(|kind| Some((kind, find(kind, code).or_else(|| find(kind, &capitals))?))).collect()
    }
}

/// The postcodes that may lie in a region, in order.
enum Steps {
    /// Postcodes with codes in this range.
    Range(u32, u32),
    /// Postcodes of these sectors.
    Sectors(Vec<u32>),
    /// Postcodes of these rows.
    Rows(Vec<u32>),
}

/// Tests whether a row lies in a region.
enum Test<'q> {
    All,
    Areas(Vec<(AreaKind, u32)>),
    Circle(Compass, f64),
    Box(&'q Region),
    Polygons(Vec<PolygonIndex>),
}

impl Test<'_> {
    /// Returns how many edges have been examined.
    fn edges(&self) -> u64 {
        match self {
            Self::Polygons(polygons) => polygons.iter().map(PolygonIndex::edges).sum(),
            _ => 0,
        }
    }

    fn holds(&mut self, inner: &Inner, row: u32) -> bool {
        let data: &[u8] = &inner.bytes;
        match self {
            Self::All => true,
            Self::Areas(areas) => inner.rows.area_set(data, row).is_some_and(|set| {
                areas.iter().any(|(kind, area)| inner.areas.number(data, set, *kind) == Some(*area))
            }),
            Self::Circle(compass, radius) => {
                inner.rows.micro(data, row).is_some_and(|(latitude, longitude)| {
                    compass.is_within(f64::from(latitude) / MICRO, f64::from(longitude) / MICRO, *radius)
                })
            }
            Self::Box(region) => inner.rows.location(data, row).is_some_and(|at| region.surrounds(at)),
            Self::Polygons(polygons) => inner
                .rows
                .location(data, row)
                .is_some_and(|at| polygons.iter_mut().any(|polygon| polygon.surrounds(at))),
        }
    }
}

/// A search for a page of a region, in steps of limited work, so that it can be interrupted.
///
/// A search examines each row at most once, and each corner of a polygon for only a few rows, so
/// that its total work is limited before it begins.
pub(crate) struct Search<'q> {
    dataset: &'q Dataset,
    query: &'q Within,
    from: u32,
    /// One record more than the page, to know whether there are more.
    wanted: usize,
    steps: Steps,
    next: usize,
    test: Test<'q>,
    records: Vec<Record>,
    /// Rows and edges examined so far.
    work: u64,
}

impl<'q> Search<'q> {
    /// Checks the query and finds where to search.
    ///
    /// # Errors
    /// The same as [`Dataset::within`].
    pub(crate) fn of(dataset: &'q Dataset, query: &'q Within) -> Result<Self> {
        query.check()?;
        let from = query.after.map_or(0, |after| after.code().saturating_add(1));
        Ok(Self::new(dataset, query, from, query.limit.saturating_add(1), CANDIDATES))
    }

    fn new(dataset: &'q Dataset, query: &'q Within, from: u32, wanted: usize, candidates: u32) -> Self {
        let (steps, test) = match &query.region {
            Region::Outcode(outcode) => {
                let start = outcode.code().saturating_mul(PER_OUTCODE);
                (Steps::Range(start, start.saturating_add(PER_OUTCODE)), Test::All)
            }
            Region::Sector(sector) => {
                let start = sector.code().saturating_mul(UNITS);
                (Steps::Range(start, start.saturating_add(UNITS)), Test::All)
            }
            Region::Area { code, kind } => dataset.steps_to_area(code, *kind),
            region @ (Region::Circle { .. }
            | Region::Box { .. }
            | Region::Polygon(_)
            | Region::MultiPolygon(_)) => dataset.steps_to_shape(region, from, candidates),
        };
        Self { dataset, query, from, wanted, steps, next: 0, test, records: Vec::new(), work: 0 }
    }

    fn is_full(&self) -> bool {
        self.records.len() >= self.wanted
    }

    /// Continues until about this much work is done. Returns whether the search has ended.
    pub(crate) fn step(&mut self, work: u64) -> bool {
        let until = self.work.saturating_add(work);
        while !self.is_full() {
            if self.work >= until {
                return false;
            }
            let n = self.next;
            self.next += 1;
            match &self.steps {
                Steps::Range(start, end) if n == 0 => self.range(*start, *end),
                Steps::Sectors(sectors) if n < sectors.len() => {
                    let inner = self.dataset.inner();
                    self.work += 1;
                    if let Some(code) = inner.keys.sector_code(&inner.bytes, sectors[n]) {
                        let start = code.saturating_mul(UNITS);
                        if start.saturating_add(UNITS) > self.from {
                            self.range(start, start.saturating_add(UNITS));
                        }
                    }
                }
                Steps::Rows(rows) if n < rows.len() => {
                    let (inner, row) = (self.dataset.inner(), rows[n]);
                    if self.holds(row)
                        && let Some(postcode) = inner.keys.postcode(&inner.bytes, row)
                    {
                        self.records.push(self.dataset.record(row, postcode));
                    }
                }
                _ => return true,
            }
        }
        true
    }

    /// Examines the rows with codes in a range.
    fn range(&mut self, start: u32, end: u32) {
        let inner = self.dataset.inner();
        for (row, postcode) in inner.keys.scan(&inner.bytes, start.max(self.from)) {
            if postcode.code() >= end || self.is_full() {
                return;
            }
            if self.holds(row) {
                self.records.push(self.dataset.record(row, postcode));
            }
        }
    }

    /// Returns whether a row is live and lies in the region.
    fn holds(&mut self, row: u32) -> bool {
        let inner = self.dataset.inner();
        let before = self.test.edges();
        let holds = inner.rows.is_live(&inner.bytes, row) && self.test.holds(inner, row);
        self.work += 1 + self.test.edges() - before;
        holds
    }

    /// Returns the page once the search has ended. `None` if no area, outcode or sector has this
    /// name.
    pub(crate) fn finish(mut self) -> Option<Page> {
        if self.records.is_empty() && self.query.region.is_named() {
            // An empty page may be the end of the region, or the region may be unknown.
            let mut any = Self::new(self.dataset, self.query, 0, 1, CANDIDATES);
            let any = self.from > 0 && any.step(u64::MAX) && !any.records.is_empty();
            return any.then(Page::default);
        }
        self.records.shrink_to_fit();
        Some(Page::of(self.records, self.query.limit))
    }
}

impl Dataset {
    /// Returns a page of the live postcodes of a region: see
    /// [`PostcodeLookup::within`](crate::PostcodeLookup::within).
    ///
    /// The first call for a kind of area, and the first for a large circle, box or polygon, reads
    /// all rows once and keeps an index of some hundred kilobytes.
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
    /// use postcode_core::{Region, Within};
    ///
    /// let page = dataset.within(&Within::of(Region::Outcode("SW1A".parse()?)))?.ok_or("no such outcode")?;
    /// assert_eq!(page.records.len(), 2);
    /// assert_eq!(page.next, None); // there are no more
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a limit, a radius, a box, a polygon or a code out of range.
    pub fn within(&self, query: &Within) -> Result<Option<Page>> {
        let mut search = Search::of(self, query)?;
        while !search.step(u64::MAX) {}
        Ok(search.finish())
    }

    fn steps_to_area(&self, code: &str, kind: Option<AreaKind>) -> (Steps, Test<'static>) {
        let inner = self.inner();
        let areas = inner.areas_of(code, kind);
        let indexes = areas.iter().filter_map(|(kind, area)| Some((inner.area_sectors(*kind)?, *area)));
        let mut sectors: Vec<u32> = indexes.flat_map(|(index, area)| index.of(area)).copied().collect();
        sectors.sort_unstable();
        sectors.dedup();
        (Steps::Sectors(sectors), Test::Areas(areas))
    }

    fn steps_to_shape<'q>(&self, region: &'q Region, from: u32, candidates: u32) -> (Steps, Test<'q>) {
        let inner = self.inner();
        let data: &[u8] = &inner.bytes;
        let test = match region {
            Region::Circle { centre, radius } => Test::Circle(Compass::at(*centre, *radius), *radius),
            Region::Polygon(corners) => {
                Test::Polygons(vec![PolygonIndex::new(edges(corners), inner.spatial.latitudes(data))])
            }
            Region::MultiPolygon(polygons) => {
                let index = |rings: &Vec<Vec<Location>>| {
                    PolygonIndex::new(
                        rings.iter().flat_map(|ring| edges(ring)),
                        inner.spatial.latitudes(data),
                    )
                };
                Test::Polygons(polygons.iter().map(index).collect())
            }
            other => Test::Box(other),
        };
        let Some(cover) = cover(region) else { return (Steps::Rows(Vec::new()), test) };
        let cells = cover.cells();
        if inner.spatial.count(data, cover.bands(), &cells) <= candidates {
            // Rows are in the order of postcodes.
            let start = inner.keys.scan(data, from).next().map_or(u32::MAX, |(row, _)| row);
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
            (Steps::Rows(rows), test)
        } else {
            let (latitude, longitudes) = (cover.latitude, cover.longitudes());
            let boxes = inner.sector_boxes().iter().enumerate();
            let touched = boxes
                .filter(|(_, around)| around.meets(latitude, &longitudes))
                .map(|(sector, _)| sector as u32);
            (Steps::Sectors(touched.collect()), test)
        }
    }
}

/// Returns the part of the index that a shape covers.
fn cover(region: &Region) -> Option<Cover> {
    match region {
        Region::Circle { centre, radius } => Some(Cover::of_circle(*centre, *radius)),
        Region::Box { south_west, north_east } => Some(Cover::of_points(&[*south_west, *north_east])),
        Region::Polygon(corners) => Some(Cover::of_points(corners)),
        Region::MultiPolygon(polygons) => {
            let corners: Vec<Location> = polygons.iter().flatten().flatten().copied().collect();
            Some(Cover::of_points(&corners))
        }
        Region::Area { .. } | Region::Outcode(_) | Region::Sector(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{DatasetBuilder, Metadata, Row};
    use crate::{MAX_RADIUS, Postcode};

    /// Creates some thousand postcodes in a few dozen sectors, each sector around a separate place.
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
                // A postcode that was already drawn is refused.
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
            let (a, b, c, d, e) = (near(), near(), near(), near(), near());
            let corner = |pick: fn(f64, f64) -> f64| {
                Location::new(pick(a.latitude(), b.latitude()), pick(a.longitude(), b.longitude())).unwrap()
            };
            let radius = 10_f64.powf(rng.f64() * MAX_RADIUS.log10());
            for region in [
                Region::circle(a, radius),
                Region::circle(a, a.distance(b)),
                Region::Box { south_west: corner(f64::min), north_east: corner(f64::max) },
                Region::Polygon(vec![a, b, c]),
                Region::MultiPolygon(vec![vec![vec![a, b, c], vec![c, d, a]], vec![vec![e, b, d]]]),
            ] {
                let due: Vec<_> = live.iter().filter(|record| region.contains(record)).collect();
                found_some += usize::from(!due.is_empty());
                let from = if rng.bool() { 0 } else { live[rng.usize(..live.len())].postcode.code() };
                let due: Vec<_> = due.into_iter().filter(|it| it.postcode.code() >= from).take(90).collect();
                for candidates in [0, u32::MAX] {
                    let query = Within::of(region.clone());
                    let mut search = Search::new(&dataset, &query, from, 90, candidates);
                    // The result must not depend on interruptions.
                    let work = if rng.bool() { 1 + rng.u64(..50) } else { u64::MAX };
                    while !search.step(work) {}
                    assert_eq!(search.records.iter().collect::<Vec<_>>(), due, "{region} {candidates}");
                }
            }
        }
        assert!(found_some > 900, "{found_some}");
    }

    /// Polygons that contain no postcode, so that no page ever fills.
    #[cfg(feature = "embedded")]
    #[test]
    fn search_of_whole_country_by_any_polygon_has_bounded_work() {
        let country = Dataset::embedded().unwrap();
        let rows = u64::from(country.inner().rows.count());
        let half = crate::MAX_CORNERS / 2;
        let back = |there: Vec<Location>| -> Vec<Location> {
            there.iter().chain(there.iter().rev()).copied().collect()
        };
        let of = |make: &dyn Fn(f64, bool) -> (f64, f64)| {
            back(
                (0..half)
                    .map(|n| make(n as f64 / half as f64, n % 2 == 0))
                    .map(|(y, x)| Location::new(y.clamp(-90.0, 90.0), x).unwrap())
                    .collect(),
            )
        };
        for (name, corners) in [
            ("up and down", of(&|share, even| (if even { 49.0 } else { 61.0 }, 10.0 * share - 8.0))),
            ("to and fro", of(&|share, even| (49.0 + 12.0 * share, if even { -8.0 } else { 2.0 }))),
            ("across", of(&|share, even| if even { (49.0, -8.0 + share) } else { (61.0, 2.0 - share) })),
            (
                "through London",
                of(&|share, even| {
                    let (y, x) = (share * 3.1).sin_cos();
                    let far = if even { 9.0 } else { -9.0 };
                    (51.5 + far * y, -0.1 + far * x)
                }),
            ),
            ("flat over London", of(&|share, even| (51.5 + 0.01 * share, if even { -8.0 } else { 2.0 }))),
            ("one path", of(&|share, _| (49.0 + 12.0 * share, 10.0 * share - 8.0))),
        ] {
            let query = Within::of(Region::Polygon(corners));
            let mut search = Search::of(&country, &query).unwrap();
            let mut steps = 0_u64;
            while !search.step(20_000) {
                steps += 1;
            }
            // Without an index there would be a thousand edges for each row.
            assert!(search.work < 40 * rows, "{name}: {} of {rows} rows", search.work);
            assert!(steps >= search.work / 100_000, "{name}: {steps} steps for {}", search.work);
            println!("{name}: {:.1} units a row, {steps} steps", search.work as f64 / rows as f64);
        }
    }
}
