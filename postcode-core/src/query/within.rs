//! A page at a time of the postcodes of a region.

use super::limits::MAX_PAGE;
use crate::{Postcode, Record, Region, Result};

/// A query for the postcodes of a region.
///
/// ```
/// use postcode_core::{Region, Within};
///
/// let query = Within::of(Region::area("E09000033")).limit(500);
/// assert_eq!(query.after, None);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Within {
    /// Of where.
    pub region: Region,
    /// How many at most, 1 to [`MAX_PAGE`]; 100 unless set.
    pub limit: usize,
    /// Only what comes after this postcode, which need not exist: [`Page::next`] of the page before.
    pub after: Option<Postcode>,
}

impl Within {
    /// The first hundred of a region.
    pub fn of(region: Region) -> Self {
        Self { region, limit: 100, after: None }
    }

    /// How many at most.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Only what comes after a postcode.
    #[must_use]
    pub fn after(self, after: impl Into<Option<Postcode>>) -> Self {
        Self { after: after.into(), ..self }
    }

    #[cfg(any(feature = "conformance", feature = "dataset", feature = "http"))]
    pub(crate) fn check(&self) -> Result<()> {
        if !(1..=MAX_PAGE).contains(&self.limit) {
            return Err(crate::Error::invalid(format!("a page of {}: give 1 to {MAX_PAGE}", self.limit)));
        }
        self.region.check()
    }
}

/// Some of the live postcodes of a region.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// The records, in the order of postcodes.
    pub records: Vec<Record>,
    /// Where the next page begins: give it to [`Within::after`]. `None` if this page is the last.
    pub next: Option<Postcode>,
}

impl Page {
    /// The first `limit` of these, and whether there are more.
    #[cfg(any(feature = "conformance", feature = "dataset"))]
    pub(crate) fn of(mut records: Vec<Record>, limit: usize) -> Self {
        let more = records.len() > limit;
        records.truncate(limit);
        let next = records.last().filter(|_| more).map(|record| record.postcode);
        Self { records, next }
    }

    /// Of these records, with more to come after `next`.
    pub fn new(records: Vec<Record>, next: Option<Postcode>) -> Self {
        Self { records, next }
    }
}
