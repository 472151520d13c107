//! `Range` (RFC 9110, section 14), one range of bytes.

use std::ops::Range;

use http::HeaderValue;

/// Which bytes a request wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) enum Wanted {
    /// The whole file. Also for units, syntax and sets of ranges that this server does not support,
    /// as the RFC allows.
    All,
    Part(Range<usize>),
    /// No byte: the range is outside the file.
    Nothing,
}

pub(in crate::api) fn parse(range: &HeaderValue, len: usize) -> Wanted {
    let wanted = || {
        let (unit, range) = range.to_str().ok()?.split_once('=')?;
        let (first, last) = range.trim().split_once('-')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = (number(first)?, number(last)?);
        match (first, last) {
            (Some(first), last) => {
                let end = last.map_or(len, |last| last.saturating_add(1)).min(len);
                match last {
                    Some(last) if last < first => None,
                    _ if first >= len => Some(Wanted::Nothing),
                    _ => Some(Wanted::Part(first..end)),
                }
            }
            // The given number of bytes at the end.
            (None, Some(0)) => Some(Wanted::Nothing),
            (None, Some(_)) if len == 0 => Some(Wanted::Nothing),
            (None, Some(many)) => Some(Wanted::Part(len.saturating_sub(many)..len)),
            (None, None) => None,
        }
    };
    wanted().unwrap_or(Wanted::All)
}

/// Parses one end of a range: `Some(None)` for an empty text, `None` if it is not a number.
fn number(text: &str) -> Option<Option<usize>> {
    if text.is_empty() {
        return Some(None);
    }
    // More digits than a number holds are beyond any end.
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| Some(text.parse().unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood_and_all_else_is_the_whole() {
        for (text, wanted) in [
            ("bytes=0-", Wanted::Part(0..100)),
            ("bytes=0-0", Wanted::Part(0..1)),
            ("Bytes = 10-19", Wanted::Part(10..20)),
            ("bytes=90-200", Wanted::Part(90..100)),
            ("bytes=0-99999999999999999999999", Wanted::Part(0..100)),
            ("bytes=-10", Wanted::Part(90..100)),
            ("bytes=-1000", Wanted::Part(0..100)),
            ("bytes=100-", Wanted::Nothing),
            ("bytes=99999999999999999999999-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=20-10", Wanted::All),
            ("bytes=0-1,5-6", Wanted::All),
            ("bytes=-", Wanted::All),
            ("bytes=a-b", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("rows=0-1", Wanted::All),
            ("0-1", Wanted::All),
            ("", Wanted::All),
        ] {
            assert_eq!(parse(&HeaderValue::from_str(text).unwrap(), 100), wanted, "{text:?}");
        }
        assert_eq!(parse(&HeaderValue::from_static("bytes=0-"), 0), Wanted::Nothing);
        assert_eq!(parse(&HeaderValue::from_static("bytes=-1"), 0), Wanted::Nothing);
        assert_eq!(parse(&HeaderValue::from_bytes(b"bytes=0-\xff").unwrap(), 9), Wanted::All);
    }
}
