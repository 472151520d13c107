//! `lookup`: looks postcodes up.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::Arc;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use postcode_core::wire::RecordView;
use postcode_core::{Answer, Lookups, Postcode, PostcodeLookup};
use serde::Serialize;
use tokio::io::{AsyncRead, BufReader};

use super::asking::Asking;
use super::exit;
use super::output;
use lines::Lines;

pub(super) mod lines;

/// Looked up in one call.
const BATCH: usize = 1_000;

/// Look up postcodes.
///
/// Exit status: 0 if all are postcodes in use or once in use, 1 if some are unknown, invalid or not
/// covered by the data, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service lookup 'SW1A 1AA' EH11YZ
  postcode-service lookup --json - < postcodes.txt > records.jsonl
  postcode-service lookup M11AE --source http://127.0.0.1:8080

A line of --json:
  {\"query\":…,\"status\":\"live\"|\"terminated\"|\"unknown\"|\"invalid\"|\"not_covered\",\"result\":{…}|null,\"error\":…?}")]
pub struct Args {
    /// Postcodes in any case and spacing; - reads one a line from standard input
    #[arg(required = true, value_name = "POSTCODE")]
    postcodes: Vec<String>,
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
        let mut printer = Printer::new(lookup, self.asking.json);
        for text in &self.postcodes {
            if text == "-" {
                let progress = progress();
                let done = printer.lines(tokio::io::stdin(), &progress).await;
                progress.finish_and_clear();
                done?;
            } else {
                printer.add(Ok(text.clone())).await?;
            }
        }
        printer.flush().await?;
        if !self.asking.json {
            output::attribution(&printer.lookup).await;
        }
        exit::found(printer.all_known)
    }
}

/// Creates a progress bar. It is visible only on a terminal, and only if the answers go elsewhere.
fn progress() -> ProgressBar {
    let shown = io::stderr().is_terminal() && !io::stdout().is_terminal() && !io::stdin().is_terminal();
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{human_pos} postcodes, {per_sec}, {elapsed}");
    let bar = ProgressBar::with_draw_target(None, target);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[derive(Serialize)]
struct Line<'a> {
    query: &'a str,
    status: &'a str,
    result: Option<RecordView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// A text as read, or why it is not valid.
struct Query {
    text: String,
    postcode: Result<Postcode, String>,
}

struct Printer {
    lookup: Arc<dyn Lookups>,
    json: bool,
    queries: Vec<Query>,
    out: BufWriter<io::Stdout>,
    /// The advice about postcodes that are not covered; fetched once.
    advice: Option<String>,
    all_known: bool,
}

impl Printer {
    fn new(lookup: Arc<dyn Lookups>, json: bool) -> Self {
        let out = BufWriter::with_capacity(64 * 1024, io::stdout());
        Self { lookup, json, queries: Vec::with_capacity(BATCH), out, advice: None, all_known: true }
    }

    async fn lines(&mut self, input: impl AsyncRead + Unpin, progress: &ProgressBar) -> anyhow::Result<()> {
        // On a terminal, answer each line at once.
        let at_once = io::stdin().is_terminal();
        let mut lines = Lines::new(BufReader::with_capacity(64 * 1024, input));
        while let Some(line) = lines.next().await.context("standard input")? {
            self.add(line).await?;
            progress.inc(1);
            if at_once {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Adds a text to look up, or the printable part of an invalid one and the reason.
    async fn add(&mut self, text: Result<String, (String, String)>) -> anyhow::Result<()> {
        self.queries.push(match text {
            Ok(text) => Query { postcode: text.parse().map_err(|e| format!("{e}")), text },
            Err((text, why)) => Query { text, postcode: Err(why) },
        });
        if self.queries.len() == BATCH { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        let queries = std::mem::take(&mut self.queries);
        let postcodes: Vec<_> = queries.iter().filter_map(|query| query.postcode.clone().ok()).collect();
        let answers = self.lookup.lookup(&postcodes).await?;
        if answers.contains(&Answer::NotCovered) && self.advice.is_none() {
            let info = self.lookup.info().await?;
            let advice = info.not_covered_advice;
            self.advice = Some(advice.unwrap_or_else(|| "the dataset does not cover this area".to_owned()));
        }
        let mut answers = answers.iter();
        for query in &queries {
            match &query.postcode {
                Err(why) => self.write(&query.text, "invalid", None, Some(why))?,
                Ok(_) => {
                    let answer = answers.next().context("a batch came back short")?;
                    self.write(&query.text, answer.status(), Some(answer), None)?;
                }
            }
        }
        self.out.flush()?;
        Ok(())
    }

    fn write(
        &mut self,
        query: &str,
        status: &str,
        answer: Option<&Answer>,
        error: Option<&str>,
    ) -> io::Result<()> {
        let record = answer.and_then(Answer::record);
        let not_covered = matches!(answer, Some(Answer::NotCovered));
        let error = if not_covered { self.advice.as_deref() } else { error };
        self.all_known &= record.is_some();
        if self.json {
            return output::json(
                &mut self.out,
                &Line { query, status, result: record.map(output::view), error },
            );
        }
        match (record, error) {
            (Some(record), _) => output::block(&mut self.out, record),
            (None, Some(error)) => writeln!(self.out, "{query}  {}: {error}", status.replace('_', " ")),
            (None, None) => writeln!(self.out, "{query}  {status}"),
        }
    }
}
