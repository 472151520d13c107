//! `postcode-service import`: makes a dataset file from the publishers' files.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use postcode_addresses::layouts::ColumnMap;
use postcode_tables::{Encoding, delimiter_named, encoding_named};

use super::interrupt;
use super::source::DatasetSource;
use crate::import::addresses::{self, AddressImport};
use crate::import::{Covers, Doubt, Format, Import, Stop};
use crate::{Error, ErrorKind};

const EXAMPLES: &str = "\
Examples:
  postcode-service import ONSPD_NOV_2025.zip --out uk.postcodes
  postcode-service import ONSPD_NOV_2025/ --out uk.postcodes --errors rows.csv
  postcode-service import Data/multi_csv/ONSPD_NOV_2025_UK_AB.csv --out aberdeen.postcodes
  postcode-service import ONSPD_NOV_2025.zip opname_csv_gb.zip SPD_2025_2.zip --out uk.postcodes
  postcode-service import ONSPD_NOV_2025.zip geonames/ --out uk.postcodes --previous uk.postcodes --report report.json
  postcode-service import codepo_gb.zip --out gb.postcodes --format code-point-open
  postcode-service import 'CSV PAF.zip' --out uk.addresses --licensee 'Example Ltd'";

/// Make a dataset file of ONSPD, NSPL or Code-Point Open, with OS Open Names and the Scottish
/// Postcode Directory; or a file of addresses of PAF, AddressBase, NGD or Pointer.
///
/// Exit status: 0 if the file was published, 1 if not, 2 for wrong options, 130 if it was
/// interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The published zip, its unpacked folder, CSV files (also .gz and .zst), or a workbook; several are read
    /// together
    #[arg(required = true, env = "POSTCODE_IMPORT_INPUT", value_delimiter = None)]
    input: Vec<PathBuf>,
    /// The file to write; a name that ends in .addresses asks for a file of addresses. It appears when it is whole and verified
    #[arg(long, short, value_name = "FILE", env = "POSTCODE_IMPORT_OUT")]
    out: PathBuf,
    /// The format of the input
    #[arg(long, short, value_enum, default_value_t, env = "POSTCODE_IMPORT_FORMAT")]
    format: Format,
    /// The edition's name, such as "ONSPD November 2025" [default: by the file names]
    #[arg(long, value_name = "NAME", env = "POSTCODE_IMPORT_EDITION")]
    edition: Option<String>,
    /// Where the data comes from, in words, to record in the dataset [default: the file names]
    // Its name until it meant a source of lookups everywhere else.
    #[arg(long, alias = "source", value_name = "TEXT", env = "POSTCODE_IMPORT_PROVENANCE")]
    provenance: Option<String>,
    /// A text to add to the attribution, if other material went into the input
    #[arg(long, value_name = "TEXT", env = "POSTCODE_IMPORT_ATTRIBUTION")]
    attribution: Option<String>,
    /// The most rows with errors. They are left out. With more, nothing is published
    #[arg(long, value_name = "N", default_value_t = 100, env = "POSTCODE_IMPORT_MAX_ERRORS")]
    max_errors: u64,
    /// Write all rows with errors to this file: file, line, column, value, reason as CSV
    #[arg(long, value_name = "FILE", env = "POSTCODE_IMPORT_ERRORS")]
    errors: Option<PathBuf>,
    /// The dataset file of the previous edition. The report compares with it, and nothing is
    /// published if the new edition has markedly fewer postcodes, filled columns or names in a
    /// country
    #[arg(long, value_name = "FILE", env = "POSTCODE_IMPORT_PREVIOUS", value_parser = DatasetSource::parser())]
    previous: Option<DatasetSource>,
    /// Publish in spite of such doubts; may be given several times
    #[arg(long, value_enum, value_name = "DOUBT", env = "POSTCODE_IMPORT_ACCEPT", value_delimiter = ',')]
    accept: Vec<Doubt>,
    /// Write the report to this file as JSON, also if nothing is published
    #[arg(long, value_name = "FILE", env = "POSTCODE_IMPORT_REPORT")]
    report: Option<PathBuf>,
    /// The dataset file of an older edition with the previous constituencies: records then have the
    /// previous constituency as well as the current one
    #[arg(long, value_name = "FILE", env = "POSTCODE_IMPORT_BOUNDARIES_BEFORE", value_parser = DatasetSource::parser())]
    boundaries_before: Option<DatasetSource>,
    /// Which postcode areas the input covers; of others the dataset says that it leaves them out
    #[arg(long, value_enum, default_value_t, env = "POSTCODE_IMPORT_COVERS")]
    covers: Covers,
    /// The delimiter between two cells: one character, or tab [default: found by the first rows]
    #[arg(long, value_name = "CHARACTER", env = "POSTCODE_IMPORT_DELIMITER", value_parser = delimiter_named)]
    delimiter: Option<u8>,
    /// utf-8, utf-16le, utf-16be or windows-1252 [default: found by the first bytes]
    #[arg(long, value_name = "NAME", env = "POSTCODE_IMPORT_ENCODING", value_parser = encoding_named)]
    encoding: Option<Encoding>,
    /// The sheet of a workbook [default: the first visible one with anything in it]
    #[arg(long, value_name = "NAME", env = "POSTCODE_IMPORT_SHEET")]
    sheet: Option<String>,
    /// Print only errors and the summary, without progress and remarks
    #[arg(long, short, env = "POSTCODE_IMPORT_QUIET")]
    quiet: bool,
    #[command(flatten)]
    addresses: AddressOptions,
}

