//! From the cells of a line to a row of the dataset.

use std::borrow::Cow;
use std::collections::HashMap;

use postcode_core::dataset::{AreaId, DatasetBuilder, Row};
use postcode_core::{
    AreaKind, GridReference, GridSystem, Location, ParseError, Postcode, Status, UserType, YearMonth,
};

use super::columns::{Columns, Field};
use super::districts::{Districts, current};
use super::lines::Splitter;
use super::quality;
use crate::grid;
use postcode_tables::{plain_text, whole};

/// Why a row can't be imported: the column's index, if it is one column's fault, and the reason.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) column: Option<usize>,
    pub(super) reason: Cow<'static, str>,
}

fn refuse<T>(column: usize, reason: impl Into<Cow<'static, str>>) -> Result<T, Refusal> {
    Err(Refusal { column: Some(column), reason: reason.into() })
}

/// The areas met so far: from the bytes of a code to the builder's number without making text of
/// it.
pub(super) struct Areas {
    kinds: [HashMap<Box<[u8]>, AreaId>; AreaKind::ALL.len()],
}

impl Areas {
    pub(super) fn new() -> Self {
        Self { kinds: std::array::from_fn(|_| HashMap::new()) }
    }

    pub(super) fn id(
        &mut self,
        builder: &mut DatasetBuilder,
        kind: AreaKind,
        code: &[u8],
    ) -> Result<AreaId, &'static str> {
        if let Some(&id) = self.kinds[kind as usize].get(code) {
            return Ok(id);
        }
        const WRONG: &str = "no code of an area: letters and digits are expected";
        if !code.iter().all(u8::is_ascii_alphanumeric) {
            return Err(WRONG);
        }
        let text = std::str::from_utf8(code).map_err(|_| WRONG)?;
        let id = builder.area(kind, text).map_err(|_| "too long for the code of an area")?;
        self.kinds[kind as usize].insert(code.into(), id);
        Ok(id)
    }

    /// The codes in use of one kind.
    pub(super) fn codes(&self, kind: AreaKind) -> impl Iterator<Item = &str> {
        self.kinds[kind as usize].keys().filter_map(|code| std::str::from_utf8(code).ok())
    }
}

/// Reads the rows of one text.
pub(super) struct RowReader<'a> {
    columns: &'a Columns,
    postcode: usize,
    introduced: Option<usize>,
    terminated: Option<usize>,
    status: Option<usize>,
    in_use: Option<usize>,
    user_type: Option<usize>,
    eastings: Option<usize>,
    northings: Option<usize>,
    quality: Option<(usize, bool)>,
    latitude: Option<usize>,
    longitude: Option<usize>,
    deprivation_rank: Option<usize>,
    areas: Vec<AreaColumn>,
    /// The column of the county, which completes a district's code from years before 2011.
    county: Option<usize>,
    /// Where a district lies, if the text does not say itself.
    districts: Option<&'a Districts>,
}

struct AreaColumn {
    at: usize,
    kind: AreaKind,
    /// The code of the row before and its number: neighbours mostly share their areas.
    last: Vec<u8>,
    /// The area and what follows from it; none for an empty cell.
    ids: Vec<(AreaKind, AreaId)>,
}

impl<'a> RowReader<'a> {
    /// For a header. `None` if it has no column of postcodes.
    pub(super) fn new(columns: &'a Columns, districts: &'a Districts) -> Option<Self> {
        let at = |field| columns.index(field);
        let tens = at(Field::QualityTens).map(|at| (at, true));
        let areas = columns.fields.iter().filter_map(|(field, at)| match field {
            Field::Area(kind) => Some(AreaColumn { at: *at, kind: *kind, last: Vec::new(), ids: Vec::new() }),
            _ => None,
        });
        let has = |kind| at(Field::Area(kind)).is_some();
        let derives = has(AreaKind::AdminDistrict) && !has(AreaKind::Country) && !has(AreaKind::Region);
        Some(Self {
            columns,
            postcode: at(Field::Postcode)?,
            introduced: at(Field::Introduced),
            terminated: at(Field::Terminated),
            status: at(Field::Status),
            in_use: at(Field::InUse),
            county: at(Field::Area(AreaKind::AdminCounty)),
            user_type: at(Field::UserType),
            eastings: at(Field::Eastings),
            northings: at(Field::Northings),
            quality: at(Field::Quality).map(|at| (at, false)).or(tens),
            latitude: at(Field::Latitude),
            longitude: at(Field::Longitude),
            deprivation_rank: at(Field::DeprivationRank),
            areas: areas.collect(),
            districts: derives.then_some(districts),
        })
    }

