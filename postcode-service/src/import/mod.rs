//! Makes a dataset file from the publishers' downloads: ONSPD, NSPL, Code-Point Open, and with them
//! OS Open Names and the Scottish Postcode Directory.
//!
//! `docs/IMPORT.md` says which inputs and columns are read, and which values mean "none".
//!
//! ```no_run
//! use postcode_service::import::{Import, Stop};
//!
//! let report = Import::new("ONSPD_NOV_2025.zip", "uk.postcodes").run(&Stop::default())?;
//! println!("{report}");
//! # Ok::<(), postcode_service::Error>(())
//! ```

pub mod addresses;
mod before;
mod beside;
mod columns;
mod coverage;
mod detect;
mod districts;
mod doubts;
mod edition;
mod finish;
mod format;
mod garbled;
mod geonames;
mod geonames_form;
mod lines;
mod losses;
mod names;
mod open_names;
mod problems;
mod progress;
mod quality;
mod report;
mod row;
mod scotland;
mod scottish_columns;
mod scottish_names;
mod source;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use postcode_core::dataset::{Dataset, DatasetBuilder, Metadata};
use postcode_tables::Encoding;

use crate::{Error, ErrorKind, destination};
use beside::Beside;
use detect::{Content, Found, tables};
use districts::Districts;
pub(crate) use lines::Interrupted;
use lines::Shared;
use problems::Problems;
pub(crate) use progress::Progress;
use work::Work;

pub use coverage::{Column, Country, Coverage};
pub use doubts::{Doubt, Finding, Findings};
pub use edition::Covers;
pub use finish::Refused;
pub use format::Format;
pub use report::{AreaFill, Fill, Report};

/// Stops an import from another thread. Nothing is published then.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Shared>);

impl Stop {
    /// Asks for it; the import ends within moments, with [`ErrorKind::Interrupted`].
    pub fn stop(&self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }

    fn flag(&self) -> &AtomicBool {
        &self.0.stop
    }

    fn is_stopped(&self) -> bool {
        self.0.stopped()
    }
}

/// Gives an error of this module its kind.
fn failed(cause: anyhow::Error) -> Error {
    if cause.is::<Refused>() {
        Error::new(ErrorKind::Refused, cause)
    } else if cause.is::<Interrupted>() {
        Error::new(ErrorKind::Interrupted, cause)
    } else {
        Error::of(ErrorKind::Input)(cause)
    }
}

/// An import to be run.
#[derive(Clone, Debug)]
pub struct Import {
    /// Files, folders, zip files.
    pub inputs: Vec<PathBuf>,
    /// The dataset file to write.
    pub out: PathBuf,
    /// The format of the inputs.
    pub format: Format,
    /// The edition's name; by default it is taken from the files' names.
    pub edition: Option<String>,
    /// The source to record in the dataset; by default the files' names.
    pub source: Option<String>,
    /// A text to add to the attribution, for other material that went into the inputs.
    pub attribution: Option<String>,
    /// The most rows with errors. With more, nothing is published.
    pub max_errors: u64,
    /// The file for all rows with errors, as CSV.
    pub errors: Option<PathBuf>,
    /// The dataset file of the edition before, to compare with.
    pub previous: Option<PathBuf>,
    /// Doubts to publish in spite of.
    pub accept: Vec<Doubt>,
    /// The file for the report as JSON, which is written even if the edition is not published.
    pub report: Option<PathBuf>,
    /// The dataset file of an older edition with the previous constituencies.
    pub boundaries_before: Option<PathBuf>,
    /// Which postcode areas the input is meant to cover.
    pub covers: Covers,
    /// The delimiter between two cells; by default it is found.
    pub delimiter: Option<u8>,
    /// The encoding of the inputs; by default it is found.
    pub encoding: Option<Encoding>,
    /// The sheet of a workbook; by default the first visible one with anything in it.
    pub sheet: Option<String>,
    /// No progress and no remarks on standard error; row errors are shown still.
    pub quiet: bool,
}

impl Import {
    /// Creates an import of one input with the command's defaults.
    pub fn new(input: impl Into<PathBuf>, out: impl Into<PathBuf>) -> Self {
        Self {
            inputs: vec![input.into()],
            out: out.into(),
            format: Format::Auto,
            edition: None,
            source: None,
            attribution: None,
            max_errors: 100,
            errors: None,
            previous: None,
            accept: Vec::new(),
            report: None,
            boundaries_before: None,
            covers: Covers::Auto,
            delimiter: None,
            encoding: None,
            sheet: None,
            quiet: false,
        }
    }

    /// Reads, builds, verifies, publishes.
    ///
    /// # Errors
    /// Fails if an input can't be read or has no table of postcodes, if more rows than allowed have
    /// errors, or if the file can't be written; with [`ErrorKind::Refused`] if there are doubts that
    /// are not accepted, and with [`ErrorKind::Interrupted`] if it was stopped. In all these cases
    /// an existing file stays unchanged.
    pub fn run(&self, stop: &Stop) -> Result<Report, Error> {
        let result = self.run_until(&stop.0);
        let result = if result.is_err() && stop.0.stopped() { Err(Interrupted.into()) } else { result };
        result.map_err(failed)
    }

