//! Reads a block.

use postcode_core::Result;
use postcode_core::dataset::container::Container;

use super::AddressFile;
use super::block::{
    CONCATENATED, Slot, State, dataset_of, head, kind_of, more, slot, stream, suffix, unzigzag,
};
use super::layout::{BUILDINGS, LOCALITIES, ORGANISATIONS, THOROUGHFARES, TOWNS};
use super::text::{Dictionary, Template, Text};
use crate::{Address, Geographic, Grid, Kind, PafKey, Point, Welsh};

/// The dictionaries of the places of an address, in the order of [`State::place`].
pub(super) const PLACES: [usize; 5] = [TOWNS, LOCALITIES, LOCALITIES, THOROUGHFARES, THOROUGHFARES];

/// The addresses of one postcode, read one by one into the same [`Address`].
///
/// ```
/// # use postcode_addresses::{Address, file::AddressFile};
/// fn numbers(file: &AddressFile, postcode: postcode_core::Postcode) -> postcode_core::Result<Vec<String>> {
///     let mut numbers = Vec::new();
///     let Some(mut addresses) = file.get(postcode)? else { return Ok(numbers) };
///     while let Some(address) = addresses.next()? {
///         numbers.push(address.building_number.clone());
///     }
///     Ok(numbers)
/// }
/// ```
#[derive(Debug)]
pub struct Addresses<'a> {
    file: &'a AddressFile,
    /// From the first byte of the block to the end of the blocks.
    data: &'a [u8],
    at: usize,
    left: u64,
    /// How many of the next addresses are as predicted.
    run: u64,
    streams: u8,
    state: State,
    /// The templates of number, building and part.
    templates: [Template<'a>; 3],
    organised: bool,
    address: Address,
}

impl<'a> Addresses<'a> {
    pub(super) fn new(file: &'a AddressFile, data: &'a [u8], postcode: &str) -> Result<Self> {
        let mut addresses = Self {
            file,
            data,
            at: 0,
            left: 0,
            run: 0,
            streams: 0,
            state: State::NEW,
            templates: [Template::EMPTY; 3],
            organised: false,
            // What an address has in common with the state is only set where it changes.
            address: Address {
                postcode: postcode.to_owned(),
                kind: State::NEW.kind,
                dataset: State::NEW.dataset,
                ..Address::default()
            },
        };
        let begun = addresses.number().zip(addresses.byte());
        // An address takes less than a byte only in a run, and no run is that long.
        let begun = begun.filter(|(count, streams)| {
            (1..=super::MAX_AT_POSTCODE).contains(count)
                && streams & !(stream::UPRN | stream::POINT | stream::PAF_KEY) == 0
        });
        let Some((left, streams)) = begun else { return Err(addresses.damaged()) };
        (addresses.left, addresses.streams) = (left, streams);
        Ok(addresses)
    }

