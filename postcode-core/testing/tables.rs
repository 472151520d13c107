//! One table, written in the ways in which people's programs write tables.

use crate::{gzip, zipped};

/// A way to write a table, by its name.
pub struct Way {
    /// Says what is special about it.
    pub name: &'static str,
    write: fn(&[Vec<&str>]) -> Vec<u8>,
}

impl Way {
    /// Writes rows, of which the first is the header.
    pub fn write(&self, rows: &[Vec<&str>]) -> Vec<u8> {
        (self.write)(rows)
    }
}

/// The ways in which tables come, from public reports of tables that were read wrongly or refused.
pub const WAYS: &[Way] = &[
    Way { name: "CR line ends", write: |rows| text(rows, ",", &["\r"]).into() },
    Way { name: "CRLF line ends", write: |rows| text(rows, ",", &["\r\n"]).into() },
    Way { name: "mixed line ends", write: |rows| text(rows, ",", &["\r\n", "\r", "\n"]).into() },
    Way { name: "no line end at the end", write: |rows| text(rows, ",", &["\n"]).trim_end().into() },
    Way { name: "semicolons", write: |rows| text(rows, ";", &["\r\n"]).into() },
    Way { name: "tabs", write: |rows| text(rows, "\t", &["\n"]).into() },
    Way { name: "bars", write: |rows| text(rows, "|", &["\n"]).into() },
    Way { name: "a line sep=", write: |rows| format!("sep=;\r\n{}", text(rows, ";", &["\r\n"])).into() },
    Way { name: "UTF-8 with a mark", write: |rows| format!("\u{feff}{}", text(rows, ",", &["\n"])).into() },
    Way { name: "UTF-16LE with tabs", write: |rows| wide(rows, u16::to_le_bytes) },
    Way { name: "UTF-16BE with tabs", write: |rows| wide(rows, u16::to_be_bytes) },
    Way { name: "Windows-1252", write: |rows| narrow(&text(rows, ",", &["\r\n"])) },
    Way { name: "gzip", write: |rows| gzip(text(rows, ",", &["\n"]).as_bytes()) },
    Way { name: "gzip of UTF-16", write: |rows| gzip(&wide(rows, u16::to_le_bytes)) },
    Way { name: "zstd", write: |rows| zstd::encode_all(text(rows, ";", &["\n"]).as_bytes(), 0).unwrap() },
    Way { name: "a zip file", write: |rows| zipped(&[("t.csv", text(rows, ",", &["\n"]).as_bytes())]) },
    Way { name: "a workbook of Excel", write: workbook },
    Way { name: "quotes with backslashes", write: |rows| escaped(rows, |_| String::new()).into() },
    Way {
        name: "names of rows, as R writes them",
        write: |rows| escaped(rows, |n| if n == 0 { String::new() } else { format!("\"{n}\",") }).into(),
    },
    Way { name: "an index, as pandas writes it", write: |rows| indexed(rows).into() },
    Way { name: "empty cells to the right", write: |rows| text(rows, ",", &[",,,\n"]).into() },
    Way {
        name: "empty rows",
        write: |rows| format!("{}\n\n,,\n\" \",,\n\n", text(rows, ",", &["\n\n"])).into(),
    },
];

/// Writes CSV, with each line end in its turn.
fn text(rows: &[Vec<&str>], delimiter: &str, ends: &[&str]) -> String {
    let quoted = |cell: &&str| {
        let special = |c| matches!(c, ',' | ';' | '\t' | '|' | '"' | '\r' | '\n');
        if cell.contains(special) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { (*cell).to_owned() }
    };
    let line =
        |(row, end): (&Vec<&str>, &&str)| row.iter().map(quoted).collect::<Vec<_>>().join(delimiter) + end;
    rows.iter().zip(ends.iter().cycle()).map(line).collect()
}

/// Writes CSV with all cells in quotes, and a backslash before quotes in them. `before` gives what is in front of a row.
fn escaped(rows: &[Vec<&str>], before: fn(usize) -> String) -> String {
    let quoted = |cell: &&str| format!("\"{}\"", cell.replace('\\', "\\\\").replace('"', "\\\""));
    let line = |(n, row): (usize, &Vec<&str>)| {
        before(n) + &row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
    };
    rows.iter().enumerate().map(line).collect()
}

/// Writes CSV with a number in front of each row, from 0, for which the header has an empty cell.
fn indexed(rows: &[Vec<&str>]) -> String {
    let line = |(n, row): (usize, &Vec<&str>)| {
        let number = n.checked_sub(1).map_or(String::new(), |n| n.to_string());
        text(&[[&[&*number], &row[..]].concat()], ",", &["\n"])
    };
    rows.iter().enumerate().map(line).collect()
}

/// Excel's "Unicode text".
fn wide(rows: &[Vec<&str>], bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let text = format!("\u{feff}{}", text(rows, "\t", &["\r\n"]));
    text.encode_utf16().flat_map(bytes).collect()
}

/// Latin-1, which Windows-1252 is in these characters.
fn narrow(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

/// Writes a workbook of one sheet, `Kunden`, with texts.
pub fn workbook(rows: &[Vec<&str>]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let relation = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"{PACKAGE}\"><Relationship Id=\"r1\" Type=\"{OFFICE}/{kind}\" \
             Target=\"{target}\"/></Relationships>"
        )
    };
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let cell = |row: usize, column: usize, text: &str| {
        let name = char::from(b'A' + u8::try_from(column).unwrap());
        format!("<c r=\"{name}{row}\" t=\"inlineStr\"><is><t>{}</t></is></c>", escaped(text))
    };
    let mut sheet = format!("<worksheet xmlns=\"{MAIN}\"><sheetData>");
    for (row, cells) in (1..).zip(rows) {
        sheet.push_str(&format!("<row r=\"{row}\">"));
        cells.iter().enumerate().for_each(|(column, text)| sheet.push_str(&cell(row, column, text)));
        sheet.push_str("</row>");
    }
    sheet.push_str("</sheetData></worksheet>");
    let book = format!(
        "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"Kunden\" sheetId=\"1\" \
         r:id=\"r1\"/></sheets></workbook>"
    );
    zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml").as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relation("worksheet", "worksheets/sheet1.xml").as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}
