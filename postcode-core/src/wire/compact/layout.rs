//! The parts of version 1 as serde and postcard see them. Never changed: see `tests/golden` of the service.

use serde::{Deserialize, Serialize};

use crate::{
    Approximate, Areas, Error, ErrorKind, GridReference, GridSystem, Location, Record, Result, Status,
    UserType, YearMonth,
};

/// The form of the items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Form {
    /// Items of a bulk lookup.
    Bulk,
    /// Records.
    Records,
    /// Records with distances.
    Neighbours,
    /// Items of bulk reverse geocoding.
    Located,
    /// Records, and what is said about the page.
    Page,
}

/// An area: code, name, alias.
pub(super) type AreaLayout<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);
/// An area of a set: the number of its kind, and its place in the table of areas.
pub(super) type EntryLayout = (u8, u32);

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ItemLayout<'a> {
    pub(super) query: &'a str,
    #[serde(borrow)]
    pub(super) answer: AnswerLayout<'a>,
}

/// The status of a bulk item, with the record if there is one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum AnswerLayout<'a> {
    /// The text is not a postcode.
    Invalid,
    Unknown,
    NotCovered,
    /// Live or terminated, as the record says.
    Found(#[serde(borrow)] RecordLayout<'a>),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct NeighbourLayout<'a> {
    pub(super) distance: f64,
    #[serde(borrow)]
    pub(super) record: RecordLayout<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PageLayout<'a> {
    #[serde(borrow)]
    pub(super) next: Option<&'a str>,
    #[serde(borrow)]
    pub(super) advice: Option<&'a str>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RecordLayout<'a> {
    /// Without the space.
    postcode: &'a str,
    status: StatusLayout,
    quality: Option<u8>,
    user_type: Option<UserTypeLayout>,
    grid: Option<(u32, u32, GridLayout)>,
    #[serde(borrow)]
    position: PositionLayout<'a>,
    /// `YYYYMM` as a number.
    introduced: Option<u32>,
    terminated: Option<u32>,
    deprivation_rank: Option<u16>,
    /// The place of the set of areas in its table, from 1. Zero if the record has no areas.
    set: u32,
}

#[derive(Debug, Serialize, Deserialize)]
enum StatusLayout {
    Live,
    Terminated,
}

#[derive(Debug, Serialize, Deserialize)]
enum UserTypeLayout {
    Small,
    Large,
}

#[derive(Debug, Serialize, Deserialize)]
enum GridLayout {
    Osgb,
    Irish,
}

/// Latitude and longitude; of an approximate one its source, too.
#[derive(Debug, Serialize, Deserialize)]
enum PositionLayout<'a> {
    Missing,
    Exact(f64, f64),
    Approximate(f64, f64, &'a str),
}

impl<'a> RecordLayout<'a> {
    /// `postcode` is that of the record, without the space.
    pub(super) fn of(record: &'a Record, postcode: &'a str, set: u32) -> Self {
        let position = match (record.location, &record.approximate) {
            (Some(at), _) => PositionLayout::Exact(at.latitude(), at.longitude()),
            (None, Some(Approximate { location: at, source })) => {
                PositionLayout::Approximate(at.latitude(), at.longitude(), source)
            }
            (None, None) => PositionLayout::Missing,
        };
        let month = |month: YearMonth| u32::from(month.year()) * 100 + u32::from(month.month());
        Self {
            postcode,
            status: match record.status {
                Status::Live => StatusLayout::Live,
                Status::Terminated => StatusLayout::Terminated,
            },
            quality: record.quality,
            user_type: record.user_type.map(|user_type| match user_type {
                UserType::Small => UserTypeLayout::Small,
                UserType::Large => UserTypeLayout::Large,
            }),
            grid: record.grid.map(|grid| {
                let system = match grid.system {
                    GridSystem::Osgb => GridLayout::Osgb,
                    GridSystem::Irish => GridLayout::Irish,
                };
                (grid.eastings, grid.northings, system)
            }),
            position,
            introduced: record.introduced.map(month),
            terminated: record.terminated.map(month),
            deprivation_rank: record.deprivation_rank,
            set,
        }
    }

    /// Returns the record. `sets` is the table of sets.
    pub(super) fn into_record(self, sets: &[Areas]) -> Result<Record> {
        let text = self.postcode;
        let postcode = text.parse().map_err(|e| invalid(text, "postcode").with_source(e))?;
        let at = |latitude, longitude| {
            Location::new(latitude, longitude).map_err(|e| invalid(text, "location of").with_source(e))
        };
        let mut record = match self.status {
            StatusLayout::Live => Record::live(postcode),
            StatusLayout::Terminated => Record::terminated(postcode),
        };
        record.quality = self.quality;
        record.user_type = self.user_type.map(|user_type| match user_type {
            UserTypeLayout::Small => UserType::Small,
            UserTypeLayout::Large => UserType::Large,
        });
        record.grid = self.grid.map(|(eastings, northings, system)| {
            let system = match system {
                GridLayout::Osgb => GridSystem::Osgb,
                GridLayout::Irish => GridSystem::Irish,
            };
            GridReference { eastings, northings, system }
        });
        match self.position {
            PositionLayout::Missing => {}
            PositionLayout::Exact(latitude, longitude) => record.location = Some(at(latitude, longitude)?),
            PositionLayout::Approximate(latitude, longitude, source) => {
                let location = at(latitude, longitude)?;
                record.approximate = Some(Approximate { location, source: source.into() });
            }
        }
        let month = |number: Option<u32>| {
            let Some(number) = number else { return Ok(None) };
            let wrong = || invalid(text, "month of");
            let year = u16::try_from(number / 100).map_err(|_| wrong())?;
            YearMonth::new(year, (number % 100) as u8).map(Some).map_err(|e| wrong().with_source(e))
        };
        record.introduced = month(self.introduced)?;
        record.terminated = month(self.terminated)?;
        record.deprivation_rank = self.deprivation_rank;
        record.areas = match self.set.checked_sub(1) {
            None => Areas::NONE,
            Some(place) => {
                sets.get(place as usize).cloned().ok_or_else(|| invalid(text, "set of areas of"))?
            }
        };
        Ok(record)
    }
}

/// The error for a value of the server that makes no sense.
pub(super) fn invalid(text: &str, what: &str) -> Error {
    let text: String = text.chars().take(40).collect();
    Error::new(ErrorKind::Protocol, format!("the compact answer has an invalid {what}: {text:?}"))
}
