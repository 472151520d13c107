//! Finds places as a person types them: by beginnings of names and words, and by similar ones.

use std::collections::{BTreeMap, HashMap, HashSet};

use fst::automaton::{Automaton, Str};
use fst::{IntoStreamer, Map, Streamer};
use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder};

use crate::dataset::section::places::Places;
use crate::matching::place_name::{plain_words, tolerance};
use crate::{Error, ErrorKind, MatchKind, Place, PlaceQuery, Result};

/// The search index of the tables of places, some megabytes for Great Britain.
pub(crate) struct PlaceFinder {
    names: Vec<Name>,
    /// Names by each of their words.
    words: Index,
    /// Names by the whole name without spaces.
    wholes: Index,
    /// Rows by the areas in which they lie, and by their kinds, in order.
    within: Rows,
    kinds: Rows,
    /// The most words of a name, and the most letters of a name without spaces.
    most_words: usize,
    longest: usize,
    /// Builds automata for one typing error and for two.
    automata: [LevenshteinAutomatonBuilder; 2],
}

/// Ascending rows by plain name.
type Rows = HashMap<Box<str>, Vec<u32>>;

impl std::fmt::Debug for PlaceFinder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlaceFinder").field("names", &self.names.len()).finish_non_exhaustive()
    }
}

/// A name of a place.
pub(crate) struct Name {
    /// The plain words without spaces.
    plain: Box<str>,
    /// The row. Rows of islands and areas follow those of the populated places.
    pub(crate) row: u32,
    /// The index among the place's names.
    pub(crate) nth: u8,
    class: u8,
}

/// Maps plain texts to the numbers of names.
struct Index {
    texts: Map<Vec<u8>>,
    lists: Vec<Box<[u32]>>,
}

impl Index {
    fn of(texts: BTreeMap<Box<str>, Vec<u32>>) -> Result<Self> {
        let pairs = texts.keys().map(|text| &**text).zip(0u64..);
        let map = Map::from_iter(pairs).map_err(|e| {
            Error::new(ErrorKind::Internal, format!("the names of places can't be indexed: {e}"))
                .with_source(e)
        })?;
        Ok(Self { texts: map, lists: texts.into_values().map(Vec::into_boxed_slice).collect() })
    }

    fn list(&self, number: u64) -> &[u32] {
        usize::try_from(number).ok().and_then(|n| self.lists.get(n)).map_or(&[], |list| list)
    }

    /// Returns the names whose text begins with `prefix`, each with no typing errors.
    fn beginning(&self, prefix: &str) -> HashMap<u32, u32> {
        let mut found = HashMap::new();
        let mut texts = self.texts.search(Str::new(prefix).starts_with()).into_stream();
        while let Some((_, number)) = texts.next() {
            found.extend(self.list(number).iter().map(|name| (*name, 0)));
        }
        found
    }

    /// Returns the names whose text begins similarly, each with its fewest typing errors.
    fn alike(&self, word: &DFA) -> HashMap<u32, u32> {
        let mut found = HashMap::new();
        let mut texts = self.texts.search_with_state(BeginsLike(word)).into_stream();
        while let Some((_, number, (_, fewest))) = texts.next() {
            let Some(edits) = fewest else { continue };
            for name in self.list(number) {
                let fewest = found.entry(*name).or_insert(u32::from(edits));
                *fewest = (*fewest).min(edits.into());
            }
        }
        found
    }
}

/// Accepts texts that begin with something similar to a word. The library has automata for that too, but
/// version 0.2.1 of `levenshtein_automata` misses some: for `eeeeaebe` it accepts `eeeeee` and not `eeeeeea`.
struct BeginsLike<'a>(&'a DFA);

impl BeginsLike<'_> {
    fn fewest(&self, state: u32, before: Option<u8>) -> Option<u8> {
        match self.0.distance(state) {
            Distance::Exact(edits) => Some(before.map_or(edits, |before| before.min(edits))),
            Distance::AtLeast(_) => before,
        }
    }
}

impl Automaton for BeginsLike<'_> {
    /// The state of the word's automaton, and the fewest errors of any beginning so far.
    type State = (u32, Option<u8>);

    fn start(&self) -> Self::State {
        let state = self.0.initial_state();
        (state, self.fewest(state, None))
    }

    fn is_match(&self, (_, fewest): &Self::State) -> bool {
        fewest.is_some()
    }

    fn can_match(&self, (state, fewest): &Self::State) -> bool {
        fewest.is_some() || Automaton::can_match(self.0, state)
    }

    fn accept(&self, (state, fewest): &Self::State, byte: u8) -> Self::State {
        let state = self.0.transition(*state, byte);
        (state, self.fewest(state, *fewest))
    }
}

