//! `scotland`: what the Scottish Postcode Directory says.

use std::io::Write;

use postcode_core::Postcode;

use super::asking::{Asking, say_why};
use super::exit;
use super::output;

/// The constituency of the Scottish Parliament that postcodes lie in.
///
/// The data must have been imported with the Scottish Postcode Directory.
///
/// Exit status: 0 if the directory has all of them, 1 if not or if some are no postcodes, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postcode-service scotland 'EH1 1YZ' 'G2 3DL' --source file:uk.postcodes")]
pub struct Args {
    /// Postcodes, in any case and spacing
    #[arg(required = true)]
    postcodes: Vec<String>,
    #[command(flatten)]
    asking: Asking,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// What went wrong, for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let lookup = self.asking.open().await?;
        let mut out = std::io::stdout().lock();
        let mut all = true;
        for text in &self.postcodes {
            let postcode = match text.parse::<Postcode>() {
                Ok(postcode) => postcode,
                Err(why) => {
                    eprintln!("{text}: invalid: {why}");
                    all = false;
                    continue;
                }
            };
            let Some(entry) = lookup.scottish_postcode(postcode).await? else {
                say_why(&lookup, text, "not in the Scottish Postcode Directory").await?;
                all = false;
                continue;
            };
            if self.asking.json {
                output::json(&mut out, &entry)?;
                continue;
            }
            let name = entry.scottish_parliamentary_constituency.as_deref().unwrap_or("-");
            let code = entry.codes.scottish_parliamentary_constituency.as_deref().unwrap_or("-");
            writeln!(out, "{postcode}  {name} ({code})")?;
        }
        if !self.asking.json {
            output::attribution(&lookup).await;
        }
        exit::found(all)
    }
}
