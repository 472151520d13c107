//! A file of customers: how it is read, and what is known of its import.

mod columns;
mod csv;
mod mapping;

use jiff::Timestamp;
use serde::Serialize;

use crate::ImportId;

#[cfg(feature = "server")]
pub(crate) use columns::ADDED;
pub(crate) use csv::{File, Row, Said, preview, read};
pub use mapping::Mapping;

/// The longest message in a report, in characters.
pub(crate) const MAX_MESSAGE: usize = 500;

/// An import as it is now. Serialises to the JSON of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Import {
    /// The id.
    pub id: ImportId,
    /// The progress.
    pub state: ImportState,
    /// Rows of the file, without its header.
    pub total: i64,
    /// Rows that created an account.
    pub created: i64,
    /// Rows that failed, for the reason in the report.
    pub failed: i64,
    /// When the file was accepted.
    #[serde(serialize_with = "crate::customer::rfc3339")]
    pub created_at: Timestamp,
    /// When its last row was done, or when it was cancelled.
    #[serde(serialize_with = "crate::customer::rfc3339_if")]
    pub finished_at: Option<Timestamp>,
}

/// The progress of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// No row is done yet.
    Queued,
    /// Some rows are done.
    Running,
    /// All rows are done; which of them failed is in the report.
    Succeeded,
    /// The import was cancelled. Accounts that it had created stay.
    Cancelled,
}

impl ImportState {
    const ALL: [Self; 4] = [Self::Queued, Self::Running, Self::Succeeded, Self::Cancelled];

    /// Returns the name that the API and the database use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// The outcome of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ImportRow {
    /// The line of the file on which it begins; the header is on line 1.
    pub line: i64,
    /// `created`, `failed`, or `None` if not done yet.
    pub outcome: Option<String>,
    /// The account that it created.
    pub customer_id: Option<String>,
    /// Why it failed.
    pub message: Option<String>,
}

/// A row that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedRow {
    /// The line of the file on which it begins; the header is on line 1.
    pub line: i64,
    /// The cells as they were sent.
    pub cells: Vec<String>,
    /// Why it failed.
    pub reason: String,
}

/// The headings and the first rows of a file, to see what an import would do with it. Serialises to
/// the JSON of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Preview {
    /// The columns of the file, in their order.
    pub columns: Vec<PreviewColumn>,
    /// The cells of the first rows.
    pub rows: Vec<Vec<String>>,
    /// The columns that every file needs and this one does not have: `name`, `email`, `postcode`,
    /// `address`.
    pub missing: Vec<&'static str>,
    /// Why the file would be refused; `None` if it would be accepted.
    pub problem: Option<String>,
}

/// A column of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PreviewColumn {
    /// The heading.
    pub heading: String,
    /// The meaning, as [`Mapping::set`] takes it; `None` if it is not known.
    pub column: Option<String>,
}
