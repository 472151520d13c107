//! The file of a database.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// The identity of the file when the database was opened. A deleted or replaced file would go on
/// accepting writes that nobody can ever read.
#[derive(Clone, Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl DatabaseFile {
    pub(super) fn of(path: &Path) -> Result<Self, StoreError> {
        let identity = identity(path)
            .map_err(|error| StoreError::new(format!("the database {}: {error}", path.display())))?;
        Ok(Self { path: path.to_owned(), identity })
    }

    /// Checks that the path still names the same file.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let gone = |what: String| {
            Err(StoreError::unavailable(format!(
                "the database {} {what} while it was open: stop this program, put the file back, and start again",
                self.path.display()
            )))
        };
        match identity(&self.path) {
            Ok(now) if now == self.identity => Ok(()),
            Ok(_) => gone("was replaced".to_owned()),
            Err(error) => gone(format!("went away ({error})")),
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|about| (about.dev(), about.ino()))
}
