//! Fast approximate distances from a point, and the part of the spatial index that a shape covers.

use crate::Location;
use crate::dataset::section::rows::MICRO;
use crate::dataset::section::spatial::{CELLS_AROUND, cell_of, middle_of};

/// An upper limit for the error of the distance on a plane. The actual error is far smaller (below
/// a millionth at 25 km, away from the poles), and a larger limit would cost no noticeable time.
const MARGIN: f64 = 1e-3;
/// An upper limit for the relative error of the distance on a sphere, which is at most 0.56 %.
const SPHERE_MARGIN: f64 = 6.5e-3;
const MARGIN_METRES: f64 = 0.01;

/// The plane is used up to this distance, in metres.
const PLANE_REACH: f64 = 25_000.0;
/// The plane is not used beyond this latitude.
const POLAR: f64 = 80.0;
/// The mean radius of the earth (IUGG), in metres.
const EARTH: f64 = 6_371_008.8;
/// A degree of latitude is nowhere shorter than 110,574 m.
const DEGREE: f64 = 110_000.0;

/// At least the distance from the middle of a cell to its corners, in metres: 500 north and 840
/// east at the equator.
const HALF_CELL: f64 = 1_000.0;

/// Computes fast approximate distances from one point.
pub(crate) struct Compass {
    origin: Location,
    cos: f64,
    plane: Option<Plane>,
}

impl Compass {
    /// Creates a compass for distances up to `reach` metres.
    pub(crate) fn at(origin: Location, reach: f64) -> Self {
        let flat = origin.latitude().abs() <= POLAR && reach <= PLANE_REACH;
        let cos = origin.latitude().to_radians().cos();
        Self { origin, cos, plane: flat.then(|| Plane::at(origin)) }
    }

    /// Returns the approximate distance in metres.
    #[inline]
    pub(crate) fn about(&self, latitude: f64, longitude: f64) -> f64 {
        match &self.plane {
            Some(plane) => plane.distance(latitude, longitude),
            None => self.on_sphere(latitude, longitude),
        }
    }

    /// Returns the plane of the approximate distances, if they are on a plane.
    pub(crate) fn plane(&self) -> Option<&Plane> {
        self.plane.as_ref()
    }

    /// Computes the distance by the haversine formula.
    fn on_sphere(&self, latitude: f64, longitude: f64) -> f64 {
        let half_sine = |degrees: f64| (degrees.to_radians() / 2.0).sin();
        let north = half_sine(latitude - self.origin.latitude());
        let east = half_sine(longitude - self.origin.longitude());
        let square = north * north + self.cos * latitude.to_radians().cos() * east * east;
        2.0 * EARTH * square.sqrt().min(1.0).asin()
    }

    /// Returns whether the latitude alone puts the point beyond this distance.
    #[inline]
    pub(crate) fn is_beyond(&self, latitude: f64, metres: f64) -> bool {
        (latitude - self.origin.latitude()).abs() * DEGREE > metres
    }

    /// Returns the largest true distance for an approximate one.
    #[inline]
    pub(crate) fn loosely(&self, metres: f64) -> f64 {
        let margin = if self.plane.is_some() { MARGIN } else { SPHERE_MARGIN };
        metres * (1.0 + margin) + MARGIN_METRES
    }

    /// Returns whether a band of the spatial index may reach into a circle. Nothing in a band is
    /// farther north or south than a kilometre from its middle.
    #[inline]
    pub(crate) fn may_reach(&self, band: u32, metres: f64) -> bool {
        !self.is_beyond(middle_of(band, 0).0, metres + HALF_CELL)
    }

    /// Returns whether a cell of the spatial index may reach into a circle. Nothing in a cell is
    /// farther than a kilometre from its middle. Cells farther along the parallel are never nearer.
    #[inline]
    pub(crate) fn may_touch(&self, band: u32, cell: u32, metres: f64) -> bool {
        let (latitude, longitude) = middle_of(band, cell);
        self.about(latitude, longitude) <= self.loosely(metres + HALF_CELL)
    }

    /// Returns whether a point is within a radius. The geodesic is computed only if the approximate
    /// distance does not decide.
    pub(crate) fn is_within(&self, latitude: f64, longitude: f64, radius: f64) -> bool {
        let about = self.about(latitude, longitude);
        if about > self.loosely(radius) {
            return false;
        }
        self.loosely(about) <= radius
            || Location::new(latitude, longitude).is_ok_and(|at| self.origin.distance(at) <= radius)
    }
}

/// The plane that touches the ellipsoid at a point.
pub(crate) struct Plane {
    latitude: f64,
    longitude: f64,
    metres_north: f64,
    /// Metres east of a degree at latitude `l` are `east[0] + east[1] (l - latitude) + east[2] (l - latitude)²`.
    east: [f64; 3],
}

impl Plane {
    fn at(origin: Location) -> Self {
        // Series of the radii of curvature of WGS84, accurate to a metre in a degree.
        let (sin, cos) = origin.latitude().to_radians().sin_cos();
        let e2 = 0.006_694_379_990_14;
        let w = 1.0 - e2 * sin * sin;
        let degree = 6_378_137.0_f64.to_radians();
        let east = degree / w.sqrt();
        let half = 0.5_f64.to_radians();
        Self {
            latitude: origin.latitude(),
            longitude: origin.longitude(),
            metres_north: degree * (1.0 - e2) / (w * w.sqrt()),
            east: [east * cos, -east * sin * half, -east * cos * half * half / 2.0],
        }
    }

