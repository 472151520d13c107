//! Which layout a file has, by what stands in it.

use serde::Serialize;

use super::rows::Rows;
use super::source::Text;

/// Bytes of a file's beginning by which its layout is told.
pub(super) const SAMPLE: usize = 64 << 10;

/// The layout of a publisher's file.
///
/// [`as_str`](Self::as_str) names it:
///
/// ```
/// use postcode_addresses::layouts::Layout;
///
/// println!("{}", Layout::AddressBasePlus.as_str());
/// assert_ne!(Layout::AddressBase.as_str(), Layout::AddressBasePlus.as_str());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layout {
    /// Royal Mail's CSV PAF with 16 or 20 columns.
    CsvPaf,
    /// The Welsh forms of CSV PAF.
    CsvPafWelsh,
    /// Royal Mail's Not Yet Built.
    NotYetBuilt,
    /// Royal Mail's Multiple Residence.
    MultipleResidence,
    /// Royal Mail's changes to CSV PAF.
    CsvPafChanges,
    /// The addresses of Royal Mail's mainfile.
    Mainfile,
    /// The Welsh forms of the mainfile.
    MainfileWelsh,
    /// The mainfile's localities.
    MainfileLocalities,
    /// The mainfile's thoroughfares.
    MainfileThoroughfares,
    /// The mainfile's thoroughfare descriptors.
    MainfileDescriptors,
    /// The mainfile's building names.
    MainfileBuildings,
    /// The mainfile's sub-building names.
    MainfileSubBuildings,
    /// The mainfile's organisations.
    MainfileOrganisations,
    /// The mainfile's Mailsort codes, which have no addresses.
    MainfileMailsort,
    /// AddressBase Core.
    AddressBaseCore,
    /// AddressBase.
    AddressBase,
    /// AddressBase Plus.
    AddressBasePlus,
    /// AddressBase Premium or Islands.
    AddressBasePremium,
    /// NGD Royal Mail Address.
    NgdRoyalMail,
    /// NGD Built Address.
    NgdBuilt,
    /// NISRA Pointer.
    Pointer,
    /// ONS UPRN Directory.
    Onsud,
    /// OS Open UPRN.
    OpenUprn,
    /// OS Open Names.
    OpenNames,
    /// A file of Royal Mail whose layout is not confirmed: Alias, BFPO, PIF, Just Built, Postzon, and other files of the
    /// mainfile.
    Unconfirmed,
}

/// Files that hold the same addresses as other files of the family, or add to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    CsvPaf,
    Mainfile,
    Core,
    AddressBase,
    Plus,
    Premium,
    Ngd,
    Pointer,
    Roads,
    Mapped,
}

impl Layout {
    /// Returns the layout's name for people.
    ///
    /// ```
    /// use postcode_addresses::layouts::Layout;
    ///
    /// assert_eq!(Layout::CsvPaf.as_str(), "CSV PAF");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CsvPaf => "CSV PAF",
            Self::CsvPafWelsh => "CSV PAF Welsh",
            Self::NotYetBuilt => "Not Yet Built",
            Self::MultipleResidence => "Multiple Residence",
            Self::CsvPafChanges => "CSV PAF Changes",
            Self::Mainfile => "PAF mainfile",
            Self::MainfileWelsh => "PAF mainfile, Welsh",
            Self::MainfileLocalities => "PAF mainfile, localities",
            Self::MainfileThoroughfares => "PAF mainfile, thoroughfares",
            Self::MainfileDescriptors => "PAF mainfile, descriptors",
            Self::MainfileBuildings => "PAF mainfile, building names",
            Self::MainfileSubBuildings => "PAF mainfile, sub-building names",
            Self::MainfileOrganisations => "PAF mainfile, organisations",
            Self::MainfileMailsort => "PAF mainfile, Mailsort",
            Self::AddressBaseCore => "AddressBase Core",
            Self::AddressBase => "AddressBase",
            Self::AddressBasePlus => "AddressBase Plus",
            Self::AddressBasePremium => "AddressBase Premium",
            Self::NgdRoyalMail => "NGD Royal Mail Address",
            Self::NgdBuilt => "NGD Built Address",
            Self::Pointer => "NISRA Pointer",
            Self::Onsud => "ONSUD",
            Self::OpenUprn => "OS Open UPRN",
            Self::OpenNames => "OS Open Names",
            Self::Unconfirmed => "unconfirmed layout",
        }
    }

    /// Returns the family whose addresses the file is a source of.
    pub(super) const fn family(self) -> Option<Family> {
        Some(match self {
            Self::CsvPaf => Family::CsvPaf,
            Self::Mainfile => Family::Mainfile,
            Self::AddressBaseCore => Family::Core,
            Self::AddressBase => Family::AddressBase,
            Self::AddressBasePlus => Family::Plus,
            Self::AddressBasePremium => Family::Premium,
            Self::NgdRoyalMail | Self::NgdBuilt => Family::Ngd,
            Self::Pointer => Family::Pointer,
            Self::OpenNames => Family::Roads,
            _ => return None,
        })
    }
}

/// Returns the layout of a file, or `None` if it is not known.
pub(super) fn layout(text: &Text, start: &[u8]) -> Option<Layout> {
    mainfile(text.name(), start).or_else(|| delimited(text, start))
}

