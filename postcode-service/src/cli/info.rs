//! `info`: the dataset that answers come from.

use std::collections::HashSet;
use std::io::Write;

use super::asking::Asking;
use super::format::{Format, Table};
use super::output;

/// Show edition, source, attribution, fingerprint and counts of the dataset, and areas that it does
/// not cover.
///
/// Exit status: 0, or 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postcode-service info --source http://127.0.0.1:8080")]
pub struct Args {
    #[command(flatten)]
    asking: Asking,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let info = self.asking.open().await?.info().await?;
        let mut out = std::io::stdout().lock();
        match self.asking.format() {
            Format::Json => return Ok(output::json(&mut out, &info)?),
            Format::Csv => {
                let names =
                    ["edition", "source", "live", "terminated", "not_covered", "fingerprint", "attribution"];
                let mut table = Table::new(Format::Csv, names);
                let (live, terminated) = (info.live.to_string(), info.terminated.to_string());
                let left_out = info.not_covered.join(" ");
                table.row(
                    &mut out,
                    [
                        &info.edition,
                        &info.source,
                        &live,
                        &terminated,
                        &left_out,
                        &info.fingerprint,
                        &info.attribution,
                    ],
                )?;
                return Ok(table.flush(&mut out)?);
            }
            Format::Plain | Format::Terminal => {}
        }
        writeln!(out, "edition      {}", info.edition)?;
        writeln!(out, "source       {}", info.source)?;
        writeln!(out, "live         {}", info.live)?;
        writeln!(out, "terminated   {}", info.terminated)?;
        if !info.not_covered.is_empty() {
            writeln!(out, "not covered  {}", info.not_covered.join(", "))?;
            // Many areas have the same advice.
            let mut advice: Vec<&str> =
                info.not_covered.iter().filter_map(|area| info.advice(area)).collect();
            let mut said = HashSet::new();
            advice.retain(|advice| said.insert(*advice));
            for advice in advice {
                writeln!(out, "             {advice}")?;
            }
        }
        writeln!(out, "fingerprint  {}", info.fingerprint)?;
        writeln!(out, "{}", info.attribution)?;
        Ok(())
    }
}
