//! `postcode-service pack`: a dataset file, made small enough to be part of a program.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use postcode_core::dataset::{Dataset, Demands, Verify};

use super::source::DatasetSource;
use crate::destination;

const EXAMPLES: &str = "\
Examples:
  postcode-service pack gb.postcodes --out postcode-core/data/gb.pack";

/// Pack a dataset file for embedding it in a program.
///
/// Exit status: 0 if it was done, 1 for errors, 2 for wrong options.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The dataset file: a path or file:PATH
    #[arg(env = "POSTCODE_PACK_FILE", value_parser = DatasetSource::parser())]
    file: DatasetSource,
    /// The packed file to write; appears when it is whole
    #[arg(long, short, value_name = "BLOB", env = "POSTCODE_PACK_OUT")]
    out: PathBuf,
}

impl Args {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<()> {
        // A packed dataset is used for long, by every copy of a program, so check it fully.
        let file = self.file.path()?;
        let dataset = Dataset::open_checked(file, &Demands::default().verify(Verify::Full))?;
        destination::check(&self.out, [file])?;
        let pack = dataset.pack()?;
        let mut file = destination::begin(&self.out)?;
        file.write_all(&pack).with_context(|| format!("{}: can't be written", self.out.display()))?;
        destination::publish(file, &self.out)?;
        let postcodes = dataset.info().live + dataset.info().terminated;
        let each = pack.len() as f64 / postcodes.max(1) as f64;
        writeln!(
            io::stdout(),
            "{}: {} bytes for {postcodes} postcodes, {each:.1} each; the file has {}",
            self.out.display(),
            pack.len(),
            dataset.as_bytes().len()
        )?;
        Ok(())
    }
}
