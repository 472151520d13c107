//! AddressBase Premium and Islands: many record types in one file, and the records of one property in several files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use super::detect::Layout;
use super::error::{Error, Result};
use super::paf::welsh;
use super::reading::{Reading, UPRN_LIMIT};
use super::report::Doubt;
use super::rows::{Rows, decode, number};
use super::source::Text;
use super::survey::{Object, local_premises};
use crate::model::{Address, Dataset, Geographic, Grid, Kind, Point};

/// Into how many parts the records are divided by UPRN, so that only one has to be in memory.
const PARTS: usize = 128;
/// Bytes of records that stay in memory. More go to temporary files.
const IN_MEMORY: usize = 192 << 20;
/// Stands between the values of a kept record. No value holds it.
const BETWEEN: u8 = 0x1f;

/// The records of all files, divided by UPRN.
pub(super) struct Records {
    parts: Vec<Part>,
    held: usize,
    streets: HashMap<u32, Street>,
    rows: u64,
}

#[derive(Default)]
struct Part {
    memory: Vec<u8>,
    file: Option<BufWriter<File>>,
}

/// The names of a street: in English, and in Welsh if there is one.
#[derive(Default)]
struct Street {
    english: Option<[Box<str>; 3]>,
    welsh: Option<[Box<str>; 3]>,
}

impl Default for Records {
    fn default() -> Self {
        Self {
            parts: (0..PARTS).map(|_| Part::default()).collect(),
            held: 0,
            streets: HashMap::new(),
            rows: 0,
        }
    }
}

fn spilt(source: io::Error) -> Error {
    Error::Read { file: "a temporary file".to_owned(), source }
}

impl Records {
    fn keep(&mut self, uprn: u64, rows: &Rows<'_>) -> Result<()> {
        let part = &mut self.parts[usize::try_from(uprn % PARTS as u64).unwrap_or_default()];
        let start = part.memory.len();
        part.memory.extend_from_slice(&[0; 4]);
        for column in 0..rows.columns() {
            if column > 0 {
                part.memory.push(BETWEEN);
            }
            part.memory.extend_from_slice(rows.bytes(column));
        }
        let length = u32::try_from(part.memory.len() - start - 4).unwrap_or_default();
        part.memory[start..start + 4].copy_from_slice(&length.to_le_bytes());
        self.held += part.memory.len() - start;
        if self.held > IN_MEMORY { self.spill() } else { Ok(()) }
    }

    /// Writes all parts to their files.
    fn spill(&mut self) -> Result<()> {
        for part in &mut self.parts {
            if part.memory.is_empty() {
                continue;
            }
            let file = match &mut part.file {
                Some(file) => file,
                None => part.file.insert(BufWriter::new(tempfile::tempfile().map_err(spilt)?)),
            };
            file.write_all(&part.memory).map_err(spilt)?;
            part.memory = Vec::new();
        }
        self.held = 0;
        Ok(())
    }
}

