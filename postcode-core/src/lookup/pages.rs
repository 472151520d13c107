//! Goes through all pages of a region.

use crate::{MAX_PAGE, Postcode, PostcodeLookup, Record, Region, Result, Within};

/// Returns the pages of a region one after the other: see
/// [`PostcodeLookupExt::pages`](crate::PostcodeLookupExt::pages).
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # builder.push(&Row::live("SW1A 2AA".parse()?))?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::{PostcodeLookup, PostcodeLookupExt, Region, Result};
///
/// async fn count(postcodes: &dyn PostcodeLookup, region: Region) -> Result<usize> {
///     let mut pages = postcodes.pages(region);
///     let mut count = 0;
///     while let Some(records) = pages.next().await? {
///         count += records.len();
///     }
///     Ok(count)
/// }
///
/// assert_eq!(count(&library, Region::Outcode("SW1A".parse()?)).await?, 2);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct Pages<'a, L: ?Sized> {
    lookup: &'a L,
    /// The query of the next page; `None` after the last page.
    rest: Option<Within>,
}

impl<'a, L: PostcodeLookup + ?Sized> Pages<'a, L> {
    pub(crate) fn of(lookup: &'a L, region: Region) -> Self {
        Self { lookup, rest: Some(Within::of(region).limit(MAX_PAGE)) }
    }

    /// Sets the most records in a page, 1 to [`MAX_PAGE`], which is the default.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::{PostcodeLookupExt, Region};
    ///
    /// let mut pages = postcodes.pages(Region::Outcode("SW1A".parse()?)).limit(1);
    /// assert_eq!(pages.next().await?.map(|page| page.len()), Some(1));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.rest = self.rest.map(|rest| rest.limit(limit));
        self
    }

    /// Starts after this postcode.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::{Postcode, PostcodeLookupExt, Region};
    ///
    /// let seen: Postcode = "SW1A 1AA".parse()?;
    /// let mut pages = postcodes.pages(Region::Outcode(seen.outcode())).after(seen);
    /// let page = pages.next().await?.unwrap_or_default();
    /// assert_eq!(page[0].postcode.to_string(), "SW1A 2AA");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn after(mut self, after: impl Into<Option<Postcode>>) -> Self {
        let after = after.into();
        self.rest = self.rest.map(|rest| rest.after(after));
        self
    }

    /// Returns the records of the next page, or `None` when there are no more. It is `None` at once
    /// if the region is [not known](PostcodeLookup::within). After an error, a further call asks
    /// for the same page again.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let postcodes = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::{PostcodeLookupExt, Region};
    ///
    /// let mut pages = postcodes.pages(Region::Outcode("SW1A".parse()?)).limit(1);
    /// let mut found = Vec::new();
    /// while let Some(records) = pages.next().await? {
    ///     found.extend(records.into_iter().map(|record| record.postcode.to_string()));
    /// }
    /// assert_eq!(found, ["SW1A 1AA", "SW1A 2AA"]);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// The same as [`PostcodeLookup::within`].
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
