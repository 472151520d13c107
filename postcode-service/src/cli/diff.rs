//! `postcode-service diff`: compares two editions.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use postcode_core::dataset::{Dataset, Demands};

use super::{exit, output};
use crate::diff::compare;

const EXAMPLES: &str = "\
Examples:
  postcode-service diff onspd_aug.postcodes onspd_nov.postcodes
  postcode-service diff embedded: uk.postcodes --list | grep terminated
  postcode-service diff old.postcodes new.postcodes --json | jq .counts

Ends with status 0 if there is no difference, 1 if there is any, 2 for errors.";

/// Compare two dataset files: postcodes introduced, terminated, moved and re-coded
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The older dataset file, or embedded:
    old: PathBuf,
    /// The newer one, or embedded:
    new: PathBuf,
    /// List every change, in the order of postcodes, before the counts
    #[arg(long)]
    list: bool,
    /// The distance in metres below which a postcode or place counts as not moved
    #[arg(long, value_name = "METRES", default_value_t = 1.0, value_parser = metres)]
    moved: f64,
    /// Write JSON: each change as an object a line, then the counts as one
    #[arg(long)]
    json: bool,
}

fn metres(text: &str) -> Result<f64, String> {
    let metres = text.parse::<f64>().ok().filter(|metres| metres.is_finite() && *metres >= 0.0);
    metres.ok_or_else(|| "give metres from 0".to_owned())
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let (old, new) = (open(&self.old)?, open(&self.new)?);
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

fn open(path: &Path) -> anyhow::Result<Dataset> {
    match path.to_str() {
        Some("embedded:") => Ok(Dataset::embedded()?),
        // All of it is read anyway: a damaged file would be taken for one with changes.
        _ => Ok(Dataset::open_checked(path, &Demands::default())?),
    }
}
