//! Ordnance Survey's files with one address a row: AddressBase Core, AddressBase, Plus, NGD; and Pointer.

use std::collections::HashSet;

use super::detect::Layout;
use super::error::Result;
use super::paf::welsh;
use super::reading::{Reading, Refusal, postcode, udprn, uprn};
use super::report::Doubt;
use super::rows::Rows;
use super::source::Text;
use crate::format::number_range;
use crate::model::{Address, Dataset, Geographic, Grid, Kind, Point};

/// Whether a row is an address.
type Filled = std::result::Result<bool, Refusal>;

pub(super) fn point(rows: &Rows<'_>, [east, north, latitude, longitude]: [usize; 4]) -> Option<Point> {
    let grid =
        rows.decimal(east).zip(rows.decimal(north)).map(|(eastings, northings)| Grid { eastings, northings });
    let geographic = rows
        .decimal(latitude)
        .zip(rows.decimal(longitude))
        .map(|(latitude, longitude)| Geographic { latitude, longitude });
    (grid.is_some() || geographic.is_some()).then_some(Point { grid, geographic })
}

fn columns(rows: &Rows<'_>, expected: usize) -> std::result::Result<(), Refusal> {
    if rows.columns() == expected {
        Ok(())
    } else {
        Err((Doubt::Columns, format!("{} columns and not {expected}", rows.columns())))
    }
}

/// Reads a file with one address a row. `uprns` holds what was read before, and gets what is read.
pub(super) fn read(
    reading: &mut Reading<'_>,
    text: &Text,
    layout: Layout,
    uprns: &mut HashSet<u64>,
) -> Result<()> {
    let mut address = Address::default();
    let mut header: Option<Vec<String>> = None;
    let delimiter = if layout == Layout::Pointer { b'|' } else { b',' };
    reading.rows(text, layout, delimiter, |reading, rows| {
        let named = matches!(
            layout,
            Layout::AddressBaseCore | Layout::NgdRoyalMail | Layout::NgdBuilt | Layout::Pointer
        );
        if named && header.is_none() {
            header = Some((0..rows.columns()).map(|column| rows.text(column).to_ascii_lowercase()).collect());
            return Ok(Ok(()));
        }
        if !named && rows.rows == 1 && rows.bytes(0).eq_ignore_ascii_case(b"uprn") {
            return Ok(Ok(()));
        }
        address.clear();
        let names = header.as_deref().unwrap_or_default();
        let filled = match layout {
            Layout::AddressBaseCore => columns(rows, names.len()).and_then(|()| core(rows, &mut address)),
            Layout::AddressBase => columns(rows, 27).and_then(|()| addressbase(rows, &mut address)),
            Layout::AddressBasePlus => columns(rows, 77).and_then(|()| plus(rows, &mut address)),
            Layout::NgdRoyalMail => {
                columns(rows, names.len()).and_then(|()| royal_mail(rows, names, &mut address))
            }
            Layout::NgdBuilt => columns(rows, names.len()).and_then(|()| built(rows, names, &mut address)),
            _ => columns(rows, names.len()).and_then(|()| pointer(rows, names, &mut address)),
        };
        match filled {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(false) => {
                let identity = rows.text(0).into_owned();
                return reading.report.doubt(Doubt::NotAddress, &text.display, rows.line(), identity).map(Ok);
            }
            Ok(true) => {}
        }
        // Of built addresses those are new that have no delivery point.
        let twice = match (layout, address.udprn, address.uprn) {
            (Layout::NgdRoyalMail, Some(udprn), uprn) => {
                uprns.extend(uprn);
                !reading.seen.insert(udprn)
            }
            (Layout::NgdBuilt, _, Some(uprn)) if uprns.contains(&uprn) => return Ok(Ok(())),
            (_, _, Some(uprn)) => !uprns.insert(uprn),
            _ => false,
        };
        if twice {
            let identity = rows.text(0).into_owned();
            return reading.report.doubt(Doubt::Twice, &text.display, rows.line(), identity).map(Ok);
        }
        reading.check_postcode(&address.postcode, &text.display, rows.line())?;
        reading.emit(&mut address).map(Ok)
    })
}

