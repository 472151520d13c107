//! `postcode-service verify`: is a dataset file whole?

use std::io::{self, Write};
use std::path::PathBuf;

use postcode_core::dataset::Dataset;

const EXAMPLES: &str = "\
Examples:
  postcode-service verify uk.postcodes && mv uk.postcodes /srv/postcodes/

Prints OK, the file and its fingerprint and ends with status 0, or says the first thing that is wrong and
where, and ends with status 1.";

/// Checks every byte of a dataset file
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The dataset file
    #[arg(env = "POSTCODE_VERIFY_FILE")]
    file: PathBuf,
}

impl Args {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<()> {
        let dataset = Dataset::open(&self.file)?;
        dataset.verify()?;
        writeln!(io::stdout(), "OK {} {}", self.file.display(), dataset.info().fingerprint)?;
        Ok(())
    }
}