impl PlaceFinder {
    pub(crate) fn of(tables: [&Places; 2], data: &[u8]) -> Result<Self> {
        let (mut names, mut words, mut wholes) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let (mut within, mut kinds) = (Rows::new(), Rows::new());
        let (mut most_words, mut longest) = (0, 0);
        for (table, row_in_table, row) in rows(tables) {
            let kind = table.local_type(data, row_in_table).unwrap_or_default();
            for (name, nth) in table.names(data, row_in_table).zip(0u8..) {
                let number = names.len() as u32;
                let its_words = plain_words(name);
                let plain = its_words.concat().into_boxed_str();
                most_words = most_words.max(its_words.len());
                longest = longest.max(plain.chars().count());
                for word in its_words {
                    let list: &mut Vec<u32> = words.entry(word.into_boxed_str()).or_default();
                    if list.last() != Some(&number) {
                        list.push(number);
                    }
                }
                wholes.entry(plain.clone()).or_insert_with(Vec::new).push(number);
                names.push(Name { plain, row, nth, class: Place::rank_class(kind) });
            }
            add(&mut kinds, kind, row);
            table.areas(data, row_in_table).for_each(|area| add(&mut within, area, row));
        }
        let automata = [1, 2].map(|edits| LevenshteinAutomatonBuilder::new(edits, true));
        let (words, wholes) = (Index::of(words)?, Index::of(wholes)?);
        Ok(Self { names, words, wholes, within, kinds, most_words, longest, automata })
    }

    /// Returns the best names of the matching places, best first.
    pub(crate) fn find(&self, query: &PlaceQuery) -> Vec<(&Name, MatchKind, u32)> {
        let words = plain_words(&query.text);
        let whole = words.concat();
        if whole.is_empty() {
            return Vec::new();
        }
        let filters = [(&self.within, &query.within), (&self.kinds, &query.local_type)];
        let filters: Vec<&[u32]> = filters
            .into_iter()
            .filter_map(|(rows, wanted)| {
                let wanted = plain_words(wanted.as_ref()?).concat();
                Some(rows.get(wanted.as_str()).map_or(&[][..], Vec::as_slice))
            })
            .collect();
        let kept = |name: &Name| filters.iter().all(|rows| rows.binary_search(&name.row).is_ok());
        let ranked = |found: HashMap<u32, u32>, kind: &dyn Fn(&Name) -> MatchKind| {
            let found = found.into_iter().filter_map(|(number, edits)| {
                let name = self.names.get(number as usize)?;
                kept(name).then(|| (name, kind(name), edits))
            });
            best(found.collect(), query.limit)
        };
        // Without typing errors, each of these begins a different word.
        let distinct = distinct_beginnings(words.iter().map(String::as_str));
        let mut found = match distinct.len() <= self.most_words {
            true => all_of(distinct.iter().map(|word| self.words.beginning(word))),
            false => HashMap::new(),
        };
        found.extend(self.wholes.beginning(&whole));
        let found = ranked(found, &|name| match () {
            () if *name.plain == *whole => MatchKind::Exact,
            () if name.plain.starts_with(&whole) => MatchKind::Beginning,
            () => MatchKind::Words,
        });
        if !found.is_empty() {
            return found;
        }
        // Words without tolerance first: they cost least, and leave few names for the others.
        let short = distinct_beginnings(words.iter().map(String::as_str).filter(|word| tolerance(word) == 0));
        let mut tolerant: BTreeMap<&str, u32> = BTreeMap::new();
        words.iter().filter(|word| tolerance(word) > 0).for_each(|word| {
            *tolerant.entry(word).or_default() += 1;
        });
        let mut found = match short.len() <= self.most_words {
            true => {
                let short = short.iter().map(|word| self.words.beginning(word));
                // A repeated word counts its errors each time.
                let tolerant = tolerant.iter().map(|(word, times)| {
                    let mut found = self.alike(&self.words, word);
                    found.values_mut().for_each(|edits| *edits *= times);
                    found
                });
                all_of(short.chain(tolerant))
            }
            false => HashMap::new(),
        };
        for (name, edits) in self.alike(&self.wholes, &whole) {
            let fewest = found.entry(name).or_insert(edits);
            *fewest = edits.min(*fewest);
        }
        ranked(found, &|_| MatchKind::Similar)
    }

