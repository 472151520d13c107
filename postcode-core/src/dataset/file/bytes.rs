//! The bytes of a dataset, mapped or in memory, and functions that read numbers from them.

use std::fs::File;
use std::ops::Deref;
use std::path::Path;

use crate::dataset::file::mapped::Mapped;
use crate::{Error, ErrorKind, Result};

/// A mapped file, or memory that belongs to the dataset.
pub(crate) enum Bytes {
    Mapped(Mapped),
    Owned(Vec<u8>),
}

impl Bytes {
    /// Maps a file, or reads an empty one. Returns the name that errors use as well.
    pub(crate) fn open(path: &Path) -> Result<(Self, String)> {
        let origin = path.display().to_string();
        let failed = |what: &str, error: std::io::Error| {
            let advice = match error.kind() {
                std::io::ErrorKind::NotFound => ": make one with `postcode-service import`",
                _ => "",
            };
            Error::new(ErrorKind::Dataset, format!("{origin}: {what}: {error}{advice}")).with_source(error)
        };
        let file = File::open(path).map_err(|e| failed("the dataset can't be opened", e))?;
        let about = file.metadata().map_err(|e| failed("the dataset can't be read", e))?;
        if !about.is_file() {
            let what = format!("{origin}: not a file: give the path of a dataset file");
            return Err(Error::new(ErrorKind::Dataset, what));
        }
        if about.len() == 0 {
            // Mapping an empty file is an error on some systems.
            return Ok((Self::Owned(Vec::new()), origin));
        }
        let mapped = Mapped::open(&file).map_err(|e| failed("the dataset can't be mapped", e))?;
        Ok((Self::Mapped(mapped), origin))
    }
}

impl Deref for Bytes {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(mapped) => mapped,
            Self::Owned(bytes) => bytes,
        }
    }
}

#[inline]
fn array<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..)?.first_chunk().copied()
}

/// Reads a little-endian number at any alignment, or returns `None` beyond the end.
#[inline]
pub(crate) fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    array(data, at).map(u16::from_le_bytes)
}

#[cfg(feature = "embedded")]
pub(crate) fn u128_at(data: &[u8], at: usize) -> Option<u128> {
    array(data, at).map(u128::from_le_bytes)
}

#[inline]
pub(crate) fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    array(data, at).map(u32::from_le_bytes)
}

#[inline]
pub(crate) fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    array(data, at).map(u64::from_le_bytes)
}

pub(crate) fn i64_at(data: &[u8], at: usize) -> Option<i64> {
    array(data, at).map(i64::from_le_bytes)
}

pub(crate) fn f64_at(data: &[u8], at: usize) -> Option<f64> {
    array(data, at).map(f64::from_le_bytes)
}
