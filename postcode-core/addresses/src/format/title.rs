//! Title case for sources that have capital letters only, such as the mainfile.

use crate::model::Address;

/// Words that are small between other words.
const SMALL: [&str; 26] = [
    "and", "ar", "at", "by", "cum", "de", "du", "en", "for", "in", "la", "le", "next", "of", "on", "over",
    "super", "sur", "the", "to", "under", "upon", "with", "y", "yn", "yr",
];

/// Words that stay in capitals although they have a vowel.
const CAPITALS: [&str; 20] = [
    "AA", "BFPO", "BUPA", "EU", "HMRC", "ICI", "IOM", "IT", "MOD", "NATO", "PO", "RAC", "RAF", "RSPCA", "TA",
    "UK", "UPS", "US", "USA", "YMCA",
];

/// Words without a vowel that are not initials.
const WORDS: [&str; 22] = [
    "BLVD", "BR", "CL", "CRT", "CT", "DR", "FT", "GDNS", "LN", "LTD", "MR", "MRS", "MS", "MT", "NR", "PLC",
    "PL", "RD", "SQ", "ST", "STS", "TWR",
];

/// Returns whether a text has letters, and no lower-case ones.
///
/// ```
/// use postcode_addresses::format::is_upper_case;
///
/// assert!(is_upper_case("12A ASH ROAD"));
/// assert!(!is_upper_case("Ash Road") && !is_upper_case("12"));
/// ```
#[must_use]
pub fn is_upper_case(text: &str) -> bool {
    text.chars().any(char::is_alphabetic) && !text.chars().any(char::is_lowercase)
}

