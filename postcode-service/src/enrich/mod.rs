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
mod error;
mod guess;
mod input;
mod layout;
mod lines;
mod listed;
mod objects;
#[cfg(feature = "jobs")]
mod pieces;
mod plan;
mod premises;
mod reading;
mod row;
mod rows;
mod shape;
mod short;
mod start;
mod swallowed;
mod tail;
mod unpack;
mod value;

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
#[cfg(feature = "jobs")]
pub(crate) use csv::Header;
pub use error::Error;
#[cfg(feature = "jobs")]
pub(crate) use pieces::{Cutter, enrich_piece};
pub use plan::{Format, MAX_PREFIX, MAX_ROW, POSTCODE_NAMES, Plan};
pub use shape::Shape;
pub(crate) use short::short;
pub(crate) use unpack::decoded;

pub(crate) use column::Found;
use listed::Listed;
use premises::Premises;
use reading::Cell;
use row::Kind;
use rows::{Batch, Rows};
#[cfg(feature = "cli")]
pub(crate) use value::Value;

/// Rows looked up in one call.
const AT_ONCE: usize = 1_000;
/// Calls under way at a time: a source across a network is not waited for one by one.
const CALLS: usize = 4;
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
    let postcodes: Vec<Postcode> = cells.iter().flat_map(Cell::postcodes).copied().collect();
    let answers = if postcodes.is_empty() { Vec::new() } else { lookup.lookup(&postcodes).await? };
    let listed = Listed::of(addresses, plan, &postcodes).await?;
    let mut answers = &answers[..];
    let (mut counts, mut aside) = (Counts::default(), Vec::new());
    let mut out = Vec::with_capacity(batch.head.len() + batch.bytes.len() * 2);
    out.extend_from_slice(&batch.head);
    let written = csv::Cells::new(&batch.dialect, batch.encoding);
    let mut premises = Premises::new(plan, &batch.address, (&batch.dialect, batch.encoding));
    for (row, cell) in batch.rows.iter().zip(&cells) {
        let asked = cell.postcodes();
        let Some((its_answers, others)) = answers.split_at_checked(asked.len()) else {
            let asked = asked.first().map(ToString::to_string).unwrap_or_default();
            return Err(Error::Invalid(format!("{asked}: the source gave no answer for it")));
        };
        answers = others;
        let (found, lack) = cell.judge(its_answers);
        let Some(bytes) = batch.bytes.get(row.range.clone()) else { continue };
        let addresses = listed.get(found.postcode);
        let matched = found
            .postcode
            .zip(addresses)
            .and_then(|addresses| premises.find(addresses, bytes.get(row.read.clone())?, bytes));
        let found = Found { addresses, matched, ..found };
        match &row.kind {
            Kind::Blank => out.extend_from_slice(bytes),
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
