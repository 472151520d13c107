//! Predicts latitude and longitude from a National Grid reference, approximately.
//!
//! The grid is a Transverse Mercator projection, which is inverted here on the GRS80 ellipsoid,
//! plus a shift of about a hundred metres between the grid of 1936 and today's, which OSTN15 gives
//! on a grid of one kilometre. The shift is not known here: the pack has it at coarser nodes,
//! fitted to the data, and the remaining differences row by row.
//!
//! All arithmetic is `+ - * /` and `sqrt` on `f64`, which IEEE 754 rounds the same on every
//! machine. So a pack gives the same result everywhere.

use std::sync::OnceLock;

/// The distance between nodes of the shift in metres, a power of two given by its exponent.
const NODE_BITS: u32 = 11;
/// The number of nodes west to east and south to north: enough for the National Grid.
const WIDTH: usize = (1 << (20 - NODE_BITS)) + 1;
const HEIGHT: usize = (1 << (21 - NODE_BITS)) + 1;
pub(crate) const NODES: usize = WIDTH * HEIGHT;
/// Nodes are stored in this fraction of a micro-degree.
const UNITS: f64 = 32.0;

/// The size of a patch in metres, given by its exponent. In a patch the projection is one cubic in
/// each direction, with an error below 1e-9 degrees.
const PATCH_BITS: u32 = 15;
const PATCHES: usize = 1 << (20 - PATCH_BITS);
const PATCH_ROWS: usize = 1 << (21 - PATCH_BITS);

/// Latitude and longitude, so that both are computed at once.
type Pair = [f64; 2];

/// Micro-degrees as cubics of eastings and northings within the patch, 0 to 1: by the power of
/// northings and then of eastings.
type Patch = [[Pair; 4]; 4];

/// The shift at the nodes: latitude and longitude in [`UNITS`] of a micro-degree.
pub(crate) struct Nodes(Vec<[i32; 2]>);

impl FromIterator<[i32; 2]> for Nodes {
    fn from_iter<T: IntoIterator<Item = [i32; 2]>>(nodes: T) -> Self {
        let mut nodes = Vec::from_iter(nodes);
        nodes.resize(NODES, [0; 2]);
        Self(nodes)
    }
}

impl Nodes {
    /// Fits the shift to places and their true micro-degrees, by simultaneous iterative
    /// reconstruction: each node repeatedly moves by the mean of the remaining differences around
    /// it.
    pub(crate) fn fit(places: &[([u32; 2], [i32; 2])]) -> Self {
        let predictor = Predictor::new(Self::from_iter([]));
        let remains: Vec<([u32; 2], [f64; 2])> = places
            .iter()
            .filter(|([eastings, northings], _)| Predictor::knows(*eastings, *northings))
            .map(|([eastings, northings], truth)| {
                let [latitude, longitude] = predictor.projected(*eastings, *northings);
                ([*eastings, *northings], [f64::from(truth[0]) - latitude, f64::from(truth[1]) - longitude])
            })
            // A few places are wrong by kilometres in the source, and would distort the shift for
            // their neighbours.
            .filter(|(_, [latitude, longitude])| latitude.abs() < 4_000.0 && longitude.abs() < 4_000.0)
            .collect();
        let mut nodes = vec![[0.0f64; 2]; NODES];
        for _ in 0..60 {
            let mut sums = vec![[0.0f64; 3]; NODES];
            for ([eastings, northings], truth) in &remains {
                let (node, x, y) = cell(*eastings, *northings);
                let corners = [
                    (node, (1.0 - x) * (1.0 - y)),
                    (node + 1, x * (1.0 - y)),
                    (node + WIDTH, (1.0 - x) * y),
                    (node + WIDTH + 1, x * y),
                ];
                let shift =
                    |n: usize| corners.iter().map(|(node, weight)| nodes[*node][n] * weight).sum::<f64>();
                let rest = [truth[0] - shift(0), truth[1] - shift(1)];
                for (node, weight) in corners {
                    let sum = &mut sums[node];
                    *sum = [sum[0] + weight * rest[0], sum[1] + weight * rest[1], sum[2] + weight];
                }
            }
            for (node, [latitude, longitude, weight]) in nodes.iter_mut().zip(sums) {
                if weight > 0.0 {
                    *node = [node[0] + 1.5 * latitude / weight, node[1] + 1.5 * longitude / weight];
                }
            }
        }
        nodes.iter().map(|node| node.map(|shift| (shift * UNITS).round() as i32)).collect()
    }
}

/// The shift, and patches as they are needed.
pub(crate) struct Predictor {
    nodes: Nodes,
    patches: Vec<OnceLock<Box<Patch>>>,
}

