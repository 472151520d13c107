//! `postcode-service diff`: compares two editions.

use std::io::{self, Write};

use postcode_core::dataset::Demands;

use super::measure::metres;
use super::source::DatasetSource;
use super::{exit, output};
use crate::diff::compare;

const EXAMPLES: &str = "\
Examples:
  postcode-service diff onspd_aug.postcodes onspd_nov.postcodes
  postcode-service diff embedded: uk.postcodes --list | grep terminated
  postcode-service diff old.postcodes new.postcodes --json | jq .counts";

/// Compare two datasets: postcodes introduced, terminated, moved and re-coded.
///
/// Exit status: 0 if there is no difference, 1 if there is any, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The older dataset: a path, file:PATH or embedded:
    #[arg(value_parser = DatasetSource::parser())]
    old: DatasetSource,
    /// The newer one
    #[arg(value_parser = DatasetSource::parser())]
    new: DatasetSource,
    /// List every change, in the order of postcodes, before the counts
    #[arg(long)]
    list: bool,
    /// The distance below which a postcode or place counts as not moved: 1 (metre), 500m, 1km
    #[arg(long, value_name = "DISTANCE", default_value = "1", value_parser = metres)]
    moved: f64,
    /// Write JSON: each change as an object a line, then the counts as one
    #[arg(long, short)]
    json: bool,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        // All of a file is read anyway: a damaged one would be taken for one with changes.
        let demands = Demands::default();
        let (old, new) = (self.old.open(&demands)?, self.new.open(&demands)?);
        let mut out = io::BufWriter::new(io::stdout().lock());
        let summary = compare(&old, &new, self.moved, |change| match (self.list, self.json) {
            (false, _) => Ok(()),
            (true, true) => output::json(&mut out, change),
            (true, false) => writeln!(out, "{change}"),
        })?;
        if self.json {
            output::json(&mut out, &summary)?
        } else {
            writeln!(out, "{summary}")?
        }
        out.flush()?;
        let same = summary.counts.is_same();
        if same && !summary.is_same_file() {
            eprintln!(
                "the files still differ in data that is not compared, such as quality, dates, names, places or \
                 Scottish constituencies"
            );
        }
        exit::found(same && summary.is_same_file())
    }
}
