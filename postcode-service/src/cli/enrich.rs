//! `enrich`: adds columns to a file of rows by their postcodes.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use futures::{Stream, StreamExt, TryStreamExt};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use postcode_addresses::{AddressLookup, connect_addresses};
use postcode_core::{Lookups, PostcodeLookup, path_or_url};
use postcode_tables::{Encoding, Quoting, delimiter_named, encoding_named, quoting_named};
use serde::Serialize;
use tempfile::NamedTempFile;
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use super::exit::found;
use super::interrupt;
use super::output;
use super::source::Source;
use crate::destination;
#[cfg(feature = "columnar")]
use crate::enrich::columnar::{self, Container};
use crate::enrich::{AbsentColumns, Column, Counts, Format, Part, Plan, described, enrich_with_addresses};

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;
const UNWRITTEN: &str = "the output can't be written";

/// Add columns to a CSV file, a sheet, lines of JSON, or a Parquet or Arrow file, by the postcode of each row.
///
/// The content of the file stays as it is, byte for byte; columns are added at the end of each row. Delimiter, encoding, line
/// ends and packing (gzip, zstd, zip) are found out, and what is not usual is said. Memory does not grow with the file.
/// A program built with the feature columnar reads Parquet and Arrow files too. They stay what they are: enrich customers.parquet
/// --out enriched.parquet. Columns, row groups, compression and metadata are kept.
///
/// Exit status: 0 if all is written, 1 if there are rows of the kinds of --fail-on, 2 for errors, 130 if it was interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service enrich customers.csv --out enriched.csv
  postcode-service enrich customers.xlsx --out enriched.csv
  postcode-service enrich customers.csv --columns admin_district,latitude,longitude --out enriched.csv
  postcode-service enrich -f ndjson -c codes.admin_ward < in.jsonl > out.jsonl
  postcode-service enrich forms.json --postcode-column address.postcode --out out.json
  postcode-service enrich old.csv --repair --errors left-out.csv --report report.json --fail-on malformed --out out.csv
  postcode-service enrich old.csv --columns address_count,address_street --addresses uk.addresses --out out.csv
  postcode-service enrich certificates.csv --columns address_match,address_uprn --addresses uk.addresses --out out.csv
  postcode-service enrich pp-2025.csv --no-header --columns status,codes.admin_district --out out.csv
  postcode-service enrich orders.csv --postcode-column 'Ship to' --source http://127.0.0.1:8080 --out out.csv")]
