//! Texts as they are searched: without differences that people don't type or don't see.

use unicode_normalization::UnicodeNormalization;

/// Returns whether a character is an accent of Latin, Greek or Cyrillic letters. Marks of other
/// scripts are vowels, without which names would be confused.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Folds case, accents, Unicode forms (NFC, NFD, ligatures, full width) and apostrophes, and drops
/// invisible characters: `JOSÉ`, `José` and `Jose` are one text, and so are `O’Brien` and `o'brien`.
pub(crate) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let kept = text.nfkd().filter(|c| !is_accent(*c) && !is_invisible(*c));
    for c in kept.flat_map(char::to_lowercase) {
        match c {
            '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{02bb}' | '\u{02bc}' | '`' | '´' => folded.push('\''),
            '\u{2010}'..='\u{2015}' => folded.push('-'),
            // Letters that have no decomposition.
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ł' => folded.push('l'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            c if is_accent(c) => {}
            c => folded.push(c),
        }
    }
    folded
}

/// Returns whether a character has no width and comes along when text is copied: what is ignored in
/// postcodes, and the zero-width space.
pub(crate) fn is_invisible(c: char) -> bool {
    c == '\u{200b}' || postcode_core::text::is_invisible(c)
}

/// Removes invisible characters. Joiners stay after letters other than ASCII, because some scripts
/// need them.
pub(crate) fn visible(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        let joins = matches!(c, '\u{200c}' | '\u{200d}')
            && kept.chars().next_back().is_some_and(|before| !before.is_ascii());
        if joins || !is_invisible(c) {
            kept.push(c);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_people_take_for_the_same_are_folded_to_one() {
        for (one, other) in [
            ("José", "Jose\u{301}"),
            ("JOSÉ", "jose"),
            ("O’Brien", "O'BRIEN"),
            ("O\u{2bc}Brien", "o`brien"),
            ("Weiß", "WEISS"),
            ("Łukasz Ørsted", "lukasz orsted"),
            ("ﬁona", "Fiona"),
            ("Ａｄａ", "Ada"),
            ("Anne\u{2011}Marie", "anne-marie"),
            ("\u{202a}Ada\u{202c}", "Ada"),
            ("İpek", "ipek"),
        ] {
            assert_eq!(folded(one), folded(other), "{one:?} {other:?}");
        }
        assert_ne!(folded("Jon"), folded("John"));
        // Folding a folded text changes nothing.
        for text in ["José O’Brien", "Weiß", "李小龍", "Ελλάδα", "می‌خواهم"] {
            assert_eq!(folded(&folded(text)), folded(text));
        }
    }

    #[test]
    fn invisible_characters_are_removed_and_joiners_of_other_scripts_kept() {
        assert_eq!(visible("\u{202a}+44 20\u{ad}7946\u{202c}\u{feff}"), "+44 207946");
        assert_eq!(visible("Ada\u{200d} \u{200b}L"), "Ada L");
        assert_eq!(visible("می\u{200c}خواهم"), "می\u{200c}خواهم");
    }
}
