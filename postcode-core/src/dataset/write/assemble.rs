//! Writes sorted rows as the bytes of a file. The same rows always give the same bytes.

use std::borrow::Cow;

use crate::dataset::file::format::{FrameWriter, section};
use crate::dataset::file::packed_table::{self, CellWriter, Extent, KeyExtents, KeyLayout, TableWriter};
use crate::dataset::file::ranked_bitmap::{self, BITS, LINE, Words};
use crate::dataset::section::keys::{OUTCODE_ENTRY, OutcodeEntry, SECTOR_CODES};
use crate::dataset::section::rows::{BIAS, COLUMNS, CompactRow, MICRO, column, irish_outcodes};
use crate::dataset::section::spatial::{FIRST, NUMBER, ROW, cell_of};
use crate::dataset::write::parallel;
use crate::dataset::write::publish::{Progress, Watch};
use crate::postcode::{PER_OUTCODE, UNITS};

/// Rows in a block: a multiple of 64, so that the cells of a block are whole bytes.
pub(crate) const BLOCK: usize = 1 << 16;

/// Sorted rows, in blocks of [`BLOCK`]. The last block may be shorter.
pub(crate) trait RowSource: Sync {
    /// Returns the number of all rows.
    fn count(&self) -> usize;

    /// Returns the rows of a block, on any thread, or `None` if they are not available.
    fn block(&self, n: usize) -> Option<Cow<'_, [CompactRow]>>;

    /// Returns the measures of all rows, if they are already known.
    fn measures(&self) -> Option<Measures> {
        None
    }
}

impl RowSource for &[CompactRow] {
    fn count(&self) -> usize {
        self.len()
    }

    fn block(&self, n: usize) -> Option<Cow<'_, [CompactRow]>> {
        self.chunks(BLOCK).nth(n).map(Cow::Borrowed)
    }
}

/// Facts about all rows that must be known before the first is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measures {
    pub(crate) extents: KeyExtents<COLUMNS>,
    /// Whether a grid reference is not on the usual grid of its outcode.
    pub(crate) unusual_system: bool,
}

impl Measures {
    /// Computes the measures of all rows, on all cores.
    pub(crate) fn of(rows: &impl RowSource) -> Option<Self> {
        let irish = irish_outcodes();
        let blocks = parallel::map((0..rows.count().div_ceil(BLOCK)).collect(), |n| {
            let mut measures = Self { extents: KeyExtents::NONE, unusual_system: false };
            for row in &*rows.block(n)? {
                measures.extents.see(row.keys(true));
                let expected = irish.contains(&(row.code / PER_OUTCODE));
                measures.unusual_system |= row.eastings != CompactRow::NONE && row.irish != expected;
            }
            Some(measures)
        });
        let mut all = Self { extents: KeyExtents::NONE, unusual_system: false };
        for block in blocks {
            let block = block?;
            all.extents.join(&block.extents);
            all.unusual_system |= block.unusual_system;
        }
        if !all.unusual_system {
            all.extents.clear(usize::from(column::GRID_SYSTEM) - 1);
        }
        Some(all)
    }
}

