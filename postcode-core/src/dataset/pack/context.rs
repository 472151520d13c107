//! Codes the areas and the dates of rows, each by what its neighbours have.
//!
//! A postcode mostly lies in the areas of the nearest of the postcodes before it, and often came
//! into use in the same month as that one or as the previous one.

use super::range_coder::{Bits, Probability};
use crate::dataset::section::rows::CompactRow;

/// How many rows before a row are searched for the nearest.
const WINDOW: usize = 32;
/// Places farther apart than this, in metres, are all equally far. Rows without a place are so far
/// from all others.
const FAR: i32 = 1 << 25;
const NOWHERE: i32 = -(1 << 27);
/// How many of the last different months can be named in short.
const RECENT: usize = 3;
const KEPT: usize = 8;
/// Months are counted from this one, January 1970.
const FIRST: u16 = 1970 * 12;
/// A month outside the usual ones.
const ESCAPE: u32 = (1 << 10) - 1;

/// Codes areas and dates of the rows of a block, whose other fields are known. `next` is the number
/// of the first set of areas that no earlier block has. The model learns on the way.
pub(crate) fn code<B: Bits>(coder: &mut B, model: &mut Model, rows: &mut [CompactRow], mut next: u32) {
    let mut near = Near::new();
    // Almost never so, and then it must not cost a bit in every row.
    let live_ended = rows.iter().any(|row| row.live && row.terminated != 0);
    let live_ended = coder.bit(&mut Probability::HALF.clone(), live_ended);
    let (mut introduced, mut terminated) = (Months::default(), Months::default());
    let mut previous_set = CompactRow::NONE;
    for n in 0..rows.len() {
        let Some(row) = rows.get_mut(n) else { break };
        near.look(n, row);
        let (lane, distance) = near.nearest(n);
        let context = (distance, row.live);

        row.set = model.set(coder, (&near, n), context, lane, previous_set, &mut next, row.set);
        previous_set = row.set;

        let user = usize::from(row.user_type.min(2));
        let here = distance + 8 * (user + 3 * usize::from(row.live));
        row.introduced =
            model.introduced.code(coder, here, near.introduced[lane], &mut introduced, row.introduced);
        if !row.live || live_ended {
            let (lane, distance) = near.nearest_terminated(n);
            let here = distance + 8 * (user + 3 * usize::from(row.live));
            let other = if near.live[lane] { 0 } else { near.terminated[lane] };
            row.terminated = model.terminated.code(coder, here, other, &mut terminated, row.terminated);
        }
        near.add(n, row);
    }
}

/// The last [`WINDOW`] rows, each in its lane, so that the search for the nearest needs no branches.
struct Near {
    eastings: [i32; WINDOW],
    northings: [i32; WINDOW],
    sets: [u32; WINDOW],
    introduced: [u16; WINDOW],
    terminated: [u16; WINDOW],
    live: [bool; WINDOW],
    /// By lane: the distance from the current row and, so that the latest of equally near ones is
    /// taken, the number of rows between.
    keys: [i32; WINDOW],
}

impl Near {
    fn new() -> Self {
        Self {
            eastings: [NOWHERE; WINDOW],
            northings: [NOWHERE; WINDOW],
            sets: [CompactRow::NONE; WINDOW],
            introduced: [0; WINDOW],
            terminated: [0; WINDOW],
            live: [true; WINDOW],
            keys: [0; WINDOW],
        }
    }

    fn place(row: &CompactRow) -> (i32, i32) {
        let known = row.eastings < FAR as u32 && row.northings < FAR as u32;
        if known { (row.eastings as i32, row.northings as i32) } else { (NOWHERE, NOWHERE) }
    }

    /// Measures the distances from a row. One without a place is near to the previous one.
    #[inline]
    fn look(&mut self, n: usize, row: &CompactRow) {
        let (eastings, northings) = Self::place(row);
        let last = n.wrapping_sub(1) as u32;
        let (east, north) = (&self.eastings, &self.northings);
        if eastings == NOWHERE {
            for lane in 0..WINDOW {
                self.keys[lane] = FAR << 5 | (last.wrapping_sub(lane as u32) % WINDOW as u32) as i32;
            }
            return;
        }
        for lane in 0..WINDOW {
            let far = (east[lane] - eastings).abs().max((north[lane] - northings).abs()).min(FAR);
            self.keys[lane] = far << 5 | (last.wrapping_sub(lane as u32) % WINDOW as u32) as i32;
        }
    }

