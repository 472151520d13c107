//! Queries for the postcodes of a region, and their pages.

#[cfg(any(feature = "conformance", feature = "dataset", feature = "http"))]
use super::limits::MAX_PAGE;
use crate::{Postcode, Record, Region};

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
    /// The region.
    pub region: Region,
    /// The most postcodes to return, 1 to [`MAX_PAGE`]; 100 unless set.
    pub limit: usize,
    /// Only postcodes after this one, which need not exist: [`Page::next`] of the previous page.
    pub after: Option<Postcode>,
}

impl Within {
    /// Creates a query for the first hundred postcodes of a region.
    ///
    /// ```
    /// use postcode_core::{Region, Within};
    ///
    /// let query = Within::of(Region::Outcode("SW1A".parse()?));
    /// assert_eq!(query.after, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(region: Region) -> Self {
        Self { region, limit: 100, after: None }
    }

    /// Sets the most postcodes to return, 1 to [`MAX_PAGE`].
    ///
    /// ```
    /// use postcode_core::{Region, Within};
    ///
    /// assert_eq!(Within::of(Region::Outcode("SW1A".parse()?)).limit(50).limit, 50);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Restricts the query to postcodes after this one.
    ///
    /// ```
    /// use postcode_core::{Postcode, Region, Within};
    ///
    /// let last: Postcode = "SW1A 1AA".parse()?;
    /// assert_eq!(Within::of(Region::Outcode("SW1A".parse()?)).after(last).after, Some(last));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn after(self, after: impl Into<Option<Postcode>>) -> Self {
        Self { after: after.into(), ..self }
    }

    #[cfg(any(feature = "conformance", feature = "dataset", feature = "http"))]
    pub(crate) fn check(&self) -> crate::Result<()> {
        if !(1..=MAX_PAGE).contains(&self.limit) {
            return Err(crate::Error::invalid(format!("a page of {}: give 1 to {MAX_PAGE}", self.limit)));
        }
        self.region.check()
    }
}

/// One page of the live postcodes of a region.
///
/// ```
/// use postcode_core::{Page, Record, Region, Within};
///
/// let page = Page::new(vec![Record::live("SW1A 1AA".parse()?)], Some("SW1A 1AA".parse()?));
/// let query = Within::of(Region::Outcode("SW1A".parse()?));
/// let next = page.next.map(|last| query.after(last)); // the query of the next page
/// assert!(next.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// The records, in the order of postcodes.
    pub records: Vec<Record>,
    /// The postcode to give to [`Within::after`] for the next page. `None` if this page is the
    /// last.
    pub next: Option<Postcode>,
}

impl Page {
    /// Keeps the first `limit` records, and notes whether there are more.
    #[cfg(any(feature = "conformance", feature = "dataset"))]
    pub(crate) fn of(mut records: Vec<Record>, limit: usize) -> Self {
        let more = records.len() > limit;
        records.truncate(limit);
        let next = records.last().filter(|_| more).map(|record| record.postcode);
        Self { records, next }
    }

    /// Creates a page with these records. More follow after `next`, if it is given.
    ///
    /// ```
    /// use postcode_core::{Page, Record};
    ///
    /// let page = Page::new(vec![Record::live("SW1A 1AA".parse()?)], None);
    /// assert!(page.next.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(records: Vec<Record>, next: Option<Postcode>) -> Self {
        Self { records, next }
    }
}
