//! Cuts a file into pieces that can be enriched separately. Joined, they equal the enriched file.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, Stream, TryStreamExt};
use postcode_core::PostcodeLookup;

use super::rows::Rows;
use super::{Error, Header, Plan, enriched};

/// Some rows of a file, unchanged.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The output before the rows: the header, with the first piece.
    pub(crate) head: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
    /// The number of the first line, from 1.
    pub(crate) line: u64,
    /// How many rows there are, without empty lines.
    pub(crate) rows: u64,
}

/// Cuts a stream at the ends of rows.
///
/// It parses rows like [`enrich`](super::enrich()), so an error in the file is found here, and not
/// in a piece.
pub(crate) struct Cutter<S>(Rows<S>);

impl<S: Stream<Item = std::io::Result<Bytes>> + Unpin> Cutter<S> {
    pub(crate) fn new(input: S, plan: Arc<Plan>) -> Self {
        Self(Rows::new(input, plan))
    }

    /// Returns the next piece, with at most `most` rows; its bytes are at most
    /// [`MAX_ROW`](super::MAX_ROW) and one row.
    pub(crate) async fn next(&mut self, most: usize) -> Result<Option<Piece>, Error> {
        let before = self.0.line;
        let Some(batch) = self.0.next(most).await? else { return Ok(None) };
        let read: u64 =
            batch.rows.iter().map(|row| lines(batch.bytes.get(row.range.clone()).unwrap_or_default())).sum();
        let empty =
            |row: &&super::rows::Row| row.as_it_is && row.postcode.as_ref().is_err_and(String::is_empty);
        let blank = batch.rows.iter().filter(empty).count();
        let line = self.0.line.saturating_sub(read).max(before);
        Ok(Some(Piece {
            rows: (batch.rows.len() - blank) as u64,
            head: batch.head,
            bytes: batch.bytes,
            line,
        }))
    }

    /// Returns the header, for CSV.
    pub(crate) fn header(&self) -> Option<&Header> {
        self.0.header()
    }
}

/// Returns the number of lines in a row.
fn lines(row: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', row).count().max(1) as u64
}

/// Enriches a piece, without its head.
pub(crate) async fn enrich_piece(
    bytes: Vec<u8>,
    line: u64,
    header: Option<Header>,
    plan: Arc<Plan>,
    lookup: Arc<dyn PostcodeLookup>,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    let input = Box::pin(stream::once(async { Ok(Bytes::from(bytes)) }));
    let rows = Rows::resume(input, plan.clone(), line, header);
    let mut parts = std::pin::pin!(enriched(rows, lookup, plan));
    while let Some(part) = parts.try_next().await? {
        out.extend_from_slice(&part.bytes);
    }
    Ok(out)
}