pub struct Args {
    /// The file. - means standard input, which is also read if there is no FILE and it is piped
    #[arg(value_name = "FILE", env = "POSTCODE_ENRICH_INPUT", default_value_os_t = usual_input(), hide_default_value = true)]
    input: PathBuf,
    /// The file to write, which appears when it is whole; - is standard output
    #[arg(long, short, value_name = "FILE", env = "POSTCODE_ENRICH_OUT", default_value = "-")]
    out: PathBuf,
    /// The columns to add, in this order [default: those of status, admin_district, region, country, latitude and longitude
    /// that the data has]
    #[arg(long, short, value_name = "NAMES", env = "POSTCODE_ENRICH_COLUMNS")]
    columns: Option<String>,
    /// Add columns that the data does not have, which are then empty in every row. Without it they are an error
    #[arg(long, env = "POSTCODE_ENRICH_ALLOW_EMPTY")]
    allow_empty: bool,
    /// The format of the file [default: by its name; of standard input csv]
    #[arg(long, short, value_enum, env = "POSTCODE_ENRICH_FORMAT")]
    format: Option<Format>,
    /// The column or key that holds the postcode, or a path such as address.postcode [default: the one with
    /// such a name, or that holds postcodes]
    #[arg(long, value_name = "NAME", env = "POSTCODE_ENRICH_POSTCODE_COLUMN")]
    postcode_column: Option<String>,
    /// Text to put before the names of the columns that are added
    #[arg(long, value_name = "TEXT", env = "POSTCODE_ENRICH_PREFIX", default_value = "")]
    prefix: String,
    /// The delimiter between two cells: one character, or tab [default: found by the first rows]
    #[arg(long, value_name = "CHARACTER", env = "POSTCODE_ENRICH_DELIMITER", value_parser = delimiter_named)]
    delimiter: Option<u8>,
    /// How a quote is written within a quoted cell: double or backslash; or none, to read quotes as ordinary characters. With
    /// none a delimiter in an added value becomes a space [default: found by the first rows]
    #[arg(long, value_name = "HOW", env = "POSTCODE_ENRICH_QUOTE", value_parser = quoting_named)]
    quote: Option<Quoting>,
    /// Read the first line of CSV as a row, not as the names of the columns. They are then called 1, 2, 3, … in other options,
    /// and the output has no line of names either
    #[arg(long, env = "POSTCODE_ENRICH_NO_HEADER")]
    no_header: bool,
    /// utf-8, utf-16le, utf-16be or windows-1252 [default: found by the first bytes]
    #[arg(long, value_name = "NAME", env = "POSTCODE_ENRICH_ENCODING", value_parser = encoding_named)]
    encoding: Option<Encoding>,
    /// The sheet of a workbook [default: the first visible one with anything in it]
    #[arg(long, value_name = "NAME", env = "POSTCODE_ENRICH_SHEET")]
    sheet: Option<String>,
    /// Repair what is not a postcode where exactly one may be meant and it is in use: SWIA 1AA. Such rows have the status
    /// repaired, and the column postcode_clean has what was looked up
    #[arg(long, env = "POSTCODE_ENRICH_REPAIR")]
    repair: bool,
    /// Take the postcode out of a cell that holds more, such as an address
    #[arg(long, env = "POSTCODE_ENRICH_FIND")]
    find: bool,
    /// Write rows with more cells than the header, and lines that are not a JSON object, to this file, with their line and
    /// the reason, and leave them out. Without it the first such row is an error
    #[arg(long, value_name = "FILE", env = "POSTCODE_ENRICH_ERRORS")]
    errors: Option<PathBuf>,
    /// Write what the summary says to this file, as JSON
    #[arg(long, value_name = "FILE", env = "POSTCODE_ENRICH_REPORT")]
    report: Option<PathBuf>,
    /// End with status 1, after all is written, if there are rows of these kinds
    #[arg(long, value_enum, value_name = "KINDS", env = "POSTCODE_ENRICH_FAIL_ON", value_delimiter = ',')]
    fail_on: Vec<Kind>,
    /// The columns or keys that hold the address of each row, in their order, for the columns address_match, address_udprn,
    /// address_umprn, address_uprn and address_line [default: columns with usual names, such as address1 or street]
    #[arg(long, value_name = "NAMES", env = "POSTCODE_ENRICH_ADDRESS_COLUMNS", value_delimiter = ',')]
    address_columns: Vec<String>,
    /// The address data for the columns that begin with address_: a file of addresses, or http://host:port, https://host or unix:/run/postcode.sock (a postcode-service with addresses)
    #[arg(long, value_name = "PATH|URL", env = "POSTCODE_ADDRESSES", hide_env_values = true)]
    addresses: Option<String>,
    #[command(flatten)]
    source: Source,
}

/// A kind of row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Nothing in the postcode's cell
    Blank,
    /// Not a postcode
    Malformed,
    /// Only a part of a postcode
    Partial,
    /// Not in the data
    Unknown,
    /// No longer in use
    Terminated,
    /// In an area that the data leaves out
    NotCovered,
    /// Repaired
    Repaired,
    /// Left out, with more cells than the header, or not a JSON object
    LeftOut,
}

impl Kind {
    fn count(self, counts: &Counts) -> u64 {
        match self {
            Self::Blank => counts.blank,
            Self::Malformed => counts.malformed,
            Self::Partial => counts.partial,
            Self::Unknown => counts.unknown,
            Self::Terminated => counts.terminated,
            Self::NotCovered => counts.not_covered,
            Self::Repaired => counts.repaired,
            Self::LeftOut => counts.set_aside,
        }
    }
}

/// Standard input, unless it is a terminal: then somebody would have to notice that the program
/// waits for rows.
fn usual_input() -> PathBuf {
    if io::stdin().is_terminal() { PathBuf::new() } else { PathBuf::from("-") }
}

