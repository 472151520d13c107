//! Halves of surrogate pairs, which JavaScript allows in a string and Rust does not.

/// Replaces each escape that is only half of a surrogate pair with U+FFFD. Returns `None` if the JSON has no such escape.
pub(super) fn replaced(json: &[u8]) -> Option<Vec<u8>> {
    let (mut replaced, mut at) = (None::<Vec<u8>>, 0);
    while let Some(found) = json.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        at += found;
        let rest = json.get(at..).unwrap_or_default();
        at += match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                if let Some(escape) = replaced.get_or_insert_with(|| json.to_vec()).get_mut(at..at + 6) {
                    escape.copy_from_slice(b"\\ufffd");
                }
                6
            }
            // Also a backslash that is escaped.
            _ => 2,
        };
    }
    replaced
}

/// Returns the code unit of the escape that a text begins with.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    let digits =
        std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    u16::from_str_radix(digits?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_pair_becomes_the_replacement_character() {
        for (json, expected) in [
            (r#"["\ud800"]"#, Some(r#"["\ufffd"]"#)),
            (r#"["\uDC00a\uD83D\uDE00"]"#, Some(r#"["\ufffda\uD83D\uDE00"]"#)),
            (r#"["\ud800\ud800\udc00"]"#, Some(r#"["\ufffd\ud800\udc00"]"#)),
            (r#"["\ud83d\ude00"]"#, None),
            (r#"["\\ud800"]"#, None),
            (r#"["\u+800 \ud8"#, None),
            ("\\", None),
        ] {
            assert_eq!(replaced(json.as_bytes()), expected.map(|text| text.as_bytes().to_vec()), "{json}");
        }
    }
}
