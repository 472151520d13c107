//! The postcodes of a place, found with the spatial index.

use crate::dataset::Dataset;
use crate::dataset::Inner;
use crate::dataset::answer::cover::Cover;
use crate::model::Square;
use crate::query::check;
use crate::{Error, ErrorKind, GridSystem, Location, Place, PlacePostcodes, Postcode, Result};

/// An upper limit for the ratio between metres on the National Grid and metres on the ground.
const MARGIN: f64 = 1.002;
const MARGIN_METRES: f64 = 50.0;

impl Dataset {
    /// Returns the live postcodes around a place: see
    /// [`PostcodeLookup::place_postcodes`](crate::PostcodeLookup::place_postcodes).
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
        check::limit(limit)?;
        check::text(code)?;
        let Some(code) = Place::code_of(code) else { return Ok(None) };
        let (populated, inner) = (self.places_or_error()?, self.inner());
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
        let Some(origin) = origin else { return Ok(Some(PlacePostcodes::default())) };
        let reach = square.reach(&place) * MARGIN + MARGIN_METRES;
        let rows = inner.rows_in(&square, origin, reach);
        let start = match after {
            // Rows are in the order of postcodes.
            Some(after) => {
                let next = inner.keys.scan(data, after.code().saturating_add(1)).next();
                next.map_or(rows.len(), |(next, _)| rows.partition_point(|row| *row < next))
            }
            None => 0,
        };
        let postcodes = rows[start..].iter().take(limit).filter_map(|row| inner.keys.postcode(data, *row));
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
        Ok(Some(page))
    }
}

impl Inner {
    /// Returns the rows of live postcodes in a square, in order. All lie within `reach` metres of a
    /// point.
    fn rows_in(&self, square: &Square, origin: Location, reach: f64) -> Vec<u32> {
        let data: &[u8] = &self.bytes;
        let cover = Cover::of_circle(origin, reach);
        let mut rows = Vec::new();
        self.spatial.visit(
            data,
            cover.bands(),
            &cover.cells(),
            |_, _| true,
            |row| {
                let Some((eastings, northings)) = self.rows.metres(data, row) else { return };
                if square.holds(eastings, northings) && self.rows.is_live(data, row) {
                    rows.push(row);
                }
            },
        );
        // Only the Irish Grid has different numbers, and the postcode tells which grid it is on.
        rows.retain(|row| {
            let postcode = self.keys.postcode(data, *row);
            let grid = postcode.and_then(|postcode| self.rows.grid(data, *row, postcode));
            grid.is_some_and(|grid| grid.system == GridSystem::Osgb)
        });
        rows.sort_unstable();
        rows
    }
}
