//! How files are read.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::error::{Error, Result};
use crate::model::Dataset;

/// Says whether a postcode is in use.
pub type InUse = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// How files are read.
///
/// ```
/// use postcode_addresses::layouts::Options;
///
/// let mut options = Options::default();
/// options.within = Some("CSV PAF/".to_owned());
/// options.columns.push("alias:postcode=0,thoroughfare=4,udprn=12".parse()?);
/// assert_eq!(options.max_refused, 100); // unless set
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Options {
    /// Reads only files whose path within the input begins with this.
    pub within: Option<String>,
    /// The most rows that may be refused. With more, nothing is to be published.
    pub max_refused: u64,
    /// Puts addresses of capital letters into title case.
    pub title_case: bool,
    /// Says whether a postcode is in use. The report counts postcodes that are not.
    pub in_use: Option<InUse>,
    /// Column maps for files whose layout is not confirmed.
    pub columns: Vec<ColumnMap>,
}

impl Default for Options {
    fn default() -> Self {
        Self { within: None, max_refused: 100, title_case: true, in_use: None, columns: Vec::new() }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("within", &self.within)
            .field("max_refused", &self.max_refused)
            .field("title_case", &self.title_case)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// Says where each element of a file stands: in a column (`alias:postcode=0,thoroughfare=4,udprn=12`), or in a file of fixed
/// width from one byte of a line up to another (`alias:postcode=0..7,udprn=7..15`).
///
/// The word in front is a part of the file's name. Columns and bytes are counted from 0. A map with `udprn` and `address_key`
/// and without `postcode` is for the file that joins the addresses of the mainfile to their UDPRNs.
///
/// ```
/// use postcode_addresses::layouts::ColumnMap;
///
/// let map: ColumnMap = "alias:postcode=0..7,udprn=7..15".parse()?;
/// assert_eq!((&*map.files, map.columns.len()), ("alias", 2));
/// assert!("alias:postcod=0".parse::<ColumnMap>().is_err()); // not an element
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnMap {
    /// A part of the names of the files that are read so, in lower case.
    pub files: String,
    /// The place of each element.
    pub columns: HashMap<String, Place>,
    /// The dataset of the addresses.
    pub dataset: Dataset,
}

/// Where an element stands.
///
/// ```
/// use postcode_addresses::layouts::Place;
///
/// assert_eq!("4".parse(), Ok(Place::Column(4)));
/// assert_eq!("0..7".parse(), Ok(Place::Bytes(0..7)));
/// assert_eq!("7..0".parse::<Place>(), Err(()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A column of delimited text.
    Column(usize),
    /// Bytes of a line of fixed width.
    Bytes(Range<usize>),
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let number = |text: &str, most: usize| text.parse().ok().filter(|at: &usize| *at <= most).ok_or(());
        match text.split_once("..") {
            None => number(text, 255).map(Self::Column),
            Some((from, to)) => {
                let range = number(from, 4095)?..number(to, 4095)?;
                if range.is_empty() { Err(()) } else { Ok(Self::Bytes(range)) }
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(column) => write!(f, "{column}"),
            Self::Bytes(range) => write!(f, "{}..{}", range.start, range.end),
        }
    }
}

impl ColumnMap {
    /// The texts of an address, in the order of [`Address::texts`].
    pub(super) const TEXTS: [&'static str; 13] = [
        "organisation",
        "department",
        "po_box",
        "sub_building",
        "building_name",
        "building_number",
        "dependent_thoroughfare",
        "thoroughfare",
        "double_dependent_locality",
        "dependent_locality",
        "post_town",
        "postcode",
        "delivery_point_suffix",
    ];
    const OTHERS: [&'static str; 6] =
        ["udprn", "umprn", "uprn", "postcode_type", "address_key", "organisation_key"];

    /// Returns whether the file joins the addresses of the mainfile to their UDPRNs, and has no addresses.
    ///
    /// ```
    /// use postcode_addresses::layouts::ColumnMap;
    ///
    /// assert!("udprns:udprn=0,address_key=1".parse::<ColumnMap>()?.is_join());
    /// assert!(!"alias:postcode=0,udprn=1".parse::<ColumnMap>()?.is_join());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_join(&self) -> bool {
        !self.columns.contains_key("postcode")
    }

    pub(super) fn is_fixed_width(&self) -> bool {
        self.columns.values().any(|place| matches!(place, Place::Bytes(_)))
    }
}

impl FromStr for ColumnMap {
    type Err = Error;

    fn from_str(map: &str) -> Result<Self> {
        let invalid = |why: String| Error::ColumnMap { map: map.to_owned(), why };
        let (files, rest) = map
            .split_once(':')
            .ok_or_else(|| invalid("the part of the file's name and a colon are missing".into()))?;
        let mut columns = HashMap::new();
        for pair in rest.split(',') {
            let (element, column) =
                pair.split_once('=').ok_or_else(|| invalid(format!("{pair:?} is not element=column")))?;
            if !Self::TEXTS.contains(&element) && !Self::OTHERS.contains(&element) {
                let known = [&Self::TEXTS[..], &Self::OTHERS[..]].concat().join(", ");
                return Err(invalid(format!("{element:?} is not an element. Elements: {known}")));
            }
            let place = column.parse::<Place>().map_err(|()| {
                invalid(format!("{pair:?}: give a column from 0 to 255, or bytes of a line as 0..8"))
            })?;
            columns.insert(element.to_owned(), place);
        }
        if columns.values().any(|place| matches!(place, Place::Column(_)))
            && columns.values().any(|place| matches!(place, Place::Bytes(_)))
        {
            return Err(invalid("give columns or bytes, not both".into()));
        }
        let joins = columns.contains_key("udprn") && columns.contains_key("address_key");
        if files.is_empty() || !(columns.contains_key("postcode") || joins) {
            return Err(invalid("the part of the file's name and the column of postcode are needed".into()));
        }
        let files = files.to_ascii_lowercase();
        let dataset = if files.contains("alias") { Dataset::Alias } else { Dataset::Paf };
        Ok(Self { files, columns, dataset })
    }
}

impl fmt::Display for ColumnMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut columns: Vec<String> =
            self.columns.iter().map(|(element, column)| format!("{element}={column}")).collect();
        columns.sort();
        write!(f, "{}:{}", self.files, columns.join(","))
    }
}