fn core(rows: &mut Rows<'_>, address: &mut Address) -> Filled {
    address.dataset = Dataset::AddressBase;
    if rows.bytes(26).eq_ignore_ascii_case(b"D") {
        return Ok(false);
    }
    (address.uprn, address.parent_uprn, address.udprn) = (uprn(rows, 0)?, uprn(rows, 1)?, udprn(rows, 2)?);
    address.point = point(rows, [6, 7, 8, 9]);
    rows.put(13, &mut address.po_box);
    rows.put(14, &mut address.organisation);
    rows.put(15, &mut address.sub_building);
    rows.put(16, &mut address.building_name);
    rows.put(17, &mut address.building_number);
    rows.put(18, &mut address.thoroughfare);
    rows.put(19, &mut address.dependent_locality);
    rows.put(21, &mut address.post_town);
    if address.post_town.is_empty() {
        rows.put(20, &mut address.post_town);
    }
    postcode(rows, 23, address)?;
    rows.put(24, &mut address.delivery_point_suffix);
    Ok(true)
}

fn addressbase(rows: &mut Rows<'_>, address: &mut Address) -> Filled {
    address.dataset = Dataset::AddressBase;
    if rows.bytes(22).eq_ignore_ascii_case(b"D") {
        return Ok(false);
    }
    (address.uprn, address.udprn) = (uprn(rows, 0)?, udprn(rows, 2)?);
    rows.put(3, &mut address.organisation);
    rows.put(4, &mut address.department);
    rows.put(5, &mut address.po_box);
    rows.put(6, &mut address.sub_building);
    rows.put(7, &mut address.building_name);
    rows.put(8, &mut address.building_number);
    rows.put(9, &mut address.dependent_thoroughfare);
    rows.put(10, &mut address.thoroughfare);
    rows.put(11, &mut address.post_town);
    rows.put(12, &mut address.double_dependent_locality);
    rows.put(13, &mut address.dependent_locality);
    postcode(rows, 14, address)?;
    address.kind = Kind::parse(&rows.text(15));
    address.point = point(rows, [16, 17, 18, 19]);
    Ok(true)
}

fn plus(rows: &mut Rows<'_>, address: &mut Address) -> Filled {
    address.dataset = Dataset::AddressBase;
    // Not postal, deleted, or demolished.
    if rows.bytes(68).eq_ignore_ascii_case(b"N")
        || rows.bytes(2).eq_ignore_ascii_case(b"D")
        || rows.bytes(3) == b"4"
    {
        return Ok(false);
    }
    (address.uprn, address.udprn, address.parent_uprn) = (uprn(rows, 0)?, udprn(rows, 1)?, uprn(rows, 6)?);
    address.point = point(rows, [7, 8, 9, 10]);
    rows.put(67, &mut address.delivery_point_suffix);
    address.kind = Kind::parse(&rows.text(66));
    if address.udprn.is_some() {
        rows.put(17, &mut address.organisation);
        rows.put(19, &mut address.department);
        rows.put(21, &mut address.sub_building);
        rows.put(22, &mut address.building_name);
        rows.put(23, &mut address.building_number);
        rows.put(51, &mut address.dependent_thoroughfare);
        rows.put(52, &mut address.thoroughfare);
        rows.put(55, &mut address.double_dependent_locality);
        rows.put(56, &mut address.dependent_locality);
        rows.put(62, &mut address.post_town);
        rows.put(69, &mut address.po_box);
        postcode(rows, 64, address)?;
        let texts = [53, 54, 59, 58, 63].map(|column| rows.text(column));
        let [dependent_thoroughfare, thoroughfare, double, dependent, town] = &texts;
        address.welsh =
            welsh(["", "", "", "", dependent_thoroughfare, thoroughfare, double, dependent, town], address);
        return Ok(true);
    }
    rows.put(18, &mut address.organisation);
    let secondary =
        Object { text: &rows.text(28), numbers: [24, 25, 26, 27].map(|column| rows.text(column)) };
    let primary = Object { text: &rows.text(34), numbers: [30, 31, 32, 33].map(|column| rows.text(column)) };
    local_premises(&secondary, &primary, address);
    rows.put(49, &mut address.thoroughfare);
    rows.put(57, &mut address.dependent_locality);
    rows.put(62, &mut address.post_town);
    if address.post_town.is_empty() {
        rows.put(60, &mut address.post_town);
    }
    // A place without street names has a street that is called like the place.
    let place =
        if address.dependent_locality.is_empty() { &address.post_town } else { &address.dependent_locality };
    if address.thoroughfare.eq_ignore_ascii_case(place) {
        address.thoroughfare.clear();
    }
    postcode(rows, if rows.bytes(65).is_empty() { 64 } else { 65 }, address)?;
    Ok(true)
}

