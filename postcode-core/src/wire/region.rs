//! Pages of the postcodes of a region, and the one region that does not fit in a URL.

use serde::{Deserialize, Serialize};

use crate::{Location, MAX_CORNERS, Postcode, Region, Result};

/// `{"status":200,"result":[…],"next":"SW1A 1AA"|null}`: a page, and what to give as `cursor` for the next one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageBody<T> {
    /// The HTTP status.
    pub status: u16,
    /// The postcodes.
    pub result: Vec<T>,
    /// Where the next page begins; null at the end.
    pub next: Option<Postcode>,
}

impl<T> PageBody<T> {
    /// With status 200.
    pub fn new(result: Vec<T>, next: Option<Postcode>) -> Self {
        Self { status: 200, result, next }
    }
}

/// The body of `POST /within`: `{"polygon":[[longitude,latitude],…]}`, as GeoJSON orders them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PolygonBody {
    /// The corners, degrees WGS84.
    pub polygon: Vec<[f64; 2]>,
}

impl PolygonBody {
    /// Of these corners.
    pub fn of(corners: &[Location]) -> Self {
        Self { polygon: corners.iter().map(|corner| [corner.longitude(), corner.latitude()]).collect() }
    }

    /// The region.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a corner off the earth, which it names.
    pub fn into_region(self) -> Result<Region> {
        // More than are allowed are refused by their number.
        let corners = self.polygon.iter().take(MAX_CORNERS + 1).enumerate();
        let corner = |(n, [longitude, latitude]): (usize, &[f64; 2])| {
            Location::new(*latitude, *longitude).map_err(|error| {
                crate::Error::invalid(format!("corner {} of the polygon: {}", n + 1, error.message()))
            })
        };
        Ok(Region::Polygon(corners.map(corner).collect::<Result<_>>()?))
    }
}
