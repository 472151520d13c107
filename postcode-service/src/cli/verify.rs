//! `postcode-service verify`: is a dataset file whole, and signed by whom it should be?

use std::io::{self, Write};
use std::path::PathBuf;

use postcode_core::dataset::{Dataset, Demands, PublicKey, Verify};

const EXAMPLES: &str = "\
Examples:
  postcode-service verify uk.postcodes && mv uk.postcodes /srv/postcodes/
  postcode-service verify uk.postcodes --public-key postcodes.key.pub

Prints OK, the file and its fingerprint and ends with status 0, or says the first thing that is wrong and
where, and ends with status 1.";

/// Checks every byte of a dataset file
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The dataset file
    #[arg(env = "POSTCODE_VERIFY_FILE")]
    file: PathBuf,
    /// Also check its signature (FILE.minisig): a minisign public key, or the path of its file
    #[arg(long, value_name = "KEY", env = "POSTCODE_PUBLIC_KEY")]
    public_key: Option<PublicKey>,
}

impl Args {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<()> {
        let signed = if self.public_key.is_some() { " signed" } else { "" };
        let demands = Demands::default().verify(Verify::Full).public_key(self.public_key);
        let dataset = Dataset::open_checked(&self.file, &demands)?;
        writeln!(io::stdout(), "OK {} {}{signed}", self.file.display(), dataset.info().fingerprint)?;
        Ok(())
    }
}
