//! The metadata of a dataset file, as JSON.

use serde::{Deserialize, Serialize};

use crate::dataset::file::format::{Frame, damaged, section};
use crate::{AreaKind, DatasetInfo, Result};

/// The metadata of a dataset file. The caller of a builder sets the edition and the other known
/// fields; counts and columns are filled in when the file is written.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use postcode_core::dataset::Metadata;
///
/// let mut metadata = Metadata::new("ONSPD November 2025");
/// metadata.attribution = "Contains OS data © Crown copyright and database right 2025".to_owned();
/// metadata.not_covered = vec!["BT".to_owned()];
/// assert_eq!(metadata.live, 0); // counted when the file is written
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(default)]
pub struct Metadata {
    /// The edition, such as `ONSPD November 2025`.
    pub edition: String,
    /// The files or packages that it was made from, with their versions.
    pub source: String,
    /// The licences' attribution, which must be shown wherever the data is used.
    pub attribution: String,
    /// The licences, by name.
    pub licence: String,
    /// Postcode areas (`BT`) that the dataset leaves out.
    pub not_covered: Vec<String>,
    /// Advice for a user who asks for a postcode in one of those areas.
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
    /// The source of the approximate positions of outcodes, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approximate_source: Option<String>,
    /// The columns that at least one postcode has, and the kinds of areas.
    pub columns: Vec<String>,
    /// The program that wrote the file.
    pub built_with: String,
}

/// Counts of version 1.1 are left out if they are zero, so that files without them are unchanged.
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Metadata {
    /// Creates metadata with only the edition.
    ///
    /// ```
    /// use postcode_core::dataset::{DatasetBuilder, Metadata};
    ///
    /// let dataset = DatasetBuilder::new(Metadata::new("my own of May")).build()?;
    /// assert_eq!(dataset.info().edition, "my own of May");
    /// assert_eq!(dataset.info().attribution, ""); // set it if the licence wants one
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(edition: impl Into<String>) -> Self {
        Self { edition: edition.into(), ..Self::default() }
    }

    pub(crate) fn read(frame: &Frame, data: &[u8], origin: &str) -> Result<Self> {
        let entry = frame.require(section::METADATA, origin)?;
        serde_json::from_slice(entry.of(data)).map_err(|error| {
            damaged(origin, "section metadata", entry.start, format!("not valid metadata in JSON ({error})"))
                .with_source(error)
        })
    }

    /// Returns the description of the dataset. `named` tells whether it has names for a
    /// kind of area.
    pub(crate) fn info(&self, fingerprint: &str, named: impl Fn(AreaKind) -> bool) -> DatasetInfo {
        DatasetInfo {
            edition: self.edition.clone(),
            source: self.source.clone(),
            attribution: self.attribution.clone(),
            fingerprint: fingerprint.to_owned(),
            live: self.live,
            terminated: self.terminated,
            places: self.places,
            scottish_postcodes: self.scottish_postcodes,
            columns: self.api_columns(named),
            not_covered: self.not_covered.clone(),
            not_covered_advice: self.not_covered_advice.clone(),
        }
    }

    /// Returns the columns by their names in the HTTP API.
    fn api_columns(&self, named: impl Fn(AreaKind) -> bool) -> Vec<String> {
        let mut columns = Vec::new();
        for column in &self.columns {
            match AreaKind::ALL.into_iter().find(|kind| format!("{kind:?}") == *column) {
                Some(kind) => {
                    columns.extend(named(kind).then(|| kind.key().to_owned()));
                    columns.push(format!("codes.{}", kind.key()));
                }
                None => columns.push(
                    match column.as_str() {
                        "introduced" => "date_of_introduction",
                        "terminated" => "date_of_termination",
                        "deprivation_rank" => "index_of_multiple_deprivation",
                        other => other,
                    }
                    .to_owned(),
                ),
            }
        }
        columns
    }
}
