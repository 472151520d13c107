//! The search for places as people type them, in the simplest code.

use super::Fixture;
use crate::matching::place_name::{plain_words, tolerance};
use crate::{MatchKind, Place, PlaceMatch, PlaceQuery};

pub(super) fn find_places(fixture: &Fixture, query: &PlaceQuery) -> Vec<PlaceMatch> {
    let typed = plain_words(&query.text);
    let mut found = Vec::new();
    for place in fixture.places().chain(fixture.wider_places()).filter(|place| passes(place, query)) {
        let names = std::iter::once(&place.name_1).chain(&place.name_2);
        let answers = names.filter_map(|name| {
            let (kind, edits) = answers(&typed, &plain_words(name))?;
            Some((kind, edits, size(&plain(name)), plain(name), name))
        });
        // Of equal ones the first is kept.
        if let Some((kind, edits, .., name)) =
            answers.min_by_key(|answer| (answer.0, answer.1, answer.2, answer.3.clone()))
        {
            found.push(PlaceMatch::new(kind, edits, name, place.clone()));
        }
    }
    if found.iter().any(|found| found.kind != MatchKind::Similar) {
        found.retain(|found| found.kind != MatchKind::Similar);
    }
    found.sort_by_key(|found| {
        let (name, place) = (plain(&found.name), &found.place);
        let class = Place::rank_class(&place.local_type);
        (found.kind, found.edits, class, size(&name), name, place.code.clone())
    });
    found.truncate(query.limit);
    found
}

fn plain(name: &str) -> String {
    plain_words(name).concat()
}

fn size(text: &str) -> usize {
    text.chars().count()
}

fn passes(place: &Place, query: &PlaceQuery) -> bool {
    let areas = [&place.county_unitary, &place.district_borough, &place.region, &place.country];
    let within = |wanted: &String| areas.into_iter().flatten().any(|area| plain(area) == plain(wanted));
    let is_kind = |wanted: &String| plain(&place.local_type) == plain(wanted);
    query.within.as_ref().is_none_or(within) && query.local_type.as_ref().is_none_or(is_kind)
}

/// Returns how a name matches, and with how many typing errors.
fn answers(typed: &[String], name: &[String]) -> Option<(MatchKind, u32)> {
    let (typed_whole, whole) = (typed.concat(), name.concat());
    if typed_whole.is_empty() {
        return None;
    }
    if whole == typed_whole {
        return Some((MatchKind::Exact, 0));
    }
    if whole.starts_with(&typed_whole) {
        return Some((MatchKind::Beginning, 0));
    }
    if typed.iter().all(|word| name.iter().any(|other| other.starts_with(word.as_str()))) {
        return Some((MatchKind::Words, 0));
    }
    let word = |word: &String| name.iter().filter_map(|other| edits(word, other)).min();
    let words: Option<u32> = typed.iter().map(word).sum();
    let fewest = words.into_iter().chain(edits(&typed_whole, &whole)).min()?;
    Some((MatchKind::Similar, fewest))
}

/// Returns the fewest typing errors between a text and any beginning of another, if that many are
/// allowed.
fn edits(typed: &str, name: &str) -> Option<u32> {
    let (typed, name): (Vec<char>, Vec<char>) = (typed.chars().collect(), name.chars().collect());
    // Row i, column j: errors between the first i letters of the text and the first j of the name.
    let mut table = vec![vec![0usize; name.len() + 1]; typed.len() + 1];
    for i in 0..=typed.len() {
        for j in 0..=name.len() {
            table[i][j] = match (i, j) {
                (0, j) => j,
                (i, 0) => i,
                _ => {
                    let wrong = usize::from(typed[i - 1] != name[j - 1]);
                    let one = (table[i - 1][j] + 1).min(table[i][j - 1] + 1).min(table[i - 1][j - 1] + wrong);
                    let swapped =
                        i > 1 && j > 1 && typed[i - 1] == name[j - 2] && typed[i - 2] == name[j - 1];
                    if swapped { one.min(table[i - 2][j - 2] + 1) } else { one }
                }
            };
        }
    }
    let fewest = table.last()?.iter().min().copied()?;
    let allowed = tolerance(&typed.iter().collect::<String>());
    u32::try_from(fewest).ok().filter(|fewest| *fewest <= allowed.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_as_people_make_them() {
        for (typed, name, expected) in [
            ("brimingham", "birmingham", Some(1)),
            ("birmingam", "birmingham", Some(1)),
            ("birmnigh", "birmingham", Some(1)),
            ("caernafon", "caernarfon", Some(1)),
            ("yrok", "york", Some(1)),
            ("bth", "bath", None),
            ("york", "cork", Some(1)),
            ("yorkk", "york", Some(1)),
        ] {
            assert_eq!(edits(typed, name), expected, "{typed} {name}");
        }
    }
}