/// Writes a file: `metadata` unchanged, then index and rows, then the `areas` sections unchanged,
/// then the spatial index. Returns `None` if `watch` stopped it, or rows are not available.
pub(crate) fn assemble(
    metadata: &[u8],
    rows: &impl RowSource,
    areas: &[(u32, Vec<u8>)],
    watch: Watch<'_>,
) -> Option<Vec<u8>> {
    let mut go_on = |progress| watch(progress).is_continue().then_some(());
    go_on(Progress::indexing(0, rows.count()))?;
    let measures = rows.measures().or_else(|| Measures::of(rows))?;
    let layout = measures.extents.layout();
    go_on(Progress::packing(0, rows.count()))?;
    // One place each for all blocks. Many small ones would be kept by the allocator when they are
    // freed, and be a part of the process's memory for ever.
    let mut cells = vec![0; (rows.count() * layout.stride()).div_ceil(8)];
    let mut entries = vec![0; rows.count()];
    let parts = parts_of(&mut cells, &mut entries, &layout);
    let blocks = parallel::map(parts, |(n, cells, entries)| {
        Block::of(&rows.block(n)?, n * BLOCK, (cells, entries), &measures, &layout)
    });
    go_on(Progress::packing(rows.count(), rows.count()))?;
    let mut index = Index::default();
    let mut located = 0;
    for (n, block) in blocks.into_iter().enumerate() {
        let block = block?;
        index.add(&block);
        entries.copy_within(n * BLOCK..n * BLOCK + block.entries, located);
        located += block.entries;
    }
    entries.truncate(located);
    let entries = by_cell(entries);

    let area_bytes: usize = areas.iter().map(|(_, bytes)| bytes.len()).sum();
    let capacity = metadata.len() + area_bytes + cells.len() + entries.len() * 3 + index.units.len() * LINE;
    let mut frame = FrameWriter::new(9 + areas.len(), capacity + (1 << 20));
    frame.section(section::METADATA, |out| out.extend_from_slice(metadata));
    frame.section(section::SECTOR_INDEX, |out| ranked_bitmap::write(out, index.sector_lines().iter()));
    frame.section(section::SECTORS, |out| {
        index.sectors.iter().for_each(|code| out.extend_from_slice(&code.to_le_bytes()));
    });
    frame.section(section::UNITS, |out| ranked_bitmap::write(out, index.units.iter()));
    frame.section(section::OUTCODES, |out| index.write_outcodes(out));
    frame.section(section::ROWS, |out| {
        let extents = measures.extents.extents(&BIAS);
        let columns: Vec<_> =
            column::NAMES.iter().zip(extents).map(|((id, _), extent)| (*id, extent)).collect();
        packed_table::write_cells(out, rows.count(), &columns, &cells);
        drop(cells);
    });
    for (id, bytes) in areas {
        frame.section(*id, |out| out.extend_from_slice(bytes));
    }
    write_spatial(&mut frame, &entries);
    Some(frame.finish())
}

/// Returns the numbers of the blocks, each with its places for cells and entries.
fn parts_of<'a>(
    mut cells: &'a mut [u8],
    entries: &'a mut [u64],
    layout: &KeyLayout<COLUMNS>,
) -> Vec<(usize, &'a mut [u8], &'a mut [u64])> {
    let bytes = BLOCK / 8 * layout.stride();
    let parts = entries.chunks_mut(BLOCK).enumerate().map(|(n, entries)| {
        let end = bytes.min(cells.len());
        let (own, rest) = std::mem::take(&mut cells).split_at_mut(end);
        cells = rest;
        (n, own, entries)
    });
    parts.collect()
}

/// The result of a block of rows, besides its cells and entries.
struct Block {
    /// Sectors and their units. The first may be the last one of the previous block.
    sectors: Vec<(u32, Words)>,
    /// Outcodes, their first row, and their sums. The first may be the last one of the previous
    /// block.
    outcodes: Vec<(u32, u32, Sums)>,
    /// The number of entries.
    entries: usize,
}

