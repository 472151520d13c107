//! Approximate positions by outcode, for postcodes without an exact one.

use std::sync::Arc;

use crate::dataset::file::format::{Frame, section};
use crate::dataset::file::packed_table::{Column, PackedTable};
use crate::dataset::section::areas;
use crate::dataset::section::rows::MICRO;
use crate::{Approximate, Location, Outcode, Result};

/// The columns of the table. Numbers never change.
pub(crate) const OUTCODE: u16 = 0;
pub(crate) const LATITUDE: u16 = 1;
pub(crate) const LONGITUDE: u16 = 2;
pub(crate) const NAMES: [&str; 3] = ["outcode", "latitude", "longitude"];

/// The table, empty if the file has none.
#[derive(Debug)]
pub(crate) struct Positions {
    pub(crate) table: PackedTable,
    columns: [Column; 3],
    source: Arc<str>,
}

impl Positions {
    pub(crate) fn read(frame: &Frame, data: &[u8], source: Option<&str>, origin: &str) -> Result<Self> {
        let table = match frame.find(section::APPROXIMATE) {
            Some(_) => areas::table(frame, data, section::APPROXIMATE, origin)?,
            None => PackedTable::EMPTY,
        };
        let columns = [OUTCODE, LATITUDE, LONGITUDE].map(|id| table.column(id));
        Ok(Self { columns, source: source.unwrap_or_default().into(), table })
    }

    fn outcode(&self, data: &[u8], row: u32) -> Option<u32> {
        self.table.get_u32(data, row, self.columns[0])
    }

    fn location(&self, data: &[u8], row: u32) -> Option<Location> {
        let degrees = |column| Some(self.table.get(data, row, column)? as f64 / MICRO);
        Location::new(degrees(self.columns[1])?, degrees(self.columns[2])?).ok()
    }

    /// Returns the approximate position of an outcode.
    #[cold]
    pub(crate) fn of(&self, data: &[u8], outcode: Outcode) -> Option<Approximate> {
        let (mut low, mut high) = (0, self.table.rows());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.outcode(data, middle)?.cmp(&outcode.code()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let location = self.location(data, middle)?;
                    return Some(Approximate { location, source: Arc::clone(&self.source) });
                }
            }
        }
        None
    }

    /// Returns what is wrong with the table, if anything.
    pub(crate) fn fault(&self, data: &[u8]) -> Option<String> {
        let mut before = None;
        for row in 0..self.table.rows() {
            let outcode = self.outcode(data, row).filter(|code| Outcode::from_code(*code).is_some());
            if outcode <= before || self.location(data, row).is_none() {
                return Some(format!("row {row}: no outcode or no place, or not in order"));
            }
            before = outcode;
        }
        (before.is_some() && self.source.is_empty()).then(|| "it has no source".to_owned())
    }
}
