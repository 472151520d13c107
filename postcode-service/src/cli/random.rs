//! `random`: any postcode.

use anyhow::Context;
use postcode_core::Outcode;

use super::asking::{Asking, say_why};
use super::exit;
use super::format::Format;
use super::output;
use super::records::{Columns, Records};

/// Show a random postcode in use.
///
/// Exit status: 0 if there is one, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postcode-service random --outcode EH1 --json")]
pub struct Args {
    /// Only from this outcode
    #[arg(long)]
    outcode: Option<String>,
    #[command(flatten)]
    columns: Columns,
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
        let format = self.asking.format();
        let usual = "postcode,admin_district,admin_ward,country,latitude,longitude";
        let mut table = Records::new(&self.columns, format, &[], usual)?;
        let lookup = self.asking.open().await?;
        let Some(record) = lookup.random(outcode).await? else {
            if let Some(text) = &self.outcode {
                say_why(&lookup, text, "no postcode in use has this outcode").await?;
            }
            return exit::found(false);
        };
        let mut out = std::io::stdout().lock();
        match format {
            Format::Json => output::json(&mut out, &output::view(&record))?,
            Format::Csv => {
                table.record(&mut out, Vec::new(), &record)?;
                table.flush(&mut out)?;
            }
            Format::Plain | Format::Terminal => {
                output::block(&mut out, &record, format.paint())?;
                output::attribution(&lookup).await;
            }
        }
        Ok(())
    }
}