/// The content of the file of `--report`.
#[derive(Serialize)]
struct Report<'a> {
    input: String,
    rows: u64,
    #[serde(flatten)]
    counts: &'a Counts,
    notes: &'a [String],
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> Result<()> {
        #[cfg(feature = "columnar")]
        if let Some(container) = self.container()? {
            return self.run_columnar(container).await;
        }
        #[cfg(not(feature = "columnar"))]
        if is_columnar(&self.input) {
            bail!(
                "{}: a Parquet or Arrow file, which this program was built without: build it with --features columnar",
                shown(&self.input)
            );
        }
        if self.input.as_os_str().is_empty() {
            bail!("give a FILE, or - to type the rows (see --help)");
        }
        let plan = self.plan()?;
        let read = Arc::new(AtomicU64::new(0));
        let (input, size) = open(&self.input).await?;
        for file in [&self.errors, &self.report].into_iter().flatten() {
            destination::check(file, [self.input.as_path(), self.out.as_path()])?;
        }
        let lookup = self.source.open().await?;
        let plan = self.of_data(plan, &*lookup).await?;
        let addresses = self.open_addresses(&plan, &lookup)?;
        let interrupted = interrupt::requested();
        let mut out = Out::create(&self.out, &self.input)?;
        let progress = progress(size, &self.out);
        let counter = read.clone();
        let input = ReaderStream::with_capacity(input, CHUNK).inspect(move |chunk| {
            let len = chunk.as_ref().map_or(0, bytes::Bytes::len);
            counter.fetch_add(len as u64, Ordering::Relaxed);
        });
        let parts = enrich_with_addresses(input, lookup.clone(), addresses.clone(), plan);
        let mut written = Written { out: &mut out, aside: self.aside()?, progress: &progress, read: &read };
        let file = matches!(written.out, Out::File(_));
        let done = tokio::select! {
            done = written.all(parts) => done.with_context(|| format!("{}: not enriched", shown(&self.input))),
            () = interrupted => {
                progress.finish_and_clear();
                // Here, because the process ends without dropping anything.
                drop(out);
                eprintln!("interrupted: {}", if file { "nothing was published" } else { "the output is incomplete" });
                std::process::exit(interrupt::STATUS);
            }
        };
        progress.finish_and_clear();
        let (counts, notes) = done?;
        out.publish(&self.out)?;
        self.finish(&*lookup, addresses.as_deref(), &counts, &notes).await
    }

    /// Writes the report and the summary.
    async fn finish(
        &self,
        lookup: &dyn Lookups,
        addresses: Option<&dyn AddressLookup>,
        counts: &Counts,
        notes: &[String],
    ) -> Result<()> {
        if let Some(path) = &self.report {
            let (input, rows) = (shown(&self.input), counts.rows());
            let report = Report { input, rows, counts, notes };
            let cannot = || format!("{}: the report can't be written", path.display());
            let text = serde_json::to_string_pretty(&report).with_context(cannot)?;
            std::fs::write(path, text + "\n").with_context(cannot)?;
        }
        eprintln!("{counts}");
        let columns = self.columns.as_deref().unwrap_or(Column::USUAL);
        if counts.malformed > 0 && !columns.split(',').any(|column| column.trim() == "error") {
            eprintln!("--columns status,error says what is wrong with each row");
        }
        if counts.malformed > 0 && !self.repair {
            eprintln!("--repair mends typing errors");
        }
        output::attribution(lookup).await;
        if let Some(addresses) = addresses
            && let Ok(coverage) = addresses.address_coverage().await
        {
            eprintln!("{}\n{}", coverage.edition, coverage.attribution);
        }
        let name =
            |kind: &Kind| kind.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned());
        let failed: Vec<String> = self
            .fail_on
            .iter()
            .filter(|kind| kind.count(counts) > 0)
            .map(|kind| format!("{} {}", kind.count(counts), name(kind)))
            .collect();
        if !failed.is_empty() {
            eprintln!("--fail-on: there are rows of these kinds: {}", failed.join(", "));
        }
        found(failed.is_empty())
    }

    /// Opens the address data, if a column needs it.
    fn open_addresses(
        &self,
        plan: &Plan,
        lookup: &Arc<dyn Lookups>,
    ) -> Result<Option<Arc<dyn AddressLookup>>> {
        let Some(column) = plan.columns.iter().find(|column| column.needs_addresses()) else {
            return Ok(None);
        };
        let Some(addresses) = &self.addresses else {
            bail!("--columns: {column} needs address data: name a file or a service by --addresses");
        };
        let url = path_or_url(addresses);
        // A file says which addresses there are, and the postcode data which postcodes.
        let postcodes = url.starts_with("file:").then(|| lookup.clone() as _);
        connect_addresses(&url, postcodes).context("--addresses").map(Some)
    }

    /// Checks that the data has the columns, or takes the usual ones that it has.
    async fn of_data(&self, mut plan: Plan, lookup: &dyn PostcodeLookup) -> Result<Plan> {
        let info = described(lookup).await?;
        if self.columns.is_none() {
            let (columns, note) = Column::usual_of(&info, self.allow_empty);
            note.iter().for_each(|note| eprintln!("{note}"));
            plan.columns.retain(|column| *column == Column::clean() || columns.contains(column));
        } else if !self.allow_empty {
            AbsentColumns::check(&plan.columns, &info).context("--columns")?;
        }
        Ok(plan)
    }

    fn plan_for(&self, format: Format) -> Result<Plan> {
        let columns = self.columns.as_deref().unwrap_or(Column::USUAL);
        let columns =
            Column::list_with_addresses(columns).map_err(anyhow::Error::msg).context("--columns")?;
        let plan = Plan {
            postcode: self.postcode_column.clone(),
            prefix: self.prefix.clone(),
            delimiter: self.delimiter,
            quoting: self.quote,
            no_header: self.no_header,
            encoding: self.encoding,
            find: self.find,
            allow_empty: self.allow_empty,
            set_aside: self.errors.is_some(),
            sheet: self.sheet.clone(),
            address: self.address_columns.iter().map(|name| name.trim().to_owned()).collect(),
            ..Plan::new(format, columns)
        };
        Ok(if self.repair { plan.repairing() } else { plan })
    }

    fn plan(&self) -> Result<Plan> {
        let plan = self.plan_for(self.format.map_or_else(|| format(&self.input), Ok)?)?;
        let end = self.out.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
        if matches!(&*end, "xlsx" | "xls" | "xlsm" | "xlsb" | "ods" | "gz" | "zst" | "zip") {
            bail!(
                "--out {}: workbooks and packed files are read, not written: name it .csv or .json",
                self.out.display()
            );
        }
        if matches!(&*end, "parquet" | "pq" | "arrow" | "feather" | "ipc" | "arrows") {
            bail!(
                "--out {}: {} is not a {end} file, and stays what it is: name the output .csv or .json",
                self.out.display(),
                shown(&self.input)
            );
        }
        Ok(plan)
    }

    /// The format of the file if it is one of columns.
    #[cfg(feature = "columnar")]
    fn container(&self) -> Result<Option<Container>> {
        // A pipe can't be read twice, and a file of columns is not read from one.
        if self.format.is_some() || !self.input.is_file() {
            return Ok(None);
        }
        Container::of(&self.input).with_context(|| format!("{}: not enriched", shown(&self.input)))
    }

    #[cfg(feature = "columnar")]
    async fn run_columnar(self, container: Container) -> Result<()> {
        let name = container.name();
        let pointless = [
            ("--delimiter", self.delimiter.is_some()),
            ("--quote", self.quote.is_some()),
            ("--no-header", self.no_header),
            ("--encoding", self.encoding.is_some()),
            ("--sheet", self.sheet.is_some()),
            ("--errors", self.errors.is_some()),
            ("--address-columns", !self.address_columns.is_empty()),
        ];
        if let Some((option, _)) = pointless.into_iter().find(|(_, given)| *given) {
            bail!(
                "{option}: {} is a {name} file, for which it means nothing: leave it out",
                shown(&self.input)
            );
        }
        let end = self.out.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
        if !container.endings().contains(&&*end) {
            bail!(
                "--out {}: {} is a {name} file, and stays one: name a file that ends in .{}",
                self.out.display(),
                shown(&self.input),
                container.endings().join(" or .")
            );
        }
        let plan = self.plan_for(Format::Csv)?;
        if let Some(column) = plan.comparison() {
            bail!(
                "--columns {column}: {name} files can't have it: convert the file to CSV or lines of JSON first"
            );
        }
        if let Some(file) = &self.report {
            destination::check(file, [self.input.as_path(), self.out.as_path()])?;
        }
        destination::check(&self.out, [self.input.as_path()])?;
        let lookup = self.source.open().await?;
        let plan = self.of_data(plan, &*lookup).await?;
        let addresses = self.open_addresses(&plan, &lookup)?;
        let interrupted = interrupt::requested();
        let file = destination::begin(&self.out)?;
        let writer = file.as_file().try_clone().context(UNWRITTEN)?;
        let progress = progress(None, &self.out);
        let rows = progress.clone();
        let done = AtomicU64::new(0);
        let work = columnar::Work {
            plan,
            lookup: lookup.clone(),
            addresses: addresses.clone(),
            runtime: tokio::runtime::Handle::current(),
            attribution: Some(lookup.info().await?.attribution).filter(|text| !text.is_empty()),
            written: Box::new(move |some| {
                let all = done.fetch_add(some, Ordering::Relaxed) + some;
                rows.set_message(format!("{all} rows"));
            }),
        };
        let input = self.input.clone();
        let enriched = tokio::task::spawn_blocking(move || {
            let mut writer = io::BufWriter::with_capacity(CHUNK, writer);
            let done = columnar::enrich(&input, container, &mut writer, &work)?;
            writer.flush().map_err(crate::enrich::Error::Read)?;
            Ok::<_, crate::enrich::Error>(done)
        });
        let done = tokio::select! {
            done = enriched => done.context("the work ended")?,
            () = interrupted => {
                progress.finish_and_clear();
                // Here, because the process ends without dropping anything.
                drop(file);
                eprintln!("interrupted: nothing was published");
                std::process::exit(interrupt::STATUS);
            }
        };
        progress.finish_and_clear();
        let (counts, notes) = done.with_context(|| format!("{}: not enriched", shown(&self.input)))?;
        for note in &notes {
            eprintln!("{note}");
        }
        destination::publish(file, &self.out)?;
        self.finish(&*lookup, addresses.as_deref(), &counts, &notes).await
    }

    /// The file for rows that are left out.
    fn aside(&self) -> Result<Option<(PathBuf, csv::Writer<std::fs::File>)>> {
        let Some(path) = &self.errors else { return Ok(None) };
        let cannot = || format!("{}: the file for errors can't be written", path.display());
        let mut writer = csv::Writer::from_path(path).with_context(cannot)?;
        writer.write_record(["line", "reason", "row"]).with_context(cannot)?;
        Ok(Some((path.clone(), writer)))
    }
}

