//! `postcode-service sign`: signs a dataset file, so that servers and replicas can demand it.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use minisign::SecretKeyBox;
use postcode_core::dataset::{Dataset, Demands, Verify, signature_path};

use super::source::DatasetSource;
use crate::destination;

const EXAMPLES: &str = "\
Examples:
  postcode-service key new postcodes.key
  postcode-service sign uk.postcodes --key postcodes.key
  postcode-service verify uk.postcodes --public-key postcodes.key.pub
  postcode-service serve --data uk.postcodes --public-key postcodes.key.pub

The signature is that of minisign, in FILE.minisig: minisign -V -m uk.postcodes -p postcodes.key.pub
checks it too.";

/// Sign a dataset file (Ed25519).
///
/// Exit status: 0 if it was done, 1 for errors, 2 for wrong options.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The dataset file: a path or file:PATH. It is verified first
    #[arg(env = "POSTCODE_SIGN_FILE", value_parser = DatasetSource::parser())]
    file: DatasetSource,
    /// The file of the secret key: of `postcode-service key new`, or of minisign, without a
    /// password (minisign -G -W)
    #[arg(long, value_name = "FILE", env = "POSTCODE_SIGNING_KEY")]
    key: PathBuf,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// If the file is damaged, the key can't be used, or the signature can't be written.
    pub async fn run(self) -> anyhow::Result<()> {
        let file = self.file.path()?;
        let dataset = Dataset::open_checked(file, &Demands::default().verify(Verify::Full))?;
        let shown = self.key.display();
        let text = fs::read_to_string(&self.key).with_context(|| format!("--key {shown}"))?;
        // The library's errors may quote the file's contents.
        let not_a_key = || anyhow!("--key {shown}: not a secret key of minisign");
        let key = SecretKeyBox::from_string(&text).map_err(|_| not_a_key())?;
        let Ok(key) = key.into_unencrypted_secret_key() else {
            bail!(
                "--key {shown}: not a secret key without a password. Make one with `postcode-service key new`"
            );
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let comment = format!(
            "timestamp:{} file:{} fingerprint:{}",
            jiff::Timestamp::now().as_second(),
            name.replace(char::is_control, "?"),
            dataset.info().fingerprint
        );
        let signature = minisign::sign(None, &key, dataset.as_bytes(), Some(&comment), None);
        let signature = signature.map_err(|e| anyhow!("the file can't be signed: {e}"))?.into_string();
        let path = signature_path(file);
        destination::check(&path, [file, &*self.key])?;
        let mut out = destination::begin(&path)?;
        out.write_all(signature.as_bytes())
            .with_context(|| format!("{}: can't be written", path.display()))?;
        destination::publish(out, &path)?;
        writeln!(io::stdout(), "{}", path.display())?;
        Ok(())
    }
}
