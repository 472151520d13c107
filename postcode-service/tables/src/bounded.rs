//! Unpacking with a bound: a small file may not become a large one.

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::opened::invalid;

/// So many times as large as it was packed may a table be; a small one may always be [`FREE`] bytes.
pub const RATIO: u64 = 200;
/// Bytes that any table may unpack to.
pub const FREE: u64 = 64 << 20;

/// Counts what is read.
pub(crate) struct Counted<R> {
    pub(crate) inner: R,
    pub(crate) read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Fails where a small file unpacks to too much.
pub(crate) struct Bounded<'a> {
    inner: Box<dyn Read + Send + 'a>,
    packed: Arc<AtomicU64>,
    given: u64,
}

impl<'a> Bounded<'a> {
    /// Bounds what `inner` makes of as many bytes as `packed` counts.
    pub(crate) fn new(inner: Box<dyn Read + Send + 'a>, packed: Arc<AtomicU64>) -> Self {
        Self { inner, packed, given: 0 }
    }
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.given += read as u64;
        let most = FREE.max(self.packed.load(Ordering::Relaxed).saturating_mul(RATIO));
        if self.given > most {
            return Err(io::Error::new(
                ErrorKind::FileTooLarge,
                format!("unpacks to more than {RATIO} times its size, as no table does: unpack it first"),
            ));
        }
        Ok(read)
    }
}

/// Compares with the checksum of the zip file at the end.
pub(crate) struct Checked {
    inner: Bounded<'static>,
    crc: flate2::Crc,
    wanted: u32,
}

impl Checked {
    pub(crate) fn new(inner: Bounded<'static>, wanted: u32) -> Self {
        Self { inner, crc: flate2::Crc::new(), wanted }
    }
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.crc.update(buffer.get(..read).unwrap_or_default());
        if read == 0 && !buffer.is_empty() && self.crc.sum() != self.wanted {
            return Err(invalid("damaged: its checksum in the zip file is another"));
        }
        Ok(read)
    }
}
