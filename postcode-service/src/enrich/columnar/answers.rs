//! Answers written as a Parquet file.

use std::io::Write;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use postcode_core::Answer;

use super::super::column::Found;
use super::super::{Column, Error};
use super::batch::{Builder, data_type};
use super::parquet::{CREATED_BY, unwritten};
use super::work::arrow_error;

/// Rows encoded at once.
const ROWS: usize = 8_192;
/// Rows of a row group, which is in memory until it is written.
const GROUP: usize = 16 * ROWS;

/// Writes these columns of the answers, a row each, with the attribution as metadata of the file. Returns the rows.
///
/// # Errors
/// If `out` can't be written.
pub(crate) fn write_parquet(
    out: impl Write + Send,
    columns: &[Column],
    attribution: String,
    mut answers: impl Iterator<Item = Answer>,
) -> Result<u64, Error> {
    let field = |column: &Column| Field::new(column.to_string(), data_type(*column), true);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP))
        .set_created_by(CREATED_BY.to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new("postcode.attribution".to_owned(), attribution)]))
        .build();
    let mut writer = ArrowWriter::try_new(out, schema.clone(), Some(properties)).map_err(unwritten)?;
    let mut count = 0;
    loop {
        let mut builders: Vec<Builder> = columns.iter().map(|column| Builder::of(*column)).collect();
        let before = count;
        for answer in answers.by_ref().take(ROWS) {
            let found = Found::of(&answer);
            for (column, builder) in columns.iter().zip(&mut builders) {
                builder.push(column.value(&found));
            }
            count += 1;
        }
        if count == before {
            break;
        }
        let arrays = builders.into_iter().map(Builder::finish).collect();
        let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(arrow_error("Parquet"))?;
        writer.write(&batch).map_err(unwritten)?;
    }
    writer.close().map_err(unwritten)?;
    Ok(count)
}
