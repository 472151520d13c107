//! `scotland`: looks postcodes up in the Scottish Postcode Directory.

use std::io::Write;

use postcode_core::{Postcode, ScottishArea, ScottishPostcode};

use super::asking::{Asking, say_why};
use super::format::{Format, Table};
use super::{exit, output, stdin, words};

/// Show the constituency of the Scottish Parliament of postcodes; with --extended everything that
/// the directory has about them.
///
/// The data must have been imported with the Scottish Postcode Directory.
///
/// Exit status: 0 if the directory has all of them, 1 if not or if some are not postcodes, 2 for
/// errors.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  postcode-service scotland EH1 1YZ G2 3DL --source uk.postcodes\n  postcode-service scotland --extended EH1 1YZ --json --source uk.postcodes"
)]
pub struct Args {
    /// Postcodes in any case and spacing; - reads one a line from standard input, which is also
    /// read if there is no POSTCODE and it is piped
    #[arg(value_name = "POSTCODE")]
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
        let format = self.asking.format();
        let inputs = stdin::inputs("POSTCODE", words::postcodes(&self.postcodes))?;
        let lookup = self.asking.open().await?;
        let mut out = std::io::stdout();
        let mut all = true;
        let areas = if self.extended { ScottishArea::ALL } else { &ScottishArea::ALL[..1] };
        let codes = areas.iter().flat_map(|area| [area.key().to_owned(), format!("codes.{}", area.key())]);
        let mut table = Table::new(format, std::iter::once("postcode".to_owned()).chain(codes));
        let mut batches = stdin::Batches::new(inputs);
        let mut waiting = std::collections::VecDeque::new();
        loop {
            let Some(line) = waiting.pop_front() else {
                let Some(batch) = batches.next().await? else { break };
                waiting.extend(batch);
                continue;
            };
            let text: &str = &match line {
                Ok(text) => text,
                Err(unread) => {
                    eprintln!("{}: invalid: {}", unread.shown, unread.why);
                    all = false;
                    continue;
                }
            };
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
            match format {
                Format::Json => {
                    output::json(&mut out, &if self.extended { entry } else { entry.compatible() })?;
                    continue;
                }
                Format::Csv => {
                    let cells = areas.iter().flat_map(|area| [entry.name(*area), entry.code(*area)]);
                    let cells = cells.map(|cell| cell.unwrap_or_default().to_owned());
                    table.row(&mut out, std::iter::once(postcode.to_string()).chain(cells))?;
                    continue;
                }
                Format::Plain | Format::Terminal => {}
            }
            let name = entry.scottish_parliamentary_constituency.as_deref().unwrap_or("-");
            let code = entry.codes.scottish_parliamentary_constituency.as_deref().unwrap_or("-");
            writeln!(out, "{postcode}  {name} ({code})")?;
            if self.extended {
                details(&mut out, &entry)?;
            }
        }
        if format == Format::Csv {
            table.flush(&mut out)?;
        }
        if format.is_for_people() {
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
