//! Regions whose postcodes can be listed.

use std::fmt;

#[cfg(any(feature = "conformance", feature = "dataset", feature = "http"))]
use super::limits::{MAX_AREA_CODE, MAX_CORNERS};
use crate::{AreaKind, Location, Outcode, Record, Sector};

/// A part of the country whose postcodes can be listed.
///
/// ```
/// use postcode_core::{Location, Region};
///
/// let circle = Region::circle(Location::new(51.501, -0.1416)?, 500.0);
/// assert!(circle.surrounds(Location::new(51.5, -0.14)?));
/// let district = Region::area("E09000033");
/// assert_eq!(district.to_string(), r#"area "E09000033""#);
/// # Ok::<(), postcode_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Region {
    /// All points within a distance of a centre, along the WGS84 ellipsoid.
    Circle {
        /// The centre.
        centre: Location,
        /// The distance in metres, 0 to [`MAX_RADIUS`](crate::MAX_RADIUS).
        radius: f64,
    },
    /// All points between two parallels and two meridians, including those on them.
    Box {
        /// The corner with the least latitude and longitude.
        south_west: Location,
        /// The corner with the greatest latitude and longitude.
        north_east: Location,
    },
    /// All points inside a polygon or on its edges. It has 3 to [`MAX_CORNERS`] corners; the last
    /// is joined to the first, which it may repeat. Edges are straight in degrees, as in GeoJSON
    /// (RFC 7946, section 3.1.1). If they cross, points that are surrounded an odd number of times
    /// are inside. The polygon may not cross the 180th meridian.
    Polygon(Vec<Location>),
    /// All points inside or on the edges of any of several polygons, which may overlap. Each polygon
    /// is a list of rings: its outer ring, and then its holes. A ring is like the corners of a
    /// [`Polygon`](Self::Polygon). All rings together have at most [`MAX_CORNERS`] corners.
    MultiPolygon(Vec<Vec<Vec<Location>>>),
    /// An administrative, electoral, health or statistical area, by its ONS code such as `E09000033`, in any case.
    Area {
        /// The code, at most [`MAX_AREA_CODE`] bytes. A code that is not in the dataset is an
        /// unknown area.
        code: String,
        /// The kind of area. `None` means all kinds: a few codes belong to several, such as those
        /// that mean "none" (`E99999999`).
        kind: Option<AreaKind>,
    },
    /// An outcode, the first half of a postcode, such as `SW1A`.
    Outcode(Outcode),
    /// A sector: an outcode and the digit after it, such as `SW1A 1`.
    Sector(Sector),
}

