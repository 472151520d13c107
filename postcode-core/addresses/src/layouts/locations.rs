//! The table of locations by UPRN.

use crate::model::{Grid, Point};

/// Grid references by UPRN, in 16 bytes each: 41 million take 660 MB.
#[derive(Default)]
pub(super) struct Points {
    points: Vec<(u64, [u32; 2])>,
}

/// Grid references are kept in centimetres.
const PER_METRE: f64 = 100.0;

impl Points {
    pub(super) fn push(&mut self, uprn: u64, eastings: f64, northings: f64) {
        let fits = |metres: f64| (0.0..10_000_000.0).contains(&metres);
        if fits(eastings) && fits(northings) {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range was just checked"
            )]
            let place = [eastings, northings].map(|metres| (metres * PER_METRE).round() as u32);
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