    #[inline]
    fn distance(&self, latitude: f64, longitude: f64) -> f64 {
        let north = latitude - self.latitude;
        let mut degrees = (longitude - self.longitude).abs();
        if degrees > 180.0 {
            degrees = 360.0 - degrees;
        }
        self.square_of(north, degrees).sqrt()
    }

    /// Returns the metres of a degree of longitude on the parallel this many degrees to the north.
    #[inline]
    fn degree_east(&self, north: f64) -> f64 {
        self.east[0] + north * (self.east[1] + north * self.east[2])
    }

    /// Returns the metres of a degree to the north, and a lower limit for those of a degree to the
    /// east on all parallels this many degrees around the origin. Degrees are shorter towards a pole.
    pub(crate) fn degrees(&self, around: f64) -> (f64, f64) {
        (self.metres_north, self.degree_east(around).min(self.degree_east(-around)))
    }

    /// Returns the square of the distance of a point this many degrees to the north and to the east.
    #[inline]
    pub(crate) fn square_of(&self, north: f64, east: f64) -> f64 {
        let (north, east) = (north * self.metres_north, east * self.degree_east(north));
        north * north + east * east
    }
}

/// The parallels and meridians around a shape, in micro-degrees. If `west` is greater than `east`,
/// the shape crosses the 180th meridian.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cover {
    pub(crate) latitude: (i32, i32),
    longitude: (i32, i32),
}

const ALL_AROUND: (i32, i32) = (-180_000_000, 180_000_000);

impl Cover {
    pub(crate) fn of_circle(centre: Location, radius: f64) -> Self {
        let north = radius / DEGREE + 1e-5;
        let (low, high) = ((centre.latitude() - north).max(-90.0), (centre.latitude() + north).min(90.0));
        let latitude = (micro(low), micro(high));
        let widest = low.abs().max(high.abs());
        let east = radius / (DEGREE * widest.to_radians().cos()) + 1e-5;
        if widest > 89.5 || east >= 179.0 {
            return Self { latitude, longitude: ALL_AROUND };
        }
        let wrap = |degrees: f64| {
            if degrees < -180.0 {
                degrees + 360.0
            } else if degrees > 180.0 {
                degrees - 360.0
            } else {
                degrees
            }
        };
        let edge = |degrees: f64| micro(wrap(degrees));
        Self { latitude, longitude: (edge(centre.longitude() - east), edge(centre.longitude() + east)) }
    }

    /// Covers these points and everything between them.
    pub(crate) fn of_points(points: &[Location]) -> Self {
        let extent = |get: fn(Location) -> f64, most: i32| {
            let values = points.iter().map(|at| get(*at) * MICRO);
            let low = values.clone().fold(f64::INFINITY, f64::min).floor() as i32;
            let high = values.fold(f64::NEG_INFINITY, f64::max).ceil() as i32;
            (low.saturating_sub(1).max(-most), high.saturating_add(1).min(most))
        };
        Self {
            latitude: extent(Location::latitude, 90_000_000),
            longitude: extent(Location::longitude, 180_000_000),
        }
    }

    /// Returns the same longitudes as ranges that don't cross the 180th meridian.
    pub(crate) fn longitudes(&self) -> Vec<(i32, i32)> {
        let (west, east) = self.longitude;
        if west <= east { vec![(west, east)] } else { vec![(ALL_AROUND.0, east), (west, ALL_AROUND.1)] }
    }

    /// Returns the bands of cells that it touches.
    pub(crate) fn bands(&self) -> (u32, u32) {
        (cell_of(self.latitude.0, 0).0, cell_of(self.latitude.1, 0).0)
    }

    /// Returns the cells of each band that it touches.
    pub(crate) fn cells(&self) -> Vec<(u32, u32)> {
        if self.longitude == ALL_AROUND {
            return vec![(0, CELLS_AROUND)];
        }
        let cell = |longitude: i32| cell_of(0, longitude).1;
        let (west, east) = (cell(self.longitude.0), cell(self.longitude.1));
        if west <= east { vec![(west, east)] } else { vec![(0, east), (west, CELLS_AROUND)] }
    }
}

fn micro(degrees: f64) -> i32 {
    (degrees * MICRO) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cheap_distances_are_as_good_as_they_say() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut point = |spread: f64, near: (f64, f64)| {
            let (latitude, longitude) =
                (near.0 + (rng.f64() - 0.5) * spread, near.1 + (rng.f64() - 0.5) * spread);
            Location::new(latitude.clamp(-90.0, 90.0), longitude.clamp(-180.0, 180.0)).unwrap()
        };
        for (spread, reach) in [(0.3, 25_000.0), (30.0, 2e6), (360.0, 2e7)] {
            for middle in [(0.0, 0.0), (54.0, -2.0), (78.0, 100.0), (-45.0, 0.0)] {
                for _ in 0..2_000 {
                    let (a, b) = (point(spread, middle), point(spread, middle));
                    let (compass, metres) = (Compass::at(a, reach), a.distance(b));
                    let about = compass.about(b.latitude(), b.longitude());
                    if metres <= reach {
                        assert!(compass.loosely(about) >= metres, "{a:?} {b:?}: {about} and {metres}");
                        assert!(compass.loosely(metres) >= about, "{a:?} {b:?}: {about} and {metres}");
                        assert!(!compass.is_beyond(b.latitude(), metres));
                    }
                }
            }
        }
    }
}
