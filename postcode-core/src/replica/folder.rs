//! The folder that holds the copy and partial downloads.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use crate::dataset::{Dataset, PublicKey, read_signature, settle, signature_path};
use crate::{Error, ErrorKind, Result};

/// The files of one service's replica.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    /// Derived from the service's address, so that services have different files.
    name: String,
    /// The key that must have signed the copy.
    public_key: Option<PublicKey>,
}

impl Folder {
    pub(super) fn of(dir: Option<PathBuf>, service: &str, public_key: Option<PublicKey>) -> Result<Self> {
        let dir = match dir {
            Some(dir) => dir,
            None => cache()?,
        };
        fs::create_dir_all(&dir).map_err(|e| failed(&dir, "the folder for the copy can't be made", e))?;
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        let readable: String = service.chars().map(plain).take(60).collect();
        Ok(Self { dir, name: format!("{readable}-{:016x}", xxh3_64(service.as_bytes())), public_key })
    }

    /// Returns the path of the copy.
    pub(super) fn path(&self) -> PathBuf {
        self.dir.join(format!("{}.postcodes", self.name))
    }

    /// Opens the stored copy, if it exists and passes all checks.
    pub(super) fn open(&self) -> Option<Dataset> {
        let dataset = Dataset::open(self.path()).ok()?;
        (dataset.verify().is_ok() && self.is_signed(&dataset)).then_some(dataset)
    }

    /// Returns whether a signature is required.
    pub(super) fn demands_signature(&self) -> bool {
        self.public_key.is_some()
    }

    /// Returns the path of the next copy's signature: it can't be replaced in the same step as the
    /// copy.
    fn next_signature(&self) -> PathBuf {
        self.dir.join(format!("{}.next", self.name))
    }

    /// Returns whether the copy is signed as required: by its own signature, or by that of the next
    /// copy if the process died between the two renames.
    fn is_signed(&self, dataset: &Dataset) -> bool {
        let Some(key) = &self.public_key else { return true };
        [self.path(), self.next_signature()].iter().any(|path| {
            let signature = read_signature(path).ok().flatten();
            signature.is_some_and(|signature| key.verify(dataset.as_bytes(), &signature).is_ok())
        })
    }

    /// Opens the partial download of an edition, to resume it. Removes those of other editions.
    pub(super) fn partial(&self, edition: &str) -> Result<Partial> {
        let turn = self.dir.join(format!("{}.lock", self.name));
        if let Some(turn) = lock(&turn).map_err(|e| failed(&turn, "can't be written", e))? {
            let path = self.dir.join(format!("{}-{:016x}.partial", self.name, xxh3_64(edition.as_bytes())));
            self.remove_others(&path);
            let file = open(&path).map_err(|e| failed(&path, "can't be written", e))?;
            return Ok(Partial { file, path, turn: Some(turn) });
        }
        // Another process is downloading: each writes its own file, and the last to finish replaces
        // the copy.
        let own = format!("{}-own-{}-{:08x}.partial", self.name, std::process::id(), fastrand::u32(..));
        let path = self.dir.join(own);
        match lock(&path).map_err(|e| failed(&path, "can't be written", e))? {
            Some(file) => Ok(Partial { file, path, turn: None }),
            None => Err(Error::new(ErrorKind::Internal, format!("{}: in use", path.display()))),
        }
    }

    /// Removes partial downloads of other editions. Only called with the lock held.
    fn remove_others(&self, path: &Path) {
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let (name, other) = (entry.file_name(), entry.path());
            let ours = name.to_str().and_then(|name| name.strip_prefix(&self.name)?.strip_suffix(".partial"));
            match ours {
                Some(rest) if rest.starts_with("-own-") => remove_unless_in_use(&other),
                Some(_) if other != path => drop(fs::remove_file(&other)),
                _ => {}
            }
        }
    }
}

/// A download in progress, which no other process writes to.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) file: File,
    path: PathBuf,
    /// The lock on a resumable download, held in a separate file. A lock on the download itself
    /// would follow it through the rename, to a process that had opened it by its old name and
    /// waits to write.
    turn: Option<File>,
}

impl Partial {
    pub(super) fn len(&self) -> Result<u64> {
        let about = self.file.metadata().map_err(|e| self.failed("can't be read", e))?;
        Ok(if self.turn.is_some() { about.len() } else { 0 })
    }

    pub(super) fn failed(&self, what: &str, error: io::Error) -> Error {
        failed(&self.path, what, error)
    }

    /// Removes the download, so that the next try starts again.
    pub(super) fn discard(self) {
        let _ = fs::remove_file(&self.path);
    }

    /// Opens and checks the file, and replaces the copy and its signature with it.
    pub(super) fn publish(self, folder: &Folder, signature: Option<&str>) -> Result<Dataset> {
        let checked = Dataset::open(&self.path).and_then(|dataset| {
            if let Some(key) = &folder.public_key {
                key.verify(dataset.as_bytes(), signature.unwrap_or_default())?;
            }
            dataset.verify().map(|()| dataset)
        });
        let dataset = match checked {
            Ok(dataset) => dataset,
            Err(error) => {
                self.discard();
                return Err(error);
            }
        };
        self.file.sync_all().map_err(|e| self.failed("writing it to the disk failed", e))?;
        let next = signature_path(&folder.next_signature());
        if let Some(signature) = signature {
            fs::write(&next, signature).map_err(|e| failed(&next, "can't be written", e))?;
            File::open(&next)
                .and_then(|file| file.sync_all())
                .map_err(|e| failed(&next, "can't be written", e))?;
        }
        settle(&self.path, &folder.path())?;
        if signature.is_some() {
            settle(&next, &signature_path(&folder.path()))?;
        }
        Ok(dataset)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.turn.is_none() {
            // Nothing would find this file again. After publishing, no file has this name.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Opens or creates a file and locks it. Returns `None` if another process holds the lock.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        // A file system without locks: continue as if this were the only replica. The checks make
        // that safe.
        Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => Ok(Some(file)),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Only old files are removed: one that another process has just created may not be locked yet.
fn remove_unless_in_use(path: &Path) {
    const OLD: Duration = Duration::from_secs(60 * 60);
    let age = |file: &File| file.metadata().ok()?.modified().ok()?.elapsed().ok();
    if let Ok(file) = File::open(path)
        && age(&file).is_some_and(|age| age > OLD)
        && file.try_lock().is_ok()
    {
        let _ = fs::remove_file(path);
    }
}

fn failed(path: &Path, what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Dataset, format!("{}: {what}: {error}", path.display())).with_source(error)
}

/// Returns the cache folder: not the folder for temporary files, where others could place a file.
fn cache() -> Result<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    let cache = cache.or_else(|| absolute("LOCALAPPDATA"));
    let none = || Error::invalid("no cache folder found: set option dir to the folder for the copy");
    Ok(cache.ok_or_else(none)?.join("postcode"))
}