impl Block {
    /// Writes the cells of the table of rows, and an entry for each live row with a location: band,
    /// cell and row in one number that sorts in the order of the tables. Entries are in the order of
    /// rows. `None` if the places are too small.
    fn of(
        rows: &[CompactRow],
        first: usize,
        (cells, entries): (&mut [u8], &mut [u64]),
        measures: &Measures,
        layout: &KeyLayout<COLUMNS>,
    ) -> Option<Self> {
        let mut sectors: Vec<(u32, Words)> = Vec::new();
        let mut outcodes: Vec<(u32, u32, Sums)> = Vec::new();
        let mut located = 0;
        let mut written = CellWriter::new(rows.len(), layout);
        for (row, n) in rows.iter().zip(first as u64..) {
            let (sector, unit, outcode) = (row.code / UNITS, row.code % UNITS, row.code / PER_OUTCODE);
            if sectors.last().is_none_or(|(last, _)| *last != sector) {
                sectors.push((sector, [0; 7]));
                if outcodes.last().is_none_or(|(last, ..)| *last != outcode) {
                    outcodes.push((outcode, n as u32, Sums::default()));
                }
            }
            if let (Some((_, words)), Some((.., sums))) = (sectors.last_mut(), outcodes.last_mut()) {
                words[(unit / 64) as usize] |= 1 << (unit % 64);
                sums.add(row);
            }
            written.push_keys(row.keys(measures.unusual_system), layout);
            if row.live && row.is_located() {
                let (band, cell) = cell_of(row.latitude, row.longitude);
                *entries.get_mut(located)? = u64::from(band) << 49 | u64::from(cell) << 32 | n;
                located += 1;
            }
        }
        let written = written.finish();
        cells.get_mut(..written.len())?.copy_from_slice(&written);
        Some(Self { sectors, outcodes, entries: located })
    }
}

/// The combined sectors and outcodes of the blocks.
#[derive(Default)]
struct Index {
    sectors: Vec<u32>,
    units: Vec<Words>,
    outcodes: Vec<(u32, u32, Sums)>,
}

impl Index {
    fn add(&mut self, block: &Block) {
        for (code, words) in &block.sectors {
            match self.units.last_mut().filter(|_| self.sectors.last() == Some(code)) {
                Some(units) => units.iter_mut().zip(words).for_each(|(units, word)| *units |= word),
                None => {
                    self.sectors.push(*code);
                    self.units.push(*words);
                }
            }
        }
        for (code, first_row, sums) in &block.outcodes {
            match self.outcodes.last_mut().filter(|(last, ..)| last == code) {
                Some((.., all)) => all.join(sums),
                None => self.outcodes.push((*code, *first_row, *sums)),
            }
        }
    }

    fn write_outcodes(&self, out: &mut Vec<u8>) {
        out.reserve(self.outcodes.len() * OUTCODE_ENTRY);
        for (code, first_row, sums) in &self.outcodes {
            let first_sector =
                self.sectors.partition_point(|sector| sector * UNITS / PER_OUTCODE < *code) as u32;
            let mut entry =
                OutcodeEntry { code: *code, first_sector, first_row: *first_row, ..Default::default() };
            sums.fill(&mut entry);
            entry.write(out);
        }
    }

    fn sector_lines(&self) -> Vec<Words> {
        let mut lines = vec![[0; 7]; ranked_bitmap::lines_for(SECTOR_CODES)];
        for &code in &self.sectors {
            lines[(code / BITS) as usize][(code % BITS / 64) as usize] |= 1 << (code % BITS % 64);
        }
        lines
    }
}

/// The exact sums of an outcode's live postcodes, which don't depend on the order.
#[derive(Clone, Copy, Default)]
struct Sums {
    live: u32,
    located: u32,
    latitude: i64,
    longitude: i64,
    gridded: u64,
    eastings: u64,
    northings: u64,
}

impl Sums {
    fn add(&mut self, row: &CompactRow) {
        if !row.live {
            return;
        }
        self.live += 1;
        if row.is_located() {
            self.located += 1;
            self.latitude += i64::from(row.latitude);
            self.longitude += i64::from(row.longitude);
        }
        if row.eastings != CompactRow::NONE {
            self.gridded += 1;
            self.eastings += u64::from(row.eastings);
            self.northings += u64::from(row.northings);
        }
    }

    fn join(&mut self, other: &Self) {
        self.live += other.live;
        self.located += other.located;
        self.latitude += other.latitude;
        self.longitude += other.longitude;
        self.gridded += other.gridded;
        self.eastings += other.eastings;
        self.northings += other.northings;
    }

