//! `export`: a dataset as CSV, lines of JSON, GeoJSON, Parquet or SQLite.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use postcode_core::dataset::{Dataset, Demands, Verify};
use postcode_core::{Answer, Local, Status};
use sqlx::{Connection, Executor, SqliteConnection};

use super::address_file;
use super::source::DatasetSource;
use crate::destination;
#[cfg(feature = "columnar")]
use crate::enrich::columnar::write_parquet;
use crate::enrich::{AbsentColumns, Column, Found, Value};

/// Rows of one INSERT into SQLite.
const AT_ONCE: usize = 100;

/// Write a dataset as CSV, lines of JSON, GeoJSON, Parquet or SQLite.
///
/// The attribution that the licences require is written next to it, as FILE.attribution.txt; in GeoJSON, Parquet and SQLite it
/// is in the file, too. Parquet needs a program built with the feature columnar.
///
/// Exit status: 0 if it was done, 1 for errors, 2 for wrong options.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service export --out uk.csv
  postcode-service export uk.postcodes --out uk.geojson --live
  postcode-service export uk.postcodes --out uk.sqlite --columns postcode,status,latitude,longitude,codes.admin_ward")]
pub struct Args {
    /// The dataset: a path, file:PATH or embedded:
    #[arg(value_name = "DATASET", env = "POSTCODE_EXPORT_DATASET", default_value = "embedded:",
          value_parser = DatasetSource::parser())]
    dataset: DatasetSource,
    /// The file to write, which appears when it is whole
    #[arg(long, short, value_name = "FILE", env = "POSTCODE_EXPORT_OUT")]
    out: PathBuf,
    /// The format to write [default: by the name of the file]
    #[arg(long, short, value_enum, env = "POSTCODE_EXPORT_FORMAT")]
    format: Option<Format>,
    /// The columns, in this order [default: all that the dataset has]
    #[arg(long, short, value_name = "NAMES", env = "POSTCODE_EXPORT_COLUMNS")]
    columns: Option<String>,
    /// Write columns of --columns that the dataset does not have, empty in every row. Without it they are an error
    #[arg(long, env = "POSTCODE_EXPORT_ALLOW_EMPTY")]
    allow_empty: bool,
    /// Write addresses, although their file says that it may not be passed on: you know what its licence allows
    #[arg(long, env = "POSTCODE_EXPORT_LICENSED")]
    licensed: bool,
    /// Only postcodes in use
    #[arg(long, env = "POSTCODE_EXPORT_LIVE")]
    live: bool,
}

/// The formats of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// CSV with a header
    Csv,
    /// One JSON object a line
    Ndjson,
    /// A FeatureCollection (RFC 7946), of postcodes with a position
    Geojson,
    /// Apache Parquet, compressed with Snappy
    Parquet,
    /// A database with the tables postcodes and about
    Sqlite,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(self) -> Result<()> {
        let format = self.format.map_or_else(|| format(&self.out), Ok)?;
        destination::check(&self.out, self.dataset.file())?;
        if let Some(addresses) = self.dataset.addresses(&Demands::default())? {
            anyhow::ensure!(
                matches!(format, Format::Ndjson),
                "addresses are exported as lines of JSON: give --format ndjson"
            );
            return address_file::export(&addresses, &self.out, self.licensed);
        }
        let local = Local::new(self.dataset.open(&Demands::default().verify(Verify::Off))?);
        let dataset = local.dataset();
        let columns = match &self.columns {
            Some(names) => {
                let columns = Column::list(names).map_err(anyhow::Error::msg).context("--columns")?;
                if !self.allow_empty {
                    AbsentColumns::check(&columns, dataset.info()).context("--columns")?;
                }
                columns
            }
            None => filled(&dataset),
        };
        let file = destination::begin(&self.out)?;
        let rows = Rows { dataset: &dataset, columns: &columns, live: self.live };
        let count = match format {
            Format::Sqlite => rows.sqlite(file.path()).await?,
            _ => {
                let mut out = BufWriter::new(file.as_file());
                let count = match format {
                    Format::Csv => rows.csv(&mut out),
                    Format::Ndjson => rows.ndjson(&mut out),
                    Format::Parquet => rows.parquet(&mut out),
                    _ => rows.geojson(&mut out),
                };
                let count = count.with_context(|| format!("{}: can't be written", self.out.display()))?;
                out.flush().with_context(|| format!("{}: can't be written", self.out.display()))?;
                count
            }
        };
        destination::publish(file, &self.out)?;
        let beside = beside(&self.out);
        std::fs::write(&beside, about(&dataset) + "\n")
            .with_context(|| format!("{}: the attribution can't be written", beside.display()))?;
        eprintln!("{count} postcodes; the attribution is in {}", beside.display());
        Ok(())
    }
}

/// `uk.csv.attribution.txt`.
fn beside(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".attribution.txt");
    name.into()
}

fn about(dataset: &Dataset) -> String {
    let info = dataset.info();
    format!("{}. {}", info.edition, info.attribution)
}

fn format(out: &Path) -> Result<Format> {
    let end = out.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
    Ok(match &*end {
        "csv" => Format::Csv,
        "ndjson" | "jsonl" => Format::Ndjson,
        "geojson" | "json" => Format::Geojson,
        "parquet" | "pq" => Format::Parquet,
        "sqlite" | "sqlite3" | "db" => Format::Sqlite,
        _ => bail!("{}: its name does not say what to write: give --format", out.display()),
    })
}

