//! Parses a CSV file of customers.

use serde::{Deserialize, Serialize};

use super::{MAX_IMPORT, MAX_IMPORT_ROWS};
use crate::{Error, MAX_ADDRESS_LINES, MAX_REFERENCES, NewCustomer, Reference};

/// The most columns: more than all known ones.
const MAX_COLUMNS: usize = 64;
/// The most fields in a row. A row with more than the header is reported; this limit only bounds
/// memory.
const MAX_FIELDS: usize = 1_024;
/// The longest row, in bytes: longer than any valid customer.
const MAX_ROW: usize = 128 << 10;

/// The contents of one row, unchecked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    name: String,
    email: String,
    postcode: String,
    address_lines: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    phone: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    notes: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<(String, String)>,
}

impl From<Said> for NewCustomer {
    fn from(said: Said) -> Self {
        let references = said.references.into_iter().map(|(system, id)| Reference { system, id }).collect();
        Self {
            name: said.name,
            email: said.email,
            postcode: said.postcode,
            address_lines: said.address_lines,
            phone: Some(said.phone),
            notes: Some(said.notes),
            references: Some(references),
            ..Self::default()
        }
    }
}

/// A row: its line in the file, and its contents or the reason why it is not valid.
pub(crate) type Row = (i64, Result<Said, String>);

enum Column {
    Name,
    Email,
    Postcode,
    Address,
    AddressLine,
    Phone,
    Notes,
    Reference(String),
}

impl Column {
    fn named(header: &str) -> Option<Self> {
        let header = header.trim();
        let name = header.to_ascii_lowercase();
        Some(match name.as_str() {
            "name" => Self::Name,
            "email" => Self::Email,
            "postcode" => Self::Postcode,
            "address" | "address_lines" => Self::Address,
            "phone" => Self::Phone,
            "notes" => Self::Notes,
            _ if name.starts_with("reference:") => {
                Self::Reference(header["reference:".len()..].trim().into())
            }
            _ => {
                let number: usize = name.strip_prefix("address_line_")?.parse().ok()?;
                (1..=MAX_ADDRESS_LINES).contains(&number).then_some(Self::AddressLine)?
            }
        })
    }
}

/// Reads the rows of a file.
///
/// # Errors
/// Fails if the file as a whole is not valid. Errors in one row are part of that row.
pub(super) fn read(file: &[u8]) -> Result<Vec<Row>, Error> {
    let refused = |what: String| Err(Error::BadImport(what));
    if file.len() > MAX_IMPORT {
        return refused(format!("the file is larger than {MAX_IMPORT} bytes: give it in parts"));
    }
    // Spreadsheets write a byte order mark before UTF-8.
    let file = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
    let mut records = Records::new(file);
    let columns = columns(&records.next_record()?.map(|(_, header)| header).unwrap_or_default())?;
    let mut rows = Vec::new();
    while let Some((line, record)) = records.next_record()? {
        if rows.len() == MAX_IMPORT_ROWS {
            return refused(format!("the file has more than {MAX_IMPORT_ROWS} rows: give it in parts"));
        }
        rows.push((line, row(&record, &columns)));
    }
    if rows.is_empty() {
        return refused(
            "the file has no rows: give a line of column names and a line for each customer".into(),
        );
    }
    Ok(rows)
}

/// A record: the line on which it begins, and its fields.
type Record<'r> = (i64, Vec<&'r [u8]>);

/// The records of a file, read into buffers that do not grow.
struct Records<'a> {
    file: &'a [u8],
    /// The bytes of the file that have been read.
    at: usize,
    reader: csv_core::Reader,
    fields: Vec<u8>,
    ends: Vec<usize>,
    /// The line at the byte `counted`.
    line: i64,
    counted: usize,
}

impl<'a> Records<'a> {
    fn new(file: &'a [u8]) -> Self {
        let (fields, ends) = (vec![0; MAX_ROW], vec![0; MAX_FIELDS]);
        Self { file, at: 0, reader: csv_core::Reader::new(), fields, ends, line: 1, counted: 0 }
    }

