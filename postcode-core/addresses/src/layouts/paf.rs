//! Royal Mail's CSV files: PAF, Welsh, Not Yet Built, Multiple Residence, Changes.

use std::collections::HashMap;

use super::detect::Layout;
use super::error::Result;
use super::reading::{Reading, Refusal, UDPRN_LIMIT, number, postcode, udprn};
use super::report::Doubt;
use super::rows::Rows;
use super::source::Text;
use crate::model::{Address, Dataset, Kind, PafKey, Welsh};

/// The longest value of each column of CSV PAF.
const WIDTHS: [usize; 16] = [8, 30, 35, 35, 80, 80, 4, 50, 30, 6, 60, 60, 8, 1, 1, 2];

/// Where an address stands in a row of 16 or 20 columns that begin at an offset.
fn fill(rows: &mut Rows<'_>, from: usize, address: &mut Address) -> std::result::Result<(), Refusal> {
    address.clear();
    let columns = rows.columns() - from.min(rows.columns());
    if !matches!(columns, 16 | 20) {
        return Err((Doubt::Columns, format!("{} columns", rows.columns())));
    }
    postcode(rows, from, address)?;
    rows.put(from + 1, &mut address.post_town);
    rows.put(from + 2, &mut address.dependent_locality);
    rows.put(from + 3, &mut address.double_dependent_locality);
    rows.put(from + 4, &mut address.thoroughfare);
    rows.put(from + 5, &mut address.dependent_thoroughfare);
    rows.put(from + 6, &mut address.building_number);
    rows.put(from + 7, &mut address.building_name);
    rows.put(from + 8, &mut address.sub_building);
    rows.put(from + 9, &mut address.po_box);
    rows.put(from + 10, &mut address.department);
    rows.put(from + 11, &mut address.organisation);
    address.udprn = udprn(rows, from + 12)?;
    if address.udprn.is_none() {
        return Err((Doubt::Number, format!("UDPRN {:?}", rows.text(from + 12))));
    }
    address.kind = Kind::parse(&rows.text(from + 13));
    address.organisation_indicator = rows.bytes(from + 14).eq_ignore_ascii_case(b"Y");
    rows.put(from + 15, &mut address.delivery_point_suffix);
    if columns == 20 {
        let key = |column: usize| {
            Ok(number(rows, from + column, u64::from(u32::MAX))?.and_then(|key| u32::try_from(key).ok()))
        };
        if let Some(address_key) = key(16)?.filter(|&key| key > 0) {
            address.paf_key =
                Some(PafKey { address: address_key, organisation: key(17)?.unwrap_or_default() });
        }
        address.households = key(18)?.and_then(|count| u16::try_from(count).ok());
    }
    Ok(())
}

/// Counts values that are longer than their column allows.
fn check_widths(reading: &mut Reading<'_>, file: &str, rows: &Rows<'_>, from: usize) -> Result<()> {
    for (at, &most) in WIDTHS.iter().enumerate() {
        let bytes = rows.bytes(from + at);
        if bytes.len() > most && rows.text(from + at).chars().count() > most {
            let value = rows.text(from + at).into_owned();
            reading.report.doubt(
                Doubt::Long,
                file,
                rows.line(),
                format_args!("column {}: {value:?}", from + at),
            )?;
        }
    }
    Ok(())
}

/// Returns whether the first row is a header, which these files usually do not have.
fn is_header(rows: &Rows<'_>, from: usize) -> bool {
    rows.rows == 1 && rows.bytes(from).eq_ignore_ascii_case(b"postcode")
}

/// The Welsh forms by UDPRN. Texts that come often are kept once.
#[derive(Default)]
pub(super) struct WelshForms {
    forms: HashMap<u32, [u32; 9]>,
    texts: Vec<Box<str>>,
    known: HashMap<Box<str>, u32>,
}

impl WelshForms {
    pub(super) fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    fn intern(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        if let Some(&number) = self.known.get(text) {
            return number;
        }
        self.texts.push(text.into());
        let number = u32::try_from(self.texts.len()).unwrap_or_default();
        self.known.insert(text.into(), number);
        number
    }

    fn insert(&mut self, udprn: u32, address: &Address) -> bool {
        let form = elements(address).map(|text| self.intern(text));
        self.forms.insert(udprn, form).is_none()
    }

    /// Takes the Welsh form of an address, without the elements that are the same in English.
    pub(super) fn take(&mut self, udprn: u32, address: &Address) -> Option<Box<Welsh>> {
        let form = self.forms.remove(&udprn)?;
        let texts = form.map(|number| {
            number.checked_sub(1).and_then(|at| self.texts.get(at as usize)).map_or("", |text| &**text)
        });
        welsh(texts, address)
    }
}

/// Returns the elements that may have a Welsh form, in the order of [`Welsh::texts`].
pub(super) fn elements(address: &Address) -> [&str; 9] {
    [
        &address.organisation,
        &address.department,
        &address.sub_building,
        &address.building_name,
        &address.dependent_thoroughfare,
        &address.thoroughfare,
        &address.double_dependent_locality,
        &address.dependent_locality,
        &address.post_town,
    ]
}

