//! Predicts the next address in a block from the previous ones. The block says only where the prediction is wrong. Writer and reader share these rules.

use super::text::Text;
use crate::{Dataset, Kind};

/// Bits of the first byte of an address: what is not as predicted.
pub(super) mod head {
    pub(in super::super) const PLACE: u8 = 1;
    pub(in super::super) const NUMBER: u8 = 2;
    pub(in super::super) const BUILDING: u8 = 4;
    pub(in super::super) const SUB_BUILDING: u8 = 8;
    pub(in super::super) const ORGANISATION: u8 = 16;
    pub(in super::super) const UDPRN: u8 = 32;
    pub(in super::super) const MORE: u8 = 64;
    /// A count of addresses follows that are all as predicted.
    pub(in super::super) const RUN: u8 = 128;
}

/// Bits of the bytes after [`head::MORE`].
pub(super) mod more {
    pub(in super::super) const SUFFIX: u8 = 1;
    pub(in super::super) const KIND: u8 = 2;
    pub(in super::super) const INDICATOR: u8 = 4;
    pub(in super::super) const DATASET: u8 = 8;
    pub(in super::super) const UMPRN: u8 = 16;
    pub(in super::super) const CONCATENATED: u8 = 32;
    pub(in super::super) const HOUSEHOLDS: u8 = 64;
    /// A second byte follows.
    pub(in super::super) const SECOND: u8 = 128;
    /// In the second byte.
    pub(in super::super) const PARENT_UPRN: u8 = 1;
    /// In the second byte.
    pub(in super::super) const WELSH: u8 = 2;
}

/// Bits of the second byte of a block: what follows each address.
pub(super) mod stream {
    pub(in super::super) const UPRN: u8 = 1;
    pub(in super::super) const POINT: u8 = 2;
    pub(in super::super) const PAF_KEY: u8 = 4;
}

/// Codes of the number, the building's name and its part.
pub(super) mod slot {
    pub(in super::super) const EMPTY: u8 = 0;
    /// Codes from 1 to 119 are the last number plus the code minus this.
    pub(in super::super) const SAME: i64 = 60;
    pub(in super::super) const LARGEST: i64 = 119;
    pub(in super::super) const EXPLICIT: u8 = 120;
}

/// The number, the building's name or its part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// The last text that was not empty.
    pub(super) last: Text,
    pub(super) step: i64,
    pub(super) empty: bool,
}

impl Slot {
    const NEW: Self = Self { last: Text::EMPTY, step: 0, empty: true };

    /// Returns the predicted text.
    pub(super) fn predicted(&self) -> Text {
        match self.empty {
            true => Text::EMPTY,
            false => Text { number: self.last.number.wrapping_add(self.step as u32), ..self.last },
        }
    }
}

/// Holds what predicts the next address of a block.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Post town, dependent locality, double dependent locality, thoroughfare, dependent thoroughfare.
    pub(super) place: [u32; 5],
    pub(super) number: Slot,
    pub(super) building: Slot,
    pub(super) sub_building: Slot,
    /// The last UDPRN in the run of ascending ones.
    pub(super) udprn_base: u32,
    pub(super) udprn: Option<u32>,
    pub(super) suffix: u32,
    pub(super) kind: Option<Kind>,
    pub(super) dataset: Dataset,
    pub(super) umprn: Option<u32>,
    pub(super) last_umprn: u32,
    pub(super) concatenated: Option<bool>,
    pub(super) households: Option<u16>,
    pub(super) parent_uprn: Option<u64>,
    pub(super) last_parent: u64,
    pub(super) uprn: u64,
    /// Eastings and northings in centimetres, latitude and longitude in ten-millionths of a degree.
    pub(super) point: [i64; 4],
    pub(super) paf_key: u32,
}

impl State {
    pub(super) const NEW: Self = Self {
        place: [0; 5],
        number: Slot::NEW,
        building: Slot::NEW,
        sub_building: Slot::NEW,
        udprn_base: 0,
        udprn: Some(0),
        suffix: suffix::FIRST - 1,
        kind: Some(Kind::SmallUser),
        dataset: Dataset::Paf,
        umprn: None,
        last_umprn: 0,
        concatenated: None,
        households: None,
        parent_uprn: None,
        last_parent: 0,
        uprn: 0,
        point: [0; 4],
        paf_key: 0,
    };

    /// A household of a Multiple Residence has the UDPRN of its parent.
    pub(super) fn predicted_udprn(&self, umprn: Option<u32>) -> Option<u32> {
        match (self.udprn, umprn) {
            (None, _) => None,
            (Some(udprn), Some(_)) => Some(udprn),
            (Some(_), None) => Some(self.udprn_base.wrapping_add(1)),
        }
    }

