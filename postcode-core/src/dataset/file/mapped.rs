//! A file mapped into memory: the only `unsafe` of this crate.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::{Mmap, MmapOptions};

/// A whole file, mapped read-only.
pub(crate) struct Mapped(Mmap);

impl Mapped {
    /// Maps the file and asks the system to read it ahead, without waiting.
    pub(crate) fn open(file: &File) -> io::Result<Self> {
        // SAFETY: a shared mapping shows later changes of the file, which Rust's `&[u8]` must not
        // see. A dataset file is never changed in place: `publish` writes a new file next to it and
        // renames it over the old name. So an open mapping keeps the old file (its inode) alive and
        // unchanged, and the reader opens files read-only. If another program breaks that rule and
        // truncates or overwrites the file under a running reader, the reader gets SIGBUS or wrong
        // bytes. Wrong bytes can't make it access memory outside the mapping: it checks every index
        // that it reads against lengths in its own memory, and never turns the bytes into
        // references, enums or `str` without a check.
        let map = unsafe { MmapOptions::new().map(file)? };
        #[cfg(unix)]
        // Only a hint: without it pages are loaded one fault at a time.
        let _ = map.advise(memmap2::Advice::WillNeed);
        Ok(Self(map))
    }
}

impl Deref for Mapped {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}