/// Returns the Welsh form of an address: the texts that differ from the English ones.
pub(super) fn welsh(texts: [&str; 9], address: &Address) -> Option<Box<Welsh>> {
    let mut welsh = Welsh::default();
    for ((form, english), text) in welsh.texts_mut().into_iter().zip(elements(address)).zip(texts) {
        if !text.eq_ignore_ascii_case(english) {
            text.clone_into(form);
        }
    }
    (!welsh.is_empty()).then(|| Box::new(welsh))
}

/// Reads the Welsh forms.
pub(super) fn read_welsh(reading: &mut Reading<'_>, text: &Text, forms: &mut WelshForms) -> Result<()> {
    let mut address = Address::default();
    reading.rows(text, Layout::CsvPafWelsh, b',', |reading, rows| {
        if is_header(rows, 0) {
            return Ok(Ok(()));
        }
        if let Err(refusal) = fill(rows, 0, &mut address) {
            return Ok(Err(refusal));
        }
        if let Some(udprn) = address.udprn
            && !forms.insert(udprn, &address)
        {
            reading.report.doubt(Doubt::Twice, &text.display, rows.line(), format_args!("UDPRN {udprn}"))?;
        }
        Ok(Ok(()))
    })
}

/// A change to one address, as it is after all changes.
struct Change {
    /// The address as it is afterwards, or `None` if it is deleted.
    after: Option<Box<Address>>,
    /// Whether the address was there before the first change.
    before: bool,
    file: usize,
    line: u64,
}

/// The changes to CSV PAF by UDPRN.
#[derive(Default)]
pub(super) struct Changes {
    changes: HashMap<u32, Change>,
    files: Vec<String>,
    counts: [u64; 3],
}

/// Reads a file of changes, in its order.
pub(super) fn read_changes(reading: &mut Reading<'_>, text: &Text, changes: &mut Changes) -> Result<()> {
    let mut address = Address::default();
    let file = changes.files.len();
    changes.files.push(text.display.clone());
    reading.rows(text, Layout::CsvPafChanges, b',', |_, rows| {
        if rows.rows == 1 && rows.bytes(2).len() > 1 {
            return Ok(Ok(()));
        }
        if let Err(refusal) = fill(rows, 4, &mut address) {
            return Ok(Err(refusal));
        }
        let Some(udprn) = address.udprn else { return Ok(Ok(())) };
        let kind = match rows.bytes(2) {
            [kind] => kind.to_ascii_uppercase(),
            _ => 0,
        };
        let (after, was_there) = match kind {
            b'I' => (Some(Box::new(address.clone())), false),
            b'C' => (Some(Box::new(address.clone())), true),
            b'D' => (None, true),
            // The address as it was before a change.
            b'B' => return Ok(Ok(())),
            _ => return Ok(Err((Doubt::Columns, format!("amendment type {:?}", rows.text(2))))),
        };
        changes.counts[usize::from(kind != b'I') + usize::from(kind == b'D')] += 1;
        let line = rows.line();
        let change =
            changes.changes.entry(udprn).or_insert(Change { after: None, before: was_there, file, line });
        (change.after, change.file, change.line) = (after, file, line);
        Ok(Ok(()))
    })
}

/// Reads CSV PAF, with the Welsh forms and the changes.
pub(super) fn read(
    reading: &mut Reading<'_>,
    text: &Text,
    forms: &mut WelshForms,
    changes: &mut Changes,
) -> Result<()> {
    let mut address = Address::default();
    reading.rows(text, Layout::CsvPaf, b',', |reading, rows| {
        if is_header(rows, 0) {
            return Ok(Ok(()));
        }
        if let Err(refusal) = fill(rows, 0, &mut address) {
            return Ok(Err(refusal));
        }
        check_widths(reading, &text.display, rows, 0)?;
        let Some(udprn) = address.udprn else { return Ok(Ok(())) };
        if !reading.seen.insert(udprn) {
            reading.report.doubt(Doubt::Twice, &text.display, rows.line(), format_args!("UDPRN {udprn}"))?;
            return Ok(Ok(()));
        }
        if let Some(change) = changes.changes.remove(&udprn) {
            match change.after {
                None => return Ok(Ok(())),
                Some(mut after) => {
                    if !change.before {
                        // An insertion of what is there: the newer one holds.
                        let file = &changes.files[change.file];
                        reading.report.doubt(
                            Doubt::Twice,
                            file,
                            change.line,
                            format_args!("UDPRN {udprn} is inserted and was there"),
                        )?;
                    }
                    if after.paf_key.is_none() {
                        (after.paf_key, after.households) = (address.paf_key, address.households);
                    }
                    address = *after;
                }
            }
        }
        address.welsh = forms.take(udprn, &address);
        reading.check_postcode(&address.postcode, &text.display, rows.line())?;
        reading.emit(&mut address).map(Ok)
    })
}