/// The primary or secondary object of a local authority's record.
pub(super) struct Object<'a> {
    pub(super) text: &'a str,
    /// Start number, start suffix, end number, end suffix.
    pub(super) numbers: [std::borrow::Cow<'a, str>; 4],
}

impl Object<'_> {
    fn range(&self) -> String {
        number_range(self.numbers.each_ref().map(|number| &**number))
    }

    fn words(&self) -> String {
        let range = self.range();
        match (self.text.is_empty(), range.is_empty()) {
            (false, false) => format!("{} {range}", self.text),
            (false, true) => self.text.to_owned(),
            _ => range,
        }
    }
}

/// Writes secondary and primary object into sub-building, building name and number.
pub(super) fn local_premises(secondary: &Object<'_>, primary: &Object<'_>, address: &mut Address) {
    address.sub_building = secondary.words();
    let range = primary.range();
    let plain = !range.is_empty() && range.len() <= 4 && range.bytes().all(|byte| byte.is_ascii_digit());
    if plain {
        address.building_number = range;
        primary.text.clone_into(&mut address.building_name);
    } else {
        // Royal Mail keeps a range or a suffix at the end of the name.
        address.building_name = primary.words();
    }
}

/// Returns the column of a name.
fn at(names: &[String], name: &str) -> usize {
    names.iter().position(|column| column == name).unwrap_or(usize::MAX)
}

fn royal_mail(rows: &mut Rows<'_>, names: &[String], address: &mut Address) -> Filled {
    let column = |name: &str| at(names, name);
    if !rows.bytes(column("versionavailabletodate")).is_empty()
        || rows.text(column("changetype")).starts_with("End")
    {
        return Ok(false);
    }
    address.dataset = if rows.text(column("description")).eq_ignore_ascii_case("Not Yet Built") {
        Dataset::NotYetBuilt
    } else {
        Dataset::Ngd
    };
    (address.udprn, address.uprn) = (udprn(rows, column("udprn"))?, uprn(rows, column("uprn"))?);
    for (name, text) in [
        ("organisationname", &mut address.organisation),
        ("departmentname", &mut address.department),
        ("poboxnumber", &mut address.po_box),
        ("subbuildingname", &mut address.sub_building),
        ("buildingname", &mut address.building_name),
        ("buildingnumber", &mut address.building_number),
        ("dependentthoroughfare", &mut address.dependent_thoroughfare),
        ("thoroughfare", &mut address.thoroughfare),
        ("doubledependentlocality", &mut address.double_dependent_locality),
        ("dependentlocality", &mut address.dependent_locality),
        ("posttown", &mut address.post_town),
        ("deliverypointsuffix", &mut address.delivery_point_suffix),
    ] {
        rows.put(column(name), text);
    }
    postcode(rows, column("postcode"), address)?;
    address.kind = Kind::parse(&rows.text(column("postcodetype")));
    address.point = point(rows, ["easting", "northing", "latitude", "longitude"].map(column));
    let texts = [
        "welshdependentthoroughfare",
        "welshthoroughfare",
        "welshdoubledependentlocality",
        "welshdependentlocality",
        "welshposttown",
    ]
    .map(|name| rows.text(column(name)));
    let [dependent_thoroughfare, thoroughfare, double, dependent, town] = &texts;
    address.welsh =
        welsh(["", "", "", "", dependent_thoroughfare, thoroughfare, double, dependent, town], address);
    Ok(true)
}

