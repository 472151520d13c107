//! How a table is packed, by its first bytes or its name in HTTP.

/// The codings of requests that are read, as `Accept-Encoding` lists them.
pub const CODINGS: &str = "gzip, deflate, br, zstd";

/// How something is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// gzip (RFC 1952).
    Gzip,
    /// zlib (RFC 1950), which HTTP calls `deflate`.
    Zlib,
    /// Zstandard (RFC 8878).
    Zstd,
    /// Brotli (RFC 7932).
    Brotli,
    /// A zip file, which a newer workbook is, too.
    Zip,
    /// A workbook of Excel as it was until 2003.
    OldWorkbook,
}

impl Packing {
    /// Returns how something is packed that begins with these bytes. Four are enough. Of zlib and brotli no beginning is
    /// certain, so they are never found.
    pub fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            [0xd0, 0xcf, 0x11, 0xe0, ..] => Self::OldWorkbook,
            _ => Self::Plain,
        }
    }

    /// Returns the packing that the values of `Content-Encoding` name, which may be lists. It is one
    /// at most: nobody packs a file twice in good faith.
    ///
    /// # Errors
    /// Returns the first coding if it is not known, or not the only one.
    pub fn of_codings<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Self, String> {
        let lists: Vec<_> = values.map(String::from_utf8_lossy).collect();
        let mut codings = lists.iter().flat_map(|list| list.split(',')).map(str::trim);
        let Some(first) = codings.next() else { return Ok(Self::Plain) };
        Self::of_coding(first).filter(|_| codings.next().is_none()).ok_or_else(|| first.to_owned())
    }

    /// Returns the packing that HTTP calls so in `Content-Encoding`.
    fn of_coding(coding: &str) -> Option<Self> {
        Some(match &*coding.trim().to_ascii_lowercase() {
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Zlib,
            "br" => Self::Brotli,
            "zstd" => Self::Zstd,
            "identity" | "" => Self::Plain,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_of_http_have_names() {
        assert_eq!(Packing::of_coding(" GZIP"), Some(Packing::Gzip));
        assert_eq!(Packing::of_coding("deflate"), Some(Packing::Zlib));
        assert_eq!(Packing::of_coding("br"), Some(Packing::Brotli));
        assert_eq!(Packing::of_coding("compress"), None);
    }
}
