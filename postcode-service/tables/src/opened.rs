//! A table that was unpacked.

use std::io::{self, ErrorKind, Read};

/// A reader of bytes.
pub type Bytes = Box<dyn Read + Send>;

/// Something unpacked.
pub struct Opened {
    /// The unpacked bytes.
    pub reader: Bytes,
    /// The steps that unpacked them, for people: `unpacked (gzip)`.
    pub said: Vec<String>,
    /// The name of the table within its packing, if it has one there.
    pub name: Option<String>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("said", &self.said).field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Xlsx,
    Xlsb,
    Xls,
    Ods,
}

pub(crate) fn invalid(text: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, text)
}

#[cfg(feature = "workbook")]
pub(crate) fn broken(error: &dyn std::fmt::Display) -> io::Error {
    invalid(&format!("the workbook can't be read: {error}"))
}
