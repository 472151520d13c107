//! `validate`: whether texts are postcodes in use.

use std::io::{BufWriter, Write};

use postcode_core::{PostcodeLookupExt, Validity};
use postcode_tables::plain_text;
use serde::Serialize;

use super::exit;
use super::format::{Format, Shape, Table};
use super::output;
use super::source::Source;
use super::{stdin, words};
use crate::meant::hint;

/// Say whether texts are postcodes in use, and if not whether they once were.
///
/// Exit status: 0 if all are, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  postcode-service validate SW1A 1AA 'SW1A 1A'\n  postcode-service validate --csv < postcodes.txt"
)]
pub struct Args {
    /// Texts that may be postcodes. The halves of a postcode need no quotes. - reads one a line from
    /// standard input, which is also read if there is no TEXT and it is piped
    #[arg(value_name = "TEXT")]
    texts: Vec<String>,
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
        let format = self.shape.format();
        let inputs = stdin::inputs("TEXT", words::postcodes(&self.texts))?;
        let lookup = self.source.open().await?;
        let mut out = BufWriter::new(std::io::stdout());
        let mut table = Table::new(format, ["query", "valid", "status", "reason"]);
        let mut all = true;
        let mut batches = stdin::Batches::new(inputs);
        while let Some(batch) = batches.next().await? {
            // A line that can't be read is not a postcode, whatever is said about its other letters.
            let texts: Vec<&str> = batch.iter().map(|line| line.as_deref().map_or("", plain_text)).collect();
            let found = lookup.validate_all(&texts).await?;
            for (line, validity) in batch.iter().zip(&found) {
                all &= validity.is_live();
                let (text, status, reason) = match (line, validity) {
                    (Err(unread), _) => (unread.shown.as_str(), "invalid", Some(unread.why.clone())),
                    (Ok(text), Validity::Invalid(why)) => (text.as_str(), "invalid", Some(why.to_string())),
                    (Ok(text), Validity::Unknown(postcode)) => (text.as_str(), "unknown", hint(*postcode)),
                    (Ok(text), other) => (text.as_str(), other.status(), None),
                };
                let valid = validity.is_live();
                match (format, reason) {
                    (Format::Json, reason) => {
                        output::json(&mut out, &Line { query: text, valid, status, reason })?;
                    }
                    (Format::Csv, reason) => {
                        let reason = reason.unwrap_or_default();
                        table.row(&mut out, [text, if valid { "true" } else { "false" }, status, &reason])?;
                    }
                    (Format::Plain | Format::Terminal, None) => {
                        let status = status.replace('_', " ");
                        writeln!(out, "{text}  {}", format.paint().status(&status))?;
                    }
                    (Format::Plain | Format::Terminal, Some(why)) => {
                        writeln!(out, "{text}  {}: {why}", format.paint().bad(status))?;
                    }
                }
            }
            table.flush(&mut out)?;
            out.flush()?;
        }
        exit::found(all)
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
