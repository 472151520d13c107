//! The key index: from a postcode to its row, and back.

use crate::dataset::file::bytes::{f64_at, u32_at};
use crate::dataset::file::format::{Entry, Frame, damaged, section};
use crate::dataset::file::ranked_bitmap::{self, LINE};
use crate::postcode::{OUTCODES, PER_OUTCODE, UNITS};
use crate::{Location, Outcode, Postcode, Result};

/// One more than the largest sector code.
pub(crate) const SECTOR_CODES: u32 = OUTCODES * 10;
/// One more than the largest postcode code.
pub(crate) const CODES: u32 = OUTCODES * PER_OUTCODE;
/// The bytes of an entry of the outcode section.
pub(crate) const OUTCODE_ENTRY: usize = 48;

/// The sections of the key index.
#[derive(Debug)]
pub(crate) struct Keys {
    sector_index: Entry,
    sectors: Entry,
    units: Entry,
    outcodes: Entry,
    /// The number of rows.
    rows: u32,
}

/// One outcode, with the sums over its live postcodes that the file has.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct OutcodeEntry {
    pub(crate) code: u32,
    /// The number of its first sector.
    pub(crate) first_sector: u32,
    pub(crate) first_row: u32,
    pub(crate) live: u32,
    /// Live postcodes with a location.
    pub(crate) located: u32,
    /// Means in metres; 0 if there are none.
    pub(crate) eastings: u32,
    pub(crate) northings: u32,
    /// Means in degrees; 0 if `located` is 0.
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
}

impl OutcodeEntry {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let words = [
            self.code,
            self.first_sector,
            self.first_row,
            self.live,
            self.located,
            self.eastings,
            self.northings,
            0,
        ];
        words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        out.extend_from_slice(&self.latitude.to_le_bytes());
        out.extend_from_slice(&self.longitude.to_le_bytes());
    }

    fn read(data: &[u8], at: usize) -> Option<Self> {
        let word = |n: usize| u32_at(data, at + n * 4);
        Some(Self {
            code: word(0)?,
            first_sector: word(1)?,
            first_row: word(2)?,
            live: word(3)?,
            located: word(4)?,
            eastings: word(5)?,
            northings: word(6)?,
            latitude: f64_at(data, at + 32)?,
            longitude: f64_at(data, at + 40)?,
        })
    }

    /// Returns the mean location of its live postcodes.
    pub(crate) fn centroid(&self) -> Option<Location> {
        if self.located == 0 { None } else { Location::new(self.latitude, self.longitude).ok() }
    }

    pub(crate) fn outcode(&self) -> Option<Outcode> {
        Outcode::from_code(self.code)
    }
}

impl Keys {
    pub(crate) fn read(frame: &Frame, rows: u32, origin: &str) -> Result<Self> {
        let keys = Self {
            sector_index: *frame.require(section::SECTOR_INDEX, origin)?,
            sectors: *frame.require(section::SECTORS, origin)?,
            units: *frame.require(section::UNITS, origin)?,
            outcodes: *frame.require(section::OUTCODES, origin)?,
            rows,
        };
        let expect = |entry: &Entry, len: usize| {
            if entry.len == len {
                return Ok(());
            }
            let place = format!("section {}", section::name(entry.id));
            Err(damaged(origin, &place, entry.start, format!("{} bytes instead of {len}", entry.len)))
        };
        expect(&keys.sector_index, ranked_bitmap::lines_for(SECTOR_CODES) * LINE)?;
        expect(&keys.sectors, keys.sectors.len / 4 * 4)?;
        expect(&keys.units, keys.sector_count() as usize * LINE)?;
        expect(&keys.outcodes, keys.outcodes.len / OUTCODE_ENTRY * OUTCODE_ENTRY)?;
        Ok(keys)
    }

    pub(crate) fn sector_count(&self) -> u32 {
        (self.sectors.len / 4) as u32
    }

    pub(crate) fn outcode_count(&self) -> u32 {
        (self.outcodes.len / OUTCODE_ENTRY) as u32
    }

    /// Returns the number of the sector of a postcode, if the dataset has any postcode of it.
    #[inline]
    pub(crate) fn sector(&self, data: &[u8], postcode: Postcode) -> Option<u32> {
        let code = postcode.code() / UNITS;
        let (line, bit) = (code / ranked_bitmap::BITS, code % ranked_bitmap::BITS);
        ranked_bitmap::rank(self.sector_index.of(data), line as usize, bit)
    }

    /// Reads a byte of what [`sector`](Self::sector) will read.
    #[inline]
    pub(crate) fn touch_sector(&self, data: &[u8], postcode: Postcode) -> u8 {
        ranked_bitmap::touch(
            self.sector_index.of(data),
            (postcode.code() / UNITS / ranked_bitmap::BITS) as usize,
        )
    }

    /// Reads a byte of what [`row_in`](Self::row_in) will read.
    #[inline]
    pub(crate) fn touch_units(&self, data: &[u8], sector: u32) -> u8 {
        ranked_bitmap::touch(self.units.of(data), sector as usize)
    }

    /// Returns the row of a postcode in this sector.
    #[inline]
    pub(crate) fn row_in(&self, data: &[u8], sector: u32, postcode: Postcode) -> Option<u32> {
        ranked_bitmap::rank(self.units.of(data), sector as usize, postcode.code() % UNITS)
            .filter(|&row| row < self.rows)
    }

    /// Returns the row of a postcode.
    #[inline]
    pub(crate) fn row(&self, data: &[u8], postcode: Postcode) -> Option<u32> {
        self.row_in(data, self.sector(data, postcode)?, postcode)
    }

    pub(crate) fn sector_code(&self, data: &[u8], sector: u32) -> Option<u32> {
        u32_at(self.sectors.of(data), sector as usize * 4).filter(|&code| code < SECTOR_CODES)
    }

