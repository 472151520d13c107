//! Checks that a zip file is whole.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest, Sha256};

/// Files in a zip file; ONSPD has some 170.
const MOST_FILES: usize = 20_000;
/// Bytes of all that is in it; the largest ONSPD has 3 GB.
const MOST_UNPACKED: u64 = 32 << 30;

/// How a zip file begins.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

/// Reads the whole file, unpacking each file in it, which compares the checksums. Returns the file's own SHA-256.
///
/// # Errors
/// If it is not a zip file, is cut off or damaged, or unpacks to more than any publisher's file.
pub(super) fn check(path: &Path) -> Result<String> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut zip = zip::ZipArchive::new(&mut file).context("not a whole zip file")?;
    ensure!(
        zip.len() <= MOST_FILES,
        "{} files in the zip file, but at most {MOST_FILES} are read",
        zip.len()
    );
    ensure!(!zip.is_empty(), "the zip file is empty");
    let mut left = MOST_UNPACKED;
    for n in 0..zip.len() {
        let entry = zip.by_index(n).with_context(|| format!("file {n} of the zip file can't be read"))?;
        let name = entry.name().map_or_else(|_| format!("file {n}"), std::borrow::Cow::into_owned);
        let read = io::copy(&mut entry.take(left), &mut io::sink())
            .with_context(|| format!("{name}: damaged in the zip file"))?;
        left -= read;
        ensure!(left > 0, "the zip file unpacks to more than {MOST_UNPACKED} bytes");
    }
    drop(zip);
    file.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut some = vec![0; 1 << 16];
    loop {
        match file.read(&mut some)? {
            0 => break,
            n => hash.update(&some[..n]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Returns whether a file begins as a zip file does.
pub(super) fn begins(path: &Path) -> Result<bool> {
    let mut first = [0; MAGIC.len()];
    let mut file = File::open(path).with_context(|| format!("{}: can't be read", path.display()))?;
    Ok(file.read_exact(&mut first).is_ok() && first == MAGIC)
}
