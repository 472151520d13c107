//! A table of small integers. Each column is as many bits wide as its values need.
//!
//! Rows are `stride` bits apart, and columns are at fixed bit offsets in them. So any cell is one
//! unaligned 64-bit read, a shift and a mask. The table describes itself. A column without values
//! takes no space, and one with the same value in every row takes only its description.

use std::ops::Range;

use crate::Result;
use crate::dataset::file::bytes::{i64_at, u16_at, u32_at, u64_at};
use crate::dataset::file::format::damaged;

const HEADER: usize = 16;
const COLUMN: usize = 16;
const NULLABLE: u8 = 1;
/// A 64-bit read at any bit offset within a byte still contains this many bits.
const MAX_WIDTH: u8 = 56;
const MAX_BASE: i64 = 1 << 56;
/// Zero bytes after the last row, so that a 64-bit read of its last column stays inside.
const SLACK: usize = 8;

/// The position of a column, and how its numbers are decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    offset: u32,
    width: u8,
    nullable: bool,
    base: i64,
}

impl Column {
    /// A column without values.
    const ABSENT: Self = Self { offset: 0, width: 0, nullable: true, base: 0 };

    pub(crate) fn is_absent(&self) -> bool {
        self.nullable && self.width == 0
    }

    pub(crate) fn bits(&self) -> u8 {
        self.width
    }
}

/// A packed table in a section of a dataset.
#[derive(Debug)]
pub(crate) struct PackedTable {
    /// The first byte of the rows, from the start of the file.
    start: usize,
    rows: u32,
    stride: u32,
    columns: Vec<(u16, Column)>,
}

impl PackedTable {
    /// A table without rows and columns.
    pub(crate) const EMPTY: Self = Self { start: 0, rows: 0, stride: 0, columns: Vec::new() };

    /// Reads the description in `data[at..at + len]` and checks that the rows are inside.
    pub(crate) fn read(data: &[u8], at: usize, len: usize, origin: &str, place: &str) -> Result<Self> {
        let bad = |at, what: String| damaged(origin, place, at, what);
        let section = data.get(at..at + len).unwrap_or_default();
        let word = |n| u32_at(section, n).ok_or_else(|| bad(at, "too short for a table".into()));
        let (rows, stride, count, body) = (word(0)?, word(4)?, word(8)? as usize, word(12)? as usize);
        if stride > 4096 || count > 512 || body < HEADER + count * COLUMN {
            return Err(bad(at, format!("a table of {count} columns in {stride} bits, from byte {body}")));
        }
        let needed = body as u64 + (u64::from(rows) * u64::from(stride)).div_ceil(8) + SLACK as u64;
        if needed != len as u64 {
            return Err(bad(at, format!("a table of {needed} bytes in a section of {len}")));
        }
        let mut columns = Vec::with_capacity(count);
        for n in 0..count {
            let here = HEADER + n * COLUMN;
            let (Some(id), Some(&[width, flags]), Some(offset), Some(base)) = (
                u16_at(section, here),
                section.get(here + 2..).and_then(<[u8]>::first_chunk),
                u32_at(section, here + 4),
                i64_at(section, here + 8),
            ) else {
                return Err(bad(at + here, "no column".into()));
            };
            let end = u64::from(offset) + u64::from(width);
            if width > MAX_WIDTH || end > u64::from(stride) || !(-MAX_BASE..=MAX_BASE).contains(&base) {
                return Err(bad(at + here, format!("column {id}: {width} bits at {offset} of {stride}")));
            }
            columns.push((id, Column { offset, width, nullable: flags & NULLABLE != 0, base }));
        }
        Ok(Self { start: at + body, rows, stride, columns })
    }

    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    pub(crate) fn columns(&self) -> &[(u16, Column)] {
        &self.columns
    }

    pub(crate) fn column(&self, id: u16) -> Column {
        self.columns.iter().find(|(other, _)| *other == id).map_or(Column::ABSENT, |(_, column)| *column)
    }

    /// Returns the number in a cell, or `None` if it is null or there is no such row.
    #[inline]
    pub(crate) fn get(&self, data: &[u8], row: u32, column: Column) -> Option<i64> {
        if row >= self.rows {
            return None;
        }
        let bit = u64::from(row) * u64::from(self.stride) + u64::from(column.offset);
        let word = u64_at(data, self.start + (bit / 8) as usize)?;
        let raw = (word >> (bit % 8)) & ((1 << column.width) - 1);
        if column.nullable {
            if raw == 0 { None } else { Some(column.base + (raw - 1) as i64) }
        } else {
            Some(column.base + raw as i64)
        }
    }