impl Part {
    /// Returns all records of the part.
    fn take(self) -> Result<Vec<u8>> {
        let Some(file) = self.file else { return Ok(self.memory) };
        let mut file = file.into_inner().map_err(|error| spilt(error.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(spilt)?;
        let mut bytes = Vec::new();
        BufReader::new(file).read_to_end(&mut bytes).map_err(spilt)?;
        bytes.extend_from_slice(&self.memory);
        Ok(bytes)
    }
}

/// Reads a file into the records.
pub(super) fn read(reading: &mut Reading<'_>, text: &Text, records: &mut Records) -> Result<()> {
    let (mut count, mut trailer) = (0, None);
    reading.rows(text, Layout::AddressBasePremium, b',', |_, rows| {
        let expected: &[usize] = match rows.bytes(0) {
            b"11" => &[20, 24],
            b"15" => &[13],
            b"21" => &[22],
            b"24" => &[26],
            b"28" => &[29],
            b"31" => &[11],
            b"10" | b"29" => return Ok(Ok(())),
            b"99" => {
                trailer = rows.number(2, u64::MAX).ok().flatten();
                return Ok(Ok(()));
            }
            record if record.iter().all(u8::is_ascii_digit) => {
                count += 1;
                return Ok(Ok(()));
            }
            // A header line, which the product does not have and copies of it do.
            _ => return Ok(Ok(())),
        };
        count += 1;
        if !expected.contains(&rows.columns()) {
            return Ok(Err((
                Doubt::Columns,
                format!("record {} with {} columns", rows.text(0), rows.columns()),
            )));
        }
        if rows.bytes(1).eq_ignore_ascii_case(b"D") {
            return Ok(Ok(()));
        }
        match rows.bytes(0) {
            b"11" => {}
            b"15" => match rows.number(3, u64::from(u32::MAX)) {
                Ok(Some(usrn)) => {
                    // A descriptor with an end date does not hold any more.
                    if !ended(rows.bytes(10)) {
                        let street =
                            records.streets.entry(u32::try_from(usrn).unwrap_or_default()).or_default();
                        let names = [4, 5, 6].map(|column| Box::from(&*rows.text(column)));
                        let welsh = matches!(rows.bytes(8), b"CYM" | b"cym");
                        let place = if welsh { &mut street.welsh } else { &mut street.english };
                        *place = Some(names);
                    }
                }
                _ => return Ok(Err((Doubt::Number, format!("USRN {:?}", rows.text(3))))),
            },
            _ => match rows.number(3, UPRN_LIMIT) {
                Ok(Some(uprn)) => records.keep(uprn, rows)?,
                _ => return Ok(Err((Doubt::Number, format!("UPRN {:?}", rows.text(3))))),
            },
        }
        Ok(Ok(()))
    })?;
    records.rows += count;
    match trailer {
        Some(said) if said != count => {
            reading.report.doubt(Doubt::Trailer, &text.display, 0, format_args!("{said} said, {count} found"))
        }
        _ => Ok(()),
    }
}

/// Returns whether a record with this end date does not hold any more.
fn ended(date: &[u8]) -> bool {
    !date.is_empty()
}

/// The records of one property.
#[derive(Default)]
struct Property<'a> {
    blpu: Option<Vec<&'a [u8]>>,
    delivery: Vec<Vec<&'a [u8]>>,
    local: Vec<Vec<&'a [u8]>>,
    organisation: Option<Vec<&'a [u8]>>,
}

/// Makes addresses of the records.
pub(super) fn finish(reading: &mut Reading<'_>, records: Records) -> Result<()> {
    let Records { parts, streets, .. } = records;
    let mut address = Address::default();
    for part in parts {
        reading.stopped()?;
        let bytes = part.take()?;
        let mut properties: HashMap<u64, Property<'_>> = HashMap::new();
        let mut rest = bytes.as_slice();
        while let Some((length, tail)) = rest.split_first_chunk::<4>() {
            let (record, tail) =
                tail.split_at_checked(u32::from_le_bytes(*length) as usize).unwrap_or((tail, &[]));
            rest = tail;
            let values: Vec<&[u8]> = record.split(|&byte| byte == BETWEEN).collect();
            let Ok(Some(uprn)) = number(value(&values, 3), UPRN_LIMIT) else { continue };
            let property = properties.entry(uprn).or_default();
            match value(&values, 0) {
                b"21" => property.blpu = Some(values),
                b"24" => property.local.push(values),
                b"28" => property.delivery.push(values),
                _ if ended(value(&values, 8)) => {}
                _ => property.organisation = Some(values),
            }
        }
        let mut order: Vec<(u64, Property<'_>)> = properties.into_iter().collect();
        order.sort_unstable_by_key(|&(uprn, _)| uprn);
        for (uprn, property) in order {
            address.clear();
            if fill(uprn, &property, &streets, &mut address) {
                reading.check_postcode(&address.postcode, "AddressBase Premium", 0)?;
                reading.emit(&mut address)?;
            } else {
                reading.report.doubt(
                    Doubt::NotAddress,
                    "AddressBase Premium",
                    0,
                    format_args!("UPRN {uprn}"),
                )?;
            }
        }
    }
    Ok(())
}

fn value<'a>(values: &[&'a [u8]], at: usize) -> &'a [u8] {
    values.get(at).copied().unwrap_or_default()
}

fn put(values: &[&[u8]], at: usize, text: &mut String) {
    text.clear();
    text.push_str(&decode(value(values, at)));
}

