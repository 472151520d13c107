//! The answer to a lookup, and the record of a postcode.

use std::fmt;

use super::{Approximate, Area, AreaKind, Areas, GridReference, Location};
use crate::{Error, Postcode, Result};

/// The result of looking up one postcode: one of four different answers.
///
/// ```
/// use postcode_core::{Answer, Record};
///
/// fn describe(answer: &Answer) -> String {
///     match answer {
///         Answer::Live(record) => format!("{} is in use", record.postcode),
///         Answer::Terminated(record) => format!("{} is no longer in use", record.postcode),
///         Answer::Unknown => "the data does not have it".to_owned(),
///         Answer::NotCovered => "the data leaves its area out".to_owned(),
///     }
/// }
///
/// let answer = Answer::Live(Record::live("SW1A 1AA".parse()?));
/// assert_eq!(describe(&answer), "SW1A 1AA is in use");
/// assert_eq!(answer.status(), "live");
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
///
/// It serialises as `{"status":"live","result":{…}}`, as an item of a bulk answer of the HTTP API does.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// In use.
    Live(Record),
    /// No longer in use. The record is from the last edition in which it was live.
    Terminated(Record),
    /// A well-formed postcode in an area that the dataset covers, but not in the dataset.
    Unknown,
    /// In a part of the country that the dataset leaves out, so nothing is known: Northern Ireland
    /// (BT) with the embedded data. [`DatasetInfo`](crate::DatasetInfo) lists these areas.
    NotCovered,
}

impl Answer {
    /// Returns the record of a live or terminated postcode.
    ///
    /// ```
    /// use postcode_core::{Answer, Record};
    ///
    /// let answer = Answer::Live(Record::live("SW1A 1AA".parse()?));
    /// assert!(answer.record().is_some());
    /// assert!(Answer::Unknown.record().is_none());
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Live(record) | Self::Terminated(record) => Some(record),
            Self::Unknown | Self::NotCovered => None,
        }
    }

    /// Converts the answer to the record of a live or terminated postcode.
    ///
    /// ```
    /// use postcode_core::{Answer, Record};
    ///
    /// let answer = Answer::Terminated(Record::terminated("AB1 0AA".parse()?));
    /// assert!(answer.into_record().is_some());
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn into_record(self) -> Option<Record> {
        match self {
            Self::Live(record) | Self::Terminated(record) => Some(record),
            Self::Unknown | Self::NotCovered => None,
        }
    }

    /// Converts the answer to the record of a live postcode; `None` for a terminated one.
    ///
    /// ```
    /// use postcode_core::{Answer, Record};
    ///
    /// let answer = Answer::Terminated(Record::terminated("AB1 0AA".parse()?));
    /// assert!(answer.live().is_none());
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn live(self) -> Option<Record> {
        match self {
            Self::Live(record) => Some(record),
            _ => None,
        }
    }

    /// Returns whether the postcode is in use.
    ///
    /// ```
    /// use postcode_core::{Answer, Record};
    ///
    /// let answer = Answer::Live(Record::live("SW1A 1AA".parse()?));
    /// assert!(answer.is_live());
    /// assert!(!Answer::NotCovered.is_live());
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    /// Returns the stable name in the command line and the HTTP API: `live`, `terminated`,
    /// `unknown` or `not_covered`.
    ///
    /// ```
    /// use postcode_core::Answer;
    ///
    /// assert_eq!(Answer::NotCovered.status(), "not_covered");
    /// ```
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

/// The data of one postcode. Cheap to clone, because the areas are shared with the dataset.
///
/// Any field except the postcode and its status may be missing in the source.
///
/// It serialises as the postcode object of the HTTP API in its extended shape, and is read from either shape.
/// [`RecordView`](crate::wire::RecordView) writes the keys of postcodes.io alone.
///
/// ```
/// use postcode_core::{AreaKind, Areas, OwnedArea, Record};
///
/// // A record for a test.
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
    /// Whether it is in use.
    pub status: Status,
    /// How the grid reference was found, 1 (best) to 9 (none): ONSPD's `gridind`.
    pub quality: Option<u8>,
    /// Small or large user: ONSPD's `usertype`.
    pub user_type: Option<UserType>,
    /// The grid reference, if there is one (not in the Channel Islands and the Isle of Man).
    pub grid: Option<GridReference>,
    /// The same place as latitude and longitude.
    pub location: Option<Location>,
    /// The approximate position, if there is no `location` and the data has a position for the
    /// outcode.
    pub approximate: Option<Approximate>,
    /// The month in which it came into use: `dointr`.
    pub introduced: Option<YearMonth>,
    /// The month in which it went out of use: `doterm`. Missing for a terminated postcode if the
    /// source has no date.
    pub terminated: Option<YearMonth>,
    /// The deprivation rank of its small area within its nation, 1 for the most deprived: `imd`.
    pub deprivation_rank: Option<u16>,
    /// The areas it lies in.
    pub areas: Areas,
}

