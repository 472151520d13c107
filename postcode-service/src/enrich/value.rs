//! The values of added columns, and how they are written.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// A value of a column; missing for a row without an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Value<'a> {
    None,
    Text(Cow<'a, str>),
    Number(u64),
    Degrees(f64),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Degrees(degrees) => match Degrees::of(*degrees) {
                Some(text) => f.write_str(text.as_str()),
                None => degrees.fmt(f),
            },
        }
    }
}

impl Value<'_> {
    /// Writes degrees as they are shown.
    pub(super) fn degrees(degrees: f64, out: &mut Vec<u8>) {
        match Degrees::of(degrees) {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None => out.extend_from_slice(degrees.to_string().as_bytes()),
        }
    }
}

/// The text of degrees that are whole millionths, as all in a dataset are. It is what `f64` would show, many times faster.
struct Degrees {
    bytes: [u8; Self::LEN],
    start: usize,
    end: usize,
}

impl Degrees {
    /// A sign, four digits, a point and six digits.
    const LEN: usize = 12;

    /// `None` for other numbers.
    fn of(degrees: f64) -> Option<Self> {
        let millionths = (degrees * 1e6).round();
        // Only then the number is the nearest one to those digits.
        let is_whole = millionths / 1e6 == degrees && millionths.abs() < 1e9 && millionths != 0.0;
        let mut rest = is_whole.then_some(millionths.abs() as u32)?;
        let (mut bytes, mut start, mut end) = ([b'0'; Self::LEN], Self::LEN, Self::LEN);
        for place in 0.. {
            if place == 6 {
                // Without a fraction there is no point.
                if end > start {
                    start -= 1;
                    bytes[start] = b'.';
                }
            } else if place > 6 && rest == 0 {
                break;
            }
            start -= 1;
            bytes[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            // Zeros at the end are not written.
            if place < 6 && end == start + 1 && bytes[start] == b'0' {
                end = start;
            }
        }
        if degrees < 0.0 {
            start -= 1;
            bytes[start] = b'-';
        }
        Some(Self { bytes, start, end })
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_written_as_numbers_are() {
        let mut shown = 0;
        let steps =
            (-9_000_000..62_000_000).step_by(7_919).chain(-1_000..1_000).chain([61_000_000, -7_570_500]);
        for millionths in steps {
            let degrees = f64::from(millionths) / 1e6;
            assert_eq!(Value::Degrees(degrees).to_string(), degrees.to_string());
            shown += u32::from(Degrees::of(degrees).is_some());
        }
        assert!(shown > 10_000, "{shown}");
        for other in [0.0, -0.0, 1e-7, 51.123_456_7, 1e9, f64::NAN, f64::INFINITY] {
            assert_eq!(Value::Degrees(other).to_string(), other.to_string());
        }
    }
}
