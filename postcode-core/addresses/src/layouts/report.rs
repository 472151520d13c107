//! The report on files that were read: counts, and the first examples of each doubt.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::detect::Layout;
use super::error::{Error, Result};

/// Examples that are kept of each doubt.
const EXAMPLES: usize = 5;

/// Something that was noticed in a row. The row is read, passed over or left out, as the doubt says.
///
/// [`refuses`](Self::refuses) and [`as_str`](Self::as_str) say what it means for the row:
///
/// ```
/// use postcode_addresses::layouts::Doubt;
///
/// assert!(Doubt::Postcode.refuses() && !Doubt::OldPostcode.refuses());
/// assert_eq!(Doubt::Postcode.as_str(), "refused: not a postcode");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Doubt {
    /// Refused: the row has another number of columns than its layout.
    Columns,
    /// Refused: the postcode is not written like one.
    Postcode,
    /// Refused: a number is not one, or is too large.
    Number,
    /// Refused: a key leads to nothing.
    Key,
    /// Refused: the record has neither a street nor a name.
    NoAddress,
    /// Left out: the identity was there before.
    Twice,
    /// Passed over: the record is not a postal address, or no longer one.
    NotAddress,
    /// Passed over: the address of Not Yet Built is in the main file now.
    Built,
    /// Read: the Multiple Residence child's parent is missing.
    NoParent,
    /// Read: the delivery point of the alias is missing.
    AliasOnly,
    /// Read: the address has no UDPRN in the file that joins them.
    NoUdprn,
    /// Read: a change that has nothing to change.
    NothingToChange,
    /// Passed over: a deletion of what is not there.
    NothingToDelete,
    /// Passed over: the Welsh form of an address that is missing.
    WelshOnly,
    /// Read: an element is longer than its layout allows.
    Long,
    /// Read: the trailer says another number of records.
    Trailer,
    /// Read: the file is partly UTF-8 and partly Latin-1.
    Encodings,
    /// Passed over: the layout of the file is not confirmed, and no column map was given.
    Unconfirmed,
    /// Read: the file was read by a column map.
    Mapped,
    /// Read: the postcode does not exist any more, or never did.
    OldPostcode,
}

impl Doubt {
    /// Returns whether a row with this doubt is refused.
    ///
    /// ```
    /// use postcode_addresses::layouts::Doubt;
    ///
    /// assert!(Doubt::Postcode.refuses()); // the row has no valid postcode
    /// assert!(!Doubt::AliasOnly.refuses());
    /// ```
    #[must_use]
    pub const fn refuses(self) -> bool {
        matches!(self, Self::Columns | Self::Postcode | Self::Number | Self::Key | Self::NoAddress)
    }

    /// Returns what happened to such rows, for people.
    ///
    /// ```
    /// use postcode_addresses::layouts::Doubt;
    ///
    /// assert_eq!(Doubt::Postcode.as_str(), "refused: not a postcode");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Columns => "refused: a wrong number of columns",
            Self::Postcode => "refused: not a postcode",
            Self::Number => "refused: not a number, or too large",
            Self::Key => "refused: a key that leads to nothing",
            Self::NoAddress => "refused: neither street nor name",
            Self::Twice => "left out: the same identity twice",
            Self::NotAddress => "passed over: not a postal address",
            Self::Built => "passed over: built, and in the main file now",
            Self::NoParent => "children without their parent",
            Self::AliasOnly => "aliases of addresses that are not there",
            Self::NoUdprn => "addresses without a UDPRN in the file that joins them",
            Self::NothingToChange => "changes to addresses that are not there",
            Self::NothingToDelete => "deletions of addresses that are not there",
            Self::WelshOnly => "Welsh forms of addresses that are not there",
            Self::Long => "longer than the layout allows",
            Self::Trailer => "trailers with another number of records",
            Self::Encodings => "files with two encodings",
            Self::Unconfirmed => "passed over: the layout is not confirmed, give --columns",
            Self::Mapped => "read by a column map",
            Self::OldPostcode => "postcodes that are not in use",
        }
    }
}

/// How many rows had a doubt, and the first of them.
///
/// ```
/// use postcode_addresses::layouts::{Doubt, Report};
///
/// /// Prints the first examples of a doubt.
/// fn print(report: &Report, doubt: Doubt) {
///     for example in report.doubts.get(&doubt).iter().flat_map(|doubted| &doubted.examples) {
///         println!("{example}");
///     }
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Doubted {
    /// How many.
    pub count: u64,
    /// The first few, each with its file, its line and the value.
    pub examples: Vec<String>,
}

/// A file that was read.
///
/// ```
/// use postcode_addresses::layouts::FileRead;
///
/// fn line(read: &FileRead) -> String {
///     format!("{}: {}, {} rows", read.file, read.layout.as_str(), read.rows)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileRead {
    /// The path of the file.
    pub file: String,
    /// The layout of the file.
    pub layout: Layout,
    /// The number of rows, without headers and footers.
    pub rows: u64,
}