    /// The row of a line.
    pub(super) fn row(
        &mut self,
        line: &Splitter,
        builder: &mut DatasetBuilder,
        areas: &mut Areas,
    ) -> Result<Row, Refusal> {
        let expected = self.columns.names.len();
        // Spreadsheets leave empty cells to the right.
        let beyond = (expected..line.count()).any(|at| !line.cell(at).is_empty());
        if line.count() < expected || beyond {
            let reason = format!("{} cells where the header has {expected}", line.count());
            return Err(Refusal { column: None, reason: reason.into() });
        }
        let mut row = Row::live(self.read_postcode(line)?);
        row.introduced = self.month(line, self.introduced)?;
        row.terminated = self.month(line, self.terminated)?;
        row.status = self.read_status(line, row.terminated)?;
        row.user_type = self.read_user_type(line)?;
        row.quality = self.read_quality(line)?;
        row.grid = self.read_grid(line, row.postcode)?;
        row.location = self.read_location(line)?;
        row.deprivation_rank = self.read_rank(line)?;
        self.read_areas(line, builder, areas, &mut row)?;
        Ok(row)
    }

    fn read_postcode(&self, line: &Splitter) -> Result<Postcode, Refusal> {
        let cell = line.cell(self.postcode);
        const FOREIGN: &str = "not a postcode: not plain letters and digits";
        let Ok(text) = std::str::from_utf8(cell) else { return refuse(self.postcode, FOREIGN) };
        if text.is_empty() {
            return refuse(self.postcode, "no postcode");
        }
        // Most are plain; others have a no-break space, or are ="SW1A 1AA".
        text.parse().or_else(|_| {
            plain_text(text).parse().or_else(|error: ParseError| match text.is_ascii() {
                true => refuse(self.postcode, error.to_string()),
                false => refuse(self.postcode, FOREIGN),
            })
        })
    }

    fn month(&self, line: &Splitter, at: Option<usize>) -> Result<Option<YearMonth>, Refusal> {
        let Some((at, cell)) = present(line, at) else { return Ok(None) };
        let month = match cell {
            // A date, of which the day is not kept.
            [year @ .., b'-', m1, m2, b'-', d1, d2]
                if year.len() == 4 && d1.is_ascii_digit() && d2.is_ascii_digit() =>
            {
                whole(&[year, &[*m1, *m2]].concat())
            }
            // Six digits, also with the .0 of a float.
            _ => whole(cell).filter(|_| cell.len() != 4),
        };
        let month = month.and_then(|month| format!("{month:06}").parse().ok());
        month.map(Some).ok_or(()).or_else(|()| refuse(at, "not a month as YYYYMM, such as 199606"))
    }

    fn read_status(&self, line: &Splitter, terminated: Option<YearMonth>) -> Result<Status, Refusal> {
        let dated = if terminated.is_some() { Status::Terminated } else { Status::Live };
        if let Some((at, cell)) = present(line, self.in_use) {
            let is = |words: &[&str]| words.iter().any(|word| cell.eq_ignore_ascii_case(word.as_bytes()));
            return match (is(&["yes", "y", "true", "1"]), is(&["no", "n", "false", "0"])) {
                (true, _) if terminated.is_some() => {
                    refuse(at, "in use, and yet with a month of termination")
                }
                (true, _) => Ok(Status::Live),
                (_, true) => Ok(Status::Terminated),
                _ => refuse(at, "neither yes nor no"),
            };
        }
        let Some((at, cell)) = present(line, self.status) else { return Ok(dated) };
        let (live, over) = (["live", "active", "in use"], ["terminated", "expired", "deleted"]);
        let is = |words: &[&str]| words.iter().any(|word| cell.eq_ignore_ascii_case(word.as_bytes()));
        if is(&over) {
            return Ok(Status::Terminated);
        }
        match is(&live) {
            true if terminated.is_some() => refuse(at, "live, and yet with a month of termination"),
            true => Ok(Status::Live),
            false => refuse(at, "neither live nor terminated"),
        }
    }

