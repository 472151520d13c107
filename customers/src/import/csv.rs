//! Parses a CSV file of customers.

use postcode_tables::records::{self, Record, Records, Wanted};
use postcode_tables::{Fault, plain_text};
use serde::{Deserialize, Serialize};

use super::columns::{Column, missing};
use super::mapping::Mapping;
use super::{Preview, PreviewColumn};
use crate::{Error, MAX_IMPORT, MAX_IMPORT_ROWS, NewCustomer, Reference};

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

/// A file, read.
#[derive(Debug)]
pub(crate) struct File {
    /// The name that it has where it comes from.
    pub(crate) name: Option<String>,
    /// The names of its columns, as they are written.
    pub(crate) headings: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// A row of a file.
#[derive(Debug)]
pub(crate) struct Row {
    /// The line on which it begins.
    pub(crate) line: i64,
    /// The contents, or the reason why they are not valid.
    pub(crate) said: Result<Said, String>,
    /// The cells as they are written: an array of texts, in JSON.
    pub(crate) original: String,
    /// The email address by which it is found, if there is one.
    pub(crate) email_key: Option<String>,
}

/// Reads the rows of a file.
///
/// # Errors
/// Fails if the file as a whole is not valid. Errors in one row are part of that row.
pub(crate) fn read(file: &[u8], mapping: &Mapping) -> Result<File, Error> {
    let refused = |what: String| Err(Error::BadImport(what));
    let Opened { mut records, mut header, line } = open(file, mapping)?;
    let mut columns = mapping.columns(&header, line)?;
    // Names of rows, as R writes them, and an index of pandas say nothing about a customer.
    if let Some(first @ Column::Unnamed) = columns.first_mut() {
        *first = Column::Ignored;
    }
    // The file has no cell for that heading.
    let skipped = usize::from(records.has_row_names());
    header.drain(..skipped);
    let mut rows = Vec::new();
    while let Some(record) = records.next_record().map_err(malformed)? {
        // Spreadsheets leave rows of nothing but delimiters.
        if record.is_blank_from(0) {
            continue;
        }
        if rows.len() == MAX_IMPORT_ROWS {
            return refused(format!("the file has more than {MAX_IMPORT_ROWS} rows: give it in parts"));
        }
        rows.push(row(&record, &columns, skipped)?);
    }
    if rows.is_empty() {
        return refused(
            "the file has no rows: give a line of column names and a line for each customer".into(),
        );
    }
    Ok(File { name: None, headings: header, rows })
}

/// Reads a row. Its first cells, as many as are `skipped`, are not kept.
fn row(record: &Record<'_>, columns: &[Column], skipped: usize) -> Result<Row, Error> {
    let cells: Vec<_> = (0..record.cells()).map(|n| record.text(n)).collect();
    let original = serde_json::to_string(cells.get(skipped..).unwrap_or_default())
        .map_err(|error| Error::BadImport(format!("line {}: {error}", record.line)))?;
    let email = columns.iter().position(|column| matches!(column, Column::Email)).and_then(|n| cells.get(n));
    let email_key = email.map(|email| plain_text(email).to_lowercase()).filter(|email| !email.is_empty());
    Ok(Row { line: record.line.cast_signed(), said: said(record, columns), original, email_key })
}

/// A file whose headings are read.
struct Opened<'a> {
    records: Records<&'a [u8]>,
    header: Vec<String>,
    /// The line of the headings.
    line: u64,
}

