//! Approximate positions by outcode, for postcodes that have none of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::areas;
use super::format::{Frame, section};
use super::packed_table::{Column, Extent, PackedTable, TableWriter};
use super::rows::{CompactRow, MICRO};
use super::{Dataset, DatasetBuilder};
use crate::postcode::PER_OUTCODE;
use crate::{Approximate, Error, Location, Outcode, Result};

/// The columns of the table. Numbers are for ever.
const OUTCODE: u16 = 0;
const LATITUDE: u16 = 1;
const LONGITUDE: u16 = 2;
pub(super) const NAMES: [&str; 3] = ["outcode", "latitude", "longitude"];

/// The table, empty if the file has none.
#[derive(Debug)]
pub(crate) struct Positions {
    pub(super) table: PackedTable,
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

    /// Where the outcode is, about.
    #[cold]
    pub(super) fn of(&self, data: &[u8], outcode: Outcode) -> Option<Approximate> {
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

    /// What is wrong, if anything is.
    pub(super) fn fault(&self, data: &[u8]) -> Option<String> {
        let mut before = None;
        for row in 0..self.table.rows() {
            let outcode = self.outcode(data, row).filter(|code| Outcode::from_code(*code).is_some());
            if outcode <= before || self.location(data, row).is_none() {
                return Some(format!("row {row}: no outcode or no place, or not in order"));
            }
            before = outcode;
        }
        (before.is_some() && self.source.is_empty()).then(|| "it says no source".to_owned())
    }
}

/// Positions by outcode, for a [`DatasetBuilder`]: latitude and longitude in millionths of a degree.
pub(super) type PositionsWriter = BTreeMap<u32, (i64, i64)>;

impl DatasetBuilder {
    /// Gives an outcode an approximate position, for those of its postcodes that have none of their own; kept to a millionth of a
    /// degree, and left out of the file if all have one, or there are none. The
    /// metadata must say its source ([`Metadata::approximate_source`](super::Metadata::approximate_source)).
    ///
    /// ```
    /// use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// use postcode_core::Location;
    ///
    /// let mut metadata = Metadata::new("made by hand");
    /// metadata.approximate_source = Some("GeoNames".to_owned());
    /// let mut builder = DatasetBuilder::new(metadata);
    /// builder.push(&Row::live("JE2 3AB".parse()?))?;
    /// builder.push_approximate("JE2".parse()?, Location::new(49.2, -2.1333)?)?;
    /// let answer = builder.build()?.get("JE2 3AB".parse()?);
    /// let record = answer.record().ok_or("not there")?;
    /// assert_eq!(record.location, None);
    /// assert_eq!(record.approximate.as_ref().map(|about| &*about.source), Some("GeoNames"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the outcode has another one already: the first stays.
    pub fn push_approximate(&mut self, outcode: Outcode, location: Location) -> Result<()> {
        let micro = |degrees: f64| (degrees * MICRO).round() as i64;
        let place = (micro(location.latitude()), micro(location.longitude()));
        match self.approximate.get(&outcode.code()) {
            Some(other) if *other != place => {
                Err(Error::invalid(format!("{outcode}: given twice: the first position stays")))
            }
            _ => {
                self.approximate.insert(outcode.code(), place);
                Ok(())
            }
        }
    }
}

/// The table, of those outcodes that have postcodes without a location; `None` if there are none.
pub(super) fn table(positions: &PositionsWriter, rows: &[CompactRow]) -> Option<Vec<u8>> {
    let mut wanted: Vec<u32> =
        rows.iter().filter(|row| !row.is_located()).map(|row| row.code / PER_OUTCODE).collect();
    wanted.dedup();
    let values = wanted.into_iter().filter_map(|outcode| {
        let (latitude, longitude) = positions.get(&outcode)?;
        Some([i64::from(outcode), *latitude, *longitude].map(Some))
    });
    let values: Vec<_> = values.collect();
    if values.is_empty() {
        return None;
    }
    let mut extents = [OUTCODE, LATITUDE, LONGITUDE].map(|id| (id, Extent::NONE));
    for row in &values {
        extents.iter_mut().zip(row).for_each(|((_, extent), value)| extent.see(*value));
    }
    let mut out = Vec::new();
    let mut table = TableWriter::new(&mut out, values.len(), &extents);
    values.iter().flatten().for_each(|value| table.push(*value));
    table.finish();
    Some(out)
}

impl Dataset {
    /// Where the postcodes of an outcode are, about, that have no location of their own; from another source than the rest
    /// ([`Approximate::source`]). `None` where the data has none, or all its postcodes have one.
    pub fn approximate(&self, outcode: Outcode) -> Option<Approximate> {
        self.inner().positions.of(self.as_bytes(), outcode)
    }
}