    /// Returns a byte of a row, so that the row comes into the processor's cache.
    #[inline]
    pub(crate) fn touch(&self, data: &[u8], row: u32) -> u8 {
        let bit = u64::from(row) * u64::from(self.stride);
        data.get(self.start + (bit / 8) as usize).copied().unwrap_or_default()
    }

    /// Returns the number in a cell that is an index or a small code. A number outside `u32` means
    /// damage, and reads as null.
    #[inline]
    pub(crate) fn get_u32(&self, data: &[u8], row: u32, column: Column) -> Option<u32> {
        u32::try_from(self.get(data, row, column)?).ok()
    }
}

/// The range of values of a column, determined before it is written.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    min: i64,
    max: i64,
    nulls: bool,
}

impl Extent {
    /// The range of no values.
    pub const NONE: Self = Self { min: i64::MAX, max: i64::MIN, nulls: false };

    /// Adds a value, or null.
    #[inline]
    pub fn see(&mut self, value: Option<i64>) {
        match value {
            Some(value) => {
                self.min = self.min.min(value);
                self.max = self.max.max(value);
            }
            None => self.nulls = true,
        }
    }

    /// Returns the bits needed for the values, or `None` if all are null.
    fn width(&self) -> Option<u8> {
        (self.min <= self.max).then(|| {
            let largest = (self.max - self.min) as u64 + u64::from(self.nulls);
            (64 - largest.leading_zeros()) as u8
        })
    }
}

/// The ranges of the columns of many rows. Values are given as keys, which are never 0; 0 means
/// null.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyExtents<const N: usize> {
    /// The smallest key, which is 0 if there are nulls.
    least: [u32; N],
    /// The smallest key that is not 0, minus 1.
    least_value: [u32; N],
    most: [u32; N],
}

impl<const N: usize> KeyExtents<N> {
    pub(crate) const NONE: Self = Self { least: [u32::MAX; N], least_value: [u32::MAX; N], most: [0; N] };

    #[inline]
    pub(crate) fn see(&mut self, keys: [u32; N]) {
        for (n, key) in keys.into_iter().enumerate() {
            self.least[n] = self.least[n].min(key);
            self.least_value[n] = self.least_value[n].min(key.wrapping_sub(1));
            self.most[n] = self.most[n].max(key);
        }
    }

    /// Adds the ranges of others.
    pub(crate) fn join(&mut self, other: &Self) {
        for n in 0..N {
            self.least[n] = self.least[n].min(other.least[n]);
            self.least_value[n] = self.least_value[n].min(other.least_value[n]);
            self.most[n] = self.most[n].max(other.most[n]);
        }
    }

    /// Forgets the values of a column.
    pub(crate) fn clear(&mut self, n: usize) {
        (self.least[n], self.least_value[n], self.most[n]) = (0, u32::MAX, 0);
    }

    /// Returns the ranges of the values, which are the keys plus `bias`.
    pub(crate) fn extents(&self, bias: &[i64; N]) -> [Extent; N] {
        std::array::from_fn(|n| match self.most[n] {
            0 => Extent::NONE,
            most => Extent {
                min: i64::from(self.least_value[n]) + 1 + bias[n],
                max: i64::from(most) + bias[n],
                nulls: self.least[n] == 0,
            },
        })
    }

    pub(crate) fn layout(&self) -> KeyLayout<N> {
        let widths = self.extents(&[0; N]).map(|extent| extent.width().unwrap_or(0));
        let mut layout = KeyLayout {
            less: std::array::from_fn(|n| self.least_value[n].saturating_add(u32::from(self.least[n] != 0))),
            shift: [0; N],
            words: Vec::new(),
            stride: widths.iter().map(|width| usize::from(*width)).sum(),
        };
        for (n, width) in widths.into_iter().enumerate().filter(|(_, width)| *width > 0) {
            match layout.words.last_mut().filter(|word| word.width + width <= 64) {
                Some(word) => {
                    layout.shift[n] = word.width;
                    word.width += width;
                    word.columns.end = n + 1;
                }
                None => layout.words.push(Word { columns: n..n + 1, width }),
            }
        }
        layout
    }

