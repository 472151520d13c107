//! The country inside the binary: a packed dataset, unpacked into memory when first asked for.
//!
//! A pack holds the columns of a dataset one after the other, each in the form that compresses best, and nothing that can be
//! computed: no index, and of latitude and longitude only the difference from what the grid reference says (see
//! `predict`). Unpacking gives the dataset file byte by byte, which is checked.

mod compress;
mod predict;
mod streams;
pub(crate) mod unpack;

use std::sync::{Mutex, PoisonError};

use crate::Result;
use crate::dataset::Dataset;

/// What errors call it.
pub(crate) const ORIGIN: &str = "embedded data";

impl Dataset {
    /// Great Britain and the Crown dependencies, from inside this binary. Unpacked when first asked for (some tenths of a
    /// second), shared after that. Who wants the first answers before that asks [`connect`](crate::connect) for `embedded:`.
    ///
    /// Northern Ireland is not in it: its postcodes are answered [`NotCovered`](crate::Answer::NotCovered).
    ///
    /// # Errors
    /// [`NotSupported`](crate::ErrorKind::NotSupported) if the binary was built without the data.
    pub fn embedded() -> Result<Self> {
        static SHARED: Mutex<Option<Dataset>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dataset) = &*shared {
            return Ok(dataset.clone());
        }
        let dataset = Self::unpack_as(packed()?, ORIGIN)?;
        *shared = Some(dataset.clone());
        Ok(dataset)
    }
}

#[cfg(gb_pack)]
pub(crate) fn packed() -> Result<&'static [u8]> {
    Ok(include_bytes!("../../../data/gb.pack"))
}

#[cfg(not(gb_pack))]
pub(crate) fn packed() -> Result<&'static [u8]> {
    Err(crate::Error::new(
        crate::ErrorKind::NotSupported,
        "built without the embedded data: make postcode-core/data/gb.pack and build again, or open a dataset file",
    ))
}
