//! Adds records of other lookups to a dataset.

use crate::dataset::DatasetBuilder;
use crate::dataset::Row;
use crate::{Record, Result};

impl DatasetBuilder {
    /// Adds a postcode from a record of another lookup, including areas and their names: to make a
    /// dataset from a part of another one, or from the answers of a service.
    ///
    /// An area with a name but no code, as some servers answer, is left out: areas are identified
    /// by their codes.
    ///
    /// ```
    /// use postcode_core::dataset::{DatasetBuilder, Metadata};
    /// use postcode_core::Record;
    ///
    /// let record = Record::live("SW1A 1AA".parse()?);
    /// let mut builder = DatasetBuilder::new(Metadata::new("a part of another"));
    /// builder.push_record(&record)?;
    /// assert_eq!(builder.build()?.get("SW1A 1AA".parse()?).record(), Some(&record));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`push`](Self::push), [`area`](Self::area) and [`name_area`](Self::name_area).
    pub fn push_record(&mut self, record: &Record) -> Result<()> {
        let mut row = Row::live(record.postcode);
        row.status = record.status;
        row.quality = record.quality;
        row.user_type = record.user_type;
        row.grid = record.grid;
        row.location = record.location;
        row.introduced = record.introduced;
        row.terminated = record.terminated;
        row.deprivation_rank = record.deprivation_rank;
        for (kind, area) in record.areas.iter() {
            let Some(code) = area.code else { continue };
            self.name_area(kind, code, area.name, area.alias)?;
            row.areas.set(self.area(kind, code)?);
        }
        if let Some(about) = &record.approximate {
            let source = &mut self.metadata_mut().approximate_source;
            let source = source.get_or_insert_with(|| about.source.to_string());
            // A dataset has only one source of approximate positions.
            if **source == *about.source {
                self.push_approximate(record.postcode.outcode(), about.location)?;
            }
        }
        self.push(&row)
    }
}
