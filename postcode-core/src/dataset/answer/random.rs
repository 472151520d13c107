//! Returns random live postcodes.

use crate::dataset::Dataset;
use crate::{Outcode, Record};

impl Dataset {
    /// Returns a random live postcode, each with equal probability, of this outcode if one is
    /// given. `None` if there are no live postcodes.
    pub fn random(&self, outcode: Option<Outcode>) -> Option<Record> {
        let (inner, data) = (self.inner(), &*self.inner().bytes);
        let keys = &inner.keys;
        let range = match outcode {
            Some(outcode) => {
                let (n, _) = keys.outcode(data, outcode)?;
                n..n + 1
            }
            None => 0..keys.outcode_count(),
        };
        let live = |n: u32| keys.outcode_entry(data, n).map_or(0, |entry| u64::from(entry.live));
        let total: u64 = range.clone().map(live).sum();
        if total == 0 {
            return None;
        }
        // Finds the nth live postcode: the outcode by its count, then the postcode by scanning.
        let mut nth = fastrand::u64(0..total);
        for n in range {
            let here = live(n);
            if nth < here {
                let first = keys.outcode_entry(data, n)?.first_row;
                let end = keys.outcode_end(data, n).min(inner.rows.count());
                let row = (first..end).filter(|&row| inner.rows.is_live(data, row)).nth(nth as usize)?;
                return Some(self.record(row, keys.postcode(data, row)?));
            }
            nth -= here;
        }
        None
    }
}