    fn alike(&self, index: &Index, text: &str) -> HashMap<u32, u32> {
        let edits = usize::from(tolerance(text));
        // The cost of an automaton grows with its length, and no name is this long.
        if text.chars().count() > self.longest + edits {
            return HashMap::new();
        }
        match edits.checked_sub(1).and_then(|n| self.automata.get(n)) {
            Some(automata) => index.alike(&automata.build_dfa(text)),
            None => index.beginning(text),
        }
    }
}

/// Returns the words that are not the beginning of another one, each once. A name that matches
/// these matches all words.
fn distinct_beginnings<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut words: Vec<&str> = words.collect();
    words.sort_unstable();
    let next = words.iter().skip(1).map(Some).chain([None]);
    words
        .iter()
        .zip(next)
        .filter(|(word, next)| next.is_none_or(|next| !next.starts_with(**word)))
        .map(|(word, _)| *word)
        .collect()
}

/// Iterates over the rows of the tables: the table, the row in it, and the row among all.
fn rows(tables: [&Places; 2]) -> impl Iterator<Item = (&Places, u32, u32)> {
    tables
        .into_iter()
        .flat_map(|table| (0..table.count()).map(move |row| (table, row)))
        .zip(0..)
        .map(|((table, row), n)| (table, row, n))
}

fn add(rows: &mut Rows, name: &str, row: u32) {
    let rows = rows.entry(plain_words(name).concat().into_boxed_str()).or_default();
    // A county and a district may have the same name.
    if rows.last() != Some(&row) {
        rows.push(row);
    }
}

/// Returns the names that are in all of these, with the sums of their typing errors.
fn all_of(mut found: impl Iterator<Item = HashMap<u32, u32>>) -> HashMap<u32, u32> {
    let mut all = found.next().unwrap_or_default();
    while !all.is_empty()
        && let Some(other) = found.next()
    {
        all.retain(|name, edits| other.get(name).inspect(|more| *edits += **more).is_some());
    }
    all
}

