//! Parquet: row groups in parallel, each written as a row group.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use arrow_array::RecordBatch;
use parquet::arrow::ARROW_SCHEMA_META_KEY;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves,
};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::WriterProperties;

use super::super::{Counts, Error};
use super::batch::Layout;
use super::work::{Work, arrow_error, in_order};

/// Rows read at once within a row group.
const ROWS: usize = 8_192;
/// The largest row group that is read, in bytes before compression: one is held in memory for each core.
const MOST_BYTES: i64 = 4 << 30;

fn damaged(error: ParquetError) -> Error {
    Error::Invalid(format!("the Parquet file is damaged or has something that is not supported: {error}"))
}

pub(super) fn enrich(
    input: &Path,
    out: &mut (dyn Write + Send),
    work: &Work,
) -> Result<(Counts, Vec<String>), Error> {
    let metadata =
        ArrowReaderMetadata::load(&File::open(input)?, ArrowReaderOptions::new()).map_err(damaged)?;
    let groups = metadata.metadata().num_row_groups();
    for (n, group) in metadata.metadata().row_groups().iter().enumerate() {
        if group.total_byte_size() > MOST_BYTES {
            return Err(Error::Invalid(format!(
                "row group {n} holds {} bytes, more than {MOST_BYTES}: write the file with smaller row groups",
                group.total_byte_size()
            )));
        }
    }
    let first = match groups {
        0 => None,
        _ => read(input, &metadata, 0)?.next().transpose().map_err(arrow_error("Parquet"))?,
    };
    let layout = Layout::of(metadata.schema(), first.as_ref(), &work.plan)?;
    let properties = properties(metadata.metadata(), work);
    let writer = ArrowWriter::try_new_with_options(
        out,
        layout.schema.clone(),
        ArrowWriterOptions::new().with_properties(properties),
    );
    let (mut writer, columns) = writer.and_then(ArrowWriter::into_serialized_writer).map_err(unwritten)?;
    let mut counts = Counts::default();
    in_order(
        (0..groups).map(Ok),
        |group| encode(read(input, &metadata, group)?, &layout, work, &columns, group),
        |(chunks, some): (Vec<ArrowColumnChunk>, Counts)| {
            let mut group = writer.next_row_group().map_err(unwritten)?;
            for chunk in chunks {
                chunk.append_to_row_group(&mut group).map_err(unwritten)?;
            }
            group.close().map_err(unwritten)?;
            counts.add(&some);
            (work.written)(some.rows());
            Ok(())
        },
    )?;
    writer.close().map_err(unwritten)?;
    Ok((counts, layout.notes))
}

fn unwritten(error: ParquetError) -> Error {
    match error {
        ParquetError::External(error) => match error.downcast::<std::io::Error>() {
            Ok(error) => Error::Read(*error),
            Err(error) => Error::Invalid(format!("the output can't be written: {error}")),
        },
        error => Error::Invalid(format!("the output can't be written: {error}")),
    }
}

/// Opens the file once for each reader. Readers that share a file share its position.
fn read(
    input: &Path,
    metadata: &ArrowReaderMetadata,
    group: usize,
) -> Result<ParquetRecordBatchReader, Error> {
    ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(input)?, metadata.clone())
        .with_row_groups(vec![group])
        .with_batch_size(ROWS)
        .build()
        .map_err(damaged)
}

fn encode(
    batches: impl Iterator<Item = Result<RecordBatch, arrow_schema::ArrowError>>,
    layout: &Layout,
    work: &Work,
    columns: &ArrowRowGroupWriterFactory,
    group: usize,
) -> Result<(Vec<ArrowColumnChunk>, Counts), Error> {
    let mut writers = columns.create_column_writers(group).map_err(unwritten)?;
    let mut counts = Counts::default();
    for batch in batches {
        let (batch, some) = layout.enrich(&batch.map_err(arrow_error("Parquet"))?, work)?;
        counts.add(&some);
        let mut writers = writers.iter_mut();
        for (field, column) in layout.schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, column).map_err(unwritten)? {
                let Some(writer) = writers.next() else { continue };
                writer.write(&leaf).map_err(unwritten)?;
            }
        }
    }
    let chunks: Result<_, _> = writers.into_iter().map(|writer| writer.close()).collect();
    Ok((chunks.map_err(unwritten)?, counts))
}

/// The compression and the metadata of the input, with the attribution of what is added.
fn properties(input: &ParquetMetaData, work: &Work) -> WriterProperties {
    let first = input.row_groups().first().and_then(|group| group.columns().first());
    let compression = first.map_or(Compression::SNAPPY, |column| column.compression());
    let stored = input.file_metadata().key_value_metadata();
    let mut metadata: HashMap<String, Option<String>> =
        stored.into_iter().flatten().map(|pair| (pair.key.clone(), pair.value.clone())).collect();
    // The writer stores the schema of what it writes.
    metadata.remove(ARROW_SCHEMA_META_KEY);
    if let Some(attribution) = &work.attribution {
        metadata.insert("postcode.attribution".to_owned(), Some(attribution.clone()));
    }
    let mut metadata: Vec<KeyValue> =
        metadata.into_iter().map(|(key, value)| KeyValue { key, value }).collect();
    metadata.sort_by(|a, b| a.key.cmp(&b.key));
    WriterProperties::builder()
        .set_compression(compression)
        .set_created_by(concat!("postcode-service ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(metadata))
        .build()
}
