//! Royal Mail's mainfile: fixed width, with names in key files.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};

use super::detect::{Layout, is_edition};
use super::error::{Error, Result};
use super::mapped::Joined;
use super::paf::welsh;
use super::reading::{Reading, Refusal, Udprns};
use super::report::{Doubt, FileRead};
use super::rows::{decode, number};
use super::source::Text;
use crate::format::title_case;
use crate::model::{Address, Kind, PafKey};

/// The most bytes of a line. The longest layout has 153.
const MAX_LINE: usize = 1024;

/// Names by key, in one text, so that two million of them do not take a text each.
#[derive(Default)]
struct Names {
    places: HashMap<u32, (u32, u16)>,
    text: String,
}

impl Names {
    fn insert(&mut self, key: u32, name: &str) -> bool {
        let start = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let length = u16::try_from(name.len()).unwrap_or_default();
        self.text.push_str(name);
        self.places.insert(key, (start, length)).is_none()
    }

    /// Returns the name of a key. The key 0 has the empty name.
    fn get(&self, key: u32) -> Option<&str> {
        if key == 0 {
            return Some("");
        }
        let &(start, length) = self.places.get(&key)?;
        self.text.get(start as usize..start as usize + usize::from(length))
    }
}

/// The key files.
#[derive(Default)]
pub(super) struct Keys {
    /// Post town, dependent locality and double dependent locality, with line feeds between.
    localities: Names,
    thoroughfares: Names,
    descriptors: Names,
    buildings: Names,
    sub_buildings: Names,
    /// Organisation and department, with a line feed between. Keyed by twice the key, plus one for large users.
    organisations: HashMap<(u32, Option<Kind>), (u32, u16)>,
    organisation_texts: String,
    have: Vec<Layout>,
    edition: Option<(String, String)>,
    title_case: bool,
}

/// The kinds of key files that the addresses refer to.
const NEEDED: [(Layout, &str); 6] = [
    (Layout::MainfileLocalities, "local.c01"),
    (Layout::MainfileThoroughfares, "thfare.c01"),
    (Layout::MainfileDescriptors, "thdesc.c01"),
    (Layout::MainfileBuildings, "bname.c01"),
    (Layout::MainfileSubBuildings, "subbname.c01"),
    (Layout::MainfileOrganisations, "org.c01"),
];

impl Keys {
    pub(super) fn new(title_case: bool) -> Self {
        Self { title_case, ..Self::default() }
    }

    fn name<'a>(&self, text: &'a str) -> std::borrow::Cow<'a, str> {
        if self.title_case { title_case(text).into() } else { text.into() }
    }

    /// Returns an error if a key file is missing.
    pub(super) fn check(&self) -> Result<()> {
        match NEEDED.iter().find(|(layout, _)| !self.have.contains(layout)) {
            Some(&(_, file)) => Err(Error::Missing { file }),
            None => Ok(()),
        }
    }

    pub(super) fn edition(&self) -> Option<&str> {
        self.edition.as_ref().map(|(edition, _)| edition.as_str())
    }
}

