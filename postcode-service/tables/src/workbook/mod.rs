//! Sheets of workbooks, as CSV.

mod claims;
mod csv;
mod ods;

use std::io::{self, Read, Seek};

use calamine::{Data, DataRef, Reader, Sheet, SheetType, SheetVisible, Xls, Xlsb, Xlsx};

use self::csv::Csv;
use self::ods::Ods;
use crate::opened::{Kind, Opened, broken, invalid};
use crate::options::{Options, Origin};

/// Sheets that are looked at and named in messages.
const MAX_SHEETS: usize = 20;

/// Opens a sheet of a workbook: the named one, or the first visible one that has anything in it.
pub(crate) fn open<R: Read + Seek>(mut file: R, kind: Kind, options: &Options) -> io::Result<Opened> {
    match kind {
        Kind::Xlsx => {
            claims::check(&mut file)?;
            choose(Xlsx::new(file).map_err(|error| broken(&error))?, options)
        }
        Kind::Ods => choose(Ods::new(file)?, options),
        // Reading these takes as much memory as the file says, whatever its size.
        _ if options.origin != Origin::Operator => Err(invalid(
            "a binary workbook of Excel (.xls, .xlsb): open it in Excel, and save it as .xlsx or CSV",
        )),
        Kind::Xlsb => choose(Xlsb::new(file).map_err(|error| broken(&error))?, options),
        Kind::Xls => choose(Xls::new(file).map_err(|error| broken(&error))?, options),
    }
}

/// A workbook whose sheets can be read.
trait Book {
    /// The names of its sheets, and whether each is visible.
    fn sheets(&self) -> Vec<(String, bool)>;
    /// Writes the cells of a sheet.
    fn write(&mut self, sheet: &str, csv: &mut Csv) -> io::Result<()>;
    /// Whether a sheet has anything in it.
    fn is_empty(&mut self, sheet: &str) -> io::Result<bool>;
}

fn sheets_of<R: Read + Seek>(book: &impl Reader<R>) -> Vec<(String, bool)> {
    let is_visible = |sheet: &Sheet| sheet.visible == SheetVisible::Visible;
    // A sheet may also be nothing but a chart.
    let tables = book.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    tables.map(|sheet| (sheet.name.clone(), is_visible(sheet))).collect()
}

impl<R: Read + Seek> Book for Ods<R> {
    fn sheets(&self) -> Vec<(String, bool)> {
        self.listed()
    }

    fn write(&mut self, sheet: &str, csv: &mut Csv) -> io::Result<()> {
        Self::write(self, sheet, csv)
    }

    fn is_empty(&mut self, sheet: &str) -> io::Result<bool> {
        Ok(!self.has_cells(sheet))
    }
}

impl<R: Read + Seek> Book for Xlsx<R> {
    fn sheets(&self) -> Vec<(String, bool)> {
        sheets_of(self)
    }

    fn write(&mut self, sheet: &str, csv: &mut Csv) -> io::Result<()> {
        let mut reader = self.worksheet_cells_reader(sheet).map_err(|error| broken(&error))?;
        while let Some(cell) = reader.next_cell_with_formula_metadata().map_err(|error| broken(&error))? {
            // Programs that write formulas leave it to Excel to compute them.
            if cell.formula.is_some() && matches!(cell.value, DataRef::Empty) {
                csv.formulas += 1;
            }
            csv.cell(cell.pos, &text_of(&cell.value))?;
        }
        Ok(())
    }

