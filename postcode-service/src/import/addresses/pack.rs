//! An address as bytes, for the temporary file of the sorter. The bytes do not outlive the import.

use postcode_addresses::{Address, Dataset, Geographic, Grid, Kind, PafKey, Point, Welsh};

/// Appends an address.
pub(super) fn put(address: &Address, out: &mut Vec<u8>) {
    for text in address.texts() {
        put_text(text, out);
    }
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
    put_number(address.udprn.map(u64::from), out);
    put_number(address.umprn.map(u64::from), out);
    put_number(address.uprn, out);
    put_number(address.parent_uprn, out);
    put_number(address.households.map(u64::from), out);
    put_number(address.paf_key.map(|key| u64::from(key.address) << 32 | u64::from(key.organisation)), out);
    let point = address.point.unwrap_or_default();
    let pair = |pair: Option<(f64, f64)>, out: &mut Vec<u8>| match pair {
        None => out.push(0),
        Some((a, b)) => {
            out.push(1);
            out.extend(a.to_le_bytes());
            out.extend(b.to_le_bytes());
        }
    };
    pair(point.grid.map(|grid| (grid.eastings, grid.northings)), out);
    pair(point.geographic.map(|at| (at.latitude, at.longitude)), out);
    match &address.welsh {
        None => out.push(0),
        Some(welsh) => {
            out.push(1);
            for text in welsh.texts() {
                put_text(text, out);
            }
        }
    }
}

/// Texts are shorter than a row, which has at most 64 KiB; what is longer is cut at a letter.
fn put_text(text: &str, out: &mut Vec<u8>) {
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    out.extend(u16::try_from(end).unwrap_or_default().to_le_bytes());
    out.extend_from_slice(&text.as_bytes()[..end]);
}

fn put_number(number: Option<u64>, out: &mut Vec<u8>) {
    match number {
        None => out.push(0),
        Some(number) => {
            out.push(1);
            out.extend(number.to_le_bytes());
        }
    }
}

/// Takes an address off the front of the bytes. `None` if they are not one.
pub(super) fn take(bytes: &mut &[u8]) -> Option<Address> {
    let mut address = Address::default();
    for text in address.texts_mut() {
        text.push_str(take_text(bytes)?);
    }
    let &[dataset, kind, joined, indicator] = take_array(bytes)?;
    address.dataset = *Dataset::ALL.get(usize::from(dataset))?;
    address.kind = [None, Some(Kind::SmallUser), Some(Kind::LargeUser)].get(usize::from(kind)).copied()?;
    address.concatenation_indicator = [None, Some(false), Some(true)].get(usize::from(joined)).copied()?;
    address.organisation_indicator = indicator == 1;
    let narrow = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
    address.udprn = narrow(take_number(bytes)?);
    address.umprn = narrow(take_number(bytes)?);
    address.uprn = take_number(bytes)?;
    address.parent_uprn = take_number(bytes)?;
    address.households = take_number(bytes)?.and_then(|number| u16::try_from(number).ok());
    address.paf_key = take_number(bytes)?.map(|key| PafKey {
        address: u32::try_from(key >> 32).unwrap_or_default(),
        organisation: u32::try_from(key & u64::from(u32::MAX)).unwrap_or_default(),
    });
    let grid = take_pair(bytes)?.map(|(eastings, northings)| Grid { eastings, northings });
    let geographic = take_pair(bytes)?.map(|(latitude, longitude)| Geographic { latitude, longitude });
    address.point = (grid.is_some() || geographic.is_some()).then_some(Point { grid, geographic });
    if take_array::<1>(bytes)? == &[1] {
        let mut welsh = Welsh::default();
        for text in welsh.texts_mut() {
            text.push_str(take_text(bytes)?);
        }
        address.welsh = Some(Box::new(welsh));
    }
    Some(address)
}

fn take_array<'b, const N: usize>(bytes: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (array, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(array)
}

fn take_text<'b>(bytes: &mut &'b [u8]) -> Option<&'b str> {
    let length = u16::from_le_bytes(*take_array(bytes)?);
    let (text, rest) = bytes.split_at_checked(usize::from(length))?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}

fn take_number(bytes: &mut &[u8]) -> Option<Option<u64>> {
    Some(match take_array::<1>(bytes)? {
        [0] => None,
        _ => Some(u64::from_le_bytes(*take_array(bytes)?)),
    })
}

fn take_pair(bytes: &mut &[u8]) -> Option<Option<(f64, f64)>> {
    Some(match take_array::<1>(bytes)? {
        [0] => None,
        _ => Some((f64::from_le_bytes(*take_array(bytes)?), f64::from_le_bytes(*take_array(bytes)?))),
    })
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
        assert_eq!(take(&mut rest), Some(full));
        assert_eq!(take(&mut rest), Some(Address::default()));
        assert_eq!((rest.len(), take(&mut rest)), (0, None));
    }
}
