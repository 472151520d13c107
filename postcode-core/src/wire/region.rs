//! Pages of the postcodes of a region, and the body of a polygon, which does not fit in a URL.

use serde::{Deserialize, Serialize};

use crate::{Location, MAX_CORNERS, Postcode, Region, Result};

/// `{"status":200,"result":[…],"next":"SW1A 1AA"|null}`: a page, and the `cursor` of the next one.
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
    /// Wraps a page, with status 200.
    pub fn new(result: Vec<T>, next: Option<Postcode>) -> Self {
        Self { status: 200, result, next }
    }
}

/// The body of `POST /within`: `{"polygon":[[longitude,latitude],…]}`, in the order of GeoJSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PolygonBody {
    /// The corners, degrees WGS84.
    pub polygon: Vec<[f64; 2]>,
}

impl PolygonBody {
    /// Creates a body from the corners.
    pub fn of(corners: &[Location]) -> Self {
        Self { polygon: corners.iter().map(|corner| [corner.longitude(), corner.latitude()]).collect() }
    }

    /// Converts the body to a region.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a corner outside the ranges of latitude
    /// and longitude, with its number.
    pub fn into_region(self) -> Result<Region> {
        // One more than allowed is enough for the error about their number.
        let corners = self.polygon.iter().take(MAX_CORNERS + 1).enumerate();
        let corner = |(n, [longitude, latitude]): (usize, &[f64; 2])| {
            Location::new(*latitude, *longitude).map_err(|error| {
                crate::Error::invalid(format!("corner {} of the polygon: {}", n + 1, error.message()))
            })
        };
        Ok(Region::Polygon(corners.map(corner).collect::<Result<_>>()?))
    }
}

/// A body of `POST /within` that is a MultiPolygon of GeoJSON.
#[derive(Clone, Debug, Serialize)]
pub struct MultiPolygonBody {
    r#type: &'static str,
    /// Polygons, each a list of rings, each a list of corners in degrees WGS84.
    pub coordinates: Vec<Vec<Vec<[f64; 2]>>>,
}

impl MultiPolygonBody {
    /// Creates a body from the rings of each polygon.
    pub fn of(polygons: &[Vec<Vec<Location>>]) -> Self {
        let ring = |ring: &Vec<Location>| PolygonBody::of(ring).polygon;
        let rings = |rings: &Vec<Vec<Location>>| rings.iter().map(ring).collect();
        Self { r#type: "MultiPolygon", coordinates: polygons.iter().map(rings).collect() }
    }
}