/// Returns the cell of a place: its south-western node, and the position in it, 0 to 1.
#[inline]
fn cell(eastings: u32, northings: u32) -> (usize, f64, f64) {
    let size = f64::from(1u32 << NODE_BITS);
    let part = |metres: u32| f64::from(metres & ((1 << NODE_BITS) - 1)) / size;
    let node = (northings >> NODE_BITS) as usize * WIDTH + (eastings >> NODE_BITS) as usize;
    (node, part(eastings), part(northings))
}

impl Predictor {
    pub(crate) fn new(nodes: Nodes) -> Self {
        Self { nodes, patches: std::iter::repeat_with(OnceLock::new).take(PATCHES * PATCH_ROWS).collect() }
    }

    pub(crate) fn nodes(&self) -> &[[i32; 2]] {
        &self.nodes.0
    }

    /// Returns whether a place is on the map.
    #[inline]
    fn knows(eastings: u32, northings: u32) -> bool {
        eastings < 1 << 20 && northings < 1 << 21
    }

    /// Returns latitude and longitude in micro-degrees; zero outside the map.
    #[inline]
    pub(crate) fn predict(&self, eastings: u32, northings: u32) -> (i32, i32) {
        if !Self::knows(eastings, northings) {
            return (0, 0);
        }
        let projected = self.projected(eastings, northings);
        let (node, x, y) = cell(eastings, northings);
        let pair = |node: [i32; 2]| -> Pair { [f64::from(node[0]), f64::from(node[1])] };
        let (sw, se) = (pair(self.nodes.0[node]), pair(self.nodes.0[node + 1]));
        let (nw, ne) = (pair(self.nodes.0[node + WIDTH]), pair(self.nodes.0[node + WIDTH + 1]));
        let between =
            |a: Pair, b: Pair, t: f64| -> Pair { [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])] };
        let shift = between(between(sw, se, x), between(nw, ne, x), y);
        (round(projected[0] + shift[0] / UNITS), round(projected[1] + shift[1] / UNITS))
    }

    /// Computes the projection without the shift.
    #[inline]
    fn projected(&self, eastings: u32, northings: u32) -> Pair {
        let at = (northings >> PATCH_BITS) as usize * PATCHES + (eastings >> PATCH_BITS) as usize;
        let size = f64::from(1u32 << PATCH_BITS);
        let part = |metres: u32| f64::from(metres & ((1 << PATCH_BITS) - 1)) / size;
        let patch = self.patches[at].get_or_init(|| {
            let corner = |metres: u32| f64::from(metres >> PATCH_BITS) * size;
            Box::new(patch(corner(eastings), corner(northings), size))
        });
        let (x, y) = (part(eastings), part(northings));
        let step = |a: Pair, t: f64, b: Pair| -> Pair { [a[0] + t * b[0], a[1] + t * b[1]] };
        let cubic = |a, b, c, d, t: f64| step(a, t, step(b, t, step(c, t, d)));
        let row = |c: &[Pair; 4]| cubic(c[0], c[1], c[2], c[3], x);
        cubic(row(&patch[0]), row(&patch[1]), row(&patch[2]), row(&patch[3]), y)
    }
}

/// Rounds to the nearest integer, without the platform's rounding.
#[inline]
fn round(value: f64) -> i32 {
    // The cast truncates, so add a half away from zero.
    (value + 0.5f64.copysign(value)) as i32
}

/// Computes the cubics through the projection at sixteen points of a patch.
fn patch(east: f64, north: f64, size: f64) -> Patch {
    let at = |n: usize, m: usize| {
        let (x, y) = (n as f64 / 3.0, m as f64 / 3.0);
        unproject(east + x * size, north + y * size)
    };
    // From values at 0, 1/3, 2/3 and 1 to the coefficients of the cubic through them.
    let cubic = |[a, b, c, d]: [f64; 4]| {
        [
            a,
            -5.5 * a + 9.0 * b - 4.5 * c + d,
            9.0 * a - 22.5 * b + 18.0 * c - 4.5 * d,
            -4.5 * a + 13.5 * b - 13.5 * c + 4.5 * d,
        ]
    };
    let values: [[[f64; 2]; 4]; 4] = std::array::from_fn(|m| std::array::from_fn(|n| at(n, m)));
    // By coordinate, the power of eastings and that of northings.
    let coefficients: [[[f64; 4]; 4]; 2] = std::array::from_fn(|which| {
        let rows: [[f64; 4]; 4] = std::array::from_fn(|m| cubic(values[m].map(|value| value[which])));
        std::array::from_fn(|n| cubic(rows.map(|row| row[n])))
    });
    std::array::from_fn(|m| std::array::from_fn(|n| [coefficients[0][n][m], coefficients[1][n][m]]))
}

