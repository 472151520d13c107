//! The new columns of one record batch.

use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};
use postcode_core::Postcode;

use super::super::column::{Found, Holds};
use super::super::csv::{named, namesakes};
use super::super::guess::{self, Tally};
use super::super::listed::Listed;
use super::super::reading::{self, Cell, Lack};
use super::super::value::Value;
use super::super::{AT_ONCE, Column, Counts, Error, Plan, short};
use super::work::{Work, arrow_error};

/// The columns of a file: the one that holds the postcode, and all of them with the new ones.
pub(super) struct Layout {
    /// Indices from the outside inwards: of a column, and of a field within it, and so on.
    postcode: Vec<usize>,
    /// All columns, those that are added at the end.
    pub(super) schema: SchemaRef,
    /// How many columns are added.
    added: usize,
    pub(super) notes: Vec<String>,
}

impl Layout {
    /// Finds the column of the postcode by its name, or else by what stands in the first batch.
    ///
    /// # Errors
    /// If neither tells, if it does not hold text, or if one of the new columns is there already.
    pub(super) fn of(schema: &Schema, first: Option<&RecordBatch>, plan: &Plan) -> Result<Self, Error> {
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let mut notes = Vec::new();
        let postcode = match nested(schema.fields(), plan) {
            Some(path) => path,
            None => match named(&names, plan).map_err(Error::Invalid)? {
                Some(column) => {
                    notes.extend(namesakes(&names, column));
                    vec![column]
                }
                None => {
                    let column = by_content(&names, first, plan).map_err(Error::Invalid)?;
                    notes.push(format!("the postcodes are taken from the column {}", short(&names[column])));
                    vec![column]
                }
            },
        };
        text_at(schema.fields(), &postcode).map_err(Error::Invalid)?;
        let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
        for column in &plan.columns {
            let added = format!("{}{column}", plan.prefix);
            if names.iter().any(|name| name.eq_ignore_ascii_case(&added)) {
                return Err(Error::Invalid(format!(
                    "there is a column {added:?} already: give the new ones a prefix"
                )));
            }
            fields.push(Arc::new(Field::new(added, data_type(*column), true)));
        }
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        Ok(Self { postcode, schema, added: plan.columns.len(), notes })
    }

    /// The index of the column that holds the postcode, or that holds an object with it.
    pub(super) fn root(&self) -> usize {
        self.postcode.first().copied().unwrap_or(0)
    }

    /// The columns that are added.
    pub(super) fn new_fields(&self) -> &[Arc<Field>] {
        let fields = self.schema.fields();
        fields.get(fields.len().saturating_sub(self.added)..).unwrap_or_default()
    }

    /// Adds the columns to a batch.
    ///
    /// # Errors
    /// If the lookup fails.
    pub(super) fn enrich(&self, batch: &RecordBatch, work: &Work) -> Result<(RecordBatch, Counts), Error> {
        let missing =
            || Error::Invalid("the file is damaged: a column is missing from a part of it".to_owned());
        let root = batch.columns().get(self.root()).ok_or_else(missing)?;
        let (added, counts) = self.columns(root, work)?;
        let mut columns = batch.columns().to_vec();
        columns.extend(added);
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(arrow_error("column"))?;
        Ok((batch, counts))
    }