/// The outputs that are written while rows come.
struct Written<'a> {
    out: &'a mut Out,
    aside: Option<(PathBuf, csv::Writer<std::fs::File>)>,
    progress: &'a ProgressBar,
    read: &'a AtomicU64,
}

impl Written<'_> {
    async fn all(
        &mut self,
        parts: impl Stream<Item = Result<Part, crate::enrich::Error>>,
    ) -> Result<(Counts, Vec<String>)> {
        let (mut counts, mut notes) = (Counts::default(), Vec::new());
        let mut parts = pin!(parts);
        while let Some(part) = parts.try_next().await? {
            self.out.writer().write_all(&part.bytes).context(UNWRITTEN)?;
            counts.add(&part.counts);
            for note in part.notes {
                self.progress.suspend(|| eprintln!("{note}"));
                notes.push(note);
            }
            if let Some((path, writer)) = &mut self.aside {
                for row in &part.aside {
                    let line = row.line.to_string();
                    writer.write_record([line.as_str(), &row.why, &row.text]).with_context(|| {
                        format!("{}: the file for errors can't be written", path.display())
                    })?;
                }
            }
            self.progress.set_position(self.read.load(Ordering::Relaxed));
            self.progress.set_message(format!("{} rows", counts.rows()));
        }
        self.out.writer().flush().context(UNWRITTEN)?;
        if let Some((path, writer)) = &mut self.aside {
            writer
                .flush()
                .with_context(|| format!("{}: the file for errors can't be written", path.display()))?;
        }
        Ok((counts, notes))
    }
}

