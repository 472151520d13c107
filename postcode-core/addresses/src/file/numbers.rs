//! From a UDPRN, UMPRN or UPRN to the postcode that has it.
//!
//! The numbers of all addresses in order, each with the row of its postcode, where the row changes: neighbouring numbers
//! mostly belong to one postcode. A lookup finds the last entry that is not greater, and looks into that postcode.
//! Numbers are cut in two, because the high bits repeat.

use postcode_core::Result;
use postcode_core::dataset::container::{Container, Extent, Table, TableColumn, TableWriter};

use super::layout::{KINDS_OF_NUMBERS, NUMBER_RANGES, NUMBERS};

/// Bits for the row of a postcode.
const ROW_BITS: u32 = 22;
/// More postcodes than these can't be in one file. The country has fewer than two million.
pub(super) const MAX_ROWS: u32 = (1 << ROW_BITS) - 1;

const SINGLE: u64 = 0;
const START: u64 = 1;
const END: u64 = 2;

/// Collects the numbers of one kind.
#[derive(Debug, Default)]
pub(super) struct NumbersWriter {
    /// Number, row, and whether a run of numbers begins or ends here.
    entries: Vec<u64>,
}

impl NumbersWriter {
    /// Adds the numbers of a postcode, which are sorted by this.
    pub(super) fn push(&mut self, row: u32, numbers: &mut Vec<u64>) {
        numbers.sort_unstable();
        numbers.dedup();
        for run in numbers.chunk_by(|a, b| a + 1 == *b) {
            let entry = |number: u64, kind: u64| number << (ROW_BITS + 2) | u64::from(row) << 2 | kind;
            match run {
                [only] => self.entries.push(entry(*only, SINGLE)),
                [first, .., last] => self.entries.extend([entry(*first, START), entry(*last, END)]),
                [] => {}
            }
        }
        numbers.clear();
    }

    /// Returns the two sections: ranges and numbers.
    pub(super) fn finish(mut self) -> (Vec<u8>, Vec<u8>) {
        self.entries.sort_unstable();
        let segments = segments(&self.entries);
        drop(self.entries);
        write(&segments)
    }
}

/// Returns numbers and rows where the row changes, in order.
fn segments(entries: &[u64]) -> Vec<(u64, u32)> {
    let mut segments: Vec<(u64, u32)> = Vec::new();
    // Runs that overlap, and those of them that have not ended.
    let mut cluster: Vec<(u64, u64, u32)> = Vec::new();
    let mut open: Vec<(u64, u32)> = Vec::new();
    let mut last = 0;
    for entry in entries {
        let (number, row, kind) = (entry >> (ROW_BITS + 2), (entry >> 2) as u32 & MAX_ROWS, entry & 3);
        if open.is_empty() && number > last {
            flush(&mut cluster, &mut segments);
        }
        last = last.max(number);
        match kind {
            START => open.push((number, row)),
            END => {
                if let Some(at) = open.iter().position(|(_, other)| *other == row) {
                    let (start, row) = open.swap_remove(at);
                    cluster.push((start, number, row));
                }
            }
            _ => cluster.push((number, number, row)),
        }
    }
    flush(&mut cluster, &mut segments);
    segments
}

/// Adds the segments of runs that overlap, or of one run.
fn flush(cluster: &mut Vec<(u64, u64, u32)>, segments: &mut Vec<(u64, u32)>) {
    if let [(start, _, row)] = cluster[..] {
        if segments.last().is_none_or(|(_, last)| *last != row) {
            segments.push((start, row));
        }
    } else {
        // Several postcodes have the same numbers: each number is kept with each row.
        let from = segments.len();
        for &(start, end, row) in cluster.iter() {
            segments.extend((start..=end).map(|number| (number, row)));
        }
        segments[from..].sort_unstable();
    }
    cluster.clear();
}

