//! Parquet and Arrow files enriched by the program.
#![cfg(feature = "columnar")]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{BrotliLevel, Compression, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::common::program;

const ROWS: usize = 10;

fn batch(first: usize) -> RecordBatch {
    let texts = ["SW1A 1AA", "", "m11ae", "SW1A", "AB1 0AA"];
    let ids: Vec<i32> = (first..first + ROWS).map(|n| n as i32).collect();
    let postcodes = (first..first + ROWS).map(|n| texts.get(n % 6).copied());
    let schema = Schema::new(vec![
        Field::new("id", DataType::Int32, false),
        Field::new("Post Code", DataType::Utf8, true),
    ]);
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int32Array::from(ids)), Arc::new(StringArray::from_iter(postcodes))];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn write_parquet(path: &Path) {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROWS))
        .set_key_value_metadata(Some(vec![KeyValue::new("owner".to_owned(), "sales".to_owned())]))
        .build();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), batch(0).schema(), Some(properties)).unwrap();
    for n in 0..7 {
        writer.write(&batch(n * ROWS)).unwrap();
    }
    writer.close().unwrap();
}

fn enrich(input: &Path, out: &Path, more: &[&str]) -> Output {
    let columns = "status,eastings,latitude,admin_district,index_of_multiple_deprivation";
    let mut command: Command = program();
    command
        .arg("enrich")
        .arg(input)
        .arg("--out")
        .arg(out)
        .args(["--columns", columns, "--allow-empty"])
        .args(more);
    command.output().unwrap()
}

fn ok(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// All rows came out as they were and in their order, each with the right answer.
fn check(batches: &[RecordBatch]) {
    let mut id = 0;
    for batch in batches {
        let postcodes = batch.column_by_name("Post Code").unwrap().as_string::<i32>().clone();
        let statuses = batch.column_by_name("status").unwrap().as_string::<i32>().clone();
        let eastings = batch.column_by_name("eastings").unwrap().as_primitive::<Int64Type>().clone();
        let ids = batch.column(0).as_primitive::<arrow_array::types::Int32Type>().clone();
        for n in 0..batch.num_rows() {
            assert_eq!(ids.value(n), id);
            id += 1;
            let (postcode, expected) = match (id - 1) % 6 {
                0 => (Some("SW1A 1AA"), "live"),
                1 => (Some(""), "invalid"),
                2 => (Some("m11ae"), "live"),
                3 => (Some("SW1A"), "invalid"),
                4 => (Some("AB1 0AA"), "terminated"),
                _ => (None, "invalid"),
            };
            assert_eq!(postcodes.is_valid(n).then(|| postcodes.value(n)), postcode);
            assert_eq!(statuses.value(n), expected);
            assert_eq!(eastings.is_valid(n), expected != "invalid");
        }
    }
    assert_eq!(id as usize, 7 * ROWS);
}

#[test]
fn parquet_keeps_row_groups_compression_and_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in.parquet"), folder.path().join("out.parquet"));
    let report = folder.path().join("report.json");
    write_parquet(&input);
    ok(&enrich(&input, &out, &["--report", report.to_str().unwrap()]));
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&out).unwrap()).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 7);
    assert!(matches!(reader.metadata().row_group(0).column(0).compression(), Compression::ZSTD(_)));
    let stored = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
    let value = |key: &str| stored.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone());
    assert_eq!(value("owner").unwrap(), "sales");
    assert!(value("postcode.attribution").unwrap().contains("Crown copyright"));
    assert!(!reader.schema().field_with_name("id").unwrap().is_nullable());
    let last = reader.schema().field_with_name("index_of_multiple_deprivation").unwrap();
    assert_eq!(last.data_type(), &DataType::Int64);
    check(&reader.build().unwrap().map(Result::unwrap).collect::<Vec<_>>());
    let report: serde_json::Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    assert_eq!((&report["rows"], &report["blank"], &report["partial"]), (&70.into(), &23.into(), &12.into()));
}

