//! The description of one field.

use serde::Serialize;

/// How many postcodes have a value in a field, and where the values come from.
///
/// Returned by [`Dataset::fields`](crate::dataset::Dataset::fields):
///
/// ```
/// # use postcode_core::Location;
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
/// #     let mut row = Row::live(text.parse()?);
/// #     row.location = Some(Location::new(latitude, longitude)?);
/// #     builder.push(&row)?;
/// # }
/// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
/// # let dataset = builder.build()?;
/// let fields = dataset.fields();
/// let latitude = fields.iter().find(|field| field.field == "latitude").ok_or("no locations")?;
/// assert_eq!((latitude.postcodes, latitude.share_of_live), (3, 1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FieldCoverage {
    /// The name in the HTTP API: `admin_ward`, or `codes.admin_ward` for the code of an area.
    pub field: String,
    /// Postcodes that have it, live and terminated.
    pub postcodes: u64,
    /// Live postcodes that have it.
    pub live: u64,
    /// The share of the live postcodes that have it, from 0 to 1.
    pub share_of_live: f64,
    /// Where it comes from.
    pub sources: Vec<FieldSource>,
}

/// A source of a field.
///
/// ```
/// # use postcode_core::Location;
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
/// #     let mut row = Row::live(text.parse()?);
/// #     row.location = Some(Location::new(latitude, longitude)?);
/// #     builder.push(&row)?;
/// # }
/// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
/// # let dataset = builder.build()?;
/// let fields = dataset.fields();
/// let location = fields.iter().find(|field| field.field == "latitude").ok_or("not there")?;
/// assert_eq!(location.sources[0].date, None); // not known for data made by hand
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FieldSource {
    /// The publication. For an imported dataset this is the source in its metadata.
    pub source: String,
    /// The date, `2025-04` or `2022`; `None` if it is not known for this field.
    pub date: Option<String>,
}
