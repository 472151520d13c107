//! The pages that may read licensed addresses.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use http::HeaderValue;

/// The origin of a page, as browsers send it, or any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageOrigin {
    /// Every page.
    Any,
    /// The pages of one origin: `https://shop.example`.
    One(HeaderValue),
}

/// Why a text is not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the origin of a page: write one such as https://shop.example, or *")]
pub struct NotAnOrigin;

impl FromStr for PageOrigin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let text = text.to_ascii_lowercase();
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let valid = |host: &&str| {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
        };
        host.filter(valid).ok_or(NotAnOrigin)?;
        HeaderValue::try_from(text).map(Self::One).map_err(|_| NotAnOrigin)
    }
}

impl fmt::Display for PageOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::One(origin) => f.write_str(&String::from_utf8_lossy(origin.as_bytes())),
        }
    }
}

/// The origins of pages that may read addresses without a token.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Readers(Arc<OnceLock<Vec<PageOrigin>>>);

impl Readers {
    /// Sets the origins. The first call counts.
    pub(in crate::api) fn set(&self, origins: Vec<PageOrigin>) {
        let _: Result<(), _> = self.0.set(origins);
    }

    /// Returns the value of `Access-Control-Allow-Origin` for a page, if it may read.
    pub(in crate::api) fn allowed(&self, page: Option<&HeaderValue>) -> Option<HeaderValue> {
        let origins = self.0.get().map(Vec::as_slice).unwrap_or_default();
        if origins.contains(&PageOrigin::Any) {
            return Some(HeaderValue::from_static("*"));
        }
        page.filter(|page| origins.contains(&PageOrigin::One((*page).clone()))).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_is_a_scheme_and_a_host() {
        for text in ["https://shop.example", "http://localhost:3000", "https://[::1]:8443", "*"] {
            assert_eq!(text.parse::<PageOrigin>().unwrap().to_string(), text);
        }
        for text in ["", "shop.example", "https://", "https://shop.example/", "ftp://shop.example", "null"] {
            assert_eq!(text.parse::<PageOrigin>(), Err(NotAnOrigin), "{text}");
        }
    }
}