/// Passes on what is left when all of CSV PAF is read: insertions. Counts changes and Welsh forms without an address.
pub(super) fn finish(reading: &mut Reading<'_>, forms: &mut WelshForms, changes: Changes) -> Result<()> {
    reading.report.changes = changes.counts;
    let mut rest: Vec<(u32, Change)> = changes.changes.into_iter().collect();
    rest.sort_unstable_by_key(|&(udprn, _)| udprn);
    for (udprn, change) in rest {
        let file = &changes.files[change.file];
        match change.after {
            Some(mut address) => {
                if change.before {
                    reading.report.doubt(
                        Doubt::NothingToChange,
                        file,
                        change.line,
                        format_args!("UDPRN {udprn}"),
                    )?;
                }
                reading.seen.insert(udprn);
                address.welsh = forms.take(udprn, &address);
                reading.check_postcode(&address.postcode, file, change.line)?;
                reading.emit(&mut address)?;
            }
            None if change.before => {
                reading.report.doubt(
                    Doubt::NothingToDelete,
                    file,
                    change.line,
                    format_args!("UDPRN {udprn}"),
                )?;
            }
            // Inserted and deleted again.
            None => {}
        }
    }
    if !forms.is_empty() {
        let mut left: Vec<u32> = forms.forms.keys().copied().collect();
        left.sort_unstable();
        for udprn in left {
            reading.report.doubt(Doubt::WelshOnly, "the Welsh file", 0, format_args!("UDPRN {udprn}"))?;
        }
    }
    Ok(())
}

/// Reads Not Yet Built. What is in the main file is built by now.
pub(super) fn read_not_yet_built(reading: &mut Reading<'_>, text: &Text) -> Result<()> {
    let mut address = Address::default();
    reading.rows(text, Layout::NotYetBuilt, b',', |reading, rows| {
        if is_header(rows, 0) {
            return Ok(Ok(()));
        }
        if let Err(refusal) = fill(rows, 0, &mut address) {
            return Ok(Err(refusal));
        }
        address.dataset = Dataset::NotYetBuilt;
        let Some(udprn) = address.udprn else { return Ok(Ok(())) };
        if !reading.seen.insert(udprn) {
            reading.report.doubt(Doubt::Built, &text.display, rows.line(), format_args!("UDPRN {udprn}"))?;
            return Ok(Ok(()));
        }
        reading.check_postcode(&address.postcode, &text.display, rows.line())?;
        reading.emit(&mut address).map(Ok)
    })
}

/// Reads Multiple Residence. `parents` says whether the delivery points were read before.
pub(super) fn read_multiple_residence(reading: &mut Reading<'_>, text: &Text, parents: bool) -> Result<()> {
    let mut address = Address::default();
    reading.rows(text, Layout::MultipleResidence, b',', |reading, rows| {
        if is_header(rows, 0) {
            return Ok(Ok(()));
        }
        if let Err(refusal) = fill_child(rows, &mut address) {
            return Ok(Err(refusal));
        }
        if let Some(umprn) = address.umprn
            && !reading.children.insert(umprn)
        {
            reading.report.doubt(Doubt::Twice, &text.display, rows.line(), format_args!("UMRRN {umprn}"))?;
            return Ok(Ok(()));
        }
        if parents && address.udprn.is_some_and(|udprn| !reading.seen.contains(udprn)) {
            let udprn = address.udprn.unwrap_or_default();
            reading.report.doubt(
                Doubt::NoParent,
                &text.display,
                rows.line(),
                format_args!("UDPRN {udprn}"),
            )?;
        }
        reading.check_postcode(&address.postcode, &text.display, rows.line())?;
        reading.emit(&mut address).map(Ok)
    })
}

fn fill_child(rows: &mut Rows<'_>, address: &mut Address) -> std::result::Result<(), Refusal> {
    address.clear();
    address.dataset = Dataset::MultipleResidence;
    if rows.columns() < 21 {
        return Err((Doubt::Columns, format!("{} columns", rows.columns())));
    }
    postcode(rows, 0, address)?;
    rows.put(1, &mut address.post_town);
    rows.put(2, &mut address.dependent_locality);
    rows.put(3, &mut address.double_dependent_locality);
    rows.put(4, &mut address.thoroughfare);
    rows.put(5, &mut address.dependent_thoroughfare);
    rows.put(15, &mut address.building_number);
    rows.put(16, &mut address.building_name);
    rows.put(17, &mut address.sub_building);
    rows.put(18, &mut address.department);
    rows.put(19, &mut address.organisation);
    address.udprn = udprn(rows, 11)?;
    address.umprn = number(rows, 20, UDPRN_LIMIT)?.and_then(|number| u32::try_from(number).ok());
    if address.udprn.is_none() || address.umprn.is_none() {
        return Err((Doubt::Number, format!("UDPRN {:?}, UMRRN {:?}", rows.text(11), rows.text(20))));
    }
    address.kind = Kind::parse(&rows.text(12));
    address.organisation_indicator = rows.bytes(13).eq_ignore_ascii_case(b"Y");
    rows.put(14, &mut address.delivery_point_suffix);
    Ok(())
}
