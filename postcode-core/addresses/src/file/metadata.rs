//! The metadata of a file of addresses, as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The metadata of a file of addresses. The importer sets edition, sources and licence; the writer counts.
///
/// ```
/// use postcode_addresses::file::Metadata;
///
/// let metadata = Metadata { licensee: "Example Ltd".into(), ..Metadata::new("PAF Y26M11") };
/// assert!(!metadata.may_be_passed_on);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The edition, such as `PAF Y26M11`.
    pub edition: String,
    /// The files that it was made from.
    pub sources: Vec<String>,
    /// The attribution that must be shown wherever the data is used.
    pub attribution: String,
    /// The licence: its name, or its text.
    pub licence: String,
    /// Who holds the licence.
    pub licensee: String,
    /// Whether the licence lets the licensee pass the file on. Without it nothing that copies the file does so, unless its
    /// operator says so.
    pub may_be_passed_on: bool,
    /// Addresses, streets of outcodes not included.
    pub addresses: u64,
    /// Postcodes that have addresses.
    pub postcodes: u64,
    /// Outcodes that have addresses.
    pub outcodes: u64,
    /// Streets of outcodes. They are not addresses.
    pub streets: u64,
    /// The postcode areas that have addresses, such as `SW`.
    pub areas: Vec<String>,
    /// How many entries come from each dataset, by its short name.
    pub datasets: BTreeMap<String, u64>,
    /// Addresses that have a UDPRN.
    pub udprns: u64,
    /// Addresses that have a UMPRN.
    pub umprns: u64,
    /// Addresses that have a UPRN.
    pub uprns: u64,
    /// Addresses that have a location.
    pub points: u64,
    /// The program that wrote the file.
    pub built_with: String,
}

impl Metadata {
    /// Creates metadata with only the edition.
    ///
    /// ```
    /// use postcode_addresses::file::Metadata;
    ///
    /// assert_eq!(Metadata::new("PAF Y26M11").edition, "PAF Y26M11");
    /// ```
    #[must_use]
    pub fn new(edition: impl Into<String>) -> Self {
        Self { edition: edition.into(), ..Self::default() }
    }
}
