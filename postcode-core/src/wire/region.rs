//! Pages of the postcodes of a region, and the body of a polygon, which does not fit in a URL.

use serde::{Deserialize, Serialize};

use crate::{Location, MAX_CORNERS, Postcode, Region, Result};

/// `{"status":200,"result":[…],"next":"SW1A 1AA"|null}`: a page, and the `cursor` of the next one.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use postcode_core::wire::PageBody;
///
/// let body = PageBody::new(vec!["a", "b"], Some("SW1A 1AA".parse()?));
/// assert_eq!(serde_json::to_string(&body)?, r#"{"status":200,"result":["a","b"],"next":"SW1A 1AA"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageBody<T> {
    /// The HTTP status.
    pub status: u16,
    /// The postcodes.
    pub result: Vec<T>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<Postcode>,
}

impl<T> PageBody<T> {
    /// Wraps a page with status 200. `next` is the cursor of the next page.
    ///
    /// ```
    /// use postcode_core::wire::PageBody;
    ///
    /// let last = PageBody::new(vec!["SW1A 1AA"], None);
    /// assert_eq!(serde_json::to_string(&last)?, r#"{"status":200,"result":["SW1A 1AA"],"next":null}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(result: Vec<T>, next: Option<Postcode>) -> Self {
        Self { status: 200, result, next }
    }
}

/// The body of `POST /within`: `{"polygon":[[longitude,latitude],…]}`, in the order of GeoJSON.
///
/// A client creates it with [`of`](Self::of), a server reads it with [`into_region`](Self::into_region):
///
/// ```
/// use postcode_core::{Location, Region};
/// use postcode_core::wire::PolygonBody;
///
/// let corners = [Location::new(51.0, -1.0)?, Location::new(51.0, 0.0)?, Location::new(52.0, 0.0)?];
/// let body = PolygonBody::of(&corners);
/// assert_eq!(body.polygon[0], [-1.0, 51.0]); // longitude first
/// assert_eq!(body.into_region()?, Region::Polygon(corners.to_vec()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PolygonBody {
    /// The corners, degrees WGS84.
    pub polygon: Vec<[f64; 2]>,
}

impl PolygonBody {
    /// Creates a body from the corners of a polygon.
    ///
    /// ```
    /// use postcode_core::Location;
    /// use postcode_core::wire::PolygonBody;
    ///
    /// let body = PolygonBody::of(&[Location::new(51.0, -1.0)?, Location::new(51.0, 0.0)?, Location::new(52.0, 0.0)?]);
    /// let text = r#"{"polygon":[[-1.0,51.0],[0.0,51.0],[0.0,52.0]]}"#; // longitude first
    /// assert_eq!(serde_json::to_string(&body)?, text);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(corners: &[Location]) -> Self {
        Self { polygon: corners.iter().map(|corner| [corner.longitude(), corner.latitude()]).collect() }
    }

    /// Converts the body to a region.
    ///
    /// ```
    /// use postcode_core::wire::PolygonBody;
    ///
    /// let body = PolygonBody { polygon: vec![[-1.0, 51.0], [0.0, 151.0], [0.0, 52.0]] };
    /// let error = body.into_region().unwrap_err();
    /// assert!(error.to_string().contains("corner 2 of the polygon"));
    /// ```
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
///
/// Created by [`of`](Self::of):
///
/// ```
/// use postcode_core::Location;
/// use postcode_core::wire::MultiPolygonBody;
///
/// let ring = vec![Location::new(51.0, -1.0)?, Location::new(51.0, 0.0)?, Location::new(52.0, 0.0)?];
/// let body = MultiPolygonBody::of(&[vec![ring]]); // one polygon without holes
/// assert_eq!(serde_json::to_value(&body)?["type"], "MultiPolygon");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct MultiPolygonBody {
    r#type: &'static str,
    /// Polygons, each a list of rings, each a list of corners in degrees WGS84.
    pub coordinates: Vec<Vec<Vec<[f64; 2]>>>,
}

impl MultiPolygonBody {
    /// Creates a body from the rings of each polygon.
    ///
    /// ```
    /// use postcode_core::Location;
    /// use postcode_core::wire::MultiPolygonBody;
    ///
    /// let ring = [Location::new(51.0, -1.0)?, Location::new(51.0, 0.0)?, Location::new(52.0, 0.0)?].to_vec();
    /// let body = MultiPolygonBody::of(&[vec![ring.clone()], vec![ring]]); // two polygons without holes
    /// assert_eq!((body.coordinates.len(), body.coordinates[1][0][2]), (2, [0.0, 52.0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(polygons: &[Vec<Vec<Location>>]) -> Self {
        let ring = |ring: &Vec<Location>| PolygonBody::of(ring).polygon;
        let rings = |rings: &Vec<Vec<Location>>| rings.iter().map(ring).collect();
        Self { r#type: "MultiPolygon", coordinates: polygons.iter().map(rings).collect() }
    }
}
