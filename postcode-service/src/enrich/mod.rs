//! Files enriched: CSV or lines of JSON in, the same out with columns added, in memory that does not grow with the file.
//!
//! The input is passed on byte for byte, whatever it is: a row that holds no postcode, an empty line, a field that is not
//! UTF-8. Only columns are added to its end.

mod absent;
mod addresses;
mod column;
#[cfg(feature = "columnar")]
pub mod columnar;
mod counts;
mod csv;
mod guess;
mod input;
mod lines;
mod pieces;
mod reading;
mod rows;
mod unpack;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, Stream, TryStreamExt};
use postcode_addresses::AddressLookup;
use postcode_core::{Postcode, PostcodeLookup};
use postcode_tables::Encoding;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

pub use absent::{AbsentColumns, described};
pub use column::Column;
pub use counts::Counts;
pub(crate) use csv::Header;
pub(crate) use pieces::{Cutter, enrich_piece};
pub(crate) use unpack::decoded;

use addresses::Listed;
pub(crate) use column::{Found, Value};
use reading::{Cell, Lack};
use rows::{Batch, Kind, Rows};

/// Rows looked up in one call.
const AT_ONCE: usize = 1_000;
/// Calls under way at a time: a source across a network is not waited for one by one.
const CALLS: usize = 4;
/// The longest row in bytes. A batch holds at most that and one more row.
pub const MAX_ROW: usize = 1 << 20;
/// The longest [`Plan::prefix`], in bytes: it stands in every line of JSON, for each column.
pub const MAX_PREFIX: usize = 64;

/// The format of a file. Packed (gzip, zstd, zip) it may be in any case, and a workbook is read as CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// CSV (RFC 4180) with a header; its delimiter, a comma, semicolon, tab or bar, is found by its first rows
    Csv,
    /// One JSON object a line
    Ndjson,
    /// An array of JSON objects
    Json,
}

impl Format {
    /// Returns its name: `csv`, `ndjson`, `json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
        }
    }
}

/// The columns to add, and how to find the postcode.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Plan {
    /// The format of the file.
    pub format: Format,
    /// The columns to add, in their order.
    pub columns: Vec<Column>,
    /// The column that holds the postcode, or the key, or a path of keys such as `address.postcode`; by its name if not
    /// given, see [`POSTCODE_NAMES`], or else by what stands in the first rows.
    pub postcode: Option<String>,
    /// Before the names of the columns added; at most [`MAX_PREFIX`] bytes.
    pub prefix: String,
    /// The delimiter between two cells; found if not given.
    #[serde(default)]
    pub delimiter: Option<u8>,
    /// The encoding; found if not given.
    #[serde(default)]
    pub encoding: Option<Encoding>,
    /// Whether a text that is not a postcode is repaired where exactly one postcode may be meant and it is in use.
    #[serde(default)]
    pub repair: bool,
    /// Whether a postcode is taken out of a cell that holds more, such as an address.
    #[serde(default)]
    pub find: bool,
    /// Whether rows with more cells than the header are left out and given as [`Part::aside`]; else they are an error.
    #[serde(default)]
    pub set_aside: bool,
    /// Whether columns that the data does not have are added all the same. The maker of the plan checks that, with
    /// [`AbsentColumns::check`]; a job checks it again for each part, because the data may be another one then.
    #[serde(default = "yes")]
    pub allow_empty: bool,
    /// The sheet of a workbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Bytes of the file at most, unpacked.
    #[serde(skip, default = "unlimited")]
    pub most: u64,
}

/// Jobs of earlier versions were accepted without a check.
fn yes() -> bool {
    true
}

fn unlimited() -> u64 {
    u64::MAX
}

impl Plan {
    /// Creates a plan that finds everything else out.
    pub fn new(format: Format, columns: Vec<Column>) -> Self {
        Self {
            format,
            columns,
            postcode: None,
            prefix: String::new(),
            delimiter: None,
            encoding: None,
            repair: false,
            find: false,
            set_aside: false,
            allow_empty: false,
            sheet: None,
            most: unlimited(),
        }
    }

    /// Repairs, and adds the column `postcode_clean`.
    #[must_use]
    pub fn repairing(mut self) -> Self {
        self.repair = true;
        if !self.columns.contains(&Column::clean()) {
            self.columns.push(Column::clean());
        }
        self
    }
}

/// Lists the usual names of a column of postcodes, without case, spaces, `_` and `-`; the first that is there counts.
pub const POSTCODE_NAMES: [&str; 8] =
    ["postcode", "pcds", "pcd", "postalcode", "addresspostcode", "zip", "zipcode", "plz"];

