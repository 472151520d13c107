//! The frame, tables and key index of a dataset file, for the file of addresses, which has the same ones. Not for applications:
//! it may change with any version.

use std::path::Path;

#[cfg(doc)]
use crate::ErrorKind;
use crate::dataset::file::bytes::Bytes;
use crate::dataset::file::format::{Frame, damaged};
use crate::dataset::file::packed_table::{Column, PackedTable};
use crate::dataset::file::ranked_bitmap::{self, LINE, Words};
use crate::dataset::section::keys::{SECTOR_CODES, first};
use crate::dataset::{Demands, read_signature};
use crate::postcode::{PER_OUTCODE, UNITS};
use crate::source::{Source, SourceUrl};
use crate::{Error, Outcode, Postcode, Result};

pub use crate::dataset::file::format::{ADDRESSES_MAGIC, ALIGN, ENTRY, Entry, Family, HEADER, MAJOR, head};
pub use crate::dataset::file::packed_table::{Extent, TableWriter};

/// Returns the path and the demands of `file:PATH?verify=…&public_key=…`, or `None` if the URL is of another kind.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) for an invalid URL or an unknown option.
pub fn file_url(url: &str, demands: Demands) -> Result<Option<(std::path::PathBuf, Demands)>> {
    let url = SourceUrl::parse(url)?;
    match url.source {
        Source::File(path) => Ok(Some((path, demands.with_options("file", &url.options)?))),
        _ => Ok(None),
    }
}

/// Returns the number of an outcode among all possible ones, in order.
pub fn outcode_code(outcode: Outcode) -> u32 {
    outcode.code()
}

/// A file with sections, mapped or in memory.
pub struct Container {
    bytes: Bytes,
    frame: Frame,
    origin: String,
}

impl std::fmt::Debug for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Container").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Container {
    /// Maps a file and checks header and table of sections.
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) if it can't be read, is damaged or of another kind.
    pub fn open(path: &Path, family: &'static Family) -> Result<Self> {
        let (bytes, origin) = Bytes::open(path)?;
        Self::read(bytes, origin, family)
    }

    /// Reads a file in memory.
    ///
    /// # Errors
    /// The same as [`open`](Self::open).
    pub fn from_bytes(bytes: Vec<u8>, family: &'static Family) -> Result<Self> {
        Self::read(Bytes::Owned(bytes), "file in memory".to_owned(), family)
    }

    fn read(bytes: Bytes, origin: String, family: &'static Family) -> Result<Self> {
        let frame = Frame::read(&bytes, &origin, family)?;
        Ok(Self { bytes, frame, origin })
    }

    /// The bytes of the file.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name that errors use.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The minor version of the format.
    pub fn minor(&self) -> u16 {
        self.frame.minor
    }

    /// The hash over the numbers and checksums of the sections.
    pub fn fingerprint(&self) -> &str {
        &self.frame.fingerprint
    }

    /// The table of sections.
    pub fn sections(&self) -> &[Entry] {
        &self.frame.entries
    }

    /// Returns a section, if it is there.
    pub fn find(&self, id: u32) -> Option<Entry> {
        self.frame.find(id).copied()
    }

    /// Returns a section that must be there.
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) if it is not.
    pub fn require(&self, id: u32) -> Result<Entry> {
        self.frame.require(id, &self.origin).copied()
    }

    /// Returns the bytes of a section.
    #[inline]
    pub fn of(&self, entry: Entry) -> &[u8] {
        entry.of(&self.bytes)
    }

    /// Creates the error of a damaged file.
    pub fn damaged(&self, place: &str, at: usize, what: impl std::fmt::Display) -> Error {
        damaged(&self.origin, place, at, what)
    }

    /// Compares every section with its checksum, and the bytes between them with zero.
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) with the place that is damaged.
    pub fn verify_checksums(&self) -> Result<()> {
        self.frame.verify(&self.bytes, &self.origin)
    }

    /// Checks the signature next to the file, if one is demanded.
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) if it is missing or invalid.
    pub fn check_signature(&self, demands: &Demands) -> Result<()> {
        let signature = match demands.public_key {
            Some(_) => read_signature(Path::new(&self.origin))?,
            None => None,
        };
        demands.check_signature(&self.bytes, &self.origin, signature.as_deref())
    }

    /// Reads the packed table of a section.
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) if the section is missing or its description is damaged.
    pub fn table(&self, id: u32) -> Result<Table> {
        let entry = self.require(id)?;
        let place = format!("section {id}");
        PackedTable::read(&self.bytes, entry.start, entry.len, &self.origin, &place).map(Table)
    }
}

