//! Options for packed input.

use std::io::{self, ErrorKind};
use std::sync::Weak;

/// Options for packed input.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The sheet of a workbook; the first visible one with anything in it if not given.
    pub sheet: Option<String>,
    /// The file of a zip file; its only table if not given.
    pub member: Option<String>,
    /// Where the input comes from.
    pub origin: Origin,
    /// Reading fails when this is gone, because nobody waits for the table any more.
    pub wanted: Option<Weak<()>>,
}

/// Where a table comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// From the operator.
    #[default]
    Operator,
    /// From a client over the network: by name, if clients can be told apart. It gets a share of the disk and memory for
    /// files, and its files are trusted less.
    Client(Option<String>),
}

impl Origin {
    /// Returns the name of the client, if there is one that can be told from others.
    pub(crate) fn client(&self) -> Option<&str> {
        match self {
            Self::Operator => None,
            Self::Client(name) => name.as_deref(),
        }
    }
}

impl Options {
    /// Checks whether anybody still waits for the table.
    pub(crate) fn still_wanted(&self) -> io::Result<()> {
        match &self.wanted {
            Some(wanted) if wanted.strong_count() == 0 => {
                Err(io::Error::new(ErrorKind::ConnectionAborted, "nobody waits for the table any more"))
            }
            _ => Ok(()),
        }
    }
}
