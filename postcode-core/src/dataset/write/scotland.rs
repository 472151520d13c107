//! Writes the sections of the Scottish Postcode Directory.

use std::collections::{BTreeMap, HashMap};

use crate::dataset::file::format::section;
use crate::dataset::file::packed_table::{Extent, TableWriter};
use crate::dataset::file::strings::PoolWriter;
use crate::dataset::section::scotland::{CONSTITUENCY, PLAIN, PLAIN_NAMES, POSTCODE, SET};
use crate::dataset::write::dictionary::{Dictionary, check_code, check_name, write_codes, write_names};
use crate::{Error, Result, ScottishArea, ScottishPostcode};

const AREAS: usize = ScottishArea::ALL.len();

/// Numbers of areas by kind, and the plain columns. The constituency stays empty: it is not part of
/// the set.
type Set = ([Option<u32>; AREAS], [Option<u16>; PLAIN_NAMES.len()]);
const NOTHING: Set = ([None; AREAS], [None; PLAIN_NAMES.len()]);

/// Postcodes with their constituencies and sets of other areas, by number.
#[derive(Default)]
pub(crate) struct ScottishWriter {
    entries: BTreeMap<u32, (Option<u32>, Option<u32>)>,
    sets: HashMap<Set, u32>,
    kinds: [Dictionary; AREAS],
}

impl ScottishWriter {
    pub(crate) fn push(&mut self, entry: &ScottishPostcode) -> Result<()> {
        let postcode = entry.postcode;
        if self.entries.contains_key(&postcode.code()) {
            return Err(Error::invalid(format!("{postcode}: given twice: the first entry stays")));
        }
        let mut set = NOTHING;
        set.1 = [
            entry.scottish_index_of_multiple_deprivation,
            class(&entry.urban_rural_6_fold, "urban and rural class (6 fold)", 6)?,
            class(&entry.urban_rural_8_fold, "urban and rural class (8 fold)", 8)?,
            match entry.split_indicator.as_deref() {
                None => None,
                Some("N") => Some(0),
                Some("Y") => Some(1),
                Some(other) => return Err(Error::invalid(format!("split indicator {other:?}: give Y or N"))),
            },
        ];
        let codes = |area: &ScottishArea| entry.code(*area).map(|code| (*area, code));
        for (area, code) in ScottishArea::ALL.iter().filter_map(codes) {
            check_code(format_args!("{area:?}"), code)?;
        }
        for (area, code) in ScottishArea::ALL.iter().filter_map(codes) {
            set.0[area as usize] = Some(self.kinds[area as usize].number(code));
        }
        let constituency = set.0[0].take();
        let next = self.sets.len() as u32;
        let set = (set != NOTHING).then(|| *self.sets.entry(set).or_insert(next));
        self.entries.insert(postcode.code(), (constituency, set));
        Ok(())
    }

    pub(crate) fn name(&mut self, area: ScottishArea, code: &str, name: &str) -> Result<()> {
        check_code(format_args!("{area:?}"), code)?;
        check_name(format_args!("{area:?}"), code, name)?;
        let dictionary = &mut self.kinds[area as usize];
        let number = dictionary.number(code);
        if let Some(area) = dictionary.areas.get_mut(number as usize) {
            area.name = (!name.is_empty()).then(|| name.into());
        }
        Ok(())
    }

    /// Returns the codes of a kind so far.
    pub(crate) fn codes(&self, area: ScottishArea) -> impl Iterator<Item = &str> {
        self.kinds[area as usize].areas.iter().map(|area| &*area.code)
    }
}

fn class(text: &Option<String>, what: &str, most: u16) -> Result<Option<u16>> {
    let Some(text) = text else { return Ok(None) };
    match text.parse() {
        Ok(class) if (1..=most).contains(&class) => Ok(Some(class)),
        _ => Err(Error::invalid(format!("{what} {text:?}: give 1 to {most}"))),
    }
}

/// The areas of one kind that are written: the numbers in use, in the order of their codes, and
/// from numbers to places among them.
struct Used {
    order: Vec<u32>,
    places: Vec<u32>,
}