impl Region {
    /// Creates a circle with a radius in metres.
    ///
    /// ```
    /// use postcode_core::{Location, Region};
    ///
    /// let around_the_palace = Region::circle(Location::new(51.501, -0.1416)?, 500.0);
    /// assert!(around_the_palace.surrounds(Location::new(51.503, -0.1416)?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn circle(centre: Location, radius: f64) -> Self {
        Self::Circle { centre, radius }
    }

    /// Creates an area with this ONS code, of any kind.
    ///
    /// ```
    /// use postcode_core::Region;
    ///
    /// assert_eq!(Region::area("E09000033"), Region::Area { code: "E09000033".to_owned(), kind: None });
    /// ```
    pub fn area(code: impl Into<String>) -> Self {
        Self::Area { code: code.into(), kind: None }
    }

    /// Returns whether a postcode with this record lies in the region. One without a location lies
    /// in no circle, box or polygon.
    ///
    /// ```
    /// use postcode_core::{Location, Record, Region};
    ///
    /// let mut record = Record::live("SW1A 1AA".parse()?);
    /// record.location = Some(Location::new(51.501, -0.1416)?);
    /// assert!(Region::Outcode("SW1A".parse()?).contains(&record));
    /// assert!(!Region::circle(Location::new(51.5, -0.12)?, 1_000.0).contains(&record));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn contains(&self, record: &Record) -> bool {
        match self {
            Self::Circle { .. } | Self::Box { .. } | Self::Polygon(_) | Self::MultiPolygon(_) => {
                record.location.is_some_and(|at| self.surrounds(at))
            }
            Self::Area { code, kind: Some(kind) } => is_code(record.area_code(*kind), code),
            Self::Area { code, kind: None } => record.areas.iter().any(|(_, area)| is_code(area.code, code)),
            Self::Outcode(outcode) => outcode.contains(record.postcode),
            Self::Sector(sector) => sector.contains(record.postcode),
        }
    }

    /// Returns whether the region contains a point. Always false for areas, outcodes and sectors,
    /// which have no shape.
    ///
    /// ```
    /// use postcode_core::{Location, Region};
    ///
    /// let london = Region::Box { south_west: Location::new(51.3, -0.5)?, north_east: Location::new(51.7, 0.3)? };
    /// assert!(london.surrounds(Location::new(51.501, -0.1416)?));
    /// assert!(!london.surrounds(Location::new(53.48, -2.23)?)); // Manchester
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn surrounds(&self, at: Location) -> bool {
        match self {
            Self::Circle { centre, radius } => centre.distance(at) <= *radius,
            Self::Box { south_west, north_east } => {
                (south_west.latitude()..=north_east.latitude()).contains(&at.latitude())
                    && (south_west.longitude()..=north_east.longitude()).contains(&at.longitude())
            }
            Self::Polygon(corners) => in_edges(edges(corners), at),
            Self::MultiPolygon(polygons) => {
                polygons.iter().any(|rings| in_edges(rings.iter().flat_map(|ring| edges(ring)), at))
            }
            Self::Area { .. } | Self::Outcode(_) | Self::Sector(_) => false,
        }
    }

    /// Returns whether latitude and longitude of a circle, box or polygon were probably confused: it
    /// is far from the British Isles as it stands, and lies there with the two exchanged.
    ///
    /// ```
    /// use postcode_core::{Location, Region};
    ///
    /// assert!(Region::circle(Location::new(-0.1416, 51.501)?, 500.0).looks_swapped());
    /// assert!(!Region::circle(Location::new(51.501, -0.1416)?, 500.0).looks_swapped());
    /// # Ok::<(), postcode_core::Error>(())
    /// ```
    pub fn looks_swapped(&self) -> bool {
        let swapped =
            |at: &Location| (49.0..=61.5).contains(&at.longitude()) && (-9.0..=2.5).contains(&at.latitude());
        match self {
            Self::Circle { centre, .. } => swapped(centre),
            Self::Box { south_west, north_east } => swapped(south_west) && swapped(north_east),
            Self::Polygon(corners) => corners.iter().all(swapped),
            Self::MultiPolygon(polygons) => polygons.iter().flatten().flatten().all(swapped),
            Self::Area { .. } | Self::Outcode(_) | Self::Sector(_) => false,
        }
    }

    /// Returns whether the region is given by a name, which a dataset may not have, and not by a
    /// shape.
    #[cfg(any(feature = "conformance", feature = "dataset", feature = "http"))]
    pub(crate) fn is_named(&self) -> bool {
        matches!(self, Self::Area { .. } | Self::Outcode(_) | Self::Sector(_))
    }

    #[cfg(any(feature = "conformance", feature = "dataset", feature = "http"))]
    pub(crate) fn check(&self) -> crate::Result<()> {
        let refused = |what: String| Err(crate::Error::invalid(what));
        match self {
            Self::Circle { radius, .. } => super::check::radius(*radius, crate::MAX_RADIUS),
            Self::Box { south_west, north_east } if south_west.latitude() > north_east.latitude() => {
                let (south, north) = (south_west.latitude(), north_east.latitude());
                refused(format!("a box from latitude {south} to {north}: give the south before the north"))
            }
            Self::Box { south_west, north_east } if south_west.longitude() > north_east.longitude() => {
                let (west, east) = (south_west.longitude(), north_east.longitude());
                refused(format!("a box from longitude {west} to {east}: give the west before the east"))
            }
            Self::Polygon(corners) if !(3..=MAX_CORNERS).contains(&corners.len()) => {
                refused(format!("a polygon of {} corners: give 3 to {MAX_CORNERS}", corners.len()))
            }
            Self::MultiPolygon(polygons) if polygons.is_empty() || polygons.iter().any(Vec::is_empty) => {
                refused("a polygon without a ring: give each polygon its outer ring".to_owned())
            }
            Self::MultiPolygon(polygons) => {
                let corners =
                    polygons.iter().flatten().fold(0, |sum: usize, ring| sum.saturating_add(ring.len()));
                let short = polygons.iter().flatten().find(|ring| ring.len() < 3);
                match short {
                    Some(ring) => refused(format!("a ring of {} corners: give at least 3", ring.len())),
                    None if corners > MAX_CORNERS => {
                        refused(format!("polygons of {corners} corners: give at most {MAX_CORNERS} in all"))
                    }
                    None => Ok(()),
                }
            }
            Self::Area { code, .. } if code.len() > MAX_AREA_CODE => refused(format!(
                "an area code of {} bytes: give at most {MAX_AREA_CODE}, such as E09000033",
                code.len()
            )),
            _ => Ok(()),
        }
    }
}