    /// Returns the ranges as numbers, to be stored.
    #[cfg(feature = "embedded")]
    pub(crate) fn as_arrays(&self) -> [[u32; N]; 3] {
        [self.least, self.least_value, self.most]
    }

    #[cfg(feature = "embedded")]
    pub(crate) fn from_arrays([least, least_value, most]: [[u32; N]; 3]) -> Self {
        Self { least, least_value, most }
    }
}

/// How keys become cells. Neighbouring columns are first combined to words, so that the writer
/// places fewer and longer pieces.
#[derive(Clone, Debug)]
pub(crate) struct KeyLayout<const N: usize> {
    /// The number to subtract from a key.
    less: [u32; N],
    /// The position of a column in its word.
    shift: [u8; N],
    words: Vec<Word>,
    /// The bits of a row.
    stride: usize,
}

impl<const N: usize> KeyLayout<N> {
    /// Returns the bits of a row.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }
}

/// Columns that take at most 64 bits together.
#[derive(Clone, Debug)]
struct Word {
    columns: Range<usize>,
    width: u8,
}

/// Writes a packed table: first the description of its columns, then the cells, row by row.
#[derive(Debug)]
pub struct TableWriter<'a> {
    out: &'a mut Vec<u8>,
    /// The number to subtract from a value and the width, by column; `None` if the column is not
    /// stored.
    columns: Vec<Option<(i64, u8)>>,
    next: usize,
    cells: CellWriter,
}

impl<'a> TableWriter<'a> {
    /// Writes the description of these columns.
    pub fn new(out: &'a mut Vec<u8>, rows: usize, columns: &[(u16, Extent)]) -> Self {
        let stride = write_columns(out, rows, columns);
        let columns = columns
            .iter()
            .map(|(_, extent)| Some((extent.min - i64::from(extent.nulls), extent.width()?)))
            .collect();
        Self { out, columns, next: 0, cells: CellWriter::of(rows, stride) }
    }

    /// Writes the next cell.
    #[inline]
    pub fn push(&mut self, value: Option<i64>) {
        let column = self.columns[self.next];
        self.next = if self.next + 1 == self.columns.len() { 0 } else { self.next + 1 };
        let Some((base, width)) = column else { return };
        let raw = value.map_or(0, |value| (value - base) as u64);
        debug_assert!(raw >> width == 0);
        self.cells.push(raw, width);
    }

    /// Ends the table.
    pub fn finish(self) {
        finish_cells(self.out, &self.cells.finish());
    }
}

/// Writes a packed table from the cells of consecutive blocks. All blocks but the last have a multiple of 8
/// rows, so that no two share a byte.
pub(crate) fn write_cells(out: &mut Vec<u8>, rows: usize, columns: &[(u16, Extent)], cells: &[u8]) {
    write_columns(out, rows, columns);
    finish_cells(out, cells);
}

fn finish_cells(out: &mut Vec<u8>, cells: &[u8]) {
    out.extend_from_slice(cells);
    out.extend_from_slice(&[0; SLACK]);
}

/// Writes the description of a table, and returns the bits of a row.
fn write_columns(out: &mut Vec<u8>, rows: usize, columns: &[(u16, Extent)]) -> usize {
    let stored: Vec<_> = columns.iter().filter_map(|(id, e)| Some((*id, *e, e.width()?))).collect();
    let stride: u32 = stored.iter().map(|(.., width)| u32::from(*width)).sum();
    let body = (HEADER + stored.len() * COLUMN).next_multiple_of(8);
    for word in [rows as u32, stride, stored.len() as u32, body as u32] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    let mut offset = 0;
    for (id, extent, width) in &stored {
        debug_assert!(*width <= MAX_WIDTH);
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&[*width, u8::from(extent.nulls) * NULLABLE]);
        out.extend_from_slice(&u32::to_le_bytes(offset));
        out.extend_from_slice(&extent.min.to_le_bytes());
        offset += u32::from(*width);
    }
    stride as usize
}

/// Writes cells one after the other, as they are stored.
#[derive(Debug)]
pub(crate) struct CellWriter {
    out: Vec<u8>,
    pending: u64,
    filled: u8,
}

impl CellWriter {
    pub(crate) fn new<const N: usize>(rows: usize, layout: &KeyLayout<N>) -> Self {
        Self::of(rows, layout.stride)
    }

    fn of(rows: usize, stride: usize) -> Self {
        Self { out: Vec::with_capacity((rows * stride).div_ceil(8)), pending: 0, filled: 0 }
    }