/// Why a file can't be enriched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file, or what is asked of it, makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The data does not have a column that is asked for.
    #[error(transparent)]
    Absent(#[from] AbsentColumns),
    /// It could not be read.
    #[error("reading failed: {0}")]
    Read(#[from] std::io::Error),
    /// The lookup failed.
    #[error(transparent)]
    Lookup(#[from] postcode_core::Error),
}

/// The beginning of what came from outside, for messages.
pub(crate) fn short(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Rows as they are to be written, some at a time.
#[derive(Debug)]
pub struct Part {
    /// The bytes to write next.
    pub bytes: Bytes,
    /// The bytes of input that were read for all parts until now.
    pub read: u64,
    /// The rows of this part.
    pub counts: Counts,
    /// The encoding in which the bytes are written.
    pub encoding: Encoding,
    /// Notes about the file since the last part, such as its encoding if it is not UTF-8.
    pub notes: Vec<String>,
    /// Rows that were left out.
    pub aside: Vec<Aside>,
}

/// A row that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Why.
    pub why: String,
    /// The text.
    pub text: String,
}

/// The input with its columns, a part at a time and in order. Ends at the first error.
///
/// Nothing is read before a part is asked for, and no more than some thousand rows are in memory.
pub fn enrich<S>(
    input: S,
    lookup: Arc<dyn PostcodeLookup>,
    plan: Plan,
) -> impl Stream<Item = Result<Part, Error>> + Send
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin + 'static,
{
    enriched(Rows::new(input, Arc::new(plan)), lookup, None)
}

/// The same, with address data for the columns that [need](Column::needs_addresses) it.
pub fn enrich_with_addresses<S>(
    input: S,
    lookup: Arc<dyn PostcodeLookup>,
    addresses: Option<Arc<dyn AddressLookup>>,
    plan: Plan,
) -> impl Stream<Item = Result<Part, Error>> + Send
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin + 'static,
{
    enriched(Rows::new(input, Arc::new(plan)), lookup, addresses)
}

fn enriched<'a>(
    rows: Rows<'a>,
    lookup: Arc<dyn PostcodeLookup>,
    addresses: Option<Arc<dyn AddressLookup>>,
) -> impl Stream<Item = Result<Part, Error>> + Send + use<'a> {
    let batches = stream::try_unfold(rows, async |mut rows| {
        let batch = rows.next(AT_ONCE).await?;
        Ok::<_, Error>(batch.map(|batch| (batch, rows)))
    });
    batches
        .map_ok(move |batch| {
            let (lookup, addresses) = (lookup.clone(), addresses.clone());
            on_another_core(async move { answer(&*lookup, addresses.as_deref(), batch).await })
        })
        .try_buffered(CALLS)
}

/// Runs the work on a separate task, so that rows are read on one core while others are looked up and written on another.
/// The work ends when the returned future is dropped.
async fn on_another_core<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    struct Ending<T>(JoinHandle<T>);
    impl<T> Drop for Ending<T> {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let Ok(runtime) = Handle::try_current() else { return work.await };
    let mut task = Ending(runtime.spawn(work));
    match (&mut task.0).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Error::Invalid("interrupted: the program is ending".to_owned())),
    }
}

async fn answer(
    lookup: &dyn PostcodeLookup,
    addresses: Option<&dyn AddressLookup>,
    mut batch: Batch,
) -> Result<Part, Error> {
    let cells = batch.read()?;
    let plan = &*batch.plan;
    let postcodes: Vec<Postcode> = cells.iter().filter_map(Cell::postcode).collect();
    let answers = if postcodes.is_empty() { Vec::new() } else { lookup.lookup(&postcodes).await? };
    let listed = Listed::of(addresses, &plan.columns, &postcodes).await?;
    let mut answers = answers.iter();
    let (mut counts, mut aside) = (Counts::default(), Vec::new());
    let mut out = Vec::with_capacity(batch.head.len() + batch.bytes.len() * 2);
    out.extend_from_slice(&batch.head);
    let written = csv::Cells::new(batch.delimiter, batch.encoding);
    for (row, cell) in batch.rows.iter().zip(&cells) {
        let answer = match cell.postcode() {
            None => None,
            Some(postcode) => {
                let short = || Error::Invalid(format!("{postcode}: the source gave no answer for it"));
                Some(answers.next().ok_or_else(short)?)
            }
        };
        let (found, lack) = cell.judge(answer);
        let found = Found { addresses: listed.get(found.postcode), ..found };
        let Some(bytes) = batch.bytes.get(row.range.clone()) else { continue };
        match &row.kind {
            Kind::Blank => out.extend_from_slice(bytes),
            Kind::Other => {
                out.extend_from_slice(bytes);
                counts.count(&found, Some(Lack::Malformed));
            }
            Kind::Aside(about) => {
                let (line, why) = &**about;
                counts.set_aside += 1;
                let text = batch.encoding.text(&bytes[..postcode_tables::line_end(bytes)]).into_owned();
                aside.push(Aside { line: *line, why: why.clone(), text });
            }
            kind => {
                let is_row = *kind == Kind::Row;
                if is_row {
                    counts.count(&found, lack);
                } else {
                    counts.empty += 1;
                }
                match plan.format {
                    Format::Csv => {
                        written.write(&mut out, bytes, row, &plan.columns, is_row.then_some(&found));
                    }
                    Format::Ndjson | Format::Json => lines::write(&mut out, bytes, plan, &found)?,
                }
            }
        }
    }
    let bytes = batch.encoding.widened(out).into();
    Ok(Part { bytes, read: batch.read, counts, encoding: batch.encoding, notes: batch.notes, aside })
}
