//! The writing of postcodes.

/// Writes a postcode with one blank before its last three characters. Returns whether it is written like a postcode.
pub(crate) fn put(bytes: &[u8], postcode: &mut String) -> bool {
    postcode.clear();
    let mut letters = [0_u8; 7];
    let mut count = 0;
    for byte in bytes.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        let Some(place) = letters.get_mut(count) else { return false };
        *place = byte.to_ascii_uppercase();
        count += 1;
    }
    let split = letters.get(..count).and_then(|letters| letters.split_at_checked(count.checked_sub(3)?));
    let Some((outward, inward)) = split else { return false };
    let valid = (2..=4).contains(&outward.len())
        && outward[0].is_ascii_uppercase()
        && outward.iter().all(u8::is_ascii_alphanumeric)
        && outward.iter().any(u8::is_ascii_digit)
        && matches!(inward, [digit, a, b] if digit.is_ascii_digit() && a.is_ascii_uppercase() && b.is_ascii_uppercase());
    if valid {
        postcode.extend(outward.iter().map(|&byte| char::from(byte)));
        postcode.push(' ');
        postcode.extend(inward.iter().map(|&byte| char::from(byte)));
    }
    valid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postcodes_are_written_with_one_blank() {
        let mut postcode = String::new();
        for (text, expected) in
            [("co100ab", "CO10 0AB"), ("E1  6AN", "E1 6AN"), ("EH3 6SY", "EH3 6SY"), ("W1A0AX", "W1A 0AX")]
        {
            assert!(put(text.as_bytes(), &mut postcode));
            assert_eq!(postcode, expected);
        }
        for text in ["", "CO10", "0AB", "CO10 0ABX", "12345", "CO10 AAB", "ÉH3 6SY", "ABCD 1AA"] {
            assert!(!put(text.as_bytes(), &mut postcode), "{text}");
        }
    }
}
