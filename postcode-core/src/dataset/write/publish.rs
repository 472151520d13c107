//! A file appears whole under its name, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind, Result};

/// How far the writing of a dataset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done: `sorting`, `indexing`, `packing`, `checking`, `writing`.
    pub step: &'static str,
    /// How much of it: rows, or bytes when writing.
    pub done: u64,
    /// Out of how much.
    pub total: u64,
}

impl Progress {
    pub(crate) fn new(step: &'static str, done: usize, total: usize) -> Self {
        Self { step, done: done as u64, total: total as u64 }
    }

    pub(crate) fn indexing(done: usize, total: usize) -> Self {
        Self::new("indexing", done, total)
    }

    pub(crate) fn packing(done: usize, total: usize) -> Self {
        Self::new("packing", done, total)
    }
}

/// Told how far the work is; breaks it off on `Break`.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// The error of work that the caller broke off.
pub(crate) fn interrupted(path: &Path) -> Error {
    let what = format!(
        "{}: interrupted: nothing was written, an older file of that name is untouched",
        path.display()
    );
    Error::new(ErrorKind::Dataset, what)
}

/// A file beside its final name, removed when dropped.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // After the rename there is nothing to remove; else nothing can be done about a failure.
        let _ = fs::remove_file(&self.0);
    }
}

/// Writes the bytes beside `path`, makes them durable, and renames.
pub(crate) fn publish(path: &Path, bytes: &[u8], watch: Watch<'_>) -> Result<()> {
    let failed = |what: &str, error: io::Error| {
        let message = format!("{}: {what}: {error}; nothing was published", path.display());
        Error::new(ErrorKind::Dataset, message).with_source(error)
    };
    let Some(name) = path.file_name() else {
        let message = format!("{}: no file name: give the path of the file to write", path.display());
        return Err(Error::new(ErrorKind::Dataset, message));
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // In the same folder, so that the rename stays on one file system.
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}-{:08x}.partial", std::process::id(), fastrand::u32(..)));
    let temporary = Temporary(folder.join(temporary));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&temporary.0)
        .map_err(|e| failed("a file beside it can't be created", e))?;
    let mut done = 0;
    for chunk in bytes.chunks(1 << 22) {
        if watch(Progress::new("writing", done, bytes.len())).is_break() {
            return Err(interrupted(path));
        }
        file.write_all(chunk).map_err(|e| failed("writing failed", e))?;
        done += chunk.len();
    }
    file.sync_all().map_err(|e| failed("writing it to the disk failed", e))?;
    drop(file);
    if watch(Progress::new("writing", done, bytes.len())) == ControlFlow::Break(()) {
        return Err(interrupted(path));
    }
    settle(&temporary.0, path)
}

/// Gives a file, whole and on the disk, its name in the same folder.
pub(crate) fn settle(temporary: &Path, path: &Path) -> Result<()> {
    fs::rename(temporary, path).map_err(|e| {
        let message = format!("{}: renaming failed: {e}; nothing was published", path.display());
        Error::new(ErrorKind::Dataset, message).with_source(e)
    })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync_folder(folder).map_err(|e| {
        let message = format!("{}: written, but its folder can't be made durable: {e}", path.display());
        Error::new(ErrorKind::Dataset, message).with_source(e)
    })
}

/// Makes the rename durable. Only Unix has, and needs, this.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