    /// Returns the lane of the row with this key, and a class of its distance, 0 to 7.
    #[inline]
    fn lane(n: usize, key: i32) -> (usize, usize) {
        let between = (key & (WINDOW as i32 - 1)) as usize;
        let class = match key >> 5 {
            0 => 0,
            metres => ((34 - metres.leading_zeros()) / 3).min(7) as usize,
        };
        (n.wrapping_sub(1).wrapping_sub(between) % WINDOW, class)
    }

    #[inline]
    fn nearest(&self, n: usize) -> (usize, usize) {
        Self::lane(n, self.keys.iter().fold(i32::MAX, |least, key| least.min(*key)))
    }

    /// Returns the nearest terminated row. Without one, returns class 7 and the lane of a live row.
    #[inline]
    fn nearest_terminated(&self, n: usize) -> (usize, usize) {
        let mut least = u32::MAX;
        for lane in 0..WINDOW {
            // Live ones come after all others.
            least = least.min(self.keys[lane] as u32 | u32::from(self.live[lane]) << 31);
        }
        let (lane, class) = Self::lane(n, (least & !(1 << 31)) as i32);
        (lane, if least & 1 << 31 == 0 { class } else { 7 })
    }

    /// Returns the lane of the nearest row whose set is not one of those.
    #[inline]
    fn nearest_but(&self, n: usize, but: &[u32]) -> usize {
        let mut keys = self.keys;
        for not in but {
            for (key, set) in keys.iter_mut().zip(&self.sets) {
                if set == not {
                    *key = i32::MAX;
                }
            }
        }
        match keys.iter().fold(i32::MAX, |least, key| least.min(*key)) {
            i32::MAX => 0,
            key => Self::lane(n, key).0,
        }
    }

    #[inline]
    fn add(&mut self, n: usize, row: &CompactRow) {
        let lane = n % WINDOW;
        (self.eastings[lane], self.northings[lane]) = Self::place(row);
        self.sets[lane] = row.set;
        (self.introduced[lane], self.terminated[lane]) = (row.introduced, row.terminated);
        self.live[lane] = row.live;
    }
}

/// The probabilities of everything. Each block begins with those that were learned from all.
#[derive(Clone)]
pub(crate) struct Model {
    is_nearest: [Probability; 64],
    is_next: [Probability; 16],
    is_other: [Probability; 8],
    numbers: [Probability; 64],
    introduced: MonthModel,
    terminated: MonthModel,
}

/// How many sets other than the nearest are tried, the nearer ones first.
const OTHERS: usize = 5;

impl Model {
    pub(crate) fn new() -> Self {
        Self {
            is_nearest: [Probability::HALF; 64],
            is_next: [Probability::HALF; 16],
            is_other: [Probability::HALF; 8],
            numbers: [Probability::HALF; 64],
            introduced: MonthModel::new(),
            terminated: MonthModel::new(),
        }
    }

    /// All probabilities, to be stored and restored.
    fn all(&mut self) -> impl Iterator<Item = &mut Probability> {
        let sets = [&mut self.is_nearest[..], &mut self.is_next, &mut self.is_other, &mut self.numbers];
        let months = [&mut self.introduced, &mut self.terminated].into_iter().flat_map(MonthModel::all);
        sets.into_iter().flatten().chain(months)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.clone().all().map(|probability| probability.to_byte()).collect()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let mut model = Self::new();
        for (probability, byte) in model.all().zip(bytes) {
            *probability = Probability::from_byte(*byte);
        }
        model
    }

