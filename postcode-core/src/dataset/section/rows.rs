//! The rows: the data of each postcode except its areas.

use std::ops::RangeInclusive;

use crate::dataset::file::packed_table::{Column, PackedTable};
use crate::{GridReference, GridSystem, Location, Outcode, Postcode, Status, UserType, YearMonth};

/// The columns of the rows. Numbers never change.
pub(crate) mod column {
    pub(crate) const STATUS: u16 = 1;
    pub(crate) const EASTINGS: u16 = 2;
    pub(crate) const NORTHINGS: u16 = 3;
    pub(crate) const LATITUDE: u16 = 4;
    pub(crate) const LONGITUDE: u16 = 5;
    pub(crate) const QUALITY: u16 = 6;
    pub(crate) const USER_TYPE: u16 = 7;
    pub(crate) const INTRODUCED: u16 = 8;
    pub(crate) const TERMINATED: u16 = 9;
    pub(crate) const GRID_SYSTEM: u16 = 10;
    pub(crate) const AREA_SET: u16 = 11;

    pub(crate) const NAMES: [(u16, &str); 11] = [
        (STATUS, "status"),
        (EASTINGS, "eastings"),
        (NORTHINGS, "northings"),
        (LATITUDE, "latitude"),
        (LONGITUDE, "longitude"),
        (QUALITY, "quality"),
        (USER_TYPE, "user_type"),
        (INTRODUCED, "introduced"),
        (TERMINATED, "terminated"),
        (GRID_SYSTEM, "grid_system"),
        (AREA_SET, "areas"),
    ];
}

/// Micro-degrees in a degree.
pub(crate) const MICRO: f64 = 1e6;

/// The packed table of rows.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) table: PackedTable,
    status: Column,
    eastings: Column,
    northings: Column,
    latitude: Column,
    longitude: Column,
    quality: Column,
    user_type: Column,
    introduced: Column,
    terminated: Column,
    grid_system: Column,
    area_set: Column,
    irish: RangeInclusive<u32>,
}

impl Rows {
    pub(crate) fn new(table: PackedTable) -> Self {
        Self {
            status: table.column(column::STATUS),
            eastings: table.column(column::EASTINGS),
            northings: table.column(column::NORTHINGS),
            latitude: table.column(column::LATITUDE),
            longitude: table.column(column::LONGITUDE),
            quality: table.column(column::QUALITY),
            user_type: table.column(column::USER_TYPE),
            introduced: table.column(column::INTRODUCED),
            terminated: table.column(column::TERMINATED),
            grid_system: table.column(column::GRID_SYSTEM),
            area_set: table.column(column::AREA_SET),
            irish: irish_outcodes(),
            table,
        }
    }

    pub(crate) fn count(&self) -> u32 {
        self.table.rows()
    }

    #[inline]
    pub(crate) fn status(&self, data: &[u8], row: u32) -> Status {
        match self.table.get(data, row, self.status) {
            Some(0) => Status::Live,
            _ => Status::Terminated,
        }
    }

    #[inline]
    pub(crate) fn is_live(&self, data: &[u8], row: u32) -> bool {
        self.status(data, row) == Status::Live
    }

    /// Returns latitude and longitude in micro-degrees.
    #[inline]
    pub(crate) fn micro(&self, data: &[u8], row: u32) -> Option<(i32, i32)> {
        let latitude = self.table.get(data, row, self.latitude)?;
        let longitude = self.table.get(data, row, self.longitude)?;
        Some((i32::try_from(latitude).ok()?, i32::try_from(longitude).ok()?))
    }

    #[inline]
    pub(crate) fn location(&self, data: &[u8], row: u32) -> Option<Location> {
        let (latitude, longitude) = self.micro(data, row)?;
        Location::new(f64::from(latitude) / MICRO, f64::from(longitude) / MICRO).ok()
    }

