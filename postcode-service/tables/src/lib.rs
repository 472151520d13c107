//! Tables as people have them, read in one way by everything that reads tables.
//!
//! This crate knows nothing about postcodes or customers. It finds out how a table is written (its packing, encoding,
//! delimiter and line ends) and takes rows apart without copying the table into memory.
//!
//! ```
//! use postcode_tables::{Dialect, Scanner, Step, value};
//!
//! let table = b"name;town\r\"Ada; Countess\";London\r";
//! let dialect = Dialect::of(table, true);
//! assert_eq!(dialect.delimiter, b';');
//! let mut scanner = Scanner::of(&dialect);
//! let Ok(Step::Row(header)) = scanner.scan(table, true) else { panic!() };
//! let rest = &table[header..];
//! scanner.next_row();
//! assert!(matches!(scanner.scan(rest, true), Ok(Step::Row(_))));
//! assert_eq!(&*value(scanner.cell(rest, 0).unwrap(), dialect.quoting), b"Ada; Countess");
//! ```

#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "in a test it is the failure"))]

#[cfg(feature = "packed")]
mod archive;
#[cfg(feature = "packed")]
mod bounded;
mod bytes;
mod cell;
mod dialect;
mod encoding;
mod foreign;
pub mod json;
mod line_ends;
mod number;
#[cfg(feature = "packed")]
mod opened;
#[cfg(feature = "packed")]
mod options;
#[cfg(feature = "packed")]
pub mod packed;
#[cfg(feature = "packed")]
mod packing;
mod quoting;
pub mod records;
mod row_names;
mod scanner;
#[cfg(feature = "packed")]
mod shares;
#[cfg(feature = "packed")]
mod spool;
pub mod title;
mod utf8;
#[cfg(feature = "workbook")]
mod workbook;

pub use bytes::AnyOf;
pub use cell::{plain_text, trimmed, value};
pub use dialect::{DELIMITERS, Dialect, delimiter_named, header_named};
pub use encoding::{Encoding, Guess, ToUtf8, encoding_named};
pub use foreign::foreign;
pub use line_ends::{blank, line_end};
pub use number::{decimal, whole};
pub use quoting::{Quoting, quoting_named};
pub use records::{Record, Records, Wanted};
pub use row_names::has_row_names;
pub use scanner::{Fault, Scanner, Step};
pub use utf8::Utf8Reader;

/// Bytes of a table's beginning by which its encoding, delimiter and columns are told.
pub const SAMPLE: usize = 64 << 10;
