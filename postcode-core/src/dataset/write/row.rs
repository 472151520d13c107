//! One postcode of a dataset that is being written.

use crate::dataset::section::areas::KINDS;
use crate::{AreaKind, GridReference, Location, Postcode, Status, UserType, YearMonth};

/// One postcode for a [`DatasetBuilder`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// The postcode.
    pub postcode: Postcode,
    /// In use or not.
    pub status: Status,
    /// ONSPD's `gridind`, 1 to 9.
    pub quality: Option<u8>,
    /// ONSPD's `usertype`.
    pub user_type: Option<UserType>,
    /// In metres.
    pub grid: Option<GridReference>,
    /// Kept to a millionth of a degree, ONSPD's precision (11 cm).
    pub location: Option<Location>,
    /// When it came into use.
    pub introduced: Option<YearMonth>,
    /// When it went out of use.
    pub terminated: Option<YearMonth>,
    /// ONSPD's `imd`.
    pub deprivation_rank: Option<u16>,
    /// The areas it lies in.
    pub areas: AreaIds,
}

impl Row {
    /// A live postcode of which nothing else is known; set the fields you have.
    pub fn live(postcode: Postcode) -> Self {
        Self {
            postcode,
            status: Status::Live,
            quality: None,
            user_type: None,
            grid: None,
            location: None,
            introduced: None,
            terminated: None,
            deprivation_rank: None,
            areas: AreaIds::NONE,
        }
    }

    /// A terminated postcode of which nothing else is known.
    pub fn terminated(postcode: Postcode) -> Self {
        Self { status: Status::Terminated, ..Self::live(postcode) }
    }
}

/// An area that a [`DatasetBuilder`] knows; of no use to another builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AreaId {
    pub(crate) kind: AreaKind,
    pub(crate) number: u32,
}

/// At most one area of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AreaIds(pub(crate) [u32; KINDS]);

impl AreaIds {
    /// No area.
    pub const NONE: Self = Self([u32::MAX; KINDS]);

    /// Adds an area; replaces one of its kind.
    pub fn set(&mut self, id: AreaId) {
        self.0[id.kind as usize] = id.number;
    }
}
