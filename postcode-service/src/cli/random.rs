//! `random`: any postcode.

use anyhow::Context;
use postcode_core::Outcode;

use super::asking::{Asking, say_why};
use super::exit;
use super::output;

/// A random live postcode.
///
/// Exit status: 0 if there is one, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postcode-service random --outcode EH1 --json")]
pub struct Args {
    /// Only from this outcode
    #[arg(long)]
    outcode: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let outcode = self.outcode.as_deref().map(str::parse::<Outcode>).transpose();
        let outcode = outcode
            .with_context(|| format!("--outcode {:?}", self.outcode.as_deref().unwrap_or_default()))?;
        let lookup = self.asking.open().await?;
        let Some(record) = lookup.random(outcode).await? else {
            if let Some(text) = &self.outcode {
                say_why(&lookup, text, "no postcode in use has this outcode").await?;
            }
            return exit::found(false);
        };
        let mut out = std::io::stdout().lock();
        if self.asking.json {
            output::json(&mut out, &output::view(&record))?;
        } else {
            output::block(&mut out, &record)?;
            output::attribution(&lookup).await;
        }
        Ok(())
    }
}
