//! Parquet and Arrow files enriched. The columns of the file stay as they are, and new ones follow them.
//!
//! A row group of Parquet, or a record batch of Arrow, is the unit of work. As many as there are cores are under way at a
//! time, and they are written in their order, so memory grows with the size of one row group and not with the file.

#[cfg(feature = "cli")]
mod answers;
mod arrow;
mod batch;
mod parquet;
mod work;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{Counts, Error};
#[cfg(feature = "cli")]
pub(crate) use answers::write_parquet;
pub use work::Work;

/// The format of a file of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// Apache Parquet.
    Parquet,
    /// The file format of Arrow IPC, which is Feather version 2 too.
    ArrowFile,
    /// The streaming format of Arrow IPC.
    ArrowStream,
}

impl Container {
    /// Finds out by its first bytes whether a file is one of columns. `None` if it is not.
    ///
    /// # Errors
    /// If the file can't be read, or is of Feather version 1.
    pub fn of(path: &Path) -> Result<Option<Self>, Error> {
        let mut first = Vec::new();
        File::open(path)?.take(8).read_to_end(&mut first)?;
        Ok(match &*first {
            [b'P', b'A', b'R', b'1', ..] => Some(Self::Parquet),
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Some(Self::ArrowFile),
            [0xff, 0xff, 0xff, 0xff, ..] => Some(Self::ArrowStream),
            [b'F', b'E', b'A', b'1', ..] => {
                return Err(Error::Invalid(
                    "a Feather file of version 1, which is not supported: write it as Feather version 2 or Parquet"
                        .to_owned(),
                ));
            }
            _ => None,
        })
    }

    /// Returns what such a file is called, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::ArrowFile | Self::ArrowStream => "Arrow",
        }
    }

    /// Lists the endings of file names for it; the first is the usual one.
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Parquet => &["parquet", "pq"],
            Self::ArrowFile => &["arrow", "feather", "ipc"],
            Self::ArrowStream => &["arrows", "arrow", "ipc"],
        }
    }
}

/// Reads `input`, and writes it with its new columns to `out`. Blocks the thread.
///
/// # Errors
/// If the file is damaged or makes no sense with this plan, if the lookup fails, or if `out` can't be written.
pub fn enrich(
    input: &Path,
    container: Container,
    out: &mut (dyn std::io::Write + Send),
    work: &Work,
) -> Result<(Counts, Vec<String>), Error> {
    match container {
        Container::Parquet => parquet::enrich(input, out, work),
        Container::ArrowFile => arrow::enrich_file(input, out, work),
        Container::ArrowStream => arrow::enrich_stream(input, out, work),
    }
}
