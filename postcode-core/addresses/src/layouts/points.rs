//! Locations by UPRN: OS Open UPRN and ONSUD.

use super::detect::Layout;
use super::error::Result;
use super::reading::{Reading, uprn};
use super::report::Doubt;
use super::source::Text;

/// Reads a file of points. Its columns are found by their names.
pub(super) fn read(reading: &mut Reading<'_>, text: &Text, layout: Layout) -> Result<()> {
    let mut columns: Option<[Option<usize>; 3]> = None;
    let mut points = std::mem::take(&mut reading.points);
    let done = reading.rows(text, layout, b',', |_, rows| {
        let Some(places) = columns else {
            let find = |names: &[&str]| {
                (0..rows.columns())
                    .find(|&column| names.contains(&rows.text(column).to_ascii_lowercase().as_str()))
            };
            columns = Some([
                find(&["uprn"]),
                find(&["gridgb1e", "x_coordinate"]),
                find(&["gridgb1n", "y_coordinate"]),
            ]);
            return Ok(Ok(()));
        };
        // The directory of 2018 has no grid references.
        let [Some(uprn_column), Some(east), Some(north)] = places else { return Ok(Ok(())) };
        let number = match uprn(rows, uprn_column) {
            Ok(number) => number,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(match (number, rows.decimal(east), rows.decimal(north)) {
            (Some(uprn), Some(eastings), Some(northings)) => {
                points.push(uprn, eastings, northings);
                Ok(())
            }
            (None, ..) => Err((Doubt::Number, rows.text(uprn_column).into_owned())),
            _ => Ok(()),
        })
    });
    reading.points = points;
    done
}
