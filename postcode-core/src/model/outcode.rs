//! What is known of one outcode.

use serde::{Deserialize, Serialize};

use crate::Outcode;

/// An outcode, summed up over its live postcodes. Its JSON is that of postcodes.io.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OutcodeSummary {
    /// The outcode.
    pub outcode: Outcode,
    /// Mean longitude of the postcodes that have one, degrees WGS84.
    pub longitude: Option<f64>,
    /// Mean latitude of the postcodes that have one, degrees WGS84.
    pub latitude: Option<f64>,
    /// Mean northings, rounded to the metre; 0 where no postcode has a grid reference. Of the BT outcodes on the Irish Grid, of all
    /// others on the National Grid: no outcode has both.
    pub northings: u32,
    /// Mean eastings, likewise.
    pub eastings: u32,
    /// Names of the districts, sorted, as are all lists here.
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
    /// An outcode of which nothing else is known.
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
