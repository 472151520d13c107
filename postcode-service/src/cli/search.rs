//! `search`: searches like `GET /postcodes?q=` of postcodes.io.

use super::asking::{Asking, Limit, say_why};
use super::exit;
use super::format::Format;
use super::output;
use super::records::{Columns, Records};

/// The columns of CSV and of a table.
const USUAL: &str = "postcode,admin_district,admin_ward,country,latitude,longitude";

/// Find postcodes by a part, as `GET /postcodes?q=` does.
///
/// Exit status: 0 if there are any, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postcode-service search EH1 1 --json")]
pub struct Args {
    /// A part of a postcode; several words are one part
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
    #[command(flatten)]
    columns: Columns,
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
        let mut table = Records::new(&self.columns, format, &[], USUAL)?;
        let lookup = self.asking.open().await?;
        let records = lookup.search(&text, self.limit.get()).await?;
        if records.is_empty() {
            say_why(&lookup, &text, "").await?;
        }
        let mut out = std::io::stdout().lock();
        for record in &records {
            match format {
                Format::Json => output::json(&mut out, &output::view(record))?,
                Format::Plain => output::block(&mut out, record, format.paint())?,
                Format::Terminal | Format::Csv => table.record(&mut out, Vec::new(), record)?,
            }
        }
        table.flush(&mut out)?;
        if format.is_for_people() {
            output::attribution(&lookup).await;
        }
        exit::found(!records.is_empty())
    }
}
