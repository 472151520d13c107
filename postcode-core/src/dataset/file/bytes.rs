//! The bytes of a dataset, mapped or in memory, and functions that read numbers from them.

use std::ops::Deref;

use crate::dataset::file::mapped::Mapped;

/// A mapped file, or memory that belongs to the dataset.
pub(crate) enum Bytes {
    Mapped(Mapped),
    Owned(Vec<u8>),
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
