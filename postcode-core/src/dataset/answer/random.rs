//! Returns random live postcodes.

use crate::dataset::Dataset;
use crate::{Outcode, Record};

impl Dataset {
    /// Returns a random live postcode, each with equal probability, of this outcode if one is
    /// given. `None` if there are no live postcodes.
    ///
    /// ```
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let dataset = builder.build()?;
    /// let record = dataset.random(Some("M1".parse()?)).ok_or("no live postcodes")?;
    /// assert_eq!(record.postcode.to_string(), "M1 1AE"); // the only one here
    /// assert_eq!(dataset.random(Some("AB1".parse()?)), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
