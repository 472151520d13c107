//! Sheets of OpenDocument, read row by row in little memory: a cell or a row may say that it is repeated a million times.

use std::collections::HashSet;
use std::io::{self, BufReader, Read, Seek};

use quick_xml::Reader;
use quick_xml::escape::{resolve_xml_entity, unescape};
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::csv::{Csv, MAX_COLUMNS, MAX_ROWS};
use crate::opened::{broken, invalid};

/// Bytes of the texts of a row at most.
const MAX_ROW_TEXTS: usize = 1 << 20;

/// A workbook of OpenDocument.
pub(super) struct Ods<R> {
    zip: ZipArchive<R>,
    sheets: Vec<OdsSheet>,
}

struct OdsSheet {
    name: String,
    visible: bool,
    has_cells: bool,
}

/// A part of the document, in its order.
enum Part<'a> {
    /// The name of a style that hides sheets.
    Hiding(String),
    /// The name and the style of a sheet that begins.
    Sheet(String, Option<String>),
    /// A row that has anything in it.
    Row(&'a Row),
}

/// Cells with anything in them: the first column, how often the cell is repeated, and its text.
#[derive(Default)]
struct Row {
    number: u32,
    repeated: u32,
    cells: Vec<(u32, u32, String)>,
}

/// Whether more of the document is wanted.
#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    Stop,
}

impl<R: Read + Seek> Ods<R> {
    pub(super) fn new(file: R) -> io::Result<Self> {
        let mut zip = ZipArchive::new(file).map_err(|error| broken(&error))?;
        check_password(&mut zip)?;
        let (mut hiding, mut sheets) = (HashSet::new(), Vec::<OdsSheet>::new());
        read(&mut zip, |part| {
            match part {
                Part::Hiding(style) => drop(hiding.insert(style)),
                Part::Sheet(name, style) => {
                    let visible = style.is_none_or(|style| !hiding.contains(&style));
                    sheets.push(OdsSheet { name, visible, has_cells: false });
                }
                Part::Row(_) => {
                    if let Some(sheet) = sheets.last_mut() {
                        sheet.has_cells = true;
                    }
                }
            }
            Ok(Then::GoOn)
        })?;
        Ok(Self { zip, sheets })
    }

    /// Returns the names of the sheets, and whether each is visible.
    pub(super) fn listed(&self) -> Vec<(String, bool)> {
        self.sheets.iter().map(|sheet| (sheet.name.clone(), sheet.visible)).collect()
    }

    /// Returns whether a sheet has anything in it.
    pub(super) fn has_cells(&self, name: &str) -> bool {
        self.sheets.iter().any(|sheet| sheet.name == name && sheet.has_cells)
    }

    /// Writes the cells of a sheet.
    pub(super) fn write(&mut self, wanted: &str, csv: &mut Csv) -> io::Result<()> {
        let mut within = false;
        read(&mut self.zip, |part| {
            match part {
                Part::Sheet(..) if within => return Ok(Then::Stop),
                Part::Sheet(name, _) => within = name == wanted,
                Part::Row(row) if within => {
                    for number in row.number..row.number + row.repeated {
                        for (first, repeated, text) in &row.cells {
                            for column in *first..*first + *repeated {
                                csv.cell((number, column), text)?;
                            }
                        }
                    }
                }
                _ => {}
            }
            Ok(Then::GoOn)
        })
    }
}

/// Checks that the document is not encrypted.
fn check_password<R: Read + Seek>(zip: &mut ZipArchive<R>) -> io::Result<()> {
    let Ok(list) = zip.by_name("META-INF/manifest.xml") else { return Ok(()) };
    let mut text = Vec::new();
    list.take(MAX_ROW_TEXTS as u64).read_to_end(&mut text)?;
    match memchr::memmem::find(&text, b"encryption-data") {
        Some(_) => Err(invalid("the workbook needs a password: save it without one")),
        None => Ok(()),
    }
}

