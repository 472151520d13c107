//! Writes a block.

use postcode_core::{Error, Result};

use super::block::{
    CONCATENATED, Slot, State, dataset_number, head, kind_number, more, slot, stream, suffix, write_number,
    zigzag,
};
use super::decode::PLACES;
use super::layout::{BUILDINGS, DICTIONARIES, LOCALITIES, ORGANISATIONS, THOROUGHFARES, TOWNS};
use super::text::{DictionaryWriter, MAX_TEXT, Text, split};
use super::{MAX_UDPRN, MAX_UPRN, OUTLIER, PER_DEGREE, PER_METRE};
use crate::model::may_have_controls;
use crate::{Address, Kind, Welsh};

/// Turns the addresses of a postcode into bytes.
#[derive(Default)]
pub(super) struct Encoder {
    pub(super) dictionaries: [DictionaryWriter; DICTIONARIES.len()],
    template: String,
    /// First byte, and where the rest ends in `parts` and in `streams`.
    heads: Vec<(u8, usize, usize)>,
    parts: Vec<u8>,
    streams: Vec<u8>,
}

/// Returns a text of an address.
type TextOf = fn(&Address) -> &String;

/// Checks an address before it is kept.
pub(super) fn check(address: &Address) -> Result<()> {
    let place = || match address.udprn {
        Some(udprn) => format!("{}, UDPRN {udprn}", address.postcode),
        None => address.postcode.clone(),
    };
    let welsh = address.welsh.as_deref().map(welsh_of).unwrap_or_default();
    for text in address.texts().into_iter().chain(welsh.into_iter().map(|(text, _)| text)) {
        if text.len() > MAX_TEXT {
            return Err(Error::invalid(format!(
                "{}: an element of {} bytes, at most {MAX_TEXT} are allowed",
                place(),
                text.len()
            )));
        }
        if may_have_controls(text) && text.chars().any(char::is_control) {
            return Err(Error::invalid(format!("{}: {text:?} has a control character: remove it", place())));
        }
    }
    if [address.udprn, address.umprn].into_iter().flatten().any(|number| number > MAX_UDPRN) {
        return Err(Error::invalid(format!("{}: a UDPRN or UMPRN has more than eight digits", place())));
    }
    if [address.uprn, address.parent_uprn].into_iter().flatten().any(|number| number > MAX_UPRN) {
        return Err(Error::invalid(format!("{}: a UPRN has more than twelve digits", place())));
    }
    let grid = address.point.and_then(|point| point.grid);
    if grid.is_some_and(|grid| !(grid.eastings.abs() < 1e8 && grid.northings.abs() < 1e8)) {
        return Err(Error::invalid(format!("{}: a grid reference is out of range", place())));
    }
    let degrees = address.point.and_then(|point| point.geographic);
    if degrees.is_some_and(|at| !(at.latitude.abs() <= 90.0 && at.longitude.abs() <= 180.0)) {
        return Err(Error::invalid(format!("{}: latitude or longitude is out of range", place())));
    }
    Ok(())
}

impl Encoder {
    /// Appends the block of these addresses, which are checked and of one postcode.
    pub(super) fn block(&mut self, addresses: &[Address], out: &mut Vec<u8>) -> Result<()> {
        let has = |there: fn(&Address) -> bool| addresses.iter().any(there);
        let mut flags = 0;
        for (flag, there) in [
            (stream::UPRN, has(|address| address.uprn.is_some())),
            (stream::POINT, has(|address| address.point.is_some())),
            (stream::PAF_KEY, has(|address| address.paf_key.is_some())),
        ] {
            if there {
                flags |= flag;
            }
        }
        self.heads.clear();
        self.parts.clear();
        self.streams.clear();
        let mut state = State::NEW;
        for (n, address) in addresses.iter().enumerate() {
            let before = n.checked_sub(1).and_then(|n| addresses.get(n));
            let next = addresses.get(n + 1);
            let head = self.address(&mut state, before, address, next)?;
            self.streams_of(&mut state, address, flags);
            self.heads.push((head, self.parts.len(), self.streams.len()));
        }
        write_number(out, addresses.len() as u64);
        out.push(flags);
        let (mut parts, mut streams, mut run) = (0, 0, 0);
        for (n, &(head, parts_end, streams_end)) in self.heads.iter().enumerate() {
            if run > 0 {
                run -= 1;
            } else {
                run = self.heads[n + 1..].iter().take_while(|(head, ..)| *head == 0).count();
                out.push(if run > 0 { head | head::RUN } else { head });
                out.extend_from_slice(&self.parts[parts..parts_end]);
                if run > 0 {
                    write_number(out, run as u64);
                }
            }
            out.extend_from_slice(&self.streams[streams..streams_end]);
            (parts, streams) = (parts_end, streams_end);
        }
        Ok(())
    }