    /// Returns eastings and northings, on either grid.
    #[inline]
    pub(crate) fn metres(&self, data: &[u8], row: u32) -> Option<(u32, u32)> {
        Some((self.table.get_u32(data, row, self.eastings)?, self.table.get_u32(data, row, self.northings)?))
    }

    #[inline]
    pub(crate) fn grid(&self, data: &[u8], row: u32, postcode: Postcode) -> Option<GridReference> {
        Some(GridReference {
            eastings: self.table.get_u32(data, row, self.eastings)?,
            northings: self.table.get_u32(data, row, self.northings)?,
            system: match self.table.get(data, row, self.grid_system) {
                None if !self.irish.contains(&postcode.outcode().code()) => GridSystem::Osgb,
                Some(0) => GridSystem::Osgb,
                _ => GridSystem::Irish,
            },
        })
    }

    #[inline]
    pub(crate) fn quality(&self, data: &[u8], row: u32) -> Option<u8> {
        u8::try_from(self.table.get(data, row, self.quality)?).ok()
    }

    #[inline]
    pub(crate) fn user_type(&self, data: &[u8], row: u32) -> Option<UserType> {
        match self.table.get(data, row, self.user_type)? {
            0 => Some(UserType::Small),
            1 => Some(UserType::Large),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn introduced(&self, data: &[u8], row: u32) -> Option<YearMonth> {
        month(self.table.get_u32(data, row, self.introduced)?)
    }

    #[inline]
    pub(crate) fn terminated(&self, data: &[u8], row: u32) -> Option<YearMonth> {
        month(self.table.get_u32(data, row, self.terminated)?)
    }

    #[inline]
    pub(crate) fn area_set(&self, data: &[u8], row: u32) -> Option<u32> {
        self.table.get_u32(data, row, self.area_set)
    }

    /// Returns a row as it was before it was written.
    #[cfg(feature = "embedded")]
    pub(crate) fn compact(&self, data: &[u8], row: u32, postcode: Postcode) -> CompactRow {
        let grid = self.grid(data, row, postcode);
        let location = self.micro(data, row);
        CompactRow {
            code: postcode.code(),
            eastings: grid.map_or(CompactRow::NONE, |grid| grid.eastings),
            northings: grid.map_or(CompactRow::NONE, |grid| grid.northings),
            latitude: location.map_or(CompactRow::NOWHERE, |(latitude, _)| latitude),
            longitude: location.map_or(CompactRow::NOWHERE, |(_, longitude)| longitude),
            set: self.area_set(data, row).unwrap_or(CompactRow::NONE),
            introduced: self.introduced(data, row).map_or(0, months),
            terminated: self.terminated(data, row).map_or(0, months),
            quality: self.quality(data, row).unwrap_or(CompactRow::UNKNOWN),
            user_type: match self.user_type(data, row) {
                Some(UserType::Small) => 0,
                Some(UserType::Large) => 1,
                None => CompactRow::UNKNOWN,
            },
            live: self.is_live(data, row),
            irish: grid.is_some_and(|grid| grid.system == GridSystem::Irish),
        }
    }

    /// Returns what is wrong with a row, if anything: a value that no postcode has, or a missing
    /// area set.
    pub(crate) fn fault(&self, data: &[u8], row: u32, sets: u32) -> Option<&'static str> {
        let cell = |column| self.table.get(data, row, column);
        let beyond = |column, low, high| cell(column).is_some_and(|value| value < low || value > high);
        if !matches!(cell(self.status), Some(0 | 1)) {
            return Some("neither live nor terminated");
        }
        if beyond(self.eastings, 0, i64::from(u32::MAX)) || beyond(self.northings, 0, i64::from(u32::MAX)) {
            return Some("no grid reference is that large");
        }
        if cell(self.eastings).is_some() != cell(self.northings).is_some() {
            return Some("half a grid reference");
        }
        if cell(self.latitude).is_some() != cell(self.longitude).is_some() {
            return Some("half a location");
        }
        if cell(self.latitude).is_some() && self.location(data, row).is_none() {
            return Some("a location off the earth");
        }
        if beyond(self.quality, 1, 9) || beyond(self.user_type, 0, 1) || beyond(self.grid_system, 0, 1) {
            return Some("an unknown quality, user type or grid system");
        }
        let no_month = |column, month: Option<YearMonth>| cell(column).is_some() && month.is_none();
        if no_month(self.introduced, self.introduced(data, row))
            || no_month(self.terminated, self.terminated(data, row))
        {
            return Some("not a month");
        }
        beyond(self.area_set, 0, i64::from(sets) - 1).then_some("no such area set")
    }
}

/// The outcodes of Northern Ireland. ONSPD gives their grid references on the Irish Grid.
pub(crate) fn irish_outcodes() -> RangeInclusive<u32> {
    let code = |text: &[u8]| Outcode::from_bytes(text).map_or(u32::MAX, Outcode::code);
    code(b"BT0")..=code(b"BT9Z")
}

/// Returns the months since the year 0, as stored in the file.
pub(crate) fn months(month: YearMonth) -> u16 {
    month.year() * 12 + u16::from(month.month()) - 1
}

/// Converts back from [`months`].
fn month(months: u32) -> Option<YearMonth> {
    YearMonth::new(u16::try_from(months / 12).ok()?, (months % 12) as u8 + 1).ok()
}

/// A row before it is written: as small as possible, with a value for "none" in each field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CompactRow {
    pub(crate) code: u32,
    /// Metres; [`Self::NONE`] if there is no grid reference.
    pub(crate) eastings: u32,
    pub(crate) northings: u32,
    /// Micro-degrees; [`Self::NOWHERE`] if there is no location.
    pub(crate) latitude: i32,
    pub(crate) longitude: i32,
    /// [`Self::NONE`] if no area is known.
    pub(crate) set: u32,
    /// Months; 0 if unknown.
    pub(crate) introduced: u16,
    pub(crate) terminated: u16,
    /// 255 if unknown.
    pub(crate) quality: u8,
    /// 0 small, 1 large, 255 unknown.
    pub(crate) user_type: u8,
    pub(crate) live: bool,
    /// Whether it is on the Irish Grid.
    pub(crate) irish: bool,
}