/// Returns a text of capital letters in title case: `MCDONALD CLOSE` becomes `McDonald Close`, and `ST MARYS C OF E
/// SCHOOL` becomes `St Marys C of E School`.
///
/// No field of a file says which words are names, so this is a guess by rules. A text with a lower-case letter is
/// returned as it is.
///
/// ```
/// use postcode_addresses::format::title_case;
///
/// assert_eq!(title_case("MCDONALD CLOSE"), "McDonald Close");
/// assert_eq!(title_case("deVere Court"), "deVere Court"); // has lower-case letters
/// ```
#[must_use]
pub fn title_case(text: &str) -> String {
    if !is_upper_case(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let parts: Vec<&str> = text.split_inclusive([' ', '-']).collect();
    for (at, part) in parts.iter().enumerate() {
        let word = part.trim_end_matches([' ', '-']);
        let between = at > 0 && at + 1 < parts.len();
        word_in_title_case(word, between, &mut out);
        out.push_str(&part[word.len()..]);
    }
    out
}

/// Puts the elements of an address into title case if none of them has a lower-case letter. The post town and the
/// postcode stay in capitals.
///
/// ```
/// use postcode_addresses::{Address, format::title_case_address};
///
/// let mut address = Address { thoroughfare: "ASH ROAD".into(), post_town: "EXAMPLETON".into(), ..Address::default() };
/// title_case_address(&mut address);
/// assert_eq!((&*address.thoroughfare, &*address.post_town), ("Ash Road", "EXAMPLETON"));
/// ```
pub fn title_case_address(address: &mut Address) {
    let elements =
        |address: &Address| address.texts()[..10].iter().all(|text| !text.chars().any(char::is_lowercase));
    if !elements(address) {
        return;
    }
    for (at, text) in address.texts_mut().into_iter().enumerate() {
        // The PO Box is the third of the texts. Post town, postcode and suffix come last.
        if at < 10 && at != 2 && !text.is_empty() {
            *text = title_case(text);
        }
    }
}

fn word_in_title_case(word: &str, between: bool, out: &mut String) {
    let Some(first) = word.find(char::is_alphabetic) else {
        out.push_str(word);
        return;
    };
    // Brackets and quotation marks around the word.
    let end = word
        .char_indices()
        .rev()
        .find(|&(_, letter)| letter.is_alphanumeric())
        .map_or(word.len(), |(at, letter)| at + letter.len_utf8());
    let start = word.find(char::is_alphanumeric).unwrap_or(first);
    let core = &word[start..end];
    out.push_str(&word[..start]);
    core_in_title_case(core, between && start == 0 && end == word.len(), out);
    out.push_str(&word[end..]);
}

fn core_in_title_case(core: &str, between: bool, out: &mut String) {
    if core.starts_with(|first: char| first.is_ascii_digit()) {
        let digits = core.trim_start_matches(|digit: char| digit.is_ascii_digit());
        if matches!(digits, "ST" | "ND" | "RD" | "TH") {
            out.push_str(&core[..core.len() - digits.len()]);
            out.push_str(&digits.to_ascii_lowercase());
        } else {
            // Numbers with suffixes and Scottish flats: 12A, 2F2.
            out.push_str(core);
        }
        return;
    }
    let lower = core.to_lowercase();
    if between && SMALL.contains(&lower.as_str()) {
        out.push_str(&lower);
    } else if core.bytes().any(|byte| byte.is_ascii_digit())
        || CAPITALS.contains(&core)
        || is_roman(core)
        || (is_initials(core) && !WORDS.contains(&core))
    {
        out.push_str(core);
    } else if let Some((before, after)) = core.split_once(['\'', '\u{2019}']) {
        let mark = &core[before.len()..core.len() - after.len()];
        if before.chars().count() == 1 && after.chars().count() > 2 {
            // O'Neill, D'Arcy.
            out.push_str(before);
            out.push_str(mark);
            capitalise(after, out);
        } else {
            capitalise(before, out);
            out.push_str(mark);
            out.push_str(&after.to_lowercase());
        }
    } else if let Some(name) = core.strip_prefix("MC")
        && name.chars().count() > 2
    {
        out.push_str("Mc");
        capitalise(name, out);
    } else {
        capitalise(core, out);
    }
}

/// Writes a word with a capital letter in front. Letters after a stroke, a full stop or an ampersand are capital too.
fn capitalise(word: &str, out: &mut String) {
    let mut start = true;
    for letter in word.chars() {
        if start {
            out.push(letter);
        } else {
            out.extend(letter.to_lowercase());
        }
        start = !letter.is_alphanumeric() && !matches!(letter, '\'' | '\u{2019}');
    }
}

/// Returns whether a word is a Roman number from 2 to 39.
fn is_roman(word: &str) -> bool {
    let rest = word
        .strip_prefix("XXX")
        .or_else(|| word.strip_prefix("XX"))
        .or_else(|| word.strip_prefix('X'))
        .unwrap_or(word);
    word.len() > 1 && matches!(rest, "" | "I" | "II" | "III" | "IV" | "V" | "VI" | "VII" | "VIII" | "IX")
}

/// Returns whether a word has two to five letters, none of which is a vowel. In Welsh W and Y are vowels.
fn is_initials(word: &str) -> bool {
    (2..=5).contains(&word.len())
        && word.bytes().all(|byte| {
            byte.is_ascii_uppercase() && !matches!(byte, b'A' | b'E' | b'I' | b'O' | b'U' | b'W' | b'Y')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_become_title_case() {
        for expected in [
            "McDonald Close",
            "St Marys C of E School",
            "Stoke-on-Trent",
            "Henry VIII Drive",
            "O'Neill Court",
            "St Mary's Road",
            "(Smith)",
            "The \"Old\" Smithy",
            "12A",
            "Flat 2F2",
            "1st Floor Flat",
            "Example Bakery Ltd",
            "NHS Trust",
            "Pen-y-Bont",
            "The Strand",
            "Block Y",
            "Café Zoë",
            "Bryn Glas",
            "Unit 7",
            "A1 Cars",
            "Smith & Jones",
            "Mac Road",
            "GF1",
            "Bank of the Isles",
        ] {
            assert_eq!(title_case(&expected.to_uppercase()), expected);
        }
        assert_eq!(title_case("already Written"), "already Written");
        assert_eq!(title_case(""), "");
    }

    #[test]
    fn post_town_stays_in_capitals() {
        let mut address = Address {
            organisation: "EXAMPLE BAKERY".into(),
            thoroughfare: "ASH ROAD".into(),
            post_town: "EXAMPLETON".into(),
            postcode: "ZZ1 1ZZ".into(),
            ..Address::default()
        };
        title_case_address(&mut address);
        assert_eq!(
            (address.organisation.as_str(), address.thoroughfare.as_str()),
            ("Example Bakery", "Ash Road")
        );
        assert_eq!((address.post_town.as_str(), address.postcode.as_str()), ("EXAMPLETON", "ZZ1 1ZZ"));
    }
}
