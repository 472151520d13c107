//! The file of an edition and its headers.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use postcode_core::dataset::{Dataset, FieldCoverage};
use postcode_core::{Error, ErrorKind};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::api::failure::Failure;

/// A dataset as the file that it is, mapped or in memory.
pub(in crate::api) struct File {
    pub(in crate::api) dataset: Dataset,
    /// Strong: the fingerprint is a hash of every section.
    pub(in crate::api) etag: HeaderValue,
    /// The signature of the file, as minisign writes it.
    pub(in crate::api) signature: Option<String>,
    /// Computed when first asked for: many services are never asked for it.
    digest: OnceCell<HeaderValue>,
}

impl File {
    pub(in crate::api) fn new(dataset: Dataset, fingerprint: &HeaderValue) -> Result<Self, Error> {
        let etag = [b"\"", fingerprint.as_bytes(), b"\""].concat();
        let etag = HeaderValue::from_bytes(&etag).map_err(|e| {
            Error::new(ErrorKind::Dataset, "the fingerprint is not a valid header value").with_source(e)
        })?;
        Ok(Self { dataset, etag, signature: None, digest: OnceCell::new() })
    }

    /// `sha-256=:…:`.
    pub(in crate::api) async fn digest(&self) -> Result<HeaderValue, Failure> {
        let compute = || async {
            let dataset = self.dataset.clone();
            // Some tenths of a second for the country.
            let hash = tokio::task::spawn_blocking(move || Sha256::digest(dataset.as_bytes()));
            let hash = hash.await.map_err(|e| Failure::internal(format!("the file was not read: {e}")))?;
            HeaderValue::try_from(format!("sha-256=:{}:", STANDARD.encode(hash)))
                .map_err(|e| Failure::internal(format!("a header could not be written: {e}")))
        };
        self.digest.get_or_try_init(compute).await.cloned()
    }
}

impl File {
    /// Returns how complete each field is. The first call reads every row.
    pub(in crate::api) async fn fields(&self) -> Result<Vec<FieldCoverage>, Failure> {
        let dataset = self.dataset.clone();
        let fields = tokio::task::spawn_blocking(move || dataset.fields().to_vec());
        fields.await.map_err(|e| Failure::internal(format!("the fields were not counted: {e}")))
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("dataset", &self.dataset).field("etag", &self.etag).finish()
    }
}