#[test]
fn parquet_keeps_its_bloom_filters_and_brotli() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in.parquet"), folder.path().join("out.parquet"));
    let properties = WriterProperties::builder()
        .set_compression(Compression::BROTLI(BrotliLevel::default()))
        .set_column_bloom_filter_enabled("id".into(), true)
        .set_max_row_group_row_count(Some(ROWS))
        .build();
    let mut writer =
        ArrowWriter::try_new(File::create(&input).unwrap(), batch(0).schema(), Some(properties)).unwrap();
    (0..7).for_each(|n| writer.write(&batch(n * ROWS)).unwrap());
    writer.close().unwrap();
    ok(&enrich(&input, &out, &[]));
    let file = File::open(&out).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file.try_clone().unwrap()).unwrap();
    for (n, group) in reader.metadata().row_groups().iter().enumerate() {
        assert!(matches!(group.column(0).compression(), Compression::BROTLI(_)));
        let filter = Sbbf::read_from_column_chunk(group.column(0), &file).unwrap().unwrap();
        let first = (n * ROWS) as i32;
        assert!((first..first + ROWS as i32).all(|id| filter.check(&id)), "row group {n}");
        assert!((10_000..20_000).filter(|id: &i32| filter.check(id)).count() < 2_000, "row group {n}");
        assert!(Sbbf::read_from_column_chunk(group.column(1), &file).unwrap().is_none());
    }
    check(&reader.build().unwrap().map(Result::unwrap).collect::<Vec<_>>());
}

#[test]
fn arrow_file_and_stream_stay_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in.feather"), folder.path().join("out.arrow"));
    let mut writer = FileWriter::try_new(File::create(&input).unwrap(), &batch(0).schema()).unwrap();
    (0..7).for_each(|n| writer.write(&batch(n * ROWS)).unwrap());
    writer.finish().unwrap();
    ok(&enrich(&input, &out, &[]));
    let reader = FileReader::try_new(File::open(&out).unwrap(), None).unwrap();
    assert!(reader.schema().metadata()["postcode.attribution"].contains("Crown copyright"));
    check(&reader.map(Result::unwrap).collect::<Vec<_>>());

    let mut writer = StreamWriter::try_new(File::create(&input).unwrap(), &batch(0).schema()).unwrap();
    (0..7).for_each(|n| writer.write(&batch(n * ROWS)).unwrap());
    writer.finish().unwrap();
    ok(&enrich(&input, &out, &[]));
    let reader = StreamReader::try_new(File::open(&out).unwrap(), None).unwrap();
    check(&reader.map(Result::unwrap).collect::<Vec<_>>());
}

#[test]
fn empty_file_of_columns_comes_out_with_the_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in.parquet"), folder.path().join("out.parquet"));
    let fields = vec![Field::new("postcode", DataType::Utf8, true)];
    ArrowWriter::try_new(File::create(&input).unwrap(), Arc::new(Schema::new(fields)), None)
        .unwrap()
        .close()
        .unwrap();
    ok(&enrich(&input, &out, &[]));
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&out).unwrap()).unwrap();
    assert_eq!(reader.schema().fields().len(), 6);
    assert_eq!(reader.build().unwrap().count(), 0);
}

#[test]
fn damaged_parquet_is_an_error_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in.parquet"), folder.path().join("out.parquet"));
    write_parquet(&input);
    let whole = fs::read(&input).unwrap();
    for n in 0..20 {
        let mut damaged = whole.clone();
        match n % 2 {
            0 => damaged.truncate(whole.len() * (n + 1) / 22),
            // In the first pages, where the values are.
            _ => damaged[4 + n * 6..4 + n * 6 + 40].fill(0xa5),
        }
        fs::write(&input, &damaged).unwrap();
        let output = enrich(&input, &out, &[]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!message.contains("panicked"), "{message}");
        if !output.status.success() {
            assert!(message.contains("not enriched"), "{message}");
            assert_eq!(
                fs::read_dir(folder.path()).unwrap().count(),
                1 + usize::from(out.exists()),
                "{message}"
            );
        }
    }
}

#[test]
fn options_and_names_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in.parquet"), folder.path().join("out.parquet"));
    write_parquet(&input);
    let csv = folder.path().join("in.csv");
    fs::write(&csv, "postcode\nSW1A 1AA\n").unwrap();
    for (input, out, more, expected) in [
        (&input, &out, vec!["--delimiter", ";"], "for which it means nothing"),
        (&input, &csv.with_extension("json"), vec![], "name a file that ends in .parquet"),
        (&input, &out, vec!["--postcode-column", "id"], "holds Int32 and not text"),
        (&csv, &out, vec![], "is not a parquet file"),
    ] {
        let output = enrich(input, out, &more);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && message.contains(expected), "{message}");
        assert!(!out.exists());
    }
}