/// Writes the region as error messages name it.
impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Circle { centre, radius } => {
                write!(f, "{radius} m around {} {}", centre.latitude(), centre.longitude())
            }
            Self::Box { south_west, north_east } => write!(
                f,
                "box {} {} to {} {}",
                south_west.latitude(),
                south_west.longitude(),
                north_east.latitude(),
                north_east.longitude()
            ),
            Self::Polygon(corners) => write!(f, "polygon of {} corners", corners.len()),
            Self::MultiPolygon(polygons) => {
                let corners: usize = polygons.iter().flatten().map(Vec::len).sum();
                write!(f, "{} polygons of {corners} corners", polygons.len())
            }
            Self::Area { code, kind: None } => write!(f, "area {code:?}"),
            Self::Area { code, kind: Some(kind) } => write!(f, "{} {code:?}", kind.key()),
            Self::Outcode(outcode) => write!(f, "outcode {outcode}"),
            Self::Sector(sector) => write!(f, "sector {sector}"),
        }
    }
}

fn is_code(own: Option<&str>, code: &str) -> bool {
    own.is_some_and(|own| own.eq_ignore_ascii_case(code))
}

/// The position of a point relative to one edge of a polygon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The point lies on the edge.
    On,
    /// The edge crosses the point's parallel to the east of the point.
    East,
    /// Neither of the two.
    Elsewhere,
}

/// Compares the edge between two corners with a point.
pub(crate) fn side(previous: Location, corner: Location, at: Location) -> Side {
    let (x, y) = (at.longitude(), at.latitude());
    let (x1, y1) = (previous.longitude(), previous.latitude());
    let (x2, y2) = (corner.longitude(), corner.latitude());
    let cross = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1);
    let beside = x >= x1.min(x2) && x <= x1.max(x2) && y >= y1.min(y2) && y <= y1.max(y2);
    if cross == 0.0 && beside {
        return Side::On;
    }
    // A corner on the parallel counts as part of the edge below.
    match (y1 > y) != (y2 > y) && (cross > 0.0) == (y2 > y1) {
        true => Side::East,
        false => Side::Elsewhere,
    }
}

/// An edge of a polygon: the corners between which it runs.
pub(crate) type Edge = (Location, Location);

/// Iterates over the edges of a ring, each to one of its corners. The first one comes from the last
/// corner.
pub(crate) fn edges(ring: &[Location]) -> impl Iterator<Item = Edge> + '_ {
    let before = ring.last().into_iter().chain(ring);
    before.copied().zip(ring.iter().copied())
}

