//! Approximate positions of outcodes.

use crate::dataset::Dataset;
use crate::{Approximate, Outcode};

impl Dataset {
    /// Returns the approximate position of an outcode's postcodes that have no exact one. It comes
    /// from a different source than the rest ([`Approximate::source`]). `None` if the data has no
    /// such position, or all postcodes of the outcode have an exact one.
    ///
    /// ```
    /// use postcode_core::Location;
    /// use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    ///
    /// # let mut metadata = Metadata::new("made by hand");
    /// # metadata.approximate_source = Some("GeoNames".to_owned());
    /// # let mut builder = DatasetBuilder::new(metadata);
    /// # builder.push(&Row::live("JE2 3AB".parse()?))?;
    /// builder.push_approximate("JE2".parse()?, Location::new(49.2, -2.1333)?)?;
    /// let dataset = builder.build()?;
    /// let about = dataset.approximate("JE2".parse()?).ok_or("not there")?;
    /// assert_eq!((about.location.latitude(), &*about.source), (49.2, "GeoNames"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn approximate(&self, outcode: Outcode) -> Option<Approximate> {
        self.inner().positions.of(self.as_bytes(), outcode)
    }
}