/// A packed table.
#[derive(Debug)]
pub struct Table(PackedTable);

/// A column of a packed table.
#[derive(Clone, Copy, Debug)]
pub struct TableColumn(Column);

impl Table {
    /// A table without rows.
    pub const EMPTY: Self = Self(PackedTable::EMPTY);

    /// The number of rows.
    pub fn rows(&self) -> u32 {
        self.0.rows()
    }

    /// Returns a column.
    pub fn column(&self, id: u16) -> TableColumn {
        TableColumn(self.0.column(id))
    }

    /// Returns the number in a cell, or `None` if it is null, there is no such row, or it is negative.
    #[inline]
    pub fn get(&self, container: &Container, row: u32, column: TableColumn) -> Option<u64> {
        u64::try_from(self.0.get(&container.bytes, row, column.0)?).ok()
    }
}

/// The key index: from a postcode to its row, and back.
#[derive(Debug)]
pub struct PostcodeIndex {
    sector_index: Entry,
    units: Entry,
    sectors: u32,
    rows: u32,
}

impl PostcodeIndex {
    /// Reads the sector index and the units, which are ranked bitmaps.
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) if one is missing or has another length.
    pub fn read(
        container: &Container,
        [sector_index, units]: [u32; 2],
        sectors: u32,
        rows: u32,
    ) -> Result<Self> {
        let expect = |id: u32, len: usize| {
            let entry = container.require(id)?;
            if entry.len == len {
                return Ok(entry);
            }
            let what = format!("{} bytes instead of {len}", entry.len);
            Err(container.damaged(&format!("section {id}"), entry.start, what))
        };
        Ok(Self {
            sector_index: expect(sector_index, ranked_bitmap::lines_for(SECTOR_CODES) * LINE)?,
            units: expect(units, sectors as usize * LINE)?,
            sectors,
            rows,
        })
    }

    /// Returns the numbers of the sector and of the row of a postcode.
    #[inline]
    pub fn row(&self, container: &Container, postcode: Postcode) -> Option<(u32, u32)> {
        let code = postcode.code() / UNITS;
        let (line, bit) = (code / ranked_bitmap::BITS, code % ranked_bitmap::BITS);
        let sector = ranked_bitmap::rank(container.of(self.sector_index), line as usize, bit)?;
        let units = container.of(self.units);
        let row = ranked_bitmap::rank(units, sector as usize, postcode.code() % UNITS)?;
        (row < self.rows).then_some((sector, row))
    }

    /// Returns whether some postcode of the outcode is there.
    pub fn has_outcode(&self, container: &Container, outcode: Outcode) -> bool {
        (0..10).any(|digit| {
            let code = outcode.code() * 10 + digit;
            let (line, bit) = (code / ranked_bitmap::BITS, code % ranked_bitmap::BITS);
            ranked_bitmap::rank(container.of(self.sector_index), line as usize, bit).is_some()
        })
    }

    /// Returns the sector that a row lies in.
    pub fn sector_of(&self, container: &Container, row: u32) -> Option<u32> {
        let units = container.of(self.units);
        let base = |n: u32| ranked_bitmap::base(units, n as usize);
        first(self.sectors, |n| base(n).is_none_or(|base| base > row)).checked_sub(1)
    }

    /// Returns the first row of a sector.
    pub fn first_row(&self, container: &Container, sector: u32) -> Option<u32> {
        ranked_bitmap::base(container.of(self.units), sector as usize)
    }

    /// Returns the postcode of a row in a sector, whose code is given.
    pub fn postcode(
        &self,
        container: &Container,
        sector: u32,
        sector_code: u32,
        row: u32,
    ) -> Option<Postcode> {
        let units = container.of(self.units);
        let words = ranked_bitmap::words(units, sector as usize)?;
        let unit =
            ranked_bitmap::select(&words, row.checked_sub(ranked_bitmap::base(units, sector as usize)?)?)?;
        Postcode::from_code(sector_code.checked_mul(UNITS)?.checked_add(unit)?)
    }

    /// Checks both bitmaps against what they are written from: the codes of the sectors, in order.
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) if they differ.
    pub fn verify(&self, container: &Container, codes: &[u32]) -> Result<()> {
        let mut units = PostcodeIndexWriter::default();
        let mut rows = 0;
        for (n, &code) in codes.iter().enumerate() {
            let words = ranked_bitmap::words(container.of(self.units), n).unwrap_or_default();
            rows += words.iter().map(|word| word.count_ones()).sum::<u32>();
            units.sectors.push((code, words));
        }
        let place = "section units";
        if !codes.is_sorted_by(|a, b| a < b) || codes.last().is_some_and(|&code| code >= SECTOR_CODES) {
            return Err(container.damaged("section sectors", 0, "the sectors are not in order"));
        }
        if rows != self.rows {
            return Err(container.damaged(
                place,
                self.units.start,
                format!("{rows} instead of {} postcodes", self.rows),
            ));
        }
        let (index, lines) = units.write();
        if index != container.of(self.sector_index) || lines != container.of(self.units) {
            return Err(container.damaged(
                place,
                self.units.start,
                "the bitmaps do not agree with their counts",
            ));
        }
        Ok(())
    }
}