impl CompactRow {
    pub(crate) const NONE: u32 = u32::MAX;
    pub(crate) const NOWHERE: i32 = i32::MIN;
    pub(crate) const UNKNOWN: u8 = u8::MAX;

    pub(crate) fn is_located(&self) -> bool {
        self.latitude != Self::NOWHERE
    }

    /// Returns the values of the columns, in the order of [`column::NAMES`], as keys: 0 if there is
    /// none, and otherwise the value minus [`BIAS`]. All have one type and there are no branches,
    /// because every row of a country passes here twice before the embedded data can answer.
    #[inline]
    pub(crate) fn keys(&self, with_system: bool) -> [u32; COLUMNS] {
        let gridded = self.eastings != Self::NONE;
        [
            u32::from(!self.live) + 1,
            self.eastings.wrapping_add(1),
            self.northings.wrapping_add(1),
            self.latitude as u32 ^ 1 << 31,
            self.longitude as u32 ^ 1 << 31,
            u32::from(self.quality.wrapping_add(1)),
            u32::from(self.user_type.wrapping_add(1)),
            u32::from(self.introduced),
            u32::from(self.terminated),
            u32::from(with_system && gridded) * (u32::from(self.irish) + 1),
            self.set.wrapping_add(1),
        ]
    }
}

/// The number of columns of [`CompactRow::keys`].
pub(crate) const COLUMNS: usize = column::NAMES.len();

/// The number to add to a key to get the value.
pub(crate) const BIAS: [i64; COLUMNS] = [-1, -1, -1, -1 << 31, -1 << 31, -1, -1, 0, 0, -1, -1];
