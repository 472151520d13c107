//! Arrow IPC: record batches in parallel, in a file or a stream.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{ArrowError, Schema};

use super::super::{Counts, Error};
use super::batch::Layout;
use super::{Work, arrow_error, in_order};

pub(super) fn enrich_file(
    input: &Path,
    out: &mut (dyn Write + Send),
    work: &Work,
) -> Result<(Counts, Vec<String>), Error> {
    let damaged = arrow_error("Arrow");
    let mut reader = FileReader::try_new(BufReader::new(File::open(input)?), None).map_err(&damaged)?;
    let first = reader.next().transpose().map_err(&damaged)?;
    let layout = Layout::of(&reader.schema(), first.as_ref(), &work.plan)?;
    let mut writer = FileWriter::try_new(out, &schema(&layout, work)).map_err(&damaged)?;
    let counts =
        batches(first.map(Ok).into_iter().chain(reader), &layout, work, |batch| writer.write(batch))?;
    writer.finish().map_err(&damaged)?;
    Ok((counts, layout.notes))
}

pub(super) fn enrich_stream(
    input: &Path,
    out: &mut (dyn Write + Send),
    work: &Work,
) -> Result<(Counts, Vec<String>), Error> {
    let damaged = arrow_error("Arrow");
    let mut reader = StreamReader::try_new(BufReader::new(File::open(input)?), None).map_err(&damaged)?;
    let first = reader.next().transpose().map_err(&damaged)?;
    let layout = Layout::of(&reader.schema(), first.as_ref(), &work.plan)?;
    let mut writer = StreamWriter::try_new(out, &schema(&layout, work)).map_err(&damaged)?;
    let counts =
        batches(first.map(Ok).into_iter().chain(reader), &layout, work, |batch| writer.write(batch))?;
    writer.finish().map_err(&damaged)?;
    Ok((counts, layout.notes))
}

/// The schema with the attribution of what is added.
fn schema(layout: &Layout, work: &Work) -> Schema {
    let mut schema = (*layout.schema).clone();
    if let Some(attribution) = &work.attribution {
        schema.metadata.insert("postcode.attribution".to_owned(), attribution.clone());
    }
    schema
}

fn batches(
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    layout: &Layout,
    work: &Work,
    mut write: impl FnMut(&RecordBatch) -> Result<(), ArrowError>,
) -> Result<Counts, Error> {
    let mut counts = Counts::default();
    in_order(
        batches.map(|batch| batch.map_err(arrow_error("Arrow"))),
        |batch| layout.enrich(&batch, work),
        |(batch, some)| {
            write(&batch).map_err(arrow_error("Arrow"))?;
            counts.add(&some);
            (work.written)(some.rows());
            Ok(())
        },
    )?;
    Ok(counts)
}