/// Writes a key index from postcodes in order.
#[derive(Debug, Default)]
pub struct PostcodeIndexWriter {
    /// Code and units of each sector.
    sectors: Vec<(u32, Words)>,
}

impl PostcodeIndexWriter {
    /// Adds the next postcode. Returns whether it is the first one of its sector.
    pub fn push(&mut self, postcode: Postcode) -> bool {
        let (sector, unit) = (postcode.code() / UNITS, postcode.code() % UNITS);
        let new = self.sectors.last().is_none_or(|(last, _)| *last != sector);
        if new {
            self.sectors.push((sector, Words::default()));
        }
        if let Some((_, words)) = self.sectors.last_mut() {
            words[(unit / 64) as usize] |= 1 << (unit % 64);
        }
        new
    }

    /// The codes of the sectors.
    pub fn codes(&self) -> impl Iterator<Item = u32> + '_ {
        self.sectors.iter().map(|(code, _)| *code)
    }

    /// Returns how many outcodes there are.
    pub fn outcodes(&self) -> usize {
        let mut outcodes: Vec<u32> = self.codes().map(|code| code / (PER_OUTCODE / UNITS)).collect();
        outcodes.dedup();
        outcodes.len()
    }

    /// Returns the postcode areas, in order.
    pub fn areas(&self) -> Vec<String> {
        let outcodes = self.codes().filter_map(|code| Outcode::from_code(code / (PER_OUTCODE / UNITS)));
        let mut areas: Vec<String> = outcodes.map(|outcode| outcode.area().as_str().to_owned()).collect();
        areas.sort_unstable();
        areas.dedup();
        areas
    }

    /// Returns the two sections: sector index and units.
    pub fn write(&self) -> (Vec<u8>, Vec<u8>) {
        let mut index = vec![Words::default(); ranked_bitmap::lines_for(SECTOR_CODES)];
        for (code, _) in &self.sectors {
            let (line, bit) = (code / ranked_bitmap::BITS, code % ranked_bitmap::BITS);
            if let Some(words) = index.get_mut(line as usize) {
                words[(bit / 64) as usize] |= 1 << (bit % 64);
            }
        }
        let (mut first, mut second) = (Vec::new(), Vec::new());
        ranked_bitmap::write(&mut first, index.iter());
        ranked_bitmap::write(&mut second, self.sectors.iter().map(|(_, words)| words));
        (first, second)
    }
}
