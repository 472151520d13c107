//! Checks what a workbook says about its size, before memory is taken for it.

use std::io::{self, BufReader, Read, Seek};

use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;

use crate::opened::{broken, invalid};

/// Texts for which a workbook may have memory taken whatever its size, because some programs count too many.
const FREE_TEXTS: u64 = 4 << 20;
/// Bytes of the shortest text in the list of texts.
const SHORTEST: u64 = 5;
/// Elements in the description of the styles, some of which take a hundred times their length in memory.
const MAX_STYLES: usize = 250_000;

/// Checks a workbook of the kind `.xlsx`.
pub(super) fn check(file: &mut (impl Read + Seek)) -> io::Result<()> {
    let mut zip = ZipArchive::new(&mut *file).map_err(|error| broken(&error))?;
    let lowered = |name: Result<_, _>| name.map(|name: std::borrow::Cow<'_, str>| name.to_ascii_lowercase());
    let names: Vec<String> = zip.file_names().map(|name| lowered(name).unwrap_or_default()).collect();
    for (n, name) in names.iter().enumerate() {
        let (texts, styles) = (name.ends_with("sharedstrings.xml"), name.ends_with("styles.xml"));
        if !texts && !styles {
            continue;
        }
        let part = zip.by_index(n).map_err(|error| broken(&error))?;
        let bytes = part.size();
        if texts {
            check_texts(part, bytes)?;
        } else {
            check_styles(part)?;
        }
    }
    file.rewind()
}

/// Checks the number of texts: memory for so many is taken at once.
fn check_texts(part: impl Read, bytes: u64) -> io::Result<()> {
    let mut xml = Reader::from_reader(BufReader::new(part));
    let config = xml.config_mut();
    (config.check_end_names, config.check_comments) = (false, false);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(|error| broken(&error))? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "sst" => {
                let most = FREE_TEXTS.max(bytes / SHORTEST);
                // Whichever of them counts.
                let claims = tag.attributes_raw().split("uniqueCount").skip(1);
                let numbers = claims.map(|rest| {
                    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
                    let quote = rest.chars().next()?;
                    rest.get(1..)?.split(quote).next()?.trim().parse::<u64>().ok()
                });
                return match numbers.map(|number| number.unwrap_or(u64::MAX)).all(|number| number <= most) {
                    true => Ok(()),
                    false => Err(invalid("the workbook says that it has more texts than it can have")),
                };
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn check_styles(part: impl Read) -> io::Result<()> {
    let mut part = BufReader::new(part);
    let mut chunk = [0; 8 << 10];
    let mut elements = 0;
    loop {
        let read = part.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        elements += memchr::memchr_iter(b'<', chunk.get(..read).unwrap_or_default()).count();
        if elements > MAX_STYLES {
            return Err(invalid("the workbook has too many styles: save the sheet as CSV"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use postcode_testing::zipped;

    use super::*;

    fn says(part: &str, content: &str) -> String {
        let zip = zipped(&[(part, content.as_bytes())]);
        check(&mut Cursor::new(zip)).map_or_else(|error| error.to_string(), |()| "right".to_owned())
    }

    #[test]
    fn workbook_that_says_it_has_more_texts_than_it_can_have_is_refused() {
        let texts = |attributes: &str| {
            says("xl/SharedStrings.xml", &format!("<!-- <sst> --><x:sst {attributes}><si/></x:sst>"))
        };
        for attributes in
            ["", "count=\"1\"", "count=\"99999999999\" uniqueCount = '1'", "uniqueCount=\"4194304\""]
        {
            assert_eq!(texts(attributes), "right", "{attributes}");
        }
        for attributes in [
            "uniqueCount=\"99999999999\"",
            "uniqueCount = '4194305'",
            "uniqueCount=\"1\" uniqueCount=\"99999999999\"",
            "uniqueCount=\"99999999999999999999999\"",
        ] {
            assert!(texts(attributes).contains("more texts than it can have"), "{attributes}");
        }
    }

    #[test]
    fn workbook_with_too_many_styles_is_refused() {
        let styles = |count: usize| says("xl/styles.xml", &"<xf/>".repeat(count));
        assert_eq!(styles(1_000), "right");
        assert!(styles(MAX_STYLES + 1).contains("too many styles"));
    }
}