/// Options for files of addresses only.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Files of addresses (PAF, AddressBase, NGD, Pointer)")]
struct AddressOptions {
    /// Read only files whose path in the folder or zip file begins with this
    #[arg(long, value_name = "PATH")]
    within: Option<String>,
    /// The columns of a file whose layout is not public, counted from 0: alias:postcode=0,thoroughfare=4,udprn=12.
    /// For a file of fixed width, the bytes of a line: alias:postcode=0..7,udprn=7..15. The word in front is a part of
    /// the file's name. May be given several times
    #[arg(long, value_name = "MAP")]
    columns: Vec<ColumnMap>,
    /// Who holds the licence, to record in the file
    #[arg(long, value_name = "NAME")]
    licensee: Option<String>,
    /// The licence to record in the file [default: the publisher's]
    #[arg(long, value_name = "TEXT")]
    licence: Option<String>,
    /// Record that the licence lets the licensee pass the file on [default: only open data]
    #[arg(long)]
    may_be_passed_on: bool,
}

impl AddressOptions {
    /// Returns the first option that was given.
    fn given(&self) -> Option<&'static str> {
        [
            (self.within.is_some(), "--within"),
            (!self.columns.is_empty(), "--columns"),
            (self.licensee.is_some(), "--licensee"),
            (self.licence.is_some(), "--licence"),
            (self.may_be_passed_on, "--may-be-passed-on"),
        ]
        .into_iter()
        .find_map(|(given, name)| given.then_some(name))
    }
}

impl Args {
    /// Runs the command. After SIGINT, SIGTERM or SIGHUP it ends the process with status 130,
    /// having published nothing.
    pub async fn run(self) -> anyhow::Result<()> {
        // A folder with thousands of files takes a moment to look at.
        let (inputs, out) = (self.input.clone(), self.out.clone());
        let addresses = tokio::task::spawn_blocking(move || {
            out.extension().is_some_and(|extension| extension == addresses::EXTENSION)
                || addresses::hold_addresses(&inputs)
        });
        if addresses.await.context("the inputs could not be looked at")? {
            let import = self.of_addresses()?;
            return until_interrupted(move |stop| import.run(&stop)).await;
        }
        if let Some(option) = self.addresses.given() {
            bail!("{option} is for files of addresses, and none was found in the input");
        }
        let file = |dataset: Option<DatasetSource>| {
            dataset.map(|dataset| dataset.path().map(Path::to_owned)).transpose()
        };
        let import = Import {
            inputs: self.input,
            out: self.out,
            format: self.format,
            edition: self.edition,
            source: self.provenance,
            attribution: self.attribution,
            max_errors: self.max_errors,
            errors: self.errors,
            previous: file(self.previous).context("--previous")?,
            accept: self.accept,
            report: self.report,
            boundaries_before: file(self.boundaries_before).context("--boundaries-before")?,
            covers: self.covers,
            delimiter: self.delimiter,
            encoding: self.encoding,
            sheet: self.sheet,
            quiet: self.quiet,
        };
        until_interrupted(move |stop| import.run(&stop)).await
    }

    /// Returns the import of addresses that these options ask for.
    fn of_addresses(self) -> anyhow::Result<AddressImport> {
        let postcodes_only = [
            (self.format != Format::Auto, "--format"),
            (self.errors.is_some(), "--errors"),
            (self.previous.is_some(), "--previous"),
            (!self.accept.is_empty(), "--accept"),
            (self.boundaries_before.is_some(), "--boundaries-before"),
            (self.covers != Covers::Auto, "--covers"),
            (self.delimiter.is_some(), "--delimiter"),
            (self.encoding.is_some(), "--encoding"),
            (self.sheet.is_some(), "--sheet"),
        ];
        if let Some((_, option)) = postcodes_only.into_iter().find(|(given, _)| *given) {
            bail!("{option} is for files of postcodes, and the input holds addresses. Leave it out.");
        }
        let AddressOptions { within, columns, licensee, licence, may_be_passed_on } = self.addresses;
        Ok(AddressImport {
            inputs: self.input,
            out: self.out,
            edition: self.edition,
            source: self.provenance,
            max_errors: self.max_errors,
            report: self.report,
            within,
            columns,
            licensee,
            licence,
            may_be_passed_on,
        })
    }
}

/// Runs an import and prints its report. After a signal it ends the process.
pub(super) async fn until_interrupted<R: fmt::Display + Send + 'static>(
    run: impl FnOnce(Stop) -> Result<R, Error> + Send + 'static,
) -> anyhow::Result<()> {
    let stop = Stop::default();
    let stopping = stop.clone();
    let interrupted = interrupt::requested();
    let signals = tokio::spawn(async move {
        interrupted.await;
        stopping.stop();
    });
    let result = tokio::task::spawn_blocking(move || run(stop)).await;
    signals.abort();
    match result.context("the import ended unexpectedly")? {
        Ok(report) => {
            writeln!(io::stdout(), "{report}")?;
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            eprintln!("{error}");
            std::process::exit(interrupt::STATUS);
        }
        Err(error) => {
            if let Some(refused) = error.refused() {
                writeln!(io::stdout(), "{}", refused.report)?;
            }
            Err(error.into())
        }
    }
}
