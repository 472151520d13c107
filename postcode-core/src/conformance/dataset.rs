//! Creates a dataset from the fixture.

use super::Fixture;
use crate::dataset::{Dataset, DatasetBuilder, Metadata};
use crate::{Result, ScottishArea};

impl Fixture {
    /// Returns a dataset with these records, for implementations that read one.
    ///
    /// ```
    /// use postcode_core::Local;
    /// use postcode_core::conformance::{Fixture, check};
    ///
    /// # futures::executor::block_on(async {
    /// let fixture = Fixture::small();
    /// let local = Local::new(fixture.dataset()?);
    /// check(&local, &fixture).await.assert_complete();
    /// # Ok::<(), postcode_core::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for records that a dataset can't hold, such
    /// as a quality of 10.
    pub fn dataset(&self) -> Result<Dataset> {
        let info = self.info();
        let mut metadata = Metadata::new(&info.edition);
        metadata.source.clone_from(&info.source);
        metadata.attribution.clone_from(&info.attribution);
        metadata.not_covered.clone_from(&info.not_covered);
        metadata.not_covered_advice.clone_from(&info.not_covered_advice);
        let mut builder = DatasetBuilder::new(metadata);
        for record in self.records() {
            builder.push_record(record)?;
        }
        self.places().try_for_each(|place| builder.push_place(place))?;
        self.wider_places().try_for_each(|place| builder.push_wider_place(place))?;
        for entry in self.scottish() {
            builder.push_scottish(entry)?;
            for area in ScottishArea::ALL {
                if let (Some(code), Some(name)) = (entry.code(*area), entry.name(*area)) {
                    builder.name_scottish_area(*area, code, name)?;
                }
            }
        }
        builder.build()
    }
}
