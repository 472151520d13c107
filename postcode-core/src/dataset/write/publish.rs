//! Publishes files atomically: complete under their final name, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind, Result};

/// The progress of writing a dataset.
///
/// ```
/// # use std::ops::ControlFlow;
/// # use postcode_core::dataset::{DatasetBuilder, Metadata};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("uk.postcodes");
/// # let builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// use postcode_core::dataset::Progress;
///
/// /// Returns one line for a terminal.
/// fn line(progress: Progress) -> String {
///     format!("{} {} %", progress.step, 100 * progress.done / progress.total.max(1))
/// }
///
/// let mut last = String::new();
/// builder.write_to(&path, &mut |progress| {
///     last = line(progress);
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!(last, "writing 100 %");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The current step: `sorting`, `indexing`, `packing`, `checking`, `writing`.
    pub step: &'static str,
    /// The work done: rows, or bytes when writing.
    pub done: u64,
    /// The total work.
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

/// Receives the progress, and stops the work with `Break`.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Creates the error of work that the caller stopped.
pub(crate) fn interrupted(path: &Path) -> Error {
    let what = format!(
        "{}: interrupted: nothing was written, and an existing file of that name is unchanged",
        path.display()
    );
    Error::new(ErrorKind::Dataset, what)
}

/// A file with a temporary name, removed when dropped.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // After the rename there is nothing to remove. Otherwise a failure can't be handled.
        let _ = fs::remove_file(&self.0);
    }
}

/// Writes the bytes to a temporary file in the same folder, makes them durable, and renames it to
/// `path`.
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
        .map_err(|e| failed("a temporary file in its folder can't be created", e))?;
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

/// Renames a complete and durable file to its final name in the same folder.
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
