//! How complete an edition is, by country and column, compared with the previous edition.

use std::collections::BTreeMap;
use std::fmt;

use postcode_core::dataset::Dataset;
use postcode_core::{AreaKind, Record, Status};
use serde::Serialize;

const KINDS: usize = AreaKind::ALL.len();

type Has = fn(&Record) -> bool;

/// The columns of a row apart from areas.
const COLUMNS: [(&str, Has); 6] = [
    ("grid reference", |record| record.grid.is_some()),
    ("latitude and longitude", |record| record.location.is_some()),
    ("quality", |record| record.quality.is_some()),
    ("user type", |record| record.user_type.is_some()),
    ("introduced", |record| record.introduced.is_some()),
    ("deprivation rank", |record| record.deprivation_rank.is_some()),
];

/// The countries as people list them; others come after them.
const ORDER: [&str; 6] = ["E92000001", "S92000003", "W92000004", "N92000002", "L93000001", "M83000003"];

/// Returns whether a code means that there is no such area: `E99999999`. Most of these have no
/// name.
pub(super) fn is_pseudo(code: &str) -> bool {
    code.ends_with("99999999")
}

/// Returns whether areas of the kind have names.
pub(super) fn has_names(kind: AreaKind) -> bool {
    kind != AreaKind::OutputArea21
}

/// How full an edition is, over its live postcodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Coverage {
    /// The countries: England first, postcodes without a country last. Includes countries that only
    /// the previous edition has.
    pub countries: Vec<Country>,
}

/// The coverage of one country.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Country {
    /// The country's code; empty for postcodes without one.
    pub code: String,
    /// The country's name, or its code if the name is not known.
    pub name: String,
    /// Live postcodes.
    pub live: u64,
    /// The same in the edition before, if there is one.
    pub live_before: Option<u64>,
    /// The columns that at least one postcode has or had.
    pub columns: Vec<Column>,
}

/// The coverage of one column in one country. Shares are of live postcodes, 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// `latitude and longitude`, `AdminWard`.
    pub column: String,
    /// How many have a value.
    pub filled: f64,
    pub filled_before: Option<f64>,
    /// The share of postcodes with a real area, not a pseudo area, whose area has a name. `None` if
    /// there are none, or the column has no names.
    pub named: Option<f64>,
    pub named_before: Option<f64>,
}

/// Counts over the live postcodes of a country.
#[derive(Clone, Debug, Default)]
struct Counts {
    live: u64,
    columns: [u64; COLUMNS.len()],
    areas: [u64; KINDS],
    /// The number of postcodes with a real area, not a pseudo area, and how many of these areas
    /// have a name.
    real: [u64; KINDS],
    named: [u64; KINDS],
}

impl Counts {
    fn add(&mut self, record: &Record) {
        self.live += 1;
        for (count, (_, has)) in self.columns.iter_mut().zip(&COLUMNS) {
            *count += u64::from(has(record));
        }
        for (kind, area) in record.areas.iter() {
            let kind = kind as usize;
            self.areas[kind] += 1;
            if !area.code.is_some_and(is_pseudo) {
                self.real[kind] += 1;
                self.named[kind] += u64::from(area.name.is_some());
            }
        }
    }

    /// Column, share that has it, share of these that has a name.
    fn shares(&self) -> impl Iterator<Item = (String, f64, Option<f64>)> + '_ {
        let share = |part: u64, all: u64| if all == 0 { 0.0 } else { part as f64 / all as f64 };
        let columns = COLUMNS.iter().zip(self.columns);
        let columns =
            columns.map(move |((name, _), count)| ((*name).to_owned(), share(count, self.live), None));
        let kinds = AreaKind::ALL.into_iter().map(move |kind| {
            let n = kind as usize;
            let named = (has_names(kind) && self.real[n] > 0).then(|| share(self.named[n], self.real[n]));
            (kind.key().to_owned(), share(self.areas[n], self.live), named)
        });
        columns.chain(kinds)
    }
}

/// Counts by the code of the country.
fn count(dataset: &Dataset) -> BTreeMap<String, Counts> {
    let mut countries: BTreeMap<String, Counts> = BTreeMap::new();
    for record in dataset.iter().filter(|record| record.status == Status::Live) {
        let country = record.area_code(AreaKind::Country).unwrap_or_default();
        match countries.get_mut(country) {
            Some(counts) => counts.add(&record),
            None => countries.entry(country.to_owned()).or_default().add(&record),
        }
    }
    countries
}