    /// Returns the columns to add to rows, of which this is the column at [`root`](Self::root).
    ///
    /// # Errors
    /// If the lookup fails.
    pub(super) fn columns(&self, root: &ArrayRef, work: &Work) -> Result<(Vec<ArrayRef>, Counts), Error> {
        let cells = self.cells(root, &work.plan)?;
        let postcodes: Vec<Postcode> = cells.iter().flat_map(Cell::postcodes).copied().collect();
        let mut answers = Vec::with_capacity(postcodes.len());
        for some in postcodes.chunks(AT_ONCE) {
            let found = work.runtime.block_on(work.lookup.lookup(some))?;
            if found.len() != some.len() {
                return Err(Error::Invalid(format!(
                    "the source gave {} answers for {} postcodes",
                    found.len(),
                    some.len()
                )));
            }
            answers.extend(found);
        }
        let listed = Listed::of(work.addresses.as_deref(), &work.plan, &postcodes);
        let listed = work.runtime.block_on(listed)?;
        let (mut counts, mut answers) = (Counts::default(), &answers[..]);
        let mut builders: Vec<Builder> =
            work.plan.columns.iter().map(|column| Builder::of(*column)).collect();
        for cell in &cells {
            let (its_answers, others) = answers.split_at_checked(cell.postcodes().len()).unwrap_or_default();
            answers = others;
            let (found, lack) = cell.judge(its_answers);
            let found = Found { addresses: listed.get(found.postcode), ..found };
            counts.count(&found, lack);
            for (column, builder) in work.plan.columns.iter().zip(&mut builders) {
                builder.push(column.value(&found));
            }
        }
        Ok((builders.into_iter().map(Builder::finish).collect(), counts))
    }

    fn cells(&self, root: &ArrayRef, plan: &Plan) -> Result<Vec<Cell>, Error> {
        let missing =
            || Error::Invalid("the file is damaged: a column is missing from a part of it".to_owned());
        let (_, inner) = self.postcode.split_first().ok_or_else(missing)?;
        let mut array = root;
        let mut parents: Vec<&dyn Array> = Vec::new();
        for field in inner {
            parents.push(array.as_ref());
            array = array.as_struct_opt().and_then(|s| s.columns().get(*field)).ok_or_else(missing)?;
        }
        let mut cells = texts(array.as_ref(), plan);
        for parent in parents {
            for (n, cell) in cells.iter_mut().enumerate() {
                if parent.is_null(n) {
                    *cell = blank();
                }
            }
        }
        Ok(cells)
    }
}

/// The path `address.postcode` within columns that hold objects, if the plan names one.
fn nested(fields: &Fields, plan: &Plan) -> Option<Vec<usize>> {
    let wanted = plan.postcode.as_deref()?;
    if fields.find(wanted).is_some() {
        return None;
    }
    let (mut path, mut fields): (Vec<usize>, &Fields) = (Vec::new(), fields);
    for (n, part) in wanted.split('.').enumerate() {
        if n > 0 {
            let DataType::Struct(inner) = fields.get(*path.last()?)?.data_type() else { return None };
            fields = inner;
        }
        path.push(fields.find(part)?.0);
    }
    (path.len() > 1).then_some(path)
}

/// # Errors
/// If what is there is not text.
fn text_at(fields: &Fields, path: &[usize]) -> Result<(), String> {
    let (mut fields, mut found) = (fields, None);
    for index in path {
        found = fields.get(*index);
        if let Some(DataType::Struct(inner)) = found.map(|field| field.data_type()) {
            fields = inner;
        }
    }
    match found {
        Some(field) if is_text(field.data_type()) => Ok(()),
        Some(field) => Err(format!(
            "the column {} holds {} and not text: name the column of the postcodes (--postcode-column)",
            short(field.name()),
            field.data_type()
        )),
        None => Err("the file has no columns".to_owned()),
    }
}

