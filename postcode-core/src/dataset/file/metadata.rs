//! What a dataset file says of itself, as JSON.

use serde::{Deserialize, Serialize};

use crate::dataset::file::format::{Frame, damaged, section};
use crate::{DatasetInfo, Result};

/// The metadata of a dataset file. Whoever builds one gives the edition and what else is known; counts and columns are
/// filled in when it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(default)]
pub struct Metadata {
    /// The edition, such as `ONSPD November 2025`.
    pub edition: String,
    /// What it was made from: file or package names and their versions.
    pub source: String,
    /// The licences' attribution, which must be shown wherever the data is used.
    pub attribution: String,
    /// The licences, by name.
    pub licence: String,
    /// Postcode areas (`BT`) that the dataset leaves out.
    pub not_covered: Vec<String>,
    /// What to tell a user who asks for one of those.
    pub not_covered_advice: Option<String>,
    /// Live postcodes.
    pub live: u64,
    /// Terminated postcodes.
    pub terminated: u64,
    /// Populated places.
    #[serde(skip_serializing_if = "is_zero")]
    pub places: u64,
    /// Postcodes of the Scottish Postcode Directory.
    #[serde(skip_serializing_if = "is_zero")]
    pub scottish_postcodes: u64,
    /// Where the approximate positions of outcodes are from, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approximate_source: Option<String>,
    /// The columns that at least one postcode has, areas by their kinds.
    pub columns: Vec<String>,
    /// The program that wrote the file.
    pub built_with: String,
}

/// Counts of version 1.1 are left out where they say nothing, so that other files stay as they were.
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Metadata {
    /// Of an edition of which nothing else is known.
    pub fn new(edition: impl Into<String>) -> Self {
        Self { edition: edition.into(), ..Self::default() }
    }

    pub(crate) fn read(frame: &Frame, data: &[u8], origin: &str) -> Result<Self> {
        let entry = frame.require(section::METADATA, origin)?;
        serde_json::from_slice(entry.of(data)).map_err(|error| {
            damaged(origin, "section metadata", entry.start, format!("not the JSON it should be ({error})"))
                .with_source(error)
        })
    }

    pub(crate) fn info(&self, fingerprint: &str) -> DatasetInfo {
        DatasetInfo {
            edition: self.edition.clone(),
            source: self.source.clone(),
            attribution: self.attribution.clone(),
            fingerprint: fingerprint.to_owned(),
            live: self.live,
            terminated: self.terminated,
            places: self.places,
            scottish_postcodes: self.scottish_postcodes,
            not_covered: self.not_covered.clone(),
            not_covered_advice: self.not_covered_advice.clone(),
        }
    }
}
