//! The Scottish Postcode Directory for a [`DatasetBuilder`].

use std::collections::BTreeMap;

use super::DatasetBuilder;
use super::builder::{Dictionary, check_code, check_name, write_codes, write_names};
use super::format::section;
use super::packed_table::{Extent, TableWriter};
use super::scotland::{CONSTITUENCY, POSTCODE};
use super::strings::PoolWriter;
use crate::{Error, Postcode, Result};

/// Postcodes with their constituencies, by number.
#[derive(Default)]
pub(super) struct ScottishWriter {
    entries: BTreeMap<u32, Option<u32>>,
    constituencies: Dictionary,
}

impl DatasetBuilder {
    /// Adds an entry of the Scottish Postcode Directory: a postcode, which need not be among the dataset's others, and the
    /// code of its constituency of the Scottish Parliament.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), and the entry is left out: if the postcode has one already, and for a code
    /// that is empty, longer than 32 bytes, or has control characters.
    pub fn push_scottish(&mut self, postcode: Postcode, constituency: Option<&str>) -> Result<()> {
        let scotland = &mut self.scotland;
        if scotland.entries.contains_key(&postcode.code()) {
            return Err(Error::invalid(format!("{postcode}: given twice: the first entry stays")));
        }
        let number = match constituency {
            None => None,
            Some(code) => {
                check_code("Scottish parliamentary constituency", code)?;
                Some(scotland.constituencies.number(code))
            }
        };
        scotland.entries.insert(postcode.code(), number);
        Ok(())
    }

    /// Gives a constituency of the Scottish Parliament its name; of two names the last one stays. Names of constituencies
    /// that no entry has are left out of the file.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a code as [`push_scottish`](Self::push_scottish), and for a name above
    /// 65,535 bytes.
    pub fn name_scottish_constituency(&mut self, code: &str, name: &str) -> Result<()> {
        const WHAT: &str = "Scottish parliamentary constituency";
        check_code(WHAT, code)?;
        check_name(WHAT, code, name)?;
        let number = self.scotland.constituencies.number(code);
        if let Some(area) = self.scotland.constituencies.areas.get_mut(number as usize) {
            area.name = (!name.is_empty()).then(|| name.into());
        }
        Ok(())
    }
}

impl ScottishWriter {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The numbers of the constituencies in use, in the order of their codes.
    fn used(&self) -> Vec<u32> {
        let mut used: Vec<u32> = self.entries.values().copied().flatten().collect();
        used.sort_unstable();
        used.dedup();
        used.sort_by_key(|number| &self.constituencies.areas[*number as usize].code);
        used
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let used = self.used().into_iter();
        used.filter_map(|number| self.constituencies.areas[number as usize].name.as_deref())
    }

    /// Table, codes and names; nothing if there are no entries.
    pub(super) fn sections(&self, pool: &PoolWriter) -> Vec<(u32, Vec<u8>)> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        let used = self.used();
        let place = |number: u32| used.iter().position(|other| *other == number).map(|place| place as i64);
        let values =
            |(postcode, number): (&u32, &Option<u32>)| [Some(i64::from(*postcode)), number.and_then(place)];
        let mut extents = [(POSTCODE, Extent::NONE), (CONSTITUENCY, Extent::NONE)];
        for entry in &self.entries {
            extents.iter_mut().zip(values(entry)).for_each(|((_, extent), value)| extent.see(value));
        }
        let mut out = Vec::new();
        let mut table = TableWriter::new(&mut out, self.entries.len(), &extents);
        for entry in &self.entries {
            values(entry).into_iter().for_each(|value| table.push(value));
        }
        table.finish();
        let mut sections = vec![(section::SCOTTISH_POSTCODES, out)];
        if !used.is_empty() {
            let areas: Vec<_> = used.iter().map(|n| &self.constituencies.areas[*n as usize]).collect();
            sections.push((section::SCOTTISH_CODES, write_codes(&areas)));
            sections.extend(write_names(&areas, pool).map(|names| (section::SCOTTISH_NAMES, names)));
        }
        sections
    }
}
