//! The populated places of a dataset.

use std::sync::OnceLock;

use super::Dataset;
use super::areas;
use super::format::{Entry, Frame, section};
use super::keys::first;
use super::packed_table::{Column, PackedTable};
use super::place_index::PlaceIndex;
use super::strings;
use crate::lookup::check;
use crate::{Error, ErrorKind, Outcode, Place, Result};

/// The columns of the table, in its order. Numbers are for ever.
pub(super) mod column {
    /// Offsets into the strings.
    pub(in crate::dataset) const TEXTS: [u16; 12] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12];
    pub(in crate::dataset) const OUTCODE: u16 = 6;
    /// Eastings and northings: the place, then the box around it.
    pub(in crate::dataset) const METRES: [u16; 6] = [13, 14, 15, 16, 17, 18];
    /// Ten-millionths of a degree.
    pub(in crate::dataset) const LATITUDE: u16 = 19;
    pub(in crate::dataset) const LONGITUDE: u16 = 20;
    pub(in crate::dataset) const NAMES: [&str; 21] = [
        "code",
        "name 1",
        "language of name 1",
        "name 2",
        "language of name 2",
        "local type",
        "outcode",
        "county or unitary",
        "type of county or unitary",
        "district or borough",
        "type of district or borough",
        "region",
        "country",
        "eastings",
        "northings",
        "least eastings",
        "least northings",
        "greatest eastings",
        "greatest northings",
        "latitude",
        "longitude",
    ];
}

/// A hundred times finer than postcodes: a centimetre.
pub(super) const SCALE: f64 = 1e7;

/// The table of places; empty if the file has none.
#[derive(Debug)]
pub(crate) struct Places {
    pub(super) table: PackedTable,
    texts: [Column; 12],
    outcode: Column,
    metres: [Column; 6],
    latitude: Column,
    longitude: Column,
    pool: Entry,
    /// Made when a name is first looked for.
    index: OnceLock<PlaceIndex>,
}

impl Places {
    /// Those of one of the sections.
    pub(crate) fn read(frame: &Frame, data: &[u8], section: u32, origin: &str) -> Result<Self> {
        let table = match frame.find(section) {
            Some(_) => areas::table(frame, data, section, origin)?,
            None => PackedTable::EMPTY,
        };
        Ok(Self {
            texts: column::TEXTS.map(|id| table.column(id)),
            outcode: table.column(column::OUTCODE),
            metres: column::METRES.map(|id| table.column(id)),
            latitude: table.column(column::LATITUDE),
            longitude: table.column(column::LONGITUDE),
            pool: *frame.require(section::STRINGS, origin)?,
            index: OnceLock::new(),
            table,
        })
    }

    pub(super) fn count(&self) -> u32 {
        self.table.rows()
    }

