//! The string pool: every name once, each after its 16-bit length.

use std::collections::BTreeMap;

use crate::dataset::file::bytes::u16_at;
use crate::dataset::file::format::Entry;

/// The longest string in a pool, in bytes.
pub(crate) const MAX_STRING: usize = u16::MAX as usize;

/// Returns the string at an offset, or `None` if the offset is outside or the string is not UTF-8.
pub(crate) fn get<'a>(pool: &Entry, data: &'a [u8], at: u32) -> Option<&'a str> {
    let pool = pool.of(data);
    let len = usize::from(u16_at(pool, at as usize)?);
    std::str::from_utf8(pool.get(at as usize + 2..)?.get(..len)?).ok()
}

/// Writes sorted strings and records the offset of each.
#[derive(Default)]
pub(crate) struct PoolWriter {
    pub(crate) bytes: Vec<u8>,
    offsets: BTreeMap<String, u32>,
}

impl PoolWriter {
    pub(crate) fn new<'a>(strings: impl Iterator<Item = &'a str>) -> Self {
        let mut pool = Self::default();
        let mut sorted: Vec<&str> = strings.collect();
        sorted.sort_unstable();
        sorted.dedup();
        for string in sorted {
            pool.offsets.insert(string.to_owned(), pool.bytes.len() as u32);
            pool.bytes.extend_from_slice(&(string.len() as u16).to_le_bytes());
            pool.bytes.extend_from_slice(string.as_bytes());
        }
        pool
    }

    pub(crate) fn offset(&self, string: &str) -> Option<u32> {
        self.offsets.get(string).copied()
    }
}
