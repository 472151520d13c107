//! One edition of the data, as one request sees it.

use std::sync::Arc;

use http::HeaderValue;
use postcode_core::dataset::{Dataset, Verify};
use postcode_core::{DatasetInfo, Error, ErrorKind, Local, Lookups, Opened, Postcode, PostcodeLookup};

use super::answer_root::AnswerRoot;
use super::file::File;

/// A lookup and the description of its dataset. They are replaced together, so that the edition
/// that an answer names is the one that answered.
#[derive(Debug)]
pub struct Edition {
    pub(in crate::api) lookup: Arc<dyn Lookups>,
    pub(in crate::api) info: DatasetInfo,
    pub(in crate::api) fingerprint: HeaderValue,
    pub(in crate::api) etag: HeaderValue,
    /// The dataset file, where there is one to give.
    pub(in crate::api) file: Option<File>,
    /// How much of the data was checked before it was served, where that is known.
    pub(in crate::api) verified: Option<Verify>,
    /// The hash of all answers.
    pub(in crate::api) root: AnswerRoot,
}

impl Edition {
    /// Asks the lookup for its dataset.
    ///
    /// # Errors
    /// Returns the errors of [`PostcodeLookup::info`], and `Dataset` if the fingerprint can't be sent in a header.
    pub async fn of(lookup: Arc<dyn Lookups>) -> Result<Self, Error> {
        let info = lookup.info().await?;
        let header = |text: &str| {
            HeaderValue::from_str(text).map_err(|e| {
                Error::new(
                    ErrorKind::Dataset,
                    format!("the fingerprint {text:?} is not a valid header value"),
                )
                .with_source(e)
            })
        };
        let fingerprint = header(&info.fingerprint)?;
        // The text of an answer may change with the version of this program. Weak,
        // because a proxy may compress the answer.
        let etag = header(&format!("W/\"{}-{}\"", info.fingerprint, env!("CARGO_PKG_VERSION")))?;
        Ok(Self { lookup, info, fingerprint, etag, file: None, verified: None, root: AnswerRoot::default() })
    }

    /// Opens the dataset of a lookup in this process, and offers it as a file for replicas.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub async fn of_local(local: Local) -> Result<Self, Error> {
        let dataset = local.dataset();
        let mut edition = Self::of(Arc::new(local)).await?.listing(dataset.clone());
        edition.file = Some(File::new(dataset, &edition.fingerprint)?);
        Ok(edition)
    }

    /// Uses a dataset that was opened with a check, and offers it with its signature.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub async fn of_opened(opened: Opened) -> Result<Self, Error> {
        let mut edition = Self::of_local(opened.local).await?;
        edition.verified = Some(opened.verified);
        if let Some(file) = &mut edition.file {
            file.signature = opened.signature;
        }
        Ok(edition)
    }

    /// Lists what the lookup can be asked about, so that it has a root of all answers.
    #[must_use]
    pub fn listing(self, dataset: Dataset) -> Self {
        Self { root: AnswerRoot::of(dataset), ..self }
    }

    /// Returns the lookup.
    pub fn lookup(&self) -> Arc<dyn Lookups> {
        self.lookup.clone()
    }

    /// Returns the description of the dataset.
    pub fn info(&self) -> &DatasetInfo {
        &self.info
    }

    #[cfg(feature = "cli")]
    /// Returns how much of the data was checked, `full`, `checksums` or `off`; `None` if not known.
    pub(crate) fn verified(&self) -> Option<&'static str> {
        self.verified.map(Verify::name)
    }

    /// Returns the advice for a postcode in that area, if the dataset does not cover the area.
    pub(in crate::api) fn advice(&self, area: &str) -> Option<&str> {
        self.info.advice(area)
    }

    /// Returns the advice for a postcode that was answered with `NotCovered`.
    pub(in crate::api) fn advice_for(&self, postcode: Postcode) -> &str {
        self.advice(&postcode.area()).unwrap_or("the dataset does not cover this area")
    }
}
