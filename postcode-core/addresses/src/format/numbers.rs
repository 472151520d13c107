//! Which texts act as numbers, and which names end in one.

use super::style::{Keyword, Style};

/// Returns whether a whole name or sub-building acts as a building number: `1`, `1-2`, `12A`, `A`.
///
/// These are the exceptions I, II and III of Royal Mail's rules. A decimal or a text with a stroke does not (V).
///
/// ```
/// use postcode_addresses::format::acts_as_number;
///
/// assert!(acts_as_number("12A") && acts_as_number("1-2"));
/// assert!(!acts_as_number("Rose House") && !acts_as_number("4/2"));
/// ```
#[must_use]
pub fn acts_as_number(text: &str) -> bool {
    is_letter(text) || (is_numeric(text) && !is_decimal_or_stroke(text))
}

/// Returns whether a text is a single letter (exception III).
pub(super) fn is_letter(text: &str) -> bool {
    matches!(text.as_bytes(), [letter] if letter.is_ascii_alphabetic())
}

/// Returns whether a text starts with a digit and ends with one, or with one and a letter (exceptions I and II).
pub(super) fn is_numeric(text: &str) -> bool {
    match text.as_bytes() {
        [only] => only.is_ascii_digit(),
        [first, .., before, last] => {
            first.is_ascii_digit()
                && (last.is_ascii_digit() || (before.is_ascii_digit() && last.is_ascii_alphabetic()))
        }
        [first, last] => first.is_ascii_digit() && last.is_ascii_alphanumeric(),
        [] => false,
    }
}

/// Returns whether a text is a decimal number or contains a stroke (exception V).
fn is_decimal_or_stroke(text: &str) -> bool {
    text.contains('/')
        || text.split_once('.').is_some_and(|(whole, part)| {
            let digits = |half: &str| !half.is_empty() && half.bytes().all(|byte| byte.is_ascii_digit());
            digits(whole) && digits(part)
        })
}

/// Splits a building name into its words and the number at its end, if the style writes that number in front of the
/// street: `Rose House 18A`, but neither `Centre 30` nor `Rose House Unit 18A`.
pub(super) fn split_name(name: &str, style: Style) -> Option<(&str, &str)> {
    let (rest, last) = name.trim_end().rsplit_once(' ')?;
    let rest = rest.trim_end();
    if rest.is_empty() {
        return None;
    }
    let number = if is_letter(last) {
        style.splits_letters()
    } else {
        is_numeric(last) && !is_plain_number(last) && (style.splits_decimals() || !is_decimal_or_stroke(last))
    };
    (number && !takes_the_number(rest, style)).then_some((rest, last))
}

/// Returns whether a text is a number from 0 to 9999, which stays with its name.
fn is_plain_number(text: &str) -> bool {
    text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Words that take a number, so that it belongs to them and not to the street (exception IV).
const KEYWORDS: [&str; 15] = [
    "BACK OF",
    "BLOCK",
    "BLOCKS",
    "BUILDING",
    "MAISONETTE",
    "MAISONETTES",
    "REAR OF",
    "SHOP",
    "SHOPS",
    "STALL",
    "STALLS",
    "SUITE",
    "SUITES",
    "UNIT",
    "UNITS",
];

/// Returns whether the words of a name before its last one hold a keyword at the place where the style looks for it.
fn takes_the_number(words: &str, style: Style) -> bool {
    let found = |keyword: &str| match style.keyword() {
        Keyword::First => starts_with_words(words, keyword),
        Keyword::Anywhere => words
            .char_indices()
            .filter(|&(at, _)| at == 0 || words.as_bytes()[at - 1] == b' ')
            .any(|(at, _)| starts_with_words(&words[at..], keyword)),
        Keyword::Last => words
            .len()
            .checked_sub(keyword.len())
            .filter(|&at| words.is_char_boundary(at) && (at == 0 || words.as_bytes()[at - 1] == b' '))
            .is_some_and(|at| words[at..].eq_ignore_ascii_case(keyword)),
    };
    KEYWORDS.iter().chain(style.more_keywords()).any(|keyword| found(keyword))
}

/// Returns whether a text starts with these words, and the last of them is a whole word.
fn starts_with_words(text: &str, words: &str) -> bool {
    text.get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words))
        && text[words.len()..].bytes().next().is_none_or(|next| next == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_act_as_numbers_are_told_from_others() {
        for text in ["1", "12", "1-2", "100:1", "1to1", "12A", "1-2B", "12a", "A", "z", "1Exception 1"] {
            assert!(acts_as_number(text), "{text}");
        }
        for text in ["", "AB", "A1", "1.2", "85/1", "3/2", "20GF", "Rose House", "1 Rose House", "É", "½"] {
            assert!(!acts_as_number(text), "{text}");
        }
    }

    #[test]
    fn name_is_split_only_before_a_number_of_its_own() {
        let split = |name| split_name(name, Style::Guide);
        assert_eq!(split("Rose House 18A"), Some(("Rose House", "18A")));
        assert_eq!(split("Rose House 7-9"), Some(("Rose House", "7-9")));
        assert_eq!(split("Centre 12345"), Some(("Centre", "12345")));
        for name in [
            "18A",
            "Rose House",
            "Centre 30",
            "Rose House Unit 18A",
            "Flat 1A",
            "PO Box 1A",
            "Ash Court B",
            "Ash House 1.0",
            "Ash House 1/0",
            " 18A",
        ] {
            assert_eq!(split(name), None, "{name}");
        }
    }

    #[test]
    fn keyword_counts_where_the_style_looks_for_it() {
        let keeps = |name, style| split_name(name, style).is_none();
        for (name, guide, ideal, dvla) in [
            ("Unit 18A", true, true, true),
            ("Rose House Unit 18A", true, false, true),
            ("Unit Trust House 18A", false, true, true),
            ("Unity House 18A", false, false, false),
            ("Rear Of 5A", true, true, true),
            ("Flat 18A", true, false, true),
            ("Community 18A", false, false, false),
        ] {
            assert_eq!(
                [keeps(name, Style::Guide), keeps(name, Style::Ideal), keeps(name, Style::Dvla)],
                [guide, ideal, dvla],
                "{name}"
            );
        }
    }
}
