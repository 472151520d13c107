//! Columns of a table, by the postcodes of another column. Arrow arrays go in and out through the C
//! data interface, so no column is copied on the way.

use std::sync::Arc;

use arrow_array::builder::{Float64Builder, StringBuilder, UInt32Builder};
use arrow_array::{Array, ArrayRef, RecordBatch, cast::AsArray};
use arrow_schema::{DataType, Field, Schema};
use postcode_core::dataset::Dataset;
use postcode_core::{Answer, AreaKind, Location, Postcode, Record};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::values::postcode;

/// Rows that are worked on at a time: their postcodes and answers stay in the processor's cache.
const AT_ONCE: usize = 4096;

/// A column to add. Its name is a key of the postcode object of the HTTP API, `codes.` and a key, or
/// one of those that say something about the row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Status,
    Error,
    Clean,
    Outcode,
    Quality,
    Eastings,
    Northings,
    Latitude,
    Longitude,
    Introduced,
    Terminated,
    Name(AreaKind),
    Code(AreaKind),
}

const PLAIN: [(&str, Column); 11] = [
    ("status", Column::Status),
    ("error", Column::Error),
    ("postcode_clean", Column::Clean),
    ("outcode", Column::Outcode),
    ("quality", Column::Quality),
    ("eastings", Column::Eastings),
    ("northings", Column::Northings),
    ("latitude", Column::Latitude),
    ("longitude", Column::Longitude),
    ("date_of_introduction", Column::Introduced),
    ("date_of_termination", Column::Terminated),
];

impl Column {
    /// Returns the column of that name.
    pub(crate) fn named(name: &str) -> PyResult<Self> {
        let plain = PLAIN.iter().find(|(known, _)| *known == name).map(|(_, column)| *column);
        let area = || match name.strip_prefix("codes.") {
            Some(key) => AreaKind::from_key(key).map(Self::Code),
            None => AreaKind::from_key(name).map(Self::Name),
        };
        plain.or_else(area).ok_or_else(|| {
            PyValueError::new_err(format!("there is no column {name:?}: column_names() lists all"))
        })
    }

    fn kind(self) -> DataType {
        match self {
            Self::Quality | Self::Eastings | Self::Northings => DataType::UInt32,
            Self::Latitude | Self::Longitude => DataType::Float64,
            _ => DataType::Utf8,
        }
    }
}

/// Returns the names of all columns.
#[pyfunction]
pub(crate) fn column_names() -> Vec<String> {
    let plain = PLAIN.iter().map(|(name, _)| (*name).to_owned());
    let names = AreaKind::ALL.iter().map(|kind| kind.key().to_owned());
    let codes = AreaKind::ALL.iter().map(|kind| format!("codes.{}", kind.key()));
    plain.chain(names).chain(codes).collect()
}

