//! The postcodes of the Scottish Postcode Directory: a table of its own, because it has postcodes that ONSPD has not, or no
//! longer.

use super::Dataset;
use super::areas::{self, Kind};
use super::format::{Entry, Frame, section};
use super::packed_table::{Column, PackedTable};
use crate::{Error, ErrorKind, Postcode, Result, ScottishPostcode};

/// The columns of the table. Numbers are for ever.
pub(super) const POSTCODE: u16 = 0;
pub(super) const CONSTITUENCY: u16 = 1;
pub(super) const NAMES: [&str; 2] = ["postcode", "Scottish parliamentary constituency"];

/// The table, empty if the file has none, and the constituencies.
#[derive(Debug)]
pub(crate) struct Scotland {
    pub(super) table: PackedTable,
    postcode: Column,
    constituency: Column,
    pub(super) constituencies: Option<Kind>,
    pool: Entry,
}

impl Scotland {
    pub(crate) fn read(frame: &Frame, data: &[u8], origin: &str) -> Result<Self> {
        let table = match frame.find(section::SCOTTISH_POSTCODES) {
            Some(_) => areas::table(frame, data, section::SCOTTISH_POSTCODES, origin)?,
            None => PackedTable::EMPTY,
        };
        let constituency = table.column(CONSTITUENCY);
        let constituencies = match frame.find(section::SCOTTISH_CODES) {
            Some(codes) => Some(Kind::read(frame, data, *codes, constituency, origin)?),
            None => None,
        };
        let pool = *frame.require(section::STRINGS, origin)?;
        Ok(Self { postcode: table.column(POSTCODE), constituency, constituencies, pool, table })
    }

    pub(super) fn count(&self) -> u32 {
        self.table.rows()
    }

    fn code(&self, data: &[u8], row: u32) -> Option<u32> {
        self.table.get_u32(data, row, self.postcode)
    }

    fn find(&self, data: &[u8], postcode: Postcode) -> Option<u32> {
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

    fn entry(&self, data: &[u8], row: u32, postcode: Postcode) -> ScottishPostcode {
        let number = self.table.get_u32(data, row, self.constituency);
        let area = self.constituencies.as_ref().and_then(|kind| kind.area(data, &self.pool, number?));
        let text = |text: Option<&str>| text.map(str::to_owned);
        ScottishPostcode::new(
            postcode,
            text(area.and_then(|area| area.name)),
            text(area.and_then(|area| area.code)),
        )
    }

    /// What is wrong, if anything is: with which section, and what.
    pub(super) fn fault(&self, data: &[u8]) -> Option<(u32, String)> {
        let mut before = None;
        let areas = self.constituencies.as_ref().map_or(0, |kind| kind.count);
        for row in 0..self.count() {
            let wrong = |what: &str| Some((section::SCOTTISH_POSTCODES, format!("row {row}: {what}")));
            let code = self.code(data, row).filter(|code| Postcode::from_code(*code).is_some());
            if code <= before {
                return wrong("no postcode, or not in order");
            }
            before = code;
            if self.table.get_u32(data, row, self.constituency).is_some_and(|number| number >= areas) {
                return wrong("no such constituency");
            }
        }
        let kind = self.constituencies.as_ref()?;
        kind.fault(data, &self.pool).map(|what| (section::SCOTTISH_CODES, what))
    }
}

impl Dataset {
    /// What the Scottish Postcode Directory says of a postcode; `None` if it has not that one, or no longer.
    ///
    /// # Errors
    /// [`NotSupported`](ErrorKind::NotSupported) if the directory is not in the dataset.
    pub fn scottish_postcode(&self, postcode: Postcode) -> Result<Option<ScottishPostcode>> {
        let (scotland, data) = (&self.inner().scotland, self.as_bytes());
        if scotland.count() == 0 {
            return Err(Error::new(
                ErrorKind::NotSupported,
                format!(
                    "the Scottish Postcode Directory is not in the data ({}): import it too, by `postcode-service import`",
                    self.info().edition
                ),
            ));
        }
        Ok(scotland.find(data, postcode).map(|row| scotland.entry(data, row, postcode)))
    }

    /// All entries of the Scottish Postcode Directory, in the order of postcodes; none if the dataset has none.
    pub fn iter_scottish(&self) -> impl Iterator<Item = ScottishPostcode> + '_ {
        let (scotland, data) = (&self.inner().scotland, self.as_bytes());
        (0..scotland.count()).filter_map(move |row| {
            Some(scotland.entry(data, row, Postcode::from_code(scotland.code(data, row)?)?))
        })
    }
}
