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
/// The longest name of a file that is kept, in characters.
#[cfg(feature = "server")]
const MAX_FILE_NAME: usize = 200;

/// Returns the name of a file as it is kept and shown.
#[cfg(feature = "server")]
pub(crate) fn name(sent: &str) -> Option<String> {
    let name: String = sent.trim().chars().filter(|c| !c.is_control()).take(MAX_FILE_NAME).collect();
    Some(name).filter(|name| !name.is_empty())
}

/// An import as it is now. Serialises to the JSON of the HTTP API.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// let file = b"name,email,postcode,address\nAda Lovelace,ada@example.com,SW1Y 4JH,12 St James's Square\n";
/// let import = customers.import(file.to_vec(), None).await?;
/// assert_eq!((import.state.as_str(), import.total, import.created), ("queued", 1, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Import {
    /// The id.
    pub id: ImportId,
    /// The name of the file where it comes from, if the sender gave it. At most 200 characters of it are kept.
    pub name: Option<String>,
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
///
/// ```
/// use customers::ImportState;
///
/// fn is_over(state: ImportState) -> bool {
///     matches!(state, ImportState::Succeeded | ImportState::Cancelled)
/// }
/// assert!(!is_over(ImportState::Running));
/// ```
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
    ///
    /// ```
    /// use customers::ImportState;
    ///
    /// assert_eq!(ImportState::Succeeded.as_str(), "succeeded");
    /// ```
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
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// let file = b"name,email,postcode,address\nAda Lovelace,ada@example.com,SW1Y,12 St James's Square\n";
/// let import = customers.import(file.to_vec(), None).await?;
/// while customers.import_some().await? {}
/// let row = &customers.import_rows(import.id, None, 0, 10).await?[0];
/// assert_eq!((row.line, row.outcome.as_deref()), (2, Some("failed"))); // SW1Y is not a whole postcode
/// # Ok(())
/// # }
/// ```
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
///
/// ```
/// use customers::FailedRow;
///
/// /// Returns a failed row for a file that is corrected by hand.
/// fn line(row: &FailedRow) -> Vec<String> {
///     [row.cells.clone(), vec![row.line.to_string(), row.reason.clone()]].concat()
/// }
/// ```
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
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// use customers::Mapping;
///
/// let preview = customers.preview_import(b"Full Name,E-mail\nAda Lovelace,ada@example.com\n".to_vec(), Mapping::default()).await?;
/// assert_eq!(preview.rows, [["Ada Lovelace", "ada@example.com"]]);
/// assert_eq!(preview.missing, ["postcode", "address"]);
/// # Ok(())
/// # }
/// ```
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
    /// The steps to read the file, such as which sheet of a workbook was taken, and which others have something in them.
    pub notes: Vec<String>,
}

/// A column of a file.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// use customers::Mapping;
///
/// let preview = customers.preview_import(b"Full Name,Rabatt\nAda Lovelace,5\n".to_vec(), Mapping::default()).await?;
/// let meanings: Vec<_> = preview.columns.iter().map(|column| column.column.as_deref()).collect();
/// assert_eq!(meanings, [Some("name"), None]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PreviewColumn {
    /// The heading.
    pub heading: String,
    /// The meaning, as [`Mapping::set`] takes it; `None` if it is not known.
    pub column: Option<String>,
}
