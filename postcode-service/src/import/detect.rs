//! Detects the kind of each text by its contents.

use anyhow::{Result, bail};
use postcode_core::Postcode;
use postcode_tables::records::{Record, Records, Wanted};
use postcode_tables::{Dialect, Encoding, Quoting, foreign};

use super::columns::{CODE_POINT_OPEN, Columns, Field, OPEN_POSTCODE_GEO};
use super::format::Format;
use super::geonames_form;
use super::lines::{MARK, MAX_CELLS, MAX_LINE};
use super::names::List;
use super::open_names;
use super::row::digits;
use super::scotland::Directory;
use super::source::Text;

/// A text and its use.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) text: Text,
    pub(super) content: Content,
    /// How its rows are written.
    pub(super) dialect: Dialect,
    /// The encoding, as far as its beginning tells.
    pub(super) encoding: Encoding,
    /// Whether it begins with a byte order mark, which is ignored.
    pub(super) marked: bool,
}

impl Found {
    /// Says what is unusual about how the text is written.
    pub(super) fn describe(&self, print: &mut dyn FnMut(&str)) {
        if let Some(said) = &self.text.said {
            print(said);
        }
        if self.marked {
            print(&format!("{}: begins with a byte order mark, which is ignored", self.text.display));
        }
        if self.encoding != Encoding::Utf8 {
            print(&format!("{}: read as {}", self.text.display, self.encoding));
        }
        if self.dialect.quoting == Quoting::Backslash && self.is_read() {
            print(&format!("{}: quotes within cells have a backslash before them", self.text.display));
        }
        if let Content::Postcodes(table) = &self.content {
            if table.row_names {
                print(&format!(
                    "{}: each row begins with a name of the row, as R writes it, which is ignored",
                    self.text.display
                ));
            }
            for name in table.columns.namesakes() {
                print(&format!(
                    "{}: several columns are called {name}: the first is read",
                    self.text.display
                ));
            }
        }
    }

    /// Returns whether the text is used.
    pub(super) fn is_read(&self) -> bool {
        !matches!(self.content, Content::Metadata | Content::Other(_))
    }
}

#[derive(Debug)]
pub(super) enum Content {
    /// A table of postcodes.
    Postcodes(Table),
    /// A list of codes and names.
    Names(List),
    /// A table of OS Open Names.
    Places {
        /// Whether the first line is the header.
        header: bool,
    },
    /// A table of the Scottish Postcode Directory.
    Scotland(Directory),
    /// Postal codes of GeoNames.
    GeoNames,
    /// OS's `metadata.txt`.
    Metadata,
    /// Something else, and why it is left out.
    Other(&'static str),
}

/// The layout of a table of postcodes.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) format: Format,
    pub(super) columns: Columns,
    /// Whether the first line is the header.
    pub(super) header: bool,
    /// Whether rows begin with a name of the row, for which the header has no cell. It is the first column then.
    pub(super) row_names: bool,
}

impl Table {
    /// Creates the layout of a table whose first line is a row.
    fn without_header(format: Format, columns: &[&str]) -> Self {
        Self { format, columns: Columns::of(columns), header: false, row_names: false }
    }
}

/// Looks at the beginning of a text. Its delimiter is found unless it is named.
pub(super) fn detect(text: Text, wanted: Format, delimiter: Option<u8>) -> Result<Found> {
    let (start, encoding) = text.start(MAX_LINE)?;
    let unmarked = start.strip_prefix(MARK).unwrap_or(&start);
    let dialect = Dialect::with(delimiter, None, unmarked, start.len() < MAX_LINE);
    let content = if text.name().eq_ignore_ascii_case("metadata.txt") && !text.explicit {
        Content::Metadata
    } else {
        // A row that the sample cuts off says nothing.
        let is_whole = start.len() < MAX_LINE;
        let end = memchr::memrchr2(b'\n', b'\r', unmarked).filter(|_| !is_whole).map(|last| last + 1);
        content(unmarked.get(..end.unwrap_or(unmarked.len())).unwrap_or_default(), &text, wanted, &dialect)?
    };
    Ok(Found { text, content, dialect, encoding, marked: start.starts_with(MARK) })
}

