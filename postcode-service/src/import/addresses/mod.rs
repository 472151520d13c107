//! Makes a file of addresses from the publishers' files of addresses.

mod pack;
mod sorter;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use postcode_addresses::file::{AddressFile, AddressWriter, Metadata};
use postcode_addresses::layouts::{self, ColumnMap, Layout, Options};
use postcode_core::dataset::Dataset;
use postcode_core::{Postcode, Status};
use serde::Serialize;

use super::{Interrupted, Stop};
use crate::{Error, destination};
use sorter::Sorter;

/// The extension of a file of addresses.
pub const EXTENSION: &str = "addresses";

/// Returns whether the inputs are files of addresses, by what stands in them. OS Open Names is not: it has roads, and is an
/// input of the postcode import too.
pub fn hold_addresses(inputs: &[PathBuf]) -> bool {
    layouts::hold_addresses(inputs).unwrap_or(false)
}

/// An import of addresses.
#[derive(Debug, Default)]
pub struct AddressImport {
    /// Folders, zip files and files.
    pub inputs: Vec<PathBuf>,
    /// The file to write.
    pub out: PathBuf,
    /// The edition's name, if the files don't say it.
    pub edition: Option<String>,
    /// The source to record, in place of the names of the files.
    pub source: Option<String>,
    /// The most rows that may be refused.
    pub max_errors: u64,
    /// The file for the report as JSON.
    pub report: Option<PathBuf>,
    /// Reads only files whose path in the input begins with this.
    pub within: Option<String>,
    /// Column maps for files whose layout is not confirmed.
    pub columns: Vec<ColumnMap>,
    /// Who holds the licence.
    pub licensee: Option<String>,
    /// The name of the licence, in place of the publisher's.
    pub licence: Option<String>,
    /// Whether the licence lets the licensee pass the file on.
    pub may_be_passed_on: bool,
}

/// The report of an import of addresses.
#[derive(Clone, Debug, Serialize)]
pub struct AddressReport {
    /// The report on the files that were read.
    #[serde(flatten)]
    pub read: layouts::Report,
    /// The metadata of the written file.
    pub metadata: Metadata,
    /// Bytes of the file.
    pub bytes: u64,
    /// Seconds of the import.
    pub seconds: f64,
}

impl fmt::Display for AddressReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.read)?;
        let Metadata { addresses, streets, postcodes, .. } = &self.metadata;
        write!(f, "{addresses} addresses of {postcodes} postcodes")?;
        if *streets > 0 {
            write!(f, ", {streets} streets of districts")?;
        }
        #[allow(clippy::cast_precision_loss, reason = "for people")]
        let each = self.bytes as f64 / ((addresses + streets).max(1)) as f64;
        writeln!(f, ", {} bytes ({each:.1} an entry), {:.1} s", self.bytes, self.seconds)?;
        write!(f, "passed on: {}", if self.metadata.may_be_passed_on { "allowed" } else { "not allowed" })
    }
}

impl AddressImport {
    /// Reads the inputs, writes the file, verifies it and puts it in its place.
    ///
    /// # Errors
    /// If an input is not whole, inputs don't belong together, too many rows were refused, or the file can't be written; with
    /// [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted) if it was stopped. In all these cases an existing file stays unchanged.
    pub fn run(&self, stop: &Stop) -> Result<AddressReport, Error> {
        self.run_until(stop).map_err(super::failed)
    }

    fn run_until(&self, stop: &Stop) -> Result<AddressReport> {
        let began = Instant::now();
        let inputs = self.inputs.iter().map(PathBuf::as_path);
        destination::check(&self.out, inputs.clone())?;
        if let Some(report) = &self.report {
            destination::check(report, inputs.chain([self.out.as_path()]))?;
        }
        let options = Options {
            within: self.within.clone(),
            max_refused: self.max_errors,
            in_use: Some(in_use()?),
            columns: self.columns.clone(),
            ..Options::default()
        };
        let mut sorter = Sorter::default();
        let stopped = stop.flag();
        let read = layouts::read(&self.inputs, &options, stopped, &mut |address| sorter.push(address));
        let read = match read {
            Err(layouts::Error::Stopped) => return Err(Interrupted.into()),
            read => read?,
        };
        let metadata = self.metadata(&read);
        let file = destination::begin(&self.out)?;
        let mut writer = AddressWriter::new(file.as_file(), metadata)?;
        sorter.drain(|address| {
            ensure!(!stop.is_stopped(), Interrupted);
            Ok(writer.push(address)?)
        })?;
        let (_, metadata) = writer.finish()?;
        let bytes = file.as_file().metadata().with_context(|| self.out.display().to_string())?.len();
        AddressFile::open(file.path())?.verify().context("the file that was just written")?;
        destination::publish(file, &self.out)?;
        let report = AddressReport { read, metadata, bytes, seconds: began.elapsed().as_secs_f64() };
        if let Some(path) = &self.report {
            write_report(path, &report)?;
        }
        Ok(report)
    }