    /// Returns how many addresses are left.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// let addresses = file.get("ZE9 9AA".parse()?)?.ok_or("no addresses")?;
    /// assert_eq!(addresses.left(), 12);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn left(&self) -> usize {
        usize::try_from(self.left).unwrap_or(usize::MAX)
    }

    /// Reads the next address, or returns `None` after the last one.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// let mut addresses = file.get("ZE9 9AA".parse()?)?.ok_or("no addresses")?;
    /// let first = addresses.next()?.ok_or("no address")?;
    /// assert_eq!(first.building_number, "1");
    /// assert_eq!(addresses.left(), 11);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](postcode_core::ErrorKind::Dataset) if the file is damaged.
    #[allow(clippy::should_implement_trait, reason = "an iterator can't lend its item")]
    pub fn next(&mut self) -> Result<Option<&Address>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        if self.step().is_none() {
            self.left = 0;
            return Err(self.damaged());
        }
        Ok(Some(&self.address))
    }

    /// Reads all that are left.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// let addresses = file.get("ZE9 9AA".parse()?)?.ok_or("no addresses")?.collect()?;
    /// assert_eq!(addresses[11].building_number, "12");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`next`](Self::next).
    pub fn collect(mut self) -> Result<Vec<Address>> {
        let mut all = Vec::with_capacity(self.left().min(4096));
        while let Some(address) = self.next()? {
            all.push(address.clone());
        }
        Ok(all)
    }

    /// Returns how many bytes were read.
    pub(super) fn read(&self) -> usize {
        self.at
    }

    fn damaged(&self) -> postcode_core::Error {
        let what = format!("the block of {} can't be read", self.address.postcode);
        let start = self.file.blocks.start + self.file.blocks.len - self.data.len();
        self.file.container.damaged("section blocks", start + self.at, what)
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.data.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn number32(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    /// Reads a number that is written as its distance from another.
    fn near(&mut self, other: i64) -> Option<i64> {
        other.checked_add(unzigzag(self.number()?))
    }

    fn step(&mut self) -> Option<()> {
        let head = match self.run {
            0 => self.byte()?,
            _ => 0,
        };
        let ran = self.run > 0;
        self.run = self.run.saturating_sub(1);
        self.more(head & head::MORE != 0)?;
        if head & head::PLACE != 0 {
            self.place()?;
        }
        let file = self.file;
        let dictionary = file.dictionaries.get(BUILDINGS)?;
        self.slot(head & head::NUMBER != 0, 0, dictionary)?;
        self.slot(head & head::BUILDING != 0, 1, dictionary)?;
        self.slot(head & head::SUB_BUILDING != 0, 2, dictionary)?;
        self.organisation(head & head::ORGANISATION != 0)?;
        self.udprn(head & head::UDPRN != 0)?;
        if head & head::RUN != 0 && !ran {
            self.run = self.number().filter(|run| *run <= self.left)?;
        }
        let indicated = !self.address.organisation.is_empty() && self.address.kind == Some(Kind::SmallUser);
        self.address.organisation_indicator ^= indicated;
        if self.streams != 0 {
            self.streams()?;
        }
        Some(())
    }

    /// Reads what seldom changes. The organisation indicator is left as whether it differs from its prediction.
    #[inline]
    fn more(&mut self, told: bool) -> Option<()> {
        if told {
            return self.told();
        }
        self.state.suffix = suffix::next(self.state.suffix);
        self.suffix()?;
        self.address.organisation_indicator = false;
        if let Some(umprn) = self.state.predicted_umprn() {
            (self.state.umprn, self.state.last_umprn) = (Some(umprn), umprn);
            self.address.umprn = Some(umprn);
        }
        Some(())
    }

    /// Writes the delivery point suffix of the state.
    #[inline]
    fn suffix(&mut self) -> Option<()> {
        let text = &mut self.address.delivery_point_suffix;
        match self.state.suffix {
            0 => text.clear(),
            number @ 1..=suffix::LAST => {
                text.clear();
                text.push_str(suffix::text(number));
            }
            number => {
                let (file, container) = (self.file, &self.file.container);
                file.dictionaries.get(BUILDINGS)?.get(container, number - suffix::LAST)?.fill(0, text);
            }
        }
        Some(())
    }

    /// Reads the bytes after [`head::MORE`].
    fn told(&mut self) -> Option<()> {
        let first = self.byte()?;
        let second = if first & more::SECOND != 0 { self.byte()? } else { 0 };
        self.state.suffix = match first & more::SUFFIX != 0 {
            true => self.number32()?,
            false => suffix::next(self.state.suffix),
        };
        self.suffix()?;
        if first & more::KIND != 0 {
            self.address.kind = kind_of(self.byte()?)?;
        }
        self.address.organisation_indicator = first & more::INDICATOR != 0;
        if first & more::DATASET != 0 {
            self.address.dataset = dataset_of(self.byte()?)?;
        }
        self.state.umprn = match first & more::UMPRN != 0 {
            false => self.state.predicted_umprn(),
            true => match self.number()? {
                0 => None,
                number => {
                    let umprn = i64::from(self.state.last_umprn).checked_add(unzigzag(number - 1))?;
                    Some(u32::try_from(umprn).ok()?)
                }
            },
        };
        self.state.last_umprn = self.state.umprn.unwrap_or(self.state.last_umprn);
        self.address.umprn = self.state.umprn;
        if first & more::CONCATENATED != 0 {
            self.address.concatenation_indicator = *CONCATENATED.get(usize::from(self.byte()?))?;
        }
        if first & more::HOUSEHOLDS != 0 {
            self.address.households = match self.number32()? {
                0 => None,
                number => Some(u16::try_from(number - 1).ok()?),
            };
        }
        if second & more::PARENT_UPRN != 0 {
            self.address.parent_uprn = match self.number()? {
                0 => None,
                number => {
                    let last = i64::try_from(self.state.last_parent).ok()?;
                    u64::try_from(last.checked_add(unzigzag(number - 1))?).ok()
                }
            };
            self.state.last_parent = self.address.parent_uprn.unwrap_or(self.state.last_parent);
        }
        if second & more::WELSH != 0 {
            self.welsh()?;
        }
        Some(())
    }

    fn welsh(&mut self) -> Option<()> {
        let mask = self.number()?;
        if mask == 0 {
            self.address.welsh = None;
            return Some(());
        }
        let mut welsh = Box::<Welsh>::default();
        for (bit, (text, dictionary)) in welsh_texts(&mut welsh).into_iter().enumerate() {
            if mask >> bit & 1 != 0 {
                self.text(dictionary, text)?;
            }
        }
        self.address.welsh = Some(welsh);
        Some(())
    }

    fn place(&mut self) -> Option<()> {
        let mask = self.byte()?;
        let (file, container) = (self.file, &self.file.container);
        for (bit, dictionary) in PLACES.into_iter().enumerate() {
            if mask >> bit & 1 == 0 {
                continue;
            }
            let number = self.number32()?;
            let template = file.dictionaries.get(dictionary)?.get(container, number)?;
            let address = &mut self.address;
            let text = match bit {
                0 => &mut address.post_town,
                1 => &mut address.dependent_locality,
                2 => &mut address.double_dependent_locality,
                3 => &mut address.thoroughfare,
                _ => &mut address.dependent_thoroughfare,
            };
            template.fill(0, text);
        }
        Some(())
    }

    /// Reads the number, the building's name or its part.
    #[inline]
    fn slot(&mut self, told: bool, which: usize, dictionary: &'a Dictionary) -> Option<()> {
        if !told {
            let template = *self.templates.get(which)?;
            let (slot, text) = self.slot_and_text(which);
            if !slot.empty && slot.step != 0 {
                slot.last = slot.predicted();
                template.fill(slot.last.number, text);
            }
            return Some(());
        }
        match self.byte()? {
            slot::EMPTY => {
                let (slot, text) = self.slot_and_text(which);
                slot.empty = true;
                text.clear();
            }
            slot::EXPLICIT => {
                let container: &'a Container = &self.file.container;
                let number = self.number32().filter(|number| *number > 0)?;
                let template = dictionary.get(container, number)?;
                let last = Text {
                    template: number,
                    number: if template.has_number() { self.number32()? } else { 0 },
                };
                *self.templates.get_mut(which)? = template;
                let (slot, text) = self.slot_and_text(which);
                *slot = Slot { last, step: 0, empty: false };
                template.fill(last.number, text);
            }
            code => {
                let delta = i64::from(code) - slot::SAME;
                let template = *self.templates.get(which)?;
                let (slot, text) = self.slot_and_text(which);
                if i64::from(code) > slot::LARGEST || slot.last.template == 0 {
                    return None;
                }
                slot.last.number = u32::try_from(i64::from(slot.last.number) + delta).ok()?;
                (slot.step, slot.empty) = (delta, false);
                template.fill(slot.last.number, text);
            }
        }
        Some(())
    }

    fn slot_and_text(&mut self, which: usize) -> (&mut Slot, &mut String) {
        match which {
            0 => (&mut self.state.number, &mut self.address.building_number),
            1 => (&mut self.state.building, &mut self.address.building_name),
            _ => (&mut self.state.sub_building, &mut self.address.sub_building),
        }
    }

    fn organisation(&mut self, told: bool) -> Option<()> {
        if self.organised {
            self.address.organisation.clear();
            self.address.department.clear();
            self.address.po_box.clear();
        }
        self.organised = told;
        if !told {
            return Some(());
        }
        let mask = self.byte()?;
        for (bit, dictionary) in [ORGANISATIONS, ORGANISATIONS, BUILDINGS].into_iter().enumerate() {
            if mask >> bit & 1 != 0 {
                let address = &mut self.address;
                let text = match bit {
                    0 => &mut address.organisation,
                    1 => &mut address.department,
                    _ => &mut address.po_box,
                };
                let mut taken = std::mem::take(text);
                self.text(dictionary, &mut taken)?;
                let address = &mut self.address;
                *match bit {
                    0 => &mut address.organisation,
                    1 => &mut address.department,
                    _ => &mut address.po_box,
                } = taken;
            }
        }
        Some(())
    }

    /// Reads a text with the number in it.
    fn text(&mut self, dictionary: usize, text: &mut String) -> Option<()> {
        let number = self.number32()?;
        let template = self.file.dictionaries.get(dictionary)?.get(&self.file.container, number)?;
        let number = if template.has_number() { self.number32()? } else { 0 };
        template.fill(number, text);
        Some(())
    }

    fn udprn(&mut self, told: bool) -> Option<()> {
        let state = &mut self.state;
        if !told {
            let predicted = state.predicted_udprn(state.umprn);
            if state.umprn.is_none()
                && let Some(udprn) = predicted
            {
                state.udprn_base = udprn;
            }
            state.udprn = predicted;
        } else {
            match self.byte()? {
                0 => self.state.udprn = None,
                step @ 1..=0x7f => {
                    let udprn = self.state.udprn_base.checked_add(1 + u32::from(step))?;
                    (self.state.udprn, self.state.udprn_base) = (Some(udprn), udprn);
                }
                first => {
                    let mut value = u32::from(first & 0x7f);
                    for _ in 0..3 {
                        value = value << 8 | u32::from(self.byte()?);
                    }
                    let udprn = value & (super::MAX_UDPRN);
                    self.state.udprn = Some(udprn);
                    if value & super::OUTLIER == 0 {
                        self.state.udprn_base = udprn;
                    }
                }
            }
        }
        self.address.udprn = self.state.udprn;
        Some(())
    }

    fn streams(&mut self) -> Option<()> {
        if self.streams & stream::UPRN != 0 {
            self.address.uprn = match self.byte()? {
                0 => None,
                step @ 1..=0x7f => Some(self.state.uprn.checked_add(u64::from(step) - 1)?),
                high @ 0x80..=0xbf => {
                    let distance = i64::from(high & 0x3f) << 8 | i64::from(self.byte()?);
                    Some(self.state.uprn.checked_add_signed(distance - 8192)?)
                }
                0xc0 => {
                    let mut uprn = 0;
                    for _ in 0..5 {
                        uprn = uprn << 8 | u64::from(self.byte()?);
                    }
                    Some(uprn)
                }
                _ => return None,
            };
            self.state.uprn = self.address.uprn.unwrap_or(self.state.uprn);
        }
        if self.streams & stream::POINT != 0 {
            let there = self.byte().filter(|there| *there < 4)?;
            let pair = |this: &mut Self, from: usize, by: f64| {
                let mut pair = [0.0; 2];
                for (n, value) in pair.iter_mut().enumerate() {
                    let last = *this.state.point.get(from + n)?;
                    let next = this.near(last)?;
                    *this.state.point.get_mut(from + n)? = next;
                    *value = next as f64 / by;
                }
                Some(pair)
            };
            let grid = match there & 1 != 0 {
                true => Some(pair(self, 0, super::PER_METRE)?),
                false => None,
            };
            let degrees = match there & 2 != 0 {
                true => Some(pair(self, 2, super::PER_DEGREE)?),
                false => None,
            };
            self.address.point = (there != 0).then(|| Point {
                grid: grid.map(|[eastings, northings]| Grid { eastings, northings }),
                geographic: degrees.map(|[latitude, longitude]| Geographic { latitude, longitude }),
            });
        }
        if self.streams & stream::PAF_KEY != 0 {
            self.address.paf_key = match self.number()? {
                0 => None,
                number => {
                    let last = i64::from(self.state.paf_key);
                    let address = u32::try_from(last.checked_add(unzigzag(number - 1))?).ok()?;
                    self.state.paf_key = address;
                    Some(PafKey { address, organisation: self.number32()? })
                }
            };
        }
        Some(())
    }
}

/// The Welsh elements with their dictionaries, in the order of their bits.
pub(super) fn welsh_texts(welsh: &mut Welsh) -> [(&mut String, usize); 9] {
    [
        (&mut welsh.organisation, ORGANISATIONS),
        (&mut welsh.department, ORGANISATIONS),
        (&mut welsh.sub_building, BUILDINGS),
        (&mut welsh.building_name, BUILDINGS),
        (&mut welsh.dependent_thoroughfare, THOROUGHFARES),
        (&mut welsh.thoroughfare, THOROUGHFARES),
        (&mut welsh.double_dependent_locality, LOCALITIES),
        (&mut welsh.dependent_locality, LOCALITIES),
        (&mut welsh.post_town, TOWNS),
    ]
}
