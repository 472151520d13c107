//! Detects the kind of each text by its contents.

use anyhow::{Result, bail};
use postcode_core::Postcode;
use postcode_tables::{Dialect, Encoding, foreign};

use super::columns::{CODE_POINT_OPEN, Columns, Field};
use super::format::Format;
use super::geonames_form;
use super::lines::{Layout, MARK, MAX_LINE, Splitter};
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
    pub(super) layout: Layout,
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
        if let Content::Postcodes(table) = &self.content {
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
}

/// Looks at the beginning of a text. Its delimiter is found unless it is named.
pub(super) fn detect(text: Text, wanted: Format, delimiter: Option<u8>) -> Result<Found> {
    let (start, encoding) = text.start(MAX_LINE)?;
    let unmarked = start.strip_prefix(MARK).unwrap_or(&start);
    let dialect = match delimiter {
        Some(delimiter) => Dialect::named(delimiter, unmarked),
        None => Dialect::of(unmarked, start.len() < MAX_LINE),
    };
    let layout = Layout { delimiter: dialect.delimiter, preamble: dialect.preamble > 0 };
    let content = if text.name().eq_ignore_ascii_case("metadata.txt") && !text.explicit {
        Content::Metadata
    } else {
        content(unmarked.get(dialect.preamble..).unwrap_or_default(), &text, wanted, layout.delimiter)?
    };
    Ok(Found { text, content, layout, encoding, marked: start.starts_with(MARK) })
}

fn content(start: &[u8], text: &Text, wanted: Format, delimiter: u8) -> Result<Content> {
    if let Some(kind) = foreign(start) {
        return Ok(Content::Other(kind));
    }
    let mut splitter = Splitter::new(delimiter);
    let mut lines =
        start.split(|c| matches!(c, b'\n' | b'\r')).map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
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
    if splitter.split(first).is_err() {
        return Ok(Content::Other("its first line is not CSV"));
    }
    let cells = splitter.texts();
    if is_code_point_row(&cells) {
        let table =
            Table { format: Format::CodePointOpen, columns: Columns::of(CODE_POINT_OPEN), header: false };
        return Ok(Content::Postcodes(table));
    }
    if open_names::is_row(&cells) {
        return Ok(Content::Places { header: open_names::is_header(&cells[0], &cells[1]) });
    }
    if let Some(directory) = Directory::of(&cells) {
        return Ok(Content::Scotland(directory));
    }
    if let Some(list) = List::of(&cells) {
        return Ok(Content::Names(list));
    }
    if List::is_of_others(&cells) {
        return Ok(Content::Other("names of areas that are not kept"));
    }
    let columns = Columns::of(&cells);
    if columns.index(Field::Postcode).is_none() {
        let why =
            if wanted == Format::CodePointOpen { "not a table of Code-Point Open" } else { NO_POSTCODES };
        return Ok(Content::Other(why));
    }
    if columns.fields.len() == 1 && columns.names.len() > 1 && !text.explicit {
        // GeoNames, address lists: a column called postcode makes no edition.
        return Ok(Content::Other("a column of postcodes, but none of the others of ONSPD"));
    }
    // OS ships the header of Code-Point Open as a separate file: short and long names, without
    // rows.
    let mut columns = columns;
    let rows: Vec<Vec<String>> =
        lines.take(100).filter_map(|line| splitter.split(line).ok().map(|()| splitter.texts())).collect();
    columns.leave_out_names(&rows);
    let second = rows.into_iter().next();
    let second_is_header = second.is_some_and(|cells| Columns::of(&cells).index(Field::Postcode).is_some());
    if second_is_header && !text.explicit {
        return Ok(Content::Other("a header and no rows"));
    }
    let format = format_of(&columns, text);
    Ok(Content::Postcodes(Table { format, columns, header: true }))
}

const NO_POSTCODES: &str = "no column of postcodes (pcds, pcd, pcd7, pcd8, postcode)";

/// Returns whether a row is of Code-Point Open: ten cells, the first four a postcode and numbers.
fn is_code_point_row(cells: &[String]) -> bool {
    cells.len() == CODE_POINT_OPEN.len()
        && cells[0].parse::<Postcode>().is_ok()
        && cells[1..4].iter().all(|cell| digits(cell.as_bytes()).is_some())
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
