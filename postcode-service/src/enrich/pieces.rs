//! A file in pieces, each of which can be enriched by itself: put together they are what the whole file gives.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, Stream, TryStreamExt};
use postcode_core::PostcodeLookup;

use super::row::Kind;
use super::rows::Rows;
use super::{Error, Format, Header, Plan, enriched};

/// Some rows of a file, as they came in.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The bytes that go before the enriched rows: the header, with the first piece.
    pub(crate) head: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
    /// The number of the first line, from 1.
    pub(crate) line: u64,
    /// How many rows there are, without empty lines.
    pub(crate) rows: u64,
    /// Facts that were found out about the file.
    pub(crate) notes: Vec<String>,
}

/// Cuts a stream at the ends of rows.
///
/// The rows are read as for [`enrich`](super::enrich()), so what is wrong with the file is found here, and not in a piece.
pub(crate) struct Cutter<'a>(Rows<'a>);

impl<'a> Cutter<'a> {
    pub(crate) fn new<S>(input: S, plan: Arc<Plan>) -> Self
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + 'a,
    {
        Self(Rows::new(input, plan))
    }

    /// The next piece, of at most so many rows; its bytes are at most [`MAX_ROW`](super::MAX_ROW) and one row.
    pub(crate) async fn next(&mut self, most: usize) -> Result<Option<Piece>, Error> {
        let Some(mut batch) = self.0.next(most).await? else { return Ok(None) };
        // The text of a cell is never an error.
        if batch.plan.format != Format::Csv {
            batch.read()?;
        }
        let counted = batch.rows.iter().filter(|row| row.kind == Kind::Row).count();
        Ok(Some(Piece {
            rows: counted as u64,
            head: batch.encoding.widened(std::mem::take(&mut batch.head)),
            bytes: batch.bytes,
            notes: batch.notes,
            line: batch.line,
        }))
    }

    /// The plan, with what the rows have told: complete after the last piece.
    pub(crate) fn plan(&self) -> Plan {
        self.0.plan()
    }

    /// Returns the header of CSV.
    pub(crate) fn header(&self) -> Option<&Header> {
        self.0.header()
    }
}

/// The result for a piece, without its head.
pub(crate) async fn enrich_piece(
    bytes: Vec<u8>,
    line: u64,
    header: Option<Header>,
    plan: Arc<Plan>,
    lookup: Arc<dyn PostcodeLookup>,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    let input = Box::pin(stream::once(async { Ok(Bytes::from(bytes)) }));
    let rows = Rows::resume(input, plan, line, header);
    let mut parts = std::pin::pin!(enriched(rows, lookup, None));
    while let Some(part) = parts.try_next().await? {
        out.extend_from_slice(&part.bytes);
    }
    Ok(out)
}