/// Reads the document, and gives its parts to `on` until that wants no more.
fn read<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    mut on: impl FnMut(Part<'_>) -> io::Result<Then>,
) -> io::Result<()> {
    let part = zip.by_name("content.xml").map_err(|error| broken(&error))?;
    let mut xml = Reader::from_reader(BufReader::new(part));
    let config = xml.config_mut();
    (config.check_end_names, config.check_comments) = (false, false);
    config.expand_empty_elements = true;
    let mut content = Content { xml, buffer: Vec::new() };
    let (mut style, mut next_row, mut within) = (None, 0, false);
    loop {
        let then = match content.next()? {
            Token::Style(name) => {
                style = name;
                Then::GoOn
            }
            Token::Hides => match style.clone() {
                Some(name) => on(Part::Hiding(name))?,
                None => Then::GoOn,
            },
            Token::Sheet(Some(name), style) => {
                (next_row, within) = (0, true);
                on(Part::Sheet(name, style))?
            }
            Token::Sheet(None, _) => {
                within = false;
                Then::GoOn
            }
            Token::Row(repeated) => {
                let repeated = repeated.min(MAX_ROWS.saturating_sub(next_row));
                let row = Row { number: next_row, repeated, cells: content.cells()? };
                next_row += repeated;
                match within && repeated > 0 && !row.cells.is_empty() {
                    true => on(Part::Row(&row))?,
                    false => Then::GoOn,
                }
            }
            Token::End => return Ok(()),
        };
        if then == Then::Stop {
            return Ok(());
        }
    }
}

/// Something in the document outside of rows.
enum Token {
    /// The style of that name begins.
    Style(Option<String>),
    /// The style hides sheets.
    Hides,
    /// A sheet begins: its name and style.
    Sheet(Option<String>, Option<String>),
    /// A row begins, which is repeated so often.
    Row(u32),
    End,
}

struct Content<R: Read> {
    xml: Reader<BufReader<R>>,
    buffer: Vec<u8>,
}

impl<R: Read> Content<R> {
    fn event(&mut self) -> io::Result<Event<'_>> {
        self.buffer.clear();
        self.xml.read_event_into(&mut self.buffer).map_err(|error| broken(&error))
    }

    fn next(&mut self) -> io::Result<Token> {
        loop {
            return Ok(match self.event()? {
                Event::Start(tag) => match tag.name().as_ref() {
                    "style:style" => Token::Style(attribute(&tag, "style:name")?),
                    "style:table-properties"
                        if attribute(&tag, "table:display")?.as_deref() == Some("false") =>
                    {
                        Token::Hides
                    }
                    "table:table" => {
                        Token::Sheet(attribute(&tag, "table:name")?, attribute(&tag, "table:style-name")?)
                    }
                    "table:table-row" => Token::Row(repeats(&tag, "table:number-rows-repeated")?),
                    _ => continue,
                },
                Event::Eof => Token::End,
                _ => continue,
            });
        }
    }

    /// Reads the cells of a row to its end.
    fn cells(&mut self) -> io::Result<Vec<(u32, u32, String)>> {
        let (mut cells, mut column, mut bytes) = (Vec::new(), 0_u32, 0_usize);
        loop {
            let (value, repeated) = match self.event()? {
                Event::Start(tag) if is_cell(tag.name().as_ref()) => {
                    (Value::of(&tag)?, repeats(&tag, "table:number-columns-repeated")?)
                }
                Event::End(tag) if tag.name().as_ref() == "table:table-row" => return Ok(cells),
                Event::Eof => return Err(cut_off()),
                _ => continue,
            };
            let content = self.text(MAX_ROW_TEXTS - bytes)?;
            let text = match value {
                Value::Text(text) => text,
                Value::Content => content,
            };
            let repeated = repeated.min(MAX_COLUMNS.saturating_sub(column));
            if !text.is_empty() && repeated > 0 {
                bytes = bytes.saturating_add(text.len().saturating_mul(repeated as usize));
                if bytes > MAX_ROW_TEXTS {
                    return Err(too_long());
                }
                cells.push((column, repeated, text));
            }
            column += repeated;
        }
    }

    /// Reads a cell to its end. Returns the text of its paragraphs, of so many bytes at most.
    fn text(&mut self, most: usize) -> io::Result<String> {
        let (mut text, mut cells, mut paragraphs, mut within, mut comments) = (String::new(), 1, 0, 0, 0);
        loop {
            let taken = within > 0 && comments == 0;
            match self.event()? {
                Event::Start(tag) => match tag.name().as_ref() {
                    name if is_cell(name) => cells += 1,
                    "office:annotation" => comments += 1,
                    "text:p" => {
                        if comments == 0 {
                            if paragraphs > 0 {
                                text.push('\n');
                            }
                            paragraphs += 1;
                        }
                        within += 1;
                    }
                    "text:s" if taken => {
                        let spaces = repeats(&tag, "text:c")? as usize;
                        if spaces > most.saturating_sub(text.len()) {
                            return Err(too_long());
                        }
                        text.extend(std::iter::repeat_n(' ', spaces));
                    }
                    "text:tab" if taken => text.push('\t'),
                    "text:line-break" if taken => text.push('\n'),
                    _ => {}
                },
                Event::End(tag) => match tag.name().as_ref() {
                    name if is_cell(name) && cells == 1 => return Ok(text),
                    name if is_cell(name) => cells -= 1,
                    "office:annotation" => comments -= 1,
                    "text:p" => within -= 1,
                    _ => {}
                },
                Event::Text(part) if taken => text.push_str(&part.xml10_content()),
                Event::CData(part) if taken => text.push_str(&part.xml10_content()),
                Event::GeneralRef(name) if taken => {
                    let character = name.resolve_char_ref().map_err(|error| broken(&error))?;
                    match (resolve_xml_entity(name.as_ref()), character) {
                        (Some(known), _) => text.push_str(known),
                        (None, Some(character)) => text.push(character),
                        (None, None) => {
                            return Err(broken(&format!("an unknown entity, &{};", name.as_ref())));
                        }
                    }
                }
                Event::Eof => return Err(cut_off()),
                _ => {}
            }
            if text.len() > most {
                return Err(too_long());
            }
        }
    }
}

