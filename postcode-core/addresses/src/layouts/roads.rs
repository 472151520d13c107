//! Roads of OS Open Names: the streets of a postcode district, without a licence for addresses.

use std::collections::HashSet;

use super::detect::Layout;
use super::error::Result;
use super::reading::Reading;
use super::report::Doubt;
use super::source::Text;
use crate::model::{Address, Dataset, Grid, Point};

/// Reads a tile. The postcode of a road is a district, so that it never looks like an address.
pub(super) fn read(
    reading: &mut Reading<'_>,
    text: &Text,
    seen: &mut HashSet<(Box<str>, Box<str>, Box<str>)>,
) -> Result<()> {
    let mut address = Address::default();
    reading.rows(text, Layout::OpenNames, b',', |reading, rows| {
        if rows.columns() != 34 {
            return Ok(Err((Doubt::Columns, format!("{} columns", rows.columns()))));
        }
        if rows.text(6) != "transportNetwork"
            || !matches!(&*rows.text(7), "Named Road" | "Section Of Named Road")
        {
            return Ok(Ok(()));
        }
        address.clear();
        address.dataset = Dataset::OpenRoads;
        rows.put(2, &mut address.thoroughfare);
        rows.put(16, &mut address.postcode);
        rows.put(18, &mut address.dependent_locality);
        if address.postcode.is_empty() || address.thoroughfare.is_empty() {
            return reading
                .report
                .doubt(Doubt::NotAddress, &text.display, rows.line(), "a road without a district")
                .map(Ok);
        }
        // A long road stands in several sections and tiles.
        let key = [&address.postcode, &address.thoroughfare, &address.dependent_locality]
            .map(|text| Box::from(text.as_str()));
        let [district, road, place] = key;
        if !seen.insert((district, road, place)) {
            return Ok(Ok(()));
        }
        if let Some((eastings, northings)) = rows.decimal(8).zip(rows.decimal(9)) {
            address.point = Some(Point { grid: Some(Grid { eastings, northings }), geographic: None });
        }
        reading.emit(&mut address).map(Ok)
    })
}
