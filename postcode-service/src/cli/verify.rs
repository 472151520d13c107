//! `postcode-service verify`: is a dataset file whole, and signed by whom it should be?

use std::io::{self, Write};

use postcode_core::dataset::{Demands, PublicKey, Verify};

use super::source::DatasetSource;

const EXAMPLES: &str = "\
Examples:
  postcode-service verify uk.postcodes && mv uk.postcodes /srv/postcodes/
  postcode-service verify uk.postcodes --public-key postcodes.key.pub

Prints OK, the file and its fingerprint and ends with status 0, or says the first thing that is wrong and
where, and ends with status 1.";

/// Check every byte of a dataset file, and its signature.
///
/// Exit status: 0 if it is whole, 1 if not, 2 for wrong options.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The dataset: a path, file:PATH or embedded:
    #[arg(env = "POSTCODE_VERIFY_FILE", value_parser = DatasetSource::parser())]
    file: DatasetSource,
    /// Also check its signature (FILE.minisig): a minisign public key, or the path of its file
    #[arg(long, value_name = "KEY", env = "POSTCODE_PUBLIC_KEY")]
    public_key: Option<PublicKey>,
}

impl Args {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<()> {
        if self.public_key.is_some() {
            // Only a file has a signature next to it.
            self.file.path()?;
        }
        let signed = if self.public_key.is_some() { " signed" } else { "" };
        let demands = Demands::default().verify(Verify::Full).public_key(self.public_key);
        let dataset = self.file.open(&demands)?;
        writeln!(io::stdout(), "OK {} {}{signed}", self.file, dataset.info().fingerprint)?;
        Ok(())
    }
}