/// Returns whether a point lies inside edges or on one, by looking at every edge. The dataset has an
/// index for polygons of many corners.
pub(crate) fn in_edges(edges: impl Iterator<Item = Edge>, at: Location) -> bool {
    let mut inside = false;
    for (previous, corner) in edges {
        match side(previous, corner, at) {
            Side::On => return true,
            Side::East => inside = !inside,
            Side::Elsewhere => {}
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MAX_PAGE, Within};

    fn at(latitude: f64, longitude: f64) -> Location {
        Location::new(latitude, longitude).unwrap()
    }

    #[test]
    fn inside_of_a_polygon_on_its_edge_and_outside() {
        // An L-shaped polygon with its notch in the north-east.
        let corners = [(0.0, 0.0), (0.0, 4.0), (2.0, 4.0), (2.0, 2.0), (4.0, 2.0), (4.0, 0.0)];
        let corners: Vec<_> =
            corners.into_iter().map(|(latitude, longitude)| at(latitude, longitude)).collect();
        let closed = corners.iter().chain(&corners[..1]).copied().collect();
        let backwards = corners.iter().rev().copied().collect();
        for polygon in [Region::Polygon(corners), Region::Polygon(closed), Region::Polygon(backwards)] {
            for (latitude, longitude, inside) in [
                (1.0, 1.0, true),
                (1.0, 3.0, true),
                (3.0, 1.0, true),
                (3.0, 3.0, false),
                (2.0, 3.0, true),
                (0.0, 0.0, true),
                (4.0, 2.0, true),
                (2.0, 2.0, true),
                (-1.0, 2.0, false),
                (2.0, 4.5, false),
                (2.0, -1.0, false),
                (4.0, 3.0, false),
            ] {
                assert_eq!(polygon.surrounds(at(latitude, longitude)), inside, "{latitude} {longitude}");
            }
        }
    }

    fn square(south: f64, west: f64, size: f64) -> Vec<Location> {
        [(0.0, 0.0), (0.0, size), (size, size), (size, 0.0), (0.0, 0.0)]
            .map(|(north, east)| at(south + north, west + east))
            .to_vec()
    }

    #[test]
    fn point_in_a_hole_is_outside_and_in_any_of_several_polygons_inside() {
        let frame = vec![square(0.0, 0.0, 4.0), square(1.0, 1.0, 2.0)];
        let region =
            Region::MultiPolygon(vec![frame, vec![square(3.5, 3.5, 2.0)], vec![square(10.0, 0.0, 1.0)]]);
        region.check().unwrap();
        for (latitude, longitude, inside) in [
            (0.5, 0.5, true),
            (2.0, 2.0, false),
            (1.0, 2.0, true),
            (3.75, 3.75, true),
            (5.0, 5.0, true),
            (10.5, 0.5, true),
            (7.0, 0.5, false),
        ] {
            assert_eq!(region.surrounds(at(latitude, longitude)), inside, "{latitude} {longitude}");
        }
    }

    #[test]
    fn exchanged_axes_are_noticed() {
        for (region, swapped) in [
            (Region::circle(at(-0.1, 51.5), 10.0), true),
            (Region::circle(at(51.5, -0.1), 10.0), false),
            (Region::circle(at(0.0, 0.0), 10.0), false),
            (Region::Box { south_west: at(-0.15, 51.49), north_east: at(-0.12, 51.51) }, true),
            (Region::Box { south_west: at(-90.0, -180.0), north_east: at(90.0, 180.0) }, false),
            (Region::Polygon(square(-0.15, 51.49, 0.1)), true),
            (Region::Polygon(square(51.49, -0.15, 0.1)), false),
            (
                Region::MultiPolygon(vec![vec![square(-0.15, 51.49, 0.1)], vec![square(-3.0, 55.9, 0.1)]]),
                true,
            ),
            (
                Region::MultiPolygon(vec![vec![square(-0.15, 51.49, 0.1)], vec![square(55.9, -3.0, 0.1)]]),
                false,
            ),
            (Region::area("E09000033"), false),
        ] {
            assert_eq!(region.looks_swapped(), swapped, "{region}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let point = at(51.5, -0.1);
        for (region, word) in [
            (Region::circle(point, -1.0), "radius"),
            (Region::circle(point, f64::NAN), "radius"),
            (Region::Box { south_west: at(52.0, 0.0), north_east: at(51.0, 1.0) }, "south before the north"),
            (Region::Box { south_west: at(51.0, 1.0), north_east: at(52.0, 0.0) }, "west before the east"),
            (Region::Polygon(vec![point; 2]), "2 corners"),
            (Region::Polygon(vec![point; MAX_CORNERS + 1]), "1001 corners"),
            (Region::MultiPolygon(Vec::new()), "without a ring"),
            (Region::MultiPolygon(vec![vec![vec![point; 3]], Vec::new()]), "without a ring"),
            (Region::MultiPolygon(vec![vec![vec![point; 3], vec![point; 2]]]), "ring of 2 corners"),
            (Region::MultiPolygon(vec![vec![vec![point; 501]]; 2]), "1002 corners"),
            (Region::area("x".repeat(33)), "33 bytes"),
        ] {
            let error = region.check().unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
        assert!(Within::of(Region::circle(point, 0.0)).limit(0).check().is_err());
        assert!(Within::of(Region::circle(point, 0.0)).limit(MAX_PAGE + 1).check().is_err());
    }
}
