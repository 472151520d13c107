//! Bulk import of customers from a CSV file, in the background, with a report for each row.
//!
//! The file is stored whole or not at all, and each row's account is stored together with the row's
//! outcome. So after a crash the import continues where it was, and no row creates two accounts.

mod columns;
mod csv;
mod mapping;
mod work;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::service::check_key;
use crate::{Customers, Error, ParseIdError, Result};

pub(crate) use columns::ADDED;
pub(crate) use csv::{File, Row, Said};
pub use mapping::Mapping;

/// The largest file, in bytes.
pub const MAX_IMPORT: usize = 64 << 20;
/// The most rows of a file.
pub const MAX_IMPORT_ROWS: usize = 200_000;
/// The most imports that may wait or run at once.
pub const MAX_IMPORTS: usize = 50;

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

/// The id of an import: a UUID of version 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImportId(Uuid);

impl ImportId {
    fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for ImportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for ImportId {
    type Err = ParseIdError;
    fn from_str(s: &str) -> Result<Self, ParseIdError> {
        match Uuid::try_parse(s) {
            Ok(uuid) if s.len() == 36 => Ok(Self(uuid)),
            _ => Err(ParseIdError),
        }
    }
}

impl Serialize for ImportId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Customers {
    /// Accepts a CSV file of customers. When this returns the file is stored, and
    /// [`keep_importing`](Self::keep_importing) works on it. With a key, a repeated upload of the
    /// same file returns the same import.
    ///
    /// The first line names the columns, in any order and case: `name`, `email`, `postcode`, and
    /// `address` (lines separated by `|` or line breaks) or `address_line_1` to `address_line_10`;
    /// also, if you have them, `phone`, `notes`, and `reference:SYSTEM` for the id in another
    /// system. UTF-8; quoting as in RFC 4180.
    ///
    /// # Errors
    /// [`BadImport`](Error::BadImport) if the file is not of this form or too large;
    /// [`TooManyImports`](Error::TooManyImports); [`KeyReused`](Error::KeyReused) if the key was
    /// used for another file; [`Store`](Error::Store). An invalid row is reported by the import,
    /// not here.
    pub async fn import(&self, file: Vec<u8>, key: Option<&str>) -> Result<Import> {
        self.import_mapped(file, Mapping::default(), key).await
    }

    /// Accepts a CSV file of customers with other headings; otherwise like
    /// [`import`](Self::import).
    ///
    /// # Errors
    /// As [`import`](Self::import).
    pub async fn import_mapped(&self, file: Vec<u8>, mapping: Mapping, key: Option<&str>) -> Result<Import> {
        if let Some(key) = key {
            check_key(key)?;
        }
        let read = tokio::task::spawn_blocking(move || {
            let digest: String = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
            // Without a mapping it is the digest that earlier versions stored.
            let digest = match mapping.text() {
                text if text.is_empty() => digest,
                text => Sha256::digest(format!("{digest}\n{text}"))
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect(),
            };
            csv::read(&file, &mapping).map(|file| (digest, file))
        });
        let (digest, file) =
            read.await.map_err(|_| Error::BadImport("the file could not be read".into()))??;
        let import =
            self.store.add_import(ImportId::generate(), file, self.actor.as_deref(), key, &digest).await?;
        self.imports.notify_one();
        Ok(import)
    }

    /// Returns the headings and the first rows of a file, which may be cut off, and what an import
    /// would make of them. Stores nothing.
    ///
    /// # Errors
    /// [`BadImport`](Error::BadImport) if the file has no headings that can be read.
    pub async fn preview_import(&self, file: Vec<u8>, mapping: Mapping) -> Result<Preview> {
        let read = tokio::task::spawn_blocking(move || csv::preview(&file, &mapping));
        read.await.map_err(|_| Error::BadImport("the file could not be read".into()))?
    }

    /// Returns the import with that id.
    ///
    /// # Errors
    /// [`NoImport`](Error::NoImport), [`Store`](Error::Store).
    pub async fn get_import(&self, id: ImportId) -> Result<Import> {
        self.store.get_import(id).await?.ok_or(Error::NoImport(id))
    }

    /// Returns the last imports, newest first, at most a hundred.
    ///
    /// # Errors
    /// [`Store`](Error::Store).
    pub async fn imports(&self) -> Result<Vec<Import>> {
        Ok(self.store.imports().await?)
    }

    /// Returns the outcomes of the rows after a line, in order: all of them, or those with one
    /// outcome.
    ///
    /// # Errors
    /// [`NoImport`](Error::NoImport), [`Store`](Error::Store).
    pub async fn import_rows(
        &self,
        id: ImportId,
        outcome: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<ImportRow>> {
        let rows = self.store.import_rows(id, outcome, after, limit).await?;
        if rows.is_empty() {
            self.get_import(id).await?;
        }
        Ok(rows)
    }

    /// Returns the headings of an import's file.
    ///
    /// # Errors
    /// [`NoImport`](Error::NoImport), [`Store`](Error::Store).
    pub async fn import_headings(&self, id: ImportId) -> Result<Vec<String>> {
        self.store.import_headings(id).await?.ok_or(Error::NoImport(id))
    }

    /// Returns the rows after a line that failed, in order, with their cells as they were sent. Rows of an
    /// account that has been erased since are not among them.
    ///
    /// # Errors
    /// [`Store`](Error::Store).
    pub async fn failed_rows(&self, id: ImportId, after: i64, limit: usize) -> Result<Vec<FailedRow>> {
        Ok(self.store.failed_rows(id, after, limit).await?)
    }

    /// Stops an import. Accounts that it has created stay.
    ///
    /// # Errors
    /// [`NoImport`](Error::NoImport), [`Store`](Error::Store).
    pub async fn cancel_import(&self, id: ImportId) -> Result<Import> {
        self.store.cancel_import(id).await?;
        self.get_import(id).await
    }
}
