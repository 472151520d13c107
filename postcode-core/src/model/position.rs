//! Coordinates: latitude and longitude, and grid references.

use std::sync::{Arc, LazyLock};

use geographiclib_rs::{Geodesic, InverseGeodesic};

use crate::{Error, Result};

static WGS84: LazyLock<Geodesic> = LazyLock::new(Geodesic::wgs84);

/// A point in degrees on WGS84 (ETRS89, which differs by less than a metre).
///
/// ```
/// use postcode_core::Location;
///
/// let palace = Location::new(51.501, -0.1416)?;
/// let big_ben = Location::new(51.5007, -0.1246)?;
/// assert!((1_100.0..1_300.0).contains(&palace.distance(big_ben))); // metres
/// # Ok::<(), postcode_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Location {
    latitude: f64,
    longitude: f64,
}

impl Location {
    /// Creates a point from degrees: latitude −90 to 90, longitude −180 to 180.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a number outside these ranges, or NaN.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self> {
        if !(-90.0..=90.0).contains(&latitude) {
            return Err(Error::invalid(format!("latitude {latitude}: give degrees from -90 to 90")));
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(Error::invalid(format!("longitude {longitude}: give degrees from -180 to 180")));
        }
        Ok(Self { latitude, longitude })
    }

    /// Returns the latitude in degrees north.
    pub fn latitude(self) -> f64 {
        self.latitude
    }

    /// Returns the longitude in degrees east, which is negative in most of Great Britain.
    pub fn longitude(self) -> f64 {
        self.longitude
    }

    /// Returns the metres to another point along the WGS84 ellipsoid, rounded to 1e-8 like PostGIS.
    ///
    /// ```
    /// use postcode_core::Location;
    ///
    /// // A degree of the equator, whose radius WGS84 gives as 6,378,137 m.
    /// let metres = Location::new(0.0, 0.0)?.distance(Location::new(0.0, 1.0)?);
    /// assert!((metres - 6_378_137.0_f64.to_radians()).abs() < 1e-6);
    /// # Ok::<(), postcode_core::Error>(())
    /// ```
    pub fn distance(self, other: Self) -> f64 {
        let metres: f64 = WGS84.inverse(self.latitude, self.longitude, other.latitude, other.longitude);
        (metres * 1e8).round() / 1e8
    }
}

/// The approximate location of a postcode that has no exact one: the position of its outcode, from
/// a different source.
///
/// It is not indexed: nearest, distances and centroids use only exact locations.
#[derive(Clone, Debug, PartialEq)]
pub struct Approximate {
    /// Degrees on WGS84; may be kilometres off.
    pub location: Location,
    /// The source, such as `GeoNames`.
    pub source: Arc<str>,
}

/// Metres east and north on a national grid, as ONSPD gives them (`oseast1m`, `osnrth1m`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridReference {
    /// Metres east of the grid's origin.
    pub eastings: u32,
    /// Metres north of the grid's origin.
    pub northings: u32,
    /// The grid of these coordinates.
    pub system: GridSystem,
}

/// The grid of a reference. The grids overlap: the same numbers mean different places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GridSystem {
    /// The Ordnance Survey National Grid (OSGB36, EPSG:27700).
    Osgb,
    /// The Irish Grid (TM65/TM75, EPSG:29903), for the BT postcodes.
    Irish,
}
