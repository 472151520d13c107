//! Files whose layout is not confirmed, read by a column map.

use super::detect::Layout;
use super::error::Result;
use super::options::{ColumnMap, Place};
use super::reading::{Reading, Refusal, UDPRN_LIMIT, UPRN_LIMIT};
use super::report::Doubt;
use super::rows::{NO_DELIMITER, Rows, number};
use super::source::Text;
use crate::model::{Address, Dataset, Kind, PafKey};

/// Reads the addresses of a file.
pub(super) fn read(reading: &mut Reading<'_>, text: &Text, map: &ColumnMap) -> Result<()> {
    let mut address = Address::default();
    let parents = !reading.seen.is_empty();
    rows(reading, text, map, |reading, rows| {
        address.clear();
        address.dataset = map.dataset;
        if let Err(refusal) = fill(rows, map, &mut address) {
            return Ok(Err(refusal));
        }
        if let Some(udprn) = address.udprn {
            let (file, line, value) = (&text.display, rows.line(), format_args!("UDPRN {udprn}"));
            if map.dataset == Dataset::Alias {
                // Several aliases have the UDPRN of one delivery point.
                if parents && !reading.seen.contains(udprn) {
                    reading.report.doubt(Doubt::AliasOnly, file, line, value)?;
                }
            } else if !reading.seen.insert(udprn) {
                reading.report.doubt(Doubt::Twice, file, line, value)?;
                return Ok(Ok(()));
            }
        }
        reading.check_postcode(&address.postcode, &text.display, rows.line())?;
        reading.emit(&mut address).map(Ok)
    })
}

/// Reads rows, without headers and footers, and says in the report that a map was used.
fn rows(
    reading: &mut Reading<'_>,
    text: &Text,
    map: &ColumnMap,
    mut row: impl FnMut(&mut Reading<'_>, &mut Rows<'_>) -> Result<std::result::Result<(), Refusal>>,
) -> Result<()> {
    reading.report.doubt(Doubt::Mapped, &text.display, 0, map)?;
    let fixed = map.is_fixed_width();
    let delimiter = if fixed { NO_DELIMITER } else { b',' };
    let mut first = true;
    reading.rows(text, Layout::Unconfirmed, delimiter, |reading, rows| {
        let header = std::mem::take(&mut first);
        // Royal Mail's files of fixed width begin with a key of zeros and end with one of nines.
        let key = rows.bytes(0).get(..8).unwrap_or_default();
        if fixed && (key == b"00000000" || key == b"99999999") {
            return Ok(Ok(()));
        }
        match row(reading, rows)? {
            // The first row may be a header.
            Err(_) if header => Ok(Ok(())),
            read => Ok(read),
        }
    })
}

/// Returns a value without blanks around it, or `None` if the row ends before it.
fn value<'r>(rows: &'r Rows<'_>, place: &Place) -> Option<&'r [u8]> {
    match place {
        Place::Column(column) => (*column < rows.columns()).then(|| rows.bytes(*column)),
        Place::Bytes(range) => rows.untrimmed(0).get(range.clone()).map(<[u8]>::trim_ascii),
    }
}

/// Returns the value of an element. It is empty if the map does not have the element.
fn element<'r>(rows: &'r Rows<'_>, map: &ColumnMap, name: &str) -> std::result::Result<&'r [u8], Refusal> {
    let Some(place) = map.columns.get(name) else { return Ok(&[]) };
    let short = || match place {
        Place::Column(_) => (Doubt::Columns, format!("{} columns", rows.columns())),
        Place::Bytes(_) => (Doubt::Columns, format!("{} bytes", rows.untrimmed(0).len())),
    };
    value(rows, place).ok_or_else(short)
}

fn whole(bytes: &[u8], below: u64) -> std::result::Result<Option<u64>, Refusal> {
    number(bytes, below)
        .map(|number| number.filter(|number| *number > 0))
        .map_err(|value| (Doubt::Number, value))
}

fn whole32(bytes: &[u8]) -> std::result::Result<Option<u32>, Refusal> {
    Ok(whole(bytes, UDPRN_LIMIT)?.and_then(|number| u32::try_from(number).ok()))
}

fn fill(rows: &mut Rows<'_>, map: &ColumnMap, address: &mut Address) -> std::result::Result<(), Refusal> {
    let text = element(rows, map, "postcode")?;
    if !crate::postcode::put(text, &mut address.postcode) {
        return Err((Doubt::Postcode, super::rows::decode(text).into_owned()));
    }
    address.udprn = whole32(element(rows, map, "udprn")?)?;
    address.umprn = whole32(element(rows, map, "umprn")?)?;
    address.uprn = whole(element(rows, map, "uprn")?, UPRN_LIMIT)?;
    address.kind = Kind::parse(&super::rows::decode(element(rows, map, "postcode_type")?));
    address.paf_key = key(rows, map)?;
    for (name, place) in ColumnMap::TEXTS.iter().zip(address.texts_mut()) {
        if *name != "postcode" {
            let encoding = super::rows::put(element(rows, map, name)?, place);
            rows.count(encoding);
        }
    }
    Ok(())
}

fn key(rows: &Rows<'_>, map: &ColumnMap) -> std::result::Result<Option<PafKey>, Refusal> {
    let address = whole32(element(rows, map, "address_key")?)?;
    let organisation = whole32(element(rows, map, "organisation_key")?)?.unwrap_or_default();
    Ok(address.map(|address| PafKey { address, organisation }))
}

/// The UDPRNs of the mainfile's addresses, from the file that joins them: 12 bytes each.
#[derive(Default)]
pub(super) struct Joined {
    /// Address key, twice the organisation key plus one for a large user, and UDPRN.
    entries: Vec<[u32; 3]>,
}

impl Joined {
    fn place(key: PafKey, kind: Option<Kind>) -> [u32; 2] {
        [key.address, key.organisation << 1 | u32::from(kind == Some(Kind::LargeUser))]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the UDPRN of an address.
    pub(super) fn get(&self, key: PafKey, kind: Option<Kind>) -> Option<u32> {
        let place = Self::place(key, kind);
        let at = self.entries.partition_point(|[a, b, _]| [*a, *b] < place);
        self.entries.get(at).filter(|[a, b, _]| [*a, *b] == place).map(|[.., udprn]| *udprn)
    }

    /// Reads a file that joins keys and UDPRNs.
    pub(super) fn read(&mut self, reading: &mut Reading<'_>, text: &Text, map: &ColumnMap) -> Result<()> {
        rows(reading, text, map, |_, rows| {
            let entry = (|| {
                let kind = Kind::parse(&super::rows::decode(element(rows, map, "postcode_type")?));
                Ok((key(rows, map)?, kind, whole32(element(rows, map, "udprn")?)?))
            })();
            Ok(match entry {
                Err(refusal) => Err(refusal),
                Ok((Some(key), kind, Some(udprn))) => {
                    let [a, b] = Self::place(key, kind);
                    self.entries.push([a, b, udprn]);
                    Ok(())
                }
                Ok(_) => Err((Doubt::Number, "an address key or a UDPRN is missing".to_owned())),
            })
        })?;
        self.entries.sort_unstable();
        let all = self.entries.len();
        // The least UDPRN is kept.
        self.entries.dedup_by_key(|[a, b, _]| [*a, *b]);
        for _ in self.entries.len()..all {
            reading.report.doubt(Doubt::Twice, &text.display, 0, "a key with several UDPRNs")?;
        }
        Ok(())
    }
}