    fn fill(&self, entry: &mut OutcodeEntry) {
        // Half a metre rounds up.
        let metres = |sum: u64| (2 * sum + self.gridded).checked_div(2 * self.gridded).unwrap_or(0) as u32;
        let degrees =
            |sum: i64| if self.located == 0 { 0.0 } else { sum as f64 / f64::from(self.located) / MICRO };
        entry.live = self.live;
        entry.located = self.located;
        entry.eastings = metres(self.eastings);
        entry.northings = metres(self.northings);
        entry.latitude = degrees(self.latitude);
        entry.longitude = degrees(self.longitude);
    }
}

/// Sorts entries that come in the order of rows: counts them by cell and puts them in their places.
/// A country fills only a small part of the earth, and a comparison sort would take a sixth of the
/// time to unpack it.
fn by_cell(mut entries: Vec<u64>) -> Vec<u64> {
    let place = |entry: u64| ((entry >> 49) as usize, (entry >> 32) as usize & 0x1_ffff);
    let (mut south, mut north, mut west, mut east) = (usize::MAX, 0, usize::MAX, 0);
    for (band, cell) in entries.iter().map(|entry| place(*entry)) {
        (south, north) = (south.min(band), north.max(band));
        (west, east) = (west.min(cell), east.max(cell));
    }
    let width = (east + 1).saturating_sub(west);
    let cells = (north + 1).saturating_sub(south) * width;
    if cells > 4 * entries.len() + (1 << 16) {
        entries.sort_unstable();
        return entries;
    }
    let number = |entry: u64| {
        let (band, cell) = place(entry);
        (band - south) * width + (cell - west)
    };
    let mut next = vec![0u32; cells];
    entries.iter().for_each(|entry| next[number(*entry)] += 1);
    let mut sum = 0;
    for first in &mut next {
        sum += std::mem::replace(first, sum);
    }
    let mut sorted = vec![0; entries.len()];
    for entry in entries {
        let at = &mut next[number(entry)];
        sorted[*at as usize] = entry;
        *at += 1;
    }
    sorted
}

fn write_spatial(frame: &mut FrameWriter, entries: &[u64]) {
    let mut bands: Vec<(u32, u32)> = Vec::new();
    let mut cells: Vec<(u32, u32)> = Vec::new();
    let mut last = None;
    for (n, entry) in entries.iter().enumerate() {
        let (place, band, cell) = (entry >> 32, (entry >> 49) as u32, (entry >> 32) as u32 & 0x1_ffff);
        if last != Some(place) {
            if last.is_none_or(|last| last >> 17 != u64::from(band)) {
                bands.push((band, cells.len() as u32));
            }
            cells.push((cell, n as u32));
            last = Some(place);
        }
    }
    frame.section(section::BANDS, |out| write_pairs(out, &bands));
    frame.section(section::CELLS, |out| write_pairs(out, &cells));
    frame.section(section::CELL_ROWS, |out| {
        let mut extent = Extent::NONE;
        entries.iter().for_each(|entry| extent.see(Some(i64::from(*entry as u32))));
        let mut table = TableWriter::new(out, entries.len(), &[(ROW, extent)]);
        entries.iter().for_each(|entry| table.push(Some(i64::from(*entry as u32))));
        table.finish();
    });
}

fn write_pairs(out: &mut Vec<u8>, pairs: &[(u32, u32)]) {
    let mut extents = [(NUMBER, Extent::NONE), (FIRST, Extent::NONE)];
    for &(number, first) in pairs {
        extents[0].1.see(Some(i64::from(number)));
        extents[1].1.see(Some(i64::from(first)));
    }
    let mut table = TableWriter::new(out, pairs.len(), &extents);
    for &(number, first) in pairs {
        table.push(Some(i64::from(number)));
        table.push(Some(i64::from(first)));
    }
    table.finish();
}
