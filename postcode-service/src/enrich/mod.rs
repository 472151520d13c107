//! Enriches files: reads CSV or lines of JSON and adds columns, in memory that does not grow with
//! the file.
//!
//! All input is kept byte for byte, also a row without a postcode, an empty line, or a field that
//! is not UTF-8. Columns are only added at the end of rows.

mod column;
mod csv;
mod lines;
mod pieces;
mod rows;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, Stream, TryStreamExt};
use postcode_core::{Answer, Postcode, PostcodeLookup};

pub use column::Column;
pub(crate) use csv::Header;
pub(crate) use pieces::{Cutter, enrich_piece};

use rows::{Batch, Rows};

/// Rows looked up in one call.
const AT_ONCE: usize = 1_000;
/// Lookup calls in flight at once, so that a source over a network is not called one by one.
const CALLS: usize = 4;
/// The longest row in bytes. A batch holds at most that and one more row.
pub const MAX_ROW: usize = 1 << 20;
/// The longest [`Plan::prefix`], in bytes: it is repeated in every line of JSON for each column.
pub const MAX_PREFIX: usize = 64;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// CSV (RFC 4180) with a header; its delimiter, a comma, semicolon, tab or bar, is found by it
    Csv,
    /// Lines of JSON objects
    Ndjson,
}

/// The columns to add, and how to find the postcode.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Plan {
    /// The format of the file.
    pub format: Format,
    /// The columns to add, in their order.
    pub columns: Vec<Column>,
    /// The column or key that holds the postcode; by its name if not given, see [`POSTCODE_NAMES`].
    pub postcode: Option<String>,
    /// A prefix for the names of the added columns; at most [`MAX_PREFIX`] bytes.
    pub prefix: String,
}

/// Names of a postcode column, ignoring case, spaces, `_` and `-`. The first match counts.
pub const POSTCODE_NAMES: [&str; 8] =
    ["postcode", "pcds", "pcd", "postalcode", "addresspostcode", "zip", "zipcode", "plz"];

/// The number of rows by the status of their postcode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Live postcodes.
    pub live: u64,
    /// Once in use.
    pub terminated: u64,
    /// Never in use, as far as the data knows.
    pub unknown: u64,
    /// Postcodes in an area that the data does not cover.
    pub not_covered: u64,
    /// No postcode at all.
    pub invalid: u64,
}

impl Counts {
    /// Returns the number of all rows.
    pub fn rows(&self) -> u64 {
        self.live + self.terminated + self.unknown + self.not_covered + self.invalid
    }

    /// Adds the counts of other rows.
    pub fn add(&mut self, other: &Self) {
        self.live += other.live;
        self.terminated += other.terminated;
        self.unknown += other.unknown;
        self.not_covered += other.not_covered;
        self.invalid += other.invalid;
    }

    fn count(&mut self, answer: Option<&Answer>) {
        *match answer {
            Some(Answer::Live(_)) => &mut self.live,
            Some(Answer::Terminated(_)) => &mut self.terminated,
            Some(Answer::NotCovered) => &mut self.not_covered,
            Some(_) => &mut self.unknown,
            None => &mut self.invalid,
        } += 1;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { live, terminated, unknown, not_covered, invalid } = self;
        write!(
            f,
            "{} rows: {live} live, {terminated} terminated, {unknown} unknown, {not_covered} not covered, \
             {invalid} without a postcode",
            self.rows()
        )
    }
}

/// Why a file can't be enriched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file or the request is not valid.
    #[error("{0}")]
    Invalid(String),
    /// The file could not be read.
    #[error("reading failed: {0}")]
    Read(#[from] std::io::Error),
    /// The lookup failed.
    #[error(transparent)]
    Lookup(#[from] postcode_core::Error),
}

/// Returns the beginning of external text, for messages.
pub(crate) fn short(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// A piece of the output.
#[derive(Debug)]
pub struct Part {
    /// The next bytes to write.
    pub bytes: Bytes,
    /// How many bytes of the input have been consumed so far.
    pub read: u64,
    /// The rows of this part.
    pub counts: Counts,
}

/// Returns the input with its columns added, piece by piece and in order. Ends at the first error.
///
/// Nothing is read before a piece is requested, and at most some thousand rows are in memory.
pub fn enrich<S>(
    input: S,
    lookup: Arc<dyn PostcodeLookup>,
    plan: Plan,
) -> impl Stream<Item = Result<Part, Error>> + Send
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
{
    let plan = Arc::new(plan);
    enriched(Rows::new(input, plan.clone()), lookup, plan)
}

fn enriched<S>(
    rows: Rows<S>,
    lookup: Arc<dyn PostcodeLookup>,
    plan: Arc<Plan>,
) -> impl Stream<Item = Result<Part, Error>> + Send
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
{
    let batches = stream::try_unfold(rows, async |mut rows| {
        let batch = rows.next(AT_ONCE).await?;
        Ok::<_, Error>(batch.map(|batch| (batch, rows)))
    });
    batches
        .map_ok(move |batch| {
            let (lookup, plan) = (lookup.clone(), plan.clone());
            async move { answer(&*lookup, &plan, batch).await }
        })
        .try_buffered(CALLS)
}

async fn answer(lookup: &dyn PostcodeLookup, plan: &Plan, batch: Batch) -> Result<Part, Error> {
    let postcodes: Vec<Postcode> =
        batch.rows.iter().filter_map(|row| row.postcode.as_ref().ok().copied()).collect();
    let answers = if postcodes.is_empty() { Vec::new() } else { lookup.lookup(&postcodes).await? };
    let mut answers = answers.iter();
    let mut counts = Counts::default();
    let mut out = Vec::with_capacity(batch.bytes.len() * 2);
    out.extend_from_slice(&batch.head);
    for row in &batch.rows {
        let answer = match &row.postcode {
            Ok(postcode) => {
                let short = || Error::Invalid(format!("{postcode}: the source gave no answer for it"));
                Ok(answers.next().ok_or_else(short)?)
            }
            Err(why) => Err(&**why),
        };
        let Some(bytes) = batch.bytes.get(row.range.clone()) else { continue };
        if row.as_it_is {
            out.extend_from_slice(bytes);
            // An empty line does not count as a row.
            counts.invalid += u64::from(answer.is_err_and(|why| !why.is_empty()));
            continue;
        }
        counts.count(answer.ok());
        match plan.format {
            Format::Csv => csv::write(&mut out, bytes, row, &plan.columns, answer, batch.delimiter),
            Format::Ndjson => lines::write(&mut out, bytes, plan, answer)?,
        }
    }
    Ok(Part { bytes: out.into(), read: batch.read, counts })
}
