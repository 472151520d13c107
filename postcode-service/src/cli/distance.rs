//! `distance`: how far two postcodes are apart.

use std::io::Write;

use anyhow::{Context, bail};
use postcode_core::{Postcode, PostcodeLookupExt};

use super::asking::say_why_nowhere;
use super::exit;
use super::format::{Format, Shape, Table};
use super::output;
use super::source::Source;
use super::words;

/// Say how far two postcodes are apart, in use or terminated: metres along the WGS84 ellipsoid.
///
/// Exit status: 0 if that is known, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postcode-service distance SW1A 1AA EH1 1YZ")]
pub struct Args {
    /// Two postcodes, in any case, with or without their space
    #[arg(required = true, num_args = 2..=4, value_name = "POSTCODE")]
    postcodes: Vec<String>,
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    source: Source,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let parse = |text: &str| text.parse::<Postcode>().with_context(|| format!("{text:?}"));
        let postcodes = words::postcodes(&self.postcodes);
        let [from, to] = &postcodes[..] else { bail!("give two postcodes, and not {}", postcodes.len()) };
        let (from, to) = (parse(from)?, parse(to)?);
        let format = self.shape.format();
        let lookup = self.source.open().await?;
        let Some(metres) = lookup.distance(from, to).await? else {
            let first = say_why_nowhere(&lookup, from).await?;
            let second = from != to && say_why_nowhere(&lookup, to).await?;
            if !first && !second {
                eprintln!("{from}, {to}: not both are known, with a location");
            }
            return exit::found(false);
        };
        let mut out = std::io::stdout().lock();
        let (first, second) = (from.to_string(), to.to_string());
        match format {
            Format::Json => {
                let line = serde_json::json!({ "from": first, "to": second, "metres": metres });
                output::json(&mut out, &line)?;
            }
            Format::Csv => {
                let mut table = Table::new(format, ["from", "to", "metres"]);
                table.row(&mut out, [first, second, metres.to_string()])?;
                table.flush(&mut out)?;
            }
            Format::Plain | Format::Terminal => {
                writeln!(out, "{metres:.1} m")?;
                output::attribution(&lookup).await;
            }
        }
        Ok(())
    }
}
