//! How rows come in a file of JSON.

use postcode_tables::json::{ObjectScanner, Opening};
use serde::{Deserialize, Serialize};

/// The layout of a file of JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Objects, in an array or one after the other.
    #[default]
    Objects,
    /// Objects in an array within an object, or within an object in an object.
    Wrapped {
        /// The objects around the array: 1 or 2.
        depth: u8,
    },
    /// An object with an array of the names of columns, and one of arrays: pandas calls this layout `split`.
    Split {
        /// The column of the postcodes.
        postcode: usize,
        /// How many columns there are.
        columns: usize,
    },
}

impl Shape {
    /// Returns the scanner for the rows, of which the text may only have a `part`.
    pub(super) fn scanner(self, part: bool) -> ObjectScanner {
        match self {
            Self::Objects if part => ObjectScanner::of_part(),
            Self::Objects => ObjectScanner::default(),
            Self::Wrapped { .. } => ObjectScanner::within(Opening::Object, part),
            Self::Split { .. } => ObjectScanner::within(Opening::Array, part),
        }
    }

    /// Returns whether rows are arrays.
    pub(super) fn is_split(self) -> bool {
        matches!(self, Self::Split { .. })
    }
}