/// Returns sine and cosine by their series, for angles up to a quarter turn.
fn sin_cos(x: f64) -> (f64, f64) {
    let (mut sin, mut cos) = (0.0, 0.0);
    let mut term = 1.0;
    let mut n = 0.0;
    for _ in 0..7 {
        cos += term;
        term = term * x / (n + 1.0);
        sin += term;
        term = -term * x / (n + 2.0);
        cos += term;
        term = term * x / (n + 3.0);
        sin += term;
        term = -term * x / (n + 4.0);
        n += 4.0;
    }
    (sin, cos)
}

/// Returns the micro-degrees of a place on the National Grid's projection, on GRS80: the formulas
/// of Ordnance Survey's "A guide to coordinate systems in Great Britain", annexe C, which explains
/// the symbols.
fn unproject(eastings: f64, northings: f64) -> [f64; 2] {
    const A: f64 = 6_378_137.0;
    const B: f64 = 6_356_752.314_140;
    const F0: f64 = 0.999_601_271_7;
    const DEGREE: f64 = std::f64::consts::PI / 180.0;
    let phi0 = 49.0 * DEGREE;
    let e2 = (A * A - B * B) / (A * A);
    let n = (A - B) / (A + B);
    let (n2, n3) = (n * n, n * n * n);
    let meridian = |phi: f64| {
        let (s1, c1) = (sin_cos(phi - phi0), sin_cos(phi + phi0));
        // Twice and three times the angles by their addition formulas.
        let double = |(s, c): (f64, f64)| (2.0 * s * c, c * c - s * s);
        let add = |(s, c): (f64, f64), (t, d): (f64, f64)| (s * d + c * t, c * d - s * t);
        let (s2, c2) = (double(s1), double(c1));
        let (s3, c3) = (add(s1, s2), add(c1, c2));
        B * F0
            * ((1.0 + n + 1.25 * n2 + 1.25 * n3) * (phi - phi0)
                - (3.0 * n + 3.0 * n2 + 2.625 * n3) * s1.0 * c1.1
                + 1.875 * (n2 + n3) * s2.0 * c2.1
                - 35.0 / 24.0 * n3 * s3.0 * c3.1)
    };
    let north = northings + 100_000.0;
    let mut phi = phi0 + north / (A * F0);
    for _ in 0..6 {
        phi += (north - meridian(phi)) / (A * F0);
    }
    let (sin, cos) = sin_cos(phi);
    let tan = sin / cos;
    let t2 = tan * tan;
    let w = 1.0 - e2 * sin * sin;
    let nu = A * F0 / w.sqrt();
    let rho = nu * (1.0 - e2) / w;
    let eta2 = nu / rho - 1.0;
    let de = (eastings - 400_000.0) / nu;
    let de2 = de * de;
    let vii = tan * nu / (2.0 * rho);
    let viii = vii / 12.0 * (5.0 + 3.0 * t2 + eta2 - 9.0 * t2 * eta2);
    let ix = vii / 360.0 * (61.0 + 90.0 * t2 + 45.0 * t2 * t2);
    let x = 1.0 / cos;
    let xi = x / 6.0 * (nu / rho + 2.0 * t2);
    let xii = x / 120.0 * (5.0 + 28.0 * t2 + 24.0 * t2 * t2);
    let xiia = x / 5040.0 * (61.0 + 662.0 * t2 + 1320.0 * t2 * t2 + 720.0 * t2 * t2 * t2);
    let latitude = phi - de2 * (vii - de2 * (viii - de2 * ix));
    let longitude = -2.0 * DEGREE + de * (x - de2 * (xi - de2 * (xii - de2 * xiia)));
    [latitude / DEGREE * 1e6, longitude / DEGREE * 1e6]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of OS's guide is on Airy 1830; this one is OS's OSTN15 test point TP10 (ETRS89 to ETRS89 grid).
    #[test]
    fn the_projection_is_that_of_the_guide() {
        let (sin, cos) = sin_cos(1.0);
        assert!((sin - 1.0f64.sin()).abs() < 1e-15 && (cos - 1.0f64.cos()).abs() < 1e-15);
        // True origin.
        let [latitude, longitude] = unproject(400_000.0, -100_000.0);
        assert!((latitude - 49e6).abs() < 1e-4 && (longitude + 2e6).abs() < 1e-4, "{latitude} {longitude}");
    }

    #[test]
    fn patches_agree_with_the_projection() {
        let predictor = Predictor::new(Nodes::from_iter([]));
        for (eastings, northings) in [(0, 0), (400_000, 300_000), (529_090, 179_645), (655_604, 1_213_660)] {
            let [a, b] = predictor.projected(eastings, northings);
            let [c, d] = unproject(f64::from(eastings), f64::from(northings));
            assert!((a - c).abs() < 1e-3 && (b - d).abs() < 1e-3, "{eastings} {northings}: {a} {c} {b} {d}");
        }
    }
}