fn decimal(values: &[&[u8]], at: usize) -> Option<f64> {
    std::str::from_utf8(value(values, at)).ok()?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Fills an address from the delivery point, or else from the local authority's record. Returns whether it is one.
fn fill(uprn: u64, property: &Property<'_>, streets: &HashMap<u32, Street>, address: &mut Address) -> bool {
    address.dataset = Dataset::AddressBase;
    address.uprn = Some(uprn);
    if let Some(blpu) = &property.blpu {
        address.parent_uprn = number(value(blpu, 7), UPRN_LIMIT).ok().flatten();
        let grid =
            decimal(blpu, 8).zip(decimal(blpu, 9)).map(|(eastings, northings)| Grid { eastings, northings });
        let geographic = decimal(blpu, 10)
            .zip(decimal(blpu, 11))
            .map(|(latitude, longitude)| Geographic { latitude, longitude });
        address.point = (grid.is_some() || geographic.is_some()).then_some(Point { grid, geographic });
    }
    match property.delivery.iter().find(|record| !ended(value(record, 26))) {
        Some(record) => fill_delivery(record, address),
        None => fill_local(property, streets, address),
    }
}

fn fill_delivery(record: &[&[u8]], address: &mut Address) -> bool {
    address.udprn = number(value(record, 4), u64::from(u32::MAX))
        .ok()
        .flatten()
        .and_then(|number| u32::try_from(number).ok());
    put(record, 5, &mut address.organisation);
    put(record, 6, &mut address.department);
    put(record, 7, &mut address.sub_building);
    put(record, 8, &mut address.building_name);
    put(record, 9, &mut address.building_number);
    put(record, 10, &mut address.dependent_thoroughfare);
    put(record, 11, &mut address.thoroughfare);
    put(record, 12, &mut address.double_dependent_locality);
    put(record, 13, &mut address.dependent_locality);
    put(record, 14, &mut address.post_town);
    let valid = crate::postcode::put(value(record, 15), &mut address.postcode);
    address.kind = Kind::parse(&decode(value(record, 16)));
    put(record, 17, &mut address.delivery_point_suffix);
    put(record, 23, &mut address.po_box);
    let texts = [18, 19, 20, 21, 22].map(|at| decode(value(record, at)));
    let [dependent_thoroughfare, thoroughfare, double, dependent, town] = &texts;
    address.welsh =
        welsh(["", "", "", "", dependent_thoroughfare, thoroughfare, double, dependent, town], address);
    valid
}

fn fill_local(property: &Property<'_>, streets: &HashMap<u32, Street>, address: &mut Address) -> bool {
    let Some(blpu) = &property.blpu else { return false };
    if !matches!(value(blpu, 19), b"L" | b"C") || value(blpu, 4) != b"1" || ended(value(blpu, 16)) {
        return false;
    }
    let holds = |record: &&Vec<&[u8]>| value(record, 6) == b"1" && !ended(value(record, 8));
    let is_welsh = |record: &&Vec<&[u8]>| value(record, 5) == b"CYM";
    let approved = || property.local.iter().filter(holds);
    let Some(record) = approved().find(|record| !is_welsh(record)).or_else(|| approved().next()) else {
        return false;
    };
    if let Some(organisation) = &property.organisation {
        put(organisation, 5, &mut address.organisation);
    }
    let object = |text: usize, numbers: [usize; 4]| {
        (decode(value(record, text)), numbers.map(|at| decode(value(record, at))))
    };
    let (secondary_text, secondary_numbers) = object(15, [11, 12, 13, 14]);
    let (primary_text, primary_numbers) = object(20, [16, 17, 18, 19]);
    local_premises(
        &Object { text: &secondary_text, numbers: secondary_numbers },
        &Object { text: &primary_text, numbers: primary_numbers },
        address,
    );
    let usrn = number(value(record, 21), u64::from(u32::MAX))
        .ok()
        .flatten()
        .and_then(|usrn| u32::try_from(usrn).ok());
    if let Some(street) = usrn.and_then(|usrn| streets.get(&usrn)) {
        if let Some([name, locality, town]) = street.english.as_ref().or(street.welsh.as_ref()) {
            // A place without street names has a street that is called like the place.
            if !name.eq_ignore_ascii_case(if locality.is_empty() { town } else { locality }) {
                address.thoroughfare.push_str(name);
            }
            address.dependent_locality.push_str(locality);
            address.post_town.push_str(town);
        }
        if let (Some(_), Some([name, locality, town])) = (&street.english, &street.welsh) {
            let name = if address.thoroughfare.is_empty() { "" } else { name };
            address.welsh = welsh(["", "", "", "", "", name, "", locality, town], address);
        }
    }
    crate::postcode::put(value(blpu, 20), &mut address.postcode)
}
