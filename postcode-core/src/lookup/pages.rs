//! All pages of a region.

use crate::{MAX_PAGE, Postcode, PostcodeLookup, Record, Region, Result, Within};

/// The pages of a region, one after the other: see [`PostcodeLookupExt::pages`](crate::PostcodeLookupExt::pages).
///
/// ```
/// use postcode_core::{PostcodeLookup, PostcodeLookupExt, Region, Result};
///
/// async fn count(postcodes: &dyn PostcodeLookup, ward: &str) -> Result<usize> {
///     let mut pages = postcodes.pages(Region::area(ward));
///     let mut count = 0;
///     while let Some(records) = pages.next().await? {
///         count += records.len();
///     }
///     Ok(count)
/// }
/// ```
#[derive(Debug)]
pub struct Pages<'a, L: ?Sized> {
    lookup: &'a L,
    /// `None` when all has been given.
    rest: Option<Within>,
}

impl<'a, L: PostcodeLookup + ?Sized> Pages<'a, L> {
    pub(crate) fn of(lookup: &'a L, region: Region) -> Self {
        Self { lookup, rest: Some(Within::of(region).limit(MAX_PAGE)) }
    }

    /// So many at most in a page, 1 to [`MAX_PAGE`], which is the default.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.rest = self.rest.map(|rest| rest.limit(limit));
        self
    }

    /// Only what comes after a postcode.
    #[must_use]
    pub fn after(mut self, after: impl Into<Option<Postcode>>) -> Self {
        let after = after.into();
        self.rest = self.rest.map(|rest| rest.after(after));
        self
    }

    /// The records of the next page; `None` when there are no more, at once if the region is
    /// [not known](PostcodeLookup::within). After an error it may be called again, and asks for the same page.
    ///
    /// # Errors
    /// Those of [`PostcodeLookup::within`].
    pub async fn next(&mut self) -> Result<Option<Vec<Record>>> {
        let Some(query) = &mut self.rest else { return Ok(None) };
        let page = self.lookup.within(query).await?;
        match page.as_ref().and_then(|page| page.next) {
            Some(next) => query.after = Some(next),
            None => self.rest = None,
        }
        Ok(page.map(|page| page.records).filter(|records| !records.is_empty()))
    }
}
