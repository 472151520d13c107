//! Arrow IPC: record batches in parallel, in a file or a stream.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use arrow_array::{RecordBatchReader, RecordBatchWriter};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{ArrowError, Schema};

use super::super::{Counts, Error};
use super::batch::Layout;
use super::work::{Work, arrow_error, in_order};

pub(super) fn enrich_file(
    input: &Path,
    out: &mut (dyn Write + Send),
    work: &Work,
) -> Result<(Counts, Vec<String>), Error> {
    let reader = FileReader::try_new(BufReader::new(File::open(input)?), None);
    enrich(reader.map_err(arrow_error("Arrow"))?, |schema| FileWriter::try_new(out, schema), work)
}

pub(super) fn enrich_stream(
    input: &Path,
    out: &mut (dyn Write + Send),
    work: &Work,
) -> Result<(Counts, Vec<String>), Error> {
    let reader = StreamReader::try_new(BufReader::new(File::open(input)?), None);
    enrich(reader.map_err(arrow_error("Arrow"))?, |schema| StreamWriter::try_new(out, schema), work)
}

fn enrich<W: RecordBatchWriter>(
    mut reader: impl RecordBatchReader,
    begin: impl FnOnce(&Schema) -> Result<W, ArrowError>,
    work: &Work,
) -> Result<(Counts, Vec<String>), Error> {
    let damaged = arrow_error("Arrow");
    let first = reader.next().transpose().map_err(&damaged)?;
    let layout = Layout::of(&reader.schema(), first.as_ref(), &work.plan)?;
    let mut schema = (*layout.schema).clone();
    if let Some(attribution) = &work.attribution {
        schema.metadata.insert("postcode.attribution".to_owned(), attribution.clone());
    }
    let mut writer = begin(&schema).map_err(&damaged)?;
    let mut counts = Counts::default();
    in_order(
        first.map(Ok).into_iter().chain(reader).map(|batch| batch.map_err(&damaged)),
        |batch| layout.enrich(&batch, work),
        |(batch, some)| {
            writer.write(&batch).map_err(&damaged)?;
            counts.add(&some);
            (work.written)(some.rows());
            Ok(())
        },
    )?;
    writer.close().map_err(&damaged)?;
    Ok((counts, layout.notes))
}
