//! Why a file can't be enriched.

use super::absent::AbsentColumns;

/// Why a file can't be enriched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file, or what is asked of it, makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The data does not have a column that is asked for.
    #[error(transparent)]
    Absent(#[from] AbsentColumns),
    /// It could not be read.
    #[error("reading failed: {0}")]
    Read(#[from] std::io::Error),
    /// The lookup failed.
    #[error(transparent)]
    Lookup(#[from] postcode_core::Error),
}
