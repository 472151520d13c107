//! The media type of a body: what `Content-Type` says (RFC 9110, section 8.3.1).

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// A media type such as `application/json; charset=utf-8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    name: String,
    charset: Option<String>,
}

impl MediaType {
    /// Returns the media type that the headers name; `None` if they name none, or not in text.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        Some(Self::parse(headers.get(CONTENT_TYPE)?.to_str().ok()?))
    }

    /// Parses a media type. Unknown parameters are ignored.
    pub fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let charset = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            let value = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("charset").then(|| value.to_owned())
        });
        Self { name, charset }
    }

    /// Returns type and subtype in small letters: `application/json`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the parameter `charset`, if it is there.
    pub fn charset(&self) -> Option<&str> {
        self.charset.as_deref()
    }

    /// Returns whether the text is in UTF-8: no charset is named, or UTF-8 by its name or by the
    /// name that many programs give it, or ASCII, which is a part of it.
    pub fn is_utf8(&self) -> bool {
        const NAMES: [&str; 4] = ["utf-8", "utf8", "us-ascii", "ascii"];
        self.charset().is_none_or(|charset| NAMES.iter().any(|name| charset.eq_ignore_ascii_case(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_read_as_clients_write_them() {
        for (text, name, charset, utf8) in [
            ("application/json", "application/json", None, true),
            ("Application/JSON ; charset=UTF-8", "application/json", Some("UTF-8"), true),
            ("application/json;charset=\"utf8\"", "application/json", Some("utf8"), true),
            ("text/csv; header=present; Charset = windows-1252", "text/csv", Some("windows-1252"), false),
            ("application/json; charset", "application/json", None, true),
            ("", "", None, true),
            (";;", "", None, true),
        ] {
            let media = MediaType::parse(text);
            assert_eq!((media.name(), media.charset(), media.is_utf8()), (name, charset, utf8), "{text}");
        }
    }
}
