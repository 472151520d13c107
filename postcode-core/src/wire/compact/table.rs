//! The tables of an answer that is written: each area and each set of areas once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::layout::EntryLayout;
use super::out::Out;
use super::said;
use crate::{Area, AreaKind, Areas, Result};

/// Areas and sets, and the places where they are. They are recognised by the addresses of what they
/// share, which is exact for the records of one dataset. Equal areas of different sources are written
/// twice.
#[derive(Debug, Default)]
pub(super) struct Tables {
    areas: Out,
    area_count: u32,
    area_places: HashMap<[usize; 6], u32, BuildHasherDefault<Fold>>,
    sets: Out,
    set_count: u32,
    set_places: HashMap<(usize, u32), u32, BuildHasherDefault<Fold>>,
    /// Kept, so that nothing else can have these addresses meanwhile.
    held: Vec<Areas>,
}

impl Tables {
    /// Returns the place of a set, from 1. Zero if the record has no areas.
    pub(super) fn place(&mut self, areas: &Areas) -> Result<u32> {
        let Some(identity) = areas.identity() else { return Ok(0) };
        if let Some(place) = self.set_places.get(&identity) {
            return Ok(*place);
        }
        let mut entries: [EntryLayout; AreaKind::ALL.len()] = [(0, 0); AreaKind::ALL.len()];
        let mut count = 0;
        for (kind, area) in areas.iter() {
            let Some(area) = said(kind, area) else { continue };
            if let Some(entry) = entries.get_mut(count) {
                *entry = (kind as u8, self.area(area)?);
                count += 1;
            }
        }
        self.sets.put(entries.get(..count).unwrap_or_default())?;
        self.held.push(areas.clone());
        self.set_count += 1;
        self.set_places.insert(identity, self.set_count);
        Ok(self.set_count)
    }

    fn area(&mut self, area: Area<'_>) -> Result<u32> {
        let address = |text: Option<&str>| text.map_or([0, 0], |text| [text.as_ptr().addr(), text.len()]);
        let [code, name, alias] = [area.code, area.name, area.alias].map(address);
        let key = [code[0], code[1], name[0], name[1], alias[0], alias[1]];
        if let Some(place) = self.area_places.get(&key) {
            return Ok(*place);
        }
        self.areas.put(&(area.code, area.name, area.alias))?;
        let place = self.area_count;
        self.area_count += 1;
        self.area_places.insert(key, place);
        Ok(place)
    }

    /// Returns the bytes written so far.
    pub(super) fn len(&self) -> usize {
        self.areas.len() + self.sets.len()
    }

    /// Appends both tables.
    pub(super) fn append_to(&self, out: &mut Out) -> Result<()> {
        out.put(&self.area_count)?;
        out.append(&self.areas);
        out.put(&self.set_count)?;
        out.append(&self.sets);
        Ok(())
    }
}

/// Hashes addresses. No client chooses them, so it need not resist anybody.
#[derive(Debug, Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