impl Record {
    /// Creates the record of a live postcode without other data; set the fields you have.
    ///
    /// ```
    /// use postcode_core::{Record, Status};
    ///
    /// let mut record = Record::live("SW1A 1AA".parse()?);
    /// record.quality = Some(1);
    /// assert_eq!((record.status, record.grid), (Status::Live, None));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
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

    /// Creates the record of a terminated postcode without other data.
    ///
    /// ```
    /// use postcode_core::{Record, Status};
    ///
    /// assert_eq!(Record::terminated("AB1 0AA".parse()?).status, Status::Terminated);
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn terminated(postcode: Postcode) -> Self {
        Self { status: Status::Terminated, ..Self::live(postcode) }
    }

    /// Returns the area of a kind, if the source knows one.
    ///
    /// ```
    /// use postcode_core::{AreaKind, Areas, OwnedArea, Record};
    ///
    /// let mut record = Record::live("SW1A 1AA".parse()?);
    /// let of = |code: &str, name: &str| OwnedArea { code: Some(code.into()), name: Some(name.into()), alias: None };
    /// record.areas = Areas::owned([(AreaKind::AdminWard, of("E05013806", "St James's"))]);
    /// assert_eq!(record.area(AreaKind::AdminWard).and_then(|area| area.code), Some("E05013806"));
    /// assert_eq!(record.area(AreaKind::Parish), None);
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn area(&self, kind: AreaKind) -> Option<Area<'_>> {
        self.areas.get(kind)
    }

    /// Returns the name of the area of a kind.
    ///
    /// ```
    /// use postcode_core::{AreaKind, Areas, OwnedArea, Record};
    ///
    /// let mut record = Record::live("SW1A 1AA".parse()?);
    /// let of = |code: &str, name: &str| OwnedArea { code: Some(code.into()), name: Some(name.into()), alias: None };
    /// record.areas = Areas::owned([(AreaKind::AdminWard, of("E05013806", "St James's"))]);
    /// assert_eq!(record.area_name(AreaKind::AdminWard), Some("St James's"));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn area_name(&self, kind: AreaKind) -> Option<&str> {
        self.areas.name(kind)
    }

    /// Returns the ONS code of the area of a kind.
    ///
    /// ```
    /// use postcode_core::{AreaKind, Areas, OwnedArea, Record};
    ///
    /// let mut record = Record::live("SW1A 1AA".parse()?);
    /// let of = |code: &str, name: &str| OwnedArea { code: Some(code.into()), name: Some(name.into()), alias: None };
    /// record.areas = Areas::owned([(AreaKind::AdminWard, of("E05013806", "St James's"))]);
    /// assert_eq!(record.area_code(AreaKind::AdminWard), Some("E05013806"));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn area_code(&self, kind: AreaKind) -> Option<&str> {
        self.areas.code(kind)
    }

    /// Returns the name of the local authority district.
    ///
    /// ```
    /// use postcode_core::{AreaKind, Areas, OwnedArea, Record};
    ///
    /// let mut record = Record::live("SW1A 1AA".parse()?);
    /// let of = |code: &str, name: &str| OwnedArea { code: Some(code.into()), name: Some(name.into()), alias: None };
    /// record.areas = Areas::owned([(AreaKind::AdminDistrict, of("E09000033", "Westminster"))]);
    /// assert_eq!(record.admin_district(), Some("Westminster"));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn admin_district(&self) -> Option<&str> {
        self.area_name(AreaKind::AdminDistrict)
    }

    /// Returns the name of the region; England only.
    ///
    /// ```
    /// use postcode_core::{AreaKind, Areas, OwnedArea, Record};
    ///
    /// let mut record = Record::live("SW1A 1AA".parse()?);
    /// let of = |code: &str, name: &str| OwnedArea { code: Some(code.into()), name: Some(name.into()), alias: None };
    /// record.areas = Areas::owned([(AreaKind::Region, of("E12000007", "London"))]);
    /// assert_eq!(record.region(), Some("London"));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn region(&self) -> Option<&str> {
        self.area_name(AreaKind::Region)
    }

    /// Returns the name of the constituency of the Senedd (from 2026); Wales only. By law each
    /// consists of two Westminster constituencies of 2024
    /// ([`names::senedd_constituency`](crate::names::senedd_constituency)), so it is known if the
    /// code of the Westminster constituency is.
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

    /// Returns the Welsh name of the local authority district; Wales only. It is known if the code of
    /// the district is ([`names::welsh_district`](crate::names::welsh_district)).
    ///
    /// ```
    /// use postcode_core::{AreaKind, Areas, OwnedArea, Record};
    ///
    /// let mut record = Record::live("CF10 1EP".parse()?);
    /// let code = Some("W06000015".into());
    /// record.areas = Areas::owned([(AreaKind::AdminDistrict, OwnedArea { code, name: None, alias: None })]);
    /// assert_eq!(record.admin_district_welsh(), Some("Caerdydd"));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn admin_district_welsh(&self) -> Option<&'static str> {
        crate::names::welsh_district(self.area_code(AreaKind::AdminDistrict)?)
    }

    /// Returns the name of the country.
    ///
    /// ```
    /// use postcode_core::{AreaKind, Areas, OwnedArea, Record};
    ///
    /// let mut record = Record::live("SW1A 1AA".parse()?);
    /// let of = |code: &str, name: &str| OwnedArea { code: Some(code.into()), name: Some(name.into()), alias: None };
    /// record.areas = Areas::owned([(AreaKind::Country, of("E92000001", "England"))]);
    /// assert_eq!(record.country(), Some("England"));
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn country(&self) -> Option<&str> {
        self.area_name(AreaKind::Country)
    }
}

