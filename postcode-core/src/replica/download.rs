//! Downloads an offered edition in ranges, resumes where the last try broke off, and publishes it.

use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::fetch::{self, Offer};
use super::folder::{Folder, Partial};
use crate::dataset::Dataset;
use crate::{Error, ErrorKind, Remote, Result};

pub(super) async fn download(
    remote: &Remote,
    folder: &Arc<Folder>,
    offer: &Offer,
    largest: u64,
) -> Result<Dataset> {
    if offer.len == 0 || offer.len > largest {
        let what =
            format!("{remote}: the dataset file has {} bytes, but 1 to {largest} are allowed", offer.len);
        return Err(Error::new(ErrorKind::Protocol, what));
    }
    let (name, len) = (offer.name(), offer.len);
    let (dir, at) = (folder.clone(), offer.len);
    let mut partial = off(move || begin(&dir, &name, at)).await?;
    let mut have = partial.1;
    while have < len {
        let bytes = fetch::range(remote, offer, have).await?;
        have += bytes.len() as u64;
        partial = off(move || {
            let (mut partial, _) = partial;
            partial.file.write_all(&bytes).map_err(|e| partial.failed("writing failed", e))?;
            Ok((partial, have))
        })
        .await?;
    }
    let signature = if folder.demands_signature() { Some(fetch::signature(remote).await?) } else { None };
    let (folder, sha256) = (folder.clone(), offer.sha256);
    let service = remote.to_string();
    off(move || finish(partial.0, (sha256, signature.as_deref()), &folder, &service)).await
}

/// Returns the partial download and its length, positioned so that writing appends to it.
fn begin(folder: &Folder, name: &str, len: u64) -> Result<(Partial, u64)> {
    let mut partial = folder.partial(name)?;
    let mut have = partial.len()?;
    if have > len {
        partial.file.set_len(0).map_err(|e| partial.failed("can't be cut", e))?;
        have = 0;
    }
    partial.file.seek(SeekFrom::Start(have)).map_err(|e| partial.failed("can't be written", e))?;
    Ok((partial, have))
}

/// Checks the downloaded file and publishes it.
fn finish(
    mut partial: Partial,
    (sha256, signature): (Option<[u8; 32]>, Option<&str>),
    folder: &Folder,
    service: &str,
) -> Result<Dataset> {
    if let Some(due) = sha256 {
        let mut hash = Sha256::new();
        let mut some = vec![0; 1 << 16];
        partial.file.seek(SeekFrom::Start(0)).map_err(|e| partial.failed("can't be read", e))?;
        loop {
            match partial.file.read(&mut some).map_err(|e| partial.failed("can't be read", e))? {
                0 => break,
                n => hash.update(&some[..n]),
            }
        }
        if hash.finalize()[..] != due {
            partial.discard();
            let what = format!(
                "{service}: the checksum of the downloaded file differs from the service's: the file was damaged on the \
                 way, and is thrown away; the next try begins anew"
            );
            return Err(Error::new(ErrorKind::Protocol, what));
        }
    }
    partial.publish(folder, signature).map_err(|error| {
        let what = format!("{service}: the downloaded file can't be used: {}", error.message());
        Error::new(ErrorKind::Protocol, what).with_source(error)
    })
}

/// Runs work that waits for the disk on a separate thread, away from the threads that answer.
pub(super) async fn off<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) => {
            Err(Error::new(ErrorKind::Internal, "the work on the replica's file broke off").with_source(e))
        }
    }
}
