//! What is known of one postcode.

use std::fmt;

use super::{Approximate, Area, AreaKind, Areas, GridReference, Location};
use crate::{Error, Postcode, Result};

/// The answer to "what is this postcode?": four different answers, never confused.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// In use.
    Live(Record),
    /// Once in use; its record is what the last edition that had it live said.
    Terminated(Record),
    /// A well-formed postcode that the dataset covers and does not have.
    Unknown,
    /// In a part of the country that the dataset leaves out, so nothing can be said: Northern
    /// Ireland (BT) with the embedded data. [`DatasetInfo`](crate::DatasetInfo) says which.
    NotCovered,
}

impl Answer {
    /// The record, live or terminated.
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Live(record) | Self::Terminated(record) => Some(record),
            Self::Unknown | Self::NotCovered => None,
        }
    }

    /// The record, live or terminated.
    pub fn into_record(self) -> Option<Record> {
        match self {
            Self::Live(record) | Self::Terminated(record) => Some(record),
            Self::Unknown | Self::NotCovered => None,
        }
    }

    /// The record, if the postcode is in use.
    pub fn live(self) -> Option<Record> {
        match self {
            Self::Live(record) => Some(record),
            _ => None,
        }
    }

    /// Whether the postcode is in use.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    /// Its stable name in the command line and the HTTP API:
    /// `live`, `terminated`, `unknown`, `not_covered`.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Live(_) => "live",
            Self::Terminated(_) => "terminated",
            Self::Unknown => "unknown",
            Self::NotCovered => "not_covered",
        }
    }
}

impl From<Record> for Answer {
    fn from(record: Record) -> Self {
        match record.status {
            Status::Live => Self::Live(record),
            Status::Terminated => Self::Terminated(record),
        }
    }
}

/// What is known of one postcode. Cheap to clone: areas are shared with the dataset.
///
/// Everything but the postcode and its status may be missing in the source.
///
/// ```
/// use postcode_core::{AreaKind, Areas, OwnedArea, Record};
///
/// // As a test of your own would make one.
/// let mut record = Record::live("SW1A 1AA".parse()?);
/// record.areas = Areas::owned([(
///     AreaKind::AdminDistrict,
///     OwnedArea { code: Some("E09000033".into()), name: Some("Westminster".into()), alias: None },
/// )]);
/// assert_eq!(record.admin_district(), Some("Westminster"));
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// The postcode.
    pub postcode: Postcode,
    /// In use or not.
    pub status: Status,
    /// How the grid reference was found, 1 (best) to 9 (none): ONSPD's `gridind`.
    pub quality: Option<u8>,
    /// Small or large user: ONSPD's `usertype`.
    pub user_type: Option<UserType>,
    /// The grid reference, where there is one (not for the Channel Islands and the Isle of Man).
    pub grid: Option<GridReference>,
    /// The same as latitude and longitude.
    pub location: Option<Location>,
    /// Where it is, about, if there is no `location` and the data has a position for its outcode.
    pub approximate: Option<Approximate>,
    /// When it came into use: `dointr`.
    pub introduced: Option<YearMonth>,
    /// When it went out of use: `doterm`. A terminated postcode may have none, where the source has not.
    pub terminated: Option<YearMonth>,
    /// Rank by deprivation of its small area within its nation, 1 the most deprived: `imd`.
    pub deprivation_rank: Option<u16>,
    /// The areas it lies in.
    pub areas: Areas,
}

impl Record {
    /// A live postcode of which nothing else is known; set the fields you have.
    pub fn live(postcode: Postcode) -> Self {
        Self {
            postcode,
            status: Status::Live,
            quality: None,
            user_type: None,
            grid: None,
            location: None,
            approximate: None,
            introduced: None,
            terminated: None,
            deprivation_rank: None,
            areas: Areas::NONE,
        }
    }

    /// A terminated postcode of which nothing else is known.
    pub fn terminated(postcode: Postcode) -> Self {
        Self { status: Status::Terminated, ..Self::live(postcode) }
    }

    /// The area of that kind, if the source knows one.
    pub fn area(&self, kind: AreaKind) -> Option<Area<'_>> {
        self.areas.get(kind)
    }

    /// The name of the area of that kind.
    pub fn area_name(&self, kind: AreaKind) -> Option<&str> {
        self.areas.get(kind)?.name
    }

    /// The ONS code of the area of that kind.
    pub fn area_code(&self, kind: AreaKind) -> Option<&str> {
        self.areas.get(kind)?.code
    }

    /// The name of the local authority district.
    pub fn admin_district(&self) -> Option<&str> {
        self.area_name(AreaKind::AdminDistrict)
    }

    /// The name of the region; England only.
    pub fn region(&self) -> Option<&str> {
        self.area_name(AreaKind::Region)
    }

    /// The name of the constituency of the Senedd, of 2026; Wales only. Each is two Westminster constituencies of 2024, by law
    /// ([`names::senedd_constituency`](crate::names::senedd_constituency)), so that it is known where that one's code is.
    ///
    /// ```
    /// use postcode_core::{AreaKind, Areas, OwnedArea, Record};
    ///
    /// let mut record = Record::live("CF10 1EP".parse()?);
    /// let code = Some("W07000085".into());
    /// record.areas =
    ///     Areas::owned([(AreaKind::ParliamentaryConstituency, OwnedArea { code, name: None, alias: None })]);
    /// assert_eq!(record.senedd_constituency(), Some("Brycheiniog Tawe Nedd"));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn senedd_constituency(&self) -> Option<&'static str> {
        crate::names::senedd_constituency(self.area_code(AreaKind::ParliamentaryConstituency)?)
    }

    /// The name of the country.
    pub fn country(&self) -> Option<&str> {
        self.area_name(AreaKind::Country)
    }
}

/// In use or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// In use.
    Live,
    /// No longer in use; Royal Mail may use it again after some years.
    Terminated,
}

/// Who receives mail at a postcode (Royal Mail).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserType {
    /// Some fifteen ordinary addresses.
    Small,
    /// One address with much mail.
    Large,
}

impl UserType {
    /// `small` or `large`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
        }
    }
}

/// A month of a year, the precision of ONSPD's dates (`YYYYMM`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YearMonth {
    year: u16,
    month: u8,
}

impl YearMonth {
    /// A month, 1 to 12, of a year, 1900 to 2200.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for anything outside.
    pub fn new(year: u16, month: u8) -> Result<Self> {
        if !(1900..=2200).contains(&year) || !(1..=12).contains(&month) {
            return Err(Error::invalid(format!(
                "{year}-{month}: give a year of 1900 to 2200 and a month of 1 to 12"
            )));
        }
        Ok(Self { year, month })
    }

    /// The year.
    pub fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u8 {
        self.month
    }
}

/// `YYYYMM`, as ONSPD and postcodes.io write it.
impl fmt::Display for YearMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}{:02}", self.year, self.month)
    }
}

/// From `YYYYMM`.
impl std::str::FromStr for YearMonth {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self> {
        let number =
            (s.len() == 6 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<u32>().ok()).flatten();
        match number {
            Some(n) => Self::new((n / 100) as u16, (n % 100) as u8),
            None => Err(Error::invalid(format!("{s:?}: give a month as YYYYMM, such as 199606"))),
        }
    }
}

/// A live postcode near a point.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Neighbour {
    /// The postcode.
    pub record: Record,
    /// Metres from the point, along the WGS84 ellipsoid, rounded to 1e-8.
    pub distance: f64,
}

impl Neighbour {
    /// A postcode and its distance in metres.
    pub fn new(record: Record, distance: f64) -> Self {
        Self { record, distance }
    }
}