/// Reads the records between header and footer. The length is that of the first line.
fn records(
    reading: &mut Reading<'_>,
    edition: &mut Option<(String, String)>,
    text: &Text,
    layout: Layout,
    length: usize,
    mut record: impl FnMut(&mut Reading<'_>, &[u8]) -> Result<std::result::Result<(), Refusal>>,
) -> Result<()> {
    let file = text.display.as_str();
    // In the address files the postcode stands in front of the key.
    let key_at = if matches!(layout, Layout::Mainfile | Layout::MainfileWelsh) { 7 } else { 0 };
    let mut count = 0_u64;
    text.read(|reader| {
        let mut reader = BufReader::with_capacity(256 << 10, reader);
        let mut line = Vec::with_capacity(MAX_LINE);
        let mut footer = None;
        let mut lines = 0_u64;
        loop {
            line.clear();
            let read = reader
                .by_ref_take(MAX_LINE, &mut line)
                .map_err(|source| Error::Read { file: file.to_owned(), source })?;
            if read == 0 {
                break;
            }
            lines += 1;
            let ended = line.last() == Some(&b'\n');
            while matches!(line.last(), Some(b'\n' | b'\r')) {
                line.pop();
            }
            if line.is_empty() || line == [0x1a] {
                lines -= 1;
                continue;
            }
            if line.len() != length {
                if !ended && line.len() < length {
                    return Err(Error::CutOff { file: file.to_owned(), line: lines });
                }
                return Err(Error::Width {
                    file: file.to_owned(),
                    line: lines,
                    expected: length,
                    found: line.len(),
                });
            }
            let key = line.get(key_at..key_at + 8).unwrap_or_default();
            if lines == 1 && key == b"00000000" {
                let found = line
                    .get(key_at + 16..key_at + 22)
                    .map(|edition| decode(edition).into_owned())
                    .unwrap_or_default();
                check_edition(edition, &found, file)?;
            } else if key == b"99999999" && (key_at == 0 || line[..key_at].iter().all(|&byte| byte == b' ')) {
                footer =
                    number(line.get(key_at + 8..key_at + 16).unwrap_or_default(), u64::MAX).ok().flatten();
            } else {
                count += 1;
                if count.is_multiple_of(4096) {
                    reading.stopped()?;
                }
                if let Err((doubt, value)) = record(reading, &line)? {
                    reading.report.doubt(doubt, file, lines, value)?;
                }
            }
        }
        match footer {
            Some(said) if said != lines => Err(Error::Footer { file: file.to_owned(), said, found: lines }),
            Some(_) => Ok(()),
            None => Err(Error::CutOff { file: file.to_owned(), line: lines }),
        }
    })?;
    reading.report.files.push(FileRead { file: file.to_owned(), layout, rows: count });
    Ok(())
}

fn check_edition(edition: &mut Option<(String, String)>, found: &str, file: &str) -> Result<()> {
    match edition {
        _ if !is_edition(found) => Ok(()),
        None => {
            *edition = Some((found.to_owned(), file.to_owned()));
            Ok(())
        }
        Some((first, first_file)) if first != found => Err(Error::Editions {
            first: first_file.clone(),
            first_edition: first.clone(),
            second: file.to_owned(),
            second_edition: found.to_owned(),
        }),
        Some(_) => Ok(()),
    }
}

/// Reads a line of at most so many bytes.
trait TakeLine {
    fn by_ref_take(&mut self, most: usize, line: &mut Vec<u8>) -> std::io::Result<usize>;
}

impl<R: std::io::Read> TakeLine for BufReader<R> {
    fn by_ref_take(&mut self, most: usize, line: &mut Vec<u8>) -> std::io::Result<usize> {
        use std::io::Read as _;
        self.by_ref().take(most as u64).read_until(b'\n', line)
    }
}

fn key(line: &[u8], from: usize, width: usize) -> std::result::Result<u32, Refusal> {
    let bytes = line.get(from..from + width).unwrap_or_default().trim_ascii();
    match number(bytes, u64::from(u32::MAX)) {
        Ok(number) => Ok(number.and_then(|number| u32::try_from(number).ok()).unwrap_or_default()),
        Err(value) => Err((Doubt::Number, value)),
    }
}

fn field(line: &[u8], from: usize, width: usize) -> std::borrow::Cow<'_, str> {
    decode(line.get(from..from + width).unwrap_or_default().trim_ascii())
}

