//! Numbers that Python writes and JSON does not have.

use std::borrow::Cow;

use memchr::memmem;

use super::members::string;

/// The words for them. The longest that fits counts.
const WORDS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];

/// Returns whether a text holds one of the words, perhaps within a string.
pub fn may_have_nan(json: &[u8]) -> bool {
    memmem::find(json, b"NaN").is_some() || memmem::find(json, b"Infinity").is_some()
}

/// Returns JSON in which `NaN`, `Infinity` and `-Infinity` are `null`.
///
/// ```
/// let json = postcode_tables::json::without_nan(br#"{"a":NaN,"b":"NaN"}"#);
/// assert_eq!(&*json, br#"{"a":null,"b":"NaN"}"#);
/// ```
pub fn without_nan(json: &[u8]) -> Cow<'_, [u8]> {
    if !may_have_nan(json) {
        return json.into();
    }
    let (mut out, mut at, mut done) = (Vec::new(), 0, 0);
    while let Some(rest) = json.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(b"\"") {
            at += string(rest).unwrap_or(rest.len());
        } else if let Some(word) = WORDS.into_iter().find(|word| rest.starts_with(word)) {
            out.extend_from_slice(json.get(done..at).unwrap_or_default());
            out.extend_from_slice(b"null");
            at += word.len();
            done = at;
        } else {
            at += 1;
        }
    }
    if done == 0 {
        return json.into();
    }
    out.extend_from_slice(json.get(done..).unwrap_or_default());
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_numbers_become_null_outside_strings() {
        for (json, expected) in [
            ("[NaN,-Infinity, Infinity]", "[null,null, null]"),
            ("{\"NaN\":\"\\\\\\\"NaN\",\"b\":NaN}", "{\"NaN\":\"\\\\\\\"NaN\",\"b\":null}"),
            ("{\"a\":\"Infinity\"}", "{\"a\":\"Infinity\"}"),
            ("\"open NaN", "\"open NaN"),
            ("NaN", "null"),
            ("{}", "{}"),
        ] {
            assert_eq!(String::from_utf8_lossy(&without_nan(json.as_bytes())), expected);
        }
    }
}