    /// Writes what is not as predicted, and returns which that is.
    fn address(
        &mut self,
        state: &mut State,
        before: Option<&Address>,
        address: &Address,
        next: Option<&Address>,
    ) -> Result<u8> {
        let mut head = 0;
        if self.more(state, before, address)? {
            head |= head::MORE;
        }
        if self.place(state, before, address)? {
            head |= head::PLACE;
        }
        let slots: [(u8, &mut Slot, TextOf); 3] = [
            (head::NUMBER, &mut state.number, |address| &address.building_number),
            (head::BUILDING, &mut state.building, |address| &address.building_name),
            (head::SUB_BUILDING, &mut state.sub_building, |address| &address.sub_building),
        ];
        for (bit, slot, of) in slots {
            let text = of(address);
            let same = before.is_some_and(|before| of(before) == text) && !slot.empty;
            let text = if same { slot.last } else { self.text(BUILDINGS, text)? };
            if self.slot(slot, text) {
                head |= bit;
            }
        }
        let organisation = [&address.organisation, &address.department, &address.po_box];
        let mask =
            organisation.iter().enumerate().fold(0, |mask, (n, text)| mask | u8::from(!text.is_empty()) << n);
        if mask != 0 {
            head |= head::ORGANISATION;
            self.parts.push(mask);
            for (text, dictionary) in organisation.into_iter().zip([ORGANISATIONS, ORGANISATIONS, BUILDINGS])
            {
                if !text.is_empty() {
                    self.write_text(dictionary, text)?;
                }
            }
        }
        if self.udprn(state, address, next) {
            head |= head::UDPRN;
        }
        Ok(head)
    }

    fn text(&mut self, dictionary: usize, text: &str) -> Result<Text> {
        if text.is_empty() {
            return Ok(Text::EMPTY);
        }
        let mut template = std::mem::take(&mut self.template);
        let number = split(text, &mut template).unwrap_or_default();
        let numbered = self.dictionaries[dictionary].number(&template);
        self.template = template;
        Ok(Text { template: numbered?, number })
    }

    /// Writes a text with the number in it.
    fn write_text(&mut self, dictionary: usize, text: &str) -> Result<()> {
        let kept = self.text(dictionary, text)?;
        write_number(&mut self.parts, u64::from(kept.template));
        if self.template.contains('\0') {
            write_number(&mut self.parts, u64::from(kept.number));
        }
        Ok(())
    }