    /// Returns the next record.
    fn next_record(&mut self) -> Result<Option<Record<'_>>, Error> {
        let line = self.next_line();
        let refused = |what: String| Err(Error::BadImport(format!("line {line}: {what}")));
        let (mut length, mut count) = (0, 0);
        loop {
            let (fields, ends) = (&mut self.fields[length..], &mut self.ends[count..]);
            let (result, read, written, ended) = self.reader.read_record(&self.file[self.at..], fields, ends);
            self.at += read;
            length += written;
            count += ended;
            match result {
                // The next call, with no input, returns the end.
                csv_core::ReadRecordResult::InputEmpty => {}
                csv_core::ReadRecordResult::OutputFull => {
                    return refused(format!("the row has more than {MAX_ROW} bytes: is a quote left open?"));
                }
                csv_core::ReadRecordResult::OutputEndsFull => {
                    return refused(format!("the row has more than {MAX_FIELDS} fields"));
                }
                csv_core::ReadRecordResult::Record => break,
                csv_core::ReadRecordResult::End => return Ok(None),
            }
        }
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let fields = starts.zip(&self.ends[..count]).map(|(start, &end)| &self.fields[start..end]);
        Ok(Some((line, fields.collect())))
    }

    /// Returns the line on which the next record begins. The csv crate tells where the previous
    /// record ended, which is a different line after CRLF and after empty lines, and it ignores CR
    /// without LF.
    fn next_line(&mut self) -> i64 {
        let empty = self.file[self.at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let from = self.counted;
        self.counted = self.at + empty;
        for at in from..self.counted {
            let after_cr = at > 0 && self.file[at - 1] == b'\r';
            match self.file[at] {
                b'\r' => self.line += 1,
                b'\n' if !after_cr => self.line += 1,
                _ => {}
            }
        }
        self.line
    }
}

fn columns(headers: &[&[u8]]) -> Result<Vec<Column>, Error> {
    const ALL: &str = "name, email, postcode, address or address_line_1 to address_line_10, phone, notes, \
                       reference:SYSTEM";
    let refused = |what: String| Err(Error::BadImport(format!("line 1: {what}; columns are {ALL}")));
    if headers.len() > MAX_COLUMNS {
        return refused(format!("the first line has {} columns: give at most {MAX_COLUMNS}", headers.len()));
    }
    let mut seen: Vec<String> = Vec::new();
    let mut columns = Vec::new();
    for header in headers {
        let Ok(header) = std::str::from_utf8(header) else { return refused("it is not UTF-8".into()) };
        let name = header.trim().to_ascii_lowercase();
        // Ignoring an unknown column would lose its data silently.
        let Some(column) = Column::named(header) else {
            return refused(format!("{header:?} is not a column"));
        };
        if seen.contains(&name) {
            return refused(format!("the column {header:?} appears twice"));
        }
        seen.push(name);
        columns.push(column);
    }
    let has = |name: &str| seen.iter().any(|seen| seen == name);
    let addressed = seen.iter().any(|name| name.starts_with("address"));
    for (name, has) in [
        ("name", has("name")),
        ("email", has("email")),
        ("postcode", has("postcode")),
        ("address", addressed),
    ] {
        if !has {
            return refused(format!("the column {name} is missing"));
        }
    }
    if columns.iter().filter(|column| matches!(column, Column::Reference(_))).count() > MAX_REFERENCES {
        return refused(format!("more than {MAX_REFERENCES} references"));
    }
    Ok(columns)
}