/// Whether a postcode is in use.
///
/// ```
/// use postcode_core::{Record, Status};
///
/// let record = Record::terminated("AB1 0AA".parse()?);
/// assert_eq!(record.status, Status::Terminated);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// In use.
    Live,
    /// No longer in use; Royal Mail may use it again after some years.
    Terminated,
}

/// Who receives mail at a postcode (Royal Mail).
///
/// ```
/// use postcode_core::UserType;
///
/// assert_eq!("large", UserType::Large.as_str());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserType {
    /// About fifteen ordinary addresses.
    Small,
    /// One address that receives much mail.
    Large,
}

impl UserType {
    /// Returns `small` or `large`.
    ///
    /// ```
    /// use postcode_core::UserType;
    ///
    /// assert_eq!(UserType::Large.as_str(), "large");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
        }
    }
}

/// A month of a year, the precision of ONSPD's dates (`YYYYMM`).
///
/// ```
/// use postcode_core::YearMonth;
///
/// let month: YearMonth = "199606".parse()?;
/// assert_eq!((month.year(), month.month()), (1996, 6));
/// assert_eq!(month, YearMonth::new(1996, 6)?);
/// # Ok::<(), postcode_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YearMonth {
    year: u16,
    month: u8,
}

impl YearMonth {
    /// Creates a month, 1 to 12, of a year, 1900 to 2200.
    ///
    /// ```
    /// use postcode_core::YearMonth;
    ///
    /// assert_eq!(YearMonth::new(1996, 6)?.to_string(), "199606");
    /// assert!(YearMonth::new(1996, 13).is_err());
    /// # Ok::<(), postcode_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a number outside these ranges.
    pub fn new(year: u16, month: u8) -> Result<Self> {
        if !(1900..=2200).contains(&year) || !(1..=12).contains(&month) {
            return Err(Error::invalid(format!(
                "{year}-{month}: give a year of 1900 to 2200 and a month of 1 to 12"
            )));
        }
        Ok(Self { year, month })
    }

    /// Returns the year.
    ///
    /// ```
    /// use postcode_core::YearMonth;
    ///
    /// assert_eq!(YearMonth::new(1996, 6)?.year(), 1996);
    /// # Ok::<(), postcode_core::Error>(())
    /// ```
    pub fn year(self) -> u16 {
        self.year
    }

    /// Returns the month, 1 to 12.
    ///
    /// ```
    /// use postcode_core::YearMonth;
    ///
    /// assert_eq!(YearMonth::new(1996, 6)?.month(), 6);
    /// # Ok::<(), postcode_core::Error>(())
    /// ```
    pub fn month(self) -> u8 {
        self.month
    }
}

/// Writes `YYYYMM`, like ONSPD and postcodes.io.
impl fmt::Display for YearMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}{:02}", self.year, self.month)
    }
}

/// Parses `YYYYMM`.
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
///
/// ```
/// use postcode_core::{Neighbour, Record};
///
/// let mut near = [Neighbour::new(Record::live("M1 1AE".parse()?), 80.0), Neighbour::new(Record::live("M1 1AD".parse()?), 20.0)];
/// near.sort_by(|one, other| one.distance.total_cmp(&other.distance));
/// assert_eq!(near[0].record.postcode.to_string(), "M1 1AD");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Neighbour {
    /// The postcode.
    pub record: Record,
    /// The distance in metres from the point along the WGS84 ellipsoid, rounded to 1e-8.
    pub distance: f64,
}

impl Neighbour {
    /// Creates a neighbour from a record and its distance in metres.
    ///
    /// ```
    /// use postcode_core::{Neighbour, Record};
    ///
    /// let neighbour = Neighbour::new(Record::live("SW1A 1AA".parse()?), 12.5);
    /// assert_eq!(neighbour.distance, 12.5);
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    pub fn new(record: Record, distance: f64) -> Self {
        Self { record, distance }
    }
}
