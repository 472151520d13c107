//! The part of a file that has come so far, and what it is a part of.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

/// The file that a server offered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Offer {
    pub(super) url: String,
    pub(super) etag: Option<String>,
    pub(super) modified: Option<String>,
    pub(super) total: Option<u64>,
}

impl Offer {
    /// Returns what tells one file from another byte by byte (RFC 9110, section 13.1.5): a weak entity tag does not.
    pub(super) fn validator(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|etag| etag.starts_with('"'));
        strong.or(self.modified.as_deref())
    }
}

/// A partial download. It is locked, so that no other process writes to it.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    path: PathBuf,
    to: PathBuf,
    len: u64,
    offer: Offer,
    /// A separate file, because a lock on the part would follow it to its final name.
    _turn: File,
}

impl Part {
    /// Opens the part for this path, with what it is a part of.
    pub(super) fn open(to: &Path) -> Result<Self> {
        let path = beside(to, ".part");
        let cannot = |path: &Path| format!("{}: can't be written", path.display());
        let turn = beside(to, ".lock");
        let open =
            |path: &Path| OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let lock = open(&turn).with_context(|| cannot(&turn))?;
        match lock.try_lock() {
            Ok(()) => {}
            // A file system without locks.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::WouldBlock) => {
                bail!("{}: another process is downloading it: wait for that", to.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| cannot(&turn)),
        }
        let mut file = open(&path).with_context(|| cannot(&path))?;
        let len = file.seek(SeekFrom::End(0)).with_context(|| cannot(&path))?;
        let offer = read(&beside(to, ".part.json")).unwrap_or_default();
        Ok(Self { file, path, to: to.to_owned(), len, offer, _turn: lock })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn offer(&self) -> &Offer {
        &self.offer
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Throws away what came, and begins with another file.
    pub(super) fn begin(&mut self, offer: Offer) -> Result<()> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .with_context(|| format!("{}: can't be written", self.path.display()))?;
        self.len = 0;
        self.offer = offer;
        let about = beside(&self.to, ".part.json");
        let text = serde_json::to_vec(&self.offer)?;
        fs::write(&about, text).with_context(|| format!("{}: can't be written", about.display()))
    }

    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).with_context(|| format!("{}: can't be written", self.path.display()))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Returns what the file under the final name is, if it is whole.
    pub(super) fn finished(&self) -> Option<Offer> {
        let offer = read(&beside(&self.to, ".json"))?;
        let len = fs::metadata(&self.to).ok()?.len();
        (offer.total == Some(len)).then_some(offer)
    }

    /// Removes what came.
    pub(super) fn discard(self) {
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(beside(&self.to, ".part.json"));
    }

    /// Makes the file durable, and gives it its final name.
    pub(super) fn publish(self) -> Result<()> {
        let cannot = || format!("{}: can't be written", self.to.display());
        self.file.sync_all().with_context(cannot)?;
        let about = beside(&self.to, ".json");
        // First the note about the old file goes: it must never be about the new one.
        match fs::remove_file(&about) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(cannot),
            _ => {}
        }
        crate::destination::replace(&self.path, &self.to)?;
        let offer = Offer { total: Some(self.len), ..self.offer };
        fs::write(&about, serde_json::to_vec(&offer)?).with_context(cannot)?;
        let _ = fs::remove_file(beside(&self.to, ".part.json"));
        Ok(())
    }
}

fn read(path: &Path) -> Option<Offer> {
    /// Bytes of a note at most: a longer one is not ours.
    const MOST: u64 = 1 << 16;
    let about = fs::metadata(path).ok()?;
    if !about.is_file() || about.len() > MOST {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// `onspd.zip.part`, next to `onspd.zip`.
fn beside(to: &Path, end: &str) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(end);
    name.into()
}