fn mainfile(name: &str, start: &[u8]) -> Option<Layout> {
    let line = start.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let line = std::str::from_utf8(line).ok()?;
    if let Some(edition) = line.strip_prefix("    ")
        && is_edition(edition.trim_end())
    {
        return Some(Layout::MainfileMailsort);
    }
    let (addresses, line) = line.strip_prefix("       ").map_or((false, line), |rest| (true, rest));
    let rest = line.strip_prefix("00000000")?;
    let (table, edition) = rest.split_at_checked(8)?;
    if !is_edition(edition.get(..6)?) {
        return None;
    }
    Some(match table {
        "ADDRESS " if addresses && name.to_ascii_lowercase().starts_with("wf") => Layout::MainfileWelsh,
        "ADDRESS " if addresses => Layout::Mainfile,
        "LOCALITY" => Layout::MainfileLocalities,
        "THOROUGH" => Layout::MainfileThoroughfares,
        "THDESCRI" => Layout::MainfileDescriptors,
        "BUILDING" => Layout::MainfileBuildings,
        "SUBBUILD" => Layout::MainfileSubBuildings,
        "ORGANISA" => Layout::MainfileOrganisations,
        // Aliases, ranges, the file that joins UDPRNs, ….
        _ => Layout::Unconfirmed,
    })
}

/// Returns whether a text is Royal Mail's form of an edition: `Y26M11`.
pub(super) fn is_edition(text: &str) -> bool {
    matches!(text.as_bytes(), [b'Y' | b'y', a, b, b'M' | b'm', c, d] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()))
}

fn delimited(text: &Text, start: &[u8]) -> Option<Layout> {
    // The last line of the sample may be cut.
    let whole = start.iter().rposition(|&byte| byte == b'\n').map_or(start, |at| &start[..=at]);
    if let Some(layout) = piped(whole) {
        return Some(layout);
    }
    let mut bytes = whole;
    let mut rows = Rows::new(&mut bytes, &text.display, b',');
    // A header in front of a file that usually has none is allowed.
    for first in [true, false] {
        if !rows.next().ok()? {
            break;
        }
        if first && let Some(layout) = by_header(&rows) {
            return Some(layout);
        }
        if let Some(layout) = by_row(&rows, &text.path) {
            return Some(layout);
        }
    }
    let name = text.name().to_ascii_lowercase();
    let unconfirmed = ["alias", "bfpo", "pif", "just built", "postzon"];
    (name.ends_with(".csv") && unconfirmed.iter().any(|word| name.contains(word)))
        .then_some(Layout::Unconfirmed)
}

fn piped(start: &[u8]) -> Option<Layout> {
    let header = start.split(|&byte| byte == b'\n').next()?.to_ascii_lowercase();
    let has =
        |name: &str| header.split(|&byte| byte == b'|').any(|column| column.trim_ascii() == name.as_bytes());
    (has("uprn") && has("postcode") && has("building_number") && header.contains(&b'|'))
        .then_some(Layout::Pointer)
}

fn by_header(rows: &Rows<'_>) -> Option<Layout> {
    let names: Vec<String> =
        (0..rows.columns()).map(|column| rows.text(column).to_ascii_lowercase()).collect();
    let has = |name: &str| names.iter().any(|column| column == name);
    if has("uprn") && has("single_line_address") && has("street_name") {
        Some(Layout::AddressBaseCore)
    } else if has("udprn") && has("dependentthoroughfare") && has("posttown") {
        Some(Layout::NgdRoyalMail)
    } else if has("uprn") && has("fulladdress") && has("streetname") {
        Some(Layout::NgdBuilt)
    } else if names.len() == 5 && has("uprn") && has("x_coordinate") && has("latitude") {
        Some(Layout::OpenUprn)
    } else if has("uprn")
        && (has("gridgb1e") || names.iter().any(|name| name.starts_with("oa11") || name.starts_with("oa21")))
    {
        Some(Layout::Onsud)
    } else {
        None
    }
}

fn by_row(rows: &Rows<'_>, path: &str) -> Option<Layout> {
    let columns = rows.columns();
    let digits = |column: usize, least: usize, most: usize| {
        let value = rows.bytes(column);
        (least..=most).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
    };
    let postcode = |column: usize| crate::postcode::put(rows.bytes(column), &mut String::new());
    let one_of =
        |column: usize, letters: &[u8]| matches!(rows.bytes(column), [letter] if letters.contains(letter));
    if matches!(columns, 20 | 24) && one_of(2, b"ICBD") && postcode(4) {
        return Some(Layout::CsvPafChanges);
    }
    if columns >= 21 && postcode(0) && digits(11, 1, 8) && one_of(12, b"SL") && digits(20, 1, 9) {
        return Some(Layout::MultipleResidence);
    }
    if matches!(columns, 16 | 20) && postcode(0) && digits(12, 1, 8) && one_of(13, b"SL") {
        let path = path.to_ascii_lowercase();
        let name = path.rsplit('/').next().unwrap_or(&path);
        return Some(if name.contains("welsh") {
            Layout::CsvPafWelsh
        } else if name.contains("not yet built") || name.contains("nyb") || path.contains("csv nyb/") {
            Layout::NotYetBuilt
        } else {
            Layout::CsvPaf
        });
    }
    if columns == 27 && digits(0, 1, 12) && rows.bytes(1).starts_with(b"osgb") {
        return Some(Layout::AddressBase);
    }
    if columns == 77 && digits(0, 1, 12) && one_of(2, b"IUD") {
        return Some(Layout::AddressBasePlus);
    }
    if columns == 34
        && rows.bytes(0).starts_with(b"osgb")
        && rows.text(1).contains("data.ordnancesurvey.co.uk/id/")
    {
        return Some(Layout::OpenNames);
    }
    let record = rows.bytes(0);
    let widths: &[usize] = match record {
        b"10" => &[9],
        b"11" => &[20, 24],
        b"15" => &[13],
        b"21" => &[22],
        b"23" | b"32" => &[12],
        b"24" => &[26],
        b"28" => &[29],
        b"29" => &[17],
        b"30" => &[10],
        b"31" => &[11],
        _ => return None,
    };
    widths.contains(&columns).then_some(Layout::AddressBasePremium)
}