/// The columns that some postcode has a value of.
fn filled(dataset: &Dataset) -> Vec<Column> {
    let mut left: Vec<Column> = Column::names()
        .filter(|name| name != "error" && name != "postcode_clean")
        .filter_map(|name| name.parse().ok())
        .collect();
    let all = left.clone();
    for record in dataset.iter() {
        if left.is_empty() {
            break;
        }
        let answer = Answer::from(record);
        left.retain(|column| column.value(&Found::of(&answer)) == Value::None);
    }
    all.into_iter().filter(|column| !left.contains(column)).collect()
}

struct Rows<'a> {
    dataset: &'a Dataset,
    columns: &'a [Column],
    live: bool,
}

impl Rows<'_> {
    fn answers(&self) -> impl Iterator<Item = Answer> {
        let live = self.live;
        self.dataset.iter().filter(move |record| !live || record.status == Status::Live).map(Answer::from)
    }

    fn names(&self) -> impl Iterator<Item = String> {
        self.columns.iter().map(ToString::to_string)
    }

    fn csv(&self, out: impl Write) -> Result<u64> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(self.names())?;
        let mut count = 0;
        for answer in self.answers() {
            let found = Found::of(&answer);
            writer.write_record(self.columns.iter().map(|column| column.value(&found).to_string()))?;
            count += 1;
        }
        writer.flush()?;
        Ok(count)
    }

    fn object(&self, answer: &Answer) -> Result<serde_json::Map<String, serde_json::Value>> {
        let found = Found::of(answer);
        let pairs = self
            .columns
            .iter()
            .map(|column| Ok((column.to_string(), serde_json::to_value(column.value(&found))?)));
        pairs.collect()
    }

    fn ndjson(&self, mut out: impl Write) -> Result<u64> {
        let mut count = 0;
        for answer in self.answers() {
            serde_json::to_writer(&mut out, &self.object(&answer)?)?;
            out.write_all(b"\n")?;
            count += 1;
        }
        Ok(count)
    }

    fn geojson(&self, mut out: impl Write) -> Result<u64> {
        let attribution = serde_json::to_string(&about(self.dataset))?;
        write!(out, "{{\"type\":\"FeatureCollection\",\"attribution\":{attribution},\"features\":[")?;
        let mut count = 0;
        for answer in self.answers() {
            let Some(location) = answer.record().and_then(|record| record.location) else { continue };
            let feature = serde_json::json!({
                "type": "Feature",
                "geometry": { "type": "Point", "coordinates": [location.longitude(), location.latitude()] },
                "properties": self.object(&answer)?,
            });
            out.write_all(if count == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut out, &feature)?;
            count += 1;
        }
        out.write_all(b"\n]}\n")?;
        Ok(count)
    }

    #[cfg(feature = "columnar")]
    fn parquet(&self, out: impl Write + Send) -> Result<u64> {
        Ok(write_parquet(out, self.columns, about(self.dataset), self.answers())?)
    }

    #[cfg(not(feature = "columnar"))]
    fn parquet(&self, _: impl Write) -> Result<u64> {
        bail!("Parquet: this program was built without it: build it with --features columnar")
    }

    async fn sqlite(&self, path: &Path) -> Result<u64> {
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(path)
            // Nobody else uses the file as a database before it is complete.
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Off)
            .synchronous(sqlx::sqlite::SqliteSynchronous::Off);
        let mut database = SqliteConnection::connect_with(&options).await?;
        let names: Vec<String> = self.names().map(|name| format!("\"{name}\"")).collect();
        let key =
            if names.iter().any(|name| name == "\"postcode\"") { ", PRIMARY KEY (\"postcode\")" } else { "" };
        let create = format!(
            "CREATE TABLE about (attribution TEXT NOT NULL); CREATE TABLE postcodes ({}{key})",
            names.join(", ")
        );
        database.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(create))).await?;
        let mut work = database.begin().await?;
        sqlx::query("INSERT INTO about VALUES (?)").bind(about(self.dataset)).execute(&mut *work).await?;
        let mut answers = self.answers();
        let mut count = 0;
        loop {
            let batch: Vec<Answer> = answers.by_ref().take(AT_ONCE).collect();
            if batch.is_empty() {
                break;
            }
            let row = format!("({})", vec!["?"; names.len()].join(","));
            let insert = format!("INSERT INTO postcodes VALUES {}", vec![row; batch.len()].join(","));
            let mut query = sqlx::query(sqlx::AssertSqlSafe(insert));
            for answer in &batch {
                let found = Found::of(answer);
                for column in self.columns {
                    query = match column.value(&found) {
                        Value::None => query.bind(None::<String>),
                        Value::Text(text) => query.bind(text.into_owned()),
                        Value::Number(number) => query.bind(i64::try_from(number).unwrap_or(i64::MAX)),
                        Value::Degrees(degrees) => query.bind(degrees),
                    };
                }
            }
            query.execute(&mut *work).await?;
            count += batch.len() as u64;
        }
        work.commit().await?;
        database.close().await?;
        Ok(count)
    }
}
