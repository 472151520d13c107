//! Interprets incomplete postcodes, for autocomplete and search.

/// Returns whether JavaScript's `\s` and `trim`, which postcodes.io uses, treat a character as
/// white space.
pub(crate) fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

/// Returns the beginning of a postcode in capitals and without spaces, or `None` if no postcode can
/// begin like this.
#[cfg(any(feature = "dataset", feature = "http"))]
pub(crate) fn beginning(text: &str) -> Option<crate::postcode::Text<7>> {
    let mut beginning = crate::postcode::Text::new();
    for c in text.chars().filter(|c| !is_space(*c)).flat_map(char::to_uppercase) {
        if !c.is_ascii_alphanumeric() || !beginning.try_push(c as u8) {
            return None;
        }
    }
    Some(beginning)
}

/// Returns the ways to read a [`beginning`], in the order of postcodes: each split into an outcode
/// and the beginning of an incode, and the beginning of an outcode. `M11` begins M1 1AD and M11
/// 1AA.
#[cfg(feature = "http")]
pub(crate) fn readings(beginning: &str) -> impl Iterator<Item = String> {
    let cuts = (2..beginning.len().min(5)).filter_map(|at| beginning.split_at_checked(at));
    let is_split = |(outcode, rest): &(&str, &str)| {
        crate::Outcode::from_bytes(outcode.as_bytes()).is_some()
            && rest.starts_with(|c: char| c.is_ascii_digit())
    };
    let split = cuts.filter(is_split).map(|(outcode, rest)| format!("{outcode} {rest}"));
    split.chain(std::iter::once(beginning.to_owned()))
}

/// Returns the codes of all possible postcodes that each reading of a [`beginning`] begins, in the
/// same order as [`readings`]. The postcodes that begin with a text are neighbours in the order of
/// codes, so that no text needs to be compared.
#[cfg(feature = "dataset")]
pub(crate) fn codes(beginning: &[u8]) -> impl Iterator<Item = std::ops::Range<u32>> {
    use crate::postcode::{PER_OUTCODE, incodes_beginning, outcodes_beginning};
    let cuts = (2..beginning.len().min(5)).filter_map(|at| beginning.split_at_checked(at));
    let split = cuts.filter_map(|(outcode, rest)| {
        let start = crate::Outcode::from_bytes(outcode)?.code() * PER_OUTCODE;
        let incodes = incodes_beginning(rest)?;
        Some(start + incodes.start..start + incodes.end)
    });
    let outcodes = outcodes_beginning(beginning);
    split.chain(outcodes.map(|outcodes| outcodes.start * PER_OUTCODE..outcodes.end * PER_OUTCODE))
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
    }

    #[cfg(feature = "http")]
    #[test]
    fn readings_of_a_beginning_are_in_the_order_of_postcodes() {
        let all = |text| readings(text).collect::<Vec<_>>();
        assert_eq!(all("M11"), ["M1 1", "M11"]);
        assert_eq!(all("M111"), ["M1 11", "M11 1", "M111"]);
        assert_eq!(all("SW1A1A"), ["SW1A 1A", "SW1A1A"]);
        assert_eq!((all("M"), all("")), (vec!["M".to_owned()], vec![String::new()]));
    }

    /// Compares with the texts themselves: a code belongs to a reading if its postcode begins with
    /// it.
    #[cfg(all(feature = "http", feature = "dataset"))]
    #[test]
    fn codes_of_a_reading_are_those_of_the_postcodes_that_begin_with_it() {
        use crate::Postcode;
        let count = crate::postcode::PER_OUTCODE * crate::postcode::OUTCODES;
        let from = |text: &str| {
            let (mut low, mut high) = (0, count);
            while low < high {
                let middle = low + (high - low) / 2;
                match Postcode::from_code(middle) {
                    Some(postcode) if postcode.spaced().as_str() < text => low = middle + 1,
                    _ => high = middle,
                }
            }
            low
        };
        let mut rng = fastrand::Rng::with_seed(1);
        let chars = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        for n in 0..60_000 {
            let mut text: Vec<u8> = (0..n % 8).map(|_| chars[rng.usize(..chars.len())]).collect();
            if n % 3 > 0
                && let Some(postcode) = Postcode::from_code(rng.u32(..count))
            {
                let compact = postcode.compact();
                text = compact.as_bytes()[..(n % 8).min(compact.len())].to_vec();
            }
            let text = String::from_utf8(text).unwrap();
            // `~` sorts after every character of a postcode.
            let due: Vec<_> = readings(&text)
                .map(|text| from(&text)..from(&format!("{text}~")))
                .filter(|codes| !codes.is_empty())
                .collect();
            assert_eq!(codes(text.as_bytes()).collect::<Vec<_>>(), due, "{text}");
        }
    }
}