    fn metadata(&self, read: &layouts::Report) -> Metadata {
        let publisher = Publisher::of(read);
        let named = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let sources = match &self.source {
            Some(source) => vec![source.clone()],
            None => self.inputs.iter().filter_map(named).collect(),
        };
        let edition = self
            .edition
            .clone()
            .or_else(|| read.edition.as_ref().map(|edition| format!("{} {edition}", publisher.product)));
        Metadata {
            edition: edition.unwrap_or_else(|| publisher.product.to_owned()),
            sources,
            attribution: publisher.attribution.to_owned(),
            licence: self.licence.clone().unwrap_or_else(|| publisher.licence.to_owned()),
            licensee: self.licensee.clone().unwrap_or_default(),
            // Only open data may be passed on unless the operator says so.
            may_be_passed_on: self.may_be_passed_on || publisher.is_open,
            built_with: concat!("postcode-service ", env!("CARGO_PKG_VERSION")).to_owned(),
            ..Metadata::default()
        }
    }
}

/// The words that the licence of a publisher demands.
struct Publisher {
    product: &'static str,
    attribution: &'static str,
    licence: &'static str,
    is_open: bool,
}

impl Publisher {
    fn of(read: &layouts::Report) -> Self {
        let has = |layouts: &[Layout]| read.files.iter().any(|file| layouts.contains(&file.layout));
        if has(&[
            Layout::AddressBaseCore,
            Layout::AddressBase,
            Layout::AddressBasePlus,
            Layout::AddressBasePremium,
            Layout::NgdRoyalMail,
            Layout::NgdBuilt,
        ]) {
            Self {
                product: "AddressBase",
                attribution: "Contains OS data © Crown copyright and database right. Contains Royal Mail data © Royal Mail copyright and \
                              database right. Contains GeoPlace data © Local Government Information House Limited copyright and database right.",
                licence: "Ordnance Survey licence for AddressBase or the National Geographic Database",
                is_open: false,
            }
        } else if has(&[Layout::Pointer]) {
            Self {
                product: "Pointer",
                attribution: "Contains Land and Property Services data © Crown copyright and database right. Contains Royal Mail data © Royal Mail \
                              copyright and database right.",
                licence: "Land and Property Services licence for Pointer",
                is_open: false,
            }
        } else if has(&[Layout::OpenNames]) {
            Self {
                product: "OS Open Names",
                attribution: "Contains OS data © Crown copyright and database right. Licensed under the Open Government Licence v3.0.",
                licence: "Open Government Licence v3.0",
                is_open: true,
            }
        } else {
            Self {
                product: "PAF",
                attribution: "Contains Royal Mail data © Royal Mail copyright and database right.",
                licence: "Royal Mail licence for the Postcode Address File",
                is_open: false,
            }
        }
    }
}

/// Returns a check of postcodes against the country in this program.
fn in_use() -> Result<layouts::InUse> {
    let country = Dataset::embedded()?;
    Ok(Box::new(move |postcode| {
        let Ok(postcode) = postcode.parse::<Postcode>() else { return false };
        // Northern Ireland is not in the embedded country, so nothing is known about it.
        country
            .status(postcode)
            .map_or_else(|| postcode.outcode().area() == "BT", |status| status == Status::Live)
    }))
}

fn write_report(path: &Path, report: &AddressReport) -> Result<()> {
    let mut json = serde_json::to_vec_pretty(report)?;
    json.push(b'\n');
    fs::write(path, json).with_context(|| format!("{}: can't be written", path.display()))
}
