//! The summary of an outcode.

use serde::{Deserialize, Serialize};

use crate::Outcode;

/// A summary of the live postcodes of an outcode. Its JSON is that of postcodes.io.
///
/// ```
/// use postcode_core::OutcodeSummary;
///
/// let mut summary = OutcodeSummary::new("AB10".parse()?);
/// summary.country.push("Scotland".to_owned());
/// assert_eq!(summary.outcode.to_string(), "AB10");
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OutcodeSummary {
    /// The outcode.
    pub outcode: Outcode,
    /// Mean longitude of the postcodes that have one, degrees WGS84.
    pub longitude: Option<f64>,
    /// Mean latitude of the postcodes that have one, degrees WGS84.
    pub latitude: Option<f64>,
    /// Mean northings, rounded to the metre; 0 if no postcode has a grid reference. BT outcodes are
    /// on the Irish Grid, all others on the National Grid.
    pub northings: u32,
    /// Mean eastings, on the same grid.
    pub eastings: u32,
    /// Names of the districts. All lists here are sorted.
    pub admin_district: Vec<String>,
    /// Names of the parishes.
    pub parish: Vec<String>,
    /// Names of the counties.
    pub admin_county: Vec<String>,
    /// Names of the wards.
    pub admin_ward: Vec<String>,
    /// Names of the countries.
    pub country: Vec<String>,
    /// Names of the constituencies.
    pub parliamentary_constituency: Vec<String>,
}

impl OutcodeSummary {
    /// Creates a summary with only the outcode.
    ///
    /// ```
    /// use postcode_core::OutcodeSummary;
    ///
    /// let summary = OutcodeSummary::new("SW1A".parse()?);
    /// assert!(summary.admin_district.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(outcode: Outcode) -> Self {
        Self {
            outcode,
            longitude: None,
            latitude: None,
            northings: 0,
            eastings: 0,
            admin_district: Vec::new(),
            parish: Vec::new(),
            admin_county: Vec::new(),
            admin_ward: Vec::new(),
            country: Vec::new(),
            parliamentary_constituency: Vec::new(),
        }
    }
}
