//! `postcode-service key`: keys to sign dataset files with.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use minisign::KeyPair;

/// Make keys to sign dataset files with.
///
/// Exit status: 0 if it was done, 1 for errors, 2 for wrong options.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    New(New),
}

/// Make a new key.
///
/// Writes the secret key to FILE, readable by its owner only and without a password, and the public
/// key to FILE.pub. Prints the public key. Both are keys of minisign. An existing file is never
/// replaced.
///
/// Exit status: 0 if it was made, 1 for errors, 2 for wrong options.
#[derive(Debug, clap::Args)]
struct New {
    /// The file for the secret key
    #[arg(env = "POSTCODE_SIGNING_KEY")]
    file: PathBuf,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Fails if a file exists or can't be written.
    pub async fn run(self) -> anyhow::Result<()> {
        let Command::New(New { file }) = self.command;
        let failed = |e: minisign::PError| anyhow!("the key can't be made: {e}");
        let KeyPair { pk, sk } = KeyPair::generate_unencrypted_keypair().map_err(failed)?;
        let secret = sk.to_box(Some("postcode-service secret key")).map_err(failed)?;
        let public = pk.to_box().map_err(failed)?;
        let mut public_file = file.clone().into_os_string();
        public_file.push(".pub");
        write_new(&file, 0o600, &secret.into_string())?;
        write_new(Path::new(&public_file), 0o644, &public.into_string())?;
        writeln!(io::stdout(), "{}", pk.to_base64())?;
        Ok(())
    }
}

fn write_new(path: &Path, mode: u32, text: &str) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.with_context(|| format!("{}: can't be written", path.display()))
}
