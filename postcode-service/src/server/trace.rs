//! Links a request to its caller's: request id and W3C trace context.

use std::ops::Range;

use http::{HeaderMap, HeaderValue};
use postcode_core::wire::REQUEST_ID_HEADER;

use crate::api::RequestId;

/// The longest request id that is taken over, in bytes.
const MAX_ID: usize = 128;

/// Returns the caller's id if it has 1 to 128 visible ASCII characters; else a new one.
pub(super) fn request_id(headers: &HeaderMap) -> RequestId {
    let given = headers.get(REQUEST_ID_HEADER).and_then(|value| value.to_str().ok());
    let usable = |id: &&str| (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    match given.filter(usable) {
        Some(id) => RequestId(id.to_owned()),
        None => {
            let mut id = [0; 32];
            write_hex(fastrand::u128(..), &mut id);
            RequestId(id.iter().copied().map(char::from).collect())
        }
    }
}

/// `traceparent` of W3C Trace Context level 1: `00-<trace id>-<parent id>-<flags>`, with our own span
/// as the parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trace([u8; 55]);

impl Trace {
    /// Continues the caller's trace. Starts a new one, not sampled, if it has none or an invalid
    /// one.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        let given = headers.get("traceparent").and_then(|value| value.to_str().ok()).and_then(parse);
        match given {
            Some((id, flags)) => {
                text[ID].copy_from_slice(id.as_bytes());
                text[53..].copy_from_slice(flags.as_bytes());
            }
            None => write_hex(fastrand::u128(1..), &mut text[ID]),
        }
        // The parent id of a span must not be zero.
        write_hex(fastrand::u64(1..).into(), &mut text[36..52]);
        Self(text)
    }

    /// Returns the trace id, 32 hexadecimal digits.
    pub(super) fn id(&self) -> &str {
        std::str::from_utf8(&self.0[ID]).unwrap_or_default()
    }

    /// Returns the header for the response.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_bytes(&self.0).ok()
    }
}

/// Where the trace id is.
const ID: Range<usize> = 3..35;

/// Writes the lowest digits of a number in hexadecimal. Several times faster than `format!`.
fn write_hex(mut number: u128, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

/// Trace id and flags.
fn parse(text: &str) -> Option<(&str, &str)> {
    let hex = |part: &str, len: usize| {
        part.len() == len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let zero = |part: &str| part.bytes().all(|b| b == b'0');
    let mut parts = text.split('-');
    let (version, id, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    // A later version may have more parts, and is read as this one.
    let more = parts.next().is_some();
    let valid = hex(version, 2)
        && version != "ff"
        && (!more || version != "00")
        && hex(id, 32)
        && !zero(id)
        && hex(parent, 16)
        && !zero(parent)
        && hex(flags, 2);
    valid.then_some((id, flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn a_sensible_id_is_kept_and_any_other_replaced() {
        assert_eq!(request_id(&headers(REQUEST_ID_HEADER, "abc-1")).0, "abc-1");
        for id in ["", "a b", &"x".repeat(129)] {
            assert_eq!(request_id(&headers(REQUEST_ID_HEADER, id)).0.len(), 32, "{id}");
        }
        assert_eq!(request_id(&HeaderMap::new()).0.len(), 32);
    }

    #[test]
    fn a_trace_is_continued_or_begun() {
        const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        let trace = Trace::of(&headers("traceparent", &format!("00-{ID}-00f067aa0ba902b7-01")));
        let header = trace.header().unwrap();
        let header = header.to_str().unwrap();
        assert!(header.starts_with(&format!("00-{ID}-")) && header.ends_with("-01"), "{header}");
        assert!(!header.contains("00f067aa0ba902b7"), "the span is ours");
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert_ne!(Trace::of(&headers("traceparent", bad)).id(), ID, "{bad}");
        }
    }
}
