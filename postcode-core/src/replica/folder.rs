//! Where the copy is kept, and the parts of one that is being made.

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
    /// Of the service's address: files are told apart by it.
    name: String,
    /// Who must have signed the copy.
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

    /// The copy.
    pub(super) fn path(&self) -> PathBuf {
        self.dir.join(format!("{}.postcodes", self.name))
    }

    /// The copy from before, if it is there and whole.
    pub(super) fn open(&self) -> Option<Dataset> {
        let dataset = Dataset::open(self.path()).ok()?;
        (dataset.verify().is_ok() && self.is_signed(&dataset)).then_some(dataset)
    }

    /// Whether a signature is demanded.
    pub(super) fn demands_signature(&self) -> bool {
        self.public_key.is_some()
    }

    /// Where the signature of the next copy waits: it can't be exchanged in the same moment as the copy.
    fn next_signature(&self) -> PathBuf {
        self.dir.join(format!("{}.next", self.name))
    }

    /// Whether the copy is signed as demanded: by its signature, or by that of the next copy, if the process died between
    /// the two renames.
    fn is_signed(&self, dataset: &Dataset) -> bool {
        let Some(key) = &self.public_key else { return true };
        [self.path(), self.next_signature()].iter().any(|path| {
            let signature = read_signature(path).ok().flatten();
            signature.is_some_and(|signature| key.verify(dataset.as_bytes(), &signature).is_ok())
        })
    }

    /// The part that there is of an edition, to go on with. Parts of other editions are removed.
    pub(super) fn partial(&self, edition: &str) -> Result<Partial> {
        let turn = self.dir.join(format!("{}.lock", self.name));
        if let Some(turn) = lock(&turn).map_err(|e| failed(&turn, "can't be written", e))? {
            let path = self.dir.join(format!("{}-{:016x}.partial", self.name, xxh3_64(edition.as_bytes())));
            self.remove_others(&path);
            let file = open(&path).map_err(|e| failed(&path, "can't be written", e))?;
            return Ok(Partial { file, path, turn: Some(turn) });
        }
        // Another process is at it: each its own, and the last one to be ready takes the place.
        let own = format!("{}-own-{}-{:08x}.partial", self.name, std::process::id(), fastrand::u32(..));
        let path = self.dir.join(own);
        match lock(&path).map_err(|e| failed(&path, "can't be written", e))? {
            Some(file) => Ok(Partial { file, path, turn: None }),
            None => Err(Error::new(ErrorKind::Internal, format!("{}: in use", path.display()))),
        }
    }

    /// By whoever has the turn, so that nobody is at the parts of other editions.
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

/// A file that is becoming the copy, and that no other process writes to.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) file: File,
    path: PathBuf,
    /// For the one that may hold something from before: the lock on it, in a file of its own. A lock on the file itself
    /// would go with it when it becomes the copy, to whoever had opened it by its old name and waits to write to it.
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

    /// It is no use: the next try begins anew.
    pub(super) fn discard(self) {
        let _ = fs::remove_file(&self.path);
    }

    /// Opens it, checks everything, and puts it in the place of the copy, with its signature.
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
            // No one would find it again. After it was published there is nothing of that name.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// The file, made if it is not there; `None` if another process has it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        // A file system without locks: as if there were one replica only, which the checks make safe.
        Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => Ok(Some(file)),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// One that another process has made this moment may not be locked yet: only what is old goes.
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

/// Not the folder for temporary files, where others could put a file of theirs.
fn cache() -> Result<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    let cache = cache.or_else(|| absolute("LOCALAPPDATA"));
    let none = || Error::invalid("no cache folder is known here: say with option dir where to keep the copy");
    Ok(cache.ok_or_else(none)?.join("postcode"))
}