    fn read_user_type(&self, line: &Splitter) -> Result<Option<UserType>, Refusal> {
        let Some((at, cell)) = present(line, self.user_type) else { return Ok(None) };
        match (whole(cell), &*cell.to_ascii_lowercase()) {
            (Some(0), _) | (_, b"small") => Ok(Some(UserType::Small)),
            (Some(1), _) | (_, b"large") => Ok(Some(UserType::Large)),
            _ => refuse(at, "a user type is 0 (small) or 1 (large)"),
        }
    }

    fn read_quality(&self, line: &Splitter) -> Result<Option<u8>, Refusal> {
        let Some((column, tens)) = self.quality else { return Ok(None) };
        let Some((at, cell)) = present(line, Some(column)) else { return Ok(None) };
        // Some call ONSPD's scale as Code-Point Open calls its own; the values of the two differ.
        let found = quality::of_code_point_open(cell).filter(|_| tens).or_else(|| quality::of_onspd(cell));
        let expected = if tens { "a quality is 10 to 90, or 1 to 9" } else { "a quality is 1 to 9" };
        found.map(Some).ok_or(()).or_else(|()| refuse(at, expected))
    }

    fn read_grid(&self, line: &Splitter, postcode: Postcode) -> Result<Option<GridReference>, Refusal> {
        let (Some(east), Some(north)) = (self.eastings, self.northings) else { return Ok(None) };
        let (eastings, northings) = (metres(line, east)?, metres(line, north)?);
        match (eastings, northings) {
            // Blank in ONSPD, zeros in Code-Point Open.
            (None, None) | (Some(0), Some(0)) => Ok(None),
            (Some(_), None) => refuse(north, "eastings without northings"),
            (None, Some(_)) => refuse(east, "northings without eastings"),
            (Some(eastings), Some(northings)) => {
                let irish = postcode.area() == "BT";
                let system = if irish { GridSystem::Irish } else { GridSystem::Osgb };
                let grid = GridReference { eastings, northings, system };
                if grid::on_grid(grid) { Ok(Some(grid)) } else { refuse(east, "off the grid") }
            }
        }
    }

    fn read_location(&self, line: &Splitter) -> Result<Option<Location>, Refusal> {
        let (Some(lat), Some(long)) = (self.latitude, self.longitude) else { return Ok(None) };
        let (latitude, longitude) = (degrees(line, lat)?, degrees(line, long)?);
        match (latitude, longitude) {
            (None, None) => Ok(None),
            (Some(_), None) => refuse(long, "latitude without longitude"),
            (None, Some(_)) => refuse(lat, "longitude without latitude"),
            // ONS writes 99.999999 and 0.000000 for a missing position; older editions only zeros.
            (Some(latitude), Some(longitude)) if latitude > 99.0 || (latitude, longitude) == (0.0, 0.0) => {
                Ok(None)
            }
            (Some(latitude), Some(longitude)) => {
                if !(49.0..=61.5).contains(&latitude) {
                    return refuse(lat, "a latitude in the British Isles is 49 to 61.5");
                }
                if !(-9.5..=2.5).contains(&longitude) {
                    return refuse(long, "a longitude in the British Isles is -9.5 to 2.5");
                }
                Location::new(latitude, longitude)
                    .map(Some)
                    .or_else(|error| refuse(lat, error.message().to_owned()))
            }
        }
    }

