//! What an implementation says of the data behind it.

use serde::{Deserialize, Serialize};

/// The dataset that answers come from: edition, source, licence, size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DatasetInfo {
    /// The edition, such as `ONSPD November 2025`.
    pub edition: String,
    /// What it was made from: file or package names and their versions.
    pub source: String,
    /// The licences' attribution, which must be shown wherever the data is used.
    pub attribution: String,
    /// Identifies the dataset's content: two datasets with one fingerprint give the same answers.
    pub fingerprint: String,
    /// Live postcodes.
    pub live: u64,
    /// Terminated postcodes.
    pub terminated: u64,
    /// Populated places; 0 where the dataset has none.
    #[serde(default)]
    pub places: u64,
    /// Postcodes of the Scottish Postcode Directory; 0 where the dataset has none.
    #[serde(default)]
    pub scottish_postcodes: u64,
    /// Postcode areas (`BT`) that the dataset leaves out.
    pub not_covered: Vec<String>,
    /// What to tell a user who asks for one of those.
    pub not_covered_advice: Option<String>,
}

impl DatasetInfo {
    /// An edition of which nothing else is known.
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
