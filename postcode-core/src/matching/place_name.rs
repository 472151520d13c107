//! Compares the names of places like postcodes.io, which uses PostgreSQL's full-text search and
//! `unaccent`.

use crate::matching::prefix::is_space;

/// A parsed search text.
#[derive(Debug)]
pub(crate) struct Query {
    /// The words that must be adjacent in the name.
    pub(crate) phrase: Vec<String>,
    /// The text that a name may begin with instead.
    pub(crate) prefix: String,
}

impl Query {
    /// Parses a search text. Returns `None` for a blank text, which finds nothing.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let text = text.trim_matches(is_space);
        if text.is_empty() {
            return None;
        }
        let text: String =
            text.chars().filter(|c| *c != '\'').map(|c| if c == '-' { ' ' } else { c }).collect();
        Some(Self { phrase: words(&text), prefix: folded(&text) })
    }

    /// Returns how well a name with these words matches, or `None` if it does not contain the
    /// phrase. More occurrences and fewer other words rank higher (`ts_rank_cd` with normalisation
    /// 1).
    pub(crate) fn rank(&self, words: &[String]) -> Option<f64> {
        let length = self.phrase.len();
        if length == 0 || words.len() < length {
            return None;
        }
        let found = words.windows(length).filter(|window| *window == self.phrase).count();
        (found > 0).then(|| found as f64 / (words.len() as f64 + 1.0).log2())
    }
}

/// Returns the words of a name in lower case. A hyphenated word is followed by its parts.
pub(crate) fn words(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let mut words = Vec::new();
    for joined in lower.split(|c: char| !c.is_alphanumeric() && c != '-') {
        let parts: Vec<&str> = joined.split('-').filter(|part| !part.is_empty()).collect();
        if parts.len() > 1 {
            words.push(parts.join("-"));
        }
        words.extend(parts.into_iter().map(str::to_owned));
    }
    words
}

/// Returns a name in lower case, without accents, apostrophes and hyphens.
pub(crate) fn folded(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for c in name.chars().flat_map(char::to_lowercase).map(without_accent) {
        match c {
            '\'' => {}
            '-' => folded.push(' '),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ß' => folded.push_str("ss"),
            c => folded.push(c),
        }
    }
    folded
}

/// Returns the words of a name as `find_places` compares them: in lower case, without accents and
/// apostrophes, split at everything that is not a letter or digit.
pub(crate) fn plain_words(name: &str) -> Vec<String> {
    // Accents that are written as separate characters.
    let name: String = name.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).collect();
    let folded = folded(&name.replace('&', " and ").replace('\u{2bc}', "'"));
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| if word == "saint" { "st".to_owned() } else { word.to_owned() }).collect()
}

/// Returns how many typing errors a word may have. 0 if it has more different letters than any
/// name: it can't be a mistyped name, and the matcher's memory grows with their number.
pub(crate) fn tolerance(word: &str) -> u8 {
    const LETTERS: usize = 32;
    let mut letters: Vec<char> = word.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    if letters.len() > LETTERS {
        return 0;
    }
    match word.chars().count() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

/// Returns the letter without its accent, for the accents of Welsh, Gaelic, Scots, Cornish and
/// Jèrriais names and similar ones.
pub(crate) fn without_accent(c: char) -> char {
    match c {
        'à'..='å' | 'ā' => 'a',
        'ç' => 'c',
        'è'..='ë' | 'ē' => 'e',
        'ì'..='ï' | 'ī' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' | 'ō' => 'o',
        'ù'..='ü' | 'ū' => 'u',
        'ẁ' | 'ẃ' | 'ẅ' | 'ŵ' => 'w',
        'ý' | 'ÿ' | 'ỳ' | 'ŷ' => 'y',
        '’' | '‘' => '\'',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(name: &str, text: &str) -> Option<f64> {
        Query::of(text).and_then(|query| query.rank(&words(name)))
    }

    #[test]
    fn words_stand_side_by_side() {
        assert_eq!(words("Llwyn-y-groes"), ["llwyn-y-groes", "llwyn", "y", "groes"]);
        for (name, text) in [
            ("Bridge of Allan", "bridge of"),
            ("Bridge of Allan", "ALLAN"),
            ("Llwyn-y-groes", "groes"),
            ("Llwyn-y-groes", "y-groes"),
            ("Taobh a' Chaolais", "taobh a chaolais"),
            ("Mynydd-llêch", "llêch"),
        ] {
            assert!(rank(name, text).is_some(), "{name}: {text}");
        }
        for (name, text) in [
            ("Bridge of Allan", "bridge allan"),
            ("Bridge of Allan", "allan bridge"),
            ("Dre-gôch", "goch"),
            ("East Kilbride", "kilb"),
            ("St John's", "st johns"),
            ("Anything", "%"),
        ] {
            assert_eq!(rank(name, text), None, "{name}: {text}");
        }
    }

    #[test]
    fn plain_words_are_what_is_typed() {
        for (name, typed) in [
            ("Llwyn-y-groes", "llwyn y  GROES"),
            ("Dre-gôch", "dre-goch"),
            ("Dre-gôch", "dre-go\u{302}ch"),
            ("Taobh a' Chaolais", "taobh a chaolais"),
            ("St John’s", "Saint Johns"),
            ("Gleann Dà-Ghob & Ærø", "gleann da ghob and aero"),
        ] {
            assert_eq!(plain_words(name), plain_words(typed), "{name}");
        }
        assert_eq!(plain_words(" %'-\0"), Vec::<String>::new());
    }

    #[test]
    fn the_larger_share_of_a_name_ranks_higher() {
        assert!(rank("Newport", "newport") > rank("Newport Pagnell", "newport"));
        assert!(rank("Brough Brough", "brough") > rank("Brough Hill", "brough"));
    }

    #[test]
    fn a_prefix_knows_no_accents() {
        let prefix = |text| Query::of(text).map(|query| query.prefix);
        assert!(folded("Dre-gôch").starts_with(&prefix("dre goch").unwrap()));
        assert!(folded("St John’s").starts_with(&prefix("St Johns").unwrap()));
        assert_eq!(prefix(" \t\u{feff}"), None);
        // Observed with postcodes.io: an apostrophe matches the beginning of all names.
        assert_eq!(prefix("'").as_deref(), Some(""));
        assert_eq!(prefix("--").as_deref(), Some("  "));
    }
}