    pub(super) fn predicted_umprn(&self) -> Option<u32> {
        self.umprn.map(|umprn| umprn.wrapping_add(1))
    }
}

/// Delivery point suffixes as numbers.
pub(super) mod suffix {
    const LETTERS: &[u8; 20] = b"ABDEFGHJLNPQRSTUWXYZ";
    /// All usual suffixes, one after the other.
    const TEXTS: &str = {
        const BYTES: [u8; 400] = bytes();
        match std::str::from_utf8(&BYTES) {
            Ok(texts) => texts,
            Err(_) => "",
        }
    };

    const fn bytes() -> [u8; 400] {
        let mut texts = [0; 400];
        let mut at = 0;
        while at < 200 {
            texts[at * 2] = b'0' + (at / 20) as u8;
            texts[at * 2 + 1] = LETTERS[at % 20];
            at += 1;
        }
        texts
    }
    /// The number of `1A`.
    pub(in super::super) const FIRST: u32 = 21;
    /// A greater number is this plus that of a text of the buildings.
    pub(in super::super) const LAST: u32 = 200;

    /// Returns the number of a usual suffix, or 0 for any other suffix.
    pub(in super::super) fn number(text: &str) -> Option<u32> {
        match *text.as_bytes() {
            [] => Some(0),
            [digit @ b'0'..=b'9', letter] => {
                let letter = LETTERS.iter().position(|other| *other == letter)?;
                Some(1 + u32::from(digit - b'0') * 20 + letter as u32)
            }
            _ => None,
        }
    }

    /// Returns the two characters of a number from 1 to 200.
    pub(in super::super) fn text(number: u32) -> &'static str {
        let at = (number.clamp(1, LAST) as usize - 1) * 2;
        TEXTS.get(at..at + 2).unwrap_or_default()
    }

    pub(in super::super) fn next(number: u32) -> u32 {
        if number == 0 || number >= LAST { number } else { number + 1 }
    }
}

/// The numbers of kinds of postcodes in a block.
pub(super) fn kind_number(kind: Option<Kind>) -> u8 {
    match kind {
        None => 0,
        Some(Kind::SmallUser) => 1,
        Some(Kind::LargeUser) => 2,
    }
}

/// Returns the kind of a number.
pub(super) fn kind_of(number: u8) -> Option<Option<Kind>> {
    match number {
        0 => Some(None),
        1 => Some(Some(Kind::SmallUser)),
        2 => Some(Some(Kind::LargeUser)),
        _ => None,
    }
}

/// The numbers of yes, no and unsaid in a block.
pub(super) const CONCATENATED: [Option<bool>; 3] = [None, Some(false), Some(true)];

/// The number of a dataset in a block. It never changes.
pub(super) fn dataset_number(dataset: Dataset) -> u8 {
    match dataset {
        Dataset::Paf => 0,
        Dataset::NotYetBuilt => 1,
        Dataset::MultipleResidence => 2,
        Dataset::Alias => 3,
        Dataset::AddressBase => 4,
        Dataset::Ngd => 5,
        Dataset::Pointer => 6,
        Dataset::OpenRoads => 7,
    }
}

/// Returns the dataset of a number.
pub(super) fn dataset_of(number: u8) -> Option<Dataset> {
    Dataset::ALL.into_iter().find(|dataset| dataset_number(*dataset) == number)
}

/// Writes a number in groups of seven bits, the lowest first.
pub(super) fn write_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Maps numbers of either sign to numbers that are small if the number is near zero.
pub(super) fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// The reverse of [`zigzag`].
pub(super) fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffix_numbers_are_the_usual_suffixes_in_order() {
        assert_eq!(suffix::number("1A"), Some(suffix::FIRST));
        for number in 1..=suffix::LAST {
            assert_eq!(suffix::number(suffix::text(number)), Some(number));
        }
        assert_eq!((suffix::number("1C"), suffix::number(""), suffix::number("10A")), (None, Some(0), None));
    }

    #[test]
    fn numbers_of_datasets_and_kinds_come_back() {
        for dataset in Dataset::ALL {
            assert_eq!(dataset_of(dataset_number(dataset)), Some(dataset));
        }
        for kind in [None, Some(Kind::SmallUser), Some(Kind::LargeUser)] {
            assert_eq!(kind_of(kind_number(kind)), Some(kind));
        }
        for number in [0, 1, -1, 1 << 40, i64::MAX, i64::MIN] {
            assert_eq!(unzigzag(zigzag(number)), number);
        }
    }
}
