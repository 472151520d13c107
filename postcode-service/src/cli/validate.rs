//! `validate`: whether texts are postcodes in use.

use std::io::Write;

use postcode_core::{PostcodeLookupExt, Validity};
use serde::Serialize;

use super::exit;
use super::output;
use super::source::Source;

/// Say whether texts are postcodes in use, and if not whether they once were.
///
/// Exit status: 0 if all are, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postcode-service validate 'SW1A 1AA' 'SW1A 1A'")]
pub struct Args {
    /// Texts that may be postcodes
    #[arg(required = true, value_name = "TEXT")]
    texts: Vec<String>,
    /// Write one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> anyhow::Result<()> {
        let lookup = self.source.open().await?;
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let found = lookup.validate_all(&texts).await?;
        let mut out = std::io::stdout().lock();
        for (text, validity) in texts.into_iter().zip(&found) {
            let (status, reason) = match validity {
                Validity::Invalid(why) => ("invalid", Some(why.to_string())),
                other => (other.status(), None),
            };
            if self.json {
                let valid = validity.is_live();
                output::json(&mut out, &Line { query: text, valid, status, reason })?;
                continue;
            }
            match reason {
                None => writeln!(out, "{text}  {}", status.replace('_', " "))?,
                Some(why) => writeln!(out, "{text}  invalid: {why}")?,
            }
        }
        exit::found(found.iter().all(Validity::is_live))
    }
}

#[derive(Serialize)]
struct Line<'a> {
    query: &'a str,
    valid: bool,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}
