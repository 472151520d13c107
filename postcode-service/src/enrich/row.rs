//! A row of a batch, before it is read.

use std::ops::Range;

/// A row of a batch.
pub(super) struct Row {
    /// The range of the row in the bytes of the batch, with the end of its line.
    pub(super) range: Range<usize>,
    /// The range within the row of what is to be read: the postcode's cell in CSV, or the object in JSON.
    pub(super) read: Range<usize>,
    /// Fields that it lacks before those that are added, in CSV.
    pub(super) missing: usize,
    /// Bytes that stay before what is added, in CSV.
    pub(super) keep: usize,
    pub(super) kind: Kind,
}

impl Row {
    /// Returns a row of JSON whose object is in that range of it.
    pub(super) fn object(range: Range<usize>, object: Range<usize>) -> Self {
        Self { range, read: object, missing: 0, keep: 0, kind: Kind::Row }
    }

    pub(super) fn blank(range: Range<usize>) -> Self {
        Self { kind: Kind::Blank, ..Self::object(range, 0..0) }
    }
}

/// Returns whether nothing is left but the end-of-file bytes (0x1A) that programs for DOS write after the last row.
pub(super) fn is_end_of_file(rest: &[u8]) -> bool {
    !rest.is_empty() && rest.iter().all(|byte| *byte == 0x1a)
}

/// The way to handle a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is enriched.
    Row,
    /// Nothing is in its cells: it is enriched with nothing, and does not count.
    Empty,
    /// An empty line: nothing can be added.
    Blank,
    /// It is left out, for a reason; it began on that line.
    Aside(Box<(u64, String)>),
}