    /// Writes the low bits of `raw`. All its other bits are zero.
    #[inline]
    fn push(&mut self, raw: u64, width: u8) {
        self.pending |= raw << self.filled;
        self.filled += width;
        if self.filled >= 64 {
            self.out.extend_from_slice(&self.pending.to_le_bytes());
            self.filled -= 64;
            // The bits that did not fit. `width` is more than the free bits, so the shift is below
            // 64.
            self.pending = if self.filled == 0 { 0 } else { raw >> (width - self.filled) };
        }
    }

    /// Writes the next row, of keys within the ranges of the layout. Other keys give a wrong row,
    /// but no panic.
    #[inline]
    pub(crate) fn push_keys<const N: usize>(&mut self, keys: [u32; N], layout: &KeyLayout<N>) {
        for word in &layout.words {
            let mut bits = 0;
            for n in word.columns.clone() {
                bits |= u64::from(keys[n].saturating_sub(layout.less[n])) << layout.shift[n];
            }
            self.push(bits, word.width);
        }
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        let bytes = usize::from(self.filled.div_ceil(8));
        self.out.extend_from_slice(&self.pending.to_le_bytes()[..bytes]);
        self.out
    }
}

/// The most cells of a [`RawTable`]: damaged data must not take all the memory.
#[cfg(feature = "embedded")]
const MAX_CELLS: u64 = 1 << 25;
/// The widest column of a [`RawTable`].
#[cfg(feature = "embedded")]
const MAX_RAW_WIDTH: u8 = 30;

/// A table as its stored numbers, column by column.
#[cfg(feature = "embedded")]
pub(crate) struct RawTable {
    /// Everything before the cells.
    pub(crate) description: Vec<u8>,
    pub(crate) columns: Vec<Vec<u32>>,
    widths: Vec<u8>,
    stride: usize,
}

#[cfg(feature = "embedded")]
impl RawTable {
    /// Reads a whole section. Returns `None` for a table with wide columns, or not written by
    /// [`TableWriter`].
    pub(crate) fn read(section: &[u8]) -> Option<Self> {
        let table = PackedTable::read(section, 0, section.len(), "", "").ok()?;
        let mut raw = Self::described(section.get(..table.start)?)?;
        for (values, (_, column)) in raw.columns.iter_mut().zip(&table.columns) {
            for (value, row) in values.iter_mut().zip(0..) {
                let stored = table.get(section, row, *column);
                let base = column.base - i64::from(column.nullable);
                *value = stored.map_or(Some(0), |stored| u32::try_from(stored - base).ok())?;
            }
        }
        Some(raw)
    }

    /// Reads a description, for cells that are filled in later.
    pub(crate) fn described(description: &[u8]) -> Option<Self> {
        let word = |n| u32_at(description, n);
        let (rows, stride, count) = (word(0)?, word(4)? as usize, word(8)? as usize);
        if u64::from(rows) * count as u64 > MAX_CELLS || description.len() < HEADER + count * COLUMN {
            return None;
        }
        let widths: Option<Vec<u8>> = (0..count)
            .map(|n| {
                description.get(HEADER + n * COLUMN + 2).copied().filter(|width| *width <= MAX_RAW_WIDTH)
            })
            .collect();
        let widths = widths?;
        if widths.iter().map(|width| usize::from(*width)).sum::<usize>() != stride {
            return None;
        }
        let columns = vec![vec![0; rows as usize]; count];
        Some(Self { description: description.to_vec(), columns, widths, stride })
    }

    /// Returns the bits of a column.
    pub(crate) fn width(&self, n: usize) -> u32 {
        self.widths.get(n).copied().map_or(0, u32::from)
    }

    /// Writes the whole section.
    pub(crate) fn write(&self) -> Vec<u8> {
        let rows = self.columns.first().map_or(0, Vec::len);
        let mut out = Vec::with_capacity(self.description.len() + (rows * self.stride).div_ceil(8) + SLACK);
        out.extend_from_slice(&self.description);
        let mut cells = CellWriter::of(rows, self.stride);
        let columns: Vec<(&[u32], u8)> =
            self.columns.iter().map(Vec::as_slice).zip(self.widths.iter().copied()).collect();
        for row in 0..rows {
            for (column, width) in &columns {
                cells.push(u64::from(column[row]), *width);
            }
        }
        finish_cells(&mut out, &cells.finish());
        out
    }
}
