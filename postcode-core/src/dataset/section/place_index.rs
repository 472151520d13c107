//! Finds places by the words and beginnings of their names.

use crate::Place;
use crate::dataset::section::places::Places;
use crate::matching::place_name::{Query, folded, words};

/// Sorted lists, built from the table: a few megabytes for Great Britain.
#[derive(Debug)]
pub(crate) struct PlaceIndex {
    /// Each word with the rows whose names contain it.
    words: Vec<(Box<str>, u32)>,
    /// Each folded name with its row.
    names: Vec<(Box<str>, u32)>,
}

impl PlaceIndex {
    pub(crate) fn of(places: &Places, data: &[u8]) -> Self {
        let (mut all, mut names) = (Vec::new(), Vec::new());
        for row in 0..places.count() {
            for name in places.names(data, row) {
                names.push((folded(name).into_boxed_str(), row));
                all.extend(words(name).into_iter().map(|word| (word.into_boxed_str(), row)));
            }
        }
        all.sort_unstable();
        all.dedup();
        names.sort_unstable();
        Self { words: all, names }
    }

    /// Returns the rows that match a query, best first.
    pub(crate) fn find(&self, places: &Places, data: &[u8], text: &str, limit: usize) -> Vec<u32> {
        let Some(query) = Query::of(text) else { return Vec::new() };
        let found = self.by_words(places, data, &query, limit);
        if found.is_empty() { self.by_prefix(&query.prefix, limit) } else { found }
    }

    fn by_words(&self, places: &Places, data: &[u8], query: &Query, limit: usize) -> Vec<u32> {
        // The rarest word leaves the fewest names to compare.
        let rows = query.phrase.iter().map(|word| range(&self.words, |other| other.cmp(word)));
        let Some(rows) = rows.min_by_key(|rows| rows.len()) else { return Vec::new() };
        let mut found: Vec<_> = rows
            .iter()
            .filter_map(|(_, row)| {
                let ranks = places.names(data, *row).filter_map(|name| query.rank(&words(name)));
                let rank = ranks.max_by(f64::total_cmp)?;
                let size = Place::size_class(places.local_type(data, *row).unwrap_or_default());
                let name = places.names(data, *row).next().map(folded);
                Some((rank, size, name, *row))
            })
            .collect();
        // Rows are in the order of codes.
        found.sort_unstable_by(|a, b| {
            b.0.total_cmp(&a.0).then_with(|| (a.1, &a.2, a.3).cmp(&(b.1, &b.2, b.3)))
        });
        found.truncate(limit);
        found.into_iter().map(|(.., row)| row).collect()
    }

    fn by_prefix(&self, prefix: &str, limit: usize) -> Vec<u32> {
        let order = |name: &str| match name.starts_with(prefix) {
            true => std::cmp::Ordering::Equal,
            false => name.cmp(prefix),
        };
        let mut found = Vec::new();
        for (_, row) in range(&self.names, order) {
            // Both names of a place may match.
            if !found.contains(row) {
                found.push(*row);
            }
            if found.len() == limit {
                break;
            }
        }
        found
    }
}

/// Returns the entries that are equal, in an order by which the list is sorted.
fn range(sorted: &[(Box<str>, u32)], order: impl Fn(&str) -> std::cmp::Ordering) -> &[(Box<str>, u32)] {
    let start = sorted.partition_point(|(text, _)| order(text).is_lt());
    let rest = &sorted[start..];
    &rest[..rest.partition_point(|(text, _)| order(text).is_eq())]
}
