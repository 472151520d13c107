//! `lookup`: looks postcodes up.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::Arc;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use postcode_core::wire::RecordView;
use postcode_core::{Answer, DatasetInfo, Lookups, Postcode, PostcodeLookup};
use postcode_tables::plain_text;
use serde::Serialize;

use super::asking::Asking;
use super::format::{Format, Paint};
use super::lines::Unread;
use super::records::{Columns, Records};
use super::{exit, output, stdin, words};
use crate::meant::hint;

/// The columns of CSV, after the text that was looked up.
const USUAL: &str = "status,postcode,admin_district,region,country,latitude,longitude,error";

/// Look up postcodes.
///
/// The two halves of a postcode need no quotes: `lookup SW1A 1AA M1 1AE` looks two postcodes up. A
/// first half of two to four characters and a second half of three, which begins with a digit, are
/// one postcode.
///
/// Exit status: 0 if all are postcodes in use or once in use, 1 if some are unknown, invalid or not
/// covered by the data, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service lookup SW1A 1AA EH11YZ
  postcode-service lookup --json < postcodes.txt > records.jsonl
  postcode-service lookup --csv -c status,postcode,admin_ward < postcodes.txt > table.csv
  postcode-service lookup M11AE --source http://127.0.0.1:8080

A line of --json:
  {\"query\":…,\"status\":\"live\"|\"terminated\"|\"unknown\"|\"invalid\"|\"not_covered\",\"result\":{…}|null,\"error\":…?}")]
pub struct Args {
    /// Postcodes in any case and spacing; - reads one a line from standard input, which is also
    /// read if there is no POSTCODE and it is piped
    #[arg(value_name = "POSTCODE")]
    postcodes: Vec<String>,
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
        let format = self.asking.format();
        let inputs = stdin::inputs("POSTCODE", words::postcodes(&self.postcodes))?;
        let table = Records::new(&self.columns, format, &["query"], USUAL)?;
        let lookup = self.asking.open().await?;
        let progress = if inputs.contains(&stdin::Input::Lines) { progress() } else { ProgressBar::hidden() };
        let mut printer = Printer::new(lookup, format, table);
        let mut batches = stdin::Batches::new(inputs);
        let done = async {
            while let Some(batch) = batches.next().await? {
                progress.inc(batch.len() as u64);
                printer.print(batch).await?;
            }
            printer.finish()
        };
        let done = done.await;
        progress.finish_and_clear();
        done?;
        if format.is_for_people() {
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

impl From<Result<String, Unread>> for Query {
    fn from(line: Result<String, Unread>) -> Self {
        match line {
            Ok(text) => Self { postcode: plain_text(&text).parse().map_err(|e| format!("{e}")), text },
            Err(Unread { shown, why }) => Self { text: shown, postcode: Err(why) },
        }
    }
}

struct Printer {
    lookup: Arc<dyn Lookups>,
    format: Format,
    paint: Paint,
    table: Records,
    out: BufWriter<io::Stdout>,
    /// Which areas are not covered, with advice about each; fetched once.
    info: Option<DatasetInfo>,
    all_known: bool,
}

impl Printer {
    fn new(lookup: Arc<dyn Lookups>, format: Format, table: Records) -> Self {
        let out = BufWriter::with_capacity(64 * 1024, io::stdout());
        Self { lookup, format, paint: format.paint(), table, out, info: None, all_known: true }
    }

    async fn print(&mut self, batch: Vec<Result<String, Unread>>) -> anyhow::Result<()> {
        let queries: Vec<Query> = batch.into_iter().map(Query::from).collect();
        let postcodes: Vec<_> = queries.iter().filter_map(|query| query.postcode.clone().ok()).collect();
        let answers = self.lookup.lookup(&postcodes).await?;
        if answers.contains(&Answer::NotCovered) && self.info.is_none() {
            self.info = Some(self.lookup.info().await?);
        }
        let mut answers = answers.iter();
        for query in &queries {
            match &query.postcode {
                Err(why) => self.write(&query.text, "invalid", None, Some(why))?,
                Ok(postcode) => {
                    let answer = answers.next().context("a batch came back short")?;
                    let advice = match answer {
                        Answer::NotCovered => self.advice(*postcode),
                        Answer::Unknown => hint(*postcode),
                        _ => None,
                    };
                    self.write(&query.text, answer.status(), Some(answer), advice.as_deref())?;
                }
            }
        }
        if self.format == Format::Csv {
            self.table.flush(&mut self.out)?;
        }
        self.out.flush()?;
        Ok(())
    }

    /// Returns the advice about a postcode that is not covered.
    fn advice(&self, postcode: Postcode) -> Option<String> {
        self.info.as_ref()?.advice(&postcode.area()).map(str::to_owned)
    }

    /// Writes the header of CSV even if there was nothing to look up.
    fn finish(&mut self) -> anyhow::Result<()> {
        if self.format == Format::Csv {
            self.table.flush(&mut self.out)?;
        }
        Ok(self.out.flush()?)
    }

    fn write(
        &mut self,
        query: &str,
        status: &str,
        answer: Option<&Answer>,
        error: Option<&str>,
    ) -> io::Result<()> {
        let record = answer.and_then(Answer::record);
        self.all_known &= record.is_some();
        match self.format {
            Format::Json => {
                let line = Line { query, status, result: record.map(output::view), error };
                return output::json(&mut self.out, &line);
            }
            Format::Csv => {
                return self.table.answer(&mut self.out, vec![query.to_owned()], None, answer, error);
            }
            Format::Plain | Format::Terminal => {}
        }
        let status = self.paint.status(&status.replace('_', " "));
        match (record, error) {
            (Some(record), _) => output::block(&mut self.out, record, self.paint),
            (None, Some(error)) => writeln!(self.out, "{query}  {status}: {error}"),
            (None, None) => writeln!(self.out, "{query}  {status}"),
        }
    }
}
