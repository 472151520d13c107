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
    async fn get(&self, postcode: Postcode) -> Result<Answer> {
        self.lookup_one(postcode).await
    }

    /// Parses a text and looks up the postcode.
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
    async fn validate(&self, postcode: &str) -> Result<bool> {
        match postcode.parse::<Postcode>() {
            Ok(postcode) => Ok(self.get(postcode).await?.is_live()),
            Err(_) => Ok(false),
        }
    }

    /// Returns what each text is: a postcode in use, no longer in use, unknown or not covered, or
    /// not a postcode.
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
    async fn distance(&self, from: Postcode, to: Postcode) -> Result<Option<f64>> {
        let answers = self.lookup(&[from, to]).await?;
        let location = |n: usize| answers.get(n).and_then(Answer::record).and_then(|record| record.location);
        Ok(location(0).zip(location(1)).map(|(from, to)| from.distance(to)))
    }

    /// Returns all live postcodes of a region, one page at a time.
    fn pages(&self, region: Region) -> Pages<'_, Self> {
        Pages::of(self, region)
    }

    /// Returns the record of a terminated postcode, or `None` for any other, including live ones.
    async fn terminated(&self, postcode: Postcode) -> Result<Option<Record>> {
        match self.get(postcode).await? {
            Answer::Terminated(record) => Ok(Some(record)),
            _ => Ok(None),
        }
    }

    /// Returns the records of terminated postcodes, position by position, and `None` for all
    /// others.
    async fn terminated_all(&self, postcodes: &[Postcode]) -> Result<Vec<Option<Record>>> {
        let terminated = |answer| match answer {
            Answer::Terminated(record) => Some(record),
            _ => None,
        };
        Ok(self.lookup_all(postcodes).await?.into_iter().map(terminated).collect())
    }

    /// Returns the summaries of outcodes, position by position. Each is a separate call, so they
    /// may come from different editions.
    async fn outcode_all(&self, outcodes: &[Outcode]) -> Result<Vec<Option<OutcodeSummary>>> {
        let mut summaries = Vec::with_capacity(outcodes.len());
        for outcode in outcodes {
            summaries.push(self.outcode(*outcode).await?);
        }
        Ok(summaries)
    }

    /// Looks up any number of postcodes, in batches of [`MAX_BATCH`]. Each batch comes from one
    /// edition.
    async fn lookup_all(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        let mut answers = Vec::with_capacity(postcodes.len());
        for batch in postcodes.chunks(MAX_BATCH) {
            answers.append(&mut self.lookup(batch).await?);
        }
        Ok(answers)
    }
}

impl<T: PostcodeLookup + ?Sized> PostcodeLookupExt for T {}
