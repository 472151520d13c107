//! Readers of publishers' files of addresses, told apart by what stands in them.
//!
//! | files | layouts |
//! |---|---|
//! | Royal Mail | CSV PAF (16 and 20 columns) with Welsh, Not Yet Built, Multiple Residence and Changes; the mainfile |
//! | Ordnance Survey | AddressBase Core, AddressBase, Plus, Premium and Islands; NGD Royal Mail Address and Built Address |
//! | Land and Property Services | Pointer, in the form that a census project carried it |
//! | any of the above whose layout is not public | by a [`ColumnMap`] |
//! | open | OS Open UPRN and ONSUD add locations by UPRN; OS Open Names gives the roads of a postcode district |
//!
//! [`read`] takes folders, zip files and files, and passes each address on as it is read.

mod detect;
mod error;
mod locations;
mod mainfile;
mod mapped;
mod options;
mod paf;
mod points;
mod premium;
mod reading;
mod report;
mod roads;
mod rows;
mod source;
mod survey;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

pub use detect::Layout;
pub use error::{Error, Result};
pub use options::{ColumnMap, InUse, Options, Place};
pub use report::{Doubt, Doubted, FileRead, Report};
pub use source::Text;

use crate::model::Address;
use detect::Family;
use reading::Reading;

/// A file of the input, and what it is.
#[derive(Clone, Debug)]
struct Found {
    text: Text,
    layout: Layout,
    map: Option<ColumnMap>,
}

impl Found {
    fn family(&self) -> Option<Family> {
        match &self.map {
            Some(map) => (!map.is_join()).then_some(Family::Mapped),
            None => self.layout.family(),
        }
    }
}

/// Lists the files of the inputs whose layout is known, each with its layout.
///
/// ```
/// use postcode_addresses::layouts::layouts;
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().to_owned();
/// # std::fs::create_dir_all(&folder)?;
/// for (file, layout) in layouts(&[folder])? {
///     println!("{}: {}", file.name(), layout.as_str());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If an input can't be read.
pub fn layouts(inputs: &[PathBuf]) -> Result<Vec<(Text, Layout)>> {
    Ok(find(inputs, &Options::default())?.into_iter().map(|found| (found.text, found.layout)).collect())
}

/// Returns whether the inputs hold addresses: a file with streets or delivery points of a known layout.
///
/// ```
/// use postcode_addresses::layouts::hold_addresses;
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().to_owned();
/// # std::fs::create_dir_all(&folder)?;
/// assert!(!hold_addresses(&[folder])?); // an empty folder
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If an input can't be read.
pub fn hold_addresses(inputs: &[PathBuf]) -> Result<bool> {
    Ok(find(inputs, &Options::default())?
        .iter()
        .any(|found| found.layout.family().is_some_and(|family| family != Family::Roads)))
}

fn find(inputs: &[PathBuf], options: &Options) -> Result<Vec<Found>> {
    let mut all = Vec::new();
    for text in source::list(inputs)? {
        if options.within.as_ref().is_some_and(|within| !text.path.starts_with(within.as_str())) {
            continue;
        }
        let name = text.name().to_ascii_lowercase();
        let map = options.columns.iter().find(|map| name.contains(&map.files)).cloned();
        let layout = match &map {
            Some(_) => Some(Layout::Unconfirmed),
            None => detect::layout(&text, &text.start(detect::SAMPLE)?),
        };
        if let Some(layout) = layout {
            all.push(Found { text, layout, map });
        }
    }
    Ok(all)
}