fn is_cell(name: &str) -> bool {
    matches!(name, "table:table-cell" | "table:covered-table-cell")
}

fn cut_off() -> io::Error {
    broken(&"it ends within a row")
}

fn too_long() -> io::Error {
    invalid(&format!("a row of more than {MAX_ROW_TEXTS} bytes: save the sheet as CSV"))
}

/// The value of a cell.
enum Value {
    /// As its attributes say.
    Text(String),
    /// The text in it.
    Content,
}

impl Value {
    fn of(tag: &BytesStart<'_>) -> io::Result<Self> {
        let value = attribute(tag, "office:value")?;
        if let Some(number) = value {
            let number: f64 = number.trim().parse().map_err(|_| broken(&"a number that is not one"))?;
            return Ok(Self::Text(number.to_string()));
        }
        for name in ["office:date-value", "office:time-value"] {
            if let Some(text) = attribute(tag, name)? {
                return Ok(Self::Text(text));
            }
        }
        if let Some(truth) = attribute(tag, "office:boolean-value")? {
            return Ok(Self::Text(truth.to_ascii_uppercase()));
        }
        let is_error = attribute(tag, "calcext:value-type")?.as_deref() == Some("error");
        match attribute(tag, "office:string-value")? {
            Some(text) if !(is_error && text.is_empty()) => Ok(Self::Text(text)),
            None if attribute(tag, "office:value-type")?.as_deref() != Some("string") && !is_error => {
                Ok(Self::Text(String::new()))
            }
            _ => Ok(Self::Content),
        }
    }
}

/// Returns the value of an attribute.
fn attribute(tag: &BytesStart<'_>, name: &str) -> io::Result<Option<String>> {
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| broken(&error))?;
        if attribute.key.as_ref() == name {
            return match unescape(&attribute.value) {
                Ok(value) => Ok(Some(value.into_owned())),
                Err(error) => Err(broken(&error)),
            };
        }
    }
    Ok(None)
}

