//! `search`: searches like `GET /postcodes?q=` of postcodes.io.

use super::asking::{Asking, Limit, say_why};
use super::exit;
use super::output;

/// Find postcodes by a part, as `GET /postcodes?q=` does.
///
/// Exit status: 0 if there are any, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postcode-service search 'EH1 1' --json")]
pub struct Args {
    /// A part of a postcode
    text: String,
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
        let records = lookup.search(&self.text, self.limit.get()).await?;
        if records.is_empty() {
            say_why(&lookup, &self.text, "").await?;
        }
        let mut out = std::io::stdout().lock();
        for record in &records {
            if self.asking.json {
                output::json(&mut out, &output::view(record))?;
            } else {
                output::block(&mut out, record)?;
            }
        }
        if !self.asking.json {
            output::attribution(&lookup).await;
        }
        exit::found(!records.is_empty())
    }
}
