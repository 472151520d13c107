//! Parquet: row groups in parallel, each written as a row group. Only the column of the postcodes is read. The columns of the
//! input are copied as they are.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, mpsc};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowSchemaConverter, ProjectionMask, encode_arrow_schema};
use parquet::basic::Compression;
use parquet::bloom_filter::Sbbf;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, PageIndexPolicy, ParquetMetaData};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::super::{Counts, Error};
use super::batch::Layout;
use super::work::{Work, arrow_error, in_order};

/// Rows read at once within a row group.
const ROWS: usize = 8_192;
/// The program, in the metadata of files.
pub(super) const CREATED_BY: &str = concat!("postcode-service ", env!("CARGO_PKG_VERSION"));
/// Limits how many batches are looked up ahead of the encoder.
const AHEAD: usize = 2;
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
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let metadata = ArrowReaderMetadata::load(&File::open(input)?, options).map_err(damaged)?;
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
        _ => read(input, &metadata, 0, None)?.next().transpose().map_err(arrow_error("Parquet"))?,
    };
    let layout = Layout::of(metadata.schema(), first.as_ref(), &work.plan)?;
    let properties = Arc::new(properties(metadata.metadata(), &layout, work));
    let added = Added::new(&layout, &properties)?;
    let schema = with_fields(metadata.parquet_schema().root_schema(), added.schema.get_fields())?;
    let mut writer = SerializedFileWriter::new(out, schema, properties).map_err(unwritten)?;
    // Not shared with the readers: they would move its position.
    let whole = File::open(input)?;
    let mut counts = Counts::default();
    in_order(
        (0..groups).map(Ok),
        |group| {
            let reader = read(input, &metadata, group, Some(layout.root()))?;
            Ok((group, encode(reader, &layout, work, &added, group)?))
        },
        |(n, (chunks, some)): (usize, (Vec<ArrowColumnChunk>, Counts))| {
            let mut group = writer.next_row_group().map_err(unwritten)?;
            for column in copied(metadata.metadata(), n) {
                let bloom_filter =
                    Sbbf::read_from_column_chunk(&column.metadata, &whole).map_err(uncopied)?;
                let column = ColumnCloseResult { bloom_filter, ..column };
                group.append_column(&whole, column).map_err(uncopied)?;
            }
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

/// The columns that are added, encoded as those of a separate file.
struct Added {
    schema: TypePtr,
    factory: ArrowRowGroupWriterFactory,
    fields: Vec<Arc<Field>>,
}

impl Added {
    fn new(layout: &Layout, properties: &WriterPropertiesPtr) -> Result<Self, Error> {
        let fields = layout.new_fields().to_vec();
        let arrow = Arc::new(Schema::new(fields.clone()));
        let schema = ArrowSchemaConverter::new().convert(&arrow).map_err(unwritten)?.root_schema_ptr();
        let alone = SerializedFileWriter::new(std::io::sink(), schema.clone(), properties.clone());
        let factory = ArrowRowGroupWriterFactory::new(&alone.map_err(unwritten)?, arrow);
        Ok(Self { schema, factory, fields })
    }
}

/// The schema of a file with more columns.
fn with_fields(root: &Type, more: &[TypePtr]) -> Result<TypePtr, Error> {
    let fields = root.get_fields().iter().chain(more).cloned().collect();
    let root = Type::group_type_builder(root.name()).with_fields(fields).build().map_err(unwritten)?;
    Ok(Arc::new(root))
}

/// The columns of a row group of the input. They are copied as they are, and neither unpacked nor read.
fn copied(input: &ParquetMetaData, group: usize) -> impl Iterator<Item = ColumnCloseResult> {
    let index = input.page_index_for_row_group(group);
    let row_group = input.row_group(group);
    let rows = row_group.num_rows().unsigned_abs();
    row_group.columns().iter().enumerate().map(move |(n, column)| ColumnCloseResult {
        bytes_written: column.compressed_size().unsigned_abs(),
        rows_written: rows,
        metadata: column.clone(),
        bloom_filter: None,
        column_index: index.column_index(n).cloned(),
        offset_index: index.offset_index(n).cloned(),
    })
}

/// A column that can't be copied is cut off, or the output can't be written.
fn uncopied(error: ParquetError) -> Error {
    match unwritten(error) {
        Error::Invalid(text) => Error::Invalid(format!("a column can't be copied: {text}")),
        error => error,
    }
}

pub(super) fn unwritten(error: ParquetError) -> Error {
    match error {
        ParquetError::External(error) => match error.downcast::<std::io::Error>() {
            Ok(error) => Error::Read(*error),
            Err(error) => Error::Invalid(format!("the output can't be written: {error}")),
        },
        error => Error::Invalid(format!("the output can't be written: {error}")),
    }
}

/// Opens the file once for each reader. Readers that share a file share its position. `column` is the only one that is read,
/// by its index among the outermost ones.
fn read(
    input: &Path,
    metadata: &ArrowReaderMetadata,
    group: usize,
    column: Option<usize>,
) -> Result<ParquetRecordBatchReader, Error> {
    let mask = match column {
        Some(column) => ProjectionMask::roots(metadata.parquet_schema(), [column]),
        None => ProjectionMask::all(),
    };
    ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(input)?, metadata.clone())
        .with_row_groups(vec![group])
        .with_batch_size(ROWS)
        .with_projection(mask)
        .build()
        .map_err(damaged)
}

/// Encodes what is added to a row group. Some rows are looked up while others are encoded, so that a file of one row group
/// has work for two cores.
fn encode(
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send,
    layout: &Layout,
    work: &Work,
    added: &Added,
    group: usize,
) -> Result<(Vec<ArrowColumnChunk>, Counts), Error> {
    let (sender, receiver) = mpsc::sync_channel::<Vec<ArrayRef>>(AHEAD);
    std::thread::scope(|scope| {
        let look_up = move || {
            let mut counts = Counts::default();
            for batch in batches {
                let batch = batch.map_err(arrow_error("Parquet"))?;
                let missing = || Error::Invalid("the file is damaged: a column is missing".to_owned());
                let (columns, some) = layout.columns(batch.columns().first().ok_or_else(missing)?, work)?;
                counts.add(&some);
                // Nobody receives after an error, which the other side returns.
                if sender.send(columns).is_err() {
                    break;
                }
            }
            Ok(counts)
        };
        let looked_up = std::thread::Builder::new().name("lookup".to_owned()).spawn_scoped(scope, look_up)?;
        let mut writers = added.factory.create_column_writers(group).map_err(unwritten)?;
        let encoded = encode_columns(receiver, &mut writers, &added.fields);
        let counts = looked_up.join().unwrap_or_else(|_| {
            Err(Error::Invalid("the file is damaged: a part of it can't be read".to_owned()))
        });
        // Report the lookup's error first: it also ends the columns early.
        let counts: Counts = counts?;
        encoded?;
        let chunks: Result<_, _> = writers.into_iter().map(|writer| writer.close()).collect();
        Ok((chunks.map_err(unwritten)?, counts))
    })
}

fn encode_columns(
    batches: mpsc::Receiver<Vec<ArrayRef>>,
    writers: &mut [ArrowColumnWriter],
    fields: &[Arc<Field>],
) -> Result<(), Error> {
    for columns in batches {
        let mut writers = writers.iter_mut();
        for (field, column) in fields.iter().zip(&columns) {
            for leaf in compute_leaves(field, column).map_err(unwritten)? {
                let Some(writer) = writers.next() else { continue };
                writer.write(&leaf).map_err(unwritten)?;
            }
        }
    }
    Ok(())
}

/// The compression and the metadata of the input, with the attribution of what is added.
fn properties(input: &ParquetMetaData, layout: &Layout, work: &Work) -> WriterProperties {
    let first = input.row_groups().first().and_then(|group| group.columns().first());
    let compression = first.map_or(Compression::SNAPPY, |column| column.compression());
    let stored = input.file_metadata().key_value_metadata();
    let mut metadata: HashMap<String, Option<String>> =
        stored.into_iter().flatten().map(|pair| (pair.key.clone(), pair.value.clone())).collect();
    // Only a file of Arrow has it.
    if let Some(schema) = metadata.get_mut(ARROW_SCHEMA_META_KEY) {
        *schema = Some(encode_arrow_schema(&layout.schema));
    }
    if let Some(attribution) = &work.attribution {
        metadata.insert("postcode.attribution".to_owned(), Some(attribution.clone()));
    }
    let mut metadata: Vec<KeyValue> =
        metadata.into_iter().map(|(key, value)| KeyValue { key, value }).collect();
    metadata.sort_by(|a, b| a.key.cmp(&b.key));
    let mut properties = WriterProperties::builder();
    for field in layout.new_fields().iter().filter(|field| *field.data_type() == DataType::Float64) {
        // Degrees are nearly all different: a dictionary would make them longer.
        properties = properties.set_column_dictionary_enabled(field.name().as_str().into(), false);
    }
    properties
        .set_compression(compression)
        .set_created_by(CREATED_BY.to_owned())
        .set_key_value_metadata(Some(metadata))
        .build()
}