/// Opens a file and reads its headings, or counts its columns if it has none.
fn open<'a>(file: &'a [u8], mapping: &Mapping) -> Result<Opened<'a>, Error> {
    if file.len() > MAX_IMPORT {
        let what = format!("the file is larger than {MAX_IMPORT} bytes: give it in parts");
        return Err(Error::BadImport(what));
    }
    let wanted = Wanted {
        delimiter: None,
        encoding: None,
        max_row: MAX_ROW,
        max_cells: MAX_FIELDS,
        header: mapping.has_header(),
    };
    let open = || {
        Records::new(file, &wanted)
            .map_err(|error| Error::BadImport(format!("the file can't be read: {error}")))
    };
    let mut records = open()?;
    if mapping.has_header() {
        records.pass_title(|cells| mapping.signs(cells));
    }
    let (header, line) = match records.next_record().map_err(malformed)? {
        Some(first) if mapping.has_header() => (cells(&first, usize::MAX), first.line),
        Some(first) => ((1..=first.cells()).map(|n| n.to_string()).collect(), first.line),
        None => (Vec::new(), 1),
    };
    if !mapping.has_header() {
        // The first line is a row, too.
        records = open()?;
    }
    Ok(Opened { records, header, line })
}

/// Returns the texts of a record's cells, each cut to a number of characters.
fn cells(record: &Record<'_>, most: usize) -> Vec<String> {
    (0..record.cells()).map(|n| record.text(n).chars().take(most).collect()).collect()
}

/// The rows of a preview.
const SHOWN_ROWS: usize = 5;
/// The characters of a cell of a preview.
const SHOWN: usize = 100;

/// Reads the headings and the first rows of a file, which may be cut off.
///
/// # Errors
/// Fails if there are no headings to read.
pub(crate) fn preview(file: &[u8], mapping: &Mapping) -> Result<Preview, Error> {
    let Opened { mut records, header, line } = open(file, mapping)?;
    let problem = mapping.columns(&header, line).err().map(|error| error.to_string());
    let headings = header.iter().map(|heading| heading.trim_start_matches('\u{feff}').trim());
    let meanings: Vec<Option<Column>> = headings.clone().map(|heading| mapping.column(heading)).collect();
    let known: Vec<Column> = meanings.iter().flatten().cloned().collect();
    let shown = headings.zip(&meanings).take(MAX_FIELDS).map(|(heading, meaning)| PreviewColumn {
        heading: heading.chars().take(SHOWN).collect(),
        column: meaning.as_ref().filter(|column| **column != Column::Unnamed).map(Column::name),
    });
    let mut rows = Vec::new();
    // What is wrong with a row is in the report of the import.
    while rows.len() < SHOWN_ROWS
        && let Ok(Some(record)) = records.next_record()
    {
        if !record.is_blank_from(0) {
            rows.push(cells(&record, SHOWN));
        }
    }
    Ok(Preview { columns: shown.collect(), rows, missing: missing(&known), problem, notes: Vec::new() })
}

fn malformed(error: records::Error) -> Error {
    Error::BadImport(match error {
        records::Error::TooLong(line, most) => {
            format!("line {line}: the row has more than {most} bytes: is a quote left open?")
        }
        records::Error::Row(line, Fault::TooManyCells(most)) => {
            format!("line {line}: the row has more than {most} fields")
        }
        records::Error::Row(line, Fault::OpenQuote(_)) => {
            format!(
                "line {line}: a quote is left open to the end of the file: close it, or remove it if it is a stray one"
            )
        }
        records::Error::Read(error) => format!("the file can't be read: {error}"),
    })
}

