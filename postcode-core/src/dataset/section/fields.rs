//! The description of one field.

use serde::Serialize;

/// How many postcodes have a value in a field, and where the values come from.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FieldSource {
    /// The publication. For an imported dataset this is the source in its metadata.
    pub source: String,
    /// The date, `2025-04` or `2022`; `None` if it is not known for this field.
    pub date: Option<String>,
}
