//! Codes the sections of areas: tables column by column, and codes as numbers.
//!
//! Most columns of the sets of areas follow from another one: the district from the census area,
//! the county from the district. So a column is what the same value of another column had last,
//! and what differs from that is written.

use super::streams::{Numbers, Reader, Writer, unzigzag, zigzag};
use crate::dataset::file::packed_table::RawTable;

const RAW: u32 = 0;
const TABLE: u32 = 1;
const CODES: u32 = 2;
const STRINGS: u32 = 3;
/// Columns of wider values are not taken to predict others by.
const MAX_PARENT: u32 = 20;
/// Marks a column that no other predicts.
const NO_PARENT: u32 = u32::MAX;
/// The length of an ONS code: a letter and eight digits.
const CODE: usize = 9;
const CODES_HEADER: usize = 8;
/// The most codes of one kind: damaged data must not take all the memory.
const MAX_CODES: usize = 1 << 22;
/// The most bytes of strings.
const MAX_STRINGS: usize = 1 << 28;

pub(crate) fn write(out: &mut Writer, section: &[u8]) {
    let coded =
        [(CODES, write_codes(section)), (TABLE, write_table(section)), (STRINGS, write_strings(section))];
    for (how, coded) in coded {
        let Some(coded) = coded else { continue };
        if read_as(how, &coded.0).as_deref() == Some(section) {
            out.number(how);
            out.bytes(&coded.0);
            return;
        }
    }
    out.number(RAW);
    out.bytes(section);
}

pub(crate) fn read(input: &mut Reader<'_>) -> Option<Vec<u8>> {
    let how = input.number()?;
    read_as(how, input.bytes()?)
}

fn read_as(how: u32, coded: &[u8]) -> Option<Vec<u8>> {
    match how {
        RAW => Some(coded.to_vec()),
        TABLE => read_table(&mut Reader(coded)),
        CODES => read_codes(&mut Reader(coded)),
        STRINGS => read_strings(&mut Reader(coded)),
        _ => None,
    }
}

fn write_table(section: &[u8]) -> Option<Writer> {
    let table = RawTable::read(section)?;
    let mut out = Writer::default();
    out.bytes(&table.description);
    // The column with the most values first: it predicts the others.
    let mut order: Vec<usize> = (0..table.columns.len()).collect();
    let distinct = |column: &[u32]| {
        let mut values = column.to_vec();
        values.sort_unstable();
        values.dedup();
        values.len()
    };
    order.sort_by_cached_key(|n| {
        std::cmp::Reverse(table.columns.get(*n).map_or(0, |column| distinct(column)))
    });
    out.numbers(&order.iter().map(|n| *n as u32).collect::<Vec<u32>>());
    for (place, &n) in order.iter().enumerate() {
        let parents = order.iter().take(place).filter(|parent| table.width(**parent) <= MAX_PARENT);
        let candidates = std::iter::once(None).chain(parents.map(|parent| Some(*parent)));
        let best = candidates
            .map(|parent| (misses(&table, n, parent), parent))
            .min_by_key(|((gaps, _), _)| gaps.len());
        let ((gaps, literals), parent) = best?;
        out.number(parent.map_or(NO_PARENT, |parent| parent as u32));
        out.number(gaps.len() as u32);
        out.numbers(&gaps);
        out.numbers(&literals);
    }
    Some(out)
}

/// Returns the distances between the rows that are not as predicted, and what they have.
fn misses(table: &RawTable, n: usize, parent: Option<usize>) -> (Vec<u32>, Vec<u32>) {
    let (mut gaps, mut literals, mut since) = (Vec::new(), Vec::new(), 0);
    let parent = parent.and_then(|parent| Some((table.columns.get(parent)?, table.width(parent))));
    let mut column = Column::new(parent.map_or(0, |(_, width)| width));
    for (row, &value) in table.columns.get(n).into_iter().flatten().enumerate() {
        let key = parent.and_then(|(parent, _)| parent.get(row)).copied().unwrap_or(0);
        if column.predict(key) == value {
            since += 1;
        } else {
            gaps.push(std::mem::take(&mut since));
            literals.push(column.literal(value));
        }
        column.learn(key, value);
    }
    (gaps, literals)
}

fn read_table(input: &mut Reader<'_>) -> Option<Vec<u8>> {
    let mut table = RawTable::described(input.bytes()?)?;
    let mut order = input.numbers()?;
    for _ in 0..table.columns.len() {
        let n = order.next() as usize;
        let parent = input.number()?;
        let mut left = input.number()?;
        let (mut gaps, mut literals) = (input.numbers()?, input.numbers()?);
        // Taken out, so that the parent can be read meanwhile.
        let mut values = std::mem::take(table.columns.get_mut(n)?);
        let width = table.width(n);
        let parent = match parent {
            NO_PARENT => None,
            parent => Some((table.columns.get(parent as usize)?, table.width(parent as usize))),
        };
        let mut column = Column::new(parent.map_or(0, |(_, width)| width).min(MAX_PARENT));
        let mut until = next_gap(&mut left, &mut gaps);
        for (row, place) in values.iter_mut().enumerate() {
            let key = parent.and_then(|(parent, _)| parent.get(row)).copied().unwrap_or(0);
            let value = if until == 0 {
                until = next_gap(&mut left, &mut gaps);
                column.value(literals.next())
            } else {
                until -= 1;
                column.predict(key)
            };
            column.learn(key, value);
            *place = value & (((1u64 << width) - 1) as u32);
        }
        *table.columns.get_mut(n)? = values;
    }
    Some(table.write())
}