/// Reads a row. Cells that it lacks at its end are empty, and empty cells beyond the columns are ignored.
fn said(record: &Record<'_>, columns: &[Column]) -> Result<Said, String> {
    if !record.is_blank_from(columns.len()) {
        return Err(format!(
            "the row has {} fields: give {}, as the first line",
            record.cells(),
            columns.len()
        ));
    }
    let mut said = Said::default();
    for (n, column) in columns.iter().enumerate() {
        let text = record.text(n);
        let text = plain_text(&text);
        match column {
            Column::Name => said.name = text.into(),
            Column::NamePart if text.is_empty() => {}
            Column::NamePart if said.name.is_empty() => said.name = text.into(),
            Column::NamePart => said.name = format!("{} {text}", said.name),
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
            Column::Added | Column::Ignored => {}
            Column::Unnamed if text.is_empty() => {}
            Column::Unnamed => {
                return Err(format!("the {}. field is not empty, and its column has no name", n + 1));
            }
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(file: &str) -> String {
        read(file.as_bytes(), &Mapping::default()).unwrap_err().to_string()
    }

    #[test]
    fn columns_come_in_any_order_and_case() {
        let file = "\u{feff}Postcode,EMAIL,name,address_line_1,Address_Line_2,reference:CRM,phone\r\n\
                    sw1a1aa, ada@example.com ,\"Ada, Countess\",1 The Mall,London,7,\r\n\
                    \"m1\n1ae\",b@example.com,B,2 High St,,,01\n";
        let rows = read(file.as_bytes(), &Mapping::default()).unwrap().rows;
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3]);
        let new = NewCustomer::from(rows[0].said.clone().unwrap());
        assert_eq!((new.name.as_str(), new.email.as_str()), ("Ada, Countess", "ada@example.com"));
        assert_eq!(new.address_lines, ["1 The Mall", "London"]);
        assert_eq!(new.references, Some(vec![Reference { system: "CRM".into(), id: "7".into() }]));
        assert_eq!(NewCustomer::from(rows[1].said.clone().unwrap()).references, Some(Vec::new()));
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
            let rows = read(file.replace('H', header).as_bytes(), &Mapping::default()).unwrap().rows;
            assert!(rows.iter().all(|row| row.said.is_ok()), "{file:?}: {rows:?}");
            assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), expected, "{file:?}");
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
        let rows =
            read(b"name,email,postcode,address\nA,a@b.c,M1 1AE,1 High St | Town|\n", &Mapping::default())
                .unwrap()
                .rows;
        assert_eq!(rows[0].said.as_ref().unwrap().address_lines, ["1 High St", "Town", ""]);
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
    fn row_with_too_many_fields_fails_alone_and_short_rows_are_padded() {
        let mut file =
            b"name,email,postcode,address,notes\nA,b,c,d\nA,b,c,d,e,f\nA\xff,b,c,d,,,\n,,,,\n".to_vec();
        file.extend(b"A,a@b.c,M1 1AE,x,\n");
        let rows = read(&file, &Mapping::default()).unwrap().rows;
        let wrong: Vec<_> =
            rows.iter().map(|row| row.said.as_ref().err().cloned().unwrap_or_default()).collect();
        assert_eq!(wrong, ["", "the row has 6 fields: give 5, as the first line", "", ""]);
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3, 4, 6]);
        assert_eq!(rows[2].said.as_ref().unwrap().name, "A\u{ff}", "Windows-1252");
    }

    #[test]
    fn files_of_other_tools_are_read() {
        let expected = NewCustomer {
            name: "Zoë Lee".into(),
            email: "z@example.com".into(),
            postcode: "M1 1AE".into(),
            address_lines: vec!["1 High St".into(), "Leeds".into()],
            phone: Some("0113 496 0000".into()),
            notes: Some(String::new()),
            references: Some(Vec::new()),
            ..NewCustomer::default()
        };
        let table = "First Name;Surname;E-mail;Post Code;Address Line 1;Town;Telephone;\r\n\
                     Zoë;Lee;z@example.com;=\"M1 1AE\";1 High St;Leeds;'0113 496 0000;\r\n;;;;;;;\r\n";
        let wide: Vec<u8> = format!("\u{feff}{}", table.replace(';', "\t"))
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for file in [
            table.as_bytes().to_vec(),
            table.replace("\r\n", "\r").into_bytes(),
            format!("sep=;\r\n{table}").into_bytes(),
            wide,
        ] {
            let rows = read(&file, &Mapping::default()).unwrap().rows;
            assert_eq!(rows.len(), 1);
            assert_eq!(NewCustomer::from(rows[0].said.clone().unwrap()), expected);
        }
        assert!(
            refusal("E-mail,email,name,postcode,address\na,b,c,d,e\n").contains("\"email\" appears twice")
        );
        let unnamed = read(b"name,email,postcode,address,\nA,b,c,d,x\n", &Mapping::default()).unwrap().rows;
        assert!(unnamed[0].said.as_ref().unwrap_err().contains("its column has no name"));
        assert!(refusal("name,email,postcode,address\n\"A,b,c,d\n").contains("line 2: a quote is left open"));
    }

    #[test]
    fn backslashes_and_row_names_are_read_as_r_writes_them() {
        let file = b"\"name\",\"email\",\"postcode\",\"address\"\n\
                     \"1\",\"Ada \\\"A\\\" Lee\",\"a@b.c\",\"M1 1AE\",\"1 High St\"\n";
        let read = read(file, &Mapping::default()).unwrap();
        assert_eq!(read.headings, ["name", "email", "postcode", "address"]);
        assert!(!read.rows[0].original.contains("\"1\""), "{}", read.rows[0].original);
        let new = NewCustomer::from(read.rows[0].said.clone().unwrap());
        assert_eq!((new.name.as_str(), new.email.as_str()), ("Ada \"A\" Lee", "a@b.c"));
        let open = refusal("name,email,postcode,address\n\"A\nB\",b,c,d\n\"C,b,c,d\nD,b,c,d\n");
        assert!(open.contains("line 4: a quote is left open to the end of the file"), "{open}");
    }

    #[test]
    fn index_of_pandas_and_names_of_rows_are_left_out() {
        for file in [
            "\u{feff},name,email,postcode,address\n0,Ada,a@b.uk,M1 1AE,1 High St\n1,Bob,b@b.uk,M1 1AE,2 High St\n",
            "\"\",\"name\",\"email\",\"postcode\",\"address\"\n\"x\",\"Ada\",\"a@b.uk\",\"M1 1AE\",\"1 High St\"\n",
        ] {
            let read = read(file.as_bytes(), &Mapping::default()).unwrap();
            assert_eq!(read.headings[0].trim_start_matches('\u{feff}'), "");
            let new = NewCustomer::from(read.rows[0].said.clone().unwrap());
            assert_eq!((new.name.as_str(), new.email.as_str()), ("Ada", "a@b.uk"));
        }
    }

    #[test]
    fn title_above_the_headings_is_passed_over() {
        let file =
            "Members of 2024;;\n\nName;E-mail;Post Code;Address\nAda;a@b.uk;M1 1AE;1 High St\nTotal;1\n";
        let read = read(file.as_bytes(), &Mapping::default()).unwrap();
        assert_eq!(read.headings, ["Name", "E-mail", "Post Code", "Address"]);
        assert_eq!(read.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(NewCustomer::from(read.rows[0].said.clone().unwrap()).postcode, "M1 1AE");
        // Headings that are not known are found by the email addresses below them.
        let file = "Members of 2024,,,\nWho,Mail,PLZ,Ort\nAda,a@b.uk,M1 1AE,1 High St\n";
        assert!(refusal(file).starts_with("line 2: \"Who\" is not a column"), "{}", refusal(file));
        assert_eq!(preview(file.as_bytes(), &Mapping::default()).unwrap().columns[2].heading, "PLZ");
    }

    #[test]
    fn first_line_that_is_a_row_is_read_if_that_is_said() {
        let file = "Ada,a@b.uk,M1 1AE,1 High St,7\nBob,b@b.uk,M1 1AE,2 High St\n";
        let error = refusal(file);
        assert!(
            error.contains("The line has \"a@b.uk\", so it seems to be a row: give header=none"),
            "{error}"
        );
        let mut mapping = Mapping::default();
        let before = mapping.text();
        mapping.without_header();
        assert_ne!(mapping.text(), before);
        for (column, meaning) in [("1", "name"), ("2", "email"), ("3", "postcode"), ("4", "address")] {
            mapping.set(column, meaning).unwrap();
        }
        let error = read(file.as_bytes(), &mapping).unwrap_err().to_string();
        assert!(
            error.starts_with("line 1: say what column 5 is (map=5=COLUMN), or give others=ignore"),
            "{error}"
        );
        mapping.ignore_others();
        let read = read(file.as_bytes(), &mapping).unwrap();
        assert_eq!(read.headings, ["1", "2", "3", "4", "5"]);
        assert_eq!(read.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [1, 2]);
        let names = read.rows.iter().map(|row| NewCustomer::from(row.said.clone().unwrap()).name);
        assert_eq!(names.collect::<Vec<_>>(), ["Ada", "Bob"]);
        let shown = preview(file.as_bytes(), &mapping).unwrap();
        assert_eq!((shown.rows.len(), shown.problem), (2, None));
    }

    #[test]
    fn mapping_says_what_unknown_headings_mean() {
        let file = b"Kunde,Mail,PLZ,Anschrift,Fax,Nr\nAda,ada@example.com,M1 1AE,1 High St,7,42\n";
        let mut mapping = Mapping::default();
        for (heading, meaning) in
            [("KUNDE", "name"), ("PLZ", "postcode"), ("Anschrift", "address_line"), ("Nr", "reference:erp")]
        {
            mapping.set(heading, meaning).unwrap();
        }
        let error = read(file, &mapping).unwrap_err().to_string();
        assert!(error.contains("\"Fax\" is not a column"), "{error}");
        let shown = preview(file, &mapping).unwrap();
        let columns: Vec<_> = shown.columns.iter().map(|column| column.column.as_deref()).collect();
        let expected = [
            Some("name"),
            Some("email"),
            Some("postcode"),
            Some("address_line"),
            None,
            Some("reference:erp"),
        ];
        assert_eq!(columns, expected);
        assert_eq!((shown.rows.len(), shown.rows[0][4].as_str(), shown.problem), (1, "7", Some(error)));
        assert!(shown.missing.is_empty());

        mapping.ignore_others();
        let rows = read(file, &mapping).unwrap().rows;
        let new = NewCustomer::from(rows[0].said.clone().unwrap());
        assert_eq!(
            (new.name.as_str(), new.address_lines, new.notes),
            ("Ada", vec!["1 High St".into()], Some(String::new()))
        );
        assert_eq!(new.references, Some(vec![Reference { system: "erp".into(), id: "42".into() }]));
        assert_eq!(preview(file, &mapping).unwrap().problem, None);

        assert!(mapping.set("kunde", "email").unwrap_err().to_string().contains("twice"));
        assert!(mapping.set("Tel", "telex").unwrap_err().to_string().contains("name_part"));
        mapping.set("Ort", "address_line").unwrap();
        assert!(read(file, &mapping).unwrap_err().to_string().contains("no column \"ort\""));
    }

    #[test]
    fn preview_of_a_cut_file_shows_its_whole_rows() {
        let file = "name,mail address,postcode\n\"Ada\",\"a@b.c\",\"M1 1AE\"\n\"Bob\",\"cut o";
        let shown = preview(file.as_bytes(), &Mapping::default()).unwrap();
        assert_eq!(shown.rows.len(), 1);
        assert_eq!(shown.missing, ["email", "address"]);
        assert!(shown.problem.unwrap().contains("\"mail address\" is not a column"));
    }

    #[test]
    fn mappings_that_differ_have_texts_that_differ() {
        let mut mapping = Mapping::default();
        assert_eq!(mapping.text(), "");
        mapping.set("Kunde", "name").unwrap();
        let text = mapping.text();
        assert_eq!(text, "kunde=name\n");
        mapping.ignore_others();
        assert_ne!(mapping.text(), text);
    }
}