/// Whether there are texts in a column. Some writers of Parquet do not mark texts as such, so bytes may be texts.
fn is_text(of: &DataType) -> bool {
    match of {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            true
        }
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

fn by_content(names: &[String], first: Option<&RecordBatch>, plan: &Plan) -> Result<usize, String> {
    let mut tallies = vec![Tally::default(); names.len()];
    if let Some(batch) = first {
        let sample = batch.slice(0, batch.num_rows().min(guess::ROWS));
        for (array, tally) in sample.columns().iter().zip(&mut tallies) {
            for cell in texts(array.as_ref(), plan) {
                tally.add_cell(&cell);
            }
        }
    }
    guess::only(&tallies, names).map(|(found, _)| found).map_err(|error| {
        if names.is_empty() {
            "the file has no columns".to_owned()
        } else {
            error.replace("here are", "there are")
        }
    })
}

fn blank() -> Cell {
    Cell::Not(Lack::Blank, "no postcode".to_owned())
}

/// Reads the texts of a column. Everything else is blank.
fn texts(array: &dyn Array, plan: &Plan) -> Vec<Cell> {
    let read = |text: Option<&str>| text.map_or_else(blank, |text| reading::read(text, plan));
    let bytes = |bytes: Option<&[u8]>| {
        bytes.map_or_else(blank, |bytes| match std::str::from_utf8(bytes) {
            // Columns of a fixed width are filled up.
            Ok(text) => reading::read(text.trim_end_matches('\0'), plan),
            Err(_) => Cell::malformed("bytes that are not text"),
        })
    };
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().map(read).collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().map(read).collect(),
        DataType::Utf8View => array.as_string_view().iter().map(read).collect(),
        DataType::Binary => array.as_binary::<i32>().iter().map(bytes).collect(),
        DataType::LargeBinary => array.as_binary::<i64>().iter().map(bytes).collect(),
        DataType::BinaryView => array.as_binary_view().iter().map(bytes).collect(),
        DataType::FixedSizeBinary(_) => array.as_fixed_size_binary().iter().map(bytes).collect(),
        DataType::Dictionary(_, values) if is_text(values) => {
            let dictionary = array.as_any_dictionary();
            let values = texts(dictionary.values().as_ref(), plan);
            // There are no keys into an empty dictionary.
            let keys = if values.is_empty() { Vec::new() } else { dictionary.normalized_keys() };
            let cell = |n| keys.get(n).and_then(|key| values.get(*key)).cloned().unwrap_or_else(blank);
            (0..array.len()).map(|n| if array.is_null(n) { blank() } else { cell(n) }).collect()
        }
        _ => (0..array.len()).map(|_| blank()).collect(),
    }
}

/// The type of the values of a column.
pub(super) fn data_type(column: Column) -> DataType {
    match column.holds() {
        Holds::Text => DataType::Utf8,
        Holds::Whole => DataType::Int64,
        Holds::Degrees => DataType::Float64,
    }
}

/// Collects the values of a column.
pub(super) enum Builder {
    Text(StringBuilder),
    Whole(Int64Builder),
    Degrees(Float64Builder),
}

impl Builder {
    pub(super) fn of(column: Column) -> Self {
        match column.holds() {
            Holds::Text => Self::Text(StringBuilder::new()),
            Holds::Whole => Self::Whole(Int64Builder::new()),
            Holds::Degrees => Self::Degrees(Float64Builder::new()),
        }
    }

