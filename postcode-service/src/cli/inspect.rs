//! `postcode-service inspect`: describes a dataset file.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::io::{self, Write};

use postcode_core::dataset::{Dataset, Demands, FieldCoverage, FieldSource, Summary, Verify};
use postcode_core::{AreaKind, DatasetInfo, Status};
use serde::Serialize;

use super::source::DatasetSource;
use super::{address_file, output};
use crate::enrich::{AbsentColumns, Column};

const EXAMPLES: &str = "\
Examples:
  postcode-service inspect uk.postcodes
  postcode-service inspect uk.postcodes --json | jq .contents.countries
  postcode-service inspect embedded:";

/// Describe a dataset: edition, licence, counts, how complete each field is and where it comes from, sizes.
///
/// Exit status: 0 if it was done, 1 for errors, 2 for wrong options.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The dataset: a path, file:PATH or embedded:
    #[arg(env = "POSTCODE_INSPECT_FILE", value_parser = DatasetSource::parser())]
    file: DatasetSource,
    /// Print one JSON object
    #[arg(long, short, env = "POSTCODE_INSPECT_JSON")]
    json: bool,
}

impl Args {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<()> {
        let demands = Demands::default().verify(Verify::Off);
        if let Some(addresses) = self.file.addresses(&demands)? {
            let summary = addresses.summary();
            if self.json {
                output::json(&mut io::stdout().lock(), &summary)?;
            } else {
                address_file::describe(&mut io::stdout().lock(), &summary)?;
            }
            return Ok(());
        }
        let dataset = self.file.open(&demands)?;
        let fields = dataset.fields().to_vec();
        let (contents, absent) = (Contents::of(&dataset), absent(dataset.info()));
        let inspection = Inspection { summary: dataset.summary(), contents, fields, absent };
        if self.json {
            output::json(&mut io::stdout().lock(), &inspection)?;
        } else {
            writeln!(io::stdout(), "{inspection}")?;
        }
        Ok(())
    }
}

/// The output of the command.
#[derive(Debug, Serialize)]
struct Inspection {
    #[serde(flatten)]
    summary: Summary,
    contents: Contents,
    /// How complete each field is, and where it comes from.
    fields: Vec<FieldCoverage>,
    /// The fields without a value, and the import that supplies each.
    absent: BTreeMap<String, String>,
}

/// Returns the fields that no postcode has a value in.
fn absent(info: &DatasetInfo) -> BTreeMap<String, String> {
    let columns: Vec<Column> = Column::names().filter_map(|name| name.parse().ok()).collect();
    match AbsentColumns::check(&columns, info) {
        Ok(()) => BTreeMap::new(),
        Err(absent) => absent.reasons().collect(),
    }
}

/// Counts over the rows.
#[derive(Debug, Default, Serialize)]
struct Contents {
    total: Count,
    /// Counts by postcode area: `AB`.
    areas: BTreeMap<String, Count>,
    /// Counts by name, or by code without a name; empty for postcodes without a country.
    countries: BTreeMap<String, Count>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Count {
    live: u64,
    terminated: u64,
}

impl Count {
    fn add(&mut self, status: Status) {
        match status {
            Status::Live => self.live += 1,
            Status::Terminated => self.terminated += 1,
        }
    }

    fn total(self) -> u64 {
        self.live + self.terminated
    }
}

impl Contents {
    fn of(dataset: &Dataset) -> Self {
        let mut contents = Self::default();
        for record in dataset.iter() {
            contents.total.add(record.status);
            contents.areas.entry(record.postcode.area().to_string()).or_default().add(record.status);
            let country =
                record.country().or_else(|| record.area_code(AreaKind::Country)).unwrap_or_default();
            match contents.countries.get_mut(country) {
                Some(count) => count.add(record.status),
                None => contents.countries.entry(country.to_owned()).or_default().add(record.status),
            }
        }
        contents
    }
}

/// `Code-Point Open, 2025-04`
fn source(source: &FieldSource) -> String {
    match &source.date {
        Some(date) => format!("{}, {date}", source.source),
        None => source.source.clone(),
    }
}

impl Display for Inspection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { summary, contents, fields, absent } = self;
        let metadata = &summary.metadata;
        let total = contents.total.total();
        writeln!(f, "{}", metadata.edition)?;
        writeln!(f, "source        {}", metadata.source)?;
        writeln!(f, "attribution   {}", metadata.attribution)?;
        writeln!(f, "licence       {}", metadata.licence)?;
        writeln!(f, "built with    {}, file format {}", metadata.built_with, summary.format)?;
        writeln!(f, "fingerprint   {}", summary.fingerprint)?;
        writeln!(
            f,
            "postcodes     {total}: {} live, {} terminated",
            contents.total.live, contents.total.terminated
        )?;
        writeln!(f, "in            {} outcodes, {} sectors", summary.outcodes, summary.sectors)?;
        if metadata.places > 0 {
            writeln!(f, "places        {}", metadata.places)?;
        }
        if metadata.scottish_postcodes > 0 {
            writeln!(
                f,
                "Scotland      {} postcodes of the Scottish Postcode Directory",
                metadata.scottish_postcodes
            )?;
        }
        if let Some(source) = &metadata.approximate_source {
            writeln!(f, "approximate   positions of {source}, by outcode, where there is no other")?;
        }
        if !metadata.not_covered.is_empty() {
            writeln!(f, "left out      {}", metadata.not_covered.join(" "))?;
        }
        let each = summary.bytes as f64 / total.max(1) as f64;
        writeln!(f, "size          {} bytes, {each:.1} a postcode", summary.bytes)?;
        writeln!(f, "\n{:<32} {:>9} {:>11}", "country", "live", "terminated")?;
        for (name, count) in &contents.countries {
            let name = if name.is_empty() { "(none)" } else { name };
            writeln!(f, "{name:<32} {:>9} {:>11}", count.live, count.terminated)?;
        }
        writeln!(f, "\n{:<32} {:>9} {:>11}", "postcode area", "live", "terminated")?;
        for (name, count) in &contents.areas {
            writeln!(f, "{name:<32} {:>9} {:>11}", count.live, count.terminated)?;
        }
        writeln!(f, "\n{:<38} {:>9} {:>9}  source, date", "field", "postcodes", "of live")?;
        for field in fields {
            let percent = field.share_of_live * 100.0;
            let sources: Vec<String> = field.sources.iter().map(source).collect();
            // The one source of an imported file is above.
            let sources = Some(sources.join("; ")).filter(|sources| *sources != metadata.source);
            let sources = sources.unwrap_or_default();
            writeln!(f, "{:<38} {:>9} {percent:>7.1} %  {sources}", field.field, field.postcodes)?;
        }
        if !absent.is_empty() {
            writeln!(f, "\n{:<38} supplied by", "field without a value")?;
            for (field, supply) in absent {
                writeln!(f, "{field:<38} {supply}")?;
            }
        }
        write!(f, "\n{:<32} {:>9} {:>11}  checksum", "section", "offset", "bytes")?;
        for section in &summary.sections {
            write!(
                f,
                "\n{:<32} {:>9} {:>11}  {}",
                section.name, section.offset, section.bytes, section.checksum
            )?;
        }
        Ok(())
    }
}
