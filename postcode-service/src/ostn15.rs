//! Converts the National Grid to latitude and longitude through Ordnance Survey's OSTN15.
//!
//! OSGB36 is ETRS89 with a shift that differs from place to place: OS surveyed it at the nodes of a
//! 1 km grid, and in between it is bilinear. The rest is the inverse of a transverse Mercator
//! projection. Source: Ordnance Survey, "Transformations and OSGM15 user guide" and "A guide to
//! coordinate systems in Great Britain"; the projection by Krüger's series to the fifth order (C.
//! F. F. Karney, "Transverse Mercator with an accuracy of a few nanometers", 2011). The grid is
//! `data/ostn15.gz`, made by `data/build`.

use std::io::Read;
use std::sync::LazyLock;

use postcode_core::Location;

/// The grid in the east and the north.
const COLUMNS: usize = 701;
const ROWS: usize = 1251;

/// Shifts east and north of every node, in metres. `None` if the compiled-in data can't be read,
/// which the test of this module rules out.
static SHIFTS: LazyLock<Option<Vec<[f32; 2]>>> = LazyLock::new(|| {
    let mut packed = Vec::new();
    flate2::read::GzDecoder::new(&include_bytes!("../data/ostn15.gz")[..]).read_to_end(&mut packed).ok()?;
    let (east, north) = packed.split_at_checked(packed.len() / 2)?;
    Some(unpack(east)?.into_iter().zip(unpack(north)?).map(|(east, north)| [east, north]).collect())
});

/// Undoes `data/extract.py`.
fn unpack(packed: &[u8]) -> Option<Vec<f32>> {
    let (corner, rest) = packed.split_first_chunk::<4>()?;
    let rest = rest.chunks_exact(2).map(|pair| u32::from(u16::from_le_bytes([pair[0], pair[1]])));
    let mut millimetres: Vec<i32> = Vec::with_capacity(COLUMNS * ROWS);
    for (n, zigzag) in std::iter::once(u32::from_le_bytes(*corner)).chain(rest).enumerate() {
        let (x, y) = (n % COLUMNS, n / COLUMNS);
        let before =
            |back: usize, there: bool| if there { millimetres.get(n - back).copied() } else { Some(0) };
        let west = before(1, x > 0)?;
        let south = before(COLUMNS, y > 0)?;
        let southwest = before(COLUMNS + 1, x > 0 && y > 0)?;
        let difference = (zigzag >> 1) as i32 ^ -((zigzag & 1) as i32);
        millimetres.push(difference + west + south - southwest);
    }
    (millimetres.len() == COLUMNS * ROWS)
        .then(|| millimetres.into_iter().map(|mm| mm as f32 / 1000.0).collect())
}

/// Returns the shift at a point of the ETRS89 grid, in metres; `None` outside the grid.
fn shift(shifts: &[[f32; 2]], east: f64, north: f64) -> Option<(f64, f64)> {
    if !(0.0..700_000.0).contains(&east) || !(0.0..1_250_000.0).contains(&north) {
        return None;
    }
    let (x, y) = ((east / 1000.0) as usize, (north / 1000.0) as usize);
    let (t, u) = (east / 1000.0 - x as f64, north / 1000.0 - y as f64);
    let row = |y: usize| shifts.get(y * COLUMNS + x..y * COLUMNS + x + 2);
    let (low, high) = (row(y)?, row(y + 1)?);
    let between = |n: usize| {
        let low = f64::from(low[0][n]) * (1.0 - t) + f64::from(low[1][n]) * t;
        let high = f64::from(high[0][n]) * (1.0 - t) + f64::from(high[1][n]) * t;
        low * (1.0 - u) + high * u
    };
    Some((between(0), between(1)))
}

/// Returns the location of a grid reference in metres; `None` outside the area of OSTN15.
///
/// Accurate to a few centimetres, nearly all of which is OSTN15's own error. Takes about half a
/// microsecond.
pub(crate) fn location(e: f64, n: f64) -> Option<Location> {
    let shifts = SHIFTS.as_ref()?;
    // The shift is known at the point that is looked for: begin nearby, and three rounds are exact
    // to 0.1 nm.
    let (mut east, mut north) = (e, n);
    for _ in 0..4 {
        let (de, dn) = shift(shifts, east, north)?;
        (east, north) = (e - de, n - dn);
    }
    let (latitude, longitude) = PROJECTION.inverse(east, north);
    Location::new(latitude, longitude).ok()
}

static PROJECTION: LazyLock<Projection> = LazyLock::new(Projection::national_grid);

/// The National Grid's transverse Mercator projection, on GRS80.
struct Projection {
    /// Radius of the rectifying sphere times the scale on the central meridian, in metres.
    scale: f64,
    /// Krüger's coefficients of the inverse.
    beta: [f64; 5],
    /// Metres from the equator to the true origin, on the scaled meridian.
    origin: f64,
    eccentricity: f64,
}

