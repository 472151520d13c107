//! Temporary files of zip archives and workbooks that come as a stream.
//!
//! They have no names, so the system removes them also when the program is killed.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::SpooledTempFile;

/// Bytes of a spooled file that stay in memory.
const IN_MEMORY: u64 = 4 << 20;
/// Bytes of all spooled files of the program on disk.
const MAX_ALL_SPOOLED: u64 = 4 << 30;
/// Percent of the disk of temporary files that must stay free.
const MIN_FREE: u64 = 5;
/// Bytes that are reserved at a time.
const STEP: u64 = 4 << 20;

static ALL: Budget = Budget::new(MAX_ALL_SPOOLED, MIN_FREE);

/// Bounds what some spools may take together.
#[derive(Debug)]
struct Budget {
    most: u64,
    min_free: u64,
    taken: AtomicU64,
}

impl Budget {
    const fn new(most: u64, min_free: u64) -> Self {
        Self { most, min_free, taken: AtomicU64::new(0) }
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        if disk().is_some_and(|(free, all)| free < u128::from(bytes) + all * u128::from(self.min_free) / 100)
        {
            let text =
                "the disk of temporary files is nearly full: unpack the file first, or free some space";
            return Err(io::Error::new(ErrorKind::StorageFull, text));
        }
        let more = |taken: u64| taken.checked_add(bytes).filter(|taken| *taken <= self.most);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).map(drop).map_err(|_| {
            let text =
                "too many zip files and workbooks are being read: try again later, or unpack the file first";
            io::Error::new(ErrorKind::QuotaExceeded, text)
        })
    }
}

/// Returns the bytes that are free on the disk of temporary files, and all of them, if it says so.
fn disk() -> Option<(u128, u128)> {
    let disk = rustix::fs::statvfs(tempfile::env::temp_dir()).ok()?;
    let bytes = |blocks: u64| u128::from(blocks) * u128::from(disk.f_frsize);
    Some((bytes(disk.f_bavail), bytes(disk.f_blocks)))
}

/// A temporary file that is written once and then read anywhere. A long one is on disk.
///
/// Writing fails with [`QuotaExceeded`](ErrorKind::QuotaExceeded) if all spools together have too
/// much, and with [`StorageFull`](ErrorKind::StorageFull) if the disk is nearly full.
#[derive(Debug)]
pub(crate) struct Spool {
    file: SpooledTempFile,
    written: u64,
    reserved: u64,
    budget: &'static Budget,
}

impl Spool {
    /// Creates an empty one.
    pub(crate) fn new() -> Self {
        Self::within(&ALL)
    }

    fn within(budget: &'static Budget) -> Self {
        let file = SpooledTempFile::new(IN_MEMORY as usize);
        Self { file, written: 0, reserved: 0, budget }
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let after = self.written + bytes.len() as u64;
        if after > IN_MEMORY && after > self.reserved {
            let reserved = after.next_multiple_of(STEP);
            self.budget.reserve(reserved - self.reserved)?;
            self.reserved = reserved;
        }
        let written = self.file.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for Spool {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for Spool {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.reserved, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &[u8] = &[b'x'; (IN_MEMORY + 1) as usize];

    #[test]
    fn spools_beyond_their_common_budget_are_refused_until_one_is_dropped() {
        static FEW: Budget = Budget::new(5 * STEP, 0);
        let mut first = Spool::within(&FEW);
        first.write_all(LONG).unwrap();
        let mut second = Spool::within(&FEW);
        second.write_all(LONG).unwrap();
        let mut third = Spool::within(&FEW);
        third.write_all(&LONG[1..]).unwrap();
        assert_eq!(third.write(b"x").unwrap_err().kind(), ErrorKind::QuotaExceeded);
        drop(first);
        third.write_all(b"x").unwrap();
        third.rewind().unwrap();
        let mut read = Vec::new();
        third.read_to_end(&mut read).unwrap();
        assert_eq!(read, LONG);
        drop((second, third));
        assert_eq!(FEW.taken.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn spool_on_a_disk_that_is_nearly_full_is_refused() {
        // No disk has all of it free.
        static FULL: Budget = Budget::new(u64::MAX, 100);
        let mut spool = Spool::within(&FULL);
        spool.write_all(&LONG[1..]).unwrap();
        assert_eq!(spool.write(b"x").unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(FULL.taken.load(Ordering::Relaxed), 0);
    }
}
