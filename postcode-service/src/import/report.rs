//! The report of an import.

use std::fmt;

use postcode_core::AreaKind;
use postcode_core::dataset::Row;
use serde::Serialize;

use super::coverage::Coverage;
use super::doubts::Findings;

/// Counts over all imported rows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Fill {
    /// Rows imported.
    pub rows: u64,
    /// Live postcodes.
    pub live: u64,
    /// Postcodes with a grid reference.
    pub grid: u64,
    /// Postcodes with latitude and longitude.
    pub location: u64,
    /// Postcodes whose latitude and longitude were computed from the grid reference.
    pub computed: u64,
    pub quality: u64,
    pub user_type: u64,
    pub introduced: u64,
    pub terminated_month: u64,
    pub deprivation_rank: u64,
}

impl Fill {
    pub(super) fn count(&mut self, row: &Row) {
        self.rows += 1;
        self.live += u64::from(row.status == postcode_core::Status::Live);
        self.grid += u64::from(row.grid.is_some());
        self.location += u64::from(row.location.is_some());
        self.quality += u64::from(row.quality.is_some());
        self.user_type += u64::from(row.user_type.is_some());
        self.introduced += u64::from(row.introduced.is_some());
        self.terminated_month += u64::from(row.terminated.is_some());
        self.deprivation_rank += u64::from(row.deprivation_rank.is_some());
    }
}

/// The counts of one kind of area.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AreaFill {
    #[serde(serialize_with = "kind_name")]
    pub kind: AreaKind,
    /// Rows that have one.
    pub rows: u64,
    /// Different codes.
    pub codes: u32,
    /// Codes with a name.
    pub named: u32,
}

fn kind_name<S: serde::Serializer>(kind: &AreaKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.key())
}

/// The report of an import. `Display` gives the command's output, and JSON that of `--report`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub edition: String,
    /// Whether the file was written.
    pub published: bool,
    pub fingerprint: String,
    /// Tables of postcodes read, and lists of names.
    pub tables: usize,
    pub lists: usize,
    /// Rows with errors, left out.
    pub refused: u64,
    pub fill: Fill,
    pub areas: Vec<AreaFill>,
    /// Populated places, of OS Open Names.
    pub places: u64,
    /// Postcodes of the Scottish Postcode Directory.
    pub scottish_postcodes: u64,
    /// Outcodes of GeoNames, and live postcodes that have a position by these only.
    pub approximate_outcodes: u64,
    pub approximate: u64,
    /// How many live postcodes have a value in each column, by country, compared with the previous
    /// edition.
    pub coverage: Coverage,
    /// Probable errors. In a published edition all have been accepted.
    pub findings: Findings,
    /// Names in a wrong encoding in the lists, in use or not.
    pub garbled: u64,
    /// Files that begin with a byte-order mark, which was left out.
    pub marked: Vec<String>,
    /// Columns of the source that are not used.
    pub unused: Vec<String>,
    /// Postcode areas that the dataset says it leaves out.
    pub not_covered: Vec<String>,
    /// Postcode areas without a row that the dataset claims to cover.
    pub absent: Vec<String>,
    pub bytes: u64,
    pub seconds: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fill = &self.fill;
        writeln!(f, "{}", self.edition)?;
        writeln!(
            f,
            "{} rows: {} live, {} terminated; {} with errors left out",
            fill.rows,
            fill.live,
            fill.rows - fill.live,
            self.refused
        )?;
        let mut column = |name: &str, rows: u64, more: &str| {
            if rows == 0 {
                return Ok(());
            }
            let percent = rows as f64 * 100.0 / fill.rows as f64;
            writeln!(f, "  {name:<33} {rows:>9} {percent:>6.1} %{more}")
        };
        let computed = match fill.computed {
            0 => String::new(),
            n => format!("  {n} computed from the grid reference"),
        };
        column("grid reference", fill.grid, "")?;
        column("latitude and longitude", fill.location, &computed)?;
        column("quality", fill.quality, "")?;
        column("user type", fill.user_type, "")?;
        column("introduced", fill.introduced, "")?;
        column("terminated", fill.terminated_month, "")?;
        column("deprivation rank", fill.deprivation_rank, "")?;
        for area in &self.areas {
            column(
                area.kind.key(),
                area.rows,
                &format!("  {} codes, {} with a name", area.codes, area.named),
            )?;
        }
        if self.places > 0 {
            writeln!(f, "{} populated places", self.places)?;
        }
        if self.scottish_postcodes > 0 {
            writeln!(f, "{} postcodes of the Scottish Postcode Directory", self.scottish_postcodes)?;
        }
        if self.approximate_outcodes > 0 {
            let (outcodes, postcodes) = (self.approximate_outcodes, self.approximate);
            writeln!(
                f,
                "{postcodes} live postcodes with an approximate position only, by {outcodes} outcodes of GeoNames"
            )?;
        }
        write!(f, "{}", self.coverage)?;
        for finding in &self.findings.kept {
            writeln!(f, "doubtful ({}): {finding}", finding.doubt)?;
        }
        for (doubt, count) in &self.findings.counts {
            let kept = self.findings.kept.iter().filter(|finding| finding.doubt == *doubt).count() as u64;
            if *count > kept {
                writeln!(f, "doubtful ({doubt}): {} more", count - kept)?;
            }
        }
        if self.garbled > 0 {
            writeln!(f, "names in a wrong encoding in the lists, in use or not: {}", self.garbled)?;
        }
        if self.lists == 0 {
            writeln!(
                f,
                "no lists of names in the input: areas have codes, and a name only where one is built in. For names give the \
                 publisher's zip file, or its folder Documents as well as the table"
            )?;
        }
        for file in &self.marked {
            writeln!(f, "begins with a byte order mark, which was ignored: {file}")?;
        }
        if !self.unused.is_empty() {
            writeln!(f, "columns not kept: {}", self.unused.join(" "))?;
        }
        if !self.not_covered.is_empty() {
            writeln!(f, "postcode areas that the source does not cover: {}", self.not_covered.join(" "))?;
        }
        if !self.absent.is_empty() {
            writeln!(
                f,
                "counted as a file of the whole country, but without a row of {} postcode areas: {}",
                self.absent.len(),
                self.absent.join(" ")
            )?;
        }
        let each = self.bytes as f64 / fill.rows.max(1) as f64;
        write!(
            f,
            "{} tables and {} lists of names in {:.1} s: {} bytes, {each:.1} a postcode, fingerprint {}",
            self.tables, self.lists, self.seconds, self.bytes, self.fingerprint
        )
    }
}
