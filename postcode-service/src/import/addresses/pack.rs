//! An address as bytes, for the temporary file of the sorter. The bytes do not outlive the import.

use postcode_addresses::{Address, Dataset, Geographic, Grid, Kind, PafKey, Point, Welsh};

/// Which of the texts are not empty takes the lowest bits of a record's first word, in the order of [`Address::texts`]. Then
/// come a bit for each number, and one for each of the others.
const TEXTS: u32 = 13;
const NUMBERS: u32 = 6;
const GRID: u32 = 1 << (TEXTS + NUMBERS);
const GEOGRAPHIC: u32 = GRID << 1;
const WELSH: u32 = GRID << 2;

/// Appends an address.
pub(super) fn put(address: &Address, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend([0; 4]);
    let dataset = Dataset::ALL.iter().position(|dataset| *dataset == address.dataset).unwrap_or_default();
    let kind = match address.kind {
        None => 0,
        Some(Kind::SmallUser) => 1,
        Some(Kind::LargeUser) => 2,
    };
    let joined = match address.concatenation_indicator {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    };
    out.extend([dataset.to_le_bytes()[0], kind, joined, u8::from(address.organisation_indicator)]);
    let mut held = put_texts(&address.texts(), out);
    let numbers: [Option<u64>; NUMBERS as usize] = [
        address.udprn.map(u64::from),
        address.umprn.map(u64::from),
        address.uprn,
        address.parent_uprn,
        address.households.map(u64::from),
        address.paf_key.map(|key| u64::from(key.address) << 32 | u64::from(key.organisation)),
    ];
    for (at, number) in (TEXTS..).zip(numbers) {
        if let Some(number) = number {
            held |= 1 << at;
            out.extend(number.to_le_bytes());
        }
    }
    let point = address.point.unwrap_or_default();
    let grid = point.grid.map(|grid| (GRID, grid.eastings, grid.northings));
    let geographic = point.geographic.map(|at| (GEOGRAPHIC, at.latitude, at.longitude));
    for (bit, a, b) in [grid, geographic].into_iter().flatten() {
        held |= bit;
        out.extend(a.to_le_bytes());
        out.extend(b.to_le_bytes());
    }
    if let Some(welsh) = &address.welsh {
        held |= WELSH;
        let at = out.len();
        out.extend([0; 2]);
        let texts = put_texts(&welsh.texts(), out);
        let texts = u16::try_from(texts).unwrap_or_default().to_le_bytes();
        out[at..at + 2].copy_from_slice(&texts);
    }
    out[start..start + 4].copy_from_slice(&held.to_le_bytes());
}

/// Appends the texts that are not empty. Returns which these are. Texts are shorter than a row, which has at most 64 KiB;
/// a longer text is cut between two letters.
fn put_texts(texts: &[&str], out: &mut Vec<u8>) -> u32 {
    let mut held = 0;
    for (at, text) in texts.iter().enumerate() {
        if text.is_empty() {
            continue;
        }
        held |= 1 << at;
        let mut end = text.len().min(usize::from(u16::MAX));
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        out.extend(u16::try_from(end).unwrap_or_default().to_le_bytes());
        out.extend_from_slice(&text.as_bytes()[..end]);
    }
    held
}

/// Takes an address off the front of the bytes, into one whose memory is reused. `None` if they are not one.
pub(super) fn take(bytes: &mut &[u8], address: &mut Address) -> Option<()> {
    address.clear();
    let held = u32::from_le_bytes(*take_array(bytes)?);
    let &[dataset, kind, joined, indicator] = take_array(bytes)?;
    address.dataset = *Dataset::ALL.get(usize::from(dataset))?;
    address.kind = [None, Some(Kind::SmallUser), Some(Kind::LargeUser)].get(usize::from(kind)).copied()?;
    address.concatenation_indicator = [None, Some(false), Some(true)].get(usize::from(joined)).copied()?;
    address.organisation_indicator = indicator == 1;
    take_texts(held, address.texts_mut(), bytes)?;
    let mut at = TEXTS;
    let mut number = |bytes: &mut &[u8]| -> Option<Option<u64>> {
        at += 1;
        if held & (1 << (at - 1)) == 0 {
            return Some(None);
        }
        Some(Some(u64::from_le_bytes(*take_array(bytes)?)))
    };
    let narrow = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
    address.udprn = narrow(number(bytes)?);
    address.umprn = narrow(number(bytes)?);
    address.uprn = number(bytes)?;
    address.parent_uprn = number(bytes)?;
    address.households = number(bytes)?.and_then(|number| u16::try_from(number).ok());
    address.paf_key = number(bytes)?.map(|key| PafKey {
        address: u32::try_from(key >> 32).unwrap_or_default(),
        organisation: u32::try_from(key & u64::from(u32::MAX)).unwrap_or_default(),
    });
    let grid = take_pair(held & GRID, bytes)?.map(|(eastings, northings)| Grid { eastings, northings });
    let geographic =
        take_pair(held & GEOGRAPHIC, bytes)?.map(|(latitude, longitude)| Geographic { latitude, longitude });
    address.point = (grid.is_some() || geographic.is_some()).then_some(Point { grid, geographic });
    if held & WELSH != 0 {
        let held = u32::from(u16::from_le_bytes(*take_array(bytes)?));
        let mut welsh = Welsh::default();
        take_texts(held, welsh.texts_mut(), bytes)?;
        address.welsh = Some(Box::new(welsh));
    }
    Some(())
}

fn take_array<'b, const N: usize>(bytes: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (array, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(array)
}

fn take_texts<const N: usize>(held: u32, texts: [&mut String; N], bytes: &mut &[u8]) -> Option<()> {
    for (at, place) in texts.into_iter().enumerate() {
        if held & (1 << at) == 0 {
            continue;
        }
        let length = u16::from_le_bytes(*take_array(bytes)?);
        let (text, rest) = bytes.split_at_checked(usize::from(length))?;
        *bytes = rest;
        place.push_str(std::str::from_utf8(text).ok()?);
    }
    Some(())
}

fn take_pair(held: u32, bytes: &mut &[u8]) -> Option<Option<(f64, f64)>> {
    if held == 0 {
        return Some(None);
    }
    Some(Some((f64::from_le_bytes(*take_array(bytes)?), f64::from_le_bytes(*take_array(bytes)?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_were() {
        let full = Address {
            organisation: "Café".into(),
            postcode: "ZZ1 1ZZ".into(),
            udprn: Some(12),
            umprn: Some(13),
            uprn: Some(999_999_999_999),
            parent_uprn: Some(1),
            kind: Some(Kind::LargeUser),
            organisation_indicator: true,
            concatenation_indicator: Some(false),
            households: Some(3),
            dataset: Dataset::Ngd,
            welsh: Some(Box::new(Welsh { post_town: "TREF".into(), ..Welsh::default() })),
            point: Some(Point { grid: Some(Grid { eastings: 1.5, northings: 2.0 }), geographic: None }),
            paf_key: Some(PafKey { address: 7, organisation: 8 }),
            ..Address::default()
        };
        let mut bytes = Vec::new();
        for address in [&full, &Address::default()] {
            put(address, &mut bytes);
        }
        let mut rest = bytes.as_slice();
        let mut address = Address::default();
        for expected in [full, Address::default()] {
            assert_eq!(take(&mut rest, &mut address), Some(()));
            assert_eq!(address, expected);
        }
        assert_eq!((rest.len(), take(&mut rest, &mut address)), (0, None));
    }
}
