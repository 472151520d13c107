//! OS Open Names: of its 34 columns and many kinds of names, the populated places, the islands, and
//! the areas that the places lie in.

use std::collections::BTreeMap;

use postcode_core::Place;
use postcode_core::dataset::DatasetBuilder;

use super::lines::Splitter;
use super::row::Refusal;
use crate::ostn15;

/// The columns, as OS's header has them; the files are published without it.
pub(super) const COLUMNS: [&str; 34] = [
    "ID",
    "NAMES_URI",
    "NAME1",
    "NAME1_LANG",
    "NAME2",
    "NAME2_LANG",
    "TYPE",
    "LOCAL_TYPE",
    "GEOMETRY_X",
    "GEOMETRY_Y",
    "MOST_DETAIL_VIEW_RES",
    "LEAST_DETAIL_VIEW_RES",
    "MBR_XMIN",
    "MBR_YMIN",
    "MBR_XMAX",
    "MBR_YMAX",
    "POSTCODE_DISTRICT",
    "POSTCODE_DISTRICT_URI",
    "POPULATED_PLACE",
    "POPULATED_PLACE_URI",
    "POPULATED_PLACE_TYPE",
    "DISTRICT_BOROUGH",
    "DISTRICT_BOROUGH_URI",
    "DISTRICT_BOROUGH_TYPE",
    "COUNTY_UNITARY",
    "COUNTY_UNITARY_URI",
    "COUNTY_UNITARY_TYPE",
    "REGION",
    "REGION_URI",
    "COUNTRY",
    "COUNTRY_URI",
    "RELATED_SPATIAL_OBJECT",
    "SAME_AS_DBPEDIA",
    "SAME_AS_GEONAMES",
];

/// Returns whether a first line is of OS Open Names: its header, or a row with the URI of a name
/// and coordinates.
pub(super) fn is_row<S: AsRef<str>>(cells: &[S]) -> bool {
    let cell = |at: usize| cells[at].as_ref();
    cells.len() == COLUMNS.len()
        && (is_header(cell(0), cell(1))
            || cell(1).starts_with("http://data.ordnancesurvey.co.uk/id/")
                && (8..10).all(|at| cell(at).parse::<f64>().is_ok()))
}

/// Returns whether these are the first two cells of the header, which some editions have.
pub(super) fn is_header(id: &str, uri: &str) -> bool {
    id.eq_ignore_ascii_case(COLUMNS[0]) && uri.eq_ignore_ascii_case(COLUMNS[1])
}

/// The counties, unitary authorities and districts of the places that were read, by their codes. OS
/// Open Names has no rows of them.
#[derive(Default)]
pub(super) struct Areas(BTreeMap<String, Area>);

/// An area and the sums of its places' coordinates.
struct Area {
    place: Place,
    places: u64,
    eastings: u64,
    northings: u64,
}

impl Areas {
    /// The columns of an area's name: district or borough, county or unitary authority. Its address
    /// and kind follow.
    const COLUMNS: [usize; 2] = [21, 24];

    fn see(&mut self, line: &Splitter, place: &Place) {
        for at in Self::COLUMNS {
            let text = |at: usize| std::str::from_utf8(line.cell(at)).ok().filter(|text| !text.is_empty());
            let last = |at: usize| text(at)?.rsplit('/').next();
            let (Some(name), Some(id), Some(kind)) = (text(at), last(at + 1), last(at + 2)) else { continue };
            let area = self.0.entry(format!("osgb{id}")).or_insert_with_key(|code| {
                let mut area = Place::new(code, name, kind);
                (area.region, area.country) = (place.region.clone(), place.country.clone());
                // A district is in a county.
                if at == Self::COLUMNS[0] {
                    (area.county_unitary, area.county_unitary_type) =
                        (place.county_unitary.clone(), place.county_unitary_type.clone());
                }
                Area { place: area, places: 0, eastings: 0, northings: 0 }
            });
            area.places += 1;
            area.eastings += u64::from(place.eastings);
            area.northings += u64::from(place.northings);
        }
    }

    /// Adds them, each in the middle of its places.
    pub(super) fn add(self, builder: &mut DatasetBuilder) -> postcode_core::Result<()> {
        for Area { mut place, places, eastings, northings } in self.0.into_values() {
            let mean = |sum: u64| (sum / places.max(1)) as u32;
            (place.eastings, place.northings) = (mean(eastings), mean(northings));
            if let Some(location) = ostn15::location(place.eastings.into(), place.northings.into()) {
                (place.latitude, place.longitude) = (Some(location.latitude()), Some(location.longitude()));
            }
            builder.push_wider_place(&place)?;
        }
        Ok(())
    }
}

