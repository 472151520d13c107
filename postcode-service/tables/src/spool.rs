//! Temporary files of zip archives and workbooks that come as a stream.
//!
//! They have no names, so the system removes them also when the program is killed.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

use crate::options::Options;
use crate::shares::{Reserved, Shares};

/// Bytes of a spooled file that stay in memory.
const IN_MEMORY: u64 = 4 << 20;
/// Bytes of all spooled files of the program on disk. One client has half at most.
const MAX_ALL_SPOOLED: u64 = 4 << 30;
/// Percent of the disk of temporary files that must stay free.
const MIN_FREE: u64 = 5;
/// Bytes that are reserved at a time.
const STEP: u64 = 4 << 20;

static ALL: Shares = Shares::new(MAX_ALL_SPOOLED);

/// Checks that the disk of temporary files has room for that many bytes more.
fn check_disk(bytes: u64, min_free: u64) -> io::Result<()> {
    match disk() {
        Some((free, all)) if free < u128::from(bytes) + all * u128::from(min_free) / 100 => {
            let text =
                "the disk of temporary files is nearly full: unpack the file first, or free some space";
            Err(io::Error::new(ErrorKind::StorageFull, text))
        }
        _ => Ok(()),
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
/// much, or those of one client, and with [`StorageFull`](ErrorKind::StorageFull) if the disk is nearly full.
/// Reading and writing fail if nobody waits for the table any more.
#[derive(Debug)]
pub(crate) struct Spool {
    file: SpooledTempFile,
    written: u64,
    reserved: Reserved,
    min_free: u64,
    options: Options,
}

impl Spool {
    /// Creates an empty one.
    pub(crate) fn new(options: &Options) -> Self {
        Self::within(&ALL, MIN_FREE, options)
    }

    fn within(shares: &'static Shares, min_free: u64, options: &Options) -> Self {
        let file = SpooledTempFile::new(IN_MEMORY as usize);
        let (reserved, options) = (shares.begin(&options.origin), options.clone());
        Self { file, written: 0, reserved, min_free, options }
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.options.still_wanted()?;
        let after = self.written + bytes.len() as u64;
        if after > IN_MEMORY && after > self.reserved.bytes() {
            let more = after.next_multiple_of(STEP) - self.reserved.bytes();
            check_disk(more, self.min_free)?;
            self.reserved.grow(more)?;
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
        self.options.still_wanted()?;
        self.file.read(buffer)
    }
}

impl Seek for Spool {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::options::Origin;

    const LONG: &[u8] = &[b'x'; (IN_MEMORY + 1) as usize];

    #[test]
    fn spools_beyond_their_common_budget_are_refused_until_one_is_dropped() {
        static FEW: Shares = Shares::new(5 * STEP);
        let new = || Spool::within(&FEW, 0, &Options::default());
        let mut first = new();
        first.write_all(LONG).unwrap();
        let mut second = new();
        second.write_all(LONG).unwrap();
        let mut third = new();
        third.write_all(&LONG[1..]).unwrap();
        assert_eq!(third.write(b"x").unwrap_err().kind(), ErrorKind::QuotaExceeded);
        drop(first);
        third.write_all(b"x").unwrap();
        third.rewind().unwrap();
        let mut read = Vec::new();
        third.read_to_end(&mut read).unwrap();
        assert_eq!(read, LONG);
        drop((second, third));
        assert_eq!(FEW.all(), 0);
    }

    #[test]
    fn spools_of_one_client_leave_half_of_the_disk_to_others() {
        static SOME: Shares = Shares::new(6 * STEP);
        let spool = |client: &str| {
            let origin = Origin::Client(Some(client.to_owned()));
            Spool::within(&SOME, 0, &Options { origin, ..Options::default() })
        };
        let mut first = spool("a");
        first.write_all(LONG).unwrap();
        let mut second = spool("a");
        let refused = second.write_all(LONG).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::QuotaExceeded);
        assert!(refused.to_string().starts_with("you have"), "{refused}");
        spool("b").write_all(LONG).unwrap();
    }

    #[test]
    fn spool_on_a_disk_that_is_nearly_full_is_refused() {
        // No disk has all of it free.
        static FULL: Shares = Shares::new(u64::MAX);
        let mut spool = Spool::within(&FULL, 100, &Options::default());
        spool.write_all(&LONG[1..]).unwrap();
        assert_eq!(spool.write(b"x").unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(FULL.all(), 0);
    }

    #[test]
    fn spool_that_nobody_waits_for_is_not_read() {
        let wanted = Arc::new(());
        let options = Options { wanted: Some(Arc::downgrade(&wanted)), ..Options::default() };
        let mut spool = Spool::new(&options);
        spool.write_all(b"x").unwrap();
        spool.rewind().unwrap();
        drop(wanted);
        assert_eq!(spool.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionAborted);
        assert!(spool.write(b"x").is_err());
    }
}