    fn more(&mut self, state: &mut State, before: Option<&Address>, address: &Address) -> Result<bool> {
        let (mut first, mut second) = (0, 0);
        let at = self.parts.len();
        // The masks are put in front at the end.
        let suffix = match suffix::number(&address.delivery_point_suffix) {
            Some(number) => number,
            None => suffix::LAST + self.dictionaries[BUILDINGS].number(&address.delivery_point_suffix)?,
        };
        if suffix != suffix::next(state.suffix) {
            first |= more::SUFFIX;
            write_number(&mut self.parts, u64::from(suffix));
        }
        state.suffix = suffix;
        if address.kind != state.kind {
            first |= more::KIND;
            self.parts.push(kind_number(address.kind));
            state.kind = address.kind;
        }
        let indicated = !address.organisation.is_empty() && address.kind == Some(Kind::SmallUser);
        if address.organisation_indicator != indicated {
            first |= more::INDICATOR;
        }
        if address.dataset != state.dataset {
            first |= more::DATASET;
            self.parts.push(dataset_number(address.dataset));
            state.dataset = address.dataset;
        }
        if address.umprn != state.predicted_umprn() {
            first |= more::UMPRN;
            let number = match address.umprn {
                None => 0,
                Some(umprn) => zigzag(i64::from(umprn) - i64::from(state.last_umprn)) + 1,
            };
            write_number(&mut self.parts, number);
        }
        state.umprn = address.umprn;
        state.last_umprn = address.umprn.unwrap_or(state.last_umprn);
        if address.concatenation_indicator != state.concatenated {
            first |= more::CONCATENATED;
            state.concatenated = address.concatenation_indicator;
            let number = CONCATENATED.iter().position(|other| *other == state.concatenated);
            self.parts.push(number.unwrap_or_default() as u8);
        }
        if address.households != state.households {
            first |= more::HOUSEHOLDS;
            write_number(&mut self.parts, address.households.map_or(0, |number| u64::from(number) + 1));
            state.households = address.households;
        }
        if address.parent_uprn != state.parent_uprn {
            second |= more::PARENT_UPRN;
            let number = match address.parent_uprn {
                None => 0,
                Some(parent) => zigzag(parent as i64 - state.last_parent as i64) + 1,
            };
            write_number(&mut self.parts, number);
            state.parent_uprn = address.parent_uprn;
            state.last_parent = address.parent_uprn.unwrap_or(state.last_parent);
        }
        let welsh = |address: &Address| address.welsh.clone().filter(|welsh| !welsh.is_empty());
        if (address.welsh.is_some() || before.is_some_and(|before| before.welsh.is_some()))
            && welsh(address) != before.and_then(welsh)
        {
            second |= more::WELSH;
            let texts = address.welsh.as_deref().map(welsh_of).unwrap_or_default();
            let there = texts.iter().enumerate().filter(|(_, (text, _))| !text.is_empty());
            let mask = there.fold(0, |mask, (n, _)| mask | 1 << n);
            write_number(&mut self.parts, mask);
            for (text, dictionary) in texts.into_iter().filter(|(text, _)| !text.is_empty()) {
                self.write_text(dictionary, text)?;
            }
        }
        if second != 0 {
            first |= more::SECOND;
            self.parts.insert(at, second);
        }
        if first != 0 {
            self.parts.insert(at, first);
        }
        Ok(first != 0)
    }

    fn place(&mut self, state: &mut State, before: Option<&Address>, address: &Address) -> Result<bool> {
        let texts = places(address);
        let last = before.map(places);
        let mut mask = 0;
        let mut numbers = [0; PLACES.len()];
        for (n, dictionary) in PLACES.into_iter().enumerate() {
            if last.is_some_and(|last| last[n] == texts[n]) {
                continue;
            }
            numbers[n] = self.dictionaries[dictionary].number(texts[n])?;
            if numbers[n] != state.place[n] {
                mask |= 1 << n;
                state.place[n] = numbers[n];
            }
        }
        if mask == 0 {
            return Ok(false);
        }
        self.parts.push(mask);
        for n in (0..PLACES.len()).filter(|n| mask >> n & 1 != 0) {
            write_number(&mut self.parts, u64::from(numbers[n]));
        }
        Ok(true)
    }

    /// Writes a number, a building's name or its part if it is not as predicted.
    fn slot(&mut self, slot: &mut Slot, text: Text) -> bool {
        let predicted = slot.predicted();
        if text == predicted {
            if !slot.empty {
                slot.last = predicted;
            }
            return false;
        }
        if text == Text::EMPTY {
            slot.empty = true;
            self.parts.push(slot::EMPTY);
            return true;
        }
        let delta = i64::from(text.number) - i64::from(slot.last.number);
        let code = delta + slot::SAME;
        if text.template == slot.last.template && (1..=slot::LARGEST).contains(&code) {
            self.parts.push(code as u8);
            *slot = Slot { last: text, step: delta, empty: false };
        } else {
            self.parts.push(slot::EXPLICIT);
            write_number(&mut self.parts, u64::from(text.template));
            // The template that was looked up last is that of this text.
            if self.template.contains('\0') {
                write_number(&mut self.parts, u64::from(text.number));
            }
            *slot = Slot { last: text, step: 0, empty: false };
        }
        true
    }