fn write(segments: &[(u64, u32)]) -> (Vec<u8>, Vec<u8>) {
    let width = |most: u64| u64::from(64 - most.leading_zeros());
    let most = segments.last().map_or(0, |(number, _)| *number);
    let ranges = |shift: u32| segments.chunk_by(move |a, b| a.0 >> shift == b.0 >> shift).count() as u64;
    let cost = |shift: &u32| {
        let range = width(most >> shift) + width(segments.len() as u64);
        ranges(*shift) * range + segments.len() as u64 * u64::from(*shift)
    };
    let shift = (2..24).min_by_key(cost).unwrap_or(8);
    let firsts = || {
        segments.iter().enumerate().filter(|(n, (number, _))| {
            n.checked_sub(1)
                .and_then(|n| segments.get(n))
                .is_none_or(|(before, _)| before >> shift != number >> shift)
        })
    };
    let mut extents = [Extent::NONE; 4];
    let mut count = 0;
    for (n, (number, _)) in firsts() {
        extents[0].see(Some((number >> shift) as i64));
        extents[1].see(Some(n as i64));
        count += 1;
    }
    for (number, row) in segments {
        extents[2].see(Some((number & ((1 << shift) - 1)) as i64));
        extents[3].see(Some(i64::from(*row)));
    }
    // The shift is a column in which all rows are the same.
    let mut same = Extent::NONE;
    same.see(Some(i64::from(shift)));
    let mut first = Vec::new();
    let mut table = TableWriter::new(&mut first, count, &[(0, extents[0]), (1, extents[1]), (2, same)]);
    for (n, (number, _)) in firsts() {
        table.push(Some((number >> shift) as i64));
        table.push(Some(n as i64));
        table.push(Some(i64::from(shift)));
    }
    table.finish();
    let mut second = Vec::new();
    let mut table = TableWriter::new(&mut second, segments.len(), &[(0, extents[2]), (1, extents[3])]);
    for (number, row) in segments {
        table.push(Some((number & ((1 << shift) - 1)) as i64));
        table.push(Some(i64::from(*row)));
    }
    table.finish();
    (first, second)
}

/// The numbers of one kind in a file.
#[derive(Debug)]
pub(super) struct Numbers {
    ranges: Table,
    numbers: Table,
    shift: u64,
    columns: [TableColumn; 4],
}

impl Numbers {
    pub(super) fn read(file: &Container, kind: u32) -> Result<Option<Self>> {
        let (ranges, numbers) = (file.table(NUMBER_RANGES + kind)?, file.table(NUMBERS + kind)?);
        if numbers.rows() == 0 {
            return Ok(None);
        }
        let shift = ranges.get(file, 0, ranges.column(2)).filter(|shift| *shift < 40);
        let name = KINDS_OF_NUMBERS.get(kind as usize).copied().unwrap_or_default();
        let shift = shift.ok_or_else(|| file.damaged(name, 0, "the ranges have no width"))?;
        let columns = [ranges.column(0), ranges.column(1), numbers.column(0), numbers.column(1)];
        Ok(Some(Self { ranges, numbers, shift, columns }))
    }

    /// The entry with this number.
    fn entry(&self, file: &Container, row: u32) -> Option<u64> {
        self.numbers.get(file, row, self.columns[2])
    }

    /// Returns the rows of the postcodes that may have a number.
    pub(super) fn rows(&self, file: &Container, number: u64) -> Vec<u32> {
        let (high, low) = (number >> self.shift, number & ((1 << self.shift) - 1));
        let high_of = |n: u32| self.ranges.get(file, n, self.columns[0]);
        let first_of = |n: u32| {
            let first = self.ranges.get(file, n, self.columns[1]);
            first.and_then(|first| u32::try_from(first).ok()).unwrap_or_else(|| self.numbers.rows())
        };
        // The ranges up to that of the number.
        let ranges = first(0, self.ranges.rows(), |n| high_of(n).is_none_or(|other| other > high));
        let Some(range) = ranges.checked_sub(1) else { return Vec::new() };
        let (start, end) = (first_of(range), first_of(ranges).min(self.numbers.rows()));
        let after = match high_of(range) == Some(high) {
            true => first(start, end, |n| self.entry(file, n).is_none_or(|other| other > low)),
            false => end,
        };
        let row_of =
            |n: u32| self.numbers.get(file, n, self.columns[3]).and_then(|row| u32::try_from(row).ok());
        let mut rows = Vec::new();
        let mut at = after;
        while let Some(before) = at.checked_sub(1) {
            at = before;
            let same = high_of(range) == Some(high) && at >= start && self.entry(file, at) == Some(low);
            if !rows.is_empty() && !same {
                break;
            }
            rows.extend(row_of(at));
            if !same || rows.len() >= MOST_POSTCODES {
                break;
            }
        }
        rows.reverse();
        rows
    }
}

/// More postcodes than these are not searched for one number.
pub(super) const MOST_POSTCODES: usize = 16;

/// Returns the first of `from..to` for which `reached` is true, or `to`.
pub(super) fn first(from: u32, to: u32, reached: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (from, to.max(from));
    while low < high {
        let middle = low + (high - low) / 2;
        if reached(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_runs_keep_each_number_with_each_row() {
        let mut writer = NumbersWriter::default();
        writer.push(1, &mut vec![5, 6, 7, 8, 20]);
        writer.push(2, &mut vec![7, 30, 31]);
        writer.push(3, &mut vec![32]);
        writer.entries.sort_unstable();
        let found = segments(&writer.entries);
        assert_eq!(
            found,
            [(5, 1), (6, 1), (7, 1), (7, 2), (8, 1), (30, 2), (32, 3)].map(|(n, row)| (n as u64, row))
        );
    }
}
