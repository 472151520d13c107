//! Where the postcodes are, by what stands in the first rows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use postcode_tables::json::without_nan;
use postcode_tables::{Dialect, Encoding, Scanner, Step, blank};
use serde_json::Value;

use super::csv::{known, plain, texts};
use super::reading::{self, Cell, Lack};
use super::row::is_end_of_file;
use super::{POSTCODE_NAMES, Plan, short};

/// Rows that are looked at.
pub(super) const ROWS: usize = 200;
/// How deep objects within objects are looked into.
const DEPTH: usize = 4;
/// Keys of the first objects that are looked at.
const KEYS: usize = 1_000;

/// How many values there are in a column, and how many of them are postcodes.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    values: usize,
    postcodes: usize,
}

impl Tally {
    fn add(&mut self, text: &str, plan: &Plan) {
        if text.trim().is_empty() {
            return;
        }
        self.add_cell(&reading::read(text, plan));
    }

    /// Counts a cell that was read. Blank ones say nothing.
    pub(super) fn add_cell(&mut self, cell: &Cell) {
        self.values += usize::from(!matches!(cell, Cell::Not(Lack::Blank, _)));
        self.postcodes += usize::from(matches!(cell, Cell::Postcode(_)));
    }

    /// Most of what is there are postcodes.
    fn is_likely(self) -> bool {
        self.postcodes > 0 && self.postcodes * 10 >= self.values * 8
    }
}

/// The one column that holds postcodes, and what told it. Of several that hold some, and if none holds enough, it is the only
/// one whose name has "postcode" in it.
///
/// # Errors
/// Names the columns unless there is exactly one.
pub(super) fn only(tallies: &[Tally], names: &[String]) -> Result<(usize, &'static str), String> {
    let likely: Vec<usize> = (0..tallies.len()).filter(|n| tallies[*n].is_likely()).collect();
    let says = |n: &usize| names.get(*n).is_some_and(|name| plain(name).contains("postcode"));
    let among: Vec<usize> = match likely.is_empty() {
        true => (0..tallies.len()).filter(says).collect(),
        false => likely.iter().copied().filter(says).collect(),
    };
    match (&*likely, &*among) {
        ([one], _) => Ok((*one, "by what stands there")),
        (_, [one]) => Ok((*one, "by its name")),
        ([], _) => Err(format!(
            "which column is the postcode? Name it (--postcode-column, over HTTP postcode_column); here are {}",
            known(names)
        )),
        (_, _) => {
            let some: Vec<String> = likely.iter().filter_map(|n| names.get(*n)).cloned().collect();
            Err(format!(
                "which column is the postcode? Several hold postcodes: {}. Name one (--postcode-column, over HTTP \
                 postcode_column)",
                known(&some)
            ))
        }
    }
}

/// The column of a table by its first rows, which follow the header in `sample`.
///
/// # Errors
/// If they do not tell.
pub(super) fn column(
    sample: &[u8],
    whole: bool,
    names: &[String],
    dialect: &Dialect,
    (plan, encoding): (&Plan, Encoding),
) -> Result<(usize, &'static str), String> {
    let is_postcode = |name: &&String| matches!(reading::read(name, plan), Cell::Postcode(_));
    if let Some(found) = names.iter().find(is_postcode) {
        return Err(format!(
            "the first line holds the postcode {}: it seems to be a row and not the names of the columns. Read it as one \
             (--no-header, over HTTP header=none), or add a line of names",
            short(found)
        ));
    }
    only(&tallies(sample, whole, names.len(), dialect, (plan, encoding)), names)
}

/// Returns a note if no cell of the column that the name tells is a postcode, and another column is full of them.
pub(super) fn elsewhere(
    sample: &[u8],
    whole: bool,
    (names, named): (&[String], usize),
    dialect: &Dialect,
    context: (&Plan, Encoding),
) -> Option<String> {
    let tallies = tallies(sample, whole, names.len(), dialect, context);
    if tallies.get(named)?.postcodes > 0 {
        return None;
    }
    let likely = tallies.iter().enumerate().filter(|(_, tally)| tally.is_likely());
    // Of several with as many postcodes the first.
    let (other, _) = likely.rev().max_by_key(|(_, tally)| tally.postcodes)?;
    Some(format!(
        "the first rows have no postcode in the column {}, but in the column {}: name that one if it is meant \
         (--postcode-column, over HTTP postcode_column)",
        short(names.get(named)?),
        short(names.get(other)?)
    ))
}

/// Returns whether a line in which no cell is a postcode may still be a row: where the postcodes stand it has nothing, or most
/// of its cells begin like numbers or identifiers.
pub(super) fn may_be_row(names: &[String], postcode: usize) -> bool {
    let begins = |name: &&String| name.starts_with(|c: char| c.is_ascii_digit() || c == '{');
    let filled = names.iter().filter(|name| !name.is_empty()).count();
    let values = names.iter().filter(begins).count();
    let is_unnamed = names.get(postcode).is_none_or(String::is_empty);
    values > 0 && (is_unnamed || values * 2 > filled)
}

/// Returns how many cells most of the first rows have; `None` if there is no whole row.
pub(super) fn width(sample: &[u8], whole: bool, dialect: &Dialect) -> Option<usize> {
    let mut counts = BTreeMap::<usize, usize>::new();
    each_row(sample, whole, dialect, |_, fields| *counts.entry(fields.cells()).or_default() += 1);
    counts.into_iter().max_by_key(|(_, rows)| *rows).map(|(cells, _)| cells)
}

