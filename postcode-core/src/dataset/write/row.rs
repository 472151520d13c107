//! The row of a postcode, to be written to a dataset.

use crate::dataset::section::areas::KINDS;
use crate::{AreaKind, GridReference, Location, Postcode, Status, UserType, YearMonth};

/// One postcode for a [`DatasetBuilder`](crate::dataset::DatasetBuilder).
///
/// ```
/// use postcode_core::dataset::Row;
/// use postcode_core::{Location, YearMonth};
///
/// let mut row = Row::live("SW1A 1AA".parse()?);
/// row.location = Some(Location::new(51.501, -0.1416)?);
/// row.introduced = Some(YearMonth::new(1980, 1)?);
/// assert_eq!(row.terminated, None); // it is live
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// The postcode.
    pub postcode: Postcode,
    /// Whether it is in use.
    pub status: Status,
    /// ONSPD's `gridind`, 1 to 9.
    pub quality: Option<u8>,
    /// ONSPD's `usertype`.
    pub user_type: Option<UserType>,
    /// The grid reference in metres.
    pub grid: Option<GridReference>,
    /// The location, kept to a millionth of a degree, ONSPD's precision (11 cm).
    pub location: Option<Location>,
    /// The month in which it came into use.
    pub introduced: Option<YearMonth>,
    /// The month in which it went out of use.
    pub terminated: Option<YearMonth>,
    /// ONSPD's `imd`.
    pub deprivation_rank: Option<u16>,
    /// The areas in which it lies.
    pub areas: AreaIds,
}

impl Row {
    /// Creates a live postcode without other data; set the fields you have.
    ///
    /// ```
    /// use postcode_core::Status;
    /// use postcode_core::dataset::Row;
    ///
    /// let row = Row::live("SW1A 1AA".parse()?);
    /// assert_eq!((row.status, row.location), (Status::Live, None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Creates a terminated postcode without other data.
    ///
    /// ```
    /// use postcode_core::YearMonth;
    /// use postcode_core::dataset::Row;
    ///
    /// let mut row = Row::terminated("AB1 0AA".parse()?);
    /// row.terminated = Some(YearMonth::new(1996, 6)?);
    /// assert_eq!(row.status, postcode_core::Status::Terminated);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn terminated(postcode: Postcode) -> Self {
        Self { status: Status::Terminated, ..Self::live(postcode) }
    }
}

/// An area of a [`DatasetBuilder`](crate::dataset::DatasetBuilder). It is not valid in another builder.
///
/// ```
/// use postcode_core::AreaKind;
/// use postcode_core::dataset::{AreaId, DatasetBuilder, Metadata};
///
/// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// let westminster: AreaId = builder.area(AreaKind::AdminDistrict, "E09000033")?;
/// assert_eq!(builder.area(AreaKind::AdminDistrict, "E09000033")?, westminster);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AreaId {
    pub(crate) kind: AreaKind,
    pub(crate) number: u32,
}

/// The areas of a postcode: at most one of each kind.
///
/// Filled by [`set`](Self::set):
///
/// ```
/// use postcode_core::AreaKind;
/// use postcode_core::dataset::{AreaIds, DatasetBuilder, Metadata};
///
/// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// let mut areas = AreaIds::NONE;
/// areas.set(builder.area(AreaKind::Country, "E92000001")?);
/// areas.set(builder.area(AreaKind::AdminDistrict, "E09000033")?);
/// assert_ne!(areas, AreaIds::NONE);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AreaIds(pub(crate) [u32; KINDS]);

impl AreaIds {
    /// No areas.
    ///
    /// ```
    /// use postcode_core::dataset::{AreaIds, Row};
    ///
    /// assert_eq!(Row::live("SW1A 1AA".parse()?).areas, AreaIds::NONE); // until they are set
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const NONE: Self = Self([u32::MAX; KINDS]);

    /// Sets the area of its kind.
    ///
    /// ```
    /// use postcode_core::AreaKind;
    /// use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    ///
    /// let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// let mut row = Row::live("SW1A 1AA".parse()?);
    /// row.areas.set(builder.area(AreaKind::AdminDistrict, "E09000033")?);
    /// builder.push(&row)?;
    /// let dataset = builder.build()?;
    /// let record = dataset.find(row.postcode).ok_or("not there")?;
    /// assert_eq!(record.area_code(AreaKind::AdminDistrict), Some("E09000033"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set(&mut self, id: AreaId) {
        self.0[id.kind as usize] = id.number;
    }
}
