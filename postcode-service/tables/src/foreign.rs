//! Files that are not tables of text.

/// Bytes of a beginning in which the kind of a markup is named.
const MARKUP: usize = 2_048;
/// Where a tar archive names itself.
const TAR: std::ops::Range<usize> = 257..262;

/// Names the kind of a file that begins with these bytes, if it is neither text nor packed in a way that is read here, and
/// says what to do with it. For tar archives and markup it needs some 2,000 bytes, for others six.
///
/// ```
/// assert_eq!(postcode_tables::foreign(b"BZh91AY"), Some("packed with bzip2: unpack it first"));
/// assert_eq!(postcode_tables::foreign(b"id,postcode"), None);
/// ```
pub fn foreign(start: &[u8]) -> Option<&'static str> {
    Some(match start {
        [b'P', b'A', b'R', b'1', ..] => "a Parquet file, which only the command enrich reads, by its name",
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => {
            "an Arrow file, which only the command enrich reads, by its name"
        }
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', ..] => "packed with bzip2: unpack it first",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "packed with xz: unpack it first",
        [b'7', b'z', 0xbc, 0xaf, ..] => "packed with 7-Zip: unpack it first",
        [b'R', b'a', b'r', b'!', 0x1a, ..] => "packed with RAR: unpack it first",
        [b'S', b'Q', b'L', b'i', b't', b'e', ..] => "an SQLite database: export the table as CSV",
        [b'%', b'P', b'D', b'F', b'-', ..] => "a PDF document: give the table as CSV",
        [b'{', b'\\', b'r', b't', b'f', ..] => "an RTF document: give the table as CSV",
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] | [b'G', b'I', b'F', b'8', ..] => IMAGE,
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => IMAGE,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => IMAGE,
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => "in UTF-32: save it as UTF-8",
        _ if start.get(TAR) == Some(b"ustar") => "a tar archive: unpack it, and give the table in it",
        _ => return markup(start),
    })
}

const IMAGE: &str = "an image: give the table as CSV";
const HTML: &str =
    "a page of HTML, whatever its name says: open it in a spreadsheet program, and save it as .xlsx or CSV";

/// Names the kind of a text in markup. In UTF-16 it has NUL bytes, which are ignored.
fn markup(start: &[u8]) -> Option<&'static str> {
    let start = start.get(..MARKUP).unwrap_or(start);
    let is_text = |byte: &u8| !matches!(byte, 0 | 0xef | 0xbb | 0xbf | 0xfe | 0xff);
    let text: Vec<u8> = start.iter().filter(|byte| is_text(byte)).map(u8::to_ascii_lowercase).collect();
    let text = text.trim_ascii_start();
    let has = |part: &str| memchr::memmem::find(text, part.as_bytes()).is_some();
    let begins = |part: &str| text.starts_with(part.as_bytes());
    Some(match () {
        () if ["<!doctype html", "<html", "<head", "<meta", "<table"].into_iter().any(begins) => HTML,
        () if begins("mime-version:") && has("multipart/related") => HTML,
        () if begins("<workbook") || begins("<?xml") && (has("<workbook") || has("excel.sheet")) => {
            "an XML spreadsheet of Excel 2003: open it in a spreadsheet program, and save it as .xlsx or CSV"
        }
        () if begins("<?xml") && has("<html") => HTML,
        () if begins("<?xml") => "an XML document: give the table as CSV",
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_not_foreign() {
        for start in [
            &b""[..],
            b"BZh,x",
            b"PAR,1",
            b"\xff\xfei\0",
            b"\0i\0d",
            b"%PDF",
            b"PK\x03\x04",
            b"<name>,postcode\n",
            b"{\"rtf\":1}",
            b"GIF,postcode",
        ] {
            assert_eq!(foreign(start), None);
        }
        assert_eq!(foreign(b"\xff\xfe\0\0"), Some("in UTF-32: save it as UTF-8"));
    }

    #[test]
    fn documents_under_a_wrong_name_are_named() {
        let tar = [&[b'a'; 257][..], b"ustar\0"].concat();
        let wide: Vec<u8> = "\u{feff}<html><table>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let book = b"<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>\n<Workbook>";
        for (start, expected) in [
            (&b"\xef\xbb\xbf\r\n <!DOCTYPE HTML PUBLIC>"[..], "a page of HTML"),
            (b"<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\">", "a page of HTML"),
            (b"<table border=1>", "a page of HTML"),
            (b"MIME-Version: 1.0\nContent-Type: multipart/related;", "a page of HTML"),
            (b"<?xml version=\"1.0\"?><!DOCTYPE html><html>", "a page of HTML"),
            (&wide, "a page of HTML"),
            (book, "an XML spreadsheet of Excel 2003"),
            (b"<?xml version=\"1.0\"?><kml>", "an XML document"),
            (b"{\\rtf1\\ansi", "an RTF document"),
            (b"\x89PNG\r\n", "an image"),
            (b"\xff\xd8\xff\xe0", "an image"),
            (&tar, "a tar archive"),
        ] {
            let found = foreign(start);
            assert!(found.is_some_and(|found| found.starts_with(expected)), "{start:?}: {found:?}");
        }
    }
}
