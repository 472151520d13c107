//! `autocomplete`: postcodes that begin with a text.

use std::io::Write;

use super::asking::{Asking, Limit, say_why};
use super::exit;
use super::output;

/// List the postcodes in use that begin with a text, or the outcodes.
///
/// Exit status: 0 if there are any, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  postcode-service autocomplete 'SW1A 1' --limit 20\n  postcode-service autocomplete SW1 --outcodes"
)]
pub struct Args {
    /// The beginning, in any case and spacing
    text: String,
    /// Outcodes, and not postcodes
    #[arg(long)]
    outcodes: bool,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    asking: Asking,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let lookup = self.asking.open().await?;
        let limit = self.limit.get();
        let found: Vec<String> = if self.outcodes {
            lookup.outcodes(&self.text, limit).await?.iter().map(ToString::to_string).collect()
        } else {
            lookup.autocomplete(&self.text, limit).await?.iter().map(ToString::to_string).collect()
        };
        if found.is_empty() {
            let what = if self.outcodes { "no outcode" } else { "no postcode in use" };
            say_why(&lookup, &self.text, &format!("{what} begins so")).await?;
        }
        let mut out = std::io::stdout().lock();
        if self.asking.json {
            output::json(&mut out, &found)?;
        } else {
            for text in &found {
                writeln!(out, "{text}")?;
            }
        }
        exit::found(!found.is_empty())
    }
}
