//! Files that hold personal data.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Creates an empty database file that only its owner can read and write, if there is no file yet.
///
/// SQLite gives its `-wal` and `-shm` files the permissions of the database. A file that exists
/// keeps its permissions, because an operator may have chosen them. If others can read it, that is
/// logged.
///
/// # Errors
/// If the file can't be created.
pub fn make_private(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let mode = fs::metadata(path).map_or(0, |about| about.permissions().mode() & 0o777);
            if path.is_file() && mode & 0o007 != 0 {
                tracing::warn!(
                    file = %path.display(),
                    mode = format!("{mode:o}"),
                    "every user of this machine can read the database: run chmod 600 on it and on its -wal and -shm files"
                );
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}