fn row(record: &[&[u8]], columns: &[Column]) -> Result<Said, String> {
    if record.len() != columns.len() {
        return Err(format!(
            "the row has {} fields: give {}, as the first line",
            record.len(),
            columns.len()
        ));
    }
    let mut said = Said::default();
    for (&field, column) in record.iter().zip(columns) {
        let text = std::str::from_utf8(field)
            .map_err(|error| format!("the row is not UTF-8 after {} bytes of a field", error.valid_up_to()))?
            .trim();
        match column {
            Column::Name => said.name = text.into(),
            Column::Email => said.email = text.into(),
            Column::Postcode => said.postcode = text.into(),
            Column::Address => {
                said.address_lines.extend(text.split(['|', '\n']).map(|line| line.trim().into()))
            }
            Column::AddressLine => said.address_lines.push(text.into()),
            Column::Phone => said.phone = text.into(),
            Column::Notes => said.notes = text.into(),
            Column::Reference(_) if text.is_empty() => {}
            Column::Reference(system) => said.references.push((system.clone(), text.into())),
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(file: &str) -> String {
        read(file.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn columns_come_in_any_order_and_case() {
        let file = "\u{feff}Postcode,EMAIL,name,address_line_1,Address_Line_2,reference:CRM,phone\r\n\
                    sw1a1aa, ada@example.com ,\"Ada, Countess\",1 The Mall,London,7,\r\n\
                    \"m1\n1ae\",b@example.com,B,2 High St,,,01\n";
        let rows = read(file.as_bytes()).unwrap();
        assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
        let new = NewCustomer::from(rows[0].1.clone().unwrap());
        assert_eq!((new.name.as_str(), new.email.as_str()), ("Ada, Countess", "ada@example.com"));
        assert_eq!(new.address_lines, ["1 The Mall", "London"]);
        assert_eq!(new.references, Some(vec![Reference { system: "CRM".into(), id: "7".into() }]));
        assert_eq!(NewCustomer::from(rows[1].1.clone().unwrap()).references, Some(Vec::new()));
    }

    #[test]
    fn each_row_says_its_line_whatever_ends_lines() {
        let header = "name,email,postcode,address";
        for (file, expected) in [
            ("H\nA,b,c,d\n\n\nA,b,c,\"d\ne\"\nA,b,c,d", vec![2, 5, 7]),
            ("H\r\nA,b,c,d\r\nA,b,c,\"d\r\ne\"\r\n\r\nA,b,c,d\r\n", vec![2, 3, 6]),
            ("H\rA,b,c,d\rA,b,c,d\r\rA,b,c,d\r", vec![2, 3, 5]),
            ("\n\nH\n\rA,b,c,d\n", vec![5]),
        ] {
            let rows = read(file.replace('H', header).as_bytes()).unwrap();
            assert!(rows.iter().all(|(_, said)| said.is_ok()), "{file:?}: {rows:?}");
            assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), expected, "{file:?}");
        }
    }

    #[test]
    fn a_row_of_too_much_is_refused_before_it_takes_memory() {
        let header = "name,email,postcode,address\n";
        let commas = ",".repeat(100_000);
        assert!(refusal(&commas).contains("line 1: the row has more than 1024 fields"));
        assert!(refusal(&format!("{header}A,b,c,d\n{commas}")).contains("line 3: the row has more than"));
        let open = format!("{header}\"{}", "A,b,c,d\n".repeat(20_000));
        assert!(refusal(&open).contains("line 2: the row has more than 131072 bytes: is a quote left open?"));
    }

    #[test]
    fn one_column_may_have_all_lines_of_the_address() {
        let rows = read(b"name,email,postcode,address\nA,a@b.c,M1 1AE,1 High St | Town|\n").unwrap();
        assert_eq!(rows[0].1.as_ref().unwrap().address_lines, ["1 High St", "Town", ""]);
    }

    #[test]
    fn what_is_no_file_of_customers_is_refused_as_a_whole() {
        assert!(refusal("").contains("column name is missing"));
        assert!(refusal("name,email,postcode,address\n").contains("no rows"));
        assert!(refusal("name,email,postcode,adress\nA,b,c,d\n").contains("\"adress\" is not a column"));
        assert!(
            refusal("name,email,postcode,address,Name\nA,b,c,d,e\n")
                .contains("the column \"Name\" appears twice")
        );
        assert!(refusal("name,email,postcode,address_line_11\nA,b,c,d\n").contains("address_line_11"));
        assert!(refusal("name,postcode,address\nA,b,c\n").contains("column email is missing"));
    }

    #[test]
    fn a_row_that_can_not_be_read_is_no_end_of_the_others() {
        let mut file = b"name,email,postcode,address\nA,b,c\nA,b,c,d,e\nA\xff,b,c,d\n".to_vec();
        file.extend(b"A,a@b.c,M1 1AE,x\n");
        let rows = read(&file).unwrap();
        let wrong: Vec<_> =
            rows.iter().map(|(_, said)| said.as_ref().err().cloned().unwrap_or_default()).collect();
        assert!(wrong[0].contains("has 3 fields: give 4") && wrong[1].contains("has 5 fields"), "{wrong:?}");
        assert!(wrong[2].contains("not UTF-8 after 1 bytes") && wrong[3].is_empty(), "{wrong:?}");
    }
}
