//! The data inside the binary: a packed dataset, unpacked into memory when first needed.
//!
//! A pack has the columns of a dataset one after the other, each in the form that compresses best.
//! It omits everything that can be computed: there is no index, and latitude and longitude are
//! stored as the difference from a prediction by the grid reference (see `predict`). Unpacking
//! restores the dataset file byte by byte, which is checked.

mod compress;
mod context;
mod predict;
mod range_coder;
mod sections;
mod streams;
pub(crate) mod unpack;

use std::sync::{Mutex, PoisonError};

use self::unpack::Pack;
use crate::dataset::Dataset;
use crate::{DatasetInfo, Result};

/// The name in errors.
pub(crate) const ORIGIN: &str = "embedded data";

/// Returns whether this is the fingerprint of the data inside this binary.
pub(crate) fn is_embedded(fingerprint: &str) -> bool {
    unpack::fingerprint(postcode_data_gb::PACK).is_some_and(|embedded| embedded == fingerprint)
}

impl Dataset {
    /// Returns the data inside this binary: Great Britain and the Crown dependencies. It is
    /// unpacked at the first call (some tenths of a second) and shared after that. For answers
    /// before that use [`connect`](crate::connect) with `embedded:`.
    ///
    /// Northern Ireland is not included: its postcodes are
    /// [`NotCovered`](crate::Answer::NotCovered).
    ///
    /// ```
    /// use postcode_core::dataset::Dataset;
    ///
    /// let country = Dataset::embedded()?;
    /// assert!(country.get("SW1A 1AA".parse()?).is_live());
    /// assert_eq!(country.get("BT1 5GS".parse()?).status(), "not_covered");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](crate::ErrorKind::Dataset) if the data is of another version than this crate.
    pub fn embedded() -> Result<Self> {
        Self::embedded_from(|| Self::unpack_as(postcode_data_gb::PACK, ORIGIN))
    }

    /// Returns the data inside this binary, which `unpack` unpacks if nobody has yet.
    pub(crate) fn embedded_from(unpack: impl FnOnce() -> Result<Self>) -> Result<Self> {
        static SHARED: Mutex<Option<Dataset>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dataset) = &*shared {
            return Ok(dataset.clone());
        }
        let dataset = unpack()?;
        *shared = Some(dataset.clone());
        Ok(dataset)
    }

    /// Returns the description of the data inside this binary, without unpacking it.
    ///
    /// ```
    /// use postcode_core::dataset::Dataset;
    ///
    /// let info = Dataset::embedded_info()?;
    /// assert!(info.live > 1_700_000);
    /// assert!(info.not_covered.contains(&"BT".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](crate::ErrorKind::Dataset) if the data is of another version than this crate.
    pub fn embedded_info() -> Result<DatasetInfo> {
        Pack::read(postcode_data_gb::PACK, ORIGIN)?.info()
    }
}
