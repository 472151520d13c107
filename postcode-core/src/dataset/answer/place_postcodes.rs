//! The postcodes of a place, found with the spatial index.

use std::ops::Range;

use crate::dataset::Dataset;
use crate::dataset::answer::cover::Cover;
use crate::model::Square;
use crate::query::check;
use crate::{Error, ErrorKind, GridSystem, Location, Place, PlacePostcodes, Postcode, Result};

/// An upper limit for the ratio between metres on the National Grid and metres on the ground.
const MARGIN: f64 = 1.002;
const MARGIN_METRES: f64 = 50.0;
/// Bits of a word of the rows that were found.
const BITS: usize = u64::BITS as usize;

impl Dataset {
    /// Returns the live postcodes around a place: see
    /// [`PostcodeLookup::place_postcodes`](crate::PlaceLookup::place_postcodes).
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # let mut place = postcode_core::Place::new("osgb4000000074551019", "Ambleside", "Town");
    /// # (place.eastings, place.northings, place.latitude, place.longitude) = (337_600, 504_500, Some(54.4318), Some(-2.9634));
    /// # builder.push_place(&place)?;
    /// # let mut row = Row::live("LA22 9DL".parse()?);
    /// # row.grid = Some(postcode_core::GridReference { eastings: 337_650, northings: 504_400, system: postcode_core::GridSystem::Osgb });
    /// # row.location = Some(postcode_core::Location::new(54.4312, -2.9626)?);
    /// # builder.push(&row)?;
    /// # let dataset = builder.build()?;
    /// let found = dataset.place_postcodes("osgb4000000074551019", None, 10)?.ok_or("no such place")?;
    /// assert_eq!((found.total, found.postcodes[0].to_string()), (1, "LA22 9DL".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotSupported`](ErrorKind::NotSupported) if the dataset has no places, and for an area,
    /// which has no box; [`InvalidInput`](ErrorKind::InvalidInput) for a limit out of range or a
    /// text that is too long.
    pub fn place_postcodes(
        &self,
        code: &str,
        after: Option<Postcode>,
        limit: usize,
    ) -> Result<Option<PlacePostcodes>> {
        let Some(mut search) = PlaceSearch::of(self, code, after, limit)? else { return Ok(None) };
        search.step(u64::MAX);
        search.finish().map(Some)
    }
}

/// A search for the postcodes of a place that can be interrupted: it goes on in steps of bounded work.
///
/// The box of London holds a quarter of a million postcodes, and all of them are looked at for each page, because a
/// page says how many there are.
pub(crate) struct PlaceSearch<'d> {
    dataset: &'d Dataset,
    after: Option<Postcode>,
    limit: usize,
    square: Square,
    /// Entries of the spatial index that are not looked at yet, in reverse.
    entries: Vec<Range<u32>>,
    /// A bit for each row, set for those in the box. So they need no sorting, which could not be interrupted.
    found: Vec<u64>,
}

impl<'d> PlaceSearch<'d> {
    /// Checks the query and finds where to look; `None` if there is no such place.
    ///
    /// # Errors
    /// As [`Dataset::place_postcodes`].
    pub(crate) fn of(
        dataset: &'d Dataset,
        code: &str,
        after: Option<Postcode>,
        limit: usize,
    ) -> Result<Option<Self>> {
        check::limit(limit)?;
        check::text(code)?;
        let Some(code) = Place::code_of(code) else { return Ok(None) };
        let (populated, inner) = (dataset.places_or_error()?, dataset.inner());
        let data: &[u8] = &inner.bytes;
        let place = [populated, &inner.wider_places]
            .into_iter()
            .find_map(|table| table.place(data, table.row_of(data, &code)?));
        let Some(place) = place else { return Ok(None) };
        let square = place.square()?;
        let origin = match (place.latitude, place.longitude) {
            (Some(latitude), Some(longitude)) => Location::new(latitude, longitude).ok(),
            _ => None,
        };
        let mut search = Self { dataset, after, limit, square, entries: Vec::new(), found: Vec::new() };
        if let Some(origin) = origin {
            let reach = search.square.reach(&place) * MARGIN + MARGIN_METRES;
            let cover = Cover::of_circle(origin, reach);
            search.entries = inner.spatial.entries(data, cover.bands(), &cover.cells());
            search.entries.reverse();
            search.found = vec![0; (inner.rows.count() as usize).div_ceil(BITS)];
        }
        Ok(Some(search))
    }

    /// Looks at so many entries. Returns whether the search has ended.
    pub(crate) fn step(&mut self, mut work: u64) -> bool {
        while let Some(mut range) = self.entries.pop() {
            while let Some(entry) = range.next() {
                if work == 0 {
                    self.entries.push(entry..range.end);
                    return false;
                }
                work -= 1;
                self.look_at(entry);
            }
        }
        true
    }

    fn look_at(&mut self, entry: u32) {
        let inner = self.dataset.inner();
        let data: &[u8] = &inner.bytes;
        let Some(row) = inner.spatial.row(data, entry) else { return };
        let Some((eastings, northings)) = inner.rows.metres(data, row) else { return };
        if !self.square.holds(eastings, northings) || !inner.rows.is_live(data, row) {
            return;
        }
        // Numbers of the Irish Grid overlap with those of the National Grid. The postcode says which it is.
        let postcode = inner.keys.postcode(data, row);
        let grid = postcode.and_then(|postcode| inner.rows.grid(data, row, postcode));
        if grid.is_some_and(|grid| grid.system == GridSystem::Osgb)
            && let Some(word) = self.found.get_mut(row as usize / BITS)
        {
            *word |= 1 << (row as usize % BITS);
        }
    }

    /// The rows that were found, in their order.
    fn rows(&self) -> Vec<u32> {
        let mut rows = Vec::new();
        for (n, word) in (0_u32..).zip(&self.found) {
            let mut rest = *word;
            while rest != 0 {
                rows.push(n * BITS as u32 + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
        rows
    }

    /// The page, once the search has ended.
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) if the dataset is damaged.
    pub(crate) fn finish(self) -> Result<PlacePostcodes> {
        let inner = self.dataset.inner();
        let data: &[u8] = &inner.bytes;
        let rows = self.rows();
        let start = match self.after {
            // Rows are in the order of postcodes.
            Some(after) => {
                let next = inner.keys.scan(data, after.code().saturating_add(1)).next();
                next.map_or(rows.len(), |(next, _)| rows.partition_point(|row| *row < next))
            }
            None => 0,
        };
        let postcodes =
            rows[start..].iter().take(self.limit).filter_map(|row| inner.keys.postcode(data, *row));
        let (total, postcodes) = (rows.len() as u64, postcodes.collect());
        let mut page = PlacePostcodes { total, outcodes: Vec::new(), postcodes };
        let mut rest = &rows[..];
        while let Some(first) = rest.first() {
            let postcode = inner.keys.postcode(data, *first);
            let outcode = postcode.map(|postcode| postcode.outcode()).ok_or_else(|| {
                Error::new(ErrorKind::Dataset, format!("row {first} has no postcode: verify the dataset"))
            })?;
            page.outcodes.push(outcode);
            let end = outcode.code().saturating_add(1).saturating_mul(crate::postcode::PER_OUTCODE);
            let next = inner.keys.scan(data, end).next().map_or(u32::MAX, |(row, _)| row);
            rest = &rest[rest.partition_point(|row| *row < next).max(1)..];
        }
        Ok(page)
    }
}