/// Reads all addresses of the inputs, each a folder, a zip file or a file, and passes them on in the order of the files.
///
/// The memory does not grow with the addresses, except by what other files add to them: 12 MB to know which UPRNs were
/// there, the names of a mainfile, the Welsh forms, a file of changes, and 16 bytes for each location by UPRN.
///
/// ```no_run
/// use std::sync::atomic::AtomicBool;
///
/// use postcode_addresses::layouts::{Options, read};
///
/// let mut count = 0;
/// let report = read(&["CSV PAF.zip".into()], &Options::default(), &AtomicBool::new(false), &mut |address| {
///     count += 1;
///     println!("{}", address.single_line());
///     Ok(())
/// })?;
/// assert_eq!(report.total(), count);
/// # Ok::<(), postcode_addresses::layouts::Error>(())
/// ```
///
/// # Errors
/// If a file is not whole, files don't belong together, or more rows were refused than [`Options::max_refused`]. What
/// was passed on until then must not be published.
pub fn read(
    inputs: &[PathBuf],
    options: &Options,
    stop: &AtomicBool,
    sink: &mut dyn FnMut(&Address) -> io::Result<()>,
) -> Result<Report> {
    let names = || inputs.iter().map(|input| input.display().to_string()).collect::<Vec<_>>().join(", ");
    let found = find(inputs, options)?;
    let sources: Vec<&Found> = found.iter().filter(|found| found.family().is_some()).collect();
    let roads_only = sources.iter().all(|found| found.family() == Some(Family::Roads));
    let sources: Vec<&Found> =
        sources.into_iter().filter(|found| roads_only || found.family() != Some(Family::Roads)).collect();
    if sources.is_empty()
        && !found.iter().any(|found| matches!(found.layout, Layout::MultipleResidence | Layout::NotYetBuilt))
    {
        if let Some(changes) = found.iter().find(|found| found.layout == Layout::CsvPafChanges) {
            return Err(Error::ChangesOnly { file: changes.text.display.clone() });
        }
        let known = "CSV PAF, the PAF mainfile, AddressBase (Core, Standard, Plus, Premium, Islands), NGD Address, Pointer and OS Open Names";
        return Err(Error::Nothing { input: names(), known: known.to_owned() });
    }
    refuse_twice(&sources)?;
    refuse_editions(&sources)?;

    let mut reading = Reading::new(options, sink, stop);
    let of = |layout: Layout| {
        found
            .iter()
            .filter(move |found| found.layout == layout && found.map.is_none())
            .map(|found| &found.text)
    };
    if !roads_only {
        for layout in [Layout::OpenUprn, Layout::Onsud] {
            for text in of(layout) {
                points::read(&mut reading, text, layout)?;
            }
        }
        reading.points.finish();
    }
    read_csv_paf(&mut reading, &of)?;
    let joining = found.iter().filter_map(|found| Some((&found.text, found.map.as_ref()?)));
    read_mainfile(&mut reading, &of, joining.filter(|(_, map)| map.is_join()))?;
    let mut uprns = HashSet::new();
    // Delivery points come first, so that built addresses add to them.
    for layout in [
        Layout::AddressBaseCore,
        Layout::AddressBase,
        Layout::AddressBasePlus,
        Layout::NgdRoyalMail,
        Layout::NgdBuilt,
        Layout::Pointer,
    ] {
        for text in of(layout) {
            survey::read(&mut reading, text, layout, &mut uprns)?;
        }
    }
    drop(uprns);
    let mut records = premium::Records::default();
    for text in of(Layout::AddressBasePremium) {
        premium::read(&mut reading, text, &mut records)?;
    }
    premium::finish(&mut reading, records)?;
    for Found { text, map, layout } in &found {
        match map {
            Some(map) if map.is_join() => {}
            Some(map) => mapped::read(&mut reading, text, map)?,
            None if *layout == Layout::Unconfirmed => {
                reading.report.doubt(Doubt::Unconfirmed, &text.display, 0, "")?
            }
            None => {}
        }
    }
    if roads_only {
        let mut seen = HashSet::new();
        for text in of(Layout::OpenNames) {
            roads::read(&mut reading, text, &mut seen)?;
        }
    }
    if reading.report.total() == 0 {
        let refusals = reading.report.refusals();
        let refused = if refusals.is_empty() { refusals } else { format!(" Rows were refused: {refusals}.") };
        return Err(Error::Empty { file: names(), refused });
    }
    if reading.report.edition.is_none() {
        reading.report.edition = sources.iter().find_map(|found| edition(&found.text.path));
    }
    Ok(reading.report)
}

fn read_csv_paf<'t, T: Iterator<Item = &'t Text>>(
    reading: &mut Reading<'_>,
    of: &impl Fn(Layout) -> T,
) -> Result<()> {
    let mut forms = paf::WelshForms::default();
    let mut changes = paf::Changes::default();
    let mut base = of(Layout::CsvPaf).peekable();
    let parents = base.peek().is_some();
    if parents {
        for text in of(Layout::CsvPafWelsh) {
            paf::read_welsh(reading, text, &mut forms)?;
        }
        for text in of(Layout::CsvPafChanges) {
            paf::read_changes(reading, text, &mut changes)?;
        }
        for text in base {
            paf::read(reading, text, &mut forms, &mut changes)?;
        }
        paf::finish(reading, &mut forms, changes)?;
    }
    for text in of(Layout::MultipleResidence) {
        paf::read_multiple_residence(reading, text, parents)?;
    }
    for text in of(Layout::NotYetBuilt) {
        paf::read_not_yet_built(reading, text)?;
    }
    Ok(())
}