    pub(super) fn push(&mut self, value: Value<'_>) {
        match (self, value) {
            (Self::Text(builder), Value::Text(text)) => builder.append_value(text),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Whole(builder), Value::Number(number)) => {
                builder.append_option(i64::try_from(number).ok());
            }
            (Self::Whole(builder), _) => builder.append_null(),
            (Self::Degrees(builder), Value::Degrees(degrees)) => builder.append_value(degrees),
            (Self::Degrees(builder), _) => builder.append_null(),
        }
    }

    pub(super) fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Whole(mut builder) => Arc::new(builder.finish()),
            Self::Degrees(mut builder) => Arc::new(builder.finish()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test it is the failure.
mod tests {
    use arrow_array::types::Int32Type;
    use arrow_array::{
        BinaryArray, BinaryViewArray, DictionaryArray, FixedSizeBinaryArray, Int32Array, StringArray,
        StringViewArray, StructArray,
    };

    use super::super::super::Format;
    use super::*;

    fn plan(postcode: Option<&str>) -> Plan {
        let mut plan = Plan::new(Format::Csv, Column::list("status,eastings,latitude").unwrap());
        plan.postcode = postcode.map(str::to_owned);
        plan
    }

    fn layout(batch: &RecordBatch, plan: &Plan) -> Result<Layout, Error> {
        Layout::of(&batch.schema(), Some(batch), plan)
    }

    fn statuses(batch: &RecordBatch, plan: Plan) -> Vec<String> {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let layout = layout(batch, &plan).unwrap();
        let work = Work {
            plan,
            lookup: Arc::new(postcode_core::Local::embedded().unwrap()),
            addresses: None,
            runtime: runtime.handle().clone(),
            attribution: None,
            written: Box::new(|_| {}),
        };
        let (out, counts) = layout.enrich(batch, &work).unwrap();
        assert_eq!(counts.rows(), batch.num_rows() as u64);
        assert_eq!(&out.columns()[..batch.num_columns()], batch.columns());
        out.column_by_name("status")
            .unwrap()
            .as_string::<i32>()
            .iter()
            .map(|s| s.unwrap().to_owned())
            .collect()
    }

    #[test]
    fn texts_of_all_kinds_are_read() {
        let expected = ["live", "invalid", "unknown", "invalid"];
        let values = [Some("sw1a1aa"), None, Some("SW1A 9ZZ"), Some("SW1A")];
        let dictionary: DictionaryArray<Int32Type> = values.into_iter().collect();
        let bytes = values.map(|value| value.map(str::as_bytes));
        let padded: Vec<_> = values.map(|value| value.map(|value| format!("{value:\0<8}"))).to_vec();
        let padded = padded.iter().map(|value| value.as_ref().map(String::as_bytes));
        let arrays: [ArrayRef; 6] = [
            Arc::new(BinaryArray::from(bytes.to_vec())),
            Arc::new(BinaryViewArray::from_iter(bytes)),
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(padded, 8).unwrap()),
            Arc::new(StringArray::from(values.to_vec())),
            Arc::new(StringViewArray::from_iter(values)),
            Arc::new(dictionary),
        ];
        for array in arrays {
            let batch = RecordBatch::try_from_iter_with_nullable([("Postcode", array, true)]).unwrap();
            assert_eq!(statuses(&batch, plan(None)), expected);
        }
    }

    #[test]
    fn column_is_found_by_path_and_by_content() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["SW1A 1AA", "M1 1AE"]));
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
        let field = Arc::new(Field::new("code", DataType::Utf8, true));
        let address: ArrayRef = Arc::new(StructArray::from(vec![(field, texts.clone())]));
        let batch = RecordBatch::try_from_iter([("n", numbers.clone()), ("address", address)]).unwrap();
        assert_eq!(statuses(&batch, plan(Some("address.code"))), ["live", "live"]);
        let batch = RecordBatch::try_from_iter([("n", numbers), ("where", texts)]).unwrap();
        assert_eq!(statuses(&batch, plan(None)), ["live", "live"]);
        assert_eq!(layout(&batch, &plan(None)).unwrap().notes.len(), 1);
    }

    #[test]
    fn first_of_two_columns_of_one_name_is_read_and_said() {
        let column = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text.to_owned()])) };
        let batch =
            RecordBatch::try_from_iter([("Postcode", column("SW1A 1AA")), ("post_code", column("x"))]);
        let batch = batch.unwrap();
        assert_eq!(statuses(&batch, plan(None)), ["live"]);
        let notes = layout(&batch, &plan(None)).unwrap().notes;
        assert_eq!(notes, ["2 columns are called \"Postcode\": the postcodes are taken from the first"]);
    }

    #[test]
    fn column_that_holds_no_text_is_an_error() {
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
        let batch = RecordBatch::try_from_iter([("postcode", numbers)]).unwrap();
        let error = layout(&batch, &plan(None)).err().unwrap().to_string();
        assert!(error.contains("holds Int32 and not text"), "{error}");
        let error = layout(&batch, &plan(Some("zip"))).err().unwrap().to_string();
        assert!(error.contains("there is no column \"zip\""), "{error}");
    }
}
