//! Postal codes of GeoNames: about where an outcode is, for postcodes that ONS has no position of.

use std::collections::BTreeMap;

use anyhow::Result;
use postcode_core::dataset::DatasetBuilder;
use postcode_core::{Location, Outcode};

use super::geonames_form::COLUMNS;
use super::lines;
use super::problems::Problem;
use super::source::Text;
use super::work::Work;
use crate::grid::in_the_isles;

/// The source in the metadata, as CC BY 4.0 requires.
pub(super) const SOURCE: &str = "GeoNames";
pub(super) const ATTRIBUTION: &str =
    " Approximate positions: GeoNames (https://www.geonames.org), CC BY 4.0.";
pub(super) const LICENCE: &str = "; approximate positions: CC BY 4.0";

/// The lines of an outcode that say best where they are.
#[derive(Default)]
struct Places {
    /// GeoNames' accuracy: 1 is estimated, 4 a known place, 6 a centre. 0 means unknown.
    accuracy: u8,
    /// Sums in ten-thousandths of a degree, in which GeoNames counts, and how many.
    latitude: i64,
    longitude: i64,
    count: i64,
}

/// Outcodes, and where they are.
#[derive(Default)]
pub(super) struct GeoNames(BTreeMap<Outcode, Places>);

impl GeoNames {
    /// Reads a file. Lines of whole postcodes, which come from Ordnance Survey, are passed over.
    pub(super) fn read(&mut self, work: &mut Work<'_>, text: &Text) -> Result<()> {
        lines::for_each_line(text, work.shared, |number, line| {
            let Err((column, value, reason)) = self.line(line) else { return Ok(()) };
            let (file, line) = (&*text.display, number);
            work.problems.add(&Problem { file, line, column, value, reason })
        })
    }

    fn line<'a>(&mut self, line: &'a [u8]) -> Result<(), (&'static str, &'a [u8], &'static str)> {
        let cells: Vec<&[u8]> = line.split(|c| *c == b'\t').collect();
        if !matches!(cells.len(), 11 | COLUMNS) {
            return Err(("", line, "not the 12 columns of GeoNames"));
        }
        let code = std::str::from_utf8(cells[1]).unwrap_or_default();
        if code.contains(' ') {
            return Ok(());
        }
        let outcode: Outcode = code.parse().map_err(|_| ("postal code", cells[1], "not an outcode"))?;
        let degrees =
            |at: usize| std::str::from_utf8(cells[at]).ok().and_then(|text| text.parse::<f64>().ok());
        let wrong = ("latitude", cells[9], "not in the British Isles");
        let (Some(latitude), Some(longitude)) = (degrees(9), degrees(10)) else { return Err(wrong) };
        if !in_the_isles(latitude, longitude) {
            return Err(wrong);
        }
        let accuracy =
            cells.get(11).and_then(|cell| cell.first()).map_or(0, |digit| digit.wrapping_sub(b'0'));
        let places = self.0.entry(outcode).or_default();
        if accuracy > places.accuracy || places.count == 0 {
            *places = Places { accuracy, ..Places::default() };
        }
        if accuracy == places.accuracy {
            places.latitude += (latitude * 1e4).round() as i64;
            places.longitude += (longitude * 1e4).round() as i64;
            places.count += 1;
        }
        Ok(())
    }

    /// Gives the builder the mean of each outcode's best lines. Returns how many outcodes there
    /// are.
    pub(super) fn finish(self, builder: &mut DatasetBuilder) -> Result<u64> {
        let count = self.0.len() as u64;
        for (outcode, places) in self.0 {
            let mean = |sum: i64| sum as f64 / places.count.max(1) as f64 / 1e4;
            builder
                .push_approximate(outcode, Location::new(mean(places.latitude), mean(places.longitude))?)?;
        }
        Ok(count)
    }
}