impl Projection {
    fn national_grid() -> Self {
        let (a, f) = (6_378_137.0, 1.0 / 298.257_222_101);
        let n: f64 = f / (2.0 - f);
        let (n2, n3, n4, n5) = (n * n, n.powi(3), n.powi(4), n.powi(5));
        let scale = 0.999_601_271_7 * a / (1.0 + n) * (1.0 + n2 / 4.0 + n4 / 64.0 + n.powi(6) / 256.0);
        let alpha = [
            n / 2.0 - 2.0 / 3.0 * n2 + 5.0 / 16.0 * n3 + 41.0 / 180.0 * n4 - 127.0 / 288.0 * n5,
            13.0 / 48.0 * n2 - 3.0 / 5.0 * n3 + 557.0 / 1440.0 * n4 + 281.0 / 630.0 * n5,
            61.0 / 240.0 * n3 - 103.0 / 140.0 * n4 + 15_061.0 / 26_880.0 * n5,
            49_561.0 / 161_280.0 * n4 - 179.0 / 168.0 * n5,
            34_729.0 / 80_640.0 * n5,
        ];
        let beta = [
            n / 2.0 - 2.0 / 3.0 * n2 + 37.0 / 96.0 * n3 - n4 / 360.0 - 81.0 / 512.0 * n5,
            n2 / 48.0 + n3 / 15.0 - 437.0 / 1440.0 * n4 + 46.0 / 105.0 * n5,
            17.0 / 480.0 * n3 - 37.0 / 840.0 * n4 - 209.0 / 4480.0 * n5,
            4397.0 / 161_280.0 * n4 - 11.0 / 504.0 * n5,
            4583.0 / 161_280.0 * n5,
        ];
        let eccentricity = (f * (2.0 - f)).sqrt();
        // The true origin is at 49° N on the central meridian.
        let latitude = 49.0_f64.to_radians();
        let isometric = latitude.tan().asinh() - eccentricity * (eccentricity * latitude.sin()).atanh();
        let xi = isometric.sinh().atan();
        let series: f64 = (1..).zip(alpha).map(|(j, a)| a * (2.0 * f64::from(j) * xi).sin()).sum();
        Self { scale, beta, origin: scale * (xi + series), eccentricity }
    }

    /// Latitude and longitude in degrees of metres on the ETRS89 grid (false origin 400,000 E,
    /// −100,000 N of 49° N 2° W).
    fn inverse(&self, east: f64, north: f64) -> (f64, f64) {
        let xi = (north + 100_000.0 + self.origin) / self.scale;
        let eta = (east - 400_000.0) / self.scale;
        let (mut xi0, mut eta0) = (xi, eta);
        for (j, beta) in (1..).zip(self.beta) {
            let twice = 2.0 * f64::from(j);
            xi0 -= beta * (twice * xi).sin() * (twice * eta).cosh();
            eta0 -= beta * (twice * xi).cos() * (twice * eta).sinh();
        }
        let conformal = xi0.sin() / eta0.sinh().hypot(xi0.cos());
        let longitude = -2.0 + eta0.sinh().atan2(xi0.cos()).to_degrees();
        (self.geodetic(conformal).atan().to_degrees(), longitude)
    }

    /// Returns the tangent of the geodetic latitude from that of the conformal one, by Newton's
    /// method.
    fn geodetic(&self, conformal: f64) -> f64 {
        let e = self.eccentricity;
        let e2 = e * e;
        let mut tau = conformal;
        for _ in 0..4 {
            let secant = tau.hypot(1.0);
            let sigma = (e * (e * tau / secant).atanh()).sinh();
            let reached = tau * sigma.hypot(1.0) - sigma * secant;
            tau += (conformal - reached) / reached.hypot(1.0) * (1.0 + (1.0 - e2) * tau * tau)
                / ((1.0 - e2) * secant);
        }
        tau
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ordnance Survey's test points for OSTN15 in whole metres, so good to a metre's worth of
    /// degrees.
    #[test]
    fn places_that_os_publishes() {
        for (eastings, northings, latitude, longitude) in [
            (91_492, 11_318, 49.922_261, -6.299_778),     // St Mary's, Scilly
            (651_410, 313_177, 52.658_007, 1.716_074),    // Caister water tower
            (170_371, 11_572, 49.960_060, -5.203_046),    // Lizard
            (530_624, 178_388, 51.489_365, -0.119_925),   // Kennington
            (395_999, 1_138_728, 60.133_081, -2.073_829), // Foula to Shetland's south
        ] {
            let found = location(f64::from(eastings), f64::from(northings)).unwrap();
            assert!((found.latitude() - latitude).abs() < 2e-5, "{eastings} {northings}: {found:?}");
            assert!((found.longitude() - longitude).abs() < 4e-5, "{eastings} {northings}: {found:?}");
        }
    }

    #[test]
    fn nothing_outside_of_the_grid() {
        assert_eq!(location(700_200.0, 100_000.0), None);
        assert_eq!(location(100_000.0, 1_260_000.0), None);
    }
}
