//! Writes the section of places.

use std::collections::BTreeMap;

use crate::dataset::file::packed_table::{Extent, TableWriter};
use crate::dataset::file::strings::{MAX_STRING, PoolWriter};
use crate::dataset::section::places::{SCALE, column};
use crate::{Error, Place, Result};

/// Places by code.
#[derive(Default)]
pub(crate) struct PlacesWriter(BTreeMap<String, Place>);

/// Returns all texts of a place, in the order of [`column::TEXTS`].
fn texts(place: &Place) -> [Option<&str>; 12] {
    [
        Some(place.code.as_str()),
        Some(place.name_1.as_str()),
        place.name_1_lang.as_deref(),
        place.name_2.as_deref(),
        place.name_2_lang.as_deref(),
        Some(place.local_type.as_str()),
        place.county_unitary.as_deref(),
        place.county_unitary_type.as_deref(),
        place.district_borough.as_deref(),
        place.district_borough_type.as_deref(),
        place.region.as_deref(),
        place.country.as_deref(),
    ]
}

impl PlacesWriter {
    pub(crate) fn push(&mut self, place: &Place) -> Result<()> {
        let bad = |what: &str| Err(Error::invalid(format!("place {:?}: {what}", place.code)));
        let Some(code) = Place::code_of(&place.code) else {
            return bad("no code: 1 to 32 letters and digits are expected");
        };
        let wrong =
            |text: &str| text.is_empty() || text.len() > MAX_STRING || text.chars().any(char::is_control);
        if texts(place).into_iter().flatten().any(wrong) {
            return bad("a text that is empty, too long, or has control characters");
        }
        if metres(place).into_iter().flatten().any(|metres| metres > 10_000_000) {
            return bad("off the grid: give metres");
        }
        let within = |degrees: Option<f64>, most: f64| degrees.is_none_or(|degrees| degrees.abs() <= most);
        let both = place.latitude.is_some() == place.longitude.is_some();
        if !within(place.latitude, 90.0) || !within(place.longitude, 180.0) || !both {
            return bad("a latitude or a longitude out of range, or one without the other");
        }
        if self.0.contains_key(&code) {
            return bad("given twice: the first stays");
        }
        self.0.insert(code.clone(), Place { code, ..place.clone() });
        Ok(())
    }
}

fn metres(place: &Place) -> [Option<u32>; 6] {
    [
        Some(place.eastings),
        Some(place.northings),
        place.min_eastings,
        place.min_northings,
        place.max_eastings,
        place.max_northings,
    ]
}

impl PlacesWriter {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.values().flat_map(|place| texts(place).into_iter().flatten())
    }

    /// Returns the table, or `None` if there are no places.
    pub(crate) fn table(&self, pool: &PoolWriter) -> Option<Vec<u8>> {
        if self.0.is_empty() {
            return None;
        }
        let values = |place: &Place| {
            let mut values: [Option<i64>; 21] = [None; 21];
            let set = |values: &mut [Option<i64>; 21], id: u16, value| values[usize::from(id)] = value;
            for (id, text) in column::TEXTS.into_iter().zip(texts(place)) {
                set(&mut values, id, text.and_then(|text| pool.offset(text)).map(i64::from));
            }
            for (id, metres) in column::METRES.into_iter().zip(metres(place)) {
                set(&mut values, id, metres.map(i64::from));
            }
            let fine = |degrees: f64| (degrees * SCALE).round() as i64;
            set(&mut values, column::OUTCODE, place.outcode.map(|outcode| i64::from(outcode.code())));
            set(&mut values, column::LATITUDE, place.latitude.map(fine));
            set(&mut values, column::LONGITUDE, place.longitude.map(fine));
            values
        };
        let mut extents: Vec<(u16, Extent)> = (0..21).map(|id| (id, Extent::NONE)).collect();
        for place in self.0.values() {
            extents.iter_mut().zip(values(place)).for_each(|((_, extent), value)| extent.see(value));
        }
        let mut out = Vec::new();
        let mut table = TableWriter::new(&mut out, self.0.len(), &extents);
        for place in self.0.values() {
            values(place).into_iter().for_each(|value| table.push(value));
        }
        table.finish();
        Some(out)
    }
}
