//! Interprets incomplete postcodes, for autocomplete and search.

/// Returns whether JavaScript's `\s` and `trim`, which postcodes.io uses, treat a character as
/// white space.
pub(crate) fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

/// Returns the beginning of a postcode in capitals and without spaces, or `None` if no postcode can
/// begin like this.
#[cfg(any(feature = "dataset", feature = "http"))]
pub(crate) fn beginning(text: &str) -> Option<String> {
    /// The longest postcode without its space.
    const LONGEST: usize = 7;
    let text = text.chars().filter(|c| !is_space(*c)).collect::<String>().to_uppercase();
    (text.len() <= LONGEST && text.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(text)
}

/// Returns the ways to read a [`beginning`], in the order of postcodes: each split into an outcode
/// and the beginning of an incode, and the beginning of an outcode. `M11` begins M1 1AD and M11
/// 1AA.
#[cfg(any(feature = "dataset", feature = "http"))]
pub(crate) fn readings(beginning: &str) -> impl Iterator<Item = String> {
    let cuts = (2..beginning.len().min(5)).filter_map(|at| beginning.split_at_checked(at));
    let is_split = |(outcode, rest): &(&str, &str)| {
        crate::Outcode::from_bytes(outcode.as_bytes()).is_some()
            && rest.starts_with(|c: char| c.is_ascii_digit())
    };
    let split = cuts.filter(is_split).map(|(outcode, rest)| format!("{outcode} {rest}"));
    split.chain(std::iter::once(beginning.to_owned()))
}

#[cfg(all(test, any(feature = "dataset", feature = "http")))]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_has_letters_and_digits_only() {
        assert_eq!(beginning(" sw1\u{a0}a ").as_deref(), Some("SW1A"));
        assert_eq!(beginning("\u{feff}\t").as_deref(), Some(""));
        assert_eq!(beginning("SW1A 1AA").as_deref(), Some("SW1A1AA"));
        for none in ["SW1A 1AAA", "SW1-", "é", "\u{85}", "ﬁ%"] {
            assert_eq!(beginning(none), None, "{none:?}");
        }
        let all = |text| readings(text).collect::<Vec<_>>();
        assert_eq!(all("M11"), ["M1 1", "M11"]);
        assert_eq!(all("M111"), ["M1 11", "M11 1", "M111"]);
        assert_eq!(all("SW1A1A"), ["SW1A 1A", "SW1A1A"]);
        assert_eq!((all("M"), all("")), (vec!["M".to_owned()], vec![String::new()]));
    }
}
