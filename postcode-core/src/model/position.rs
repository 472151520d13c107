//! Where a postcode is.

use std::sync::{Arc, LazyLock};

use geographiclib_rs::{Geodesic, InverseGeodesic};

use crate::{Error, Result};

static WGS84: LazyLock<Geodesic> = LazyLock::new(Geodesic::wgs84);

/// A point in degrees on WGS84 (ETRS89, which differs by less than a metre).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Location {
    latitude: f64,
    longitude: f64,
}

impl Location {
    /// From degrees: latitude −90 to 90, longitude −180 to 180.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for anything outside, or not a number.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self> {
        if !(-90.0..=90.0).contains(&latitude) {
            return Err(Error::invalid(format!("latitude {latitude}: give degrees from -90 to 90")));
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(Error::invalid(format!("longitude {longitude}: give degrees from -180 to 180")));
        }
        Ok(Self { latitude, longitude })
    }

    /// Degrees north.
    pub fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east; Great Britain is mostly negative.
    pub fn longitude(self) -> f64 {
        self.longitude
    }

    /// Metres to another point along the WGS84 ellipsoid, rounded to 1e-8 as PostGIS does.
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

/// Where a postcode without a location of its own is, about: the position of its outcode, from another source than the rest.
///
/// It is in no index: nearest, distances and centroids know exact locations only.
#[derive(Clone, Debug, PartialEq)]
pub struct Approximate {
    /// Degrees on WGS84; may be kilometres off.
    pub location: Location,
    /// Who says so, such as `GeoNames`.
    pub source: Arc<str>,
}

/// Metres east and north on a national grid, as ONSPD gives them (`oseast1m`, `osnrth1m`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridReference {
    /// Metres east of the grid's origin.
    pub eastings: u32,
    /// Metres north of the grid's origin.
    pub northings: u32,
    /// Which grid.
    pub system: GridSystem,
}

/// The grid that a reference is on. They overlap: the same numbers name two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GridSystem {
    /// The Ordnance Survey National Grid (OSGB36, EPSG:27700).
    Osgb,
    /// The Irish Grid (TM65/TM75, EPSG:29903), for the BT postcodes.
    Irish,
}