/// Returns how often something is repeated, by this attribute: once without it.
fn repeats(tag: &BytesStart<'_>, name: &str) -> io::Result<u32> {
    match attribute(tag, name)? {
        None => Ok(1),
        Some(number) => number.trim().parse().map_err(|_| broken(&"a number that is not one")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use postcode_testing::zipped;

    use crate::packed::{Options, open};

    fn document(tables: &str) -> Vec<u8> {
        let content = format!(
            "<?xml version=\"1.0\"?><office:document-content><office:automatic-styles><style:style style:name=\"ta1\">\
             <style:table-properties table:display=\"true\"/></style:style><style:style style:name=\"ta2\">\
             <style:table-properties table:display=\"false\"/></style:style></office:automatic-styles><office:body>\
             <office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
        );
        zipped(&[("content.xml", content.as_bytes())])
    }

    fn csv(zip: Vec<u8>, sheet: Option<&str>) -> Result<(String, String), String> {
        let options = Options { sheet: sheet.map(str::to_owned), ..Options::default() };
        let mut opened = open(Cursor::new(zip), &options).map_err(|error| error.to_string())?;
        let mut csv = String::new();
        std::io::Read::read_to_string(&mut opened.reader, &mut csv).unwrap();
        Ok((csv, opened.said.remove(0)))
    }

    const CUSTOMERS: &str = "<table:table table:name=\"Customers\" table:style-name=\"ta1\">\
        <table:table-column/><table:table-header-rows><table:table-row>\
        <table:table-cell office:value-type=\"string\"><text:p>name</text:p></table:table-cell>\
        <table:table-cell table:number-columns-repeated=\"2\"/>\
        <table:table-cell office:value-type=\"string\"><text:p>postcode</text:p></table:table-cell>\
        <table:table-cell table:number-columns-repeated=\"16380\"/></table:table-row></table:table-header-rows>\
        <table:table-row table:number-rows-repeated=\"2\"><table:table-cell table:number-columns-repeated=\"9\"/></table:table-row>\
        <table:table-row table:number-rows-repeated=\"2\">\
        <table:table-cell office:value-type=\"string\"><office:annotation><text:p>why</text:p></office:annotation>\
        <text:p>A &amp;<text:s text:c=\"2\"/>&#66;</text:p><text:p><text:span>C</text:span></text:p></table:table-cell>\
        <table:table-cell office:value-type=\"float\" office:value=\"7\"><text:p>7.00</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"date\" office:date-value=\"2026-01-31\"><text:p>31/01/26</text:p></table:table-cell>\
        <table:covered-table-cell office:value-type=\"string\" table:number-columns-repeated=\"2\"><text:p>M1 1AE</text:p>\
        </table:covered-table-cell><table:table-cell office:value-type=\"boolean\" office:boolean-value=\"true\"/></table:table-row>\
        <table:table-row table:number-rows-repeated=\"1048571\"><table:table-cell/></table:table-row></table:table>";

    #[test]
    fn cells_are_read_by_their_values_and_repeated() {
        let (table, said) = csv(document(CUSTOMERS), None).unwrap();
        let row = "\"A &  B\nC\",7,2026-01-31,M1 1AE,M1 1AE,TRUE\r\n";
        assert_eq!(table, format!("name,,,postcode\r\n\r\n\r\n{row}{row}"));
        assert_eq!(said, "the sheet \"Customers\" of a workbook, as CSV");
    }

    #[test]
    fn hidden_sheet_is_read_only_if_it_is_named() {
        let other = "<table:table table:name=\"Lists\" table:style-name=\"ta2\"><table:table-row>\
             <table:table-cell office:value-type=\"float\" office:value=\"1.5\"/></table:table-row></table:table>";
        let both = || document(&(other.to_owned() + CUSTOMERS));
        let (table, said) = csv(both(), None).unwrap();
        assert!(table.starts_with("name,") && said.contains("\"Lists\" (hidden)"), "{said}");
        assert_eq!(csv(both(), Some("Lists")).unwrap().0, "1.5\r\n");
    }

    #[test]
    fn small_document_that_says_it_is_large_is_refused() {
        let cell = |attributes: &str, text: &str| {
            document(&format!(
                "<table:table table:name=\"A\"><table:table-row {attributes}><table:table-cell \
                 office:value-type=\"string\" table:number-columns-repeated=\"99999\"><text:p>{text}</text:p>\
                 </table:table-cell></table:table-row></table:table>"
            ))
        };
        for (text, why) in [
            ("<text:s text:c=\"4000000000\"/>", "a row of more than"),
            (&*"x".repeat(100), "a row of more than"),
            ("&unknown;", "an unknown entity"),
        ] {
            let error = csv(cell("", text), None).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        // 16,384 cells in a row, and not more.
        let (table, _) = csv(cell("table:number-rows-repeated=\"3\"", "x"), None).unwrap();
        assert_eq!(table.len(), 3 * (2 * 16_384 + 1));
        let locked = zipped(&[
            ("content.xml", b"\x01\x02"),
            ("META-INF/manifest.xml", b"<manifest:encryption-data/>"),
        ]);
        assert!(csv(locked, None).unwrap_err().contains("password"));
    }
}
