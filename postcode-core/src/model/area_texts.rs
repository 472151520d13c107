//! A set of areas in one piece of text, as it is read from an answer.

use super::{Area, AreaKind, AreaSource};

/// The number of kinds.
const KINDS: usize = AreaKind::ALL.len();

/// A set of areas whose texts are one allocation. It takes less memory than an
/// [`OwnedArea`](super::OwnedArea) for each kind, and is made several times faster.
#[derive(Clone, Debug)]
pub(crate) struct AreaTexts {
    /// For each kind the number of its entry, from 1. Zero if the area is missing.
    index: [u8; KINDS],
    entries: Box<[Entry]>,
    text: Box<str>,
}

/// Where the code, the name and the alias of an area are: one after the other.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u32,
    /// Lengths in bytes, or [`NO_TEXT`].
    lens: [u32; 3],
}

const NO_TEXT: u32 = u32::MAX;

/// Collects sets of areas, and reuses its memory for the next one.
#[derive(Debug, Default)]
pub(crate) struct AreaTextsBuilder {
    index: [u8; KINDS],
    entries: Vec<Entry>,
    text: String,
}

impl AreaTextsBuilder {
    /// Adds an area. Of two areas of one kind the last one is kept.
    pub(crate) fn push(&mut self, kind: AreaKind, area: Area<'_>) {
        let Ok(start) = u32::try_from(self.text.len()) else { return };
        let lens = [area.code, area.name, area.alias].map(|text| {
            let Some(text) = text else { return NO_TEXT };
            self.text.push_str(text);
            // No answer is that long.
            u32::try_from(text.len()).unwrap_or(NO_TEXT)
        });
        let entry = Entry { start, lens };
        let Some(place) = self.index.get_mut(kind as usize) else { return };
        match self.entries.get_mut(usize::from(*place).wrapping_sub(1)) {
            Some(before) => *before = entry,
            None => {
                self.entries.push(entry);
                *place = u8::try_from(self.entries.len()).unwrap_or_default();
            }
        }
    }

    /// Returns the length of the texts in bytes.
    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Returns the set, and begins the next one.
    pub(crate) fn take(&mut self) -> AreaTexts {
        let texts = AreaTexts {
            index: std::mem::take(&mut self.index),
            entries: self.entries.as_slice().into(),
            text: self.text.as_str().into(),
        };
        self.entries.clear();
        self.text.clear();
        texts
    }
}

/// There is one set, so its number does not matter.
impl AreaSource for AreaTexts {
    fn area(&self, _set: u32, kind: AreaKind) -> Option<Area<'_>> {
        let place = self.index.get(kind as usize)?.checked_sub(1)?;
        let entry = self.entries.get(usize::from(place))?;
        let mut start = entry.start as usize;
        let [code, name, alias] = entry.lens.map(|len| {
            let end = start + if len == NO_TEXT { return None } else { len as usize };
            self.text.get(std::mem::replace(&mut start, end)..end)
        });
        Some(Area { code, name, alias })
    }

    /// Records of one answer may share the set. Each counts it whole, because any may outlive the others.
    fn heap_size(&self) -> usize {
        size_of_val(self) + size_of_val(&*self.entries) + self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_areas_read_back_as_pushed() {
        let mut builder = AreaTextsBuilder::default();
        let area = |code, name, alias| Area { code, name, alias };
        let of = |n: usize| match n % 5 {
            0 => area(Some("E09000033"), Some("Westminster"), None),
            1 => area(None, Some("Ynys Môn"), None),
            2 => area(Some(""), None, Some("TLM50")),
            3 => area(Some("x"), Some(""), Some("")),
            _ => area(None, None, None),
        };
        for kind in AreaKind::ALL {
            builder.push(kind, area(Some("overwritten"), None, None));
            builder.push(kind, of(kind as usize));
        }
        let set = builder.take();
        for kind in AreaKind::ALL {
            assert_eq!(set.area(0, kind), Some(of(kind as usize)), "{kind:?}");
        }
        assert_eq!(builder.text_len(), 0);
        builder.push(AreaKind::Region, of(0));
        let next = builder.take();
        assert_eq!((next.area(0, AreaKind::Region), next.area(0, AreaKind::Country)), (Some(of(0)), None));
    }
}
