//! The Scottish Postcode Directory in a dataset.

use crate::dataset::Dataset;
use crate::{Error, ErrorKind, Postcode, Result, ScottishPostcode};

impl Dataset {
    /// Returns the entry of a postcode in the Scottish Postcode Directory, or `None` if it has no
    /// live entry.
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata};
    /// # use postcode_core::ScottishPostcode;
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push_scottish(&ScottishPostcode::new("EH99 1SP".parse()?, None, Some("S16000104".to_owned())))?;
    /// # let dataset = builder.build()?;
    /// let entry = dataset.scottish_postcode("EH99 1SP".parse()?)?.ok_or("not in Scotland")?;
    /// assert_eq!(entry.codes.scottish_parliamentary_constituency.as_deref(), Some("S16000104"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotSupported`](ErrorKind::NotSupported) if the directory is not in the dataset.
    pub fn scottish_postcode(&self, postcode: Postcode) -> Result<Option<ScottishPostcode>> {
        let (scotland, data) = (&self.inner().scotland, self.as_bytes());
        if scotland.count() == 0 {
            return Err(Error::new(
                ErrorKind::NotSupported,
                format!(
                    "the Scottish Postcode Directory is not in the data ({}): import it too, by `postcode-service import`",
                    self.info().edition
                ),
            ));
        }
        Ok(scotland.find(data, postcode).map(|row| scotland.entry(data, row, postcode)))
    }

    /// Iterates over all entries of the Scottish Postcode Directory, in the order of postcodes.
    /// Empty if the dataset has none.
    ///
    /// ```
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata};
    /// # use postcode_core::ScottishPostcode;
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push_scottish(&ScottishPostcode::new("EH99 1SP".parse()?, None, Some("S16000104".to_owned())))?;
    /// # let dataset = builder.build()?;
    /// let postcodes: Vec<String> = dataset.iter_scottish().map(|entry| entry.postcode.to_string()).collect();
    /// assert_eq!(postcodes, ["EH99 1SP"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter_scottish(&self) -> impl Iterator<Item = ScottishPostcode> + '_ {
        let (scotland, data) = (&self.inner().scotland, self.as_bytes());
        (0..scotland.count()).filter_map(move |row| {
            Some(scotland.entry(data, row, Postcode::from_code(scotland.code(data, row)?)?))
        })
    }
}
