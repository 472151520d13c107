//! The members of an object that may be cut off.

use std::borrow::Cow;
use std::ops::Range;

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// The key as it is written, without its quotes.
    pub key: Cow<'a, str>,
    /// The place of the value. It ends with the text if that is cut off in the value.
    pub value: Range<usize>,
}

/// The first members of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members<'a> {
    /// The members, in their order.
    pub list: Vec<Member<'a>>,
    /// Where the object ends; `None` if the text ends before it, is broken, or the object has more members than asked for.
    pub end: Option<usize>,
}

/// Reads the members of the object that a text begins with, at most so many.
///
/// It finds where values end and does not judge them.
///
/// ```
/// use postcode_tables::json::members;
///
/// let json = br#"{"a":[1,"]"],"b":"x"} "#;
/// let found = members(json, 10);
/// assert_eq!(found.list.iter().map(|member| &*member.key).collect::<Vec<_>>(), ["a", "b"]);
/// assert_eq!(&json[found.list[0].value.clone()], br#"[1,"]"]"#);
/// assert_eq!(found.end, Some(21));
/// ```
pub fn members(json: &[u8], most: usize) -> Members<'_> {
    let mut found = Members::default();
    if !json.starts_with(b"{") {
        return found;
    }
    let mut at = 1;
    loop {
        at = next(json, at);
        match json.get(at) {
            Some(b'}') => {
                found.end = Some(at + 1);
                return found;
            }
            Some(b',') => at += 1,
            Some(b'"') if found.list.len() < most => {
                let rest = json.get(at..).unwrap_or_default();
                let Some(len) = string(rest) else { return found };
                let key = String::from_utf8_lossy(rest.get(1..len - 1).unwrap_or_default());
                let colon = next(json, at + len);
                if json.get(colon) != Some(&b':') {
                    return found;
                }
                let from = next(json, colon + 1);
                if from == json.len() {
                    return found;
                }
                let end = value(json, from);
                found.list.push(Member { key, value: from..end.unwrap_or(json.len()) });
                let Some(end) = end else { return found };
                at = end;
            }
            _ => return found,
        }
    }
}

/// Returns where the next byte that is not a space is.
fn next(json: &[u8], at: usize) -> usize {
    let rest = json.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(rest.len())
}

/// Returns how many bytes the string takes that a text begins with, with its quotes; `None` if it is cut off.
pub(super) fn string(json: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', json.get(at..)?)?;
        if json.get(found) == Some(&b'"') {
            return Some(found + 1);
        }
        at = found + 2;
    }
}

/// Returns where the value ends that begins at a place; `None` if the text may end before it.
fn value(json: &[u8], from: usize) -> Option<usize> {
    let (mut at, mut depth) = (from, 0_usize);
    loop {
        match json.get(at)? {
            b'"' => at += string(json.get(at..)?)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            byte if depth == 0 && (b",}]".contains(byte) || byte.is_ascii_whitespace()) => return Some(at),
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> (Vec<(String, String)>, Option<usize>) {
        let Members { list, end } = members(json.as_bytes(), 3);
        (list.into_iter().map(|m| (m.key.into_owned(), json[m.value].to_owned())).collect(), end)
    }

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn members_are_found_with_their_values() {
        let json = "{ \"a\" : -1.5 ,\"b\\\"}\":{\"x\":[\"]}\\\\\"]},\n\"c\":null}";
        let expected = pairs(&[("a", "-1.5"), ("b\\\"}", "{\"x\":[\"]}\\\\\"]}"), ("c", "null")]);
        assert_eq!(found(json), (expected, Some(json.len())));
        assert_eq!(found("{} {}"), (vec![], Some(2)));
    }

    #[test]
    fn object_that_is_cut_off_has_no_end() {
        for (json, expected) in [
            ("{", &[][..]),
            ("{\"a", &[]),
            ("{\"a\":", &[]),
            ("{\"a\": 1", &[("a", "1")]),
            ("{\"a\":[{\"b\":\"x", &[("a", "[{\"b\":\"x")]),
            ("{\"a\":1,", &[("a", "1")]),
            ("{\"a\" 1}", &[]),
            ("[1]", &[]),
            ("{\"a\":1,\"b\":2,\"c\":3,\"d\":4}", &[("a", "1"), ("b", "2"), ("c", "3")]),
        ] {
            assert_eq!(found(json), (pairs(expected), None), "{json}");
        }
    }
}
