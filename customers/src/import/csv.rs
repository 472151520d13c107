//! Parses a CSV file of customers.

use postcode_tables::records::{self, Record, Records, Wanted};
use postcode_tables::{Fault, plain_text};
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

/// A file, read.
#[derive(Debug)]
pub(crate) struct File {
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

enum Column {
    Name,
    /// A part of the name, such as a first name.
    NamePart,
    Email,
    Postcode,
    Address,
    AddressLine,
    Phone,
    Notes,
    Reference(String),
    /// A column without a heading, as spreadsheets leave them.
    Unnamed,
    /// A column that was added to the rows that failed in an earlier import.
    Added,
}

/// The columns that are added to rows that failed: the line, and why. An import ignores them, so that the mended file can be
/// sent as it is.
pub(crate) const ADDED: [&str; 2] = ["import_line", "import_reason"];

impl Column {
    /// Recognises a heading, also as other tools write it: `Post Code`, `E-mail`, `Address Line 1`.
    fn named(header: &str) -> Option<Self> {
        let header = header.trim();
        if let Some((kind, system)) = header.split_once(':').filter(|(kind, _)| plain(kind) == "reference") {
            return (!kind.is_empty()).then(|| Self::Reference(system.trim().into()));
        }
        Some(match plain(header).as_str() {
            "" => Self::Unnamed,
            _ if ADDED.contains(&header) => Self::Added,
            "name" | "fullname" | "customer" | "customername" | "contactname" => Self::Name,
            "firstname" | "forename" | "givenname" | "lastname" | "surname" | "familyname" => Self::NamePart,
            "email" | "emailaddress" | "mail" => Self::Email,
            "postcode" | "postalcode" | "zip" | "zipcode" => Self::Postcode,
            "address" | "addresslines" | "fulladdress" => Self::Address,
            "street" | "streetaddress" | "town" | "city" | "county" => Self::AddressLine,
            "phone" | "phonenumber" | "telephone" | "telephonenumber" | "tel" | "mobile" | "mobilenumber" => {
                Self::Phone
            }
            "notes" | "note" | "comments" | "comment" => Self::Notes,
            name => {
                let number = name.strip_prefix("addressline").or_else(|| name.strip_prefix("address"))?;
                let number: usize = number.parse().ok()?;
                (1..=MAX_ADDRESS_LINES).contains(&number).then_some(Self::AddressLine)?
            }
        })
    }

