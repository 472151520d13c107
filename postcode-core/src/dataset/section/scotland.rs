//! The postcodes of the Scottish Postcode Directory. They have a separate table, because the
//! directory has postcodes that ONSPD does not have, or no longer has.

use crate::dataset::file::format::{Entry, Frame, section};
use crate::dataset::file::packed_table::{Column, PackedTable};
use crate::dataset::section::areas::{self, Kind};
use crate::{Postcode, Result, ScottishArea, ScottishPostcode};

/// The columns of the table of postcodes. Numbers never change.
pub(crate) const POSTCODE: u16 = 0;
pub(crate) const CONSTITUENCY: u16 = 1;
pub(crate) const SET: u16 = 2;
pub(crate) const NAMES: [&str; 3] = ["postcode", "Scottish parliamentary constituency", "area set"];

/// The first column of the table of area sets that is not an area. Areas have the numbers of
/// [`ScottishArea`] from 1.
pub(crate) const PLAIN: u16 = 256;
/// The names of these columns, by number from [`PLAIN`].
pub(crate) const PLAIN_NAMES: [&str; 4] =
    ["deprivation rank", "urban and rural, 6 fold", "urban and rural, 8 fold", "split"];

/// Both tables, empty if the file has none, and the dictionaries.
#[derive(Debug)]
pub(crate) struct Scotland {
    pub(crate) table: PackedTable,
    postcode: Column,
    set: Column,
    pub(crate) sets: PackedTable,
    plain: [Column; PLAIN_NAMES.len()],
    kinds: Vec<(ScottishArea, Column, Kind)>,
    pool: Entry,
}

impl Scotland {
    pub(crate) fn read(frame: &Frame, data: &[u8], origin: &str) -> Result<Self> {
        let table = |id| match frame.find(id) {
            Some(_) => areas::table(frame, data, id, origin),
            None => Ok(PackedTable::EMPTY),
        };
        let (table, sets) = (table(section::SCOTTISH_POSTCODES)?, table(section::SCOTTISH_SETS)?);
        let mut kinds = Vec::new();
        for area in ScottishArea::ALL {
            let column = match area {
                ScottishArea::ScottishParliamentaryConstituency => table.column(CONSTITUENCY),
                other => sets.column(*other as u16),
            };
            if let Some(codes) = frame.find(section::SCOTTISH_CODES + *area as u32) {
                kinds.push((*area, column, Kind::read(frame, data, *codes, column, origin)?));
            }
        }
        let pool = *frame.require(section::STRINGS, origin)?;
        let plain = std::array::from_fn(|n| sets.column(PLAIN + n as u16));
        Ok(Self { postcode: table.column(POSTCODE), set: table.column(SET), sets, plain, kinds, pool, table })
    }

    pub(crate) fn count(&self) -> u32 {
        self.table.rows()
    }

    /// Returns how many areas of a kind there are.
    pub(crate) fn distinct(&self, number: u16) -> Option<u32> {
        self.kinds.iter().find(|(area, ..)| *area as u16 == number).map(|(.., kind)| kind.count)
    }

    pub(crate) fn code(&self, data: &[u8], row: u32) -> Option<u32> {
        self.table.get_u32(data, row, self.postcode)
    }

    pub(crate) fn find(&self, data: &[u8], postcode: Postcode) -> Option<u32> {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.code(data, middle)?.cmp(&postcode.code()) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Returns the number of a row's area in the dictionary of its kind.
    fn number(&self, data: &[u8], row: u32, area: ScottishArea, column: Column) -> Option<u32> {
        match area {
            ScottishArea::ScottishParliamentaryConstituency => self.table.get_u32(data, row, column),
            _ => self.sets.get_u32(data, self.table.get_u32(data, row, self.set)?, column),
        }
    }

    pub(crate) fn entry(&self, data: &[u8], row: u32, postcode: Postcode) -> ScottishPostcode {
        let mut entry = ScottishPostcode::new(postcode, None, None);
        let text = |text: Option<&str>| text.map(str::to_owned);
        for (area, column, kind) in &self.kinds {
            let number = self.number(data, row, *area, *column);
            if let Some(found) = number.and_then(|number| kind.area(data, &self.pool, number)) {
                entry.set(*area, text(found.name), text(found.code));
            }
        }
        let Some(set) = self.table.get_u32(data, row, self.set) else { return entry };
        let [rank, six, eight, split] = self.plain.map(|column| self.sets.get_u32(data, set, column));
        entry.scottish_index_of_multiple_deprivation = rank.and_then(|rank| u16::try_from(rank).ok());
        entry.urban_rural_6_fold = six.map(|class| class.to_string());
        entry.urban_rural_8_fold = eight.map(|class| class.to_string());
        entry.split_indicator = split.map(|split| if split == 0 { "N" } else { "Y" }.to_owned());
        entry
    }

    /// Returns what is wrong, if anything: the section, and a description.
    pub(crate) fn fault(&self, data: &[u8]) -> Option<(u32, String)> {
        let mut before = None;
        let constituency = self.table.column(CONSTITUENCY);
        let most = self.distinct(0).unwrap_or(0);
        for row in 0..self.count() {
            let wrong = |what: &str| Some((section::SCOTTISH_POSTCODES, format!("row {row}: {what}")));
            let code = self.code(data, row).filter(|code| Postcode::from_code(*code).is_some());
            if code <= before {
                return wrong("no postcode, or not in order");
            }
            before = code;
            if self.table.get_u32(data, row, constituency).is_some_and(|number| number >= most) {
                return wrong("no such constituency");
            }
            if self.table.get_u32(data, row, self.set).is_some_and(|set| set >= self.sets.rows()) {
                return wrong("no such set of areas");
            }
        }
        for (area, column, kind) in self.kinds.iter().filter(|(area, ..)| *area as u16 != 0) {
            let known = |set| self.sets.get_u32(data, set, *column).is_none_or(|number| number < kind.count);
            if let Some(set) = (0..self.sets.rows()).find(|set| !known(*set)) {
                return Some((section::SCOTTISH_SETS, format!("set {set}: no such {area:?}")));
            }
        }
        let fault = |(area, _, kind): &(ScottishArea, Column, Kind)| {
            Some((section::SCOTTISH_CODES + *area as u32, kind.fault(data, &self.pool)?))
        };
        self.kinds.iter().find_map(fault)
    }
}
