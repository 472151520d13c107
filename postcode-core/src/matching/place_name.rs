//! How names of places are compared: as postcodes.io does it with PostgreSQL's full-text search and `unaccent`.

use crate::matching::prefix::is_space;

/// What is looked for.
#[derive(Debug)]
pub(crate) struct Query {
    /// The words that must stand side by side.
    pub(crate) phrase: Vec<String>,
    /// What a name may begin with instead.
    pub(crate) prefix: String,
}

impl Query {
    /// `None` for a blank text, which finds nothing.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let text = text.trim_matches(is_space);
        if text.is_empty() {
            return None;
        }
        let text: String =
            text.chars().filter(|c| *c != '\'').map(|c| if c == '-' { ' ' } else { c }).collect();
        Some(Self { phrase: words(&text), prefix: folded(&text) })
    }

    /// How well a name with these words answers: `None` if it has not the phrase; else the more often it has it and
    /// the fewer other words it has, the more (`ts_rank_cd` with normalisation 1).
    pub(crate) fn rank(&self, words: &[String]) -> Option<f64> {
        let length = self.phrase.len();
        if length == 0 || words.len() < length {
            return None;
        }
        let found = words.windows(length).filter(|window| *window == self.phrase).count();
        (found > 0).then(|| found as f64 / (words.len() as f64 + 1.0).log2())
    }
}

/// The words of a name in small letters; of words that hyphens join first the whole and then the parts.
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

/// A name without accents, apostrophes and hyphens, in small letters.
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

/// The words of a name as they are compared in a search by what is typed: without accents and apostrophes, in small
/// letters, cut at whatever else is no letter or digit.
pub(crate) fn plain_words(name: &str) -> Vec<String> {
    // Accents that are written as characters of their own.
    let name: String = name.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).collect();
    let folded = folded(&name.replace('&', " and ").replace('\u{2bc}', "'"));
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| if word == "saint" { "st".to_owned() } else { word.to_owned() }).collect()
}

/// Typing errors that a word may have. None if it has more different letters than any name: it is no name with a typing
/// error, and what finds those takes memory by their number.
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

/// The letters with accents that Welsh, Gaelic, Scots, Cornish and Jèrriais names have, and their like.
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
        // Observed of postcodes.io: an apostrophe begins all names.
        assert_eq!(prefix("'").as_deref(), Some(""));
        assert_eq!(prefix("--").as_deref(), Some("  "));
    }
}