fn next_gap(left: &mut u32, gaps: &mut Numbers<'_>) -> u32 {
    match left.checked_sub(1) {
        Some(less) => {
            *left = less;
            gaps.next()
        }
        None => u32::MAX,
    }
}

/// Predicts the values of a column while they are coded.
struct Column {
    /// By value of the parent.
    known: Vec<u32>,
    previous: u32,
    last_written: u32,
}

impl Column {
    const UNKNOWN: u32 = u32::MAX;

    fn new(width: u32) -> Self {
        Self { known: vec![Self::UNKNOWN; 1 << width], previous: 0, last_written: 0 }
    }

    #[inline]
    fn predict(&self, key: u32) -> u32 {
        match self.known.get(key as usize) {
            Some(&known) if known != Self::UNKNOWN => known,
            _ => self.previous,
        }
    }

    #[inline]
    fn learn(&mut self, key: u32, value: u32) {
        if let Some(known) = self.known.get_mut(key as usize).filter(|_| key != 0) {
            *known = value;
        }
        self.previous = value;
    }

    /// A step from the last value that was written. 0 stands for 0, which mostly is "none".
    fn literal(&mut self, value: u32) -> u32 {
        match value {
            0 => 0,
            _ => zigzag(value.wrapping_sub(std::mem::replace(&mut self.last_written, value)) as i32)
                .wrapping_add(1),
        }
    }

    #[inline]
    fn value(&mut self, literal: u32) -> u32 {
        match literal {
            0 => 0,
            _ => {
                self.last_written = self.last_written.wrapping_add(unzigzag(literal.wrapping_sub(1)) as u32);
                self.last_written
            }
        }
    }
}

/// Writes sorted ONS codes as steps. Returns `None` for other codes.
fn write_codes(section: &[u8]) -> Option<Writer> {
    let (header, codes) = section.split_at_checked(CODES_HEADER)?;
    if codes.len() % CODE != 0 {
        return None;
    }
    let mut out = Writer::default();
    out.bytes(header);
    let mut before = 0u32;
    let mut steps = Vec::new();
    for code in codes.chunks_exact(CODE) {
        let (letter, digits) = code.split_first()?;
        let letter = letter.is_ascii_uppercase().then(|| u32::from(letter - b'A'))?;
        let number = digits.iter().try_fold(letter, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
        })?;
        steps.push(number.checked_sub(std::mem::replace(&mut before, number))?);
    }
    out.number(steps.len() as u32);
    out.numbers(&steps);
    Some(out)
}

fn read_codes(input: &mut Reader<'_>) -> Option<Vec<u8>> {
    let mut out = input.bytes()?.to_vec();
    let count = input.number()? as usize;
    let mut steps = input.numbers()?;
    if count > MAX_CODES {
        return None;
    }
    let mut number = 0u32;
    for _ in 0..count {
        number = number.wrapping_add(steps.next());
        let mut code = [0; CODE];
        let mut rest = number;
        for digit in code.iter_mut().skip(1).rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        code[0] = b'A'.wrapping_add(rest as u8);
        out.extend_from_slice(&code);
    }
    Some(out)
}

/// Writes sorted strings, each after its length, without what they begin with like the one before:
/// of `Westminster 018C` after `Westminster 018B` only the last letter is left.
fn write_strings(section: &[u8]) -> Option<Writer> {
    let (mut rest, mut before) = (section, &[][..]);
    let (mut shared, mut lengths, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk()?;
        let (text, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        let same = text.iter().zip(before).take_while(|(a, b)| a == b).count();
        let end = text.get(same..)?;
        shared.push(same as u32);
        lengths.push(end.len() as u32);
        ends.extend_from_slice(end);
        (rest, before) = (after, text);
    }
    let mut out = Writer::default();
    out.number(shared.len() as u32);
    out.numbers(&shared);
    out.numbers(&lengths);
    out.bytes(&ends);
    Some(out)
}

fn read_strings(input: &mut Reader<'_>) -> Option<Vec<u8>> {
    let count = input.number().filter(|count| *count as usize <= MAX_CODES)?;
    let (mut shared, mut lengths) = (input.numbers()?, input.numbers()?);
    let mut ends = input.bytes()?;
    let (mut out, mut before) = (Vec::with_capacity(2 * ends.len()), 0..0);
    for _ in 0..count {
        let (same, length) = (shared.next() as usize, lengths.next() as usize);
        let (end, rest) = ends.split_at_checked(length)?;
        out.extend_from_slice(&u16::try_from(same + length).ok()?.to_le_bytes());
        let start = out.len();
        if same > before.len() || out.len() > MAX_STRINGS {
            return None;
        }
        out.extend_from_within(before.start..before.start + same);
        out.extend_from_slice(end);
        (ends, before) = (rest, start..out.len());
    }
    Some(out)
}
