//! Locations by UPRN: OS Open UPRN and ONSUD.

use super::detect::Layout;
use super::error::Result;
use super::reading::{Reading, uprn};
use super::report::Doubt;
use super::source::Text;
use crate::model::{Grid, Point};

/// Grid references by UPRN, in 16 bytes each: 41 million take 660 MB.
#[derive(Default)]
pub(super) struct Points {
    points: Vec<(u64, [u32; 2])>,
    sorted: bool,
}

/// Grid references are kept in centimetres.
const PER_METRE: f64 = 100.0;

impl Points {
    fn push(&mut self, uprn: u64, eastings: f64, northings: f64) {
        let fits = |metres: f64| (0.0..10_000_000.0).contains(&metres);
        if fits(eastings) && fits(northings) {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range was just checked"
            )]
            let place = [eastings, northings].map(|metres| (metres * PER_METRE).round() as u32);
            self.sorted = self.sorted && self.points.last().is_none_or(|&(last, _)| last < uprn);
            self.points.push((uprn, place));
        }
    }

    /// Makes the points ready to be asked.
    pub(super) fn finish(&mut self) {
        self.points.sort_unstable_by_key(|&(uprn, _)| uprn);
        self.points.dedup_by_key(|&mut (uprn, _)| uprn);
    }

    pub(super) fn get(&self, uprn: u64) -> Option<Point> {
        let at = self.points.binary_search_by_key(&uprn, |&(uprn, _)| uprn).ok()?;
        let [eastings, northings] = self.points[at].1.map(|centimetres| f64::from(centimetres) / PER_METRE);
        Some(Point { grid: Some(Grid { eastings, northings }), geographic: None })
    }
}

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