    fn read_rank(&self, line: &Splitter) -> Result<Option<u16>, Refusal> {
        let Some((at, cell)) = present(line, self.deprivation_rank) else { return Ok(None) };
        match whole(cell).and_then(|rank| u16::try_from(rank).ok()) {
            // 0 stands for the places that no index covers.
            Some(0) => Ok(None),
            Some(rank) => Ok(Some(rank)),
            None => refuse(at, "a rank of deprivation is 1 to 65535"),
        }
    }

    fn read_areas(
        &mut self,
        line: &Splitter,
        builder: &mut DatasetBuilder,
        areas: &mut Areas,
        row: &mut Row,
    ) -> Result<(), Refusal> {
        for column in &mut self.areas {
            let cell = line.cell(column.at);
            let joined = match (column.kind, self.county) {
                // Until 2011 a district's code began with that of its county.
                (AreaKind::AdminDistrict, Some(county))
                    if cell.len() == 2 && line.cell(county).len() == 2 =>
                {
                    [line.cell(county), cell].concat()
                }
                _ => Vec::new(),
            };
            let code = match column.kind {
                AreaKind::AdminDistrict if !joined.is_empty() => joined.as_slice(),
                // Of districts without a county.
                AreaKind::AdminCounty if cell == b"00" => b"",
                AreaKind::Country => current(cell),
                _ if cell == b"\\N" => b"",
                _ => cell,
            };
            if code != column.last {
                // Only kept when all of it is right.
                column.last.clear();
                column.ids.clear();
                if !code.is_empty() {
                    let mut id = |kind, code: &[u8]| {
                        areas.id(builder, kind, code).or_else(|reason| refuse(column.at, reason))
                    };
                    column.ids.push((column.kind, id(column.kind, code)?));
                    if let (AreaKind::AdminDistrict, Some(districts)) = (column.kind, self.districts) {
                        for (kind, code) in districts.above(code) {
                            column.ids.push((kind, id(kind, code.as_bytes())?));
                        }
                    }
                    column.last.extend_from_slice(code);
                }
            }
            column.ids.iter().for_each(|(_, id)| row.areas.set(*id));
        }
        Ok(())
    }

    /// Which kinds of area the row that was read last has: a bit each, by their numbers.
    pub(super) fn kinds(&self) -> u32 {
        self.areas.iter().flat_map(|column| &column.ids).fold(0, |kinds, (kind, _)| kinds | 1 << *kind as u32)
    }
}

/// The cell, if there is such a column and something in it.
fn present(line: &Splitter, at: Option<usize>) -> Option<(usize, &[u8])> {
    let at = at?;
    // MySQL exports \N for nothing.
    Some((at, line.cell(at))).filter(|(_, cell)| !cell.is_empty() && *cell != b"\\N")
}

fn metres(line: &Splitter, at: usize) -> Result<Option<u32>, Refusal> {
    let Some((at, cell)) = present(line, Some(at)) else { return Ok(None) };
    let number = whole(cell).and_then(|number| u32::try_from(number).ok());
    number.map(Some).ok_or(()).or_else(|()| refuse(at, "not a number of metres"))
}

/// Up to nine digits.
pub(super) fn digits(cell: &[u8]) -> Option<u32> {
    if cell.is_empty() || cell.len() > 9 {
        return None;
    }
    cell.iter().try_fold(0, |number, c| c.is_ascii_digit().then(|| number * 10 + u32::from(c - b'0')))
}

fn degrees(line: &Splitter, at: usize) -> Result<Option<f64>, Refusal> {
    let Some((at, cell)) = present(line, Some(at)) else { return Ok(None) };
    // Also as Python prints it, -3.7e-05; not `inf` or `nan`. A spreadsheet of another country writes 57,101474.
    let number = match memchr::memchr(b',', cell) {
        Some(comma) if !cell.contains(&b'.') => {
            let mut cell = cell.to_vec();
            cell[comma] = b'.';
            postcode_tables::decimal(&cell)
        }
        _ => postcode_tables::decimal(cell),
    };
    number.map(Some).ok_or(()).or_else(|()| refuse(at, "not a number of degrees"))
}
