//! Rows of CSV.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};
use postcode_core::{Answer, Postcode};

use super::rows::Row;
use super::{Column, MAX_ROW, POSTCODE_NAMES, Plan, short};

/// The most fields of a row.
const MAX_FIELDS: usize = 10_000;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Takes rows apart into fields.
pub(super) struct Splitter {
    reader: Reader,
    delimiter: u8,
    text: Vec<u8>,
    ends: Vec<usize>,
    len: usize,
    fields: usize,
}

impl Splitter {
    /// Creates a splitter for a file that begins like this. The delimiter is the most frequent one
    /// in the first line.
    pub(super) fn new(start: &[u8]) -> Self {
        let line =
            start.split(|b| *b == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
        let count = |delimiter: &u8| line.iter().filter(|b| *b == delimiter).count();
        // Of equals the last is found: a comma, then.
        let delimiter =
            DELIMITERS.iter().rev().max_by_key(|delimiter| count(delimiter)).copied().unwrap_or(b',');
        Self::of(delimiter)
    }

    /// Creates a splitter with a known delimiter.
    pub(super) fn of(delimiter: u8) -> Self {
        // Lines end with \n here. A \r before it is handled separately, so that it is kept.
        let reader = ReaderBuilder::new().delimiter(delimiter).terminator(Terminator::Any(b'\n')).build();
        Self { reader, delimiter, text: vec![0; 4096], ends: vec![0; 64], len: 0, fields: 0 }
    }

    pub(super) fn begin(&mut self) {
        (self.len, self.fields) = (0, 0);
    }

    /// Reads from `input`, which continues the previous input. Returns how many bytes it consumed,
    /// and whether the row is complete.
    pub(super) fn feed(&mut self, input: &[u8], ended: bool) -> Result<(usize, bool), String> {
        let mut taken = 0;
        loop {
            let rest = &input[taken..];
            let at_end = rest.is_empty();
            if at_end && !ended {
                return Ok((taken, false));
            }
            // End the last line if it has no end: the end of the file would close an open quote.
            let rest = if at_end { b"\n" } else { rest };
            let (result, read, text, ends) =
                self.reader.read_record(rest, &mut self.text[self.len..], &mut self.ends[self.fields..]);
            taken += if at_end { 0 } else { read };
            self.len += text;
            self.fields += ends;
            match result {
                ReadRecordResult::InputEmpty if at_end => {
                    return Err("a row with a quote that lacks its partner: the file ends in it".to_owned());
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() > MAX_ROW => {
                    return Err(format!("a row of more than {MAX_ROW} bytes: is a quote left open?"));
                }
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() > MAX_FIELDS => {
                    return Err(format!("a row of more than {MAX_FIELDS} fields"));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => return Ok((taken, true)),
            }
        }
    }

    fn field(&self, n: usize) -> Option<&[u8]> {
        let ends = self.ends.get(..self.fields)?;
        let start = n.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
        let field = self.text.get(start..*ends.get(n)?)?;
        // Of the line's end, if the field is the last.
        Some(if n + 1 == self.fields { field.strip_suffix(b"\r").unwrap_or(field) } else { field })
    }
}

/// The header of a CSV file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Header {
    pub(super) delimiter: u8,
    postcode: usize,
    fields: usize,
}

impl Header {
    /// Finds the column of the postcode, and writes the header with the new columns to `out`.
    pub(super) fn read(
        bytes: &[u8],
        fields: &Splitter,
        plan: &Plan,
        out: &mut Vec<u8>,
    ) -> Result<Self, String> {
        let name = |n: usize| {
            let name = String::from_utf8_lossy(fields.field(n).unwrap_or_default()).into_owned();
            // A byte order mark is not part of the first name.
            name.trim_start_matches('\u{feff}').trim().to_owned()
        };
        let names: Vec<String> = (0..fields.fields).map(name).collect();
        let known = || names.iter().take(50).map(|name| short(name)).collect::<Vec<_>>().join(", ");
        let postcode = match &plan.postcode {
            Some(wanted) => names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(wanted.trim()))
                .ok_or_else(|| format!("there is no column {}, only {}", short(wanted), known()))?,
            None => POSTCODE_NAMES
                .iter()
                .find_map(|wanted| names.iter().position(|name| plain(name) == *wanted))
                .ok_or_else(|| format!(
                        "which column is the postcode? Name it (--postcode-column, over HTTP postcode_column); here are {}",
                        known()
                    ))?,
        };
        let end = line_end(bytes);
        out.extend_from_slice(&bytes[..end]);
        for column in &plan.columns {
            let added = format!("{}{column}", plan.prefix);
            if names.iter().any(|name| name.eq_ignore_ascii_case(&added)) {
                return Err(format!("there is a column {added:?} already: give the new ones a prefix"));
            }
            out.push(fields.delimiter);
            field(out, &added, fields.delimiter);
        }
        out.extend_from_slice(if end == bytes.len() { b"\n" } else { &bytes[end..] });
        Ok(Self { delimiter: fields.delimiter, postcode, fields: fields.fields })
    }

    /// Returns the row's postcode, and how many fields the row has too few.
    ///
    /// # Errors
    /// Fails if the row has too many fields: added values would be in the wrong columns.
    pub(super) fn postcode(&self, row: &Splitter) -> Result<(Result<Postcode, String>, usize), String> {
        let missing = self.fields.checked_sub(row.fields).ok_or_else(|| {
            format!("{} fields, and the header has {}: quote what holds a delimiter", row.fields, self.fields)
        })?;
        Ok((parse(row.field(self.postcode).unwrap_or_default()), missing))
    }
}

/// Normalises a name: removes differences in how people write it.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
}

pub(super) fn parse(text: &[u8]) -> Result<Postcode, String> {
    let text = std::str::from_utf8(text).map_err(|_| "not UTF-8".to_owned())?;
    text.parse().map_err(|e: postcode_core::ParseError| e.to_string())
}

/// Returns the length of an empty line at the start; 0 for any other line, `None` if that is not
/// known yet.
pub(super) fn is_blank(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [] | [b'\r'] => None,
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        _ => Some(0),
    }
}

/// Returns where the line ending begins.
pub(super) fn line_end(bytes: &[u8]) -> usize {
    let rest = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    rest.strip_suffix(b"\r").unwrap_or(rest).len()
}

pub(super) fn write(
    out: &mut Vec<u8>,
    bytes: &[u8],
    row: &Row,
    columns: &[Column],
    answer: Result<&Answer, &str>,
    delimiter: u8,
) {
    let end = line_end(bytes);
    out.extend_from_slice(&bytes[..end]);
    out.extend(std::iter::repeat_n(delimiter, row.missing));
    for column in columns {
        out.push(delimiter);
        field(out, &column.value(answer).to_string(), delimiter);
    }
    out.extend_from_slice(&bytes[end..]);
}

/// Quoted where it must be (RFC 4180).
fn field(out: &mut Vec<u8>, text: &str, delimiter: u8) {
    let must = |b: u8| b == delimiter || matches!(b, b'"' | b'\r' | b'\n');
    if !text.bytes().any(must) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}
