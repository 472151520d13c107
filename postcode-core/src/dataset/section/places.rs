//! The table of the populated places of a dataset.

use crate::dataset::file::format::{Entry, Frame, section};
use crate::dataset::file::packed_table::{Column, PackedTable};
use crate::dataset::file::strings;
use crate::dataset::section::areas;
use crate::dataset::section::keys::first;
use crate::{Outcode, Place, Result};

/// The columns of the table, in order. Numbers never change.
pub(crate) mod column {
    /// Offsets into the strings.
    pub(crate) const TEXTS: [u16; 12] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12];
    pub(crate) const OUTCODE: u16 = 6;
    /// Eastings and northings: the place, then the box around it.
    pub(crate) const METRES: [u16; 6] = [13, 14, 15, 16, 17, 18];
    /// Ten-millionths of a degree.
    pub(crate) const LATITUDE: u16 = 19;
    pub(crate) const LONGITUDE: u16 = 20;
    pub(crate) const NAMES: [&str; 21] = [
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

/// A hundred times finer than for postcodes: a centimetre.
pub(crate) const SCALE: f64 = 1e7;

/// The table of places; empty if the file has none.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) table: PackedTable,
    texts: [Column; 12],
    outcode: Column,
    metres: [Column; 6],
    latitude: Column,
    longitude: Column,
    pool: Entry,
}

impl Places {
    /// Reads the table in one of the sections.
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
            table,
        })
    }

    pub(crate) fn count(&self) -> u32 {
        self.table.rows()
    }

    fn text<'a>(&self, data: &'a [u8], row: u32, n: usize) -> Option<&'a str> {
        strings::get(&self.pool, data, self.table.get_u32(data, row, self.texts[n])?)
    }

    pub(crate) fn code<'a>(&self, data: &'a [u8], row: u32) -> Option<&'a str> {
        self.text(data, row, 0)
    }

    /// Returns its one or two names.
    pub(crate) fn names<'a>(&self, data: &'a [u8], row: u32) -> impl Iterator<Item = &'a str> {
        [self.text(data, row, 1), self.text(data, row, 3)].into_iter().flatten()
    }

    pub(crate) fn local_type<'a>(&self, data: &'a [u8], row: u32) -> Option<&'a str> {
        self.text(data, row, 5)
    }

    /// Returns the names of the areas in which it lies.
    pub(crate) fn areas<'a>(&self, data: &'a [u8], row: u32) -> impl Iterator<Item = &'a str> {
        [6, 8, 10, 11].map(|n| self.text(data, row, n)).into_iter().flatten()
    }

    /// Returns the row of a code, given in lower case.
    pub(crate) fn row_of(&self, data: &[u8], code: &str) -> Option<u32> {
        let row = first(self.count(), |row| self.code(data, row).is_none_or(|other| other >= code));
        (self.code(data, row) == Some(code)).then_some(row)
    }

    /// Returns a place, or `None` if the row is damaged.
    pub(crate) fn place(&self, data: &[u8], row: u32) -> Option<Place> {
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

    /// Returns what is wrong with the table, if anything.
    pub(crate) fn fault(&self, data: &[u8]) -> Option<String> {
        let mut before = None;
        for row in 0..self.count() {
            let code = self.code(data, row);
            if code <= before || self.place(data, row).is_none() {
                return Some(format!("place {row} is invalid, or not in order"));
            }
            before = code;
        }
        None
    }
}