    /// Returns a name for a column that may appear once only.
    fn once(&self, header: &str) -> Option<String> {
        Some(match self {
            Self::Name => "name".into(),
            Self::Email => "email".into(),
            Self::Postcode => "postcode".into(),
            Self::Address => "address".into(),
            Self::Phone => "phone".into(),
            Self::Notes => "notes".into(),
            Self::Unnamed | Self::Added => return None,
            Self::NamePart | Self::AddressLine | Self::Reference(_) => plain(header),
        })
    }
}

/// Returns a heading without what tools write differently.
fn plain(header: &str) -> String {
    let ignored = |c: &char| matches!(c, ' ' | '_' | '-' | '.' | '\u{a0}');
    header.trim().chars().filter(|c| !ignored(c)).flat_map(char::to_lowercase).collect()
}

/// Reads the rows of a file.
///
/// # Errors
/// Fails if the file as a whole is not valid. Errors in one row are part of that row.
pub(super) fn read(file: &[u8]) -> Result<File, Error> {
    let refused = |what: String| Err(Error::BadImport(what));
    if file.len() > MAX_IMPORT {
        return refused(format!("the file is larger than {MAX_IMPORT} bytes: give it in parts"));
    }
    let wanted = Wanted { delimiter: None, encoding: None, max_row: MAX_ROW, max_cells: MAX_FIELDS };
    let mut records = Records::new(file, &wanted)
        .map_err(|error| Error::BadImport(format!("the file can't be read: {error}")))?;
    let header: Vec<String> = match records.next_record().map_err(malformed)? {
        Some(header) => (0..header.cells()).map(|n| header.text(n).into_owned()).collect(),
        None => Vec::new(),
    };
    let columns = columns(&header)?;
    let mut rows = Vec::new();
    while let Some(record) = records.next_record().map_err(malformed)? {
        // Spreadsheets leave rows of nothing but delimiters.
        if record.is_blank_from(0) {
            continue;
        }
        if rows.len() == MAX_IMPORT_ROWS {
            return refused(format!("the file has more than {MAX_IMPORT_ROWS} rows: give it in parts"));
        }
        rows.push(row(&record, &columns)?);
    }
    if rows.is_empty() {
        return refused(
            "the file has no rows: give a line of column names and a line for each customer".into(),
        );
    }
    Ok(File { headings: header, rows })
}

fn row(record: &Record<'_>, columns: &[Column]) -> Result<Row, Error> {
    let cells: Vec<_> = (0..record.cells()).map(|n| record.text(n)).collect();
    let original = serde_json::to_string(&cells)
        .map_err(|error| Error::BadImport(format!("line {}: {error}", record.line)))?;
    let email = columns.iter().position(|column| matches!(column, Column::Email)).and_then(|n| cells.get(n));
    let email_key = email.map(|email| plain_text(email).to_lowercase()).filter(|email| !email.is_empty());
    Ok(Row { line: record.line.cast_signed(), said: said(record, columns), original, email_key })
}

fn malformed(error: records::Error) -> Error {
    Error::BadImport(match error {
        records::Error::TooLong(line, most) => {
            format!("line {line}: the row has more than {most} bytes: is a quote left open?")
        }
        records::Error::Row(line, Fault::TooManyCells(most)) => {
            format!("line {line}: the row has more than {most} fields")
        }
        records::Error::Row(line, Fault::OpenQuote) => {
            format!("line {line}: a quote is left open to the end of the file")
        }
        records::Error::Read(error) => format!("the file can't be read: {error}"),
    })
}

fn columns(headers: &[String]) -> Result<Vec<Column>, Error> {
    const ALL: &str = "name, email, postcode, address or address_line_1 to address_line_10, phone, notes, \
                       reference:SYSTEM";
    let refused = |what: String| Err(Error::BadImport(format!("line 1: {what}; columns are {ALL}")));
    if headers.len() > MAX_COLUMNS {
        return refused(format!("the first line has {} columns: give at most {MAX_COLUMNS}", headers.len()));
    }
    let mut seen: Vec<String> = Vec::new();
    let mut columns = Vec::new();
    for header in headers {
        let header = header.trim_start_matches('\u{feff}').trim();
        // Ignoring an unknown column would lose its data silently.
        let Some(column) = Column::named(header) else {
            return refused(format!("{header:?} is not a column"));
        };
        if let Some(name) = column.once(header) {
            if seen.contains(&name) {
                return refused(format!("the column {header:?} appears twice"));
            }
            seen.push(name);
        }
        columns.push(column);
    }
    let has = |wanted: fn(&Column) -> bool| columns.iter().any(wanted);
    for (name, has) in [
        ("name", has(|column| matches!(column, Column::Name | Column::NamePart))),
        ("email", has(|column| matches!(column, Column::Email))),
        ("postcode", has(|column| matches!(column, Column::Postcode))),
        ("address", has(|column| matches!(column, Column::Address | Column::AddressLine))),
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
            Column::Unnamed if text.is_empty() => {}
            Column::Added => {}
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
        read(file.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn columns_come_in_any_order_and_case() {
        let file = "\u{feff}Postcode,EMAIL,name,address_line_1,Address_Line_2,reference:CRM,phone\r\n\
                    sw1a1aa, ada@example.com ,\"Ada, Countess\",1 The Mall,London,7,\r\n\
                    \"m1\n1ae\",b@example.com,B,2 High St,,,01\n";
        let rows = read(file.as_bytes()).unwrap().rows;
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
            let rows = read(file.replace('H', header).as_bytes()).unwrap().rows;
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
        let rows = read(b"name,email,postcode,address\nA,a@b.c,M1 1AE,1 High St | Town|\n").unwrap().rows;
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
        let rows = read(&file).unwrap().rows;
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
            let rows = read(&file).unwrap().rows;
            assert_eq!(rows.len(), 1);
            assert_eq!(NewCustomer::from(rows[0].said.clone().unwrap()), expected);
        }
        assert!(
            refusal("E-mail,email,name,postcode,address\na,b,c,d,e\n").contains("\"email\" appears twice")
        );
        let unnamed = read(b"name,email,postcode,address,\nA,b,c,d,x\n").unwrap().rows;
        assert!(unnamed[0].said.as_ref().unwrap_err().contains("its column has no name"));
        assert!(refusal("name,email,postcode,address\n\"A,b,c,d\n").contains("line 2: a quote is left open"));
    }
}