    /// Writes the UDPRN if it is not as predicted.
    fn udprn(&mut self, state: &mut State, address: &Address, next: Option<&Address>) -> bool {
        let predicted = state.predicted_udprn(address.umprn);
        let Some(udprn) = address.udprn else {
            state.udprn = None;
            if predicted.is_some() {
                self.parts.push(0);
            }
            return predicted.is_some();
        };
        state.udprn = Some(udprn);
        if predicted == Some(udprn) {
            if address.umprn.is_none() {
                state.udprn_base = udprn;
            }
            return false;
        }
        let step = udprn.checked_sub(state.udprn_base).and_then(|step| step.checked_sub(1));
        if let Some(step @ 1..=0x7f) = step {
            self.parts.push(step as u8);
            state.udprn_base = udprn;
            return true;
        }
        // One that stands alone between others of a run does not end the run.
        let goes_on = next.and_then(|next| next.udprn).is_some_and(|next| {
            next.checked_sub(state.udprn_base).is_some_and(|step| (1..=0x80).contains(&step))
        });
        let value = if goes_on { udprn | OUTLIER } else { udprn };
        if !goes_on {
            state.udprn_base = udprn;
        }
        self.parts.extend_from_slice(&(value | 1 << 31).to_be_bytes());
        true
    }

    fn streams_of(&mut self, state: &mut State, address: &Address, flags: u8) {
        let out = &mut self.streams;
        if flags & stream::UPRN != 0 {
            match address.uprn {
                None => out.push(0),
                Some(uprn) => {
                    let distance = uprn as i64 - state.uprn as i64;
                    match distance {
                        0..=126 => out.push(distance as u8 + 1),
                        -8192..=8191 => {
                            let code = (distance + 8192) as u16;
                            out.extend_from_slice(&[0x80 | (code >> 8) as u8, code as u8]);
                        }
                        _ => {
                            out.push(0xc0);
                            out.extend_from_slice(&uprn.to_be_bytes()[3..]);
                        }
                    }
                    state.uprn = uprn;
                }
            }
        }
        if flags & stream::POINT != 0 {
            let point = address.point.unwrap_or_default();
            let grid =
                point.grid.map(|grid| [grid.eastings, grid.northings].map(|it| (it * PER_METRE).round()));
            let degrees =
                point.geographic.map(|at| [at.latitude, at.longitude].map(|it| (it * PER_DEGREE).round()));
            out.push(u8::from(grid.is_some()) | u8::from(degrees.is_some()) << 1);
            for (from, pair) in [(0, grid), (2, degrees)] {
                for (n, value) in pair.into_iter().flatten().enumerate() {
                    let value = value as i64;
                    write_number(out, zigzag(value - state.point[from + n]));
                    state.point[from + n] = value;
                }
            }
        }
        if flags & stream::PAF_KEY != 0 {
            match address.paf_key {
                None => out.push(0),
                Some(key) => {
                    write_number(out, zigzag(i64::from(key.address) - i64::from(state.paf_key)) + 1);
                    write_number(out, u64::from(key.organisation));
                    state.paf_key = key.address;
                }
            }
        }
    }
}

/// The texts of an address in the order of [`State::place`].
fn places(address: &Address) -> [&str; 5] {
    [
        &address.post_town,
        &address.dependent_locality,
        &address.double_dependent_locality,
        &address.thoroughfare,
        &address.dependent_thoroughfare,
    ]
}

/// The Welsh elements with their dictionaries, in the order of their bits.
fn welsh_of(welsh: &Welsh) -> [(&str, usize); 9] {
    [
        (&welsh.organisation, ORGANISATIONS),
        (&welsh.department, ORGANISATIONS),
        (&welsh.sub_building, BUILDINGS),
        (&welsh.building_name, BUILDINGS),
        (&welsh.dependent_thoroughfare, THOROUGHFARES),
        (&welsh.thoroughfare, THOROUGHFARES),
        (&welsh.double_dependent_locality, LOCALITIES),
        (&welsh.dependent_locality, LOCALITIES),
        (&welsh.post_town, TOWNS),
    ]
}