    fn text<'a>(&self, data: &'a [u8], row: u32, n: usize) -> Option<&'a str> {
        strings::get(&self.pool, data, self.table.get_u32(data, row, self.texts[n])?)
    }

    pub(super) fn code<'a>(&self, data: &'a [u8], row: u32) -> Option<&'a str> {
        self.text(data, row, 0)
    }

    /// Its one or two names.
    pub(super) fn names<'a>(&self, data: &'a [u8], row: u32) -> impl Iterator<Item = &'a str> {
        [self.text(data, row, 1), self.text(data, row, 3)].into_iter().flatten()
    }

    pub(super) fn local_type<'a>(&self, data: &'a [u8], row: u32) -> Option<&'a str> {
        self.text(data, row, 5)
    }

    /// The names of the areas that it lies in.
    pub(super) fn areas<'a>(&self, data: &'a [u8], row: u32) -> impl Iterator<Item = &'a str> {
        [6, 8, 10, 11].map(|n| self.text(data, row, n)).into_iter().flatten()
    }

    /// The row of a code, which is in small letters.
    pub(super) fn row_of(&self, data: &[u8], code: &str) -> Option<u32> {
        let row = first(self.count(), |row| self.code(data, row).is_none_or(|other| other >= code));
        (self.code(data, row) == Some(code)).then_some(row)
    }

    /// `None` if the row is damaged.
    pub(super) fn place(&self, data: &[u8], row: u32) -> Option<Place> {
        let text = |n| self.text(data, row, n).map(str::to_owned);
        let metres = |n: usize| self.table.get_u32(data, row, self.metres[n]);
        let degrees = |column, most: f64| match self.table.get(data, row, column) {
            None => Some(None),
            Some(value) => Some(value as f64 / SCALE).filter(|degrees| degrees.abs() <= most).map(Some),
        };
        let outcode = match self.table.get_u32(data, row, self.outcode) {
            None => None,
            Some(code) => Some(Outcode::from_code(code)?),
        };
        let mut place = Place::new(text(0)?, text(1)?, text(5)?);
        (place.name_1_lang, place.name_2, place.name_2_lang) = (text(2), text(3), text(4));
        place.outcode = outcode;
        (place.county_unitary, place.county_unitary_type) = (text(6), text(7));
        (place.district_borough, place.district_borough_type) = (text(8), text(9));
        (place.region, place.country) = (text(10), text(11));
        (place.eastings, place.northings) = (metres(0)?, metres(1)?);
        (place.min_eastings, place.min_northings) = (metres(2), metres(3));
        (place.max_eastings, place.max_northings) = (metres(4), metres(5));
        place.latitude = degrees(self.latitude, 90.0)?;
        place.longitude = degrees(self.longitude, 180.0)?;
        Some(place)
    }

    /// What is wrong with the table, if anything is.
    pub(super) fn fault(&self, data: &[u8]) -> Option<String> {
        let mut before = None;
        for row in 0..self.count() {
            let code = self.code(data, row);
            if code <= before || self.place(data, row).is_none() {
                return Some(format!("place {row} is none, or not in order"));
            }
            before = code;
        }
        None
    }
}

impl Dataset {
    pub(super) fn places_or_error(&self) -> Result<&Places> {
        let places = &self.inner().places;
        match places.count() {
            0 => Err(Error::new(
                ErrorKind::NotSupported,
                format!(
                    "the data ({}) has no places: import OS Open Names with it, by `postcode-service import`",
                    self.info().edition
                ),
            )),
            _ => Ok(places),
        }
    }

    /// The populated place of a code, as [`PostcodeLookup::place`](crate::PostcodeLookup::place) says.
    ///
    /// # Errors
    /// [`NotSupported`](ErrorKind::NotSupported) if the dataset has no places;
    /// [`InvalidInput`](ErrorKind::InvalidInput) for too long a text.
    pub fn place(&self, code: &str) -> Result<Option<Place>> {
        check::text(code)?;
        let Some(code) = Place::code_of(code) else { return Ok(None) };
        let (places, data) = (self.places_or_error()?, self.as_bytes());
        Ok(places.row_of(data, &code).and_then(|row| places.place(data, row)))
    }

    /// Populated places by name, as [`PostcodeLookup::places`](crate::PostcodeLookup::places) says.
    ///
    /// # Errors
    /// [`NotSupported`](ErrorKind::NotSupported) if the dataset has no places;
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a limit out of range or too long a text.
    pub fn places(&self, query: &str, limit: usize) -> Result<Vec<Place>> {
        check::limit(limit)?;
        check::text(query)?;
        let (places, data) = (self.places_or_error()?, self.as_bytes());
        let index = places.index.get_or_init(|| PlaceIndex::of(places, data));
        let rows = index.find(places, data, query, limit);
        Ok(rows.into_iter().filter_map(|row| places.place(data, row)).collect())
    }

    /// Any populated place, each with equal chance.
    ///
    /// # Errors
    /// [`NotSupported`](ErrorKind::NotSupported) if the dataset has no places.
    pub fn random_place(&self) -> Result<Option<Place>> {
        let places = self.places_or_error()?;
        Ok(places.place(self.as_bytes(), fastrand::u32(0..places.count())))
    }

    /// All populated places, in the order of their codes; none if the dataset has none.
    pub fn iter_places(&self) -> impl Iterator<Item = Place> + '_ {
        let places = &self.inner().places;
        (0..places.count()).filter_map(|row| places.place(self.as_bytes(), row))
    }

    /// All islands and areas, in the order of their codes; none if the dataset has none.
    pub fn iter_wider_places(&self) -> impl Iterator<Item = Place> + '_ {
        let places = &self.inner().wider_places;
        (0..places.count()).filter_map(|row| places.place(self.as_bytes(), row))
    }
}
