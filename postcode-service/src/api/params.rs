//! Query parameters, and numbers as JavaScript reads them.

use std::borrow::Cow;
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::header::ACCEPT;
use http::request::Parts;
use postcode_core::wire::compact;
use postcode_core::wire::{EXTENDED, Field, Shape};
use postcode_edge::ClientKey;

/// The query parameters in their order. Names are case-sensitive.
#[derive(Debug, Default)]
pub(super) struct Params {
    all: Vec<(String, String)>,
    client: ClientKey,
    /// Whether the client accepts the compact encoding.
    accepts_compact: bool,
}

impl Params {
    pub(super) fn parse(query: Option<&str>) -> Self {
        let query = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self { all: query.into_owned().collect(), ..Self::default() }
    }

    /// Returns the client of the request, for pools of places.
    pub(super) fn client(&self) -> ClientKey {
        self.client.clone()
    }

    /// Returns a parameter's value, or all its values joined by commas. An empty one counts as
    /// absent.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.all.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let mut all = Cow::Borrowed(values.next()?);
        for value in values {
            let all = all.to_mut();
            all.push(',');
            all.push_str(value);
        }
        (!all.is_empty()).then_some(all)
    }

    /// Returns the first value, which may be empty.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.all.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    #[cfg(feature = "jobs")]
    /// Returns the parameters with those names, as a query.
    pub(super) fn only(&self, names: &[&str]) -> String {
        let known = self.all.iter().filter(|(name, _)| names.contains(&name.as_str()));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(known).finish()
    }

    /// Returns the names of all given parameters.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the extended shape if `?extended=true`, in any usual spelling.
    pub(super) fn shape(&self) -> Shape {
        if self.first(EXTENDED).and_then(truth) == Some(true) { Shape::Extended } else { Shape::Compatible }
    }

    /// Returns whether records are to be sent in the compact encoding. It can only carry whole records in
    /// the extended shape, and not JSONP.
    pub(super) fn wants_compact(&self) -> bool {
        self.accepts_compact
            && self.shape() == Shape::Extended
            && self.get("filter").is_none()
            && self.get("callback").is_none()
    }

    /// Returns the fields in `?filter=`, if there is one.
    pub(super) fn filter(&self) -> Option<Vec<Field>> {
        Some(Field::list(&self.get("filter")?))
    }

    /// Returns the limit of search and autocomplete: 10 if absent or invalid, at most 100.
    pub(super) fn search_limit(&self) -> usize {
        limit(self.get("limit"))
    }

    /// Returns the limit of the routes for places, where it is also called `l`.
    pub(super) fn places_limit(&self) -> usize {
        limit(self.get("limit").or_else(|| self.get("l")))
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let params = Self::parse(parts.uri.query());
        let accept = parts.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let accepts_compact = compact::accepts(accept);
        Ok(Self { client: ClientKey::of(&parts.extensions), accepts_compact, ..params })
    }
}

fn limit(text: Option<Cow<'_, str>>) -> usize {
    let limit = text.and_then(|text| parse_int(&text));
    limit.filter(|&n| n >= 1).map_or(10, |n| n.min(100) as usize)
}

/// White space of JavaScript: that of Unicode without U+0085 and with U+FEFF.
pub(super) fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// Parses like `parseInt(text, 10)`: digits up to the first other character; `None` is NaN. A
/// number that is too large becomes the largest.
pub(super) fn parse_int(text: &str) -> Option<i64> {
    let text = text.trim_start_matches(is_space);
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    let value = digits.fold(None, |value: Option<i64>, digit| {
        Some(value.unwrap_or(0).saturating_mul(10).saturating_add(i64::from(digit - b'0')))
    })?;
    Some(if negative { -value } else { value })
}

/// `parseFloat(text)`: the longest decimal number at the start; `None` is NaN.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim_start_matches(is_space);
    let bytes = text.as_bytes();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    if text[sign..].starts_with("Infinity") {
        return Some(if bytes[0] == b'-' { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(sign);
    let mut end = sign + whole;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if whole + fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    } else if whole == 0 {
        return None;
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let signed = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + signed);
        if exponent > 0 {
            end += 1 + signed + exponent;
        }
    }
    text[..end].parse().ok()
}

/// Reads a yes or no as programs write it: Python sends `True`, forms `1`. `None` if it is neither.
pub(super) fn truth(text: &str) -> Option<bool> {
    let is = |spellings: [&str; 3]| spellings.iter().any(|spelling| text.eq_ignore_ascii_case(spelling));
    if is(["true", "1", "yes"]) {
        Some(true)
    } else if is(["false", "0", "no"]) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_and_no_are_read_as_programs_write_them() {
        for text in ["true", "True", "TRUE", "1", "yes"] {
            assert_eq!(truth(text), Some(true), "{text}");
        }
        for text in ["false", "False", "0", "No"] {
            assert_eq!(truth(text), Some(false), "{text}");
        }
        for text in ["", "maybe", "2", "truth"] {
            assert_eq!(truth(text), None, "{text}");
        }
    }

    #[test]
    fn integers_are_read_as_by_javascript() {
        for (text, value) in [
            ("5abc", Some(5)),
            ("2.9", Some(2)),
            ("1e2", Some(1)),
            ("0x10", Some(0)),
            (" \u{a0}7", Some(7)),
            ("-3", Some(-3)),
            ("3,7", Some(3)),
            ("99999999999999999999", Some(i64::MAX)),
            ("", None),
            ("abc", None),
            ("-", None),
        ] {
            assert_eq!(parse_int(text), value, "{text:?}");
        }
    }

    #[test]
    fn floats_are_read_as_by_javascript() {
        for (text, value) in [
            ("-2.09abc", Some(-2.09)),
            ("1e9", Some(1e9)),
            ("1e", Some(1.0)),
            ("1e+", Some(1.0)),
            ("0x10", Some(0.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("-Infinityx", Some(f64::NEG_INFINITY)),
            ("1e400", Some(f64::INFINITY)),
            (" 2", Some(2.0)),
            (".", None),
            ("-", None),
            ("infinity", None),
            ("é1", None),
            ("", None),
        ] {
            assert_eq!(parse_float(text), value, "{text:?}");
        }
    }

    #[test]
    fn repeated_parameters_are_joined_and_empty_ones_absent() {
        let params = Params::parse(Some("limit=3&limit=7&q=&a[]=1&b=+x%20"));
        assert_eq!(params.get("limit").as_deref(), Some("3,7"));
        assert_eq!(params.first("limit"), Some("3"));
        assert_eq!(params.get("q"), None);
        assert_eq!(params.get("a"), None);
        assert_eq!(params.get("b").as_deref(), Some(" x "));
    }
}
