//! The description of a dataset.

use serde::{Deserialize, Serialize};

use crate::postcode::UNLISTED;

/// The dataset that answers come from: edition, source, licence, size.
///
/// ```
/// use postcode_core::DatasetInfo;
///
/// /// Returns the line that has to be shown wherever the data is used.
/// fn footer(info: &DatasetInfo) -> String {
///     format!("{} ({} postcodes in use). {}", info.edition, info.live, info.attribution)
/// }
/// assert_eq!(footer(&DatasetInfo::new("May 2025")), "May 2025 (0 postcodes in use). ");
/// ```
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
    /// The fields of a record that at least one postcode has, by their names in the HTTP API:
    /// `latitude`, `admin_district`, and `codes.admin_district` for the code of an area. Empty if
    /// that is not known, as with a server older than this field.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Postcode areas that the dataset leaves out, in order: `BT` with the embedded data, and those
    /// that no list of postcodes has, `BF`, `BX`, `GX` and `XX`.
    pub not_covered: Vec<String>,
    /// Advice for a user who asks for a postcode in one of those areas. See
    /// [`advice`](Self::advice) for the advice about one area.
    pub not_covered_advice: Option<String>,
}

impl DatasetInfo {
    /// Creates a description with only the edition.
    ///
    /// ```
    /// use postcode_core::DatasetInfo;
    ///
    /// let info = DatasetInfo::new("May 2025");
    /// assert_eq!((info.edition.as_str(), info.live), ("May 2025", 0));
    /// ```
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
            columns: Vec::new(),
            not_covered: Vec::new(),
            not_covered_advice: None,
        }
    }

    /// Returns the advice for a user who asks for a postcode in this area, if the dataset leaves
    /// the area out.
    ///
    /// ```
    /// use postcode_core::DatasetInfo;
    ///
    /// let mut info = DatasetInfo::new("ONSPD November 2025");
    /// info.not_covered = vec!["BF".to_owned()];
    /// assert!(info.advice("BF").is_some_and(|advice| advice.contains("British Forces")));
    /// assert_eq!(info.advice("SW"), None);
    /// ```
    pub fn advice(&self, area: &str) -> Option<&str> {
        if !self.not_covered.iter().any(|other| other == area) {
            return None;
        }
        let unlisted = UNLISTED.iter().find(|(code, _)| *code == area).map(|(_, advice)| *advice);
        unlisted.or(self.not_covered_advice.as_deref()).or(Some("the dataset does not cover this area"))
    }

    /// Adds the areas that no list of postcodes has, except those that this dataset does have
    /// postcodes of.
    #[cfg(feature = "dataset")]
    pub(crate) fn leave_out_unlisted(&mut self, has: impl Fn(&str) -> bool) {
        let unlisted = UNLISTED.iter().map(|(code, _)| *code).filter(|code| !has(code));
        self.not_covered.extend(unlisted.map(str::to_owned));
        self.not_covered.sort_unstable();
        self.not_covered.dedup();
    }
}
