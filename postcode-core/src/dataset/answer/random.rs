//! A live postcode at random.

use crate::dataset::Dataset;
use crate::{Outcode, Record};

impl Dataset {
    /// Any live postcode, each with equal chance, of an outcode if one is given. `None` if there is none.
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
        // The nth live postcode: first its outcode by the counts, then within the outcode by looking.
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
