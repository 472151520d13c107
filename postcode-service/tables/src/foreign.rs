//! Files that are not tables of text.

/// Names the kind of a file that begins with these bytes, if it is neither text nor packed in a way that is read here, and
/// says what to do with it. Six bytes are enough.
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
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => "in UTF-32: save it as UTF-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_not_foreign() {
        for start in [&b""[..], b"BZh,x", b"PAR,1", b"\xff\xfei\0", b"\0i\0d", b"%PDF", b"PK\x03\x04"] {
            assert_eq!(foreign(start), None);
        }
        assert_eq!(foreign(b"\xff\xfe\0\0"), Some("in UTF-32: save it as UTF-8"));
    }
}
