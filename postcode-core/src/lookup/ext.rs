//! The convenient calls, made of those of the trait.

use async_trait::async_trait;

use super::pages::Pages;
use crate::{
    Answer, Error, MAX_BATCH, Outcode, OutcodeSummary, Postcode, PostcodeLookup, Record, Region, Result,
    Validity,
};

/// The convenient calls, for every [`PostcodeLookup`].
#[async_trait]
pub trait PostcodeLookupExt: PostcodeLookup {
    /// What this postcode is.
    async fn get(&self, postcode: Postcode) -> Result<Answer> {
        self.lookup(&[postcode]).await?.pop().ok_or_else(|| {
            Error::new(crate::ErrorKind::Internal, "a batch of one postcode came back without an answer")
        })
    }

    /// What this text is, parsed first.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with the reason if it is no postcode.
    async fn get_str(&self, postcode: &str) -> Result<Answer> {
        let parsed =
            postcode.parse::<Postcode>().map_err(|e| Error::invalid(format!("{postcode:?}: {e}")))?;
        self.get(parsed).await
    }

    /// Whether this text is a postcode in use.
    async fn validate(&self, postcode: &str) -> Result<bool> {
        match postcode.parse::<Postcode>() {
            Ok(postcode) => Ok(self.get(postcode).await?.is_live()),
            Err(_) => Ok(false),
        }
    }

    /// What these texts are: postcodes in use, no longer in use, unknown or not covered, or none at all.
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

    /// Metres between two postcodes, live or terminated, as [`Location::distance`] measures. `None` if one of them is
    /// unknown or has no location.
    async fn distance(&self, from: Postcode, to: Postcode) -> Result<Option<f64>> {
        let answers = self.lookup(&[from, to]).await?;
        let location = |n: usize| answers.get(n).and_then(Answer::record).and_then(|record| record.location);
        Ok(location(0).zip(location(1)).map(|(from, to)| from.distance(to)))
    }

    /// All live postcodes of a region, a page at a time, from its first page on.
    fn pages(&self, region: Region) -> Pages<'_, Self> {
        Pages::of(self, region)
    }

    /// The record of a terminated postcode; `None` for all others, live ones too.
    async fn terminated(&self, postcode: Postcode) -> Result<Option<Record>> {
        match self.get(postcode).await? {
            Answer::Terminated(record) => Ok(Some(record)),
            _ => Ok(None),
        }
    }

    /// The records of terminated postcodes, position by position; `None` for all others.
    async fn terminated_all(&self, postcodes: &[Postcode]) -> Result<Vec<Option<Record>>> {
        let terminated = |answer| match answer {
            Answer::Terminated(record) => Some(record),
            _ => None,
        };
        Ok(self.lookup_all(postcodes).await?.into_iter().map(terminated).collect())
    }

    /// Outcodes summed up, position by position, one call each: no two need be of one edition.
    async fn outcode_all(&self, outcodes: &[Outcode]) -> Result<Vec<Option<OutcodeSummary>>> {
        let mut summaries = Vec::with_capacity(outcodes.len());
        for outcode in outcodes {
            summaries.push(self.outcode(*outcode).await?);
        }
        Ok(summaries)
    }

    /// Any number of postcodes, in batches of [`MAX_BATCH`]. Each batch is of one edition.
    async fn lookup_all(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        let mut answers = Vec::with_capacity(postcodes.len());
        for batch in postcodes.chunks(MAX_BATCH) {
            answers.append(&mut self.lookup(batch).await?);
        }
        Ok(answers)
    }
}

impl<T: PostcodeLookup + ?Sized> PostcodeLookupExt for T {}
