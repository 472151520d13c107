//! Convenient calls, built on those of the trait.

use async_trait::async_trait;

use super::pages::Pages;
use crate::{
    Answer, Error, MAX_BATCH, Outcode, OutcodeSummary, Postcode, PostcodeLookup, Record, Region, Result,
    Validity,
};

/// Convenient calls for every [`PostcodeLookup`].
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// use postcode_core::{Local, PostcodeLookupExt};
///
/// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// let postcodes = Local::new(builder.build()?);
///
/// assert!(postcodes.get_str("sw1a1aa").await?.is_live());
/// assert!(postcodes.validate("SW1A 1AA").await?);
/// assert!(!postcodes.validate("SW1A 1A").await?);
/// let statuses = postcodes.validate_all(&["SW1A 1AA", "SW1A 9ZZ", "nonsense"]).await?;
/// assert_eq!(statuses.iter().map(|s| s.status()).collect::<Vec<_>>(), ["live", "unknown", "invalid"]);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
#[async_trait]
pub trait PostcodeLookupExt: PostcodeLookup {
    /// Looks up one postcode.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookupExt;
    ///
    /// assert!(postcodes.get("SW1A 1AA".parse()?).await?.is_live());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn get(&self, postcode: Postcode) -> Result<Answer> {
        self.lookup_one(postcode).await
    }

    /// Parses a text and looks up the postcode.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::{ErrorKind, PostcodeLookupExt};
    ///
    /// assert!(postcodes.get_str("sw1a1aa").await?.is_live());
    /// let error = postcodes.get_str("SW1A").await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidInput);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with the reason if the text is not a
    /// postcode.
    async fn get_str(&self, postcode: &str) -> Result<Answer> {
        let parsed =
            postcode.parse::<Postcode>().map_err(|e| Error::invalid(format!("{postcode:?}: {e}")))?;
        self.get(parsed).await
    }

    /// Returns whether a text is a postcode in use.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookupExt;
    ///
    /// assert!(postcodes.validate("SW1A 1AA").await?);
    /// assert!(!postcodes.validate("AB1 0AA").await?); // terminated
    /// assert!(!postcodes.validate("Buckingham Palace").await?);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn validate(&self, postcode: &str) -> Result<bool> {
        match postcode.parse::<Postcode>() {
            Ok(postcode) => Ok(self.get(postcode).await?.is_live()),
            Err(_) => Ok(false),
        }
    }

    /// Returns what each text is: a postcode in use, no longer in use, unknown or not covered, or
    /// not a postcode.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookupExt;
    ///
    /// let found = postcodes.validate_all(&["SW1A 1AA", "AB1 0AA", "nonsense"]).await?;
    /// assert!(found[0].is_live());
    /// assert_eq!(found[1].status(), "terminated");
    /// assert_eq!(found[2].status(), "invalid");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn validate_all(&self, texts: &[&str]) -> Result<Vec<Validity>> {
        let read: Vec<_> = texts.iter().map(|text| text.parse::<Postcode>()).collect();
        let postcodes: Vec<Postcode> = read.iter().filter_map(|read| read.as_ref().ok()).copied().collect();
        let mut answers = self.lookup_all(&postcodes).await?.into_iter();
        read.into_iter()
            .map(|read| match (read, &mut answers) {
                (Err(error), _) => Ok(Validity::Invalid(error)),
                (Ok(postcode), answers) => {
                    answers.next().map(|answer| Validity::of(postcode, &answer)).ok_or_else(|| {
                        Error::new(crate::ErrorKind::Internal, "a batch came back with too few answers")
                    })
                }
            })
            .collect()
    }

    /// Returns the metres between two postcodes, live or terminated, as measured by
    /// [`Location::distance`](crate::Location::distance). `None` if one of them is unknown or has no location.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookupExt;
    ///
    /// let metres = postcodes.distance("SW1A 1AA".parse()?, "SW1A 2AA".parse()?).await?;
    /// assert_eq!(metres.map(f64::round), Some(1007.0));
    /// assert_eq!(postcodes.distance("SW1A 1AA".parse()?, "SW1A 9ZZ".parse()?).await?, None);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn distance(&self, from: Postcode, to: Postcode) -> Result<Option<f64>> {
        let answers = self.lookup(&[from, to]).await?;
        let location = |n: usize| answers.get(n).and_then(Answer::record).and_then(|record| record.location);
        Ok(location(0).zip(location(1)).map(|(from, to)| from.distance(to)))
    }

    /// Returns all live postcodes of a region, one page at a time.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::{PostcodeLookupExt, Region};
    ///
    /// let mut pages = postcodes.pages(Region::Outcode("SW1A".parse()?));
    /// let first = pages.next().await?.ok_or("no such outcode")?;
    /// assert_eq!(first.len(), 2);
    /// assert_eq!(pages.next().await?, None);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    fn pages(&self, region: Region) -> Pages<'_, Self> {
        Pages::of(self, region)
    }

    /// Returns the record of a terminated postcode, or `None` for any other, including live ones.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookupExt;
    ///
    /// assert!(postcodes.terminated("AB1 0AA".parse()?).await?.is_some());
    /// assert_eq!(postcodes.terminated("SW1A 1AA".parse()?).await?, None); // live
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn terminated(&self, postcode: Postcode) -> Result<Option<Record>> {
        match self.get(postcode).await? {
            Answer::Terminated(record) => Ok(Some(record)),
            _ => Ok(None),
        }
    }

    /// Returns the records of terminated postcodes, position by position, and `None` for all
    /// others.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookupExt;
    ///
    /// let found = postcodes.terminated_all(&["SW1A 1AA".parse()?, "AB1 0AA".parse()?]).await?;
    /// assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn terminated_all(&self, postcodes: &[Postcode]) -> Result<Vec<Option<Record>>> {
        let terminated = |answer| match answer {
            Answer::Terminated(record) => Some(record),
            _ => None,
        };
        Ok(self.lookup_all(postcodes).await?.into_iter().map(terminated).collect())
    }

    /// Returns the summaries of outcodes, position by position. Each is a separate call, so they
    /// may come from different editions.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::PostcodeLookupExt;
    ///
    /// let found = postcodes.outcode_all(&["M1".parse()?, "AB1".parse()?]).await?;
    /// assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn outcode_all(&self, outcodes: &[Outcode]) -> Result<Vec<Option<OutcodeSummary>>> {
        let mut summaries = Vec::with_capacity(outcodes.len());
        for outcode in outcodes {
            summaries.push(self.outcode(*outcode).await?);
        }
        Ok(summaries)
    }

    /// Looks up any number of postcodes, in batches of [`MAX_BATCH`]. Each batch comes from one
    /// edition.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::{MAX_BATCH, Postcode, PostcodeLookupExt};
    ///
    /// let many: Vec<Postcode> = vec!["SW1A 1AA".parse()?; MAX_BATCH + 1]; // two batches
    /// assert_eq!(postcodes.lookup_all(&many).await?.len(), MAX_BATCH + 1);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    async fn lookup_all(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        let mut answers = Vec::with_capacity(postcodes.len());
        for batch in postcodes.chunks(MAX_BATCH) {
            answers.append(&mut self.lookup(batch).await?);
        }
        Ok(answers)
    }
}

impl<T: PostcodeLookup + ?Sized> PostcodeLookupExt for T {}