/// Returns the columns for the postcodes of an array of texts, one row a row.
pub(crate) fn of(
    dataset: &Dataset,
    texts: &dyn Array,
    columns: &[(String, Column)],
    repairs: bool,
) -> PyResult<RecordBatch> {
    let mut making: Vec<Making> = columns.iter().map(|(_, column)| Making::new(*column, texts.len())).collect();
    let mut rows = Rows { dataset, repairs, postcodes: Vec::new(), answers: Vec::new() };
    for begin in (0..texts.len()).step_by(AT_ONCE) {
        let end = texts.len().min(begin + AT_ONCE);
        match texts.data_type() {
            DataType::Utf8 => {
                let texts = texts.as_string::<i32>();
                rows.add((begin..end).map(|n| texts.is_valid(n).then(|| texts.value(n))), &mut making);
            }
            DataType::LargeUtf8 => {
                let texts = texts.as_string::<i64>();
                rows.add((begin..end).map(|n| texts.is_valid(n).then(|| texts.value(n))), &mut making);
            }
            DataType::Utf8View => {
                let texts = texts.as_string_view();
                rows.add((begin..end).map(|n| texts.is_valid(n).then(|| texts.value(n))), &mut making);
            }
            DataType::Null => rows.add((begin..end).map(|_| None), &mut making),
            other => {
                let what = format!("the postcodes are of the type {other}: cast the column to texts first");
                return Err(PyTypeError::new_err(what));
            }
        }
    }
    let arrays: Vec<ArrayRef> = making.into_iter().map(Making::finish).collect();
    RecordBatch::try_new(schema(columns), arrays).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Returns the schema of these columns.
pub(crate) fn schema(columns: &[(String, Column)]) -> Arc<Schema> {
    let fields = columns.iter().map(|(name, column)| Field::new(name, column.kind(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The rows that are worked on.
struct Rows<'a> {
    dataset: &'a Dataset,
    repairs: bool,
    postcodes: Vec<Postcode>,
    answers: Vec<Answer>,
}

/// The result of reading the text of a row.
enum Read {
    /// A postcode, and whether it was repaired.
    Postcode(bool),
    Invalid(String),
    Missing,
}

impl Rows<'_> {
    fn add<'t>(&mut self, texts: impl Iterator<Item = Option<&'t str>>, making: &mut [Making]) {
        self.postcodes.clear();
        self.answers.clear();
        let reads: Vec<Read> = texts.map(|text| self.read(text)).collect();
        self.dataset.get_many(&self.postcodes, &mut self.answers);
        for making in making {
            let mut found = self.postcodes.iter().zip(&self.answers);
            for read in &reads {
                match read {
                    Read::Postcode(repaired) => {
                        if let Some((postcode, answer)) = found.next() {
                            making.add(*postcode, answer, *repaired);
                        }
                    }
                    Read::Invalid(error) => making.add_invalid(error),
                    Read::Missing => making.add_invalid("the cell is empty"),
                }
            }
        }
    }

    fn read(&mut self, text: Option<&str>) -> Read {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Read::Missing };
        if let Ok(postcode) = text.parse() {
            self.postcodes.push(postcode);
            return Read::Postcode(false);
        }
        if self.repairs
            && let Ok(repaired) = Postcode::repair(text)
        {
            self.postcodes.push(repaired.value);
            return Read::Postcode(true);
        }
        match postcode(text) {
            Ok(_) => Read::Missing,
            Err(error) => Read::Invalid(error.to_string()),
        }
    }
}

/// A column that is being made.
struct Making {
    column: Column,
    values: Values,
}

enum Values {
    Text(StringBuilder),
    Whole(UInt32Builder),
    Degrees(Float64Builder),
}

impl Making {
    fn new(column: Column, rows: usize) -> Self {
        let values = match column.kind() {
            DataType::UInt32 => Values::Whole(UInt32Builder::with_capacity(rows)),
            DataType::Float64 => Values::Degrees(Float64Builder::with_capacity(rows)),
            _ => Values::Text(StringBuilder::with_capacity(rows, rows * 8)),
        };
        Self { column, values }
    }

    fn add(&mut self, postcode: Postcode, answer: &Answer, repaired: bool) {
        let record = answer.record();
        match &mut self.values {
            Values::Whole(builder) => builder.append_option(whole(self.column, record)),
            Values::Degrees(builder) => builder.append_option(degrees(self.column, record)),
            Values::Text(builder) => match (self.column, record) {
                (Column::Status, _) if repaired => builder.append_value("repaired"),
                (Column::Status, _) => builder.append_value(answer.status()),
                (Column::Clean, _) => builder.append_value(postcode.spaced()),
                (Column::Outcode, Some(_)) => builder.append_value(postcode.outcode().text()),
                (Column::Name(kind), Some(record)) => builder.append_option(record.area_name(kind)),
                (Column::Code(kind), Some(record)) => builder.append_option(record.area_code(kind)),
                (Column::Introduced, Some(record)) => {
                    builder.append_option(record.introduced.map(|month| month.to_string()))
                }
                (Column::Terminated, Some(record)) => {
                    builder.append_option(record.terminated.map(|month| month.to_string()))
                }
                _ => builder.append_null(),
            },
        }
    }

    fn add_invalid(&mut self, error: &str) {
        match (&mut self.values, self.column) {
            (Values::Text(builder), Column::Status) => builder.append_value("invalid"),
            (Values::Text(builder), Column::Error) => builder.append_value(error),
            (Values::Text(builder), _) => builder.append_null(),
            (Values::Whole(builder), _) => builder.append_null(),
            (Values::Degrees(builder), _) => builder.append_null(),
        }
    }

    fn finish(self) -> ArrayRef {
        match self.values {
            Values::Text(mut builder) => Arc::new(builder.finish()),
            Values::Whole(mut builder) => Arc::new(builder.finish()),
            Values::Degrees(mut builder) => Arc::new(builder.finish()),
        }
    }
}

fn whole(column: Column, record: Option<&Record>) -> Option<u32> {
    let record = record?;
    match column {
        Column::Quality => record.quality.map(u32::from),
        Column::Eastings => record.grid.map(|grid| grid.eastings),
        Column::Northings => record.grid.map(|grid| grid.northings),
        _ => None,
    }
}

fn degrees(column: Column, record: Option<&Record>) -> Option<f64> {
    let location = record?.location?;
    Some(if column == Column::Latitude { Location::latitude(location) } else { location.longitude() })
}
