//! The plan for a file: columns to add, and how its postcodes are found.

use postcode_tables::packed::Origin;
use postcode_tables::{Encoding, Quoting};

use super::column::Column;
use super::shape::Shape;

/// The longest row in bytes. A batch holds at most that and one more row.
pub const MAX_ROW: usize = 1 << 20;
/// The longest [`Plan::prefix`], in bytes: it stands in every line of JSON, for each column.
pub const MAX_PREFIX: usize = 64;

/// The format of a file. Packed (gzip, zstd, zip) it may be in any case, and a workbook is read as CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// CSV (RFC 4180); its delimiter, a comma, semicolon, tab or bar, is found by its first rows
    Csv,
    /// One JSON object a line
    Ndjson,
    /// An array of JSON objects; also in an object around it, or in pandas' layouts split and table
    Json,
}

impl Format {
    /// Returns its name: `csv`, `ndjson`, `json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
        }
    }
}

/// The columns to add, and how to find the postcode.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Plan {
    /// The format of the file.
    pub format: Format,
    /// The columns to add, in their order.
    pub columns: Vec<Column>,
    /// The column that holds the postcode, or the key, or a path of keys such as `address.postcode`; by its name if not
    /// given, see [`POSTCODE_NAMES`], or else by what stands in the first rows.
    pub postcode: Option<String>,
    /// Before the names of the columns added; at most [`MAX_PREFIX`] bytes.
    pub prefix: String,
    /// The delimiter between two cells; found if not given.
    #[serde(default)]
    pub delimiter: Option<u8>,
    /// The meaning of quotes in CSV; found if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoting: Option<Quoting>,
    /// Whether the first line of CSV is a row like others. The columns are then called 1, 2, 3, …, and no header is written:
    /// what comes out is a table of the same kind.
    #[serde(default)]
    pub no_header: bool,
    /// The encoding; found if not given.
    #[serde(default)]
    pub encoding: Option<Encoding>,
    /// Whether a text that is not a postcode is repaired where exactly one postcode may be meant and it is in use.
    #[serde(default)]
    pub repair: bool,
    /// Whether a postcode is taken out of a cell that holds more, such as an address.
    #[serde(default)]
    pub find: bool,
    /// Whether rows with more cells than the header, and lines that are not a JSON object, are left out and given as
    /// [`Part::aside`](super::Part::aside). Otherwise they are an error.
    #[serde(default)]
    pub set_aside: bool,
    /// Whether columns that the data does not have are added all the same. The maker of the plan checks that, with
    /// [`AbsentColumns::check`](super::AbsentColumns::check); a job checks it again for each part, because the data may be another one then.
    #[serde(default = "yes")]
    pub allow_empty: bool,
    /// The columns or keys that hold the address of the row, for columns that compare it with address data; by their names if
    /// empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub address: Vec<String>,
    /// The layout of a file of JSON; found out by its beginning.
    #[serde(default)]
    pub shape: Shape,
    /// The sheet of a workbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Bytes of the file at most, unpacked.
    #[serde(skip, default = "unlimited")]
    pub most: u64,
    /// Where the file comes from: packed ones of clients have a share of the disk and memory.
    #[serde(skip)]
    pub origin: Origin,
}

/// Jobs of earlier versions were accepted without a check.
fn yes() -> bool {
    true
}

fn unlimited() -> u64 {
    u64::MAX
}

impl Plan {
    /// Creates a plan that finds everything else out.
    pub fn new(format: Format, columns: Vec<Column>) -> Self {
        Self {
            format,
            columns,
            postcode: None,
            prefix: String::new(),
            delimiter: None,
            quoting: None,
            no_header: false,
            encoding: None,
            repair: false,
            find: false,
            set_aside: false,
            allow_empty: false,
            address: Vec::new(),
            shape: Shape::Objects,
            sheet: None,
            most: unlimited(),
            origin: Origin::Operator,
        }
    }

    /// Returns the first column that compares the address of each row with address data.
    pub(crate) fn comparison(&self) -> Option<Column> {
        self.columns.iter().copied().find(|column| column.needs_address_text())
    }

    /// Repairs, and adds the column `postcode_clean`.
    #[must_use]
    pub fn repairing(mut self) -> Self {
        self.repair = true;
        if !self.columns.contains(&Column::clean()) {
            self.columns.push(Column::clean());
        }
        self
    }
}

/// Lists the usual names of a column of postcodes, without case, spaces, `_` and `-`; the first that is there counts.
pub const POSTCODE_NAMES: [&str; 8] =
    ["postcode", "pcds", "pcd", "postalcode", "addresspostcode", "zip", "zipcode", "plz"];
