//! The file as bytes: its frame, and the tables, bitmaps and strings in it.

pub(crate) mod bytes;
pub(crate) mod format;
pub(crate) mod mapped;
pub(crate) mod metadata;
pub(crate) mod packed_table;
pub(crate) mod ranked_bitmap;
pub(crate) mod strings;
