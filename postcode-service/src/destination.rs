//! Checks where a file may be written: only over a file, and never over an input or another output.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use tempfile::NamedTempFile;

/// # Errors
/// Fails if something exists there that must not be replaced.
pub(crate) fn check<'a>(out: &Path, others: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let shown = out.display();
    if let Ok(there) = fs::symlink_metadata(out) {
        ensure!(!there.is_dir(), "{shown}: a folder: give the file to write");
        ensure!(
            !there.is_symlink(),
            "{shown}: a symbolic link, which would be replaced: give the file it points to"
        );
        ensure!(
            there.is_file(),
            "{shown}: a device, a pipe or a socket, which would be replaced: give a file"
        );
    }
    let same = |other: &Path| match (out.canonicalize(), other.canonicalize()) {
        (Ok(out), Ok(other)) => out == other,
        _ => out == other,
    };
    for other in others {
        ensure!(
            !same(other),
            "{shown}: is {} as well, and would be lost: write to another file",
            other.display()
        );
    }
    Ok(())
}

/// Creates a temporary file next to the path, which [`publish`] renames to it. Dropping it first
/// removes it.
///
/// # Errors
/// Fails if the file can't be created.
pub(crate) fn begin(out: &Path) -> Result<NamedTempFile> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made by File::create_new, for the usual permissions: temporary files are readable by their
    // owner only.
    tempfile::Builder::new()
        .prefix(".postcode-")
        .suffix(".partial")
        .make_in(folder, |path| File::create_new(path))
        .with_context(|| format!("{}: can't be written", out.display()))
}

/// Puts the file in its place, whole and on the disk.
///
/// # Errors
/// Fails if that fails; an existing file stays unchanged.
pub(crate) fn publish(file: NamedTempFile, out: &Path) -> Result<()> {
    let cannot = || format!("{}: can't be written", out.display());
    file.as_file().sync_all().with_context(cannot)?;
    file.persist(out).with_context(cannot)?;
    Ok(())
}

/// Renames a whole and durable file to its final name in the same folder, and makes the rename durable.
///
/// # Errors
/// Fails if that fails; an existing file stays unchanged unless only the last step failed.
pub(crate) fn replace(file: &Path, out: &Path) -> Result<()> {
    let cannot = || format!("{}: can't be written", out.display());
    fs::rename(file, out).with_context(cannot)?;
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Only Unix has, and needs, this.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).with_context(cannot)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test it is the failure.
mod tests {
    use super::*;

    #[test]
    fn nothing_but_files_is_replaced_and_no_input() {
        let folder = tempfile::tempdir().unwrap();
        let (input, out) = (folder.path().join("in.csv"), folder.path().join("out"));
        fs::write(&input, "pcds").unwrap();
        assert!(check(&out, [&*input]).is_ok());
        fs::write(&out, "").unwrap();
        assert!(check(&out, [&*input]).is_ok());
        let says = |path: &Path| check(path, [&*input]).unwrap_err().to_string();
        assert!(says(folder.path()).contains("a folder"));
        assert!(says(&folder.path().join(".").join("in.csv")).contains("would be lost"));
        #[cfg(unix)]
        {
            assert!(says(Path::new("/dev/null")).contains("a device"));
            let link = folder.path().join("link");
            std::os::unix::fs::symlink(&out, &link).unwrap();
            assert!(says(&link).contains("a symbolic link"));
        }
    }
}
