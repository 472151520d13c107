//! The limits of one call.

#[cfg(doc)]
use crate::{Page, PostcodeLookup, Region};

/// The most postcodes in one [`PostcodeLookup::lookup`].
///
/// ```
/// use postcode_core::{MAX_BATCH, Postcode};
///
/// let all = vec!["SW1A 1AA".parse::<Postcode>()?; 25_000];
/// let batches = all.chunks(MAX_BATCH); // one call each
/// assert_eq!(batches.len(), 3);
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
pub const MAX_BATCH: usize = 10_000;
/// The most answers of autocomplete, search and nearest outcodes.
///
/// ```
/// # #[cfg(feature = "dataset")] {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata};
/// # let dataset = DatasetBuilder::new(Metadata::new("made by hand")).build()?;
/// use postcode_core::MAX_LIMIT;
///
/// assert!(dataset.autocomplete("SW1A", MAX_LIMIT).is_ok());
/// let error = dataset.autocomplete("SW1A", MAX_LIMIT + 1).unwrap_err();
/// assert_eq!(error.to_string(), "a limit of 101: give 1 to 100");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const MAX_LIMIT: usize = 100;
/// The most answers of [`PostcodeLookup::nearest`]. For more, use [`PostcodeLookup::within`].
///
/// ```
/// # #[cfg(feature = "dataset")] {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata};
/// # let dataset = DatasetBuilder::new(Metadata::new("made by hand")).build()?;
/// use postcode_core::{Location, MAX_NEIGHBOURS, Nearest};
///
/// let query = Nearest::to(Location::new(51.501, -0.1416)?);
/// assert!(dataset.nearest(&query.limit(MAX_NEIGHBOURS)).is_ok());
/// assert!(dataset.nearest(&query.limit(MAX_NEIGHBOURS + 1)).is_err());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const MAX_NEIGHBOURS: usize = 1_000;
/// The largest radius, in metres: longer than the whole country.
///
/// ```
/// # #[cfg(feature = "dataset")] {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata};
/// # let dataset = DatasetBuilder::new(Metadata::new("made by hand")).build()?;
/// use postcode_core::{Location, MAX_RADIUS, Nearest};
///
/// let (lands_end, shetland) = (Location::new(50.066, -5.715)?, Location::new(60.86, -0.87)?);
/// assert!(lands_end.distance(shetland) < MAX_RADIUS);
/// assert!(dataset.nearest(&Nearest::to(lands_end).radius(MAX_RADIUS * 2.0)).is_err());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const MAX_RADIUS: f64 = 2_000_000.0;
/// The longest text for autocomplete and search, of postcodes and of places, in bytes.
///
/// ```
/// # #[cfg(feature = "dataset")] {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata};
/// # let dataset = DatasetBuilder::new(Metadata::new("made by hand")).build()?;
/// use postcode_core::MAX_QUERY;
///
/// assert!(dataset.autocomplete(&"x".repeat(MAX_QUERY), 10)?.is_empty());
/// let error = dataset.autocomplete(&"x".repeat(MAX_QUERY + 1), 10).unwrap_err();
/// assert_eq!(error.to_string(), "a text of 257 bytes: give at most 256");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const MAX_QUERY: usize = 256;
/// The most postcodes in one [`Page`].
///
/// ```
/// # #[cfg(feature = "dataset")] {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata};
/// # let dataset = DatasetBuilder::new(Metadata::new("made by hand")).build()?;
/// use postcode_core::{MAX_PAGE, Region, Within};
///
/// let query = Within::of(Region::Outcode("SW1A".parse()?));
/// assert!(dataset.within(&query.clone().limit(MAX_PAGE)).is_ok());
/// assert!(dataset.within(&query.limit(MAX_PAGE + 1)).is_err());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const MAX_PAGE: usize = 1_000;
/// The most corners of a [`Region::Polygon`].
///
/// ```
/// # #[cfg(feature = "dataset")] {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata};
/// # let dataset = DatasetBuilder::new(Metadata::new("made by hand")).build()?;
/// use postcode_core::{Location, MAX_CORNERS, Region, Within};
///
/// let too_many = vec![Location::new(51.501, -0.1416)?; MAX_CORNERS + 1];
/// assert!(dataset.within(&Within::of(Region::Polygon(too_many))).is_err()); // leave out some corners
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const MAX_CORNERS: usize = 1_000;
/// The longest code of an area, in bytes. ONS codes have nine.
///
/// ```
/// # #[cfg(feature = "dataset")] {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata};
/// # let dataset = DatasetBuilder::new(Metadata::new("made by hand")).build()?;
/// use postcode_core::{MAX_AREA_CODE, Region, Within};
///
/// assert!("E09000033".len() <= MAX_AREA_CODE);
/// assert!(dataset.within(&Within::of(Region::area("E".repeat(MAX_AREA_CODE + 1)))).is_err());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const MAX_AREA_CODE: usize = 32;