impl Coverage {
    /// Computes the coverage of an edition, compared with the previous one.
    pub(super) fn of(new: &Dataset, old: Option<&Dataset>) -> Self {
        let (new, old) = (count(new), old.map(count));
        let mut codes: Vec<&String> = new.keys().chain(old.iter().flat_map(BTreeMap::keys)).collect();
        codes.sort_by_key(|code| {
            let place = ORDER.iter().position(|known| known == *code);
            (code.is_empty(), place.unwrap_or(ORDER.len()), code.as_str())
        });
        codes.dedup();
        let none = Counts::default();
        let country = |code: &String| {
            let now = new.get(code).unwrap_or(&none);
            let before = old.as_ref().map(|old| old.get(code).unwrap_or(&none));
            let mut olds = before.map(Counts::shares);
            let columns = now.shares().map(|(column, filled, named)| {
                let before = olds.as_mut().and_then(Iterator::next);
                let (filled_before, named_before) =
                    before.map_or((None, None), |(_, filled, named)| (Some(filled), named));
                Column { column, filled, filled_before, named, named_before }
            });
            let there =
                |column: &Column| column.filled > 0.0 || column.filled_before.is_some_and(|x| x > 0.0);
            Country {
                name: name_of(code).to_owned(),
                live: now.live,
                live_before: before.map(|before| before.live),
                columns: columns.filter(there).collect(),
                code: code.clone(),
            }
        };
        Self { countries: codes.into_iter().map(country).collect() }
    }

    /// Live postcodes of all countries.
    pub(super) fn live(&self) -> u64 {
        self.countries.iter().map(|country| country.live).sum()
    }
}

/// Returns the name of a country for messages.
pub(super) fn name_of(code: &str) -> &str {
    let known = postcode_core::names::countries().find(|(other, _)| *other == code);
    match known {
        Some((_, name)) => name,
        None if code.is_empty() => "no country",
        None => code,
    }
}

/// Prints a line for each column, and percentages for each country, with the difference to the
/// previous edition in percentage points in brackets.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |label: &str, cell: &dyn Fn(&Country) -> String| {
            write!(f, "{label:<33}")?;
            self.countries.iter().try_for_each(|country| write!(f, " {:>20}", cell(country)))?;
            writeln!(f)
        };
        line("live postcodes, % filled", &|country| country.name.clone())?;
        line("live postcodes", &|country| match country.live_before {
            Some(before) if before != country.live => {
                format!("{} ({:+})", country.live, country.live as i128 - i128::from(before))
            }
            _ => country.live.to_string(),
        })?;
        let mut labels: Vec<&str> = Vec::new();
        labels.extend(COLUMNS.iter().map(|(name, _)| *name));
        labels.extend(AreaKind::ALL.map(AreaKind::key));
        let find = |country: &Country, label: &str| {
            country.columns.iter().find(|column| column.column == label).cloned()
        };
        for label in labels {
            if !self.countries.iter().any(|country| find(country, label).is_some()) {
                continue;
            }
            line(label, &|country| {
                find(country, label)
                    .map_or_else(|| "-".to_owned(), |column| percent(column.filled, column.filled_before))
            })?;
            let named = |country: &Country| {
                find(country, label)
                    .filter(|column| column.named.is_some() || column.named_before.is_some())
                    .map(|column| (column.named.unwrap_or(0.0), column.named_before))
            };
            // All names there, as before: nothing to say.
            let whole =
                |country| named(country).is_none_or(|(now, before)| now == 1.0 && before != Some(0.0));
            if !self.countries.iter().all(whole) {
                line("  with a name", &|country| {
                    named(country).map_or_else(|| "-".to_owned(), |(now, before)| percent(now, before))
                })?;
            }
        }
        Ok(())
    }
}

/// Formats `99.8 (-0.2)`. A share just below 100 is not rounded up to 100.
fn percent(now: f64, before: Option<f64>) -> String {
    let floor = |share: f64| if share < 1.0 { (share * 100.0).min(99.9) } else { 100.0 };
    match before.map(|before| (now - before) * 100.0) {
        Some(change) if change.abs() >= 0.05 => format!("{:.1} ({change:+.1})", floor(now)),
        _ => format!("{:.1}", floor(now)),
    }
}