fn content(start: &[u8], text: &Text, wanted: Format, dialect: &Dialect) -> Result<Content> {
    if let Some(kind) = foreign(start) {
        return Ok(Content::Other(kind));
    }
    let unsaid = start.get(dialect.preamble..).unwrap_or_default();
    let mut lines =
        unsaid.split(|c| matches!(c, b'\n' | b'\r')).map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else {
        return Ok(Content::Other("empty"));
    };
    if first.contains(&0) {
        return Ok(Content::Other("not text"));
    }
    match geonames_form::is_line(first) {
        Some(true) => return Ok(Content::GeoNames),
        Some(false) => return Ok(Content::Other("GeoNames of another country")),
        None => {}
    }
    let known = Wanted {
        delimiter: Some(dialect.delimiter),
        encoding: Some(Encoding::Utf8),
        max_row: MAX_LINE,
        max_cells: MAX_CELLS,
        header: true,
    };
    let mut records = Records::new(start, &known)?;
    let Ok(Some(header)) = records.next_record() else {
        return Ok(Content::Other("its first line is not CSV"));
    };
    let cells = texts(&header);
    if is_code_point_row(&cells) {
        let table = Table::without_header(Format::CodePointOpen, &CODE_POINT_OPEN);
        return Ok(Content::Postcodes(table));
    }
    if let Some(names) = open_postcode_geo(&cells) {
        return Ok(Content::Postcodes(Table::without_header(Format::Onspd, names)));
    }
    if open_names::is_row(&cells) {
        return Ok(Content::Places { header: open_names::is_header(&cells[0], &cells[1]) });
    }
    if let Some(directory) = Directory::of(&cells) {
        return Ok(Content::Scotland(directory));
    }
    // The names of rows, or an index.
    let lead = usize::from(cells.first().is_some_and(String::is_empty));
    let named = cells.get(lead..).unwrap_or_default();
    if let Some(list) = List::of(named) {
        return Ok(Content::Names(list.behind(lead)));
    }
    if List::is_of_others(named) {
        return Ok(Content::Other("names of areas that are not kept"));
    }
    let columns = Columns::of(&cells);
    if columns.index(Field::Postcode).is_none() {
        let has_postcode = cells.iter().any(|cell| cell.parse::<Postcode>().is_ok());
        let why = match wanted {
            Format::CodePointOpen => "not a table of Code-Point Open",
            _ if has_postcode => NO_HEADER,
            _ => NO_POSTCODES,
        };
        return Ok(Content::Other(why));
    }
    if columns.fields.len() == 1 && columns.names.len() > 1 && !text.explicit {
        // GeoNames, address lists: a column called postcode makes no edition.
        return Ok(Content::Other("a column of postcodes, but none of the others of ONSPD"));
    }
    // OS ships the header of Code-Point Open as a separate file: short and long names, without
    // rows.
    let mut columns = columns;
    let mut rows = Vec::new();
    while rows.len() < 100
        && let Ok(Some(row)) = records.next_record()
    {
        rows.push(texts(&row));
    }
    columns.leave_out_names(&rows);
    let second = rows.into_iter().next();
    let second_is_header = second.is_some_and(|cells| Columns::of(&cells).index(Field::Postcode).is_some());
    if second_is_header && !text.explicit {
        return Ok(Content::Other("a header and no rows"));
    }
    let format = format_of(&columns, text);
    let row_names = records.has_row_names();
    Ok(Content::Postcodes(Table { format, columns, header: true, row_names }))
}

/// Returns the texts of a row, without spaces around them.
fn texts(row: &Record<'_>) -> Vec<String> {
    (0..row.cells()).map(|n| row.text(n).trim().to_owned()).collect()
}

const NO_HEADER: &str =
    "its first line is a row: add a line with the names of the columns, such as pcds,doterm,lat,long";
const NO_POSTCODES: &str = "no column of postcodes (pcds, pcd, pcd7, pcd8, postcode)";

/// Returns whether a row is of Code-Point Open: ten cells, the first four a postcode and numbers.
fn is_code_point_row(cells: &[String]) -> bool {
    cells.len() == CODE_POINT_OPEN.len()
        && cells[0].parse::<Postcode>().is_ok()
        && cells[1..4].iter().all(|cell| digits(cell.as_bytes()).is_some())
}