    fn run_until(&self, shared: &Shared) -> Result<Report> {
        let began = Instant::now();
        ensure!(!self.inputs.is_empty(), "no input: give a file, a folder or a zip file");
        let inputs = self.inputs.iter().map(PathBuf::as_path);
        destination::check(&self.out, inputs.clone())?;
        if let Some(errors) = &self.errors {
            destination::check(errors, inputs.clone().chain([self.out.as_path()]))?;
        }
        if let Some(report) = &self.report {
            let others = [Some(&self.out), self.errors.as_ref(), self.previous.as_ref()];
            destination::check(report, inputs.chain(others.into_iter().flatten().map(PathBuf::as_path)))?;
        }
        // Report an unreadable file before the work, not after it.
        let previous = self.previous.as_ref().map(Dataset::open).transpose().context("--previous")?;
        let before =
            self.boundaries_before.as_ref().map(Dataset::open).transpose().context("--boundaries-before")?;
        let progress = Progress::new(self.quiet);
        let mut found = Vec::new();
        let known = source::Known { encoding: self.encoding, sheet: self.sheet.clone() };
        for text in source::list(&self.inputs, &known)? {
            if shared.stopped() {
                bail!(Interrupted);
            }
            found.push(detect::detect(text, self.format, self.delimiter)?);
        }
        let mut print = progress.printer();
        let quiet = self.quiet;
        let format = detect::choose(&mut found, self.format, &mut |line| {
            if !quiet {
                print(line);
            }
        })?;
        for one in found.iter().filter(|one| one.is_read() && !quiet) {
            one.describe(&mut print);
        }
        let metadata = self.metadata(format, &found)?;
        if !edition::has_year(&metadata.attribution) && !quiet {
            print(&edition::without_year(self.edition.as_deref(), format));
        }
        let problems = Problems::new(self.max_errors, self.errors.as_deref(), progress.printer())?;
        let large = |one: &&Found| one.is_read() && !matches!(one.content, Content::Names(_));
        let total = found.iter().filter(large).map(|one| one.text.size).sum();
        let mut work = Work::new(shared, DatasetBuilder::new(metadata), problems, progress, total);
        work.before = before.map(before::Before::of).transpose()?;
        let districts = Districts::new();
        for one in &found {
            if let Content::Postcodes(table) = &one.content {
                work.read(&one.text, table, &one.dialect, &districts)?;
            }
        }
        work.beside = read_beside(&mut work, &found)?;
        work.problems.finish()?;
        let refused = work.problems.count();
        ensure!(
            work.fill.rows > 0 || refused == 0,
            "all {refused} rows were refused, for the reasons above: nothing was published"
        );
        ensure!(work.fill.rows > 0, "no postcodes in the input: a header without rows?");
        self.finish(work, previous.as_ref(), shared, &found, format, began)
    }

    /// Edition, source and attribution, by options, file names, or OS's metadata.
    fn metadata(&self, format: Format, found: &[Found]) -> Result<Metadata> {
        let inputs =
            self.inputs.iter().filter_map(|input| Some(input.file_name()?.to_string_lossy().into_owned()));
        let inputs: Vec<String> = inputs.collect();
        let mut month = tables(found).find_map(|(text, _)| edition::Month::in_name(text.stem()));
        month = month.or_else(|| inputs.iter().find_map(|name| edition::Month::in_name(name)));
        for one in found.iter().filter(|one| matches!(one.content, Content::Metadata)) {
            let text = one.text.whole(names::MAX_LIST)?;
            month = edition::Month::in_metadata(&String::from_utf8_lossy(&text)).or(month);
        }
        let name = self.edition.clone().unwrap_or_else(|| edition::name(format, month));
        let year = edition::year_of(&name).or(month.map(|month| month.year));
        let mut metadata = Metadata::new(name);
        metadata.source = self.source.clone().unwrap_or_else(|| inputs.join(", "));
        metadata.attribution = edition::attribution(format, year);
        if found.iter().any(|one| matches!(one.content, Content::Scotland(_))) {
            metadata.attribution.push_str(&edition::scottish_attribution(year));
        }
        if found.iter().any(|one| matches!(one.content, Content::GeoNames)) {
            metadata.attribution.push_str(geonames::ATTRIBUTION);
            metadata.approximate_source = Some(geonames::SOURCE.to_owned());
        }
        if let Some(more) = &self.attribution {
            metadata.attribution.push(' ');
            metadata.attribution.push_str(more);
        }
        Ok(metadata)
    }
}

/// Reads places, Scottish data and positions of outcodes.
fn read_beside(work: &mut Work<'_>, found: &[Found]) -> Result<Beside> {
    let mut beside = Beside::default();
    let mut areas = open_names::Areas::default();
    let mut geonames = geonames::GeoNames::default();
    for one in found {
        match &one.content {
            Content::Places { header } => {
                let columns = &open_names::COLUMNS;
                let row = |line: &_, builder: &mut _| open_names::read(line, builder, &mut areas);
                beside.places += work.read_rows(one, columns, *header, row)?;
            }
            Content::Scotland(directory) => {
                let row = |line: &_, builder: &mut _| directory.read(line, builder);
                beside.scottish_postcodes +=
                    work.read_rows(one, &directory.names(), directory.header, row)?;
            }
            Content::GeoNames => geonames.read(work, &one.text)?,
            _ => {}
        }
    }
    areas.add(&mut work.builder)?;
    beside.outcodes = geonames.finish(&mut work.builder)?;
    Ok(beside)
}
