//! Writes the section of approximate positions by outcode.

use std::collections::BTreeMap;

use crate::dataset::file::packed_table::{Extent, TableWriter};
use crate::dataset::section::approximate::{LATITUDE, LONGITUDE, OUTCODE};
use crate::dataset::section::rows::CompactRow;
use crate::postcode::PER_OUTCODE;

/// Positions by outcode, for a [`DatasetBuilder`]: latitude and longitude in millionths of a
/// degree.
pub(crate) type PositionsWriter = BTreeMap<u32, (i64, i64)>;

/// Returns the table for outcodes that have postcodes without a location, or `None` if there are
/// none.
pub(crate) fn table(positions: &PositionsWriter, rows: &[CompactRow]) -> Option<Vec<u8>> {
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
