//! Options that the lookup commands share, and their advice about areas that are not covered.

use std::sync::Arc;

use postcode_core::{Answer, ErrorKind, Lookups, Postcode};

use super::format::{Format, Shape};
use super::source::Source;

/// The options of all lookups.
#[derive(Debug, clap::Args)]
pub(crate) struct Asking {
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    source: Source,
}

impl Asking {
    pub(crate) async fn open(&self) -> anyhow::Result<Arc<dyn Lookups>> {
        self.source.open().await
    }

    pub(crate) fn format(&self) -> Format {
        self.shape.format()
    }
}

/// The option of those that find many.
#[derive(Debug, clap::Args)]
pub(crate) struct Limit {
    /// How many at most
    #[arg(long, short = 'n', default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
}

impl Limit {
    pub(crate) fn get(&self) -> usize {
        self.limit.into()
    }
}

/// Returns the advice about the postcode area at the beginning of a text, if the data does not
/// cover it: finding nothing then proves nothing.
pub(crate) async fn left_out(lookup: &dyn Lookups, text: &str) -> anyhow::Result<Option<String>> {
    let letters = text.trim_start().chars().take_while(char::is_ascii_alphabetic);
    let area = letters.collect::<String>().to_ascii_uppercase();
    let info = match lookup.info().await {
        Ok(info) => info,
        // A server of postcodes.io does not tell which areas it does not cover.
        Err(error) if error.kind() == ErrorKind::NotSupported => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(info.advice(&area).map(str::to_owned))
}

/// Says on standard error why nothing was found: that the data leaves the area out, or `otherwise`.
pub(crate) async fn say_why(lookup: &dyn Lookups, text: &str, otherwise: &str) -> anyhow::Result<()> {
    match left_out(lookup, text).await? {
        Some(advice) => eprintln!("{text}: not covered: {advice}"),
        None if otherwise.is_empty() => {}
        None if text.is_empty() => eprintln!("{otherwise}"),
        None => eprintln!("{text}: {otherwise}"),
    }
    Ok(())
}

/// Says on standard error why a postcode has no known location. Returns whether that is so.
pub(crate) async fn say_why_nowhere(lookup: &dyn Lookups, postcode: Postcode) -> anyhow::Result<bool> {
    match lookup.lookup(&[postcode]).await?.first() {
        Some(Answer::Live(record) | Answer::Terminated(record)) if record.location.is_some() => {
            return Ok(false);
        }
        Some(Answer::Live(_) | Answer::Terminated(_)) => {
            eprintln!("{postcode}: the data has no location for this postcode");
        }
        _ => say_why(lookup, &postcode.to_string(), "unknown").await?,
    }
    Ok(true)
}
