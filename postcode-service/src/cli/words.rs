//! Postcodes as they are typed in a shell, with or without quotes.

/// Joins neighbouring arguments that are the two halves of one postcode, so that `lookup SW1A 1AA`
/// needs no quotes.
///
/// Two arguments are one postcode if the first has two to four letters and digits, beginning with a
/// letter, and the second is three: a digit and then two letters or digits. No whole postcode is so
/// short, so arguments that are whole postcodes stay as they are. A comma between two postcodes is
/// removed.
pub(super) fn postcodes(arguments: &[String]) -> Vec<String> {
    let mut joined = Vec::with_capacity(arguments.len());
    let mut rest = arguments;
    while let [first, after @ ..] = rest {
        rest = after;
        match after {
            [second, after @ ..] if is_first_half(first) && is_second_half(second) => {
                joined.push(format!("{} {}", first.trim(), without_comma(second)));
                rest = after;
            }
            [_, ..] if first.ends_with(',') => joined.push(without_comma(first).to_owned()),
            _ => joined.push(first.clone()),
        }
    }
    joined
}

fn is_first_half(text: &str) -> bool {
    let text = text.trim();
    (2..=4).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Returns a text without the comma that separates it from the next one.
fn without_comma(text: &str) -> &str {
    let trimmed = text.trim();
    trimmed.strip_suffix(',').map_or(trimmed, str::trim_end)
}

fn is_second_half(text: &str) -> bool {
    let text = without_comma(text);
    text.len() == 3
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::postcodes;

    fn joined(arguments: &[&str]) -> Vec<String> {
        postcodes(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn halves_are_joined_and_whole_postcodes_stay() {
        assert_eq!(joined(&["SW1A", "1AA"]), ["SW1A 1AA"]);
        assert_eq!(joined(&["sw1a", "1aa", "EH1", "1YZ"]), ["sw1a 1aa", "EH1 1YZ"]);
        assert_eq!(joined(&["EH11YZ", "M1", "1AE", "SW1A 1AA"]), ["EH11YZ", "M1 1AE", "SW1A 1AA"]);
        assert_eq!(joined(&["M11AE", "M11AF"]), ["M11AE", "M11AF"]);
        // A typing error in the first half: the answer can say what was meant.
        assert_eq!(joined(&["SWIA", "1AA"]), ["SWIA 1AA"]);
    }

    #[test]
    fn comma_after_a_postcode_is_removed() {
        assert_eq!(joined(&["SW1A", "1AA,", "EH1", "1YZ"]), ["SW1A 1AA", "EH1 1YZ"]);
        assert_eq!(joined(&["SW1A", "1AA,"]), ["SW1A 1AA"]);
        assert_eq!(joined(&["EH11YZ,", "SW1A 1AA,", "M11AE"]), ["EH11YZ", "SW1A 1AA", "M11AE"]);
        assert_eq!(joined(&["SW1A,", "1AA"]), ["SW1A", "1AA"]);
    }

    #[test]
    fn what_is_not_two_halves_stays_apart() {
        for arguments in [
            &["SW1A"][..],
            &["1AA", "SW1A"],
            &["SW1A", "EH1"],
            &["SW1A1AA", "1AA"],
            &["SW1A", "AA1"],
            &["-", "1AA"],
            &["SW1A", "1A"],
            &["é1", "1AA"],
            &[],
        ] {
            assert_eq!(joined(arguments), arguments, "{arguments:?}");
        }
    }
}
