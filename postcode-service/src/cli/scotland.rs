//! `scotland`: looks postcodes up in the Scottish Postcode Directory.

use std::io::Write;

use postcode_core::{Postcode, ScottishArea, ScottishPostcode};

use super::asking::{Asking, say_why};
use super::exit;
use super::output;

/// The constituency of the Scottish Parliament of postcodes; with --extended everything that the
/// directory has about them.
///
/// The data must have been imported with the Scottish Postcode Directory.
///
/// Exit status: 0 if the directory has all of them, 1 if not or if some are not postcodes, 2 for
/// errors.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  postcode-service scotland 'EH1 1YZ' 'G2 3DL' --source file:uk.postcodes\n  postcode-service scotland --extended 'EH1 1YZ' --json --source file:uk.postcodes"
)]
pub struct Args {
    /// Postcodes, in any case and spacing
    #[arg(required = true)]
    postcodes: Vec<String>,
    /// Print all areas that are kept: data zones, wards, health boards, settlements, …
    #[arg(long)]
    extended: bool,
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
                output::json(&mut out, &if self.extended { entry } else { entry.compatible() })?;
                continue;
            }
            let name = entry.scottish_parliamentary_constituency.as_deref().unwrap_or("-");
            let code = entry.codes.scottish_parliamentary_constituency.as_deref().unwrap_or("-");
            writeln!(out, "{postcode}  {name} ({code})")?;
            if self.extended {
                details(&mut out, &entry)?;
            }
        }
        if !self.asking.json {
            output::attribution(&lookup).await;
        }
        exit::found(all)
    }
}

/// Prints the other fields, a line each.
fn details(out: &mut impl Write, entry: &ScottishPostcode) -> std::io::Result<()> {
    let mut line = |key: &str, value: &str| writeln!(out, "  {:<39}{value}", key.replace('_', " "));
    for area in ScottishArea::ALL.iter().skip(1) {
        match (entry.name(*area), entry.code(*area)) {
            (Some(name), Some(code)) => line(area.key(), &format!("{name} ({code})"))?,
            (Some(only), None) | (None, Some(only)) => line(area.key(), only)?,
            (None, None) => {}
        }
    }
    let rank = entry.scottish_index_of_multiple_deprivation.map(|rank| rank.to_string());
    for (key, value) in [
        ("urban_rural_6_fold", &entry.urban_rural_6_fold),
        ("urban_rural_8_fold", &entry.urban_rural_8_fold),
        ("scottish_index_of_multiple_deprivation", &rank),
        ("split_indicator", &entry.split_indicator),
    ] {
        value.as_deref().map(|value| line(key, value)).transpose()?;
    }
    Ok(())
}
