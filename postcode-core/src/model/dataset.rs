//! The description of a dataset.

use serde::{Deserialize, Serialize};

/// The dataset that answers come from: edition, source, licence, size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DatasetInfo {
    /// The edition, such as `ONSPD November 2025`.
    pub edition: String,
    /// The files or packages that it was made from, with their versions.
    pub source: String,
    /// The licences' attribution, which must be shown wherever the data is used.
    pub attribution: String,
    /// Identifies the dataset's content: two datasets with one fingerprint give the same answers.
    pub fingerprint: String,
    /// Live postcodes.
    pub live: u64,
    /// Terminated postcodes.
    pub terminated: u64,
    /// Populated places; 0 if the dataset has none.
    #[serde(default)]
    pub places: u64,
    /// Postcodes of the Scottish Postcode Directory; 0 if the dataset has none.
    #[serde(default)]
    pub scottish_postcodes: u64,
    /// Postcode areas (`BT`) that the dataset leaves out.
    pub not_covered: Vec<String>,
    /// Advice for a user who asks for a postcode in one of those areas.
    pub not_covered_advice: Option<String>,
}

impl DatasetInfo {
    /// Creates a description with only the edition.
    pub fn new(edition: impl Into<String>) -> Self {
        Self {
            edition: edition.into(),
            source: String::new(),
            attribution: String::new(),
            fingerprint: String::new(),
            live: 0,
            terminated: 0,
            places: 0,
            scottish_postcodes: 0,
            not_covered: Vec::new(),
            not_covered_advice: None,
        }
    }
}
