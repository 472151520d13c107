//! Numbers as programs print them.

/// Returns the whole number that a text says, also written as a spreadsheet or pandas prints it: `199606`, `199606.0`,
/// `1.99606e5`. `None` for anything else, a fraction, or a number from 2^53 on.
pub fn whole(text: &[u8]) -> Option<u64> {
    // The usual case, without the detour over a float.
    if !text.is_empty() && text.len() <= 15 && text.iter().all(u8::is_ascii_digit) {
        return Some(text.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')));
    }
    let number = decimal(text)?;
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && (0.0..LIMIT).contains(&number)).then_some(number as u64)
}

/// Returns the number that a text says, in decimal or scientific notation: `-0.000037`, `-3.7e-05`. `None` for anything else,
/// also for `nan`, `inf` and what is too large.
pub fn decimal(text: &[u8]) -> Option<f64> {
    let plain = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
    let any = text.iter().any(u8::is_ascii_digit);
    if !any || text.len() > 40 || !text.iter().all(plain) {
        return None;
    }
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_pandas_prints_them() {
        assert_eq!((whole(b"199606"), whole(b"199606.0")), (Some(199_606), Some(199_606)));
        assert_eq!((whole(b"1.99606e+05"), whole(b"0")), (Some(199_606), Some(0)));
        assert_eq!(decimal(b"-3.7e-05"), Some(-0.000037));
        for wrong in ["", "1.5", "-1", "nan", "1e300", "0x10", "1 000", "."] {
            assert_eq!(whole(wrong.as_bytes()), None, "{wrong}");
        }
        for wrong in ["", "nan", "inf", "e", "1e999", "1,5", "-"] {
            assert_eq!(decimal(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
