//! Queries for postcodes and outcodes around a point, a postcode or an outcode.

use crate::{Location, Outcode, Postcode};
#[cfg(doc)]
use crate::{MAX_LIMIT, MAX_NEIGHBOURS, MAX_RADIUS};

/// A query for the postcodes around a point or a postcode.
///
/// ```
/// use postcode_core::{Location, Nearest};
///
/// let query = Nearest::to(Location::new(51.501, -0.1419)?).limit(5).radius(500.0);
/// assert_eq!(query.limit, 5);
/// # Ok::<(), postcode_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Nearest {
    /// The centre of the search.
    pub origin: Origin,
    /// The most postcodes to return, 1 to [`MAX_NEIGHBOURS`]; 10 unless set.
    pub limit: usize,
    /// The search radius in metres, 0 to [`MAX_RADIUS`]; 100 unless set.
    pub radius: f64,
}

/// The centre of a search for postcodes.
///
/// ```
/// use postcode_core::{Location, Nearest, Origin};
///
/// let from = Origin::from(Location::new(51.501, -0.1416)?);
/// assert_eq!(Nearest::to(from).origin, from);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Origin {
    /// A point.
    Location(Location),
    /// The location of a live or terminated postcode.
    Postcode(Postcode),
}

impl From<Location> for Origin {
    fn from(location: Location) -> Self {
        Self::Location(location)
    }
}

impl From<Postcode> for Origin {
    fn from(postcode: Postcode) -> Self {
        Self::Postcode(postcode)
    }
}

impl Nearest {
    /// Creates a query around a point or a postcode, with the defaults of postcodes.io: at most
    /// ten, within 100 metres.
    ///
    /// ```
    /// use postcode_core::{Location, Nearest};
    ///
    /// let query = Nearest::to(Location::new(51.501, -0.1416)?);
    /// assert_eq!((query.limit, query.radius), (10, 100.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to(origin: impl Into<Origin>) -> Self {
        Self { origin: origin.into(), limit: 10, radius: 100.0 }
    }

    /// Sets the most postcodes to return, 1 to [`MAX_NEIGHBOURS`].
    ///
    /// ```
    /// use postcode_core::{Location, Nearest};
    ///
    /// let query = Nearest::to(Location::new(51.501, -0.1416)?).limit(3);
    /// assert_eq!(query.limit, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Sets the search radius in metres, 0 to [`MAX_RADIUS`].
    ///
    /// ```
    /// use postcode_core::{Location, Nearest};
    ///
    /// let query = Nearest::to(Location::new(51.501, -0.1416)?).radius(2_000.0);
    /// assert_eq!(query.radius, 2_000.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn radius(self, radius: f64) -> Self {
        Self { radius, ..self }
    }
}

/// A query for the outcodes around a point or an outcode.
///
/// ```
/// use postcode_core::{NearestOutcodes, Outcode};
///
/// let query = NearestOutcodes::to("AB10".parse::<Outcode>()?).limit(3);
/// assert_eq!(query.radius, 5_000.0);
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct NearestOutcodes {
    /// The centre of the search.
    pub origin: OutcodeOrigin,
    /// The most outcodes to return, 1 to [`MAX_LIMIT`]; 10 unless set.
    pub limit: usize,
    /// The search radius in metres, 0 to [`MAX_RADIUS`]; 5,000 unless set.
    pub radius: f64,
}

/// The centre of a search for outcodes.
///
/// ```
/// use postcode_core::{NearestOutcodes, Outcode, OutcodeOrigin};
///
/// let ab10: Outcode = "AB10".parse()?;
/// assert_eq!(NearestOutcodes::to(ab10).origin, OutcodeOrigin::Outcode(ab10));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OutcodeOrigin {
    /// A point.
    Location(Location),
    /// The mean location of an outcode's live postcodes.
    Outcode(Outcode),
}

impl From<Location> for OutcodeOrigin {
    fn from(location: Location) -> Self {
        Self::Location(location)
    }
}

impl From<Outcode> for OutcodeOrigin {
    fn from(outcode: Outcode) -> Self {
        Self::Outcode(outcode)
    }
}

impl NearestOutcodes {
    /// Creates a query around a point or an outcode, with the defaults of postcodes.io: at most
    /// ten, within 5 km.
    ///
    /// ```
    /// use postcode_core::{Location, NearestOutcodes};
    ///
    /// let query = NearestOutcodes::to(Location::new(53.48, -2.23)?);
    /// assert_eq!((query.limit, query.radius), (10, 5_000.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to(origin: impl Into<OutcodeOrigin>) -> Self {
        Self { origin: origin.into(), limit: 10, radius: 5_000.0 }
    }

    /// Sets the most outcodes to return, 1 to [`MAX_LIMIT`].
    ///
    /// ```
    /// use postcode_core::{NearestOutcodes, Outcode};
    ///
    /// assert_eq!(NearestOutcodes::to("M1".parse::<Outcode>()?).limit(3).limit, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Sets the search radius in metres, 0 to [`MAX_RADIUS`].
    ///
    /// ```
    /// use postcode_core::{NearestOutcodes, Outcode};
    ///
    /// assert_eq!(NearestOutcodes::to("M1".parse::<Outcode>()?).radius(20_000.0).radius, 20_000.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn radius(self, radius: f64) -> Self {
        Self { radius, ..self }
    }
}