fn read_mainfile<'t, T: Iterator<Item = &'t Text>>(
    reading: &mut Reading<'_>,
    of: &impl Fn(Layout) -> T,
    joining: impl Iterator<Item = (&'t Text, &'t ColumnMap)>,
) -> Result<()> {
    if of(Layout::Mainfile).next().is_none() {
        return Ok(());
    }
    let mut keys = mainfile::Keys::new(reading.options.title_case);
    for layout in [
        Layout::MainfileLocalities,
        Layout::MainfileThoroughfares,
        Layout::MainfileDescriptors,
        Layout::MainfileBuildings,
        Layout::MainfileSubBuildings,
        Layout::MainfileOrganisations,
    ] {
        for text in of(layout) {
            mainfile::read_keys(reading, text, layout, &mut keys)?;
        }
    }
    keys.check()?;
    let mut forms = mainfile::WelshForms::new();
    for text in of(Layout::MainfileWelsh) {
        mainfile::read_welsh(reading, text, &mut keys, &mut forms)?;
    }
    let mut joined = mapped::Joined::default();
    for (text, map) in joining {
        joined.read(reading, text, map)?;
    }
    let mut seen = mainfile::Seen::default();
    for text in of(Layout::Mainfile) {
        mainfile::read(reading, text, &mut keys, &mut forms, &mut seen, &joined)?;
    }
    reading.report.edition = keys.edition().map(str::to_owned);
    for (key, _, _) in forms.into_keys() {
        reading.report.doubt(Doubt::WelshOnly, "the Welsh file", 0, format_args!("address key {key}"))?;
    }
    Ok(())
}

/// Returns an error if two files hold the same addresses.
fn refuse_twice(sources: &[&Found]) -> Result<()> {
    let both = |first: &Found, second: &Found| Error::Twice {
        first: first.text.display.clone(),
        first_layout: first.layout.as_str(),
        second: second.text.display.clone(),
        second_layout: second.layout.as_str(),
    };
    let apart = |first: Family, second: Family| {
        // Pointer is Northern Ireland, which Ordnance Survey does not cover.
        let survey = |family| {
            matches!(
                family,
                Family::Core | Family::AddressBase | Family::Plus | Family::Premium | Family::Ngd
            )
        };
        first == second
            || first == Family::Mapped
            || second == Family::Mapped
            || (first == Family::Pointer && survey(second))
            || (survey(first) && second == Family::Pointer)
    };
    for (at, second) in sources.iter().enumerate() {
        for first in &sources[..at] {
            let (Some(a), Some(b)) = (first.family(), second.family()) else { continue };
            if !apart(a, b)
                || (a == b
                    && a != Family::Roads
                    && a != Family::Mapped
                    && first.text.name() == second.text.name())
            {
                return Err(both(first, second));
            }
        }
    }
    Ok(())
}

/// Returns an error if the names of two files say different editions.
fn refuse_editions(sources: &[&Found]) -> Result<()> {
    let mut first: HashMap<Layout, (&Found, String)> = HashMap::new();
    for found in sources {
        let Some(edition) = edition(&found.text.path) else { continue };
        match first.get(&found.layout) {
            Some((before, said)) if *said != edition => {
                return Err(Error::Editions {
                    first: before.text.display.clone(),
                    first_edition: said.clone(),
                    second: found.text.display.clone(),
                    second_edition: edition,
                });
            }
            Some(_) => {}
            None => {
                first.insert(found.layout, (found, edition));
            }
        }
    }
    Ok(())
}

/// Returns the edition that a path names: `2026-11-01` or `Y26M11`.
fn edition(path: &str) -> Option<String> {
    let is_date = |text: &str| {
        text.bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() })
    };
    let windows = |length: usize| path.char_indices().filter_map(move |(at, _)| path.get(at..at + length));
    windows(10)
        .find(|text| is_date(text))
        .or_else(|| windows(6).find(|text| detect::is_edition(text)))
        .map(str::to_ascii_uppercase)
}