/// Reads a key file.
pub(super) fn read_keys(
    reading: &mut Reading<'_>,
    text: &Text,
    layout: Layout,
    keys: &mut Keys,
) -> Result<()> {
    let (length, width) = match layout {
        Layout::MainfileLocalities => (151, 6),
        Layout::MainfileThoroughfares => (68, 8),
        Layout::MainfileDescriptors => (30, 4),
        Layout::MainfileBuildings => (58, 8),
        Layout::MainfileSubBuildings => (38, 8),
        Layout::MainfileOrganisations => (153, 8),
        // Mailsort codes are not about addresses.
        _ => return Ok(()),
    };
    let mut edition = keys.edition.take();
    let file = text.display.as_str();
    records(reading, &mut edition, text, layout, length, |reading, line| {
        let number = match key(line, 0, width) {
            Ok(number) => number,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let new = match layout {
            Layout::MainfileLocalities => {
                let [town, dependent, double] =
                    [51, 81, 116].map(|from| field(line, from, if from == 51 { 30 } else { 35 }));
                let names = format!("{town}\n{}\n{}", keys.name(&dependent), keys.name(&double));
                keys.localities.insert(number, &names)
            }
            Layout::MainfileOrganisations => {
                let kind = Kind::parse(&field(line, 8, 1));
                let [organisation, department] = [9, 69].map(|from| field(line, from, 60));
                let names = format!("{}\n{}", keys.name(&organisation), keys.name(&department));
                let start = u32::try_from(keys.organisation_texts.len()).unwrap_or(u32::MAX);
                keys.organisation_texts.push_str(&names);
                keys.organisations
                    .insert((number, kind), (start, u16::try_from(names.len()).unwrap_or_default()))
                    .is_none()
            }
            _ => {
                let name = field(
                    line,
                    width,
                    if layout == Layout::MainfileDescriptors { 20 } else { length - width },
                );
                let name = keys.name(&name).into_owned();
                let names = match layout {
                    Layout::MainfileThoroughfares => &mut keys.thoroughfares,
                    Layout::MainfileDescriptors => &mut keys.descriptors,
                    Layout::MainfileBuildings => &mut keys.buildings,
                    _ => &mut keys.sub_buildings,
                };
                names.insert(number, &name)
            }
        };
        if !new {
            reading.report.doubt(Doubt::Twice, file, 0, format_args!("key {number}"))?;
        }
        Ok(Ok(()))
    })?;
    keys.edition = edition;
    keys.have.push(layout);
    Ok(())
}

/// Identifies an address of the mainfile.
type Identity = (u32, u32, Option<Kind>);

/// Which addresses were seen. Most have no organisation key, and those take a bit each.
#[derive(Default)]
pub(super) struct Seen {
    addresses: Udprns,
    organisations: HashSet<Identity>,
}

impl Seen {
    fn insert(&mut self, identity: Identity) -> bool {
        match identity {
            (address, 0, Some(Kind::SmallUser)) => self.addresses.insert(address),
            _ => self.organisations.insert(identity),
        }
    }
}

/// The Welsh forms: the names of each, with line feeds between.
pub(super) type WelshForms = HashMap<Identity, Box<str>>;

fn fill(line: &[u8], keys: &Keys, address: &mut Address) -> std::result::Result<(), Refusal> {
    address.clear();
    if !crate::postcode::put(line.get(..7).unwrap_or_default(), &mut address.postcode) {
        return Err((Doubt::Postcode, field(line, 0, 7).into_owned()));
    }
    let missing = |what: &str, key: u32| (Doubt::Key, format!("{what} {key}"));
    let address_key = key(line, 7, 8)?;
    let locality = key(line, 15, 6)?;
    let names = keys
        .localities
        .get(locality)
        .filter(|_| locality > 0)
        .ok_or_else(|| missing("locality", locality))?;
    for (name, place) in names.split('\n').zip([
        &mut address.post_town,
        &mut address.dependent_locality,
        &mut address.double_dependent_locality,
    ]) {
        place.push_str(name);
    }
    for (from, place) in [(21, &mut address.thoroughfare), (33, &mut address.dependent_thoroughfare)] {
        let (name, descriptor) = (key(line, from, 8)?, key(line, from + 8, 4)?);
        place.push_str(keys.thoroughfares.get(name).ok_or_else(|| missing("thoroughfare", name))?);
        let word = keys.descriptors.get(descriptor).ok_or_else(|| missing("descriptor", descriptor))?;
        if !word.is_empty() && !place.is_empty() {
            place.push(' ');
        }
        place.push_str(word);
    }
    let building_number = key(line, 45, 4)?;
    if building_number > 0 {
        use std::fmt::Write as _;
        // Writing to a String does not fail.
        let _ = write!(address.building_number, "{building_number}");
    }
    let (name, sub) = (key(line, 49, 8)?, key(line, 57, 8)?);
    address.building_name.push_str(keys.buildings.get(name).ok_or_else(|| missing("building name", name))?);
    address
        .sub_building
        .push_str(keys.sub_buildings.get(sub).ok_or_else(|| missing("sub-building name", sub))?);
    address.households = u16::try_from(key(line, 65, 4)?).ok();
    let organisation = key(line, 69, 8)?;
    address.kind = Kind::parse(&field(line, 77, 1));
    // For a large user the organisation key is the address key.
    let organisation_key =
        if organisation == 0 && address.kind == Some(Kind::LargeUser) { address_key } else { organisation };
    if organisation_key > 0 {
        match keys.organisations.get(&(organisation_key, address.kind)) {
            Some(&(start, length)) => {
                let names = keys
                    .organisation_texts
                    .get(start as usize..start as usize + usize::from(length))
                    .unwrap_or_default();
                let (organisation, department) = names.split_once('\n').unwrap_or((names, ""));
                address.organisation.push_str(organisation);
                address.department.push_str(department);
            }
            None if organisation == 0 => {}
            None => return Err(missing("organisation", organisation)),
        }
    }
    address.concatenation_indicator = Some(line.get(78) == Some(&b'Y'));
    address.delivery_point_suffix.push_str(&field(line, 79, 2));
    address.organisation_indicator = line.get(81) == Some(&b'Y');
    address.po_box.push_str(&field(line, 82, 6));
    address.paf_key = Some(PafKey { address: address_key, organisation });
    Ok(())
}

fn identity(address: &Address) -> Identity {
    let key = address.paf_key.unwrap_or_default();
    (key.address, key.organisation, address.kind)
}

/// Reads the Welsh forms.
pub(super) fn read_welsh(
    reading: &mut Reading<'_>,
    text: &Text,
    keys: &mut Keys,
    forms: &mut WelshForms,
) -> Result<()> {
    let mut address = Address::default();
    let mut edition = keys.edition.take();
    let known = &*keys;
    records(reading, &mut edition, text, Layout::MainfileWelsh, 88, |_, line| {
        if let Err(refusal) = fill(line, known, &mut address) {
            return Ok(Err(refusal));
        }
        forms.insert(identity(&address), super::paf::elements(&address).join("\n").into());
        Ok(Ok(()))
    })?;
    keys.edition = edition;
    Ok(())
}

/// Reads a part of the addresses.
pub(super) fn read(
    reading: &mut Reading<'_>,
    text: &Text,
    keys: &mut Keys,
    forms: &mut WelshForms,
    seen: &mut Seen,
    joined: &Joined,
) -> Result<()> {
    let mut address = Address::default();
    let mut edition = keys.edition.take();
    let known = &*keys;
    let mut count = 1;
    records(reading, &mut edition, text, Layout::Mainfile, 88, |reading, line| {
        count += 1;
        if let Err(refusal) = fill(line, known, &mut address) {
            return Ok(Err(refusal));
        }
        let identity = identity(&address);
        if !seen.insert(identity) {
            reading.report.doubt(
                Doubt::Twice,
                &text.display,
                count,
                format_args!("address key {}", identity.0),
            )?;
            return Ok(Ok(()));
        }
        if !joined.is_empty() {
            address.udprn = joined.get(address.paf_key.unwrap_or_default(), address.kind);
            let new = address.udprn.map(|udprn| reading.seen.insert(udprn));
            let doubt = match new {
                None => Some(Doubt::NoUdprn),
                Some(false) => Some(Doubt::Twice),
                Some(true) => None,
            };
            if let Some(doubt) = doubt {
                let value = format_args!("address key {}", identity.0);
                reading.report.doubt(doubt, &text.display, count, value)?;
                if doubt == Doubt::Twice {
                    return Ok(Ok(()));
                }
            }
        }
        if let Some(names) = forms.remove(&identity) {
            let mut texts = [""; 9];
            for (place, name) in texts.iter_mut().zip(names.split('\n')) {
                *place = name;
            }
            address.welsh = welsh(texts, &address);
        }
        reading.check_postcode(&address.postcode, &text.display, count)?;
        reading.emit(&mut address).map(Ok)
    })?;
    keys.edition = edition;
    Ok(())
}
