//! Why publishers' files can't be read.

use std::io;

/// Why nothing is to be published from these files.
///
/// ```
/// use postcode_addresses::layouts::{Error, layouts};
///
/// let error = layouts(&["/nowhere/paf".into()]).unwrap_err();
/// assert!(matches!(&error, Error::Read { file, .. } if file == "/nowhere/paf"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file can't be read.
    #[error("{file}: {source}. Is the file whole? Compare its size with the publisher's.")]
    Read {
        /// The file.
        file: String,
        /// The cause.
        source: io::Error,
    },
    /// A zip file is not whole.
    #[error("{file}: not a whole zip file ({why}). Download it again.")]
    Zip {
        /// The file.
        file: String,
        /// The message of the reader of zip files.
        why: String,
    },
    /// No file has a known layout.
    #[error("{input}: no file with addresses was found. Known are {known}.")]
    Nothing {
        /// The inputs.
        input: String,
        /// The names of the layouts.
        known: String,
    },
    /// The same addresses would be read twice.
    #[error(
        "{first} ({first_layout}) and {second} ({second_layout}) hold the same addresses. Give one of them, or choose with --within."
    )]
    Twice {
        /// A file.
        first: String,
        /// The layout of that file.
        first_layout: &'static str,
        /// Another file.
        second: String,
        /// The layout of that file.
        second_layout: &'static str,
    },
    /// Files of different editions.
    #[error("{first} is of {first_edition}, and {second} of {second_edition}. Give files of one edition.")]
    Editions {
        /// A file.
        first: String,
        /// The edition of that file.
        first_edition: String,
        /// Another file.
        second: String,
        /// The edition of that file.
        second_edition: String,
    },
    /// A record of a fixed-width file has another length than the first.
    #[error(
        "{file}, line {line}: {found} bytes, but the lines of this file have {expected}. Is the file damaged, or was it converted?"
    )]
    Width {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// The length of the first line.
        expected: usize,
        /// The length of this line.
        found: usize,
    },
    /// The footer says another number of records.
    #[error("{file}: its footer says {said} records, and {found} are there. The file is not whole.")]
    Footer {
        /// The file.
        file: String,
        /// The number in the footer.
        said: u64,
        /// The number of lines.
        found: u64,
    },
    /// The file ends within a record.
    #[error("{file}, line {line}: the file ends within a record, so it is cut off. Download it again.")]
    CutOff {
        /// The file.
        file: String,
        /// The line.
        line: u64,
    },
    /// A file that the others need is missing.
    #[error("{file} is missing. The other files of its supply refer to it.")]
    Missing {
        /// The file's usual name.
        file: &'static str,
    },
    /// A record has more bytes than any record of a known layout.
    #[error("{file}, line {line}: a record of more than {most} bytes. Is a quotation mark left open?")]
    TooLong {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// The limit.
        most: usize,
    },
    /// Too many rows were refused.
    #[error("{refused} rows can't be read, and at most {most} may be: {examples}. Nothing is published.")]
    TooManyRefused {
        /// How many rows.
        refused: u64,
        /// The limit.
        most: u64,
        /// The first of them.
        examples: String,
    },
    /// The files hold no addresses.
    #[error("{file}: no addresses are in it.{refused}")]
    Empty {
        /// The files.
        file: String,
        /// The first rows that were refused, or nothing.
        refused: String,
    },
    /// A file of changes to a supply, without a way to apply them.
    #[error("{file} holds changes only. Load the full supply.")]
    ChangesOnly {
        /// The file.
        file: String,
    },
    /// A column map is not valid.
    #[error("{map:?}: {why}. Write it like alias:postcode=0,thoroughfare=4,udprn=12.")]
    ColumnMap {
        /// The map.
        map: String,
        /// The reason.
        why: String,
    },
    /// The receiver of the addresses failed.
    #[error(transparent)]
    Sink(io::Error),
    /// The reading was stopped.
    #[error("stopped")]
    Stopped,
}

/// The result of reading.
pub type Result<T> = std::result::Result<T, Error>;