fn built(rows: &mut Rows<'_>, names: &[String], address: &mut Address) -> Filled {
    let column = |name: &str| at(names, name);
    let status = rows.text(column("addressstatus"));
    if !rows.text(column("description")).starts_with("Postal")
        || !(status.is_empty() || status.eq_ignore_ascii_case("Approved"))
        || !rows.bytes(column("effectiveenddate")).is_empty()
        || !rows.bytes(column("versionavailabletodate")).is_empty()
        || rows.text(column("changetype")).starts_with("End")
    {
        return Ok(false);
    }
    address.dataset = Dataset::Ngd;
    (address.uprn, address.parent_uprn) = (uprn(rows, column("uprn"))?, uprn(rows, column("parentuprn"))?);
    for (name, text) in [
        ("organisationname", &mut address.organisation),
        ("poboxnumber", &mut address.po_box),
        ("subname", &mut address.sub_building),
        ("name", &mut address.building_name),
        ("number", &mut address.building_number),
        ("streetname", &mut address.thoroughfare),
        ("locality", &mut address.dependent_locality),
        ("townname", &mut address.post_town),
    ] {
        rows.put(column(name), text);
    }
    postcode(rows, column("postcode"), address)?;
    address.point = point(rows, ["easting", "northing", "latitude", "longitude"].map(column));
    if rows.text(column("alternatelanguage")).eq_ignore_ascii_case("cym") {
        let texts = [
            "alternatelanguagesubname",
            "alternatelanguagename",
            "alternatelanguagestreetname",
            "alternatelanguagelocality",
            "alternatelanguagetownname",
        ]
        .map(|name| rows.text(column(name)));
        let [sub, name, street, locality, town] = &texts;
        address.welsh = welsh(["", "", sub, name, "", street, "", locality, town], address);
    }
    Ok(true)
}

fn pointer(rows: &mut Rows<'_>, names: &[String], address: &mut Address) -> Filled {
    let column = |name: &str| at(names, name);
    address.dataset = Dataset::Pointer;
    let status = rows.bytes(column("logical_status"));
    if !(status.is_empty() || status == b"1") {
        return Ok(false);
    }
    let number = |name: &str| uprn(rows, column(name));
    (address.uprn, address.parent_uprn) = (number("uprn")?, number("parent_uprn")?);
    // An address that is its own parent has none.
    address.parent_uprn = address.parent_uprn.filter(|parent| Some(*parent) != address.uprn);
    address.udprn = udprn(rows, column("udprn"))?;
    for (name, text) in [
        ("organisation", &mut address.organisation),
        ("sub_building_name", &mut address.sub_building),
        ("building_name", &mut address.building_name),
        ("building_number", &mut address.building_number),
        ("dependent_thoroughfare", &mut address.dependent_thoroughfare),
        ("thoroughfare", &mut address.thoroughfare),
        ("locality", &mut address.dependent_locality),
        ("post_town", &mut address.post_town),
    ] {
        rows.put(column(name), text);
    }
    let town = rows.text(column("town_name"));
    if address.post_town.is_empty() {
        address.post_town.push_str(&town);
    } else if address.dependent_locality.is_empty() && !town.eq_ignore_ascii_case(&address.post_town) {
        // The town is not always the post town, and then it is where the street is.
        address.dependent_locality.push_str(&town);
    }
    postcode(rows, column("postcode"), address)?;
    address.point = point(rows, ["x_coordinate", "y_coordinate", "latitude", "longitude"].map(column));
    Ok(true)
}
