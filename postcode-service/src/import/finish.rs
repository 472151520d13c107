//! From what was read to the published file: names, coverage, doubts, report.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use postcode_core::AreaKind;
use postcode_core::dataset::Dataset;
use postcode_core::{Error, ErrorKind, Status};

use super::columns::Field;
use super::coverage::Coverage;
use super::detect::{Content, Found, tables};
use super::doubts::{Doubt, Finding, unnamed};
use super::lines::Shared;
use super::losses::losses;
use super::names::{self, Names};
use super::report::{AreaFill, Fill, Report};
use super::work::Work;
use super::{Format, Import, edition, geonames};

/// Rows at least for an empty column to say anything.
const FEW: u64 = 100;

/// The error of an import that was not published because of doubts. Its `Display` says which,
/// where, and how to accept them.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The report of the edition that was not published.
    pub report: Box<Report>,
    /// The doubts that were not accepted.
    pub doubts: Vec<Doubt>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report.findings.refusal(&self.doubts))
    }
}

impl std::error::Error for Refused {}

impl crate::Error {
    /// Returns the doubts because of which an edition was not published, with its report.
    pub fn refused(&self) -> Option<&Refused> {
        self.cause()
    }
}

impl Import {
    pub(super) fn finish(
        &self,
        mut work: Work<'_>,
        previous: Option<&Dataset>,
        shared: &Shared,
        found: &[Found],
        format: Format,
        began: Instant,
    ) -> Result<Report> {
        let mut names = read_names(found)?;
        names.fill_in();
        if let Some(before) = work.before.take() {
            names.add_before(before.into_names(&work.areas)?);
        }
        let coverage = names.apply(&work.areas, &mut work.builder, &mut work.findings)?;
        let has_status = tables(found).any(|(_, table)| table.columns.index(Field::Status).is_some());
        let partial = self.covers.is_partial(format, has_status, work.single_areas);
        let metadata = work.builder.metadata_mut();
        metadata.not_covered = edition::not_covered(partial, &work.present);
        metadata.not_covered_advice = edition::advice(&metadata.not_covered, &metadata.edition);
        metadata.licence = edition::licence(work.present.contains("BT"));
        if work.beside.outcodes > 0 {
            metadata.licence.push_str(geonames::LICENCE);
        }
        let unread = if partial { Vec::new() } else { edition::not_covered(true, &work.present) };
        let areas = coverage.into_iter().map(|(kind, codes, named)| AreaFill {
            kind,
            rows: work.area_rows[kind as usize],
            codes,
            named,
        });
        work.findings.extend(not_understood(found));
        work.findings.extend(empty(format, found, &work.fill, &work.area_rows));
        let unused: BTreeSet<&str> = tables(found).flat_map(|(_, table)| table.columns.unused()).collect();
        let marked = found.iter().filter(|one| one.is_read() && one.marked);
        let mut report = Report {
            edition: metadata.edition.clone(),
            published: false,
            fingerprint: String::new(),
            tables: tables(found).count(),
            lists: names.listed.lists,
            refused: work.problems.count(),
            fill: work.fill.clone(),
            areas: areas.collect(),
            places: work.beside.places,
            scottish_postcodes: work.beside.scottish_postcodes,
            approximate_outcodes: work.beside.outcodes,
            approximate: 0,
            coverage: Coverage::default(),
            findings: std::mem::take(&mut work.findings),
            garbled: names.garbled() as u64,
            marked: marked.map(|one| one.text.display.clone()).collect(),
            unused: unused.into_iter().map(str::to_owned).collect(),
            not_covered: metadata.not_covered.clone(),
            absent: unread,
            bytes: 0,
            seconds: 0.0,
        };
        let (builder, mut progress) = work.into_builder();
        let mut watch = |step: postcode_core::dataset::Progress| {
            progress.at(step.step, step.done, step.total);
            if shared.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut doubts = Vec::new();
        let written = builder.write_approved_to(&self.out, &mut watch, |dataset| {
            report.fingerprint.clone_from(&dataset.info().fingerprint);
            report.bytes = dataset.as_bytes().len() as u64;
            report.coverage = Coverage::of(dataset, previous);
            report.approximate = approximate(dataset);
            if let Some(previous) = previous {
                let lost = losses(&report.coverage, previous.metadata(), dataset.metadata());
                report.findings.extend(lost);
            }
            report.findings.extend(unnamed(dataset, &report.coverage, &names.listed));
            doubts = report.findings.not_accepted(&self.accept);
            if doubts.is_empty() { Ok(()) } else { Err(Error::new(ErrorKind::Dataset, "doubtful")) }
        });
        progress.finish();
        report.seconds = began.elapsed().as_secs_f64();
        report.published = written.is_ok();
        if report.published || !doubts.is_empty() {
            self.report.as_deref().map(|path| write_report(path, &report)).transpose()?;
        }
        match written {
            Ok(_) => Ok(report),
            Err(_) if !doubts.is_empty() => Err(Refused { report: Box::new(report), doubts }.into()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Live postcodes with an approximate position only.
fn approximate(dataset: &Dataset) -> u64 {
    if dataset.metadata().approximate_source.is_none() {
        return 0;
    }
    let only = |record: &postcode_core::Record| record.status == Status::Live && record.approximate.is_some();
    dataset.iter().filter(only).count() as u64
}

/// The lists of names in the input, in the order of their paths.
fn read_names(found: &[Found]) -> Result<Names> {
    let mut names = Names::new();
    for one in found {
        if let Content::Names(list) = &one.content {
            let bytes = one.text.whole(names::MAX_LIST)?;
            let file = &one.text.display;
            names
                .add(list, &bytes, file, one.dialect.delimiter)
                .with_context(|| format!("{file}: not a list of names"))?;
        }
    }
    Ok(names)
}

/// Columns of ONS that are in the header and that no row has a value of, although ONS fills each of
/// them in every row, with a pseudo code where there is nothing. (It leaves some blank for a whole
/// country; those are not asked for.)
fn empty(format: Format, found: &[Found], fill: &Fill, area_rows: &[u64]) -> Vec<Finding> {
    use AreaKind::{
        BuiltUpArea, LocalEnterprisePartnership1, LocalEnterprisePartnership2, Lsoa21, Msoa21, OutputArea21,
        RuralUrban21,
    };
    const LEFT_BLANK: [AreaKind; 7] = [
        LocalEnterprisePartnership1,
        LocalEnterprisePartnership2,
        BuiltUpArea,
        Lsoa21,
        Msoa21,
        OutputArea21,
        RuralUrban21,
    ];
    if fill.rows < FEW || !matches!(format, Format::Onspd | Format::Nspl) {
        return Vec::new();
    }
    let Some((text, table)) = tables(found).next() else { return Vec::new() };
    let empty = table.columns.fields.iter().filter(|(field, _)| match field {
        Field::Area(kind) => !LEFT_BLANK.contains(kind) && area_rows[*kind as usize] == 0,
        Field::Quality => fill.quality == 0,
        Field::UserType => fill.user_type == 0,
        Field::Introduced => fill.introduced == 0,
        _ => false,
    });
    let finding = |(_, at): &(Field, usize)| {
        let name = &table.columns.names[*at];
        let text = format!("{}: {name}: empty in all {} rows", text.display, fill.rows);
        let mut finding = Finding::new(Doubt::Empty, text);
        finding.column = Some(name.clone());
        finding
    };
    empty.map(finding).collect()
}

/// Columns that would be lost without anybody noticing.
fn not_understood(found: &[Found]) -> Vec<Finding> {
    let columns = tables(found).flat_map(|(text, table)| {
        table.columns.not_understood().into_iter().map(move |name| {
            let text = format!(
                "{}: the column {name:?} seems to hold a status, dates or positions, and is not understood: rename \
                 it as docs/IMPORT.md says, or leave it out",
                text.display
            );
            let mut finding = Finding::new(Doubt::Unread, text);
            finding.column = Some(name.to_owned());
            finding
        })
    });
    columns.collect()
}

/// The report as JSON.
fn write_report(path: &Path, report: &Report) -> Result<()> {
    let cannot = || format!("{}: the report can't be written", path.display());
    let mut file = BufWriter::new(std::fs::File::create(path).with_context(cannot)?);
    serde_json::to_writer_pretty(&mut file, report).with_context(cannot)?;
    file.write_all(b"\n").and_then(|()| file.flush()).with_context(cannot)
}