    pub(crate) fn unit_words(&self, data: &[u8], sector: u32) -> Option<ranked_bitmap::Words> {
        ranked_bitmap::words(self.units.of(data), sector as usize)
    }

    pub(crate) fn first_row(&self, data: &[u8], sector: u32) -> Option<u32> {
        ranked_bitmap::base(self.units.of(data), sector as usize)
    }

    /// The raw sections, for `verify` and for packing.
    pub(crate) fn sector_index<'a>(&self, data: &'a [u8]) -> &'a [u8] {
        self.sector_index.of(data)
    }

    pub(crate) fn units<'a>(&self, data: &'a [u8]) -> &'a [u8] {
        self.units.of(data)
    }

    /// Returns the postcode of a row.
    pub(crate) fn postcode(&self, data: &[u8], row: u32) -> Option<Postcode> {
        let after = first(self.sector_count(), |n| self.first_row(data, n).is_none_or(|base| base > row));
        let sector = after.checked_sub(1)?;
        let words = self.unit_words(data, sector)?;
        let unit = ranked_bitmap::select(&words, row.checked_sub(self.first_row(data, sector)?)?)?;
        Postcode::from_code(self.sector_code(data, sector)? * UNITS + unit)
    }

    /// Iterates over rows and postcodes in order, from the first postcode whose code is at least
    /// `from`.
    pub(crate) fn scan<'a>(&'a self, data: &'a [u8], from: u32) -> Scan<'a> {
        let (line, bit) = (from / UNITS / ranked_bitmap::BITS, from / UNITS % ranked_bitmap::BITS);
        let sector = ranked_bitmap::before(self.sector_index.of(data), line as usize, bit);
        let sector = sector.unwrap_or(u32::MAX);
        let mut scan = Scan { keys: self, data, sector, words: [0; 7], word: 0, row: 0, code: 0 };
        scan.load();
        if self.sector_code(data, sector) == Some(from / UNITS) {
            scan.skip_below(from % UNITS);
        }
        scan
    }

    pub(crate) fn outcode_entry(&self, data: &[u8], n: u32) -> Option<OutcodeEntry> {
        OutcodeEntry::read(self.outcodes.of(data), n as usize * OUTCODE_ENTRY)
    }

    /// Returns the number of the first outcode whose code is at least `code`.
    pub(crate) fn outcode_from(&self, data: &[u8], code: u32) -> u32 {
        let code_of = |n: u32| u32_at(self.outcodes.of(data), n as usize * OUTCODE_ENTRY);
        first(self.outcode_count(), |n| code_of(n).is_none_or(|other| other >= code))
    }

    /// Returns the number and the entry of an outcode.
    pub(crate) fn outcode(&self, data: &[u8], outcode: Outcode) -> Option<(u32, OutcodeEntry)> {
        let n = self.outcode_from(data, outcode.code());
        let entry = self.outcode_entry(data, n)?;
        (entry.code == outcode.code()).then_some((n, entry))
    }

    /// Returns whether there are postcodes, live or terminated, in a postcode area.
    pub(crate) fn has_area(&self, data: &[u8], area: &str) -> bool {
        let Ok(lowest) = format!("{area}0").parse::<Outcode>() else { return false };
        let entry = self.outcode_entry(data, self.outcode_from(data, lowest.code()));
        entry.and_then(|entry| entry.outcode()).is_some_and(|outcode| outcode.area().as_str() == area)
    }

    /// Returns the row after the last one of the outcode with this number.
    pub(crate) fn outcode_end(&self, data: &[u8], n: u32) -> u32 {
        self.outcode_entry(data, n + 1).map_or(self.rows, |next| next.first_row)
    }
}

/// Returns the first of `0..count` for which `reached` is true, or `count` if it never is. Once
/// true, `reached` must stay true.
pub(crate) fn first(count: u32, reached: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if reached(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// Iterates over rows and their postcodes in order.
#[derive(Clone)]
pub(crate) struct Scan<'a> {
    keys: &'a Keys,
    data: &'a [u8],
    sector: u32,
    words: ranked_bitmap::Words,
    word: usize,
    row: u32,
    /// The code of the sector's first possible postcode.
    code: u32,
}

impl Scan<'_> {
    /// Loads the current sector, or ends after the last one.
    fn load(&mut self) {
        let parts = (
            self.keys.unit_words(self.data, self.sector),
            self.keys.sector_code(self.data, self.sector),
            self.keys.first_row(self.data, self.sector),
        );
        let (Some(words), Some(code), Some(row)) = parts else {
            self.sector = u32::MAX;
            return;
        };
        (self.words, self.word, self.row, self.code) = (words, 0, row, code * UNITS);
    }

    fn skip_below(&mut self, unit: u32) {
        for (n, word) in self.words.iter_mut().enumerate() {
            let below = unit.saturating_sub(n as u32 * 64).min(64);
            let kept = if below == 64 { 0 } else { *word >> below << below };
            self.row = self.row.wrapping_add((*word ^ kept).count_ones());
            *word = kept;
        }
    }
}

impl Iterator for Scan<'_> {
    type Item = (u32, Postcode);

    fn next(&mut self) -> Option<Self::Item> {
        while self.sector != u32::MAX {
            let Some(word) = self.words.get_mut(self.word) else {
                self.sector += 1;
                self.load();
                continue;
            };
            if *word == 0 {
                self.word += 1;
                continue;
            }
            let bit = word.trailing_zeros();
            *word &= *word - 1;
            let row = self.row;
            self.row = row.wrapping_add(1);
            if row >= self.keys.rows {
                return None;
            }
            return Some((row, Postcode::from_code(self.code + self.word as u32 * 64 + bit)?));
        }
        None
    }
}