/// Returns the names of the columns of Open Postcode Geo, which ships without a header, for a row of it. In files of one
/// region two more follow.
fn open_postcode_geo(cells: &[String]) -> Option<&'static [&'static str]> {
    let cell = |n: usize| cells.get(n).map_or("", String::as_str);
    let is_row = cell(0).parse::<Postcode>().is_ok()
        && ["live", "terminated"].contains(&cell(1))
        && ["small", "large"].contains(&cell(2));
    let names = OPEN_POSTCODE_GEO.get(..cells.len())?;
    (is_row && [OPEN_POSTCODE_GEO.len() - 2, OPEN_POSTCODE_GEO.len()].contains(&cells.len())).then_some(names)
}

fn format_of(columns: &Columns, text: &Text) -> Format {
    let has = |name: &str| columns.names.iter().any(|other| super::columns::key(other) == name);
    let tens = columns.index(Field::QualityTens).is_some();
    if tens && columns.index(Field::Latitude).is_none() && columns.index(Field::Status).is_none() {
        Format::CodePointOpen
    } else if text.name().to_ascii_lowercase().contains("nspl") || has("laua") && has("hlthau") {
        Format::Nspl
    } else {
        Format::Onspd
    }
}

/// Chooses among the tables of all inputs: one format only, and not the same rows twice. Reports to
/// `note` what is ignored and why.
pub(super) fn choose(found: &mut Vec<Found>, wanted: Format, note: &mut dyn FnMut(&str)) -> Result<Format> {
    if wanted != Format::Auto {
        found.retain_mut(|one| {
            if let Content::Postcodes(table) = &mut one.content {
                // Those of ONSPD and NSPL differ in nothing that matters to reading.
                let alike = (table.format == Format::CodePointOpen) == (wanted == Format::CodePointOpen);
                if !alike {
                    note(&format!("{}: ignored: it is {}, not {wanted}", one.text.display, table.format));
                    return false;
                }
                table.format = wanted;
            }
            true
        });
    }
    let whole: Vec<String> = tables(found).map(|(text, _)| text.stem().to_owned()).collect();
    let mut doubled = 0;
    found.retain(|one| {
        // ONSPD_NOV_2025_UK_AB is a part of ONSPD_NOV_2025_UK.
        let part = |whole: &String| one.text.stem().strip_prefix(whole.as_str()).is_some_and(is_area_suffix);
        let double = matches!(one.content, Content::Postcodes(_)) && whole.iter().any(part);
        doubled += usize::from(double);
        !double
    });
    if doubled > 0 {
        note(&format!("{doubled} files of single areas ignored: there is a file of the whole country too"));
    }
    let mut formats = tables(found).map(|(text, table)| (text.display.clone(), table.format));
    let Some((first, format)) = formats.next() else {
        let reasons = found.iter().filter_map(|one| match one.content {
            Content::Other(why) => Some(format!("\n  {}: {why}", one.text.display)),
            _ => None,
        });
        let reasons: String = reasons.take(10).collect();
        bail!("no table of postcodes in the input{reasons}");
    };
    if let Some((second, other)) = formats.find(|(_, other)| *other != format) {
        bail!("{first} is {format} and {second} is {other}: import one, or choose with --format");
    }
    drop(formats);
    for one in found.iter() {
        if let Content::Other(why) = one.content {
            note(&format!("{}: left out: {why}", one.text.display));
        }
    }
    Ok(format)
}

/// `_AB`: how the files of `multi_csv` end.
pub(super) fn is_area_suffix(suffix: &str) -> bool {
    let area = suffix.strip_prefix('_').unwrap_or("");
    (1..=2).contains(&area.len()) && area.bytes().all(|c| c.is_ascii_alphabetic())
}

/// Returns the tables of postcodes.
pub(super) fn tables(found: &[Found]) -> impl Iterator<Item = (&Text, &Table)> {
    found.iter().filter_map(|one| match &one.content {
        Content::Postcodes(table) => Some((&one.text, table)),
        _ => None,
    })
}