impl Used {
    fn place(&self, number: Option<u32>) -> Option<i64> {
        self.places.get(number? as usize).map(|place| i64::from(*place))
    }
}

impl ScottishWriter {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn used(&self, area: usize) -> Used {
        let dictionary = &self.kinds[area];
        let mut order: Vec<u32> = match area {
            0 => self.entries.values().filter_map(|(constituency, _)| *constituency).collect(),
            _ => self.sets.keys().filter_map(|(areas, _)| areas[area]).collect(),
        };
        order.sort_unstable();
        order.dedup();
        order.sort_by_key(|number| &dictionary.areas[*number as usize].code);
        let mut places = vec![0; dictionary.areas.len()];
        order.iter().zip(0..).for_each(|(number, place)| places[*number as usize] = place);
        Used { order, places }
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        (0..AREAS).flat_map(move |area| {
            let order = self.used(area).order.into_iter();
            order.filter_map(move |number| self.kinds[area].areas[number as usize].name.as_deref())
        })
    }

    /// Numbers the sets by their first use in the order of postcodes, in any order of pushing.
    /// Returns the sets and the new number of each.
    fn number_sets(&self) -> (Vec<&Set>, Vec<Option<u32>>) {
        let mut old = vec![&NOTHING; self.sets.len()];
        self.sets.iter().for_each(|(set, number)| old[*number as usize] = set);
        let (mut sets, mut numbers) = (Vec::new(), vec![None; old.len()]);
        for set in self.entries.values().filter_map(|(_, set)| *set) {
            let number = &mut numbers[set as usize];
            if number.is_none() {
                *number = Some(sets.len() as u32);
                sets.push(old[set as usize]);
            }
        }
        (sets, numbers)
    }

    /// Returns tables, codes and names, or nothing if there are no entries.
    pub(crate) fn sections(&self, pool: &PoolWriter) -> Vec<(u32, Vec<u8>)> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        let used: [Used; AREAS] = std::array::from_fn(|area| self.used(area));
        let (sets, numbers) = self.number_sets();
        let rows = self.entries.iter().map(|(postcode, (constituency, set))| {
            let set = set.and_then(|set| numbers.get(set as usize).copied().flatten());
            [Some(i64::from(*postcode)), used[0].place(*constituency), set.map(i64::from)].to_vec()
        });
        let mut sections = vec![(
            section::SCOTTISH_POSTCODES,
            table(&[POSTCODE, CONSTITUENCY, SET], &rows.collect::<Vec<_>>()),
        )];
        if !sets.is_empty() {
            let plain = (0..PLAIN_NAMES.len() as u16).map(|n| PLAIN + n);
            let columns: Vec<u16> = (1..AREAS as u16).chain(plain).collect();
            let row = |(areas, plain): &&Set| {
                let places = (1..AREAS).map(|area| used[area].place(areas[area]));
                places.chain(plain.iter().map(|value| value.map(i64::from))).collect()
            };
            let rows: Vec<Vec<Option<i64>>> = sets.iter().map(row).collect();
            sections.push((section::SCOTTISH_SETS, table(&columns, &rows)));
        }
        for (number, used) in used.iter().enumerate().filter(|(_, used)| !used.order.is_empty()) {
            let areas: Vec<_> = used.order.iter().map(|n| &self.kinds[number].areas[*n as usize]).collect();
            sections.push((section::SCOTTISH_CODES + number as u32, write_codes(&areas)));
            let names = write_names(&areas, pool);
            sections.extend(names.map(|names| (section::SCOTTISH_NAMES + number as u32, names)));
        }
        sections
    }
}

fn table(columns: &[u16], rows: &[Vec<Option<i64>>]) -> Vec<u8> {
    let mut extents: Vec<(u16, Extent)> = columns.iter().map(|column| (*column, Extent::NONE)).collect();
    for row in rows {
        extents.iter_mut().zip(row).for_each(|((_, extent), value)| extent.see(*value));
    }
    let mut out = Vec::new();
    let mut table = TableWriter::new(&mut out, rows.len(), &extents);
    rows.iter().flatten().for_each(|value| table.push(*value));
    table.finish();
    out
}