/// Returns whether a file begins as one of columns does.
#[cfg(not(feature = "columnar"))]
fn is_columnar(path: &Path) -> bool {
    let mut first = [0; 6];
    path.is_file()
        && std::fs::File::open(path).and_then(|mut file| io::Read::read_exact(&mut file, &mut first)).is_ok()
        && (first.starts_with(b"PAR1") || first == *b"ARROW1")
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// Returns the format of a file, by its name without `.gz`, `.zst` and `.zip`.
fn format(input: &Path) -> Result<Format> {
    let name = input.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let packed = [".gz", ".zst", ".zip"].into_iter().find_map(|end| name.strip_suffix(end));
    if name == "-" {
        return Ok(Format::Csv);
    }
    let end = packed.unwrap_or(&name).rsplit_once('.').map_or("", |(_, end)| end);
    match end {
        "csv" | "tsv" | "tab" | "txt" | "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" => Ok(Format::Csv),
        "ndjson" | "jsonl" => Ok(Format::Ndjson),
        "json" => Ok(Format::Json),
        // The name of a zip file is seldom that of what is in it.
        _ if name.ends_with(".zip") => Ok(Format::Csv),
        _ => {
            // A file that is not there has no format.
            let about =
                std::fs::metadata(input).with_context(|| format!("{}: can't be read", shown(input)))?;
            if about.is_dir() {
                bail!("{}: a folder: give a file", shown(input));
            }
            bail!("{}: its name does not tell the format: give --format csv, ndjson or json", shown(input))
        }
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
