//! How files are read.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use super::error::{Error, Result};
use crate::model::Dataset;

/// Says whether a postcode is in use.
pub type InUse = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// How files are read.
pub struct Options {
    /// Reads only files whose path within the input begins with this.
    pub within: Option<String>,
    /// The most rows that may be refused. With more, nothing is to be published.
    pub max_refused: u64,
    /// Puts addresses of capital letters into title case.
    pub title_case: bool,
    /// Says whether a postcode is in use. The report counts postcodes that are not.
    pub in_use: Option<InUse>,
    /// Column maps for files whose layout is not confirmed.
    pub columns: Vec<ColumnMap>,
}

impl Default for Options {
    fn default() -> Self {
        Self { within: None, max_refused: 100, title_case: true, in_use: None, columns: Vec::new() }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("within", &self.within)
            .field("max_refused", &self.max_refused)
            .field("title_case", &self.title_case)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// Says in which column of a file each element stands: `alias:postcode=0,thoroughfare=4,udprn=12`.
///
/// The word in front is a part of the file's name. Columns are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnMap {
    /// A part of the names of the files that are read so, in lower case.
    pub files: String,
    /// The column of each element.
    pub columns: HashMap<String, usize>,
    /// The dataset of the addresses.
    pub dataset: Dataset,
}

impl ColumnMap {
    /// The texts of an address, in the order of [`Address::texts`].
    pub(super) const TEXTS: [&'static str; 13] = [
        "organisation",
        "department",
        "po_box",
        "sub_building",
        "building_name",
        "building_number",
        "dependent_thoroughfare",
        "thoroughfare",
        "double_dependent_locality",
        "dependent_locality",
        "post_town",
        "postcode",
        "delivery_point_suffix",
    ];
    pub(super) const OTHERS: [&'static str; 4] = ["udprn", "umprn", "uprn", "postcode_type"];
}

impl FromStr for ColumnMap {
    type Err = Error;

    fn from_str(map: &str) -> Result<Self> {
        let invalid = |why: String| Error::ColumnMap { map: map.to_owned(), why };
        let (files, rest) = map
            .split_once(':')
            .ok_or_else(|| invalid("the part of the file's name and a colon are missing".into()))?;
        let mut columns = HashMap::new();
        for pair in rest.split(',') {
            let (element, column) =
                pair.split_once('=').ok_or_else(|| invalid(format!("{pair:?} is not element=column")))?;
            if !Self::TEXTS.contains(&element) && !Self::OTHERS.contains(&element) {
                let known = [&Self::TEXTS[..], &Self::OTHERS[..]].concat().join(", ");
                return Err(invalid(format!("{element:?} is not an element. Elements: {known}")));
            }
            let column = column.parse().ok().filter(|&column: &usize| column < 256);
            let column =
                column.ok_or_else(|| invalid(format!("{pair:?}: the column is a number from 0 to 255")))?;
            columns.insert(element.to_owned(), column);
        }
        if files.is_empty() || !columns.contains_key("postcode") {
            return Err(invalid("the part of the file's name and the column of postcode are needed".into()));
        }
        let files = files.to_ascii_lowercase();
        let dataset = if files.contains("alias") { Dataset::Alias } else { Dataset::Paf };
        Ok(Self { files, columns, dataset })
    }
}

impl fmt::Display for ColumnMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut columns: Vec<String> =
            self.columns.iter().map(|(element, column)| format!("{element}={column}")).collect();
        columns.sort();
        write!(f, "{}:{}", self.files, columns.join(","))
    }
}