/// Sorts by the order of the contract, and keeps each place once.
fn best(mut found: Vec<(&Name, MatchKind, u32)>, limit: usize) -> Vec<(&Name, MatchKind, u32)> {
    found.sort_by_cached_key(|(name, kind, edits)| {
        (*kind, *edits, name.class, name.plain.chars().count(), &name.plain, name.row, name.nth)
    });
    let mut seen = HashSet::new();
    found.retain(|(name, ..)| seen.len() < limit && seen.insert(name.row));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;
    use crate::dataset::{DatasetBuilder, Metadata};

    fn finder(names: &[&str]) -> (Dataset, PlaceFinder) {
        let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
        for (n, name) in names.iter().enumerate() {
            builder.push_place(&Place::new(format!("osgb{n}"), *name, "Village")).unwrap();
        }
        let dataset = builder.build().unwrap();
        let finder =
            PlaceFinder::of([&dataset.inner().places, &dataset.inner().wider_places], dataset.as_bytes());
        (dataset, finder.unwrap())
    }

    #[test]
    fn words_that_others_begin_with_are_left_out() {
        let words = ["st", "a", "al", "st", "albans", "b", "stan"];
        assert_eq!(distinct_beginnings(words.into_iter()), ["albans", "b", "stan"]);
    }

    /// Returns the fewest edits, a swap of neighbours being one, from a word to any beginning of a text.
    fn edits(word: &[char], text: &[char]) -> usize {
        let mut table = vec![vec![0usize; text.len() + 1]; word.len() + 1];
        for (i, row) in table.iter_mut().enumerate() {
            row[0] = i;
        }
        table[0] = (0..=text.len()).collect();
        for i in 1..=word.len() {
            for j in 1..=text.len() {
                let differs = usize::from(word[i - 1] != text[j - 1]);
                let mut fewest =
                    (table[i - 1][j] + 1).min(table[i][j - 1] + 1).min(table[i - 1][j - 1] + differs);
                if i > 1 && j > 1 && word[i - 1] == text[j - 2] && word[i - 2] == text[j - 1] {
                    fewest = fewest.min(table[i - 2][j - 2] + 1);
                }
                table[i][j] = fewest;
            }
        }
        *table[word.len()].iter().min().unwrap()
    }

    #[test]
    fn similar_beginnings_are_those_of_the_definition() {
        let mut rng = fastrand::Rng::with_seed(4);
        let mut text = |lengths| -> Vec<char> {
            let length = rng.usize(lengths);
            (0..length).map(|_| ['a', 'b', 'é', 'e'][rng.usize(..4)]).collect()
        };
        let mut alike = 0;
        for n in 0..2_000u32 {
            let most = 1 + (n % 2) as u8;
            let word = text(4..10);
            let automaton = LevenshteinAutomatonBuilder::new(most, true).build_dfa(&String::from_iter(&word));
            let automaton = BeginsLike(&automaton);
            for _ in 0..20 {
                let name = text(2..10);
                let state = String::from_iter(&name)
                    .bytes()
                    .fold(automaton.start(), |state, byte| automaton.accept(&state, byte));
                let due = Some(edits(&word, &name)).filter(|edits| *edits <= usize::from(most));
                assert_eq!(state.1.map(usize::from), due, "{word:?} {name:?}");
                alike += usize::from(due.is_some());
            }
        }
        assert!(alike > 2_000, "{alike}");
    }

    /// Returns the names and errors that are found if no word is skipped.
    fn plainly(finder: &PlaceFinder, words: &[&str]) -> BTreeMap<u32, u32> {
        let whole = words.concat();
        let mut found = all_of(words.iter().map(|word| finder.words.beginning(word)));
        found.extend(finder.wholes.beginning(&whole));
        if found.is_empty() {
            found = all_of(words.iter().map(|word| finder.alike(&finder.words, word)));
            for (name, edits) in finder.alike(&finder.wholes, &whole) {
                let fewest = found.entry(name).or_insert(edits);
                *fewest = edits.min(*fewest);
            }
        }
        found.into_iter().collect()
    }

    #[test]
    fn words_left_out_change_no_answer() {
        let (_dataset, finder) = finder(&[
            "St Albans",
            "Stanley",
            "St Ann's Chapel",
            "Albany",
            "Newton Abbot",
            "Newton St Cyres",
            "Sutton on the Hill",
        ]);
        let mut rng = fastrand::Rng::with_seed(9);
        let words = [
            "s", "st", "a", "al", "alb", "albans", "ablans", "newton", "newtno", "newtn", "cyres", "cyrse",
            "on", "hill", "stanly",
        ];
        let (mut some, mut similar) = (0, 0);
        for _ in 0..3_000 {
            let text: Vec<&str> = (0..rng.usize(1..5)).map(|_| words[rng.usize(..words.len())]).collect();
            let due = plainly(&finder, &text);
            let found = finder.find(&PlaceQuery::new(text.join(" ")).limit(100));
            similar += usize::from(found.iter().any(|(_, kind, _)| *kind == MatchKind::Similar));
            let number =
                |name: &Name| finder.names.iter().position(|other| std::ptr::eq(other, name)).unwrap();
            let found: BTreeMap<u32, u32> =
                found.into_iter().map(|(name, _, edits)| (number(name) as u32, edits)).collect();
            some += usize::from(!found.is_empty());
            assert_eq!(found, due, "{text:?}");
        }
        assert!(some > 300 && similar > 30, "{some} {similar}");
    }

    #[test]
    fn texts_of_many_words_or_letters_look_at_few_names() {
        let names: Vec<String> = (0..2_000).map(|n| format!("A{n} Bc{n}")).collect();
        let (_dataset, finder) = finder(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((finder.most_words, finder.longest), (2, 11));
        let many = |letters: &str| letters.chars().map(|c| format!("{c} ")).collect::<String>();
        // More beginnings than a name has words, and a word longer than any name: there is no list
        // and no automaton.
        assert!(finder.find(&PlaceQuery::new(many("abcdefghijklmnopqrstuvwxyz0123456789"))).is_empty());
        assert!(finder.alike(&finder.words, &"ab".repeat(100)).is_empty());
        // A word that is repeated a hundred times is searched once.
        assert_eq!(distinct_beginnings(many(&"a".repeat(100)).split_whitespace()), ["a"]);
        assert_eq!(finder.find(&PlaceQuery::new(many(&"a".repeat(100)))).len(), 10);
    }
}
