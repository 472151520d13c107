//! Parquet and Arrow files enriched. The columns of the file stay as they are, and new ones follow them.
//!
//! A row group of Parquet, or a record batch of Arrow, is the unit of work. As many as there are cores are under way at a
//! time, and they are written in their order, so memory grows with the size of one row group and not with the file.

#[cfg(feature = "cli")]
mod answers;
mod arrow;
mod batch;
mod parquet;

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::thread::{Scope, ScopedJoinHandle};

use arrow_schema::ArrowError;
use postcode_core::PostcodeLookup;
use tokio::runtime::Handle;

use super::{Counts, Error, Plan};
#[cfg(feature = "cli")]
pub(crate) use answers::write_parquet;

/// Units of work under way at most: each holds a row group in memory.
const MOST_AT_ONCE: usize = 8;

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

/// The lookup and the plan for a file of columns.
pub struct Work {
    /// The columns to add.
    pub plan: Plan,
    /// The source of the answers.
    pub lookup: Arc<dyn PostcodeLookup>,
    /// The source of the columns of addresses.
    pub addresses: Option<Arc<dyn postcode_addresses::AddressLookup>>,
    /// The runtime on which the lookup runs.
    pub runtime: Handle,
    /// The attribution of the data, stored as metadata of the file.
    pub attribution: Option<String>,
    /// Called with the rows of each unit of work that was written.
    pub written: Box<dyn Fn(u64) + Send + Sync>,
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

fn arrow_error(container: &str) -> impl Fn(ArrowError) -> Error + '_ {
    move |error| match error {
        ArrowError::IoError(_, error) => Error::Read(error),
        error => Error::Invalid(format!(
            "the {container} file is damaged or has something that is not supported: {error}"
        )),
    }
}

/// Does units of work on threads, and passes the results on in the order of the units.
///
/// # Errors
/// The first error of a unit, or of `take`.
fn in_order<U: Send, R: Send>(
    mut units: impl Iterator<Item = Result<U, Error>>,
    work: impl Fn(U) -> Result<R, Error> + Sync,
    mut take: impl FnMut(R) -> Result<(), Error>,
) -> Result<(), Error> {
    let most = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_AT_ONCE);
    let work = &work;
    std::thread::scope(|scope| {
        let mut under_way = VecDeque::new();
        loop {
            while under_way.len() < most
                && let Some(unit) = units.next()
            {
                under_way.push_back(begin(scope, unit?, work)?);
            }
            let Some(first) = under_way.pop_front() else { return Ok(()) };
            let done: Result<R, Error> = first.join().unwrap_or_else(|_| {
                Err(Error::Invalid("the file is damaged: a part of it can't be read".to_owned()))
            });
            take(done?)?;
        }
    })
}

fn begin<'scope, U: Send + 'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    unit: U,
    work: &'scope (impl Fn(U) -> Result<R, Error> + Sync),
) -> Result<ScopedJoinHandle<'scope, Result<R, Error>>, Error> {
    Ok(std::thread::Builder::new().name("enrich".to_owned()).spawn_scoped(scope, move || work(unit))?)
}