    #[expect(clippy::too_many_arguments, reason = "the context of a set")]
    #[inline]
    fn set<B: Bits>(
        &mut self,
        coder: &mut B,
        (near, n): (&Near, usize),
        (distance, live): (usize, bool),
        lane: usize,
        previous: u32,
        next: &mut u32,
        set: u32,
    ) -> u32 {
        let nearest = near.sets[lane];
        let context = distance
            + 8 * (usize::from(live)
                + 2 * (usize::from(near.live[lane]) + 2 * usize::from(previous == nearest)));
        if !coder.bit(&mut self.is_nearest[context], set != nearest) {
            return nearest;
        }
        if !coder.bit(&mut self.is_next[distance + 8 * usize::from(live)], set != *next) {
            *next = next.wrapping_add(1);
            return next.wrapping_sub(1);
        }
        let mut but = [nearest; OTHERS];
        for tried in 0..OTHERS {
            let other = near.sets[near.nearest_but(n, &but[..=tried])];
            if !coder.bit(&mut self.is_other[tried], set != other) {
                return other;
            }
            if let Some(place) = but.get_mut(tried + 1) {
                *place = other;
            }
        }
        let back = coder.number(&mut self.numbers, next.wrapping_sub(set));
        next.wrapping_sub(back)
    }
}

/// The months met so far in a block.
#[derive(Default)]
struct Months {
    /// The last different ones, the latest first.
    recent: [u16; KEPT],
    /// Whether the last two were those of the row before.
    repeated: usize,
}

#[derive(Clone)]
struct MonthModel {
    is_previous: [Probability; 512],
    is_nearest: [Probability; 64],
    is_recent: [Probability; 64],
    which: [Probability; RECENT],
    literal: [[Probability; 1024]; 2],
}

impl MonthModel {
    fn new() -> Self {
        Self {
            is_previous: [Probability::HALF; 512],
            is_nearest: [Probability::HALF; 64],
            is_recent: [Probability::HALF; 64],
            which: [Probability::HALF; RECENT],
            literal: [[Probability::HALF; 1024]; 2],
        }
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Probability> {
        let flags = [&mut self.is_previous[..], &mut self.is_nearest, &mut self.is_recent, &mut self.which];
        flags.into_iter().flatten().chain(self.literal.as_flattened_mut())
    }

    /// `here` is the context, below 48; `near` the month of a near row.
    #[inline]
    fn code<B: Bits>(
        &mut self,
        coder: &mut B,
        here: usize,
        near: u16,
        months: &mut Months,
        month: u16,
    ) -> u16 {
        let previous = months.recent[0];
        let context = here + 64 * (months.repeated + 4 * usize::from(near == previous));
        let other = coder.bit(&mut self.is_previous[context], month != previous);
        months.repeated = months.repeated << 1 & 3 | usize::from(other);
        if !other {
            return previous;
        }
        let month = self.other(coder, here, near, months, month);
        // To the front.
        let at = months.recent.iter().position(|recent| *recent == month).unwrap_or(KEPT - 1);
        months.recent[..=at].rotate_right(1);
        months.recent[0] = month;
        month
    }

    #[inline]
    fn other<B: Bits>(&mut self, coder: &mut B, here: usize, near: u16, months: &Months, month: u16) -> u16 {
        let previous = months.recent[0];
        if near != previous && !coder.bit(&mut self.is_nearest[here], month != near) {
            return near;
        }
        let mut recent = [previous; RECENT];
        let others = months.recent.iter().filter(|recent| **recent != previous && **recent != near);
        recent.iter_mut().zip(others).for_each(|(place, other)| *place = *other);
        let found = recent.iter().position(|recent| *recent == month && month != previous);
        if !coder.bit(&mut self.is_recent[here], found.is_none()) {
            let found = found.unwrap_or(0);
            let mut at = 0;
            while at + 1 < RECENT && coder.bit(&mut self.which[at], found > at) {
                at += 1;
            }
            return recent[at];
        }
        let short = match month {
            0 => 0,
            month => month.checked_sub(FIRST).map_or(ESCAPE, |since| (u32::from(since) + 1).min(ESCAPE)),
        };
        let tree = &mut self.literal[usize::from(here >= 24)];
        match coder.tree(tree, 10, short) {
            0 => 0,
            ESCAPE => coder.bits(16, u32::from(month)) as u16,
            short => FIRST + (short as u16 - 1),
        }
    }
}