    fn is_empty(&mut self, sheet: &str) -> io::Result<bool> {
        let mut reader = self.worksheet_cells_reader(sheet).map_err(|error| broken(&error))?;
        while let Some(cell) = reader.next_cell().map_err(|error| broken(&error))? {
            if !text_of(cell.get_value()).is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The formats whose sheets are read into memory as a whole.
macro_rules! whole {
    ($($format:ident),*) => {$(
        impl<R: Read + Seek> Book for $format<R> {
            fn sheets(&self) -> Vec<(String, bool)> {
                sheets_of(self)
            }

            fn write(&mut self, sheet: &str, csv: &mut Csv) -> io::Result<()> {
                let range = self.worksheet_range(sheet).map_err(|error| broken(&error))?;
                let (row, column) = range.start().unwrap_or_default();
                for (r, c, value) in range.used_cells() {
                    csv.cell((row + r as u32, column + c as u32), &text(value))?;
                }
                Ok(())
            }

            fn is_empty(&mut self, sheet: &str) -> io::Result<bool> {
                let range = self.worksheet_range(sheet).map_err(|error| broken(&error))?;
                Ok(range.used_cells().all(|(.., value)| text(value).is_empty()))
            }
        }
    )*};
}

whole!(Xlsb, Xls);

fn choose(mut book: impl Book, options: &Options) -> io::Result<Opened> {
    let wanted = options.sheet.as_deref();
    let sheets = book.sheets();
    let shown =
        |(name, visible): &(String, bool)| format!("{name:?}{}", if *visible { "" } else { " (hidden)" });
    let listed = || sheets.iter().take(MAX_SHEETS).map(shown).collect::<Vec<_>>().join(", ");
    let is_wanted = |(name, visible): &&(String, bool)| wanted.map_or(*visible, |wanted| wanted == name);
    for (name, _) in sheets.iter().filter(is_wanted).take(MAX_SHEETS) {
        let mut csv = Csv::new(options);
        book.write(name, &mut csv)?;
        let Some(read) = csv.finish()? else { continue };
        let mut said = format!("the sheet {name:?} of a workbook, as CSV");
        if wanted.is_none() {
            let mut others = Vec::new();
            // A sheet that can't be read is one that is not wanted.
            for other in sheets.iter().filter(|(other, _)| other != name).take(MAX_SHEETS) {
                if !book.is_empty(&other.0).unwrap_or(true) {
                    others.push(shown(other));
                }
            }
            if !others.is_empty() {
                said.push_str(&format!(
                    "; not read, though there is something in it: {}. Name a sheet to read that one (--sheet, over HTTP sheet)",
                    others.join(", ")
                ));
            }
        }
        if read.margin > 0 {
            said.push_str(&format!("; line 1 is its row {}", read.margin + 1));
        }
        let mut said = vec![said];
        if read.formulas > 0 {
            said.push(format!(
                "{} cells hold a formula without a value, and are empty: open the workbook in Excel and save it",
                read.formulas
            ));
        }
        return Ok(Opened { reader: Box::new(read.csv), said, name: None });
    }
    Err(match wanted {
        Some(wanted) if !sheets.iter().any(|(name, _)| name == wanted) => {
            invalid(&format!("the workbook has no sheet {wanted:?}: its sheets are {}", listed()))
        }
        None if sheets.iter().filter(|(_, visible)| *visible).count() > MAX_SHEETS => invalid(&format!(
            "none of the first {MAX_SHEETS} visible sheets has anything in it. Name the one that is meant (--sheet, over \
             HTTP sheet): {}",
            listed()
        )),
        None if sheets.iter().any(|(_, visible)| !visible) => invalid(&format!(
            "no visible sheet of the workbook has anything in it. Show the one that is meant, or name it (--sheet, over HTTP \
             sheet): {}",
            listed()
        )),
        _ => invalid("the workbook is empty"),
    })
}

fn text_of(value: &DataRef<'_>) -> String {
    match value {
        DataRef::SharedString(text) => (*text).to_owned(),
        other => text(&other.clone().into()),
    }
}

/// Returns the text that a cell shows, as a text file would hold it: whole numbers without `.0`, dates as 2026-01-31.
fn text(value: &Data) -> String {
    match value {
        Data::Empty | Data::Error(_) => String::new(),
        Data::Float(number) => number.to_string(),
        Data::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            match (hour, minute, second) {
                // A time of no day.
                _ if (0.0..1.0).contains(&time.as_f64()) => format!("{hour:02}:{minute:02}:{second:02}"),
                (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"),
            }
        }
        Data::DateTime(time) => duration(time.as_f64()),
        Data::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        other => other.to_string(),
    }
}

/// Returns a time of so many days in hours, minutes and seconds: `30:00:00`.
fn duration(days: f64) -> String {
    let seconds = (days.abs() * 86_400.0).round();
    if !seconds.is_finite() || seconds > 1e12 {
        return days.to_string();
    }
    let seconds = seconds as u64;
    let sign = if days < 0.0 && seconds > 0 { "-" } else { "" };
    format!("{sign}{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;
    use crate::packed::{Options, open};

    #[test]
    fn binary_workbook_of_a_client_is_refused() {
        use crate::packed::Origin;
        let options = Options { origin: Origin::Client(None), ..Options::default() };
        for binary in [
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(),
            postcode_testing::zipped(&[("xl/workbook.bin", b"")]),
        ] {
            let error = open(Cursor::new(binary), &options).unwrap_err().to_string();
            assert!(error.contains("save it as .xlsx"), "{error}");
        }
        let mut opened = open(Cursor::new(book()), &options).unwrap();
        assert_eq!(opened.reader.read_to_end(&mut Vec::new()).unwrap(), 39);
    }

    #[test]
    fn empty_sheets_are_looked_at_in_a_small_number() {
        let sheets: String =
            (0..100).map(|n| format!("<sheet name=\"S{n}\" sheetId=\"{}\" r:id=\"rId1\"/>", n + 1)).collect();
        let error = open(Cursor::new(book_of(&sheets, "")), &Options::default()).unwrap_err().to_string();
        assert!(error.contains("first 20 visible sheets") && !error.contains("S20"), "{error}");
    }

    /// A workbook with one sheet, written by hand: texts, a number, an empty column, an empty row, and a formula that nobody
    /// has computed next to one with an empty value.
    fn book() -> Vec<u8> {
        book_of(
            "<sheet name=\"Leer\" sheetId=\"1\" r:id=\"rId1\"/><sheet name=\"Kunden\" sheetId=\"2\" r:id=\"rId2\"/>",
            "",
        )
    }

    /// A workbook with these entries for its two sheets, and these rows in the first.
    fn book_of(sheets: &str, first: &str) -> Vec<u8> {
        let workbook = format!(
            "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
             xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>{sheets}</sheets></workbook>"
        );
        let first = format!(
            "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{first}</sheetData></worksheet>"
        );
        let parts = [
            (
                "[Content_Types].xml",
                "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default \
                 Extension=\"xml\" ContentType=\"application/xml\"/></Types>",
            ),
            (
                "_rels/.rels",
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship \
                 Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
                 Target=\"xl/workbook.xml\"/></Relationships>",
            ),
            ("xl/workbook.xml", &*workbook),
            (
                "xl/_rels/workbook.xml.rels",
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship \
                 Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
                 Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" \
                 Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
                 Target=\"worksheets/sheet2.xml\"/></Relationships>",
            ),
            ("xl/worksheets/sheet1.xml", &*first),
            (
                "xl/worksheets/sheet2.xml",
                "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>\
                 <row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>name</t></is></c><c r=\"C2\" t=\"inlineStr\"><is><t>\
                 postcode</t></is></c></row><row r=\"4\"><c r=\"A4\" t=\"inlineStr\"><is><t>A, \"B\"</t></is></c>\
                 <c r=\"B4\"><v>7</v></c><c r=\"C4\" t=\"inlineStr\"><is><t>M1 1AE</t></is></c></row>\
                 <row r=\"5\"><c r=\"B5\"><f>B4*2</f><v></v></c><c r=\"C5\" t=\"str\"><f>\"\"</f><v></v></c></row></sheetData></worksheet>",
            ),
        ];
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in parts {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn dates_and_times_are_written_as_they_are_shown() {
        use calamine::{ExcelDateTime, ExcelDateTimeType};
        for (kind, value, expected) in [
            (ExcelDateTimeType::DateTime, 43_861.0, "2020-01-31"),
            (ExcelDateTimeType::DateTime, 44_230.25, "2021-02-03T06:00:00"),
            (ExcelDateTimeType::DateTime, 0.4375, "10:30:00"),
            (ExcelDateTimeType::DateTime, 0.0, "00:00:00"),
            (ExcelDateTimeType::TimeDelta, 1.25, "30:00:00"),
            (ExcelDateTimeType::TimeDelta, -0.5, "-12:00:00"),
        ] {
            let time = ExcelDateTime::new(value, kind, false);
            assert_eq!(text(&Data::DateTime(time)), expected);
        }
    }

    #[test]
    fn the_first_sheet_with_anything_in_it_is_read_as_csv() {
        let mut opened = open(Cursor::new(book()), &Options::default()).unwrap();
        let mut csv = String::new();
        opened.reader.read_to_string(&mut csv).unwrap();
        assert_eq!(csv, "name,,postcode\r\n\r\n\"A, \"\"B\"\"\",7,M1 1AE\r\n");
        assert!(
            opened.said[0].contains("\"Kunden\"") && opened.said[0].ends_with("line 1 is its row 2"),
            "{:?}",
            opened.said
        );
        assert!(opened.said[1].starts_with("1 cells hold a formula without a value"), "{:?}", opened.said);
        let named = |sheet: &str| Options { sheet: Some(sheet.to_owned()), ..Options::default() };
        let error = |sheet| open(Cursor::new(book()), &named(sheet)).unwrap_err().to_string();
        assert!(error("Andere").contains("its sheets are \"Leer\", \"Kunden\""));
        assert!(error("Leer").contains("is empty"));
    }

    #[test]
    fn hidden_sheet_is_read_only_if_it_is_named() {
        let rows = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>list</t></is></c></row>";
        let csv = |book: Vec<u8>, sheet: Option<&str>| {
            let options = Options { sheet: sheet.map(str::to_owned), ..Options::default() };
            let mut opened = open(Cursor::new(book), &options).map_err(|error| error.to_string())?;
            let mut csv = String::new();
            opened.reader.read_to_string(&mut csv).unwrap();
            Ok::<_, String>((csv, opened.said.remove(0)))
        };
        let sheet = |name: &str, n: u8, state: &str| {
            format!("<sheet name=\"{name}\" sheetId=\"{n}\" {state} r:id=\"rId{n}\"/>")
        };
        for state in ["hidden", "veryHidden"] {
            let state = format!("state=\"{state}\"");
            let book = || book_of(&(sheet("Lists", 1, &state) + &sheet("Kunden", 2, "")), rows);
            let (table, said) = csv(book(), None).unwrap();
            assert!(table.starts_with("name,,postcode"), "{table}");
            assert_eq!(
                said,
                "the sheet \"Kunden\" of a workbook, as CSV; not read, though there is something in it: \"Lists\" \
                 (hidden). Name a sheet to read that one (--sheet, over HTTP sheet); line 1 is its row 2"
            );
            assert_eq!(csv(book(), Some("Lists")).unwrap().0, "list\r\n");
            let hidden = book_of(&(sheet("Lists", 1, &state) + &sheet("Kunden", 2, &state)), rows);
            let error = csv(hidden, None).unwrap_err();
            assert!(
                error.starts_with("no visible sheet") && error.ends_with("\"Kunden\" (hidden)"),
                "{error}"
            );
        }
        let (table, said) = csv(book_of(&(sheet("A", 1, "") + &sheet("B", 2, "")), rows), None).unwrap();
        assert_eq!(table, "list\r\n");
        assert!(said.contains("not read, though there is something in it: \"B\"."), "{said}");
    }
}