/// The report on one reading.
///
/// [`total`](Self::total), [`refused`](Self::refused) and [`count`](Self::count) sum it up:
///
/// ```
/// use postcode_addresses::layouts::{Doubt, Doubted, Report};
///
/// let mut report = Report::default();
/// report.addresses.insert("paf", 1_000);
/// report.doubts.insert(Doubt::Postcode, Doubted { count: 2, examples: Vec::new() });
/// assert_eq!((report.total(), report.refused(), report.count(Doubt::Twice)), (1_000, 2, 0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The files in the order in which they were read.
    pub files: Vec<FileRead>,
    /// The addresses that were passed on, by dataset.
    pub addresses: BTreeMap<&'static str, u64>,
    /// The addresses with a Welsh form, with a UPRN, and with a point.
    pub welsh: u64,
    /// The addresses with a UPRN.
    pub with_uprn: u64,
    /// The addresses with a point.
    pub with_point: u64,
    /// Changes that were applied: inserted, changed, deleted.
    pub changes: [u64; 3],
    /// The edition, if the files say it.
    pub edition: Option<String>,
    /// The doubts.
    pub doubts: BTreeMap<Doubt, Doubted>,
    #[serde(skip)]
    pub(super) max_refused: u64,
}

impl Report {
    /// Returns the number of addresses.
    ///
    /// ```
    /// use postcode_addresses::layouts::Report;
    ///
    /// let mut report = Report::default();
    /// report.addresses.insert("paf", 1_000);
    /// report.addresses.insert("mr", 20);
    /// assert_eq!(report.total(), 1_020);
    /// ```
    #[must_use]
    pub fn total(&self) -> u64 {
        self.addresses.values().sum()
    }

    /// Returns the number of rows that were refused.
    ///
    /// ```
    /// use postcode_addresses::layouts::{Doubt, Doubted, Report};
    ///
    /// let mut report = Report::default();
    /// report.doubts.insert(Doubt::Postcode, Doubted { count: 2, examples: Vec::new() });
    /// report.doubts.insert(Doubt::AliasOnly, Doubted { count: 3, examples: Vec::new() });
    /// assert_eq!(report.refused(), 2);
    /// ```
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.doubts.iter().filter(|(doubt, _)| doubt.refuses()).map(|(_, doubted)| doubted.count).sum()
    }

    /// Returns how often a doubt came up.
    ///
    /// ```
    /// use postcode_addresses::layouts::{Doubt, Doubted, Report};
    ///
    /// let mut report = Report::default();
    /// report.doubts.insert(Doubt::AliasOnly, Doubted { count: 3, examples: Vec::new() });
    /// assert_eq!((report.count(Doubt::AliasOnly), report.count(Doubt::Postcode)), (3, 0));
    /// ```
    #[must_use]
    pub fn count(&self, doubt: Doubt) -> u64 {
        self.doubts.get(&doubt).map_or(0, |doubted| doubted.count)
    }

    /// Counts a doubt about a line of a file.
    ///
    /// # Errors
    /// If more rows were refused than may be.
    pub(super) fn doubt(
        &mut self,
        doubt: Doubt,
        file: &str,
        line: u64,
        value: impl fmt::Display,
    ) -> Result<()> {
        let doubted = self.doubts.entry(doubt).or_default();
        doubted.count += 1;
        if doubted.examples.len() < EXAMPLES {
            let value: String = value.to_string().chars().take(120).collect();
            doubted.examples.push(format!("{file}, line {line}: {value}"));
        }
        if doubt.refuses() && self.refused() > self.max_refused {
            return Err(Error::TooManyRefused {
                refused: self.refused(),
                most: self.max_refused,
                examples: self.refusals(),
            });
        }
        Ok(())
    }

    /// Returns the first row that was refused for each reason, for a message.
    pub(super) fn refusals(&self) -> String {
        let refused = self.doubts.iter().filter(|(doubt, _)| doubt.refuses());
        let examples = refused.filter_map(|(doubt, doubted)| {
            Some(format!("{} ({})", doubted.examples.first()?, doubt.as_str()))
        });
        examples.collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for FileRead { file, layout, rows } in &self.files {
            writeln!(f, "{file}: {}, {rows} rows", layout.as_str())?;
        }
        if let Some(edition) = &self.edition {
            writeln!(f, "edition {edition}")?;
        }
        write!(f, "{} addresses", self.total())?;
        for (dataset, count) in &self.addresses {
            write!(f, ", {dataset} {count}")?;
        }
        writeln!(f)?;
        for (name, count) in [
            ("with a Welsh form", self.welsh),
            ("with a UPRN", self.with_uprn),
            ("with a point", self.with_point),
        ] {
            if count > 0 {
                writeln!(f, "{count} {name}")?;
            }
        }
        if let [inserted, changed, deleted] = self.changes
            && self.changes != [0; 3]
        {
            writeln!(f, "changes: {inserted} inserted, {changed} changed, {deleted} deleted")?;
        }
        for (doubt, Doubted { count, examples }) in &self.doubts {
            writeln!(f, "{count} {}", doubt.as_str())?;
            for example in examples {
                writeln!(f, "    {example}")?;
            }
        }
        Ok(())
    }
}
