//! `enrich`: adds columns to a file of rows by their postcodes.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;

use anyhow::{Context, Result, bail};
use futures::{Stream, TryStreamExt};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tempfile::NamedTempFile;
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use super::interrupt;
use super::output;
use super::source::Source;
use crate::destination;
use crate::enrich::{Column, Counts, Format, Part, Plan, enrich};

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;
const UNWRITTEN: &str = "the output can't be written";

/// Add columns to a CSV file, or to lines of JSON, by the postcode of each row.
///
/// The columns in the file stay as they are, byte for byte. New columns are added at the end of
/// each row. Memory does not grow with the file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service enrich customers.csv --out enriched.csv
  postcode-service enrich customers.csv --columns admin_district,latitude,longitude --out enriched.csv
  postcode-service enrich --format ndjson - --columns codes.admin_ward < in.jsonl > out.jsonl
  postcode-service enrich orders.csv --postcode-column 'Ship to' --source http://127.0.0.1:8080 --out out.csv")]
pub struct Args {
    /// The file; - is standard input
    #[arg(value_name = "FILE", env = "POSTCODE_ENRICH_INPUT")]
    input: PathBuf,
    /// The file to write, which appears when it is whole; - is standard output
    #[arg(long, value_name = "FILE", env = "POSTCODE_ENRICH_OUT", default_value = "-")]
    out: PathBuf,
    /// The columns to add, in this order
    #[arg(long, value_name = "NAMES", env = "POSTCODE_ENRICH_COLUMNS", default_value = Column::USUAL)]
    columns: String,
    /// The format of the file [default: by its name]
    #[arg(long, value_enum, env = "POSTCODE_ENRICH_FORMAT")]
    format: Option<Format>,
    /// The column or key that holds the postcode [default: the one that is called so]
    #[arg(long, value_name = "NAME", env = "POSTCODE_ENRICH_POSTCODE_COLUMN")]
    postcode_column: Option<String>,
    /// A prefix for the names of the added columns
    #[arg(long, value_name = "TEXT", env = "POSTCODE_ENRICH_PREFIX", default_value = "")]
    prefix: String,
    #[command(flatten)]
    source: Source,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> Result<()> {
        let columns = Column::list(&self.columns).map_err(anyhow::Error::msg).context("--columns")?;
        let plan = Plan {
            format: self.format.map_or_else(|| format(&self.input), Ok)?,
            columns,
            postcode: self.postcode_column.clone(),
            prefix: self.prefix.clone(),
        };
        let (input, size) = open(&self.input).await?;
        let lookup = self.source.open().await?;
        let interrupted = interrupt::requested();
        let mut out = Out::create(&self.out, &self.input)?;
        let progress = progress(size, &self.out);
        let parts = enrich(ReaderStream::with_capacity(input, CHUNK), lookup.clone(), plan);
        let file = matches!(out, Out::File(_));
        let written = write(parts, &mut out, &progress);
        let counts = tokio::select! {
            counts = written => counts.with_context(|| format!("{}: not enriched", shown(&self.input))),
            () = interrupted => {
                progress.finish_and_clear();
                // Here, because the process ends without dropping anything.
                drop(out);
                eprintln!("interrupted: {}", if file { "nothing was published" } else { "the output is incomplete" });
                std::process::exit(interrupt::STATUS);
            }
        };
        progress.finish_and_clear();
        let counts = counts?;
        out.publish(&self.out)?;
        eprintln!("{counts}");
        output::attribution(&*lookup).await;
        Ok(())
    }
}

async fn write(
    parts: impl Stream<Item = Result<Part, crate::enrich::Error>>,
    out: &mut Out,
    progress: &ProgressBar,
) -> Result<Counts> {
    let mut counts = Counts::default();
    let mut parts = pin!(parts);
    while let Some(part) = parts.try_next().await? {
        out.writer().write_all(&part.bytes).context(UNWRITTEN)?;
        counts.add(&part.counts);
        progress.set_position(part.read);
        progress.set_message(format!("{} rows", counts.rows()));
    }
    out.writer().flush().context(UNWRITTEN)?;
    Ok(counts)
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

fn format(input: &Path) -> Result<Format> {
    let end = input.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
    match &*end {
        "csv" | "tsv" | "txt" => Ok(Format::Csv),
        "ndjson" | "jsonl" => Ok(Format::Ndjson),
        _ => bail!("{}: its name does not tell the format: give --format csv or ndjson", shown(input)),
    }
}

async fn open(input: &Path) -> Result<(Box<dyn AsyncRead + Send + Unpin>, Option<u64>)> {
    if input == Path::new("-") {
        return Ok((Box::new(tokio::io::stdin()), None));
    }
    let cannot = || format!("{}: can't be read", input.display());
    let file = tokio::fs::File::open(input).await.with_context(cannot)?;
    let about = file.metadata().await.with_context(cannot)?;
    if about.is_dir() {
        bail!("{}: a folder: give a file", input.display());
    }
    Ok((Box::new(file), about.is_file().then_some(about.len())))
}

/// The output: a file that appears only when complete, or standard output.
enum Out {
    Stdout(io::BufWriter<io::Stdout>),
    File(io::BufWriter<NamedTempFile>),
}

impl Out {
    fn create(path: &Path, input: &Path) -> Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdout(io::BufWriter::with_capacity(CHUNK, io::stdout())));
        }
        destination::check(path, [input])?;
        let file = destination::begin(path)?;
        Ok(Self::File(io::BufWriter::with_capacity(CHUNK, file)))
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(out) => out,
            Self::File(out) => out,
        }
    }

    fn publish(self, path: &Path) -> Result<()> {
        let Self::File(out) = self else { return Ok(()) };
        let file = out.into_inner().map_err(|e| e.into_error());
        destination::publish(file.with_context(|| format!("{}: can't be written", path.display()))?, path)
    }
}

/// Creates a progress bar. It is visible only on a terminal, and only if the rows go elsewhere.
fn progress(size: Option<u64>, out: &Path) -> ProgressBar {
    let shown = io::stderr().is_terminal() && (out != Path::new("-") || !io::stdout().is_terminal());
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(size, target);
    let template = match size {
        Some(_) => "{bar:30} {bytes}/{total_bytes} {msg} {elapsed}, {eta} left",
        None => "{bytes} {msg} {elapsed}",
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
