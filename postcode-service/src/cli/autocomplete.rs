//! `autocomplete`: postcodes that begin with a text.

use std::io::Write;

use super::asking::{Asking, Limit, say_why};
use super::exit;
use super::format::{Format, Table};
use super::output;

/// List the postcodes in use that begin with a text, or the outcodes.
///
/// Exit status: 0 if there are any, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  postcode-service autocomplete SW1A 1 -n 20\n  postcode-service autocomplete SW1 --outcodes"
)]
pub struct Args {
    /// The beginning, in any case and spacing; several words are one beginning
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
    /// List outcodes instead of postcodes
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
        let text = self.text.join(" ");
        let format = self.asking.format();
        let lookup = self.asking.open().await?;
        let limit = self.limit.get();
        let found: Vec<String> = if self.outcodes {
            lookup.outcodes(&text, limit).await?.iter().map(ToString::to_string).collect()
        } else {
            lookup.autocomplete(&text, limit).await?.iter().map(ToString::to_string).collect()
        };
        if found.is_empty() {
            let what = if self.outcodes { "no outcode" } else { "no postcode in use" };
            say_why(&lookup, &text, &format!("{what} begins with this")).await?;
        }
        let mut out = std::io::stdout().lock();
        match format {
            Format::Json => output::json(&mut out, &found)?,
            Format::Csv => {
                let mut table = Table::new(format, [if self.outcodes { "outcode" } else { "postcode" }]);
                for text in &found {
                    table.row(&mut out, [text])?;
                }
                table.flush(&mut out)?;
            }
            Format::Plain | Format::Terminal => {
                for text in &found {
                    writeln!(out, "{text}")?;
                }
            }
        }
        exit::found(!found.is_empty())
    }
}