/// Counts the postcodes in each column of the first rows.
fn tallies(
    sample: &[u8],
    whole: bool,
    columns: usize,
    dialect: &Dialect,
    (plan, encoding): (&Plan, Encoding),
) -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); columns];
    each_row(sample, whole, dialect, |row, fields| {
        for (text, tally) in texts(row, fields, encoding).iter().zip(&mut tallies) {
            tally.add(text, plan);
        }
    });
    tallies
}

/// Calls `each` with the first rows.
fn each_row(sample: &[u8], whole: bool, dialect: &Dialect, mut each: impl FnMut(&[u8], &Scanner)) {
    let mut fields = Scanner::of(dialect);
    let mut rest = sample;
    for _ in 0..ROWS {
        if let Some(empty @ 1..) = blank(rest) {
            rest = &rest[empty..];
            continue;
        }
        fields.next_row();
        let Ok(Step::Row(len)) = fields.scan(rest, whole) else { break };
        if len == 0 || is_end_of_file(rest) {
            break;
        }
        let (row, after) = rest.split_at(len);
        each(row, &fields);
        rest = after;
    }
}

/// The place of the postcodes in rows that are arrays of JSON.
///
/// # Errors
/// Names the columns unless exactly one holds postcodes.
pub(super) fn item(
    rows: &[Cow<'_, [u8]>],
    names: &[String],
    plan: &Plan,
) -> Result<(usize, &'static str), String> {
    let mut tallies = vec![Tally::default(); names.len()];
    for row in rows {
        let items: Vec<Value> = serde_json::from_slice(row).unwrap_or_default();
        for (item, tally) in items.iter().zip(&mut tallies) {
            tally.add(item.as_str().unwrap_or_default(), plan);
        }
    }
    only(&tallies, names)
}

/// Keys of some objects, each as a path with dots, and what is under them.
#[derive(Default)]
pub(super) struct Keys {
    paths: Vec<String>,
    tallies: Vec<Tally>,
    pub(super) objects: usize,
    /// Whether some object has a number that JSON does not have.
    pub(super) had_nan: bool,
}

impl Keys {
    /// Whether there are enough objects to tell.
    pub(super) fn is_full(&self) -> bool {
        self.objects >= ROWS
    }

    pub(super) fn add(&mut self, object: &[u8], plan: &Plan) {
        let object = without_nan(object);
        self.had_nan |= matches!(object, Cow::Owned(_));
        let Ok(Value::Object(object)) = serde_json::from_slice(&object) else { return };
        self.objects += 1;
        self.walk("", &Value::Object(object), 0, plan);
    }

    fn walk(&mut self, path: &str, value: &Value, depth: usize, plan: &Plan) {
        let nested: Vec<(String, &Value)> = match value {
            Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
            Value::Array(items) => {
                items.iter().take(8).enumerate().map(|(n, v)| (n.to_string(), v)).collect()
            }
            other => return self.leaf(path, other, plan),
        };
        if depth == DEPTH {
            return;
        }
        for (key, value) in nested {
            let path = if path.is_empty() { key } else { format!("{path}.{key}") };
            self.walk(&path, value, depth + 1, plan);
        }
    }

    fn leaf(&mut self, path: &str, value: &Value, plan: &Plan) {
        let at = match self.paths.iter().position(|known| known == path) {
            Some(at) => at,
            None if self.paths.len() == KEYS => return,
            None => {
                self.paths.push(path.to_owned());
                self.tallies.push(Tally::default());
                self.paths.len() - 1
            }
        };
        if let Some((text, tally)) = value.as_str().zip(self.tallies.get_mut(at)) {
            tally.add(text, plan);
        }
    }

    /// The paths, in the order in which they came.
    pub(super) fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Lists the paths under which most values are postcodes.
    pub(super) fn likely(&self) -> Vec<&str> {
        let paths = self.paths.iter().zip(&self.tallies);
        paths.filter(|(_, tally)| tally.is_likely()).map(|(path, _)| path.as_str()).collect()
    }

    /// Whether some object has the key that is asked for, or one that is called like a postcode; else the path by what
    /// stands there.
    ///
    /// # Errors
    /// If the objects do not tell.
    pub(super) fn settle(&self, plan: &Plan) -> Result<Option<(String, &'static str)>, String> {
        let top = |path: &String| path.split('.').next().map(super::csv::plain).unwrap_or_default();
        match &plan.postcode {
            _ if self.objects == 0 => Ok(None),
            Some(wanted) => {
                let under = |path: &&String| {
                    path.strip_prefix(wanted.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                };
                match self.paths.iter().any(|path| under(&path)) {
                    true => Ok(None),
                    false => Err(format!(
                        "there is no key {} in any of the first {} objects, only {}",
                        short(wanted),
                        self.objects,
                        known(&self.paths)
                    )),
                }
            }
            None if self.paths.iter().any(|path| POSTCODE_NAMES.contains(&&*top(path))) => Ok(None),
            // Objects with nothing in them say nothing.
            None if self.paths.is_empty() => Ok(None),
            None => {
                let (at, told) = only(&self.tallies, &self.paths)?;
                Ok(self.paths.get(at).map(|path| (path.clone(), told)))
            }
        }
    }
}
