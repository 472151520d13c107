//! Explains the differences between the two implementations: their cause, and the fields that differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::RowName;
use super::example::{Cause, Example};
use crate::Result;
use crate::layers::call::Call;

/// The number of comparisons that differed, by cause.
///
/// ```
/// use postcode_core::layers::Causes;
///
/// let mut causes = Causes::default();
/// causes.edition = 3;
/// assert_eq!(causes.code, 0); // only these count for the guard
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Causes {
    /// See [`Cause::Edition`].
    pub edition: u64,
    /// See [`Cause::Noise`].
    pub noise: u64,
    /// See [`Cause::Code`].
    pub code: u64,
}

/// The number of comparisons of a method that differed in one field.
///
/// ```
/// use postcode_core::layers::{Cause, FieldDifferences};
///
/// /// Returns the fields that the two implementations compute differently.
/// fn by_code(all: &[FieldDifferences]) -> impl Iterator<Item = &str> {
///     all.iter().filter(|found| found.cause == Cause::Code).map(|found| &*found.field)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FieldDifferences {
    /// The cause of the differences.
    pub cause: Cause,
    /// The method.
    pub method: String,
    /// The field of the answer, such as `location.latitude`. `answer` if the whole answer differs, and
    /// `other` for the fields after the first 256.
    pub field: String,
    /// The number of comparisons. One that differs in two fields counts for both.
    pub count: u64,
}

/// The most combinations of cause, method and field that are counted apart.
const MAX_DIFFERENCES: usize = 256;

/// The field for a difference of the whole answer.
const WHOLE: &str = "answer";

/// The differences so far.
#[derive(Default)]
pub(super) struct Differences {
    counts: Mutex<BTreeMap<(Cause, &'static str, String), u64>>,
    examples: Mutex<Vec<Example>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Differences {
    /// Counts a difference. Keeps an example, unless there are `most` of this cause or there is one of
    /// the same call.
    pub(super) fn add<S: ?Sized, C: Call<S>>(
        &self,
        row: &RowName,
        cause: Cause,
        call: &C,
        old: &Result<C::Reply>,
        new: &Result<C::Reply>,
        most: usize,
    ) {
        let (query, old, new) = match (old, new) {
            (Ok(old), Ok(new)) => call.difference(old, new),
            _ => (call.to_string(), format!("{old:#?}"), format!("{new:#?}")),
        };
        let fields = fields(&old, &new);
        self.count(cause, C::NAME, &fields);
        let mut examples = lock(&self.examples);
        let same = |example: &&Example| example.cause == cause;
        if examples.iter().filter(same).count() < most
            && examples.iter().filter(same).all(|example| example.query != query)
        {
            let example = Example::new(query, &old, &new);
            examples.push(Example { row: row.clone(), cause, method: C::NAME.to_owned(), fields, ..example });
        }
    }

    fn count(&self, cause: Cause, method: &'static str, fields: &[String]) {
        let mut counts = lock(&self.counts);
        // A comparison counts once for all of its fields that are not counted apart.
        let mut keys = BTreeSet::new();
        for field in fields {
            let key = (cause, method, field.clone());
            let room = counts.contains_key(&key) || counts.len() + keys.len() < MAX_DIFFERENCES;
            keys.insert(if room { key } else { (cause, method, "other".to_owned()) });
        }
        for key in keys {
            *counts.entry(key).or_insert(0) += 1;
        }
    }

    pub(super) fn counts(&self) -> Vec<FieldDifferences> {
        let counts = lock(&self.counts);
        let row =
            |((cause, method, field), count): (&(Cause, &'static str, String), &u64)| FieldDifferences {
                cause: *cause,
                method: (*method).to_owned(),
                field: field.clone(),
                count: *count,
            };
        counts.iter().map(row).collect()
    }

    pub(super) fn examples(&self) -> Vec<Example> {
        lock(&self.examples).clone()
    }
}

/// Returns the fields in which two answers differ, given as `{:#?}` writes them.
fn fields(one: &str, other: &str) -> Vec<String> {
    let (one, other) = (by_field(one), by_field(other));
    let all: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    // If the answer itself is of another kind, each of its fields differs, which says nothing.
    if one.get("") != other.get("") {
        return vec![WHOLE.to_owned()];
    }
    let differs = |field: &&&String| one.get(**field) != other.get(**field);
    all.iter().filter(differs).map(|field| (**field).clone()).collect()
}

/// Splits a text of `{:#?}` into the lines of each field, whose names are joined by dots. Lines outside
/// of fields are under the empty name.
fn by_field(text: &str) -> BTreeMap<String, Vec<&str>> {
    let mut fields: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    // The names of the fields around a line, each with its indentation.
    let mut around: Vec<(usize, &str)> = Vec::new();
    for line in text.lines() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        let closes = bare.starts_with([')', ']', '}']);
        around.retain(|(outer, _)| *outer < indent || (closes && *outer == indent));
        let value = match bare.split_once(": ") {
            Some((name, value)) if is_name(name) => {
                around.push((indent, name));
                value
            }
            _ => bare,
        };
        let path: Vec<&str> = around.iter().map(|(_, name)| *name).collect();
        fields.entry(path.join(".")).or_default().push(value);
    }
    fields
}

/// Returns whether this is the name of a field and not a part of a value, such as the key of a map.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, Location, Record};

    fn difference(one: &impl std::fmt::Debug, other: &impl std::fmt::Debug) -> String {
        fields(&format!("{one:#?}"), &format!("{other:#?}")).join(" ")
    }

    #[test]
    fn fields_that_differ_are_named() {
        let one = Record::live("M1 1AD".parse().unwrap());
        let mut other = one.clone();
        assert_eq!(difference(&one, &other), "");
        other.quality = Some(3);
        assert_eq!(difference(&one, &other), "quality");
        other.deprivation_rank = Some(7);
        assert_eq!(difference(&vec![one.clone()], &vec![other.clone()]), "deprivation_rank quality");
        assert_eq!(difference(&Answer::Live(one.clone()), &Answer::Live(other)), "deprivation_rank quality");
        assert_eq!(difference(&Answer::Live(one.clone()), &Answer::Unknown), "answer");
        let located = |latitude| {
            let mut record = one.clone();
            record.location = Some(Location::new(latitude, -2.0).unwrap());
            record
        };
        assert_eq!(difference(&located(53.0), &located(53.5)), "location.latitude");
        assert_eq!(difference(&Answer::Unknown, &Answer::NotCovered), "answer");
    }

    #[test]
    fn counts_are_bounded() {
        let differences = Differences::default();
        for n in 0..1_000 {
            differences.count(Cause::Code, "lookup", &[format!("field{n}"), format!("more{n}")]);
        }
        let counts = differences.counts();
        assert!(counts.len() <= MAX_DIFFERENCES + 1, "{}", counts.len());
        let other = counts.iter().find(|it| it.field == "other").unwrap();
        assert_eq!(other.count, 1_000 - MAX_DIFFERENCES as u64 / 2, "once for each comparison");
    }
}