/// Adds the place of a line. Returns false for other lines, such as a road, a hill or a postcode.
/// Islands are added but not counted, because they are not populated places.
pub(super) fn read(
    line: &Splitter,
    builder: &mut DatasetBuilder,
    areas: &mut Areas,
) -> Result<bool, Refusal> {
    if line.count() != COLUMNS.len() {
        let reason = format!("{} cells where OS Open Names has {}", line.count(), COLUMNS.len());
        return Err(Refusal { column: None, reason: reason.into() });
    }
    let is_populated = line.cell(6) == b"populatedPlace";
    if !is_populated && !is_island(line) {
        return Ok(false);
    }
    let text = |at: usize| match std::str::from_utf8(line.cell(at)) {
        Ok(text) => Ok((!text.is_empty()).then(|| text.to_owned())),
        Err(_) => Err(Refusal { column: Some(at), reason: "not in UTF-8".into() }),
    };
    let needed = |at: usize| text(at)?.ok_or(Refusal { column: Some(at), reason: "nothing there".into() });
    // The last part of the address of a concept.
    let kind = |at: usize| Ok(text(at)?.map(|uri| uri.rsplit('/').next().unwrap_or_default().to_owned()));
    let mut place = Place::new(needed(0)?, needed(2)?, needed(7)?);
    (place.name_1_lang, place.name_2, place.name_2_lang) = (text(3)?, text(4)?, text(5)?);
    place.outcode = match text(16)? {
        None => None,
        Some(district) => {
            let outcode = district.parse();
            Some(outcode.map_err(|_| Refusal { column: Some(16), reason: "not an outcode".into() })?)
        }
    };
    (place.district_borough, place.district_borough_type) = (text(21)?, kind(23)?);
    (place.county_unitary, place.county_unitary_type) = (text(24)?, kind(26)?);
    (place.region, place.country) = (text(27)?, text(29)?);
    let metres = |at: usize| metres(line, at);
    let there = |at: usize| metres(at)?.ok_or(Refusal { column: Some(at), reason: "nothing there".into() });
    let (east, north) = (there(8)?, there(9)?);
    // Whole metres are cut off, as postcodes.io does.
    (place.eastings, place.northings) = (east as u32, north as u32);
    let whole = |at: usize| Ok(metres(at)?.map(|metres| metres as u32));
    (place.min_eastings, place.min_northings) = (whole(12)?, whole(13)?);
    (place.max_eastings, place.max_northings) = (whole(14)?, whole(15)?);
    if let Some(location) = ostn15::location(east, north) {
        (place.latitude, place.longitude) = (Some(location.latitude()), Some(location.longitude()));
    }
    let pushed = if is_populated { builder.push_place(&place) } else { builder.push_wider_place(&place) };
    match pushed {
        Ok(()) if is_populated => {
            areas.see(line, &place);
            Ok(true)
        }
        Ok(()) => Ok(false),
        Err(error) => Err(Refusal { column: Some(0), reason: error.message().to_owned().into() }),
    }
}

/// Returns whether a landform is an island or a group of islands.
fn is_island(line: &Splitter) -> bool {
    let kind = line.cell(7).split(|c| *c == b' ');
    line.cell(6) == b"landform"
        && kind
            .into_iter()
            .any(|word| word.eq_ignore_ascii_case(b"island") || word.eq_ignore_ascii_case(b"islands"))
}

/// Metres with decimals, on the National Grid.
fn metres(line: &Splitter, at: usize) -> Result<Option<f64>, Refusal> {
    let cell = line.cell(at);
    if cell.is_empty() {
        return Ok(None);
    }
    let plain = cell.iter().all(|c| c.is_ascii_digit() || *c == b'.');
    let number = std::str::from_utf8(cell).ok().filter(|_| plain).and_then(|text| text.parse::<f64>().ok());
    match number.filter(|metres| (0.0..1_300_000.0).contains(metres)) {
        Some(metres) => Ok(Some(metres)),
        None => Err(Refusal { column: Some(at), reason: "not metres on the National Grid".into() }),
    }
}
